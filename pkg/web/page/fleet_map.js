// SPDX-License-Identifier: Apache-2.0
// The map: a heading and a drawing for each group, which the browser lays out and paints. A path holds the cells of one look in
// some lines of a group, so news redraw only what has changed; scrolling and hovering redraw nothing.
import { h, plain, svg } from "./dom.js";
import { LOOKS, lookOf } from "./fleet_data.js";
import { t } from "./texts.js";
import { number } from "./times.js";

const CELL = 14, LINES = 16, MOST_GROUPS = 400, LEAST_COLUMNS = 9;

let root, cursor, onPick, onPoint;
let shown = ""; // the keys of the groups that are shown
const groups = new Map(); // by key: {section, title, cells, columns, rows, paths}
let order = []; // of the groups that are shown
let at = null; // {group, index} under the cursor

// ---- cells -----------------------------------------------------------------------------------------------------------

// Shape and colour say the same.
const SHAPES = {
  good: "m3.6 7a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0z",
  busy: "m3.5 2v10l8.4-5z",
  wait: "m2.8 7a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0-8.4 0m4.2-2.9a2.9 2.9 0 0 1 0 5.8z",
  bad: "m1 1h12v12h-12z",
  away: "m2.8 2.8l8.4 8.4m0-8.4l-8.4 8.4",
};

/** One cell as a picture of its own, for the legend. */
export const drawLook = (look) =>
  svg("svg", { class: "cells", viewBox: `0 0 ${CELL} ${CELL}`, "aria-hidden": "true" }, svg("path", { class: look, d: `M0 0${SHAPES[look]}` }));

const xOf = (index, group) => (index % group.columns) * CELL;
const yOf = (index, group) => Math.floor(index / group.columns) * CELL;

function draw(group) {
  const wanted = new Map(), block = LINES * group.columns;
  group.rows.forEach((row, i) => {
    const look = lookOf(row), key = `${Math.floor(i / block)} ${look}`;
    wanted.set(key, `${wanted.get(key) ?? ""}M${xOf(i, group)} ${yOf(i, group)}${SHAPES[look]}`);
  });
  for (const [key, path] of group.paths)
    if (!wanted.has(key)) { path.remove(); group.paths.delete(key); }
  for (const [key, d] of wanted) {
    let path = group.paths.get(key);
    if (path === undefined) {
      group.paths.set(key, path = svg("path", { class: key.split(" ")[1] }));
      group.cells.append(path);
    }
    if (path.drawn !== d) path.setAttribute("d", path.drawn = d);
  }
}

// ---- groups ----------------------------------------------------------------------------------------------------------

function showGroup(one, columns) {
  let group = groups.get(one.key);
  if (group === undefined) {
    const title = h("h3"), cells = svg("svg", { class: "cells", "aria-hidden": "true" });
    group = { key: one.key, title, cells, section: h("div", { class: "group" }, title, cells), paths: new Map() };
    cells.group = group;
    groups.set(one.key, group);
  }
  group.rows = one.rows;
  group.columns = Math.min(Math.max(Math.ceil(Math.sqrt(one.rows.length * 2)), LEAST_COLUMNS), columns);
  const name = plain(one.title), count = ` \u00b7 ${one.rows.length < one.total ? t("ofLimit", number(one.rows.length), number(one.total)) : number(one.total)}`;
  if (group.title.textContent !== name + count) {
    group.title.replaceChildren(h("span", null, name), count);
    group.title.title = t("groupTitle", name, number(one.rows.length), number(one.counts.bad), number(one.counts.away));
  }
  group.cells.style.width = `${group.columns * CELL}px`;
  group.cells.style.height = `${Math.ceil(one.rows.length / group.columns) * CELL}px`;
  draw(group);
  return group;
}

/** [{key, title, rows, counts}], in order. Returns how many were not drawn. */
export function showMap(all) {
  const columns = Math.max(Math.floor(root.clientWidth / CELL), 1);
  order = all.slice(0, MOST_GROUPS).map((one) => showGroup(one, columns));
  const keys = JSON.stringify(order.map((group) => group.key));
  if (keys !== shown) {
    shown = keys;
    for (const [key, group] of groups) if (!order.includes(group)) groups.delete(key);
    root.replaceChildren(...order.map((group) => group.section), cursor);
  }
  if (at !== null && order.includes(at.group) && at.index < at.group.rows.length) placeCursor();
  else if (at !== null) hideCursor();
  return Math.max(all.length - MOST_GROUPS, 0);
}

// ---- pointer and keys ------------------------------------------------------------------------------------------------

function hideCursor() {
  at = null;
  cursor.hidden = true;
  cursor.style.transform = "";
  onPoint(null);
}

function placeCursor() {
  const { group, index } = at, field = group.cells.getBoundingClientRect(), map = root.getBoundingClientRect();
  cursor.style.transform = `translate(${field.left - map.left + xOf(index, group)}px, ${field.top - map.top + yOf(index, group)}px)`;
  cursor.hidden = false;
}

function point(group, index, event) {
  at = { group, index };
  placeCursor();
  if (event !== undefined) return onPoint(group.rows[index], event.clientX, event.clientY);
  cursor.scrollIntoView({ block: "nearest" });
  const box = cursor.getBoundingClientRect();
  return onPoint(group.rows[index], box.left, box.top, group.title.textContent);
}

function found(event) {
  const group = event.target.closest("svg")?.group;
  if (group === undefined) return null;
  const box = group.cells.getBoundingClientRect();
  const index = Math.floor((event.clientY - box.top) / CELL) * group.columns + Math.floor((event.clientX - box.left) / CELL);
  return index >= 0 && index < group.rows.length ? { group, index } : null;
}

const STEPS = { ArrowRight: () => 1, ArrowLeft: () => -1, ArrowDown: (group) => group.columns, ArrowUp: (group) => -group.columns };

function onKey(event) {
  if (event.key === "Enter" && at !== null) onPick(at.group.rows[at.index]);
  else if (event.key === "Escape" && at !== null) hideCursor();
  else if (event.key in STEPS || event.key === "Home" || event.key === "End") move(event.key);
  else return;
  event.preventDefault();
}

function move(key) {
  if (order.length === 0) return;
  if (at === null || key === "Home") return point(order[0], 0);
  const last = order[order.length - 1];
  if (key === "End") return point(last, last.rows.length - 1);
  const step = STEPS[key](at.group), index = at.index + step, i = order.indexOf(at.group);
  if (index >= 0 && index < at.group.rows.length) return point(at.group, index);
  const next = order[i + Math.sign(step)];
  return next === undefined ? undefined : point(next, step > 0 ? 0 : next.rows.length - 1);
}

/** `pick` gets a row; `pointAt` a row, its place in the window and, from the keyboard, the group's title; or null. */
export function makeMap(element, pick, pointAt, show) {
  root = element;
  onPick = pick;
  onPoint = pointAt;
  cursor = h("div", { class: "cursor", hidden: true });
  root.addEventListener("pointermove", (event) => {
    const one = found(event);
    if (one === null) { if (at !== null) hideCursor(); }
    else if (one.group !== at?.group || one.index !== at.index) point(one.group, one.index, event);
  });
  root.addEventListener("pointerleave", () => { if (at !== null && document.activeElement !== root) hideCursor(); });
  root.addEventListener("click", (event) => {
    const one = found(event);
    if (one !== null) onPick(one.group.rows[one.index]);
  });
  root.addEventListener("keydown", onKey);
  new ResizeObserver(show).observe(root);
}
