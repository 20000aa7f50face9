// Says on the page that the server is not heard of at the moment.

import { words } from "./words.js";

export function away(isAway) {
  const sign = document.querySelector(".away");
  if (!isAway) return sign?.remove();
  if (sign) return;
  const box = document.createElement("div");
  box.className = "away alert alert-warning";
  box.role = "status";
  box.textContent = words("lost");
  document.body.append(box);
}
