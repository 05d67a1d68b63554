/** The second factors: what there is, one more, one less. */
import { call } from "../lib/api.js";
import { $, closable, setText } from "../lib/dom.js";
import { startForm } from "../lib/forms.js";
import { addPasskey, canPasskeys } from "../lib/passkeys.js";
import { withProof } from "../lib/stepup.js";
import { toast, toastError } from "../lib/toast.js";
import { doing, fill, row, when } from "./lists.js";
import { t } from "../lib/words.js";

const PATH = "/api/v1/account/factors";
const NAMES = { "Authenticator app": t("Authenticator app"), Passkey: t("Passkey") };
const nameOf = (factor) => NAMES[factor.name] ?? factor.name; // Its kind, or what its owner called it.
const KINDS = { totp: t("authenticator app"), passkey: t("passkey") };

export function startFactors({ codes, onChange }) {
  const root = $("#factors");
  const read = () => fill(root, PATH, draw, t("None yet. Add one: without a second factor nobody trades or withdraws."));
  const changed = async () => {
    await read();
    onChange();
  };
  function draw({ factors, recovery_codes_left: left }) {
    setText($("#codes-left"), factors.length ? t("{left} of 10 left", { left }) : "");
    $("#renew-codes").hidden = !factors.length;
    return factors.map((one) =>
      row(nameOf(one), {
        badges: [[KINDS[one.kind]]],
        facts: [t("added {when}", { when: when(one.added_at) }), t("last used {when}", { when: when(one.used_at) })],
        act: doing(t("Remove"), t("Remove {name}", { name: nameOf(one) }), {
          ask: () => call("DELETE", `${PATH}/${one.kind}/${one.id}`),
          done: t("Removed. Other log-ins ended, and withdrawals wait for a while."),
          then: changed,
        }),
      }),
    );
  }
  startApp({ codes, changed });
  startPasskey({ codes, changed });
  $("#renew-codes").addEventListener("click", () => renew({ codes, changed }));
  read();
}

/** Show the secret of a new app, and take its first code. */
function startApp({ codes, changed }) {
  const dialog = $("#app-dialog");
  let number = 0;
  closable(dialog);
  dialog.addEventListener("close", () => {
    $("#app-qr").removeAttribute("src"); // Nothing secret stays in the page.
    setText($("#app-secret"), "");
  });
  $("#add-app").addEventListener("click", async () => {
    try {
      const made = await withProof(() => call("POST", `${PATH}/totp`, { name: "" }));
      number = made.id;
      $("#app-qr").src = made.qr;
      setText($("#app-secret"), made.secret.match(/.{1,4}/g).join(" "));
      $("#app-form").reset();
      dialog.showModal();
      $("#app-code").focus();
    } catch (error) {
      toastError(t("No app was added"), error);
    }
  });
  startForm($("#app-form"), {
    checks: { code: (value) => (/^\s*\d{3}\s*\d{3}\s*$/.test(value) ? "" : t("Six digits, please.")) },
    busy: t("Checking…"),
    send: ({ code }) => call("POST", `${PATH}/totp/${number}/code`, { code }),
    done: async ({ recovery_codes: words }) => {
      dialog.close();
      toast(t("Authenticator app added"), "", "good");
      await codes.show(words);
      await changed();
      goOn();
    },
  });
}

function startPasskey({ codes, changed }) {
  const button = $("#add-passkey");
  button.disabled = !canPasskeys;
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const { recovery_codes: words } = await withProof(() => addPasskey(""));
      toast(t("Passkey added"), "", "good");
      await codes.show(words);
      await changed();
      goOn();
    } catch (error) {
      toastError(t("No passkey was added"), error);
    }
    button.disabled = false;
  });
}

async function renew({ codes, changed }) {
  try {
    const { recovery_codes: words } = await withProof(() => call("POST", `${PATH}/recovery-codes`));
    await codes.show(words);
    await changed();
  } catch (error) {
    toastError(t("No codes were made"), error);
  }
}

/** Whoever was sent here for a factor goes back to where they wanted to be. */
function goOn() {
  const next = $("#security").dataset.next;
  if (next) location.assign(next);
}
