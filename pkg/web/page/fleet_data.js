// SPDX-License-Identifier: Apache-2.0
// What the page knows of the fleet: rows as cli/ui/row.h has them. A websocket says that there is news, and the page then
// asks for the rows that changed since it last asked: it misses none, and never asks when nothing happens.
import * as parts from "./parts.js";
import { t } from "./texts.js";
import { serverNow, setServerTime } from "./times.js";

const AGAIN_MS = 1000, AGAIN_MOST_MS = 30000;

export const nodes = new Map(), labels = new Map(), updates = new Map();
const tables = { node: nodes, labels, update: updates };
export const LOOKS = ["bad", "away", "wait", "busy", "good"];

let sorted = null;
export let head = null; // the newest message
export let failure = null;
let version = 0, token = "", asking = false, again = AGAIN_MS, told = () => {};

// The token comes in the fragment, which no server sees, and leaves the address bar at once.
function takeToken() {
  const fragment = location.hash.slice(1);
  if (/^[\w-]{43}$/.test(fragment)) {
    sessionStorage.setItem("token", fragment);
    history.replaceState(null, "", location.pathname + location.search);
  }
  token = sessionStorage.getItem("token") ?? "";
}

export const ask = (path, body) => parts.ask(path, { "X-Holdfast-Token": token }, body);

function takeRow(row) {
  const table = tables[row.k];
  if (table === undefined) return;
  if (row.k === "node" && Boolean(row.gone) === nodes.has(row.n)) sorted = null;
  if (row.k === "labels" && nodes.has(row.n)) nodes.get(row.n).hay = undefined;
  if (row.gone) table.delete(row.n);
  else table.set(row.n, row.k === "labels" ? row.labels : row);
  if (row.k === "update") row.at = serverNow();
}

async function pull() {
  if (asking) return;
  asking = true;
  try {
    while (head !== null && version < head.version) {
      const news = await ask(`/fleet/changes?${version}`);
      news.rows.forEach(takeRow);
      version = news.version;
    }
    failure = null;
  } catch (error) {
    failure = error;
  }
  asking = false;
  told();
}

function listen() {
  const socket = new WebSocket(`ws://${location.host}/fleet/live`, ["http", token]);
  socket.addEventListener("message", (event) => {
    head = JSON.parse(event.data);
    again = AGAIN_MS;
    setServerTime(head.time);
    pull();
  });
  socket.addEventListener("close", () => {
    failure ??= new Error("");
    told();
    setTimeout(listen, again);
    again = Math.min(again * 2, AGAIN_MOST_MS);
  });
}

export function begin(onNews) {
  told = onNews;
  takeToken();
  if (token === "") failure = Object.assign(new Error(""), { noToken: true });
  else listen();
  told();
}

/** All nodes, in the order of their names. */
export const allNodes = () => (sorted ??= [...nodes.keys()].sort()).map((name) => nodes.get(name));

export const isSilent = (row) => row.silent || (row.seen > 0 && serverNow() / 1000 > row.seen + row.quiet);

export const lookOf = (row) => (row.look !== "bad" && isSilent(row) ? "away" : row.look);

/** The update that the verdict is about, or the first. */
export const updateOf = (row) => row.updates.find((one) => one.r === row.what) ?? row.updates[0];

/** Everything that Find looks through: of versions only what runs. */
const hayOf = (row) => (row.hay ??= [row.n, row.reason, row.what, row.agent, ...row.updates.flatMap((one) => [one.r, `runs=${one.i}`, one.p, one.w]),
  ...Object.entries(labels.get(row.n) ?? {}).map((pair) => pair.join("="))].join("\n").toLowerCase());

/** Says of a row if it has all words of `find`; a version is a whole one: 1.4.1 is not in 1.4.10. */
export function finder(find) {
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  const versions = words.filter((word) => /^(runs=)?v?\d+(\.\d+)+$/.test(word)).map((word) => new RegExp(`(?<![\\d.])${word.replaceAll(".", "\\.")}(?!\\d)`));
  return (row) => words.every((word) => hayOf(row).includes(word)) && versions.every((version) => version.test(row.hay));
}

/** Which part of a rollout a node belongs to: the first letter orders. */
export function waveOf(row, update) {
  const mine = placeOf(row.n)[0] === placeOf(update?.n ?? "")[0] ? row.updates.find((one) => one.d !== "" && one.d === update?.digest) : undefined;
  if (mine === undefined) return t("waveNone");
  if (mine.s < update.slotsBefore) return t("wavesBefore");
  if (mine.s < update.slots) return t("waveNow", Math.max(update.wave, 1));
  return mine.w === "NotAdmitted" ? t("waveLater") : t("waveCanary");
}

export const isSeveral = () => head !== null && head.contexts.length > 1;

/** The context of a row, and its object's name. */
export const placeOf = (row) => (isSeveral() ? [row.slice(0, row.lastIndexOf("/")), row.slice(row.lastIndexOf("/") + 1)] : [head?.contexts[0].context ?? "", row]);

/** The row of another object of the same cluster. */
export const beside = (row, name) => row.slice(0, row.lastIndexOf("/") + 1) + name;

export const quote = (word) => (/^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** The command line that does the same. */
export function command(words, row) {
  const [context, name] = placeOf(row), where = [...(context ? [`--context=${context}`] : []), ...(head?.options ?? [])];
  return ["holdfast", words, quote(name), ...where.map(quote)].join(" ");
}
