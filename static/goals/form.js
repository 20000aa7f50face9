// A goal built by clicking: only its rows are fetched anew. Without this, each button loads the page.

const form = document.querySelector("[data-build]");
const fields = form?.querySelector("[data-fields]");

if (fields) {
  // Ours first: the listener for all forms would take a button that adds a row for one that sends.
  form.addEventListener("submit", (event) => {
    if (event.submitter?.name !== "do") return;
    event.preventDefault();
    event.stopPropagation();
    rebuild(event.submitter.value);
  });
  fields.addEventListener("change", (event) => {
    if (event.target.matches("[data-shape]")) rebuild("refresh");
  });
}

async function rebuild(action) {
  const name = document.activeElement?.name;
  const body = new URLSearchParams(new FormData(form));
  body.set("part", "rows");
  body.set("do", action);
  try {
    const response = await fetch(form.dataset.build, { method: "POST", body, redirect: "error" });
    if (response.ok) fields.innerHTML = await response.text();
  } catch {
    return; // the server is away for a moment: the next change asks again
  }
  const places = [...fields.querySelectorAll("[data-shape]")];
  (action === "add" ? places.filter((place) => place.name.startsWith("kind.way-")).at(-1) : places.find((place) => place.name === name))?.focus();
}
