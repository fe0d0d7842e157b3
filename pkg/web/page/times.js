// SPDX-License-Identifier: Apache-2.0
// Times in the reader's zone with UTC at hand, and numbers as people read them.
import { h, own } from "./dom.js";
import { t } from "./texts.js";

let inUtc = false;
let ahead = 0; // the server's clock minus this browser's, in ms

export const isUtc = () => inUtc;
export function setUtc(value) { inUtc = value; }

/** Milliseconds of an RFC 3339 time, or NaN: Date.parse() alone takes many other texts for times. */
const parse = (text) =>
  (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text ?? "") ? Date.parse(text) : NaN);

/** The answer's own time says how far this browser's clock is off; ages count by the server's. */
export function setServerTime(text) {
  const at = parse(text);
  if (!Number.isNaN(at)) ahead = at - Date.now();
}

export const serverNow = () => Date.now() + ahead;

export function moment(text) {
  const at = parse(text);
  if (Number.isNaN(at)) return null;
  const utc = new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
  const shown = inUtc ? utc : new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
  return h("time", { datetime: utc, title: utc }, shown);
}

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });

/** "3 minutes ago", "in 2 hours". */
export function ago(text) {
  const at = parse(text);
  if (Number.isNaN(at)) return "";
  const seconds = Math.round((at - serverNow()) / 1000);
  const [unit, length] = UNITS.find(([, n]) => Math.abs(seconds) >= 2 * n) ?? UNITS[3];
  return relative.format(Math.trunc(seconds / length), unit);
}

/** Both: "24 Nov 2026, 10:00:00 (3 minutes ago)". */
export function when(text) {
  const at = moment(text);
  return at === null ? own(text) : h("span", null, at, " ", h("span", { class: "soft" }, `(${ago(text)})`));
}

export function duration(seconds) {
  if (!Number.isFinite(seconds) || seconds < 0) return t("unknown");
  const [unit, length] = UNITS.find(([, n]) => seconds >= 2 * n) ?? UNITS[3];
  return new Intl.NumberFormat("en", { style: "unit", unit, unitDisplay: "long" }).format(Math.floor(seconds / length));
}

export function bytes(n) {
  if (!Number.isFinite(n)) return t("unknown");
  let i = 0;
  for (; n >= 1024 && i < 5; i++) n /= 1024;
  return `${i === 0 ? Math.round(n) : n.toFixed(n < 10 ? 1 : 0)} ${["B", "KiB", "MiB", "GiB", "TiB", "PiB"][i]}`;
}

const decimal = new Intl.NumberFormat("en");
export const number = (n) => (Number.isFinite(n) ? decimal.format(n) : t("unknown"));
