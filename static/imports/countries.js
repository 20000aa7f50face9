// Says countries by name, in the reader's own language: <select data-countries>. Without this, by their two letters.

const names = new Intl.DisplayNames([navigator.language, "en"], { type: "region" });

for (const place of document.querySelectorAll("[data-country]")) place.textContent = named(place.dataset.country);

for (const select of document.querySelectorAll("[data-countries]")) {
  const chosen = select.value;
  const [none, ...options] = select.options;
  for (const option of options) option.text = `${named(option.value)} (${option.text})`;
  options.sort((one, other) => one.text.localeCompare(other.text));
  select.replaceChildren(none, ...options);
  select.value = chosen;
}

function named(region) {
  try {
    return names.of(region) ?? region;
  } catch {
    return region;
  }
}
