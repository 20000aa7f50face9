// The 24-hour window as it runs out, by the server's clock; and the templates that ask somebody back once it has.

import { words } from "../words.js";

let ahead = null;

/** How far the server's clock is before the browser's, told in milliseconds since 1970. */
export function setClock(told) {
  ahead = Date.parse(told) - Date.now();
}

const two = (count) => String(count).padStart(2, "0");

function lasting(ms) {
  const s = Math.floor(ms / 1000);
  if (s >= 7200) return words("manyHours", Math.floor(s / 3600), Math.floor((s % 3600) / 60));
  return s >= 3600 ? words("oneHour", Math.floor((s % 3600) / 60)) : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

export function countDown(thread, onEnd) {
  const told = thread.querySelector("[data-now]");
  if (told) setClock(told.dataset.now);
  setInterval(() => {
    const shown = thread.querySelector("[data-closes]");
    if (!shown || ahead === null) return;
    const left = Date.parse(shown.dataset.closes) - Date.now() - ahead;
    shown.classList.toggle("window-ending", left < 2 * 3_600_000);
    const said = shown.querySelector("[data-left]");
    if (left > 0) said.textContent = words("free", lasting(left));
    else if (!shown.dataset.over) {
      shown.dataset.over = "yes";
      said.textContent = words("over");
      onEnd();
    }
  }, 1000);
}

export function pickTemplate(thread) {
  let asked = 0;
  const form = () => thread.querySelector("[data-ask-back]");

  async function preview() {
    if (!form()) return;
    for (const part of form().querySelectorAll("[data-slots]")) {
      const isChosen = part.dataset.slots === form().elements.template.value;
      part.hidden = part.disabled = !isChosen;
    }
    const said = new URLSearchParams([...new FormData(form())].filter(([name]) => /^(template$|slot\.)/.test(name)));
    const mine = ++asked;
    const answer = await fetch(`${form().dataset.askBack}?${said}`).catch(() => null);
    if (answer?.ok && mine === asked) form().querySelector("[data-preview]").innerHTML = await answer.text();
  }

  thread.addEventListener("input", (event) => { if (form()?.contains(event.target) && event.target.id !== "text") preview(); });
  preview();
  return preview;
}
