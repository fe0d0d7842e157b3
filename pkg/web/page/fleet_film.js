// SPDX-License-Identifier: Apache-2.0
// The rollouts: waves fill, soaks count down, and what stands still says which nodes and why.
import { h, own, plain } from "./dom.js";
import { actButton, yamlButton } from "./fleet_acts.js";
import { beside, command, placeOf } from "./fleet_data.js";
import { button, mark, nodeButton } from "./parts.js";
import { t } from "./texts.js";
import { duration, number, serverNow } from "./times.js";

const MOST = 30;
const LOOKS = { Halted: "bad", Failed: "bad", Refused: "bad", Progressing: "busy", Complete: "good" };
const STOPPED = ["Halted", "Paused"];
const ORDER = ["bad", "busy", "wait", "good"];

const lookOf = (update) => LOOKS[update.state] ?? "wait";

/** The soak counts from when the row came: the controller wrote `soaked` then or before. */
function soakText(update) {
  const left = update.soak - update.soaked - Math.floor((serverNow() - update.at) / 1000);
  return left > 0 ? t("soakLeft", duration(left)) : t("soaked");
}

function stage(name, place, update) {
  const now = update.wave, over = update.state === "Complete" || place < now;
  const state = over ? mark("good", t("done"))
    : place > now || update.phase === "" ? mark("later", t("notYet"))
      : STOPPED.includes(update.state) ? mark(lookOf(update), own(update.state))
        : update.phase.endsWith("Soak") ? mark("soaks", soakText(update)) : mark("busy", t("open"));
  return h("li", { "aria-current": place === now && !over ? "step" : null }, h("span", null, name), " ", state);
}

function stages(update) {
  if (!update.strategy) return null;
  const waves = update.waves.length > 0 ? update.waves : [{ percent: 100 }];
  return h("ol", { class: "stages" },
    stage(t("canary"), 0, update),
    waves.map((wave, i) => stage(t("waveShare", i + 1, wave.percent), i + 1, update)));
}

const COUNTS = [["updated", "good"], ["updating", "busy"], ["failed", "bad"], ["unknown", "soft"], ["incompatible", "wait"], ["superseded", "wait"]];

function counts(update) {
  const all = update.nodes;
  if (all === null || typeof all !== "object") return null;
  const total = Math.max(all.selected, 1), parts = COUNTS.filter(([key]) => all[key] > 0);
  return [
    h("progress", { max: total, value: Math.min(all.updated, total), "aria-label": t("counts", number(all.updated), number(all.selected)) }),
    h("p", null, t("counts", number(all.updated), number(all.selected)),
      parts.map(([key, look]) => [" \u00b7 ", h("span", { class: look }, `${number(all[key])} ${t(key === "unknown" ? "unknownNodes" : key)}`)])),
  ];
}

const told = (update) => (one) => h("li", null, nodeButton(beside(update.n, one.node), one.node), " ", h("code", null, own(one.reason)), one.message && [" ", own(one.message)]);

function trouble(update) {
  const failures = Array.isArray(update.failures) ? update.failures : [];
  const waiting = Array.isArray(update.waitingFor) ? update.waitingFor : [];
  return [
    update.message && h("p", null, h("code", null, own(update.reason)), " ", own(update.message)),
    failures.length > 0 && [h("p", { class: "soft" }, t("failures")), h("ul", { class: "tight" }, failures.map(told(update)))],
    update.trouble?.node && [h("p", { class: "soft" }, t("troubleOf")), h("ul", { class: "tight" }, told(update)(update.trouble))],
    waiting.length > 0 && [h("p", { class: "soft" }, t("waitsForTurn")),
      h("ul", { class: "tight" }, waiting.map((one) => h("li", null, nodeButton(beside(update.n, one.node ?? one), one.node ?? one), " ", actButton("FreeTurn", beside(update.n, one.node ?? one), update.release))))],
  ];
}

function card(update) {
  const acts = update.state === "Complete" ? [] : [...STOPPED, "Failed"].includes(update.state) ? ["Resume"] : ["Pause", "Halt"];
  return h("section", { class: `rollout${update.person ? " gone" : ""}`, "data-update": plain(update.n), "aria-label": plain(update.n) },
    h("div", { class: "row" }, h("h3", null, own(placeOf(update.n)[1])), mark(lookOf(update), own(update.state)), h("span", { class: "soft" }, own(update.stage))),
    h("p", null, own(update.release), " ", h("strong", null, own(update.version))),
    counts(update), stages(update),
    (lookOf(update) !== "good" || update.person) && trouble(update),
    h("div", { class: "row" }, button(null, t("showNodes"), { "data-show": plain(update.n) }), update.strategy && acts.map((act) => actButton(act, update.n)), yamlButton("edgeupdates", update.n)),
    h("details", null, h("summary", null, t("commands")), ["watch", ...acts].map((word) => h("p", null, h("code", null, command(`rollout ${word.toLowerCase()}`, update.n))))));
}

export function film(updates) {
  const rank = (one) => (one.person ? -1 : ORDER.indexOf(lookOf(one)));
  const all = [...updates.values()].sort((a, b) => rank(a) - rank(b) || (a.n < b.n ? -1 : 1));
  return [
    all.length === 0 ? h("p", null, t("noRollouts")) : h("p", { class: "soft" }, t("pauseOrHalt")),
    h("div", { class: "rollouts" }, all.slice(0, MOST).map(card)),
    all.length > MOST && h("p", null, t("moreRollouts", number(all.length - MOST))),
  ].filter(Boolean);
}
