// Keeps the list of conversations fresh: it is pushed to, or asks every few seconds where there is no place to wait.
// Only what has changed is swapped, by ids, so that focus, ticks and scrolling stay. Counts windows down by the
// server's clock.

import { away } from "./away.js";
import { words } from "./words.js";

const ASK_MS = 3000;
const PLACE_AGAIN_MS = 20_000;
const HEARD_MS = 15_000; // the first word comes at once, unless something on the way keeps it back
const COUNT_MS = 15_000;
const SOON_MS = 2 * 3600 * 1000;
const AT_MOST_MS = 30_000;

/** Make `shown` hold the children of `fresh`: what has the same id and the same markup is left as it is. */
function merge(shown, fresh) {
  let place = shown.firstElementChild;
  for (const next of [...fresh.children]) {
    const known = next.id ? [...shown.children].find((child) => child.id === next.id) : null;
    const isSame = "same" in next.dataset; // only its place is told: it has not changed since the last word
    if (isSame && !known) continue;
    if (known && (isSame || (plain(known) === plain(next) && known.className === next.className))) {
      if (known === place) place = place.nextElementSibling;
      else shown.insertBefore(known, place);
      continue;
    }
    const wasFocused = known?.contains(document.activeElement);
    const tick = next.querySelector("[type=checkbox]");
    if (tick) tick.checked = Boolean(known?.querySelector("[type=checkbox]")?.checked);
    shown.insertBefore(next, place);
    if (known === place) place = place?.nextElementSibling ?? null;
    known?.remove();
    if (wasFocused) next.querySelector("a, button")?.focus();
  }
  while (place) {
    const gone = place;
    place = place.nextElementSibling;
    gone.remove();
  }
  for (const { name, value } of fresh.attributes) shown.setAttribute(name, value);
}

/** Two renderings differ in their tokens, and in what time has made of a countdown: those are no reason to swap. */
function plain(element) {
  const copy = element.cloneNode(true);
  for (const field of copy.querySelectorAll("[name=csrf_token], [data-left]")) field.remove();
  for (const left of copy.querySelectorAll(".left")) left.className = "left";
  return copy.innerHTML.trim();
}

const isBusy = (region) => region.contains(document.activeElement) && region.querySelector("details[open]");

function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const region of fresh.querySelectorAll("[data-region]")) {
    const shown = document.querySelector(`[data-region="${region.dataset.region}"]`);
    if (!shown) continue;
    if (region.firstElementChild?.id) merge(shown, region);
    else if (plain(shown) !== plain(region) && !isBusy(shown)) shown.replaceWith(region);
  }
  count();
}

function follow(part) {
  let source = null;
  let timer = 0;
  let etag = "";
  let wait = ASK_MS;

  function open() {
    clearTimeout(timer);
    source?.close();
    source = new EventSource(part.dataset.list);
    source.onmessage = (event) => {
      clearTimeout(timer);
      away(false);
      show(event.data);
    };
    timer = setTimeout(() => ask(Date.now() + 3 * PLACE_AGAIN_MS), HEARD_MS);
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) ask(Date.now() + PLACE_AGAIN_MS);
      else timer = setTimeout(() => ask(Date.now() + PLACE_AGAIN_MS), ASK_MS);
    };
  }

  async function ask(until) {
    clearTimeout(timer);
    source?.close();
    try {
      const headers = etag ? { "If-None-Match": etag } : {};
      const answer = await fetch(part.dataset.again, { headers, cache: "no-store", redirect: "error" });
      if (answer.status === 401 || answer.status === 403) return location.reload();
      if (answer.status === 200) {
        show(await answer.text());
        etag = answer.headers.get("ETag") ?? "";
      } else if (answer.status !== 304) {
        throw new Error(String(answer.status));
      }
      wait = ASK_MS;
      away(false);
    } catch {
      wait = Math.min(wait * 2, AT_MOST_MS);
      away(true);
    }
    if (!document.hidden) timer = setTimeout(() => (Date.now() < until ? ask(until) : open()), wait);
  }

  // A page nobody looks at needs no place.
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) source?.close();
    else open();
  });
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && open());
  if (!document.hidden) open();
}

const rows = () => document.querySelector("[data-region=rows]");
let ahead = 0; // of the server's clock, in ms

function left(ms) {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return words("underAMinute");
  return minutes < 60 ? words("minutes", minutes) : words("hours", Math.floor(minutes / 60), minutes % 60);
}

function count() {
  for (const each of document.querySelectorAll(".rows [data-until]")) {
    const ms = Date.parse(each.dataset.until) - (Date.now() - ahead);
    each.classList.toggle("is-soon", ms > 0 && ms < SOON_MS);
    each.classList.toggle("is-over", ms <= 0);
    each.querySelector("[data-left]").textContent = ms > 0 ? left(ms) : words("windowClosed");
  }
}

const began = performance.getEntriesByType("navigation")[0]?.responseStart ?? 0;
if (rows()) ahead = performance.timeOrigin + began - Date.parse(rows().dataset.now);

count();
setInterval(count, COUNT_MS);
for (const part of document.querySelectorAll("[data-list]")) follow(part);

// A menu that would stand beyond the edge opens towards the middle.
const turn = ({ target }) => {
  if (!target.matches(".work-more[open]")) return;
  target.classList.remove("is-at-end");
  const { right } = target.querySelector("form").getBoundingClientRect();
  target.classList.toggle("is-at-end", right > document.documentElement.clientWidth);
};
document.addEventListener("toggle", turn, true);

// What cannot be undone any more is not offered.
const undo = document.querySelector("[data-undo]");
if (undo) setTimeout(() => undo.remove(), 60_000);
