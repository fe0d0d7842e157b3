// SPDX-License-Identifier: Apache-2.0
// The acts of the page. Each is a form, then the command that does the same, which the agent names, then the act. The token
// stays in memory: it comes behind '#' of the address, which goes to nobody, or from the field, and ends with the tab.
import { h, morphAll, plain } from "./dom.js";
import * as parts from "./parts.js";
import { t } from "./texts.js";

const { button, said, save, section } = parts;
const FIRST = { "data-first": true }; // gets the focus

// What the form of each act asks for.
const ACTS = { Hold: ["reason", "for"], Release: [], Retry: [], RollBack: ["release", "reason"], Undo: ["release"], Verify: [], Support: [] };

let token = "";
let releases = [];
let step = { name: "choose" }; // choose, fill {act}, confirm {act, body, command}, wait, said {text, bad}
let place = null;
let shown = "";

function takeToken() {
  const found = /^#token=([0-9a-f]{64})$/.exec(location.hash);
  if (location.hash !== "") history.replaceState(null, "", location.pathname);
  if (found) token = found[1];
}

function go(next) {
  step = next;
  show();
  place.querySelector("[data-first]")?.focus();
}

async function ask(body, then) {
  go({ name: "wait" });
  try {
    go(then(await parts.ask("/page/act", { "Content-Type": "application/json", "X-Holdfast-Token": token }, body)));
  } catch (error) {
    if (error.refused) token = "";
    go({ name: "said", text: error.name === "TypeError" ? t("gone") : error.message, bad: true });
  }
}

function result({ bundle, output, exitCode }) {
  if (!bundle) return { name: "said", text: plain(output) || t("actDone"), bad: exitCode !== 0 };
  save(bundle, "holdfast-support.txt");
  return { name: "said", text: t("bundleSaved") };
}

function field(name) {
  const id = `act-${name}`;
  const input = name === "release" ? h("select", { id, name }, releases.map((one) => h("option", { value: one }, plain(one))))
    : h("input", { id, name, maxlength: name === "for" ? 16 : 127, required: name === "reason", autocomplete: "off", placeholder: name === "for" ? "8h" : null });
  return h("p", null, h("label", { for: id }, t(`act_${name}`)), " ", input);
}

function ofToken() {
  return h("form", { id: "act-token" }, h("p", null, t("tokenHow")),
    h("p", null, h("label", { for: "act-secret" }, t("token")), " ",
      h("input", { id: "act-secret", name: "token", type: "password", autocomplete: "off", required: true, pattern: "[0-9a-f]{64}" }), " ",
      h("button", { type: "submit" }, t("useToken"))));
}

function ofStep() {
  if (token === "" && step.name !== "said") return [ofToken()];
  const { name, act } = step, fields = ACTS[act];
  if (name === "fill")
    return [h("form", { id: "act-form" }, h("h3", { tabindex: "-1", "data-first": fields.length === 0 }, t(`act_${act}`)), fields.map(field),
      h("p", { class: "row" }, h("button", { type: "submit", "data-first": true }, t("goOn")), button("act-cancel", t("cancel"))))];
  if (name === "confirm")
    return [h("h3", null, t("confirm", t(`act_${act}`))), h("p", null, t("sameAs")), h("pre", { tabindex: "0", "aria-label": t("sameAs") }, plain(step.command)),
      h("p", { class: "row" }, button("act-do", t("doIt"), FIRST), button("act-cancel", t("cancel")))];
  if (name === "wait") return [h("p", null, t("actRuns"))];
  if (name === "said")
    return [said(step.text, step.bad), h("p", null, button("act-cancel", t("goBack"), FIRST))];
  return [h("div", { class: "row" }, Object.keys(ACTS).filter((one) => !ACTS[one].includes("release") || releases.length > 0)
    .map((one) => button(`act-${one}`, t(`act_${one}`), one === "Hold" && FIRST)))];
}

function show() {
  morphAll(place, [section("acts", { id: null }, h("div", { id: "act-step", "aria-live": "polite" }, ofStep()))]);
}

/** Shows the acts, if the agent allows any; a form that somebody fills in is left alone. */
export function showActs(state) {
  const names = (state?.node?.status?.updates ?? []).map((one) => String(one?.name ?? "")).filter((name) => /^[a-z0-9][a-z0-9.-]*$/.test(name));
  const now = JSON.stringify([state?.page, names]);
  if (now === shown) return;
  shown = now;
  releases = names;
  if (state?.page !== "Act") morphAll(place, []);
  else if (place.childElementCount === 0 || step.name === "choose") show();
}

function submitted(event) {
  event.preventDefault();
  const given = Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value !== ""));
  const { act } = step, body = { act, ...given };
  if (act !== undefined) return ask(body, ({ command }) => ({ name: "confirm", act, body, command }));
  token = given.token;
  return go({ name: "choose" });
}

function clicked(event) {
  const { id } = event.target, act = id.replace("act-", "");
  if (Object.hasOwn(ACTS, act)) go({ name: "fill", act });
  else if (id === "act-cancel") go({ name: "choose" });
  else if (id === "act-do") ask({ ...step.body, confirmed: true }, result);
}

export function beginActs(element) {
  place = element;
  takeToken();
  window.addEventListener("hashchange", () => { takeToken(); if (place.childElementCount > 0) go({ name: "choose" }); });
  place.addEventListener("click", clicked);
  place.addEventListener("submit", submitted);
}
