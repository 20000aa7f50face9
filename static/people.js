// The table works without this: it ticks a whole page at once and says how many are ticked.

const form = document.querySelector("[data-people]");
if (form) {
  const all = form.querySelector("[data-tick-all]");
  const boxes = [...form.querySelectorAll("input[name=person]")];
  const told = form.querySelector("[data-ticked]");

  const tell = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
    told.textContent = ticked === 1 ? told.dataset.one : told.dataset.many.replace("{}", ticked);
  };

  all.closest("[hidden]").hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    tell();
  });
  form.addEventListener("change", (event) => {
    if (event.target.name === "person") tell();
  });
  tell();
}

for (const select of document.querySelectorAll("[data-go]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}
