// The phone: three screens kept in the address (#/person/number), filled from the control API, live by events.

const TICKS = { accepted: "…", sent: "✓", delivered: "✓✓", read: "✓✓", failed: "!" };
const SAMPLES = [
  ["location", "Location"], ["image", "Photo"], ["voice_note", "Voice note"], ["video", "Video"],
  ["document", "Document"], ["sticker", "Sticker"], ["contacts", "Contact card"], ["order", "Order"],
  ["reaction", "Thumb up on the last message"], ["unsupported", "Something unsupported"],
];
const REPLIES = {
  quick_reply: (button) => ({ type: "button", content: { payload: button.id, text: button.text } }),
  reply: (button) => ({ type: "button_reply", content: { id: button.id, title: button.text } }),
  location: () => ({ type: "location" }),
  contact: () => ({ type: "contacts" }),
  flow: () => ({ type: "nfm_reply" }),
};

const find = (id) => document.getElementById(id);
let person = null;
let number = null;
let events = null;
let shown = "";
let typing = 0;

function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children.filter((child) => child !== null && child !== ""));
  return node;
}

async function ask(name, query) {
  const answer = await fetch(`/_control/${name}?${new URLSearchParams(query ?? {})}`);
  return read(answer);
}

async function tell(name, body) {
  return read(await fetch(`/_control/${name}`, { method: "POST", body: JSON.stringify(body) }));
}

async function read(answer) {
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error);
  return body;
}

function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function row(href, name, line, side = []) {
  const face = make("span", { className: "face", ariaHidden: "true" }, (name || "?").trim().charAt(0).toUpperCase());
  return make("li", {}, make("a", { href }, face, make("b", {}, name), make("small", {}, line), ...side));
}

function display(screen) {
  for (const id of ["people", "chats", "thread"]) find(id).hidden = id !== screen;
}

async function showPeople() {
  const { people } = await ask("people");
  const rows = people.map((one) =>
    row(`#/${encodeURIComponent(one.address)}`, one.name, one.phone ? `+${one.phone}` : `@${one.username || one.address}`));
  find("people-list").replaceChildren(...rows.length ? rows : [make("li", { className: "empty" }, "Nobody yet. Make somebody up below: any number with + will do.")]);
  display("people");
}

async function showChats() {
  const [{ people, numbers }, chats] = await Promise.all([ask("people"), ask("chats", { person })]);
  const name = people.find((one) => one.address === person)?.name ?? person;
  find("chats-title").textContent = name;
  document.title = `${name} · simulated phone`;
  const href = (id) => `#/${encodeURIComponent(person)}/${encodeURIComponent(id)}`;
  const known = new Set(chats.map((chat) => chat.number_id));
  const rows = chats.map((chat) => row(href(chat.number_id), chat.business, lastLine(chat.last), [
    make("time", {}, clock(chat.time)),
    ...chat.unread ? [make("span", { className: "count" }, String(chat.unread))] : [],
  ]));
  const rest = numbers.filter((one) => !known.has(one.id)).map((one) => row(href(one.id), one.name, one.phone));
  find("chat-list").replaceChildren(...rows, ...rest);
  display("chats");
}

function lastLine(item) {
  const text = item.text || item.header || `(${item.media?.kind ?? item.kind})`;
  return item.side === "person" ? `You: ${text}` : text;
}

async function showThread() {
  const chat = await ask("chat", { person, number_id: number });
  find("thread-title").textContent = chat.business;
  clearTimeout(typing);
  if (chat.typing_ms) typing = setTimeout(refresh, chat.typing_ms + 50);
  find("window").textContent = chat.typing_ms ? "typing…" : chat.window_open ? "may write freely to you" : "may send you templates only";
  find("thread-back").href = `#/${encodeURIComponent(person)}`;
  const state = JSON.stringify(chat.items);
  if (state !== shown) {
    const list = find("bubbles");
    const atEnd = !shown || list.scrollHeight - list.scrollTop - list.clientHeight < 80;
    const texts = new Map(chat.items.map((item) => [item.id, lastLine(item)]));
    list.replaceChildren(...chat.items.map((item) => bubble(item, texts)));
    display("thread");
    const toEnd = () => { list.scrollTop = list.scrollHeight; };
    if (atEnd) {
      toEnd();
      for (const picture of list.querySelectorAll("img")) picture.addEventListener("load", toEnd);
    }
    shown = state;
  }
  display("thread");
  await tell("open", { person, number_id: number });
}

function bubble(item, texts) {
  const quoted = item.reply_to && texts.get(item.reply_to);
  const ticks = make("span", { className: `ticks ${item.level}`, title: item.level ?? "" }, TICKS[item.level] ?? "");
  const body = make("div", { className: "body" },
    item.kind === "template" ? make("span", { className: "kind" }, `template ${item.name}`) : null,
    quoted ? make("div", { className: "quote" }, quoted) : null,
    item.media ? media(item.media) : null,
    item.header ? make("strong", {}, item.header) : null,
    make("p", { className: "text" }, item.text ?? ""),
    item.footer ? make("p", { className: "footer" }, item.footer) : null,
    make("span", { className: "meta" }, clock(item.time), item.level ? ticks : null),
    item.error ? make("span", { className: "failed" }, item.error) : null);
  const buttons = (item.buttons ?? []).flatMap((button) => buttonsOf(button, item));
  const actions = buttons.length ? make("div", { className: "buttons" }, ...buttons) : null;
  return make("li", { className: `bubble ${item.side}` }, body, actions);
}

function media(one) {
  if (one.kind === "image" || one.kind === "sticker") return make("img", { src: one.source, alt: one.kind });
  return make("a", { href: one.source, target: "_blank", rel: "noopener" }, `▤ ${one.name}`);
}

function buttonsOf(button, item) {
  if (button.kind === "list") {
    return button.rows.map((one) => tapped(one.title, one.description, {
      type: "list_reply", content: { id: one.id, title: one.title, description: one.description ?? "" },
    }, item));
  }
  if (button.kind === "url" && /^https?:/.test(button.url ?? "")) {
    return [make("a", { href: button.url, target: "_blank", rel: "noopener" }, `↗ ${button.text}`)];
  }
  const reply = REPLIES[button.kind];
  return [reply ? tapped(button.text, "", reply(button), item) : make("button", { type: "button", disabled: true }, button.text)];
}

function tapped(text, description, message, item) {
  const onclick = () => send({ ...message, reply_to: item.id });
  return make("button", { type: "button", onclick }, text, description ? make("small", {}, description) : null);
}

async function send(message) {
  const problem = find("thread-problem");
  problem.textContent = "";
  const delay_ms = Number(find("composer").elements.delay_ms.value);
  const who = /^[A-Z]{2}\./.test(person) ? { user_id: person } : { from: person };
  try {
    const { statuses } = await tell("inbound", { ...message, ...who, number_id: number, delay_ms });
    const refused = statuses.find((status) => status !== 200);
    if (refused !== undefined) {
      problem.textContent = refused ? `The business answered ${refused}; it is tried again.` : "The business is away; it is tried again.";
    }
  } catch (error) {
    problem.textContent = error.message;
  }
  refresh();
}

function listen() {
  events?.close();
  events = person ? new EventSource(`/_control/events?person=${encodeURIComponent(person)}`) : null;
  if (events) events.onmessage = refreshSoon;
}

let waiting = 0;
function refreshSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(refresh, 60);
}

async function refresh() {
  try {
    await (number ? showThread() : person ? showChats() : showPeople());
  } catch (error) {
    find("thread-problem").textContent = error.message;
  }
}

function follow() {
  const [, who = "", which = ""] = location.hash.split("/").map(decodeURIComponent);
  const changed = who !== person;
  [person, number, shown] = [who, which, ""];
  if (changed) listen();
  refresh();
}

find("person-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const problem = form.querySelector(".problem");
  problem.textContent = "";
  const given = Object.fromEntries(new FormData(form));
  try {
    const made = await tell("person", { ...given, hide_phone: form.elements.hide_phone.checked });
    form.reset();
    location.hash = `#/${encodeURIComponent(made.address)}`;
  } catch (error) {
    problem.textContent = error.message;
  }
});

find("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const box = event.target.elements.text;
  if (box.value.trim()) send({ type: "text", text: box.value });
  box.value = "";
});

find("samples").append(...SAMPLES.map(([type, label]) => make("button", {
  type: "button",
  onclick: () => {
    find("samples").parentElement.open = false;
    const last = JSON.parse(shown || "[]").filter((item) => item.side === "business").at(-1)?.id;
    send(type === "reaction" ? { type, content: { message_id: last ?? "wamid.unknown" } } : { type });
  },
}, label)));

window.addEventListener("hashchange", follow);
follow();
