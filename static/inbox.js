// Keeps the inbox fresh: asks every two seconds while the page is looked at, and swaps only what has changed.

const EVERY_MS = 2000;
const AT_MOST_MS = 30000;

/** Make `shown` hold the children of `fresh`: what has the same id and the same markup is left as it is. */
function merge(shown, fresh) {
  let place = shown.firstElementChild;
  for (const next of [...fresh.children]) {
    const known = next.id ? [...shown.children].find((child) => child.id === next.id) : null;
    if (known && known.outerHTML === next.outerHTML) {
      if (known === place) place = place.nextElementSibling;
      else shown.insertBefore(known, place);
      continue;
    }
    const wasFocused = known?.contains(document.activeElement);
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

/** Two renderings of a form differ in their tokens alone: those are no reason to swap it under somebody's hand. */
const plain = (element) => {
  const copy = element.cloneNode(true);
  for (const field of copy.querySelectorAll("[name=csrf_token], [name=key]")) field.remove();
  return copy.innerHTML.trim();
};

function show(part, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const region of fresh.querySelectorAll("[data-region]")) {
    const shown = part.querySelector(`[data-region="${region.dataset.region}"]`);
    if (!shown) continue;
    if (region.dataset.region === "composer") {
      if (region.dataset.kind !== shown.dataset.kind && !holdsDraft(shown)) shown.replaceWith(region);
    } else if (region.firstElementChild?.id) {
      merge(shown, region);
    } else if (plain(shown) !== plain(region)) {
      shown.replaceWith(region);
    }
  }
}

const holdsDraft = (composer) => Boolean(composer.querySelector("textarea")?.value.trim());

function away(isAway) {
  const sign = document.querySelector(".away");
  if (!isAway) return sign?.remove();
  if (sign) return;
  const box = document.createElement("div");
  box.className = "away alert alert-warning";
  box.role = "status";
  box.textContent = "The connection is lost; trying again.";
  document.body.append(box);
}

async function readUpTo(part) {
  const timeline = part.querySelector("[data-region=timeline]");
  if (!part.dataset.read || !Number(timeline?.dataset.unread) || document.hidden || !document.hasFocus()) return;
  const body = new URLSearchParams({
    csrf_token: document.querySelector("meta[name=csrf-token]").content,
    last: timeline.dataset.newest,
    quietly: "yes",
  });
  await fetch(part.dataset.read, { method: "POST", body });
}

async function follow(part) {
  let etag = "";
  let wait = EVERY_MS;
  for (;;) {
    if (!document.hidden) {
      try {
        const headers = etag ? { "If-None-Match": etag } : {};
        const answer = await fetch(part.dataset.live, { headers, cache: "no-store", redirect: "error" });
        if (answer.status === 401) return location.reload();
        if (answer.status === 200) {
          show(part, await answer.text());
          etag = answer.headers.get("ETag") ?? "";
        } else if (answer.status !== 304) {
          throw new Error(String(answer.status));
        }
        wait = EVERY_MS;
        away(false);
        await readUpTo(part);
      } catch {
        wait = Math.min(wait * 2, AT_MOST_MS);
        away(true);
      }
    }
    await new Promise((done) => {
      const timer = setTimeout(done, wait);
      document.addEventListener("visibilitychange", () => { clearTimeout(timer); done(); }, { once: true });
    });
  }
}

for (const part of document.querySelectorAll("[data-live]")) follow(part);
