// SPDX-License-Identifier: Apache-2.0
// The acts of the page. Each is a form, then the command that does the same, which the agent names, then the act. The token
// stays in memory: it comes behind '#' of the address, which goes to nobody, or from the field, and ends with the tab.
import { h, morphAll, plain } from "./dom.js";
import * as parts from "./parts.js";
import { t } from "./texts.js";
import { isUtc, moment, serverNow } from "./times.js";

const { $, button, said, save, section } = parts;
const FIRST = { "data-first": true }; // gets the focus

// What the form of each act asks for.
const ACTS = { Hold: ["reason", "hours"], Release: [], Retry: [], RollBack: ["release", "reason"], Undo: ["release"], Verify: [], Support: [] };
const SHIFT_HOURS = 8, MOST_HOURS = 168;
const TOKEN = /^\s*(?:\S*#token=)?([0-9a-f]{64})\s*$/; // alone, or in the address that holdfast node page prints

let token = "";
let releases = [];
let step = { name: "choose" }; // choose, fill {act}, confirm {act, body, command}, wait, said {text, bad}
let place = null;
let shown = "";

function takeToken() {
  const found = TOKEN.exec(location.hash);
  if (location.hash !== "") history.replaceState(null, "", location.pathname);
  if (found) token = found[1];
  return found !== null;
}

const focusFirst = (id = "") => ($(id) ?? place.querySelector("[data-first]"))?.focus();

function go(next) {
  step = next;
  show();
  focusFirst();
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

const until = (hours) => [t("heldUntil"), " ", moment(new Date(serverNow() + hours * 3600000).toISOString())];

function field(name, i) {
  const id = `act-${name}`, all = { id, name, required: true, autocomplete: "off", ...(i === 0 && FIRST) };
  const input = name === "release" ? h("select", all, releases.map((one) => h("option", { value: one }, plain(one))))
    : name === "hours" ? h("input", { ...all, type: "number", min: 1, max: MOST_HOURS, value: SHIFT_HOURS, "aria-describedby": "act-until" })
      : h("input", { ...all, maxlength: 127 });
  return h("p", null, h("label", { for: id }, t(`act_${name}`)), " ", input, name === "hours" && [" ", h("span", { id: "act-until" }, until(SHIFT_HOURS))]);
}

function ofToken() {
  return h("form", { id: "act-token" }, h("p", null, t("tokenHow")),
    h("p", null, h("label", { for: "act-secret" }, t("token")), " ",
      h("input", { id: "act-secret", name: "token", type: "password", autocomplete: "off", required: true, pattern: TOKEN.source, title: t("tokenHow"), ...FIRST }), " ",
      h("button", { type: "submit" }, t("useToken"))));
}

function ofStep() {
  if (token === "" && step.name !== "said") return [ofToken()];
  const { name, act } = step, fields = ACTS[act];
  if (name === "fill")
    return [h("form", { id: "act-form" }, h("h3", { tabindex: "-1", "data-first": fields.length === 0 }, t(`act_${act}`)), fields.map(field),
      h("p", { class: "row" }, h("button", { type: "submit", "data-first": true }, t("goOn")), button("act-cancel", t("cancel"))))];
  if (name === "confirm")
    return [h("h3", null, t("confirm", t(`act_${act}`))), step.hours && h("p", null, until(step.hours)), h("p", null, t("sameAs")), h("pre", { tabindex: "0", "aria-label": t("sameAs") }, plain(step.command)),
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
  const now = JSON.stringify([state?.page, names, isUtc()]);
  if (now === shown) return;
  shown = now;
  releases = names;
  if (state?.page !== "Act") morphAll(place, []);
  else if (place.childElementCount === 0 || step.name !== "fill") show();
}

function submitted(event) {
  event.preventDefault();
  const { hours, ...given } = Object.fromEntries(new FormData(event.target));
  const { act } = step, body = { act, ...given, ...(hours && { for: `${Number(hours)}h` }) };
  if (act !== undefined) return ask(body, ({ command }) => ({ name: "confirm", act, body, command, hours }));
  token = TOKEN.exec(given.token)[1];
  return go({ name: "choose" });
}

function typed({ target }) {
  if (target.id !== "act-hours") return;
  const good = target.validity.valid;
  target.setAttribute("aria-invalid", !good);
  morphAll($("act-until"), good ? until(target.value) : [h("span", { class: "bad" }, t("badHours", MOST_HOURS))]);
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
  window.addEventListener("hashchange", ({ newURL }) => (takeToken() && place.childElementCount > 0 ? go({ name: "choose" }) : focusFirst(newURL.split("#")[1])));
  place.addEventListener("click", clicked);
  place.addEventListener("submit", submitted);
  place.addEventListener("input", typed);
}
