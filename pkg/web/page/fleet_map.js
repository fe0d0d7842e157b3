// SPDX-License-Identifier: Apache-2.0
// The map: the browser lays out a heading and an empty field for each group; behind all fields are strips of one picture with
// the cells. News paint the cells whose look has changed; scrolling and hovering paint nothing.
import { h, plain } from "./dom.js";
import { LOOKS, lookOf } from "./fleet_data.js";
import { t } from "./texts.js";
import { number } from "./times.js";

const CELL = 14, STRIP = 1000, MOST_GROUPS = 400, LEAST_COLUMNS = 9;

let root, cursor, onPick, onPoint;
let sprites = [], strips = [], scale = 1; // strips: the contexts of their canvases
let laidOut = "", width = 0, height = 0; // what the places of the groups depend on, and what they take
const groups = new Map(); // by key: {section, title, cells, columns, rows, x, y, looks}
let order = []; // of the groups that are shown
let at = null; // {group, index} under the cursor

// ---- cells -----------------------------------------------------------------------------------------------------------

// Shape and colour say the same.
const SHAPES = {
  good: (c, n) => { c.arc(n / 2, n / 2, n * 0.24, 0, 7); c.fill(); },
  busy: (c, n) => { c.moveTo(n * 0.25, n * 0.15); c.lineTo(n * 0.85, n / 2); c.lineTo(n * 0.25, n * 0.85); c.fill(); },
  wait: (c, n) => { c.arc(n / 2, n / 2, n * 0.3, 0, 7); c.stroke(); c.beginPath(); c.arc(n / 2, n / 2, n * 0.3, 1.57, 4.71); c.fill(); },
  bad: (c, n) => { c.rect(n * 0.08, n * 0.08, n * 0.84, n * 0.84); c.fill(); },
  away: (c, n) => { c.moveTo(n * 0.2, n * 0.2); c.lineTo(n * 0.8, n * 0.8); c.moveTo(n * 0.8, n * 0.2); c.lineTo(n * 0.2, n * 0.8); c.stroke(); },
};

/** One cell as a picture of its own, also for the legend. */
export function drawLook(look, canvas, size) {
  const n = Math.round(size * (window.devicePixelRatio || 1)), c = canvas.getContext("2d");
  canvas.width = canvas.height = n;
  c.fillStyle = c.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue(`--${look === "away" ? "soft" : look}`);
  c.lineWidth = n * 0.12;
  c.beginPath();
  SHAPES[look](c, n);
  return canvas;
}

const xOf = (index, group) => group.x + (index % group.columns) * CELL;
const yOf = (index, group) => group.y + Math.floor(index / group.columns) * CELL;

function paintCell(look, group, index) {
  const before = group.looks[index], x = xOf(index, group), y = yOf(index, group);
  if (before === look) return;
  group.looks[index] = look;
  const n = sprites[0].width;
  for (let i = Math.floor(y / STRIP); i <= Math.floor((y + CELL) / STRIP) && i < strips.length; i++) {
    const c = strips[i], left = Math.round(x * scale), top = Math.round((y - i * STRIP) * scale);
    if (before !== undefined) c.clearRect(left, top, n, n);
    if (look !== undefined) c.drawImage(sprites[look], left, top);
  }
}

function paint(group) {
  group.rows.forEach((row, i) => paintCell(LOOKS.indexOf(lookOf(row)), group, i));
  for (let i = group.rows.length; i < group.looks.length; i++) paintCell(undefined, group, i);
}

// ---- groups ----------------------------------------------------------------------------------------------------------

/** Empty strips behind all groups, and where each group is. */
function layOut() {
  width = root.clientWidth;
  height = root.clientHeight;
  scale = window.devicePixelRatio || 1;
  sprites = LOOKS.map((look) => drawLook(look, document.createElement("canvas"), CELL));
  for (const group of order) Object.assign(group, { x: group.cells.offsetLeft, y: group.cells.offsetTop, looks: [] });
  strips = [];
  for (let top = 0; top < height; top += STRIP) {
    const tall = Math.min(height - top, STRIP), strip = h("canvas", { "aria-hidden": "true", width: Math.ceil(width * scale), height: Math.ceil(tall * scale) });
    Object.assign(strip.style, { top: `${top}px`, width: `${width}px`, height: `${tall}px` });
    strips.push(strip.getContext("2d"));
    root.append(strip);
  }
}

function showGroup(one, columns) {
  let group = groups.get(one.key);
  if (group === undefined) {
    const title = h("h3"), cells = h("div", { class: "cells" });
    group = { key: one.key, title, cells, section: h("div", { class: "group" }, title, cells) };
    cells.group = group;
    groups.set(one.key, group);
  }
  group.rows = one.rows;
  group.columns = Math.min(Math.max(Math.ceil(Math.sqrt(one.rows.length * 2)), LEAST_COLUMNS), columns);
  const text = `${plain(one.title)} \u00b7 ${number(one.rows.length)}`;
  if (group.title.textContent !== text) {
    group.title.textContent = text;
    group.title.title = t("groupTitle", plain(one.title), number(one.rows.length), number(one.counts.bad), number(one.counts.away));
  }
  group.lines = Math.ceil(one.rows.length / group.columns);
  group.section.style.width = `${group.columns * CELL}px`;
  group.cells.style.height = `${group.lines * CELL}px`;
  return group;
}

/** [{key, title, rows, counts}], in order. Returns how many were not drawn. */
export function showMap(all) {
  const columns = Math.max(Math.floor(root.clientWidth / CELL), 1);
  order = all.slice(0, MOST_GROUPS).map((one) => showGroup(one, columns));
  const key = JSON.stringify([root.clientWidth, window.devicePixelRatio, order.map((group) => [group.key, group.columns, group.lines])]);
  if (key !== laidOut) {
    laidOut = key;
    for (const [name, group] of groups) if (!order.includes(group)) groups.delete(name);
    root.replaceChildren(...order.map((group) => group.section));
    layOut();
    root.append(cursor);
  }
  order.forEach(paint);
  if (at !== null && order.includes(at.group) && at.index < at.group.rows.length) placeCursor();
  else if (at !== null) hideCursor();
  return Math.max(all.length - MOST_GROUPS, 0);
}

// ---- pointer and keys ------------------------------------------------------------------------------------------------

function hideCursor() {
  at = null;
  cursor.hidden = true;
  onPoint(null);
}

function placeCursor() {
  cursor.style.transform = `translate(${xOf(at.index, at.group)}px, ${yOf(at.index, at.group)}px)`;
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
  const { group } = event.target;
  if (group === undefined) return null;
  const index = Math.floor(event.offsetY / CELL) * group.columns + Math.floor(event.offsetX / CELL);
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
  const again = () => { laidOut = ""; show(); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  // Without news, too: the reader's size of text, or of the window.
  new ResizeObserver(() => { if (root.clientWidth !== width || root.clientHeight !== height) again(); }).observe(root);
}
