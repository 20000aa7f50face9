// A rule built by clicking: only what moves is fetched. Without this, each button loads the page anew.

const form = document.querySelector("[data-builder]");
const fields = form?.querySelector("[data-fields]");
const answer = form?.querySelector("[data-answer]");
let asked = 0;
let waiting;

if (fields) {
  // Ours first: the listener for all forms would take a button that adds a field for one that sends.
  form.addEventListener("submit", (event) => {
    if (event.submitter?.name !== "do") return;
    event.preventDefault();
    event.stopPropagation();
    rebuild(event.submitter.value);
  });
  fields.addEventListener("change", (event) => {
    if (event.target.matches("[data-shape]")) rebuild("refresh");
    else count();
  });
  fields.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(count, 300);
  });
  if (answer.querySelector("[data-inexact]")) count("exact");
}

async function rebuild(action) {
  const name = document.activeElement?.name;
  const text = await ask({ part: "builder", do: action });
  if (text === null) return;
  fields.innerHTML = text;
  const places = [...fields.querySelectorAll("[data-shape]")];
  const isNew = action.startsWith("add") || action.startsWith("group");
  (isNew ? newest(places, action) : places.find((place) => place.name === name))?.focus();
  count();
}

// The first field of the condition that was just added: the last one within its group.
function newest(places, action) {
  const path = action.slice(action.indexOf(":") + 1);
  return places.filter((place) => place.name.startsWith(`what.${path}-`)).at(-1);
}

async function count(how) {
  clearTimeout(waiting);
  const mine = ++asked;
  answer.classList.add("is-old");
  const text = await ask({ part: "count", ...(how === "exact" ? { exact: "yes" } : {}) });
  if (text === null || mine !== asked) return;
  answer.innerHTML = text;
  answer.classList.remove("is-old");
  if (how !== "exact" && answer.querySelector("[data-inexact]")) count("exact");
  else answer.querySelector(".answer-wait")?.remove();
}

async function ask(more) {
  const body = new URLSearchParams(new FormData(form));
  for (const [name, value] of Object.entries(more)) body.set(name, value);
  try {
    const response = await fetch(form.dataset.builder, { method: "POST", body, redirect: "error" });
    return response.ok ? await response.text() : null;
  } catch {
    return null; // the server is away for a moment: the next change asks again
  }
}
