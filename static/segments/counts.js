// Counts of segments by rule, fetched one after the other, so that a list of many does not ask the database all at once.
// Only of the page itself: the navigation's badges have a data-count of their own.

for (const place of document.querySelectorAll("#content [data-count]")) {
  await show(place, place.dataset.count);
  const exactly = place.querySelector("[data-exactly]");
  if (exactly) await show(place, exactly.href);
}

async function show(place, address) {
  try {
    const response = await fetch(address, { redirect: "error" });
    if (response.ok) place.innerHTML = await response.text();
  } catch {
    // the server is away for a moment: the link that is there counts by hand
  }
}
