/** The texts of scripts: English from the code, another language from its catalogue. */
import assert from "node:assert/strict";
import { test } from "node:test";

const GERMAN = {
  language: "de",
  plural: (n) => Number(n !== 1),
  heard: ["{what} does not answer at the moment.", "New orders wait: {reason}. Cancels pass."],
  words: {
    "{part} of {whole}": "{part} von {whole}",
    "Orders start at {value}.": "Orders beginnen bei {value}.",
    "One log-in ended": ["Eine Anmeldung beendet", "{n} Anmeldungen beendet"],
    "The history": "Der Verlauf",
    "{what} does not answer at the moment.": "{what} antwortet gerade nicht.",
    "New orders wait: {reason}. Cancels pass.": "Neue Orders warten: {reason}. Stornos gehen durch.",
    "Wait (a little).": "Warten Sie (ein wenig).",
  },
};

/** Load the module as a page of that language does: its catalogue is there before. */
async function loaded(catalogue) {
  globalThis.fairbookWords = catalogue;
  const module = await import(`../../static/js/lib/words.js?${catalogue?.language ?? "en"}`);
  delete globalThis.fairbookWords;
  return module;
}

test("English needs no catalogue, and the API's words pass as they are", async () => {
  const { t, tn, heard, locale } = await loaded(undefined);
  assert.equal(t("Orders start at {value}.", { value: "10.00 USDT" }), "Orders start at 10.00 USDT.");
  assert.equal(tn("One log-in ended", "{n} log-ins ended", 1), "One log-in ended");
  assert.equal(tn("One log-in ended", "{n} log-ins ended", 0), "0 log-ins ended");
  assert.equal(heard("The history"), "The history");
  assert.equal(locale, "en-GB");
});

test("a catalogue says it, with values as they were given", async () => {
  const { t, tn, locale } = await loaded(GERMAN);
  assert.equal(t("Orders start at {value}.", { value: "1,000.50 USDT" }), "Orders beginnen bei 1,000.50 USDT.");
  assert.equal(tn("One log-in ended", "{n} log-ins ended", 1), "Eine Anmeldung beendet");
  assert.equal(tn("One log-in ended", "{n} log-ins ended", 3), "3 Anmeldungen beendet");
  assert.equal(t("Nobody translated this."), "Nobody translated this.");
  assert.equal(locale, "de");
});

test("a refusal is translated by its English words, and so is what stands in its places", async () => {
  const { heard } = await loaded(GERMAN);
  assert.equal(heard("The history does not answer at the moment."), "Der Verlauf antwortet gerade nicht.");
  assert.equal(heard("New orders wait: a fault. Cancels pass."), "Neue Orders warten: a fault. Stornos gehen durch.");
  assert.equal(heard("Wait (a little)."), "Warten Sie (ein wenig).");
  assert.equal(heard("Something of our own."), "Something of our own.");
  assert.equal(heard(undefined), undefined);
});

test("a value that looks like a place stays a value", async () => {
  const { t } = await loaded(GERMAN);
  assert.equal(t("Orders start at {value}.", { value: "{value} $&" }), "Orders beginnen bei {value} $&.");
});
