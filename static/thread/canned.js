// Answers at hand: a slash at the beginning of the reply offers them, filled in for this person.

import { words } from "../words.js";

export function offer(thread) {
  let asked = 0;
  let place = 0;
  const box = () => thread.querySelector("form[data-reply] #text");
  const list = () => thread.querySelector("#canned");
  const items = () => [...(list()?.children ?? [])];

  thread.addEventListener("input", async (event) => {
    if (event.target !== box()) return;
    const typed = /^\/([^\n]{0,40})$/.exec(box().value);
    if (!typed) return hide();
    const mine = ++asked;
    const address = `${box().form.dataset.canned}?typed=${encodeURIComponent(typed[1])}`;
    const answer = await fetch(address).catch(() => null);
    if (mine !== asked || !answer?.ok) return;
    show(await answer.json());
  });

  function hide() {
    asked++;
    if (list()) list().hidden = true;
  }

  function show(offers) {
    place = 0;
    list().replaceChildren(...offers.map((offer, at) => {
      const item = document.createElement("li");
      item.role = "option";
      item.id = `canned-${at}`;
      item.dataset.text = offer.text;
      const name = document.createElement("b");
      name.textContent = `/${offer.shortcut}`;
      const said = document.createElement("span");
      said.dir = "auto";
      said.textContent = offer.text;
      item.append(name, " ", said);
      if (offer.empty.length) {
        const gap = document.createElement("small");
        gap.textContent = ` ${words("nothingKnown", offer.empty.join(", "))}`;
        item.append(gap);
      }
      item.addEventListener("mousedown", (event) => { event.preventDefault(); take(item); });
      return item;
    }));
    list().hidden = !offers.length;
    mark();
  }

  function mark() {
    items().forEach((item, at) => item.setAttribute("aria-selected", String(at === place)));
    box().setAttribute("aria-activedescendant", items()[place]?.id ?? "");
  }

  function take(item) {
    box().value = item.dataset.text;
    hide();
    box().dispatchEvent(new Event("input", { bubbles: true }));
    box().focus();
  }

  thread.addEventListener("keydown", (event) => {
    if (event.target !== box() || !list() || list().hidden || !items().length) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      place = (place + step + items().length) % items().length;
      mark();
    } else if (event.key === "Escape") hide();
    else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") take(items()[place]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
