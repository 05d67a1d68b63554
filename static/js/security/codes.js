/** Recovery codes: shown once, to be copied or kept on paper. */
import { $, h } from "../lib/dom.js";
import { toast } from "../lib/toast.js";
import { t } from "../lib/words.js";

export function startCodes() {
  const dialog = $("#codes-dialog");
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  return { show };
}

/** Show them if there are any; resolves when the person has kept them. */
function show(words) {
  if (!words.length) return Promise.resolve();
  const dialog = $("#codes-dialog");
  $("#codes").replaceChildren(...words.map((word) => h("li", {}, word)));
  $("#codes-copy").onclick = () => copy(words);
  dialog.showModal();
  return new Promise((resolve) => {
    $("#codes-kept").onclick = () => {
      $("#codes").replaceChildren(); // Nothing secret stays in the page.
      dialog.close();
      resolve();
    };
  });
}

async function copy(words) {
  try {
    await navigator.clipboard.writeText(words.join("\n"));
    toast(t("Recovery codes copied"), "", "good");
  } catch {
    toast(t("Could not copy"), t("Select the codes and copy them by hand."), "bad");
  }
}
