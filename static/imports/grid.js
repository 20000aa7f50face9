// The grid works as a plain form. With this, Enter checks the row it is pressed in, the arrows go from row to row,
// and what was edited is told apart from what was proposed.

const grid = document.querySelector("[data-grid]");
const fields = [...grid.querySelectorAll("input[name^='cell.']")];

grid.addEventListener("keydown", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLInputElement) || !field.name.startsWith("cell.")) return;
  if (event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    field.closest("tbody").querySelector("button[name=only]")?.click();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const next = fields[fields.indexOf(field) + (event.key === "ArrowDown" ? 1 : -1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.select();
  }
});

grid.addEventListener("input", (event) => {
  const cell = event.target.closest("td");
  cell?.classList.remove("at-fault");
  cell?.classList.add("is-proposed");
});
