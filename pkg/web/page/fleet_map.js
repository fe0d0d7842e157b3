// SPDX-License-Identifier: Apache-2.0
// The map: groups of cells, each group a heading and canvases. A canvas is painted when it comes near the window, and then
// only the cells whose look has changed; scrolling and hovering paint nothing.
import { h, plain } from "./dom.js";
import { LOOKS, lookOf } from "./fleet_data.js";
import { t } from "./texts.js";
import { number } from "./times.js";

const CELL = 14, ROWS = 250, MOST_GROUPS = 400, LEAST_COLUMNS = 9;
const NOTHING = 255;

let root, cursor, onPick, onPoint;
let sprites = [];
let columns = 1;
const groups = new Map(); // by key: {section, title, cells, columns, chunks, rows}
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
  const scale = window.devicePixelRatio || 1, n = Math.round(size * scale);
  canvas.width = canvas.height = n;
  const c = canvas.getContext("2d");
  c.fillStyle = c.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue(`--${look === "away" ? "soft" : look}`);
  c.lineWidth = n * 0.12;
  c.beginPath();
  SHAPES[look](c, n);
  return canvas;
}

function makeSprites() {
  sprites = LOOKS.map((look) => drawLook(look, document.createElement("canvas"), CELL));
}

function paint(chunk) {
  if (!chunk.near || chunk.painted === chunk.wanted) return;
  const n = sprites[0].width, c = chunk.canvas.getContext("2d");
  if (chunk.looks === null) {
    chunk.canvas.width = chunk.columns * n;
    chunk.canvas.height = chunk.lines * n;
    chunk.looks = new Uint8Array(chunk.wanted.length).fill(NOTHING);
  }
  chunk.wanted.forEach((look, i) => {
    if (chunk.looks[i] === look) return;
    const x = (i % chunk.columns) * n, y = Math.floor(i / chunk.columns) * n;
    c.clearRect(x, y, n, n);
    c.drawImage(sprites[look], x, y);
    chunk.looks[i] = look;
  });
  chunk.painted = chunk.wanted;
}

const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    target.chunk.near = isIntersecting;
    if (isIntersecting) paint(target.chunk);
  }
}, { rootMargin: "400px" });

// ---- groups ----------------------------------------------------------------------------------------------------------

function sizeChunks(group) {
  const n = group.rows.length, lines = Math.ceil(n / group.columns), each = group.columns * ROWS;
  while (group.chunks.length > Math.ceil(n / each)) {
    const chunk = group.chunks.pop();
    watcher.unobserve(chunk.canvas);
    chunk.canvas.remove();
  }
  for (let i = 0; i * each < n; i++) {
    let chunk = group.chunks[i];
    if (chunk === undefined) {
      const canvas = h("canvas", { "aria-hidden": "true" });
      chunk = { canvas, near: false, looks: null };
      canvas.chunk = chunk;
      group.chunks.push(chunk);
      group.cells.append(canvas);
      watcher.observe(canvas);
    }
    const own = Math.min(lines - i * ROWS, ROWS);
    if (chunk.columns !== group.columns || chunk.lines !== own || chunk.wanted?.length !== Math.min(n - i * each, each)) {
      Object.assign(chunk, { columns: group.columns, lines: own, looks: null });
      chunk.canvas.style.width = `${group.columns * CELL}px`;
      chunk.canvas.style.height = `${own * CELL}px`;
    }
    chunk.wanted = Uint8Array.from(group.rows.slice(i * each, (i + 1) * each), (row) => LOOKS.indexOf(lookOf(row)));
    paint(chunk);
  }
}

function showGroup(one) {
  let group = groups.get(one.key);
  if (group === undefined) {
    const title = h("h3"), cells = h("div", { class: "cells" });
    group = { key: one.key, title, cells, section: h("div", { class: "group" }, title, cells), chunks: [] };
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
  group.section.style.width = `${group.columns * CELL}px`;
  sizeChunks(group);
  return group;
}

/** [{key, title, rows, counts}], in order. Returns how many were not drawn. */
export function showMap(all) {
  columns = Math.max(Math.floor(root.clientWidth / CELL), 1);
  const keys = new Set(all.slice(0, MOST_GROUPS).map((one) => one.key));
  for (const [key, group] of groups)
    if (!keys.has(key)) {
      group.chunks.forEach((chunk) => watcher.unobserve(chunk.canvas));
      group.section.remove();
      groups.delete(key);
    }
  order = all.slice(0, MOST_GROUPS).map(showGroup);
  order.forEach((group, i) => { if (root.children[i] !== group.section) root.insertBefore(group.section, root.children[i] ?? null); });
  if (at !== null && !(groups.get(at.group.key) === at.group && at.index < at.group.rows.length)) hideCursor();
  return Math.max(all.length - MOST_GROUPS, 0);
}

// ---- pointer and keys ------------------------------------------------------------------------------------------------

function hideCursor() {
  at = null;
  cursor.hidden = true;
  onPoint(null);
}

function point(group, index, byKey) {
  at = { group, index };
  const x = (index % group.columns) * CELL, y = Math.floor(index / group.columns) * CELL;
  if (cursor.parentElement !== group.cells) group.cells.append(cursor);
  cursor.style.transform = `translate(${x}px, ${y}px)`;
  cursor.hidden = false;
  if (byKey) cursor.scrollIntoView({ block: "nearest" });
  onPoint(group.rows[index], cursor, byKey, group);
}

function indexAt(event) {
  const group = event.target.closest?.(".cells")?.group;
  if (group === undefined) return null;
  const box = group.cells.getBoundingClientRect();
  const x = Math.floor((event.clientX - box.left) / CELL), y = Math.floor((event.clientY - box.top) / CELL), index = y * group.columns + x;
  return x >= 0 && x < group.columns && y >= 0 && index < group.rows.length ? { group, index } : null;
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
  if (at === null || key === "Home") return point(order[0], 0, true);
  const last = order[order.length - 1];
  if (key === "End") return point(last, last.rows.length - 1, true);
  const step = STEPS[key](at.group), index = at.index + step, i = order.indexOf(at.group);
  if (index >= 0 && index < at.group.rows.length) return point(at.group, index, true);
  const next = order[i + Math.sign(step)];
  return next === undefined ? undefined : point(next, step > 0 ? 0 : next.rows.length - 1, true);
}

/** `pick` gets a row, `pointAt` a row with the element at its place, or null. */
export function makeMap(element, pick, pointAt, resized) {
  root = element;
  onPick = pick;
  onPoint = pointAt;
  cursor = h("div", { class: "cursor", hidden: true });
  makeSprites();
  root.addEventListener("pointermove", (event) => {
    const found = indexAt(event);
    if (found === null) { if (at !== null) hideCursor(); }
    else if (found.group !== at?.group || found.index !== at.index) point(found.group, found.index, false);
  });
  root.addEventListener("pointerleave", () => { if (at !== null && document.activeElement !== root) hideCursor(); });
  root.addEventListener("click", (event) => {
    const found = indexAt(event);
    if (found !== null) onPick(found.group.rows[found.index]);
  });
  root.addEventListener("keydown", onKey);
  new ResizeObserver(resized).observe(root);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    makeSprites();
    for (const group of groups.values())
      for (const chunk of group.chunks) { chunk.looks = chunk.painted = null; paint(chunk); }
    resized();
  });
}
