// A broadcast while it is composed: problems, count and preview follow what is typed. Without this, buttons do.

const form = document.querySelector("[data-compose]");
const fields = form?.querySelector("[data-fields]");
const audience = form?.querySelector("[data-audience]");
const look = form?.querySelector("[data-look]");
const touched = new Set();
let slot; // the last one somebody wrote in: where a chip goes
let asked = 0;
let waiting;
let changed = false;

if (form) {
  dress();
  // Ours first: the listener for all forms would take such a button for one that sends.
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button?.name !== "do") {
      changed = false;
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (button.value === "find" || button.value === "next") check(button.value);
    else if (/^(add|remove)/.test(button.value)) rebuild(button.value);
    else check();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.id !== "who") return;
    event.preventDefault();
    check("find");
  });
  form.addEventListener("change", (event) => {
    touch(event.target);
    if (event.target.closest("[data-shape]")) rebuild("refresh");
    else if (event.target.id !== "who") check();
  });
  form.addEventListener("input", (event) => {
    if (event.target.id === "who") return;
    changed = true;
    if (event.target.value) touch(event.target);
    if (event.target.name.startsWith("schedule.") && event.target.type === "datetime-local") choose(event.target);
    clearTimeout(waiting);
    waiting = setTimeout(check, 250);
  });
  fields?.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-slot]")) slot = event.target;
  });
  fields?.addEventListener("click", (event) => {
    const chip = event.target.closest(".chip");
    if (chip) insert(chip.textContent);
  });
  if (audience?.querySelector("[data-inexact]")) check("exact");
  for (const invalid of form.querySelectorAll(".is-invalid")) touch(invalid);
  // What was typed is lost only if somebody says so.
  window.addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });
}

function touch(input) {
  if (input.name) touched.add(input.name);
}

// A time that is filled in is the one that is meant.
function choose(input) {
  const radio = input.closest(".form-check")?.querySelector("[type=radio]");
  if (radio) radio.checked = true;
}

// Attributes to write down become buttons that write them.
function dress() {
  for (const code of fields?.querySelectorAll("[data-chips] code") ?? []) {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.className = "chip";
    chip.textContent = code.textContent;
    code.replaceWith(chip);
  }
}

function insert(text) {
  const target = slot?.isConnected ? slot : fields.querySelector("[data-slot]");
  if (!target) return;
  target.focus();
  target.setRangeText(text, target.selectionStart, target.selectionEnd, "end");
  target.dispatchEvent(new Event("input", { bubbles: true }));
}

async function rebuild(action) {
  changed = true;
  const focused = document.activeElement?.name;
  const before = new Map(new FormData(form));
  const answer = await ask({ part: "fields", do: action });
  const text = answer && (await answer.text());
  if (!text) return;
  const written = [...fields.querySelectorAll("[data-slot]")].filter((each) => each.value !== before.get(each.name));
  fields.innerHTML = text;
  // What was typed while the answer was on its way stays.
  for (const { name, value } of written) if (form.elements[name]) form.elements[name].value = value;
  dress();
  if (focused) form.elements[focused]?.focus?.();
  check();
}

async function check(how = "") {
  clearTimeout(waiting);
  const mine = ++asked;
  look.classList.add("is-old");
  const answer = await ask({ part: "check", ...(how === "exact" ? { exact: "yes" } : { do: how }) });
  if (!answer || mine !== asked) return;
  const told = await answer.json();
  if (mine !== asked) return;
  for (const place of form.querySelectorAll("[data-place]")) mark(place, told);
  audience.innerHTML = told.audience;
  look.innerHTML = told.preview;
  if (how === "next") form.elements.who.value = "";
  look.classList.remove("is-old");
  if (how === "exact") audience.querySelector(".audience-wait")?.remove();
  else if (audience.querySelector("[data-inexact]")) check("exact");
}

// A field says what is wrong once somebody was there: an empty form is no mistake yet.
function mark(place, { problems, notes }) {
  const name = place.dataset.place;
  const text = touched.has(name) ? (problems[name] ?? "") : "";
  const aside = place.querySelector(":scope [data-note]");
  if (aside) aside.textContent = notes[name] ?? "";
  const input = place.querySelector(".form-control, .form-select");
  input?.classList.toggle("is-invalid", Boolean(text));
  if (text) input?.setAttribute("aria-invalid", "true");
  else input?.removeAttribute("aria-invalid");
  let note = place.querySelector(":scope .invalid-feedback");
  if (!note && text) {
    note = document.createElement("div");
    note.className = "invalid-feedback d-block";
    (input ?? place.lastElementChild).after(note);
  }
  if (note) note.textContent = text;
}

async function ask(more) {
  const body = new URLSearchParams(new FormData(form));
  for (const [name, value] of Object.entries(more)) body.set(name, value);
  try {
    const response = await fetch(form.dataset.compose, { method: "POST", body, redirect: "error" });
    return response.ok ? response : null;
  } catch {
    return null; // the server is away for a moment: the next change asks again
  }
}
