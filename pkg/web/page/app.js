// SPDX-License-Identifier: Apache-2.0
// The page of a node: asks the agent for its state, and shows it. While the page is hidden it asks nothing.
import { h, morphAll, own, plain } from "./dom.js";
import { nodeSections } from "./node.js";
import { t } from "./texts.js";
import { isUtc, moment, setServerTime, setUtc } from "./times.js";

const EVERY_S = 5, LIMIT_MS = 10000;

let reasons = {};
let latest = null; // the newest document
let failure = null; // why there is no newer one
let shownProblem = "";

async function ask(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(LIMIT_MS), cache: "no-store", credentials: "omit" });
  if (answer.ok) return answer.json();
  const said = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(plain(said.error ?? answer.status)), { refused: answer.status === 403 });
}

function head() {
  const name = latest?.node?.metadata?.name;
  document.title = name ? t("title", plain(name)) : "holdfast";
  return [
    h("h1", null, name ? own(name) : "holdfast"),
    h("span", { class: "soft" }, latest === null ? t("loading") : t("polled", EVERY_S)),
    h("button", { type: "button", id: "zone", class: "end", "aria-pressed": isUtc() ? "true" : "false" }, t("showUtc")),
  ];
}

function problem() {
  if (failure === null) return [];
  return [h("section", { class: "wide gone" },
    h("p", { class: "bad" }, failure.refused ? t("refused", failure.message) : t("gone")),
    latest !== null && h("p", null, t("goneSince", ""), moment(latest.time)))];
}

function show() {
  const problems = document.getElementById("problem");
  morphAll(document.getElementById("head"), head());
  morphAll(document.getElementById("content"), latest === null ? [] : nodeSections(latest, reasons));
  const said = failure === null ? "" : failure.message; // a screen reader hears it once
  if (said !== shownProblem) morphAll(problems, problem());
  shownProblem = said;
}

async function look() {
  try {
    if (Object.keys(reasons).length === 0) reasons = await ask("/page/reasons.json");
    const fresh = await ask("/page/state.json");
    setServerTime(fresh.time);
    latest = fresh;
    failure = null;
  } catch (error) {
    failure = error;
  }
  show();
}

let timer = 0;

async function turn() {
  clearTimeout(timer);
  if (document.hidden) return;
  await look();
  timer = setTimeout(turn, EVERY_S * 1000);
}

function begin() {
  document.body.append(
    h("a", { href: "#content", class: "skip" }, t("skip")),
    h("header", { id: "head" }),
    h("div", { id: "problem", role: "status" }),
    h("main", { id: "content", tabindex: "-1" }));
  document.getElementById("head").addEventListener("click", (event) => {
    if (event.target.id !== "zone") return;
    setUtc(!isUtc());
    show();
  });
  document.addEventListener("visibilitychange", turn);
  show();
  turn();
}

begin();
