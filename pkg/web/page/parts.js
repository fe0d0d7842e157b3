// SPDX-License-Identifier: Apache-2.0
// What the pages of a node and of the fleet have in common: the frame, marks, sections, and how they ask and save.
import { h, morphAll, own, plain } from "./dom.js";
import { t } from "./texts.js";
import { isUtc, setUtc } from "./times.js";

const LIMIT_MS = 10000, ACT_LIMIT_MS = 250000;
// A mark says the same as its colour.
const MARKS = { good: "\u25cf", busy: "\u25b6", wait: "\u25d0", bad: "\u25a0", away: "\u2715", soaks: "\u25d4", later: "\u25cb" };

export const $ = (id) => document.getElementById(id);

export const mark = (look, word) => h("span", { class: `state ${look}`, "data-mark": MARKS[look] }, word);

export const button = (id, word, attributes) => h("button", { type: "button", id, ...attributes }, word);

/** The button that opens a node of the fleet. */
export const nodeButton = (row, name) => button(null, own(name ?? row), { class: "link", "data-node": plain(row) });

/** What a command or a server has answered. */
export const said = (text, bad) => h("pre", { class: bad ? "bad" : null, tabindex: "0", "aria-label": t("answer") }, plain(text));

export const section = (name, attributes, ...children) =>
  h("section", { id: name, "aria-labelledby": `${name}-title`, ...attributes }, h("h2", { id: `${name}-title` }, t(name)), children);

/** The frame of a page; `show` is called when the reader wants times in another zone. */
export function frame(skipTo, show, ...content) {
  document.body.append(h("a", { href: skipTo, class: "skip" }, t("skip")), h("header", { id: "head" }), h("div", { id: "problem", role: "status" }), ...content);
  $("head").addEventListener("click", ({ target }) => {
    if (target.id !== "zone") return;
    setUtc(!isUtc());
    show();
  });
}

/** `where` and `way` say softly what is shown and how it comes. */
export function showHead(title, name, where, way) {
  document.title = title;
  morphAll($("head"), [h("h1", null, name), h("bdi", { class: "soft" }, where), h("span", { id: "way", class: "soft" }, way),
    button("zone", t("showUtc"), { class: "end", "aria-pressed": String(isUtc()) })]);
}

/** JSON of the server, to `body` if there is one, or {bundle}; an Error has its words, and `refused` when it does not want this reader. */
export async function ask(path, headers, body) {
  const how = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const answer = await fetch(path, { ...how, headers, signal: AbortSignal.timeout(body === undefined ? LIMIT_MS : ACT_LIMIT_MS), cache: "no-store", credentials: "omit", redirect: "error" });
  if (answer.ok) return answer.headers.get("Content-Type")?.startsWith("text/plain") ? { bundle: await answer.blob() } : answer.json();
  const said = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(plain(said.error ?? answer.status)), { refused: [401, 403].includes(answer.status) });
}

export function save(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
