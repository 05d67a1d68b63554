/** Where one is logged in, and the end of it. */
import { call } from "../lib/api.js";
import { $ } from "../lib/dom.js";
import { toast, toastError } from "../lib/toast.js";
import { doing, fill, row, when } from "./lists.js";

const PATH = "/api/v1/account/sessions";
const BY = { totp: "by code", passkey: "by passkey", recovery: "by recovery code", demo: "by the demo" };

export function startSessions({ onChange }) {
  const root = $("#sessions");
  const read = () => fill(root, PATH, (found) => found.map(draw), "Nobody is logged in.");
  const again = async () => {
    await read();
    onChange();
  };
  const draw = (one) =>
    row(one.device, {
      mark: { "data-session": String(one.id) },
      badges: one.is_this ? [["this one", "good"]] : [],
      facts: [one.place, BY[one.factor] ?? "by password", `began ${when(one.began_at)}`, `last used ${when(one.seen_at)}`],
      act: one.is_this
        ? null
        : doing("End", `End the log-in with ${one.device}`, {
            ask: () => call("DELETE", `${PATH}/${one.id}`),
            done: "Log-in ended",
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
    toast(ended === 1 ? "One log-in ended" : `${ended} log-ins ended`, "", "good");
    await then();
  } catch (error) {
    toastError("Could not end them", error);
  }
}
