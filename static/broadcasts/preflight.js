// The launch button waits until the number is typed as it is shown: without this, the server refuses a wrong one.

const digits = (text) => text.replace(/[,\s\u202f]/g, "");

function judge(form) {
  const button = form.querySelector("button[type=submit]");
  const box = form.elements.people;
  if (!box || box.disabled) return;
  button.disabled = digits(box.value) !== form.dataset.launch;
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-launch]");
  if (form) judge(form);
});

// The form may come with the report, later than the page.
const judgeAll = () => document.querySelectorAll("form[data-launch]").forEach(judge);
new MutationObserver(judgeAll).observe(document.querySelector("main"), { childList: true, subtree: true });
judgeAll();
