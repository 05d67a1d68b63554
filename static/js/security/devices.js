/** Browsers that are known: their log-ins are no news, and nobody slows them down. */
import { call } from "../lib/api.js";
import { $ } from "../lib/dom.js";
import { doing, fill, row, when } from "./lists.js";

const PATH = "/api/v1/account/devices";

export function startDevices({ onChange }) {
  const root = $("#devices");
  const read = () => fill(root, PATH, (found) => found.map(draw), "No browser is known yet.");
  const draw = (one) =>
    row(one.name, {
      badges: one.is_this ? [["this one", "good"]] : [],
      facts: [one.place, `known since ${when(one.first_seen_at)}`, `last seen ${when(one.last_seen_at)}`],
      act: doing("Forget", `Forget ${one.name}`, {
        ask: () => call("DELETE", `${PATH}/${one.id}`),
        done: "Device forgotten",
        then: async () => {
          await read();
          onChange();
        },
      }),
    });
  read();
}
