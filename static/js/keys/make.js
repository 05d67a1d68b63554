/** A new key: what it may do, who signs, and what is shown once. */
import { call } from "../lib/api.js";
import { $, $$, choice, closable, h, setText } from "../lib/dom.js";
import { withProof } from "../lib/stepup.js";
import { toast } from "../lib/toast.js";
import { offer } from "./accounts.js";
import { makePair, words } from "./pair.js";
import { heard, t } from "../lib/words.js";

const PATH = "/api/v1/account/keys";
const DAY_MS = 24 * 60 * 60 * 1000;
const HINTS = {
  pair: t("Ed25519. The private key is made in this browser and never leaves it: we keep only its public half."),
  public: t("Ed25519. Make the pair where you like, and give its public half here."),
  hmac: t("For clients that know nothing else. We make the secret and keep it, sealed."),
};

export function startMaking({ accounts, onMade }) {
  accounts.then(offer);
  const dialog = $("#make-dialog");
  const form = $("#make-form");
  closable(dialog);
  const kind = choice($("#kind"), showKind);
  showKind(kind.value);
  $("#new-key").addEventListener("click", () => {
    form.reset();
    kind.set("pair");
    fail("");
    dialog.showModal();
    $("#key-label").focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    make(form, kind.value, onMade);
  });
}

function showKind(kind) {
  setText($("#kind-hint"), HINTS[kind]);
  $("#public-field").hidden = kind !== "public";
}

async function make(form, kind, onMade) {
  const button = $("button[type=submit]", form);
  fail("");
  button.disabled = true;
  try {
    const pair = kind === "pair" ? await makePair() : null;
    const made = await withProof(() => call("POST", PATH, wanted(form, kind, pair)));
    $("#make-dialog").close();
    showMade(made, pair);
    await onMade();
  } catch (error) {
    fail(reason(error));
  } finally {
    button.disabled = false;
  }
}

function wanted(form, kind, pair) {
  const days = Number($("#expires").value);
  const account = $("#key-account").value;
  return {
    kind: kind === "hmac" ? "hmac" : "ed25519",
    ...(kind === "hmac" ? {} : { public_key: pair?.publicKey ?? $("#public-key").value.trim() }),
    ...(account ? { account: Number(account) } : {}),
    label: form.elements.label.value.trim(),
    can_trade: $("#can-trade").checked,
    can_withdraw: $("#can-withdraw").checked,
    networks: words($("#networks").value),
    markets: $$("input[name=markets]:checked", form).map((box) => box.value),
    expires_at: days ? new Date(Date.now() + days * DAY_MS).toISOString() : null,
  };
}

function reason(error) {
  const fields = Object.values(error.data?.fields ?? {}).flat();
  return fields.length ? fields.map(heard).join(" ") : error.message;
}

function fail(text) {
  const box = $("#make-error");
  setText(box, text);
  box.hidden = !text;
  if (text) box.scrollIntoView({ block: "nearest" });
}

/** Show what nobody will see again; the dialog closes by its one button only. */
function showMade(made, pair) {
  const dialog = $("#made-dialog");
  const secret = pair?.privateKey ?? made.secret;
  const close = () => {
    $("#made-body").replaceChildren(); // Nothing secret stays in the page.
    dialog.close();
  };
  $("#made-body").replaceChildren(
    secret ? h("p", { class: "once" }, pair ? PAIR_ONCE : SECRET_ONCE) : h("p", {}, t("Sign with the private key of your pair.")),
    shown(t("API key"), made.public_id, "made-key"),
    ...(secret ? [shown(pair ? t("Private key (PEM)") : t("Secret"), secret, "made-secret")] : []),
    h("div", { class: "dialog-actions" }, h("button", { type: "button", class: "button primary", onclick: close }, secret ? t("I have kept it") : t("Done"))),
  );
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.showModal();
}

const PAIR_ONCE = t("Keep the private key now. It was made in this browser, we do not have it, and it is shown once.");
const SECRET_ONCE = t("Keep the secret now. It is shown once, and nobody can show it again.");

function shown(name, value, id) {
  const copy = h("button", { type: "button", class: "button small", onclick: () => copyOf(name, value) }, t("Copy"));
  return h("div", { class: "made-word" }, h("div", {}, name, copy), h("pre", { class: "code", id }, value));
}

async function copyOf(name, value) {
  try {
    await navigator.clipboard.writeText(value);
    toast(t("{name} copied", { name }), "", "good");
  } catch {
    toast(t("Could not copy"), t("Select the text and copy it by hand."), "bad");
  }
}
