/** One application, from its first answer to its decision. */
import { call } from "../lib/api.js";
import { $, h, moment, setText } from "../lib/dom.js";
import { toast, toastError } from "../lib/toast.js";
import { clearProblems, field, showProblems } from "./fields.js";
import { paperField } from "./papers.js";
import { REASONS, STATES } from "./words.js";
import { t } from "../lib/words.js";

const PATH = "/api/v1/kyc/applications";
const LOOK_AGAIN_MS = 1500;
const OURS = new Set(["submitted", "checking"]);

export function startWizard({ onChange }) {
  let specimens = false;
  let shownId = null;
  let timer = null;

  async function begin(tier) {
    try {
      draw(await call("POST", PATH, { tier }));
      onChange();
      $("#wizard-title").focus();
      $("#wizard").scrollIntoView({ block: "start" });
    } catch (error) {
      toastError(t("Not begun"), error);
    }
  }

  async function show(known) {
    specimens = known.specimens;
    const id = known.open_application?.public_id ?? shownId;
    if (id) await read(id);
  }

  async function read(id) {
    const application = await call("GET", `${PATH}/${id}`);
    if (!$("#wizard-form") || !application.is_yours || id !== shownId) draw(application);
  }

  function draw(application) {
    clearTimeout(timer);
    shownId = application.public_id;
    const [name, kind] = STATES[application.state];
    $("#wizard").hidden = false;
    setText($("#wizard-title"), t("Your application for tier {tier}", { tier: application.tier }));
    setText($("#wizard-state"), name);
    $("#wizard-state").className = `badge ${kind}`;
    $("#wizard-body").replaceChildren(told(application), application.is_yours ? form(application) : waiting(application));
    if (OURS.has(application.state)) timer = setTimeout(() => follow(application.public_id), LOOK_AGAIN_MS);
  }

  /** Look until it is no longer ours to check. */
  async function follow(id) {
    try {
      const application = await call("GET", `${PATH}/${id}`);
      draw(application);
      if (!OURS.has(application.state)) onChange();
    } catch {
      timer = setTimeout(() => follow(id), LOOK_AGAIN_MS * 4);
    }
  }

  function form(application) {
    const again = async () => draw(await call("GET", `${PATH}/${application.public_id}`));
    const sent = new Map(application.documents.map((document) => [document.kind, document]));
    const fields = application.questions.map((question) => field(question, application.answers[question.name] ?? ""));
    const papers = application.papers.map((paper) =>
      paperField(paper, sent.get(paper.kind), application, { specimens, onChange: () => keep(element, application).then(again) }),
    );
    const element = h(
      "form",
      { id: "wizard-form", novalidate: true, autocomplete: "on" },
      progress(application, sent),
      h("p", { class: "form-error", id: "wizard-error", role: "alert", hidden: true }),
      h("div", { class: "fields" }, ...fields),
      papers.length ? h("div", { class: "papers" }, ...papers) : null,
      h(
        "div",
        { class: "wizard-actions" },
        h("button", { type: "submit", class: "button primary", id: "submit-application" }, t("Submit")),
        h("button", { type: "button", class: "button", id: "save-answers", onclick: () => save(element, application, again) }, t("Save")),
        h("button", { type: "button", class: "link-button", onclick: () => withdraw(application) }, t("Withdraw it")),
      ),
    );
    element.addEventListener("submit", (event) => {
      event.preventDefault();
      submit(element, application);
    });
    return element;
  }

  async function save(element, application, again) {
    if (!(await keep(element, application))) return;
    toast(t("Saved"), "", "good");
    await again();
  }

  async function submit(element, application) {
    const button = $("#submit-application");
    button.disabled = true;
    try {
      if (await keep(element, application)) draw(await call("POST", `${PATH}/${application.public_id}/submission`));
    } catch (error) {
      refuse(element, error);
    }
    button.disabled = false;
  }

  async function withdraw(application) {
    try {
      draw(await call("DELETE", `${PATH}/${application.public_id}`));
      onChange();
    } catch (error) {
      toastError(t("Not withdrawn"), error);
    }
  }

  return { begin, show };
}

/** Send what was typed; false if the exchange does not take it. Nothing typed is nothing sent. */
async function keep(element, application) {
  clearProblems(element);
  $("#wizard-error").hidden = true;
  const typed = [...new FormData(element)].filter(([name, value]) => typeof value === "string" && value.trim() && name);
  if (!typed.length) return true;
  try {
    await call("PATCH", `${PATH}/${application.public_id}`, { answers: Object.fromEntries(typed) });
    return true;
  } catch (error) {
    refuse(element, error);
    return false;
  }
}

function refuse(element, error) {
  const data = error.data ?? {};
  const missing = [...(data.answers ?? []), ...(data.documents ?? [])].map((name) => [name, t("Please add this.")]);
  const fields = { ...(data.fields ?? {}), ...Object.fromEntries(missing) };
  if (Object.keys(fields).length && showProblems(element, fields)) return;
  setText($("#wizard-error"), error.message);
  $("#wizard-error").hidden = false;
}

function progress(application, sent) {
  const all = application.questions.length + application.papers.length;
  const done = application.given.length + application.papers.filter((paper) => sent.has(paper.kind)).length;
  const text = t("{done} of {all} there", { done, all });
  return h("div", { class: "progress" }, h("progress", { max: String(all), value: String(done), "aria-label": text }), h("span", { class: "muted" }, text));
}

function told(application) {
  const [, kind, sentence] = STATES[application.state];
  const reason = ["refused", "more_wanted"].includes(application.state) ? REASONS[application.reason_code] : null;
  return h(
    "div",
    { class: `told ${kind}`, role: "status" },
    h("p", {}, sentence),
    reason ? h("p", {}, reason) : null,
    application.words ? h("blockquote", {}, application.words) : null,
  );
}

function waiting(application) {
  const due = application.due_at && !application.decided_at ? t("Decided by {when}", { when: moment(Date.parse(application.due_at)) }) : "";
  return h("p", { class: "muted", id: "due" }, due);
}
