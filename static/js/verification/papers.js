/** The papers of an application: choose, see, send, take back. */
import { call, upload } from "../lib/api.js";
import { h, setText } from "../lib/dom.js";
import { heard, t } from "../lib/words.js";

const TAKES = "image/jpeg,image/png,image/webp,application/pdf";
const BYTES_MAX = 8 * 1024 * 1024;

export function paperField(paper, sent, application, { specimens, onChange }) {
  const path = `/api/v1/kyc/applications/${application.public_id}/documents`;
  const problem = h("p", { class: "error", "data-error": paper.kind, role: "alert", hidden: true });
  const preview = h("div", { class: "preview" });
  const status = h("span", { class: sent ? "badge good" : "badge" }, sent ? describe(sent) : t("Missing"));
  const input = h("input", { type: "file", accept: TAKES, id: `paper-${paper.kind}`, class: "visually-hidden" });
  const say = (text) => {
    setText(problem, text);
    problem.hidden = !text;
  };

  async function send(file) {
    say("");
    if (file.size > BYTES_MAX) return say(t("The file is larger than 8 MB."));
    await show(preview, file);
    setText(status, t("Sending…"));
    const form = new FormData();
    form.append("kind", paper.kind);
    form.append("file", file);
    try {
      const kept = await upload(path, form);
      setText(status, describe(kept));
      status.className = "badge good";
      onChange();
    } catch (error) {
      setText(status, t("Not sent"));
      status.className = "badge bad";
      say(error.message);
    }
    input.value = "";
  }

  input.addEventListener("change", () => input.files[0] && send(input.files[0]));
  const remove = async () => {
    await call("DELETE", `${path}/${sent.public_id}`).catch((error) => say(error.message));
    onChange();
  };
  return h(
    "div",
    { class: "paper", "data-paper": paper.kind },
    h("div", { class: "paper-head" }, h("b", {}, heard(paper.text)), status),
    h("p", { class: "hint" }, heard(paper.hint)),
    preview,
    problem,
    h(
      "div",
      { class: "paper-actions" },
      input,
      h("label", { class: "button small", for: `paper-${paper.kind}` }, sent ? t("Send another") : t("Choose a file")),
      sent ? h("button", { type: "button", class: "link-button", onclick: remove }, t("Take it back")) : null,
      specimens ? specimen(paper, send, say) : null,
    ),
  );
}

/** In the demo: a paper that the sandbox passes, fails or refers. */
function specimen(paper, send, say) {
  const make = async (outcome) => {
    const answer = await fetch(`/api/v1/kyc/specimens/${paper.kind}?outcome=${outcome}`, { credentials: "same-origin" });
    if (!answer.ok) return say(t("Answer the questions first; the specimen says the same."));
    const body = await answer.blob();
    await send(new File([body], `${paper.kind}.png`, { type: "image/png" }));
  };
  const button = (outcome, text) =>
    h("button", { type: "button", class: "link-button", "data-specimen": outcome, onclick: () => make(outcome) }, text);
  return h("span", { class: "specimens" }, t("Specimen: "), button("pass", t("good")), button("refer", t("doubtful")), button("fail", t("bad")));
}

/** Show a picture that was chosen. What was sent before is not shown again: it is sealed. */
async function show(place, file) {
  if (!file.type.startsWith("image/")) {
    place.replaceChildren(h("span", { class: "muted" }, file.name));
    return;
  }
  const url = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.readAsDataURL(file);
  });
  place.replaceChildren(h("img", { src: url, alt: t("The picture you chose") }));
}

function describe(document) {
  const kind = document.media_type.split("/")[1].toUpperCase();
  return `${kind}, ${Math.max(1, Math.round(document.size / 1024))} KB`;
}
