// Keeps the moving part of a page up to date: <div data-live="address" data-every="ms">. Without this, reload by hand.
// When the part's data-state changes, other buttons fit: the page is loaded anew. A part with data-done moves no more.

for (const place of document.querySelectorAll("[data-live]")) watch(place);

function watch(place) {
  const every = Number(place.dataset.every || 1500);
  const state = () => place.querySelector("[data-state]")?.dataset.state;
  const done = () => Boolean(place.querySelector("[data-done]"));

  async function look() {
    if (!document.hidden) {
      try {
        const answer = await fetch(place.dataset.live, { headers: { Accept: "text/html" } });
        if (answer.status === 401 || answer.status === 403) return location.reload();
        if (answer.ok) {
          const before = state();
          place.innerHTML = await answer.text();
          if (before !== undefined && state() !== before) return location.reload();
        }
      } catch {
        // the server is away for a moment: look again later
      }
    }
    if (!done()) setTimeout(look, every);
  }

  if (!done()) setTimeout(look, place.dataset.first === "now" ? 0 : every);
}
