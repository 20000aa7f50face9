// Swaps the parts of a page that differ from what the server tells now, and leaves everything else as it is.

/** Make `shown` hold the children of `fresh`: what has the same id and the same markup is left as it is. */
export function merge(shown, fresh) {
  let place = shown.firstElementChild;
  for (const next of [...fresh.children]) {
    const known = next.id ? [...shown.children].find((child) => child.id === next.id) : null;
    if (known && alike(known, next)) {
      known.removeAttribute("data-pending");
      if (known === place) place = place.nextElementSibling;
      else shown.insertBefore(known, place);
      continue;
    }
    const wasFocused = known?.contains(document.activeElement);
    shown.insertBefore(next, place);
    if (known === place) place = place?.nextElementSibling ?? null;
    known?.remove();
    if (wasFocused) next.focus();
  }
  while (place) {
    const gone = place;
    place = place.nextElementSibling;
    if (!gone.hasAttribute("data-pending")) gone.remove();
  }
  for (const { name, value } of fresh.attributes) shown.setAttribute(name, value);
}

/** Tokens differ at each rendering, and so do menus that are open: no reason to swap what is under somebody's hand. */
export function plain(element) {
  const copy = element.cloneNode(true);
  for (const field of copy.querySelectorAll("[name=csrf_token], [name=key]")) field.remove();
  for (const menu of copy.querySelectorAll("details[open]")) menu.removeAttribute("open");
  return copy.innerHTML.trim();
}

const alike = (one, other) => one.className === other.className && plain(one) === plain(other);

export const parse = (html) => new DOMParser().parseFromString(html, "text/html");

export const token = () => document.querySelector("meta[name=csrf-token]").content;
