/** Browsers that are known: their log-ins are no news, and nobody slows them down. */
import { call } from "../lib/api.js";
import { $ } from "../lib/dom.js";
import { doing, fill, row, when } from "./lists.js";
import { heard, t } from "../lib/words.js";

const PATH = "/api/v1/account/devices";

export function startDevices({ onChange }) {
  const root = $("#devices");
  const read = () => fill(root, PATH, (found) => found.map(draw), t("No browser is known yet."));
  const draw = (one) =>
    row(heard(one.name), {
      badges: one.is_this ? [[t("this one"), "good"]] : [],
      facts: [one.place, t("known since {when}", { when: when(one.first_seen_at) }), t("last seen {when}", { when: when(one.last_seen_at) })],
      act: doing(t("Forget"), t("Forget {name}", { name: heard(one.name) }), {
        ask: () => call("DELETE", `${PATH}/${one.id}`),
        done: t("Device forgotten"),
        then: async () => {
          await read();
          onChange();
        },
      }),
    });
  read();
}
