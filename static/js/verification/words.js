/** Money, dates and states as people read them. */
import { locale, t } from "../lib/words.js";

const USD = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", minimumFractionDigits: 0 });
const DAY = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });

export function usd(cents) {
  return cents === null ? t("No limit") : USD.format(Number(cents) / 100);
}

export function day(iso) {
  return DAY.format(new Date(iso));
}

/** What a state means for the person: its name, the kind of its badge, and a sentence. */
export const STATES = {
  draft: [t("Draft"), "", t("Answer what is asked, add your papers, and submit.")],
  submitted: [t("Submitted"), "", t("We are checking what you sent. This page tells you when it is done.")],
  checking: [t("Checking"), "", t("We are checking what you sent. This page tells you when it is done.")],
  passed: [t("In review"), "", t("The checks are through. A person decides now, and a second one agrees.")],
  referred: [t("In review"), "", t("A person will look at what you sent.")],
  in_review: [t("In review"), "", t("A person is looking at what you sent.")],
  more_wanted: [t("We need more"), "warn", t("Please change what is named below, and submit again.")],
  approved: [t("Approved"), "good", t("You are verified.")],
  refused: [t("Not approved"), "bad", t("We cannot approve this application.")],
  withdrawn: [t("Withdrawn"), "", t("You withdrew this application.")],
  expired: [t("Expired"), "", t("This application was not finished in time.")],
};

export const REASONS = {
  does_not_match: t("The papers do not say what you told us."),
  document_expired: t("The ID is no longer valid."),
  reported_lost: t("The ID was reported as lost."),
  proof_too_old: t("The proof of address is older than three months."),
  not_alive: t("The selfie does not show a living person."),
  unreadable: t("A picture cannot be read."),
  wrong_paper: t("A paper is not what was asked for."),
  explain_funds: t("Please tell us more about the source of your funds."),
  funds_unclear: t("The source of your funds is not clear to us."),
  not_served: t("We do not serve this country or business."),
};
