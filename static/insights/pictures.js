// Reads a picture out below it: what the pointer is over, or, by arrow keys, one column after the other.
// Without this each column tells the same in its title.

function follow(picture) {
  const drawing = picture.querySelector("svg");
  const slots = [...drawing.querySelectorAll(".slot")];
  const told = slots.map((slot) => slot.querySelector("title").textContent.trim());
  const shown = picture.querySelector(".read");
  const wide = drawing.matches(".clock") ? 24 : slots.length;
  let at = -1;

  function read(next) {
    slots[at]?.classList.remove("is-read");
    at = next;
    slots[at]?.classList.add("is-read");
    shown.textContent = told[at] ?? "";
  }

  for (const slot of slots) slot.querySelector("title").remove();
  drawing.tabIndex = 0;
  // A finger stays with what it touched first: what is below it now is asked for.
  function point(event) {
    const over = slots.indexOf(document.elementFromPoint(event.clientX, event.clientY));
    if (over >= 0 && over !== at) read(over);
  }

  drawing.addEventListener("pointerdown", point);
  drawing.addEventListener("pointermove", point);
  drawing.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse") read(-1);
  });
  drawing.addEventListener("blur", () => read(-1));
  drawing.addEventListener("focus", () => read(at < 0 ? slots.length - 1 : at));
  drawing.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -wide, ArrowDown: wide, Home: -slots.length, End: slots.length };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    if (slots.length > wide || Math.abs(step) === 1 || event.key === "Home" || event.key === "End") {
      read(Math.max(0, Math.min(slots.length - 1, at + step)));
    }
  });
}

for (const picture of document.querySelectorAll("[data-picture]")) follow(picture);
