// The list and the thread by keys: never while somebody writes, and never together with Ctrl, Alt or the command key.

const WRITTEN_IN = "input, textarea, select, [contenteditable], dialog";

const click = (selector) => document.querySelector(selector)?.click();
const focus = (selector) => document.querySelector(selector)?.focus();

function step(by) {
  const rows = [...document.querySelectorAll(".row-item a[href]")];
  const at = rows.findIndex((row) => row.matches("[aria-current]") || row === document.activeElement);
  rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.click();
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  r: () => focus("#text"),
  n: () => {
    const part = document.querySelector(".noting");
    if (part) part.open = true;
    focus("#note");
  },
  e: () => click(".thread-actions form[action*='/close'] button"),
  o: () => click(".thread-actions form[action*='/reopen'] button"),
  p: () => click("[data-contact]"),
  u: () => click(".thread-header .back"),
  "/": () => {
    const box = document.querySelector("form[data-reply] #text");
    if (!box) return focus("#text, .list-search input");
    if (box.value) return box.focus();
    box.focus();
    box.value = "/";
    box.dispatchEvent(new Event("input", { bubbles: true }));
  },
  "?": () => document.getElementById("keys")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.matches("#text, #note")) return event.target.blur();
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
  if (event.target.closest(WRITTEN_IN)) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.addEventListener("click", (event) => {
  const asked = event.target.closest("[data-react]");
  if (asked) {
    const dialog = document.getElementById("react");
    dialog.querySelector("[name=message]").value = asked.dataset.react;
    dialog.querySelector("[data-take-back]").hidden = !asked.dataset.mine;
    dialog.showModal();
  }
  if (event.target.closest("[data-keys]")) document.getElementById("keys")?.showModal();
});
