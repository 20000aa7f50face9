// Files by drag and drop, or pasted: they land in the form of files, which sends as any form does.

export function takeFiles(thread) {
  const part = () => thread.querySelector(".filing");

  function take(files) {
    if (!files?.length || !part()) return false;
    part().open = true;
    const chosen = new DataTransfer();
    chosen.items.add(files[0]);
    part().querySelector("[type=file]").files = chosen.files;
    part().querySelector("[name=text]").focus();
    return true;
  }

  thread.addEventListener("dragover", (event) => {
    if (!part() || !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    thread.classList.add("is-dropping");
  });
  thread.addEventListener("dragleave", (event) => {
    if (!thread.contains(event.relatedTarget)) thread.classList.remove("is-dropping");
  });
  thread.addEventListener("drop", (event) => {
    thread.classList.remove("is-dropping");
    if (take(event.dataTransfer.files)) event.preventDefault();
  });
  thread.addEventListener("paste", (event) => { if (take(event.clipboardData?.files)) event.preventDefault(); });
}
