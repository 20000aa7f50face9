// Keeps a part of a page up to date without a reload: <div data-stream="address" data-ask="address" data-say="id">.
// It is pushed to from the first address; where there is no place to wait, the second is asked every few seconds.
// Only what differs is touched, so that focus, selection and scrolling stay. What the new part says of itself
// (data-said on its first element) is told to screen readers now and then, in the element that data-say names.

const ASK_MS = 3000;
const PLACE_AGAIN_MS = 20_000;
const SAY_MS = 15_000;
const HEARD_MS = 15_000; // the first word comes at once, unless something on the way keeps it back
const OURS = new Set(["open", "data-sent"]); // what people and other scripts set, and no answer knows of

for (const place of document.querySelectorAll("[data-stream]")) watch(place);

function watch(place) {
  let source = null;
  let timer = 0;
  let saidAt = Date.now();
  let before = place.querySelector("[data-said]")?.dataset.said ?? "";

  function open() {
    clearTimeout(timer);
    source?.close();
    source = new EventSource(place.dataset.stream);
    source.onmessage = (event) => {
      clearTimeout(timer);
      show(event.data);
    };
    timer = setTimeout(() => ask(Date.now() + 3 * PLACE_AGAIN_MS), HEARD_MS);
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) ask(Date.now() + PLACE_AGAIN_MS);
    };
  }

  async function ask(until) {
    clearTimeout(timer);
    source?.close();
    try {
      const answer = await fetch(place.dataset.ask, { headers: { Accept: "text/html" } });
      if (answer.status === 401 || answer.status === 403) return location.reload();
      if (answer.ok) show(await answer.text());
    } catch {
      // the server is away for a moment: ask again later
    }
    if (!document.hidden) timer = setTimeout(() => (Date.now() < until ? ask(until) : open()), ASK_MS);
  }

  function show(html) {
    const told = document.createElement(place.tagName);
    told.innerHTML = html;
    children(place, told);
    say(place.querySelector("[data-said]")?.dataset.said);
  }

  // At once when the word before the colon is another, the state that is; numbers alone not every second.
  function say(words) {
    const voice = document.getElementById(place.dataset.say);
    if (!words || !voice || words === voice.textContent) return;
    const isSame = words.split(":")[0] === before.split(":")[0];
    if (isSame && Date.now() - saidAt < SAY_MS) return;
    before = words;
    saidAt = Date.now();
    voice.textContent = words;
  }

  // A page nobody looks at needs no place.
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) source?.close();
    else open();
  });
  addEventListener("pagehide", () => source?.close());
  if (!document.hidden) open();
}

function children(old, fresh) {
  const wanted = [...fresh.childNodes];
  const there = [...old.childNodes];
  wanted.forEach((node, at) => {
    const mine = there[at];
    if (!mine) old.append(node);
    else if (mine.nodeType !== node.nodeType || mine.nodeName !== node.nodeName || mine.id !== node.id) mine.replaceWith(node);
    else if (mine instanceof Element) element(mine, node);
    else if (mine.nodeValue !== node.nodeValue) mine.nodeValue = node.nodeValue;
  });
  there.slice(wanted.length).forEach((node) => node.remove());
}

function element(old, fresh) {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !OURS.has(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value && !OURS.has(name)) old.setAttribute(name, value);
  children(old, fresh);
}
