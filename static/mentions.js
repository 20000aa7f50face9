// How often one was called by name and has not looked yet, beside the inbox in the navigation; asked for now and then.

const ASK_MS = 10_000;
const badge = document.querySelector("[data-mentions]");

async function ask() {
  if (document.hidden) return;
  const answer = await fetch(badge.dataset.mentions, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return;
  const { count } = await answer.json();
  for (const shown of document.querySelectorAll("[data-mentions], [data-mentions-too]")) {
    shown.hidden = !count;
    shown.querySelector("[data-count]").textContent = count;
  }
}

if (badge) {
  setInterval(ask, ASK_MS);
  for (const cause of ["focus", "mentions"]) addEventListener(cause, ask);
  document.addEventListener("visibilitychange", ask);
}
