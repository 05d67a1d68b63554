/** Where a person stands: tier, limits, and what the next tiers ask for and bring. */
import { call } from "../lib/api.js";
import { $, h, setText } from "../lib/dom.js";
import { day, usd } from "./words.js";
import { heard, t } from "../lib/words.js";

export function startOverview({ onBegin, onRead }) {
  async function read() {
    try {
      const known = await call("GET", "/api/v1/kyc");
      showTier(known);
      showLimits(known.limits);
      showTiers(known, onBegin);
      await onRead(known);
    } catch (error) {
      const again = h("button", { type: "button", class: "button small", onclick: read }, t("Try again"));
      $("#tiers").replaceChildren(h("li", { class: "notice" }, error.message, again));
    }
    for (const place of ["#tiers", "#limits"]) $(place).setAttribute("aria-busy", "false");
  }
  return { read };
}

function showTier({ tier, tiers }) {
  const badge = $("#tier-badge");
  setText(badge, tier ? t("Tier {tier} · {name}", { tier, name: heard(tiers[tier - 1].name) }) : t("Not verified"));
  badge.className = tier ? "badge good" : "badge warn";
}

function showLimits(limits) {
  $("#limits").replaceChildren(
    meter(t("In 24 hours"), limits.day_used_cents, limits.day_cents),
    meter(t("In 30 days"), limits.month_used_cents, limits.month_cents),
  );
}

function meter(name, used, most) {
  const text = most === null ? t("No limit") : t("{left} left of {most}", { left: usd(most - used), most: usd(most) });
  const bar =
    most === null || Number(most) === 0
      ? null
      : h("meter", { min: "0", max: most, value: String(most - used), "aria-label": `${name}: ${text}` });
  return h("div", { class: "limit" }, h("span", { class: "muted" }, name), h("b", {}, text), bar);
}

function showTiers(known, onBegin) {
  $("#tiers").replaceChildren(...known.tiers.map((tier) => row(tier, known, onBegin)));
}

function row(tier, known, onBegin) {
  const asked = [...tier.questions, ...tier.papers].map((each) => heard(each.text));
  const products = [tier.spot && t("spot"), tier.perpetual && t("perpetuals"), tier.sub_accounts && t("sub-accounts")].filter(Boolean);
  return h(
    "li",
    { "data-tier": String(tier.tier), class: tier.tier <= known.tier ? "held" : undefined },
    h("div", { class: "tier-name" }, h("b", {}, `${tier.tier} ${heard(tier.name)}`), h("span", { class: "muted" }, t("decided in {time}", { time: heard(tier.clock) }))),
    h("div", { class: "tier-end" }, state(tier, known, onBegin)),
    h(
      "dl",
      {},
      fact(t("Withdraw a day"), usd(tier.day_cents)),
      fact(t("Withdraw in 30 days"), usd(tier.month_cents)),
      fact(t("Trade"), products.join(", ") || t("nothing")),
    ),
    h("details", {}, h("summary", {}, tier.tier > 1 ? t("Asks for more") : t("Asks for")), h("p", { class: "muted" }, asked.join(" · "))),
  );
}

function state(tier, known, onBegin) {
  const held = known.verifications.find((each) => each.tier === tier.tier);
  const open = known.open_application;
  if (open) return tier.tier === open.tier ? h("span", { class: "badge" }, t("Your application")) : null;
  const endsSoon = held?.valid_until && new Date(held.valid_until) - Date.now() < 60 * 86_400_000;
  const begin = (text, style = "") =>
    h("button", { type: "button", class: `button small ${style}`, onclick: () => onBegin(tier.tier), "data-begin": String(tier.tier) }, text);
  if (endsSoon) return begin(t("Renew before {day}", { day: day(held.valid_until) }), "primary");
  if (tier.tier <= known.tier) return h("span", { class: "badge good" }, held?.valid_until ? t("Until {day}", { day: day(held.valid_until) }) : t("Verified"));
  return begin(t("Apply"), tier.tier === known.tier + 1 ? "primary" : "");
}

function fact(name, value) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value));
}
