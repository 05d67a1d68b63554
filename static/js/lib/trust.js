/** The trust bar: what the verifier last found, and how long your last order took. */
import { call } from "./api.js";
import { $, setText } from "./dom.js";
import { t } from "./words.js";

const EVERY_MS = 5000;
const LATE_S = 45;

let checkedAtMs = null;

export function startTrust() {
  poll();
  setInterval(poll, EVERY_MS);
  setInterval(showAge, 1000);
}

/** Show the time from the click to the engine's answer. */
export function showOrderTime(ms) {
  const line = part("order-line");
  line.hidden = false;
  setText(part("order"), ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`);
}

async function poll() {
  if (document.hidden) return;
  try {
    show(await call("GET", "/api/v1/trust"));
  } catch (error) {
    setState(error.status === 404 ? "waiting" : "late", t("no word from the verifier"));
  }
}

function show(trust) {
  if (trust.ok === null || trust.ok === undefined) {
    setState("waiting", t("not verified yet"));
    return;
  }
  // By the exchange's clock, so that a wrong clock here does not make the check look old.
  checkedAtMs = Date.now() - (trust.now_ms - trust.at_ms);
  const worst = Object.entries(trust.imbalance ?? {}).find(([, minor]) => minor !== "0");
  setText(part("imbalance"), worst ? `${worst[1]} ${worst[0]}` : "0");
  const seq = largest(Object.values(trust.seqs ?? {}));
  setText(part("seq"), seq === null ? "–" : `#${seq.toLocaleString("en-US")}`);
  setState(trust.ok ? "good" : "bad", trust.ok ? t("books tie") : t("books do not tie"));
  showAge();
  setText($("#figure-imbalance"), worst ? t("off by {amount}", { amount: `${worst[1]} ${worst[0]}` }) : t("off by 0"));
  if (seq !== null) setText($("#figure-seq"), `#${seq.toLocaleString("en-US")}`);
  document.dispatchEvent(new CustomEvent("trust", { detail: trust }));
}

function largest(seqs) {
  return seqs.length ? Math.max(...seqs.map(Number)) : null;
}

function showAge() {
  if (checkedAtMs === null) return;
  const seconds = Math.max(0, Math.round((Date.now() - checkedAtMs) / 1000));
  setText(part("age"), t(", {seconds} s ago", { seconds }));
  if (seconds > LATE_S && $("#trust").dataset.state === "good") setState("late", t("verifier is late"));
}

function setState(state, text) {
  $("#trust").dataset.state = state;
  setText(part("state"), text);
}

function part(name) {
  return $(`#trust [data-trust="${name}"]`);
}
