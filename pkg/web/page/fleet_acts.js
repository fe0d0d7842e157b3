// SPDX-License-Identifier: Apache-2.0
// What the page does beside showing: acts, and objects as YAML, in one dialog. The program asks the API server whether the user
// may, and runs the command that the dialog names.
import { h, morphAll, own, plain } from "./dom.js";
import { ask, command, placeOf, quote, updates } from "./fleet_data.js";
import { $, button, said } from "./parts.js";
import { t } from "./texts.js";
import { number } from "./times.js";

const WORDS = { Pause: "rollout pause", Halt: "rollout halt", Resume: "rollout resume", FreeTurn: "turn free" };
let asked = null; // the body of the act that the dialog shows

export const actButton = (act, row, release) => button(null, t(`act_${act}`), { "data-act": act, "data-row": plain(row), "data-release": release === undefined ? null : plain(release) });
export const yamlButton = (plural, row) => button(null, t("yamlOf", t(`kind_${plural}`)), { "data-yaml": `${plural}/${plain(row)}` });

/** What the act does to whom, with the numbers of now. */
function effect({ act, name, release }) {
  const update = updates.get(name), counts = ["admitted", "selected", "updating", "failed", "updated"].map((key) => number(update?.nodes?.[key] ?? 0));
  const key = act === "Resume" && update?.state === "Halted" && update.reason !== "HaltedByOperator" ? "will_ResumeHalted" : `will_${act}`;
  return t(key, plain(placeOf(name)[1]), ...(act === "FreeTurn" ? [plain(release)] : counts));
}

const line = () => command([WORDS[asked.act], ...["reason", "release"].filter((key) => asked[key]).map((key) => quote(`--${key}=${asked[key]}`))].join(" "), asked.name);

function show(title, ...content) {
  morphAll($("more-title"), [own(title)]);
  morphAll($("more-content"), [h("div", { "aria-live": "polite" }, content)]);
  if (!$("more").open) $("more").showModal();
}

const showAct = (...content) => show(t(`act_${asked.act}`), h("p", null, effect(asked)), content);

async function send(more, then) {
  const mine = asked;
  showAct(h("p", null, t(more.confirmed ? "actRuns" : "asksServer")));
  try {
    const answer = await ask("/fleet/act", { ...mine, ...more });
    if (asked === mine) then(answer);
  } catch (error) {
    if (asked === mine) showAct(said(error.name === "TypeError" ? t("fleetGone") : error.message, true));
  }
}

function confirmAct() {
  showAct(asked.act === "Halt" && h("p", null, h("label", { for: "halt-reason" }, t("act_reason")), " ", h("input", { id: "halt-reason", maxlength: 200, autocomplete: "off" })),
    h("p", null, t("sameInShell")), h("pre", { id: "more-command", tabindex: "0", "aria-label": t("sameInShell") }, line()),
    h("p", { class: "row" }, button("more-do", t("doIt")), button(null, t("cancel"), { "data-close": true })));
  $("more-do").focus();
}

async function openYaml(what) {
  const title = t("yamlOf", placeOf(what.slice(what.indexOf("/") + 1))[1]);
  asked = null;
  show(title, h("p", null, t("asksServer")));
  const text = await ask(`/fleet/yaml?${encodeURIComponent(what)}`).then(({ yaml }) => yaml.split("\n").map(plain).join("\n"), (error) => error.message);
  if (asked === null) show(title, h("pre", { tabindex: "0", "aria-label": title }, text));
}

/** True: the click was for the dialog. */
export function takeClick({ id, dataset }) {
  if (dataset.act !== undefined) {
    asked = { act: dataset.act, name: dataset.row, ...(dataset.release ? { release: dataset.release } : {}) };
    send({}, confirmAct);
  } else if (dataset.yaml !== undefined) openYaml(dataset.yaml);
  else if (dataset.close !== undefined) $("more").close();
  else if (id === "more-do") send({ confirmed: true }, ({ exitCode, output }) => showAct(said(output || t("actDone"), exitCode !== 0)));
  else return false;
  return true;
}

export const makeDialog = () => h("dialog", { id: "more", "aria-labelledby": "more-title" },
  h("div", { class: "row" }, h("h2", { id: "more-title" }), button(null, t("close"), { class: "end", "data-close": true })), h("div", { id: "more-content" }));

document.addEventListener("input", ({ target }) => {
  if (target.id !== "halt-reason") return;
  asked.reason = target.value || undefined;
  $("more-command").textContent = line();
});
