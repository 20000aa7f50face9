// The drop area of the import form. Without this, the file field itself is there: browsers take files dropped on it.

const drop = document.querySelector("[data-drop]");
const field = drop.querySelector("input[type=file]");
const list = document.querySelector("[data-files]");
const template = document.querySelector("[data-file]");
const form = drop.closest("form");

drop.classList.add("drop-scripted");
field.addEventListener("change", show);
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    drop.classList.add("drop-over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) drop.classList.remove("drop-over");
});
document.addEventListener("drop", (event) => {
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  drop.classList.remove("drop-over");
  put([...field.files, ...event.dataTransfer.files]);
});

function put(files) {
  const held = new DataTransfer();
  const seen = new Set();
  for (const file of files) {
    const key = `${file.name}/${file.size}/${file.lastModified}`;
    if (!seen.has(key)) held.items.add(file);
    seen.add(key);
  }
  field.files = held.files;
  show();
}

function show() {
  const files = [...field.files];
  list.replaceChildren(...files.map((file, place) => {
    const item = template.content.cloneNode(true);
    item.querySelector("[data-name]").textContent = file.name;
    item.querySelector("[data-size]").textContent = sized(file.size);
    const button = item.querySelector("button");
    button.setAttribute("aria-label", button.dataset.label.replace("{}", () => file.name));
    button.addEventListener("click", () => {
      put(files.filter((_, other) => other !== place));
      field.focus();
    });
    return item;
  }));
}

function sized(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  const kilo = bytes / 1024;
  return kilo < 1024 ? `${kilo.toFixed(0)} KiB` : `${(kilo / 1024).toFixed(1)} MiB`;
}

// While the files travel the button says so; a page that comes back from the browser's memory has not been sent.
form.addEventListener("submit", () => { form.querySelector("[data-sending]").hidden = false; });
window.addEventListener("pageshow", () => {
  form.querySelector("[data-sending]").hidden = true;
  show();
});
