/** The demo: log in as anybody; kill a process and watch the exchange account for every order. */
import { call } from "./lib/api.js";
import { $, $$, setText } from "./lib/dom.js";
import { startShell } from "./lib/shell.js";
import { toastError } from "./lib/toast.js";
import { heard, t } from "./lib/words.js";

const POLL_MS = 250;
const PATIENCE = 40; // Polls in a row without an answer: the edge may be the one that waits.

startShell();
for (const button of $$("[data-log-in]")) button.addEventListener("click", () => logIn(button));
for (const button of $$("[data-kill]")) button.addEventListener("click", () => kill(button.dataset.kill));

async function logIn(button) {
  button.disabled = true;
  try {
    const answer = await call("POST", `/demo/login/${button.dataset.logIn}`);
    location.assign(answer.next);
  } catch (error) {
    toastError(t("Could not log in"), error);
    button.disabled = false;
  }
}

async function kill(target) {
  const card = $(`.kill[data-target="${target}"]`);
  setButtons(true);
  clear(card);
  say(card, "working", t("orders begin to flow…"));
  try {
    const { run } = await call("POST", `/demo/kill/${target}`);
    await follow(card, run);
  } catch (error) {
    say(card, "failed", error.message);
    toastError(t("The run could not start"), error);
  }
  setButtons(false);
}

/** Poll the record of the run; between two polls the clock runs by itself. */
async function follow(card, run) {
  const clock = new Clock(card);
  let silence = 0;
  for (;;) {
    try {
      const record = await call("GET", `/demo/runs/${run}`);
      silence = 0;
      show(card, record, clock);
      if (record.is_done) break;
    } catch (error) {
      silence += 1;
      if (silence > PATIENCE) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  clock.stop();
}

function show(card, record, clock) {
  const { phase } = record;
  if (phase === "killed") clock.start(record.at_s - record.killed_at_s);
  if (record.recovered_s !== undefined) clock.stop(record.recovered_s);
  const [state, text] = words(record);
  say(card, state, text);
  if (record.recovered_s !== undefined) put(card, "recovered", `${record.recovered_s.toFixed(2)} s`);
  if (record.placed !== undefined) put(card, "orders", String(record.placed));
  if (record.lost !== undefined) put(card, "lost", String(record.lost));
  if (record.doubled !== undefined) put(card, "doubled", String(record.doubled));
  if (record.books_tie !== undefined) put(card, "books", tie(record.books_tie));
}

function words(record) {
  const { phase, service, pid, placed, undecided } = record;
  const killed = t("{service} (pid {pid})", { service, pid });
  const isGood = record.lost === 0 && record.doubled === 0 && !undecided && record.books_tie !== false;
  switch (phase) {
    case "starting":
    case "steady":
      return ["working", t("orders flow, one every 150 ms…")];
    case "killed":
      return ["dead", t("{killed} is dead. Orders keep coming.", { killed })];
    case "trading":
      return ["good", t("{killed} was killed. Orders are acknowledged again.", { killed })];
    case "comparing":
      return ["good", t("asking for each of {placed} orders by its id…", { placed })];
    case "verifying":
      return [isGood ? "good" : "failed", t("waiting for the verifier to look at the books…")];
    case "verified":
    case "done":
      return [isGood ? "good" : "failed", t("killed {killed}; every order accounted for.", { killed })];
    default:
      return ["failed", heard(record.reason) ?? t("the run failed")];
  }
}

function tie(books) {
  if (books === null) return t("not verified yet");
  return books ? t("tie") : t("do not tie");
}

function say(card, state, text) {
  card.dataset.state = state;
  put(card, "phase", text);
}

function put(card, name, text) {
  setText($(`[data-run="${name}"]`, card), text);
}

function clear(card) {
  put(card, "clock", "0.00 s");
  for (const name of ["recovered", "orders", "lost", "doubled", "books"]) put(card, name, "–");
}

function setButtons(isBusy) {
  for (const button of $$("[data-kill]")) button.disabled = isBusy;
}

class Clock {
  constructor(card) {
    this.card = card;
    this.timer = null;
    this.isOver = false;
  }

  start(already) {
    if (this.timer || this.isOver) return;
    const zero = performance.now() - already * 1000;
    this.timer = setInterval(() => this.write((performance.now() - zero) / 1000), 40);
  }

  stop(seconds) {
    clearInterval(this.timer);
    this.timer = null;
    this.isOver = true;
    if (seconds !== undefined) this.write(seconds);
  }

  write(seconds) {
    put(this.card, "clock", `${seconds.toFixed(2)} s`);
  }
}
