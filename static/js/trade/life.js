/** An order's life: every station it passed, and the time between each. */
import { call } from "../lib/api.js";
import { $, closable, h, notice } from "../lib/dom.js";
import { heard, t } from "../lib/words.js";

const AGAIN_MS = 1000; // A life goes on: the ledger books a fill after the feed told of it.

let shownId = null;
let shownText = "";
let timer = 0;

export function startLife() {
  closable($("#life"));
  $("#life").addEventListener("close", stop);
}

export async function showLife({ id }) {
  stop();
  shownId = id;
  $("#life-body").replaceChildren(notice(t("Reading the journals…")));
  if (!$("#life").open) $("#life").showModal();
  await read(id);
}

function stop() {
  clearTimeout(timer);
  shownId = null;
  shownText = "";
}

/** Show the life as it is now, and again as it goes on, while somebody looks. */
async function read(id) {
  const body = $("#life-body");
  try {
    const life = await call("GET", `/api/v1/orders/${encodeURIComponent(id)}/life`);
    if (shownId !== id) return;
    const text = JSON.stringify(life);
    if (text !== shownText) body.replaceChildren(...draw(life));
    shownText = text;
    timer = setTimeout(read, AGAIN_MS, id);
  } catch (error) {
    const again = h("button", { type: "button", class: "button small", onclick: () => showLife({ id }) }, t("Try again"));
    if (shownId === id) body.replaceChildren(notice(t("Its life could not be read: {reason}", { reason: error.message }), again));
  }
}

function draw(life) {
  const stages = life.stages ?? life.steps ?? [];
  const timed = stages.filter((stage) => stage.at_ns);
  const parts = [h("dl", { class: "life-summary" }, ...summary(life, timed))];
  if (!stages.length) return [...parts, notice(t("Nothing is recorded yet. Try again in a moment."))];
  let before = null;
  const items = stages.map((stage) => {
    const item = station(stage, before);
    if (stage.at_ns) before = BigInt(stage.at_ns);
    return item;
  });
  return [...parts, h("ol", { class: "timeline" }, ...items)];
}

function summary(life, timed) {
  const whole = timed.length > 1 ? BigInt(timed.at(-1).at_ns) - BigInt(timed[0].at_ns) : null;
  const facts = [
    [t("Order"), `#${life.order_id ?? life.id ?? shownId}`],
    [t("Market"), life.market ?? "–"],
    [t("Start to end"), whole === null ? "–" : span(whole)],
  ];
  return facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)));
}

function station(stage, before) {
  const gap = stage.at_ns && before !== null ? `+ ${since(stage, before)}` : "";
  const facts = Object.entries(stage.facts ?? stage.details ?? {}).filter(([, value]) => value !== null && value !== "");
  return h(
    "li",
    { class: stage.at_ns ? undefined : "missing" },
    h("div", { class: "stage" }, h("span", {}, heard(stage.title ?? stage.stage)), h("span", { class: "gap" }, gap)),
    stage.what ? h("div", { class: "what" }, heard(stage.what)) : null,
    facts.length ? h("dl", { class: "facts" }, ...facts.flatMap(fact)) : null,
  );
}

/** The journal server's clock has no more than milliseconds: within one of them nothing is known. */
function since(stage, before) {
  const ns = BigInt(stage.at_ns) - before;
  return stage.stage === "journals" && ns >= 0n && ns < 1_000_000n ? "< 1 ms" : span(ns);
}

function fact([name, value]) {
  const lines = Array.isArray(value) ? value.map(leg) : [String(value)];
  return [h("dt", {}, heard(name.replaceAll("_", " "))), h("dd", {}, ...lines.map((line) => h("div", {}, line)))];
}

/** One leg of a ledger entry, in the smallest unit of its asset. */
function leg({ account, asset, minor }) {
  return `${account}  ${minor.startsWith("-") ? "" : "+"}${minor} ${asset}`;
}

/** Nanoseconds as a person reads them. */
export function span(ns) {
  const sign = ns < 0n ? "−" : "";
  const size = ns < 0n ? -ns : ns;
  if (size < 1_000n) return `${sign}${size} ns`;
  if (size < 1_000_000n) return `${sign}${tenths(size, 1_000n)} µs`;
  if (size < 1_000_000_000n) return `${sign}${tenths(size, 1_000_000n)} ms`;
  return `${sign}${tenths(size, 1_000_000_000n)} s`;
}

function tenths(value, unit) {
  const all = (value * 10n) / unit;
  return `${all / 10n}.${all % 10n}`;
}
