// What scripts say: the page holds it in its reader's language, as data of <template id="words">.

const told = document.getElementById("words").dataset;

/** The text of that name; each {} in it makes way for a value. */
export function words(name, ...values) {
  return values.reduce((text, value) => text.replace("{}", () => value), told[name]);
}
