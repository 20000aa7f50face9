// A thread that is open: told anew whenever something in it changes, and everything that can be done in it.

import { offer } from "./thread/canned.js";
import { compose } from "./thread/composer.js";
import { showContact } from "./thread/contact.js";
import "./thread/keys.js";
import { takeFiles } from "./thread/files.js";
import { merge, parse, plain, token } from "./thread/regions.js";
import { countDown, pickTemplate, setClock } from "./thread/window.js";
import { away } from "./away.js";

const ASK_MS = 2000;
const PLACE_AGAIN_MS = 20_000;
const HERE_MS = 15_000;
const TYPING_MS = 3000;

const thread = document.querySelector("[data-thread]");
const composer = compose(thread);
const preview = pickTemplate(thread);
const region = (name) => thread.querySelector(`[data-region=${name}]`);
let etag = "";

function show(html) {
  const fresh = parse(html);
  for (const part of fresh.querySelectorAll("[data-region]")) {
    const shown = region(part.dataset.region);
    if (part.dataset.region === "timeline") keepOlder(shown, part);
    else if (part.dataset.region === "composer") swapComposer(shown, part);
    else if (plain(shown) !== plain(part)) shown.replaceWith(part);
  }
  composer.refreshed();
}

/** What slides out of the newest page stays above it, if the page before it is there. */
function keepOlder(shown, fresh) {
  const older = thread.querySelector("[data-older]");
  if (!older.hidden) {
    fresh.querySelector("#earlier")?.remove();
    const first = fresh.querySelector("article[id]")?.id;
    const gone = [...shown.children];
    const place = gone.findIndex((child) => child.id === first);
    if (place > 0) older.append(...gone.slice(0, place));
  }
  merge(shown, fresh);
}

/** Whatever was being written is carried over, or, where nothing can be written any more, left to be read. */
function swapComposer(shown, fresh) {
  if (shown.dataset.kind === fresh.dataset.kind) {
    const closes = fresh.querySelector("[data-closes]");
    const mine = shown.querySelector("[data-closes]");
    if (closes && mine) {
      mine.dataset.closes = closes.dataset.closes;
      setClock(closes.dataset.now);
    }
    return;
  }
  const text = shown.querySelector("#text")?.value ?? "";
  const box = fresh.querySelector("#text");
  if (text.trim() && !box) return;
  if (text && box) box.value = text;
  shown.replaceWith(fresh);
  composer.restore();
  preview();
}

async function ask() {
  const answer = await fetch(thread.dataset.still, { headers: etag ? { "If-None-Match": etag } : {}, redirect: "error" });
  if (answer.status === 401 || answer.status === 403) return location.reload();
  if (answer.status === 200) {
    etag = answer.headers.get("ETag") ?? "";
    show(await answer.text());
  } else if (answer.status !== 304) throw new Error(String(answer.status));
}

function follow() {
  let source = null;
  let timer = 0;

  function open() {
    clearTimeout(timer);
    source?.close();
    source = new EventSource(thread.dataset.flow);
    source.onmessage = (event) => { show(event.data); readUpTo(); away(false); };
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) asking(Date.now() + PLACE_AGAIN_MS);
      else away(true);
    };
    source.onopen = () => away(false);
  }

  /** Where there is no place to wait, ask; and after a while try for a place again. */
  async function asking(until) {
    try {
      await ask();
      away(false);
      await readUpTo();
    } catch {
      away(true);
    }
    timer = setTimeout(() => (Date.now() < until ? asking(until) : open()), ASK_MS);
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) source?.close();
    else open();
  });
  addEventListener("pagehide", () => source?.close());
  if (!document.hidden) open();
}

async function readUpTo() {
  const timeline = region("timeline");
  const isCalled = thread.querySelector(".memo.is-unseen");
  if (!(Number(timeline.dataset.unread) || isCalled) || document.hidden || !document.hasFocus()) return;
  const body = new URLSearchParams({ csrf_token: token(), last: timeline.dataset.newest, quietly: "yes" });
  await fetch(thread.dataset.read, { method: "POST", body }).catch(() => null);
  if (isCalled) dispatchEvent(new Event("mentions"));
}

function tellPresence() {
  let typedAt = 0;
  async function tell(more = {}) {
    const body = new URLSearchParams({ csrf_token: token(), ...more });
    const answer = await fetch(thread.dataset.presence, { method: "POST", body, keepalive: true }).catch(() => null);
    if (answer?.ok) setClock((await answer.json()).now);
  }
  thread.addEventListener("input", (event) => {
    if (event.target.id !== "text" || !event.target.value || Date.now() - typedAt < TYPING_MS) return;
    typedAt = Date.now();
    tell({ typing: "yes" });
  });
  setInterval(() => { if (!document.hidden) tell(Date.now() - typedAt < TYPING_MS ? { typing: "yes" } : {}); }, HERE_MS);
  addEventListener("pagehide", () => tell({ gone: "yes" }));
  tell();
}

/** Older messages come when the scrolling gets to the first of those that are here. */
function fetchOlder() {
  const older = thread.querySelector("[data-older]");
  const seen = new IntersectionObserver(async ([entry]) => {
    if (!entry.isIntersecting) return;
    const link = entry.target;
    seen.unobserve(link);
    const answer = await fetch(link.href).catch(() => null);
    if (!answer?.ok) return seen.observe(link);
    const page = parse(await answer.text()).querySelector("[data-region=timeline]");
    for (const other of page.querySelectorAll("#newest")) other.remove();
    const scroll = thread.querySelector(".scroll");
    const from = scroll.scrollHeight - scroll.scrollTop;
    link.closest("p").remove();
    older.hidden = false;
    older.prepend(...page.children);
    scroll.scrollTop = scroll.scrollHeight - from;
    watch();
  });
  const watch = () => { for (const link of thread.querySelectorAll("[data-earlier]")) seen.observe(link); };
  watch();
}

if (thread.dataset.flow) {
  follow();
  fetchOlder();
  readUpTo();
  addEventListener("focus", readUpTo);
}
tellPresence();
offer(thread);
takeFiles(thread);
showContact();
countDown(thread, () => ask().catch(() => away(true)));
document.getElementById(location.hash.slice(1))?.focus();
