/** The keys there are, and the end of one. */
import { call } from "../lib/api.js";
import { $, closable, h, moment, notice, setText } from "../lib/dom.js";
import { toast } from "../lib/toast.js";
import { t } from "../lib/words.js";

const PATH = "/api/v1/account/keys";
const KINDS = { ed25519: "Ed25519", hmac: "HMAC" };

export function startList({ accounts }) {
  const dialog = $("#revoke-dialog");
  closable(dialog);
  let chosen = null;
  $("#revoke-yes").addEventListener("click", () => revoke(dialog, chosen, read));
  const ask = (key) => {
    chosen = key;
    setText($("#revoke-text"), t("“{name}” stops at once, everywhere: requests, streams, all that it opened.", { name: nameOf(key) }));
    $("#revoke-error").hidden = true;
    dialog.showModal();
  };

  async function read() {
    const root = $("#keys");
    try {
      show(root, await call("GET", PATH), await accounts, ask);
    } catch (error) {
      root.replaceChildren(h("li", { class: "notice" }, error.message, retry(read)));
    }
    root.setAttribute("aria-busy", "false");
  }

  read();
  return { read };
}

function retry(read) {
  return h("button", { type: "button", class: "button small", onclick: read }, t("Try again"));
}

function show(root, keys, accounts, ask) {
  setText($("#key-count"), keys.length ? String(keys.length) : "");
  const rows = keys.map((key) => row(key, accounts, ask));
  root.replaceChildren(...(rows.length ? rows : [h("li", {}, notice(t("No keys yet. A program needs one to trade for you.")))]));
}

function row(key, accounts, ask) {
  const revoke = h(
    "button",
    { type: "button", class: "button small danger", onclick: () => ask(key), "aria-label": t("Revoke {name}", { name: nameOf(key) }) },
    t("Revoke"),
  );
  return h(
    "li",
    { "data-key": key.public_id },
    h("div", { class: "key-name" }, h("b", {}, nameOf(key)), h("span", { class: "badge" }, KINDS[key.kind] ?? key.kind), ...scopes(key)),
    h("div", { class: "key-actions" }, revoke),
    h(
      "dl",
      { class: "key-facts" },
      fact(t("Key"), key.public_id, "wide mono"),
      fact(t("Used from"), key.networks.join(", ") || t("everywhere"), key.networks.length > 2 ? "wide mono" : ""),
      fact(t("Markets"), key.markets.join(", ") || t("all")),
      fact(t("Last use"), lastUse(key)),
      fact(t("Ends"), key.expires_at ? day(key.expires_at) : t("when revoked")),
      fact(t("Made"), day(key.created_at)),
      accounts.size ? fact(t("Account"), accounts.get(key.account) ?? String(key.account)) : null,
    ),
  );
}

function fact(name, value, style = "") {
  return h("div", { class: style.includes("wide") ? "wide" : undefined }, h("dt", {}, name), h("dd", { class: style || undefined }, value));
}

function scopes(key) {
  return [
    h("span", { class: "badge" }, t("read")),
    key.can_trade ? h("span", { class: "badge good" }, t("trade")) : null,
    key.can_withdraw ? h("span", { class: "badge warn" }, t("withdraw")) : null,
  ].filter(Boolean);
}

function lastUse(key) {
  if (!key.last_used_at) return t("never");
  const at = moment(Date.parse(key.last_used_at));
  return key.last_used_address ? t("{at} from {address}", { at, address: key.last_used_address }) : at;
}

function day(iso) {
  return iso.slice(0, 10);
}

export function nameOf(key) {
  return key.label || `${key.public_id.slice(0, 8)}…`;
}

async function revoke(dialog, key, read) {
  const button = $("#revoke-yes");
  button.disabled = true;
  try {
    await call("DELETE", `${PATH}/${key.public_id}`);
    dialog.close();
    toast(t("Key revoked"), t("“{name}” opens nothing any more.", { name: nameOf(key) }), "good");
    await read();
  } catch (error) {
    setText($("#revoke-error"), error.message);
    $("#revoke-error").hidden = false;
  } finally {
    button.disabled = false;
  }
}
