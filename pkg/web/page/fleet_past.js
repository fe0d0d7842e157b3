// SPDX-License-Identifier: Apache-2.0
// How many nodes ran which version, as cli/ui/past.h has it: asked for only while it is open, and then seldom.
import { h, morphAll, own, plain } from "./dom.js";
import { ask } from "./fleet_data.js";
import { $, button, section } from "./parts.js";
import { plot } from "./plots.js";
import { t } from "./texts.js";
import { duration, number, serverNow } from "./times.js";

const EVERY_MS = 30000, QUARTERS = [0, 0.25, 0.5, 0.75, 1];
let askedAt = -Infinity;

const nameOf = ({ version }) => (version === "" ? t("notTold") : own(version));

function table({ release, versions }, ages) {
  const places = QUARTERS.map((part) => Math.round(part * (ages.length - 1)));
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("pastOf", release) }, h("table", null,
    h("thead", null, h("tr", null, h("th", { scope: "col" }, t("installed")), places.map((i) => h("th", { scope: "col" }, ages[i] > 0 ? t("ago", duration(ages[i])) : t("now"))))),
    h("tbody", null, versions.map((one) => h("tr", null, h("th", { scope: "row" }, button(null, nameOf(one), { class: "link", "data-find": `runs=${plain(one.version)}` })), places.map((i) => h("td", null, number(one.n[i]))))))));
}

const shown = (one, ages) => [h("h3", null, t("pastOf", one.release)),
  h("div", { class: "plots" }, one.versions.map((version) => plot(nameOf(version), number, ages, version.n, { span: ages[0], most: one.nodes }))), table(one, ages)];

export async function showPast(opened) {
  if (!$("past-open").open || (!opened && performance.now() - askedAt < EVERY_MS)) return;
  askedAt = performance.now();
  const past = await ask(`/fleet/past?${Math.floor(serverNow() / 1000)}`).catch(() => null);
  if (past !== null) morphAll($("past-content"), past.releases.length > 0 ? past.releases.flatMap((one) => shown(one, past.ages)) : [h("p", null, t("noPast"))]);
}

export const pastSection = () => section("past", { class: "wide" },
  h("details", { id: "past-open" }, h("summary", null, t("pastHow")), h("div", { id: "past-content" })));
