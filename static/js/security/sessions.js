/** Where one is logged in, and the end of it. */
import { call } from "../lib/api.js";
import { $ } from "../lib/dom.js";
import { toast, toastError } from "../lib/toast.js";
import { doing, fill, row, when } from "./lists.js";
import { heard, t, tn } from "../lib/words.js";

const PATH = "/api/v1/account/sessions";
const BY = { totp: t("by code"), passkey: t("by passkey"), recovery: t("by recovery code"), demo: t("by the demo") };

export function startSessions({ onChange }) {
  const root = $("#sessions");
  const read = () => fill(root, PATH, (found) => found.map(draw), t("Nobody is logged in."));
  const again = async () => {
    await read();
    onChange();
  };
  const draw = (one) =>
    row(heard(one.device), {
      mark: { "data-session": String(one.id) },
      badges: one.is_this ? [[t("this one"), "good"]] : [],
      facts: [one.place, BY[one.factor] ?? t("by password"), t("began {when}", { when: when(one.began_at) }), t("last used {when}", { when: when(one.seen_at) })],
      act: one.is_this
        ? null
        : doing(t("End"), t("End the log-in with {device}", { device: heard(one.device) }), {
            ask: () => call("DELETE", `${PATH}/${one.id}`),
            done: t("Log-in ended"),
            then: again,
          }),
    });
  $("#end-others").addEventListener("click", () => endOthers(again));
  read();
  return { read };
}

async function endOthers(then) {
  try {
    const { ended } = await call("DELETE", PATH);
    toast(tn("One log-in ended", "{n} log-ins ended", ended), "", "good");
    await then();
  } catch (error) {
    toastError(t("Could not end them"), error);
  }
}
