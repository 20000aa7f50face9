// The panel on the person beside the thread; its attributes are saved where they stand.

import { words } from "../words.js";

export function showContact() {
  const panel = document.getElementById("contact");

  async function load(address) {
    panel.dataset.from = address;
    const answer = await fetch(address).catch(() => null);
    if (!answer?.ok) return;
    panel.querySelector("[data-body]").innerHTML = await answer.text();
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-contact]");
    if (link && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      if (panel.hidden) load(link.dataset.contact);
      panel.hidden = !panel.hidden;
      (panel.hidden ? link : panel).focus();
    }
    if (event.target.closest("[data-contact-off]")) close();
  });
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });

  /** Whoever opened it goes on where they were. */
  function close() {
    panel.hidden = true;
    document.querySelector("[data-contact]")?.focus();
  }

  panel.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-in-place]")) return;
    event.preventDefault();
    delete form.dataset.sent;
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form) }).catch(() => null);
    if (answer?.ok) return load(panel.dataset.from);
    const told = answer && new DOMParser().parseFromString(await answer.text(), "text/html");
    const problem = told?.querySelector(".invalid-feedback, .alert-danger")?.textContent.trim();
    form.querySelector("[data-problem]").textContent = problem || words("notSaved");
  });
}
