// SPDX-License-Identifier: Apache-2.0
// The page of a node: a websocket brings its state; where that fails, the page asks. While it is hidden it does neither.
import { beginActs, showActs } from "./acts.js";
import { h, morphAll, own, plain } from "./dom.js";
import { nodeSections } from "./node.js";
import { $, ask, frame, showHead } from "./parts.js";
import { plots } from "./plots.js";
import { t } from "./texts.js";
import { moment, setServerTime } from "./times.js";

const EVERY_S = 5, HISTORY_S = 120, SILENCE_MS = 10000, SOCKET_AGAIN_MS = 30000;

let reasons = {}, past = null, pastAt = -Infinity; // past: the newest history, and when it came
let latest = null, failure = null; // the newest state, and why there is no newer one
let said = ""; // the failure that a screen reader has heard of
let socket = null, socketAt = -Infinity, heardAt = -Infinity; // when it was tried, and brought something
let timer = 0;

const isPushed = () => performance.now() - heardAt < SILENCE_MS;

const problem = () => (failure === null ? [] : [h("section", { class: "wide gone" },
  h("p", { class: "bad" }, failure.refused ? t("refused", failure.message) : t("gone")),
  latest !== null && h("p", null, t("goneSince"), " ", moment(latest.time)))]);

function show() {
  const sections = latest === null ? [] : nodeSections(latest, reasons);
  if (latest !== null) sections.splice(-1, 0, plots(past));
  const name = latest?.node?.metadata?.name;
  showHead(name ? t("title", plain(name)) : "holdfast", name ? own(name) : "holdfast", null, latest === null ? t("loading") : isPushed() ? t("pushed") : t("polled", EVERY_S));
  morphAll($("content"), sections);
  showActs(latest);
  const now = failure?.message ?? "";
  if (now !== said) morphAll($("problem"), problem());
  said = now;
}

function take(state) {
  setServerTime(state.time);
  latest = state;
  failure = null;
}

function listen() {
  if (socket !== null || performance.now() - socketAt < SOCKET_AGAIN_MS) return;
  socketAt = performance.now();
  const mine = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/page/live`);
  socket = mine;
  mine.addEventListener("message", (event) => {
    heardAt = performance.now();
    take(JSON.parse(event.data));
    show();
  });
  mine.addEventListener("close", () => {
    if (socket === mine) socket = null;
    heardAt = -Infinity;
  });
}

function stopListening() {
  socket?.close();
  socket = null;
  socketAt = heardAt = -Infinity;
}

async function look() {
  if (Object.keys(reasons).length === 0) reasons = await ask("/page/reasons.json");
  if (!isPushed()) take(await ask("/page/state.json"));
  if (performance.now() - pastAt > HISTORY_S * 1000) {
    past = await ask("/page/history.json");
    pastAt = performance.now();
  }
  listen();
}

async function turn() {
  clearTimeout(timer);
  if (document.hidden) {
    stopListening();
    return;
  }
  await look().catch((error) => { failure = error; });
  show();
  clearTimeout(timer);
  timer = setTimeout(turn, EVERY_S * 1000);
}

frame("#content", show, h("main", { id: "content", tabindex: "-1" }), h("footer", { id: "acts" }));
beginActs($("acts"));
document.addEventListener("visibilitychange", turn);
show();
turn();
