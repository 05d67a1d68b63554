/**
 * Every text that scripts show. English stands in the code; another language's catalogue
 * (`static/words/LANGUAGE.js`, a script of its own before all modules) has the rest.
 *
 *   t("Orders start at {amount}.", { amount })     a text
 *   tn("One order", "{n} orders", count)           one or many
 *   heard(error.message)                           what the API said, which is always English
 */
const ENGLISH = { language: "en", plural: (n) => Number(n !== 1), heard: [], words: {} };
const catalogue = globalThis.fairbookWords ?? ENGLISH;
const PLACE = /\{(\w+)\}/g;

/** For dates with names of months. Numbers are written one way in every language. */
export const locale = { en: "en-GB" }[catalogue.language] ?? catalogue.language;

export function t(text, values = {}) {
  return filled(catalogue.words[text] ?? text, values);
}

export function tn(one, many, n, values = {}) {
  const forms = catalogue.words[one];
  const text = Array.isArray(forms) ? forms[catalogue.plural(n)] : n === 1 ? one : many;
  return filled(text, { n, ...values });
}

/** Translate a sentence by its English words: whole, or by the sentence with places that it fits. */
export function heard(text) {
  if (typeof text !== "string" || catalogue === ENGLISH) return text;
  if (catalogue.words[text] !== undefined) return t(text);
  for (const [pattern, names, sentence] of patterns()) {
    const values = pattern.exec(text)?.slice(1).map(heard);
    if (values) return t(sentence, Object.fromEntries(names.map((name, at) => [name, values[at]])));
  }
  return text;
}

function filled(text, values) {
  return text.replace(PLACE, (place, name) => String(values[name] ?? place));
}

let known = null;

/** The API's sentences with places, those that say most first: `{what} does not answer` fits too much. */
function patterns() {
  known ??= catalogue.heard
    .toSorted((a, b) => b.replace(PLACE, "").length - a.replace(PLACE, "").length)
    .map((sentence) => [fitting(sentence), [...sentence.matchAll(PLACE)].map(([, name]) => name), sentence]);
  return known;
}

function fitting(sentence) {
  const literal = sentence.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
  return new RegExp(`^${literal.join("(.+?)")}$`, "s");
}
