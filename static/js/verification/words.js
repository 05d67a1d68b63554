/** Money, dates and states as people read them. */

const USD = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", minimumFractionDigits: 0 });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });

export function usd(cents) {
  return cents === null ? "No limit" : USD.format(Number(cents) / 100);
}

export function day(iso) {
  return DAY.format(new Date(iso));
}

/** What a state means for the person: its name, the kind of its badge, and a sentence. */
export const STATES = {
  draft: ["Draft", "", "Answer what is asked, add your papers, and submit."],
  submitted: ["Submitted", "", "We are checking what you sent. This page tells you when it is done."],
  checking: ["Checking", "", "We are checking what you sent. This page tells you when it is done."],
  passed: ["In review", "", "The checks are through. A person decides now, and a second one agrees."],
  referred: ["In review", "", "A person will look at what you sent."],
  in_review: ["In review", "", "A person is looking at what you sent."],
  more_wanted: ["We need more", "warn", "Please change what is named below, and submit again."],
  approved: ["Approved", "good", "You are verified."],
  refused: ["Not approved", "bad", "We cannot approve this application."],
  withdrawn: ["Withdrawn", "", "You withdrew this application."],
  expired: ["Expired", "", "This application was not finished in time."],
};

export const REASONS = {
  does_not_match: "The papers do not say what you told us.",
  document_expired: "The ID is no longer valid.",
  reported_lost: "The ID was reported as lost.",
  proof_too_old: "The proof of address is older than three months.",
  not_alive: "The selfie does not show a living person.",
  unreadable: "A picture cannot be read.",
  wrong_paper: "A paper is not what was asked for.",
  explain_funds: "Please tell us more about the source of your funds.",
  funds_unclear: "The source of your funds is not clear to us.",
  not_served: "We do not serve this country or business.",
};
