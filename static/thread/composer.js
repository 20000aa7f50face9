// The reply box: what was written is shown at once, sent under one key however often it takes, and never lost.

import { parse } from "./regions.js";
import { words } from "../words.js";

const AGAIN_MS = 3000;

export function compose(thread) {
  const place = `backchat:draft:${thread.dataset.thread}`;
  const pending = new Map();
  const form = () => thread.querySelector("form[data-reply]");
  const box = () => thread.querySelector("#text:not([readonly])");
  const newest = () => thread.querySelector("[data-region=timeline]").dataset.newest;

  const hasNews = () => Number(newest()) > Number(form().elements.last.value)
    && Boolean(thread.querySelector(`#m${newest()}.bubble-in`));

  function keep() {
    const waiting = [...pending.values()][0];
    const kept = box()?.value ? { text: box().value, key: form()?.elements.key.value } : waiting;
    if (kept?.text) localStorage.setItem(place, JSON.stringify({ text: kept.text, key: kept.key }));
    else localStorage.removeItem(place);
  }

  function restore() {
    const kept = localStorage.getItem(place);
    if (!kept || !box() || box().value) return;
    const { text, key } = JSON.parse(kept);
    box().value = text;
    if (key && form()) form().elements.key.value = key; // sent already, it is not sent again
  }

  function say(text, ...buttons) {
    thread.querySelector("[data-said-back]")?.remove();
    if (!text) return;
    const line = document.createElement("p");
    line.dataset.saidBack = "";
    line.className = "said-back alert alert-warning";
    line.role = "alert";
    line.append(text, " ");
    for (const [label, act] of buttons) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-sm btn-outline-secondary";
      button.textContent = label;
      button.addEventListener("click", () => { say(""); act(); });
      line.append(button, " ");
    }
    form()?.prepend(line);
  }

  function bubble(text) {
    const shown = document.createElement("article");
    shown.className = "bubble bubble-out is-pending";
    shown.dataset.pending = "";
    const said = document.createElement("p");
    said.className = "said";
    said.dir = "auto";
    said.textContent = text;
    const meta = document.createElement("p");
    meta.className = "meta";
    meta.textContent = words("sending");
    shown.append(said, meta);
    thread.querySelector("[data-region=timeline]").append(shown);
    return shown;
  }

  async function post(action, body) {
    const answer = await fetch(action, { method: "POST", body, headers: { Accept: "application/json" } });
    if (answer.redirected || !answer.headers.get("Content-Type")?.includes("json")) {
      return { status: answer.status === 200 ? 401 : answer.status, told: {} };
    }
    return { status: answer.status, told: await answer.json() };
  }

  function empty(sent) {
    box().value = "";
    sent.elements.key.value = crypto.getRandomValues(new Uint32Array(4)).join("-").slice(0, 40);
    sent.elements.quotes.disabled = true;
    for (const button of sent.querySelectorAll("[name=button]")) button.value = "";
    for (const part of sent.querySelectorAll("[data-answering], .canned")) part.hidden = true;
    sent.querySelector(".quick").open = false;
  }

  /** What the server said no to goes back into the box, unless something else is being written there by now. */
  function putBack({ text, key }) {
    if (box() && !box().value) box().value = text;
    if (form()) form().elements.key.value = key;
    keep();
    box()?.focus();
  }

  function send(isSure = false) {
    const sent = form();
    if (!box().value.trim()) return;
    const other = thread.querySelector(".other.is-typing")?.textContent.trim();
    if (other && !isSure) {
      return say(words("somebodyTypes", other), [words("sendToo"), () => send(true)], [words("wait"), () => box().focus()]);
    }
    if (!isSure && hasNews()) {
      const seen = () => { sent.elements.last.value = newest(); };
      return say(words("news"),
        [words("sendAnyway"), () => { seen(); send(true); }], [words("lookFirst"), () => { seen(); box().focus(); }]);
    }
    const body = new FormData(sent);
    const one = { action: sent.action, body, text: box().value, key: body.get("key"), shown: bubble(box().value) };
    pending.set(one.key, one);
    empty(sent);
    say("");
    box().focus();
    deliver(one);
  }

  /** What the server has made of it; it stays until the thread is told with it in its place. */
  function settle(shown, html) {
    const sent = parse(html).querySelector("article");
    sent.dataset.pending = "";
    shown.replaceWith(sent);
  }

  async function deliver(one) {
    keep();
    let answer;
    try {
      answer = await post(one.action, one.body);
    } catch {
      answer = { status: 0, told: {} };
    }
    if (answer.status === 0 || answer.status >= 500) {
      one.shown.querySelector(".meta").textContent = words("notSentYet");
      setTimeout(() => deliver(one), AGAIN_MS); // under the same key: if it did arrive, it is one message
      return;
    }
    pending.delete(one.key);
    if (answer.status === 200) {
      if (document.getElementById(`m${answer.told.id}`)) one.shown.remove();
      else settle(one.shown, answer.told.shown);
      keep();
      return;
    }
    one.shown.remove();
    putBack(one);
    if (answer.told.newest) {
      say(answer.told.error, [words("sendAnyway"), () => { form().elements.last.value = answer.told.newest; send(true); }],
        [words("lookFirst"), () => { form().elements.last.value = answer.told.newest; box().focus(); }]);
    } else {
      say(answer.told.error ?? words("signedOut"));
    }
  }

  thread.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-reply]")) return;
    event.preventDefault();
    delete event.target.dataset.sent;
    send();
  });
  thread.addEventListener("input", (event) => { if (event.target.id === "text") keep(); });
  // Enter sends where there is a keyboard with a Shift beside it; on a phone it begins a line, as everywhere there.
  thread.addEventListener("keydown", (event) => {
    const isBare = !(event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || event.isComposing);
    if (event.key !== "Enter" || !isBare || event.target !== form()?.elements.text) return;
    if (!thread.querySelector("#canned").hidden || !matchMedia("(pointer: fine)").matches) return;
    event.preventDefault();
    form().requestSubmit();
  });
  thread.addEventListener("click", (event) => {
    const quote = event.target.closest("[data-quote]");
    if (quote) answerTo(quote.dataset.quote);
    if (event.target.closest("[data-answering-off]")) answerTo(null);
  });

  function answerTo(id) {
    const part = form()?.querySelector("[data-answering]");
    if (!part) return;
    part.hidden = !id;
    form().elements.quotes.disabled = !id;
    form().elements.quotes.value = id ?? "";
    const said = id && document.getElementById(`m${id}`)?.querySelector(".said, .kind");
    part.querySelector("[data-answering-words]").textContent = said ? said.textContent.trim().slice(0, 120) : "";
    box().focus();
  }

  restore();
  return {
    /** After the thread was told anew. Whoever is not writing has seen what is new; whoever is, is told. */
    refreshed() {
      for (const { key, shown } of pending.values()) { // it did arrive, though its answer was lost
        if (thread.querySelector(`[data-key="${CSS.escape(key)}"]`)) shown.remove();
      }
      const last = form()?.elements.last;
      if (!last) return;
      if (!box().value) last.value = newest();
      else if (hasNews() && !thread.querySelector("[data-said-back]")) say("A new message arrived while you are typing.");
    },
    restore,
  };
}
