/** Recovery codes: shown once, to be copied or kept on paper. */
import { $, h } from "../lib/dom.js";
import { toast } from "../lib/toast.js";

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
    toast("Recovery codes copied", "", "good");
  } catch {
    toast("Could not copy", "Select the codes and copy them by hand.", "bad");
  }
}
