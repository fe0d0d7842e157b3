// SPDX-License-Identifier: Apache-2.0
// Small plots: of the last 24 hours, from /page/history.json, and of what a caller has.
import { h, svg } from "./dom.js";
import { section } from "./parts.js";
import { t } from "./texts.js";
import { bytes, duration, number } from "./times.js";

const DAY_S = 86400, WIDTH = 288, HEIGHT = 60;
const share = (value) => t("percent", (value * 100).toFixed(value < 0.1 ? 2 : 0));
const perSecond = (value) => t("rate", bytes(value));

const PLOTS = [
  ["networkBytes", perSecond], ["queuedEvents", number], ["contactAgeSeconds", duration], ["diskUsedRatio", share],
  ["writtenBytes", perSecond], ["cpuSeconds", share], ["residentBytes", bytes],
];

// A line for each run of known values; the scale begins at zero.
function line(ages, values, most, span) {
  let path = "", drawing = false;
  ages.forEach((age, i) => {
    const value = values[i];
    if (!Number.isFinite(value)) { drawing = false; return; }
    const x = ((1 - age / span) * WIDTH).toFixed(1), y = (HEIGHT - 2 - (value / most) * (HEIGHT - 4)).toFixed(1);
    path += drawing ? `L${x} ${y}` : `M${x} ${y}h.5`;
    drawing = true;
  });
  return path;
}

/** Of the last `span` seconds; `most` is the top of the scale, or the largest value. */
export function plot(title, format, ages, values, { span = DAY_S, most: top } = {}) {
  const known = values.filter((value) => Number.isFinite(value) && value >= 0);
  if (known.length === 0) return null;
  const least = known.reduce((a, b) => Math.min(a, b)), most = known.reduce((a, b) => Math.max(a, b)), now = known.at(-1);
  const range = t("plotRange", format(least), format(most));
  return h("figure", null,
    h("figcaption", null, h("span", null, title), h("span", { class: "number" }, format(now))),
    svg("svg", { class: "plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
      "aria-label": t("plotLabel", title.textContent ?? title, format(now), range) },
    svg("path", { d: line(ages, values.map((value) => (value >= 0 ? value : NaN)), top || most || 1, span) })),
    h("span", { class: "soft" }, range));
}

export function plots(history) {
  const ages = Array.isArray(history?.ages) ? history.ages : [];
  const figures = PLOTS.map(([name, format]) => plot(t(name), format, ages, history?.series?.[name] ?? []));
  return section("plots", { class: "wide" },
    figures.some((one) => one !== null) ? h("div", { class: "plots" }, figures) : h("p", null, t("noPlots")));
}
