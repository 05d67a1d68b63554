/** The second factors: what there is, one more, one less. */
import { call } from "../lib/api.js";
import { $, closable, setText } from "../lib/dom.js";
import { startForm } from "../lib/forms.js";
import { addPasskey, canPasskeys } from "../lib/passkeys.js";
import { withProof } from "../lib/stepup.js";
import { toast, toastError } from "../lib/toast.js";
import { doing, fill, row, when } from "./lists.js";

const PATH = "/api/v1/account/factors";
const KINDS = { totp: "authenticator app", passkey: "passkey" };

export function startFactors({ codes, onChange }) {
  const root = $("#factors");
  const read = () => fill(root, PATH, draw, "None yet. Add one: without a second factor nobody trades or withdraws.");
  const changed = async () => {
    await read();
    onChange();
  };
  function draw({ factors, recovery_codes_left: left }) {
    setText($("#codes-left"), factors.length ? `${left} of 10 left` : "");
    $("#renew-codes").hidden = !factors.length;
    return factors.map((one) =>
      row(one.name, {
        badges: [[KINDS[one.kind]]],
        facts: [`added ${when(one.added_at)}`, `last used ${when(one.used_at)}`],
        act: doing("Remove", `Remove ${one.name}`, {
          ask: () => call("DELETE", `${PATH}/${one.kind}/${one.id}`),
          done: "Removed. Other log-ins ended, and withdrawals wait for a while.",
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
      toastError("No app was added", error);
    }
  });
  startForm($("#app-form"), {
    checks: { code: (value) => (/^\s*\d{3}\s*\d{3}\s*$/.test(value) ? "" : "Six digits, please.") },
    busy: "Checking…",
    send: ({ code }) => call("POST", `${PATH}/totp/${number}/code`, { code }),
    done: async ({ recovery_codes: words }) => {
      dialog.close();
      toast("Authenticator app added", "", "good");
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
      toast("Passkey added", "", "good");
      await codes.show(words);
      await changed();
      goOn();
    } catch (error) {
      toastError("No passkey was added", error);
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
    toastError("No codes were made", error);
  }
}

/** Whoever was sent here for a factor goes back to where they wanted to be. */
function goOn() {
  const next = $("#security").dataset.next;
  if (next) location.assign(next);
}
