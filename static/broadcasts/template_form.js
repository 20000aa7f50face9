// The preview follows what is typed, and fields come and go with what is chosen. Without this, a button does the same.

const form = document.querySelector("[data-look]");
let asked = 0;
let waiting;

if (form) {
  // Ours first: the listener for all forms would take a button that adds a field for one that sends.
  form.addEventListener("submit", (event) => {
    if (event.submitter?.name !== "do") return;
    event.preventDefault();
    event.stopPropagation();
    look(event.submitter.value, true);
  });
  form.addEventListener("input", (event) => {
    forgive(event.target);
    clearTimeout(waiting);
    waiting = setTimeout(look, 200);
  });
  form.addEventListener("change", (event) => {
    if (event.target.closest("[data-shape]")) look();
  });
}

// What was said of a field was said of its old words; the next submit looks at the new ones.
function forgive(field) {
  if (!field.classList.contains("is-invalid")) return;
  field.classList.remove("is-invalid");
  field.removeAttribute("aria-invalid");
  for (const note of field.parentElement.querySelectorAll(":scope > .invalid-feedback")) note.remove();
}

async function look(action = "", isPressed = false) {
  clearTimeout(waiting);
  const mine = ++asked;
  const preview = form.querySelector('[data-part="preview"]');
  preview.classList.add("is-old");
  const text = await ask(action);
  // A pressed button was done once: what was typed meanwhile is looked at by the next.
  if (text === null || (mine !== asked && !isPressed)) return;
  const come = new DOMParser().parseFromString(text, "text/html");
  for (const part of come.querySelectorAll("[data-part]")) place(part, isPressed);
  if (isPressed) focusNewest(action);
  if (mine !== asked) look();
}

// What has the same fields stays as it is, with what was typed in it and who is typing there.
function place(part, isPressed) {
  const here = form.querySelector(`[data-part="${part.dataset.part}"]`);
  const isSame = part.dataset.key !== undefined && part.dataset.key === here.dataset.key;
  if (isSame && !(isPressed && part.dataset.part === "buttons")) return;
  const name = here.contains(document.activeElement) ? document.activeElement.name : "";
  here.replaceWith(part);
  if (name) form.elements[name]?.focus?.();
}

function focusNewest(action) {
  if (action === "add") [...form.querySelectorAll('[data-part="buttons"] select')].at(-1)?.focus();
}

async function ask(action) {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") body.append(name, value);
  body.set("part", "all");
  body.set("do", action);
  try {
    const response = await fetch(form.dataset.look, { method: "POST", body, redirect: "error" });
    return response.ok ? await response.text() : null;
  } catch {
    return null; // the server is away for a moment: the next key asks again
  }
}
