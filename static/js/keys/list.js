/** The keys there are, and the end of one. */
import { call } from "../lib/api.js";
import { $, closable, h, moment, notice, setText } from "../lib/dom.js";
import { toast } from "../lib/toast.js";

const PATH = "/api/v1/account/keys";
const KINDS = { ed25519: "Ed25519", hmac: "HMAC" };

export function startList({ accounts }) {
  const dialog = $("#revoke-dialog");
  closable(dialog);
  let chosen = null;
  $("#revoke-yes").addEventListener("click", () => revoke(dialog, chosen, read));
  const ask = (key) => {
    chosen = key;
    setText($("#revoke-text"), `“${nameOf(key)}” stops at once, everywhere: requests, streams, all that it opened.`);
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
  return h("button", { type: "button", class: "button small", onclick: read }, "Try again");
}

function show(root, keys, accounts, ask) {
  setText($("#key-count"), keys.length ? String(keys.length) : "");
  const rows = keys.map((key) => row(key, accounts, ask));
  root.replaceChildren(...(rows.length ? rows : [h("li", {}, notice("No keys yet. A program needs one to trade for you."))]));
}

function row(key, accounts, ask) {
  const revoke = h(
    "button",
    { type: "button", class: "button small danger", onclick: () => ask(key), "aria-label": `Revoke ${nameOf(key)}` },
    "Revoke",
  );
  return h(
    "li",
    { "data-key": key.public_id },
    h("div", { class: "key-name" }, h("b", {}, nameOf(key)), h("span", { class: "badge" }, KINDS[key.kind] ?? key.kind), ...scopes(key)),
    h("div", { class: "key-actions" }, revoke),
    h(
      "dl",
      { class: "key-facts" },
      fact("Key", key.public_id, "wide mono"),
      fact("Used from", key.networks.join(", ") || "everywhere", key.networks.length > 2 ? "wide mono" : ""),
      fact("Markets", key.markets.join(", ") || "all"),
      fact("Last use", lastUse(key)),
      fact("Ends", key.expires_at ? day(key.expires_at) : "when revoked"),
      fact("Made", day(key.created_at)),
      accounts.size ? fact("Account", accounts.get(key.account) ?? String(key.account)) : null,
    ),
  );
}

function fact(name, value, style = "") {
  return h("div", { class: style.includes("wide") ? "wide" : undefined }, h("dt", {}, name), h("dd", { class: style || undefined }, value));
}

function scopes(key) {
  return [
    h("span", { class: "badge" }, "read"),
    key.can_trade ? h("span", { class: "badge good" }, "trade") : null,
    key.can_withdraw ? h("span", { class: "badge warn" }, "withdraw") : null,
  ].filter(Boolean);
}

function lastUse(key) {
  if (!key.last_used_at) return "never";
  const from = key.last_used_address ? ` from ${key.last_used_address}` : "";
  return `${moment(Date.parse(key.last_used_at))}${from}`;
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
    toast("Key revoked", `“${nameOf(key)}” opens nothing any more.`, "good");
    await read();
  } catch (error) {
    setText($("#revoke-error"), error.message);
    $("#revoke-error").hidden = false;
  } finally {
    button.disabled = false;
  }
}
