// SPDX-License-Identifier: Apache-2.0
// The sections of a node, from an EdgeNode and the figures beside it. Each is a function of the state alone.
import { h, own, plain } from "./dom.js";
import { mark, section } from "./parts.js";
import { t } from "./texts.js";
import { ago, bytes, duration, moment, number, when } from "./times.js";

// How a word of the status looks; any other waits.
const LOOKS = {
  good: ["Committed", "Applied", "Fresh", "Closed", "True", "Running", "Standby"],
  busy: ["Fetching", "Patching", "Verified", "Swapping", "Probation", "Applying", "HalfOpen", "Starting"],
  bad: ["RollingBack", "RolledBack", "Rejected", "Refused", "Expired", "Silent", "Open", "Critical", "Missing", "False"],
};
const lookOf = (word) => Object.keys(LOOKS).find((look) => LOOKS[look].includes(word)) ?? "wait";

const state = (word, look = lookOf(word)) => mark(look, own(word));

// [label, value] pairs; a pair without a value is left out.
const facts = (...pairs) =>
  h("dl", null, pairs.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "")
    .map(([label, value]) => [h("dt", null, label), h("dd", null, value)]));

/** One of a list: its name, the word of its state, and facts. */
const item = (name, word, ...pairs) => h("li", null, h("div", { class: "row" }, h("h3", null, own(name)), typeof word === "string" ? state(word) : word), facts(...pairs));

const text = (value) => (value === undefined || value === null || value === "" ? null : own(value));
const list = (value) => strings(value).filter((item) => item !== null && typeof item === "object");
const strings = (value) => (Array.isArray(value) ? value : []);
const since = ({ phase, time }) => [t(phase === "Waiting" ? "waitingSince" : "since"), time && when(time)];
const percent = (value) => (Number.isFinite(value) ? t("percent", value) : null);

// ---- what is wrong ---------------------------------------------------------------------------------------------------

const DOCS = "docs/reference/symptoms.md";
// The conditions whose True is trouble; of the others, False is.
const TRUE_IS_TROUBLE = ["Stalled", "PolicyConflict", "NodeNameShared", "DiskPressure", "MemoryPressure"];
const SAID_ELSEWHERE = ["Ready", "Reconciling", "Stalled", "ManifestsApplied"];
const FAILED = ["RolledBack", "RollingBack", "Rejected", "Refused"];

/** [{what, reason, look, message, means, does, waits}]: first what needs a person; `look` is the word in the docs. */
export function troublesOf(status, reasons) {
  const troubles = [];
  const add = (what, item, table, waits) => {
    const known = Object.hasOwn(reasons[table] ?? {}, item.reason ?? "") ? reasons[table][item.reason] : {};
    troubles.push({ what, reason: item.reason, look: table === "condition" ? what : item.reason, message: item.message, means: known.means, does: known.do, waits });
  };
  for (const update of list(status.updates))
    if (update.phase !== "Committed" && update.phase !== "Incompatible")
      add(update.name, update, "update", !FAILED.includes(update.phase));
  for (const entry of list(status.manifests))
    if (entry.phase !== "Applied") add(entry.name, entry, "manifest", !FAILED.includes(entry.phase));
  const contact = status.contact ?? {};
  if (contact.reason || (contact.state && contact.state !== "Fresh"))
    add(t("contact"), { reason: contact.reason ?? contact.state, message: contact.message }, "contact", contact.state === "Fresh");
  for (const it of strings(status.telemetry?.troubles)) add(t("telemetry"), { reason: "SinkFails", message: it }, "sink", false);
  for (const sink of list(status.telemetry?.sinks)) {
    if (sink.droppedEvents > 0) add(sink.name, { reason: "EventsLost", message: t("eventsLost", number(sink.droppedEvents)) }, "sink", false);
    if (sink.breaker && sink.breaker !== "Closed") add(sink.name, { reason: "SinkFails", message: sink.message ?? t("sinkFails") }, "sink", true);
  }
  for (const it of list(status.conditions)) {
    const subject = SAID_ELSEWHERE.includes(it.type) ? plain(it.message).split(":")[0] : null; // a refused object is said nowhere else
    if (subject !== null && (it.reason !== "ObjectRefused" || troubles.some((one) => one.reason === it.reason))) continue;
    if (it.status === (TRUE_IS_TROUBLE.includes(it.type) ? "True" : "False")) add(subject ?? it.type, it, subject === null ? "condition" : "update", false);
  }
  return troubles.sort((a, b) => a.waits - b.waits);
}

function trouble(one) {
  return h("li", null,
    h("div", { class: "row" }, state(one.reason ?? "Unknown", one.waits ? "wait" : "bad"), h("span", null, own(one.what))),
    one.means && h("p", null, own(one.means)),
    one.message && one.message !== one.means && h("p", null, own(one.message)),
    one.does && one.does !== "nothing" && h("p", null, h("span", { class: "soft" }, t("todo"), ": "), own(one.does)),
    one.look && h("p", { class: "soft" }, t("seeDocs", `${DOCS}, ${plain(one.look)}`)));
}

function health({ status, reasons }) {
  const troubles = troublesOf(status, reasons);
  const bad = troubles.filter((one) => !one.waits);
  return section("health", { class: `wide${bad.length > 0 ? " gone" : ""}` },
    h("p", null, troubles.length === 0 ? t("allWell") : bad.length > 0 ? t("needsPerson") : t("waits")),
    troubles.length > 0 && h("ul", null, troubles.map(trouble)));
}

// ---- the sections ----------------------------------------------------------------------------------------------------

function releases({ status }) {
  const updates = list(status.updates);
  return section("releases", null, updates.length === 0 && h("p", null, t("noReleases")),
    h("ul", null, updates.map((update) => item(update.name, update.phase ?? "Unknown",
      [t("runs"), text(update.installedVersion) ?? t("none")],
      [t("wanted"), update.version !== update.installedVersion && text(update.version)],
      since(update), [t("from"), text(update.from)], [t("by"), text(update.method)],
      [t("fetched"), Number.isFinite(update.bytesFetched) && fetched(update, status)],
      [t("attempts"), update.attempts > 1 && number(update.attempts)],
      [t("sequence"), Number.isFinite(update.sequence) && String(update.sequence)]))));
}

function fetched(update, status) {
  const rate = status.network?.downloadBytesPerSecond;
  const moves = update.phase === "Fetching" && Number.isFinite(rate);
  return [bytes(update.bytesFetched), moves && `, ${t("rate", bytes(rate))}`];
}

function contact({ status, now }) {
  const { contact: it = {}, network = {} } = status;
  return section("contact", null, facts(
    [t("state"), it.state && state(it.state)],
    [t("reason"), text(it.reason)],
    [t("lastContact"), Number.isFinite(now.contactAgeSeconds) && now.contactAgeSeconds >= 0
      ? h("span", null, it.lastTime && moment(it.lastTime), " ", h("span", { class: "soft" }, `(${t("ago", duration(now.contactAgeSeconds))})`))
      : it.lastTime ? when(it.lastTime) : t("none")],
    [t("roundTrip"), Number.isFinite(network.apiRoundTripMilliseconds) && t("millisecondsOf", network.apiRoundTripMilliseconds)],
    [t("download"), Number.isFinite(network.downloadBytesPerSecond) && t("rate", bytes(network.downloadBytesPerSecond))],
    [t("today"), Number.isFinite(network.bytesToday) && limited(network.bytesToday, network.maxBytesPerDay)]));
}

const limited = (n, limit) => (Number.isFinite(limit) ? t("ofLimit", bytes(n), bytes(limit)) : bytes(n));

function hold({ status, page }) {
  const it = status.hold, active = it?.active;
  return section("hold", null,
    active ? facts([t("state"), state("Held")], [t("reason"), text(it.reason)], [t("since"), it.since && when(it.since)], [t("until"), it.until && when(it.until)])
      : h("p", null, t("noHold")),
    page === "Act" && h("p", null, h("a", { href: active ? "#act-Release" : "#act-Hold" }, t(active ? "act_Release" : "act_Hold"))));
}

function policy({ status }) {
  const it = status.policy ?? {};
  const policies = list(it.policies), sections = list(it.sections), names = policies.length > 0 ? policies.map((one) => one.name) : [it.name];
  return section("policy", null,
    !it.name && h("p", null, t("defaults")),
    facts([t("policies"), it.name && names.flatMap((name, i) => [i > 0 && ", ", own(name)])], [t("interval"), text(it.interval)]),
    sections.length > 0 && h("details", null, h("summary", null, t("sections")),
      facts(...sections.map((one) => [own(one.path), [own(one.policy), one.signed && ` (${t("signed")})`]]))));
}

function entries({ status }) {
  const all = list(status.manifests);
  return section("entries", null, all.length === 0 && h("p", null, t("noEntries")),
    h("ul", null, all.map((entry) => item(entry.name, entry.phase ?? "Unknown",
      [t("target"), text(entry.to)], [t("reason"), text(entry.reason)],
      since(entry), [t("items"), Number.isFinite(entry.items) && number(entry.items)],
      [t("drifts"), entry.drifts > 0 && t("driftsOf", number(entry.drifts))],
      [t("alone"), entry.alone?.state && state(entry.alone.state)]))));
}

function disks({ status }) {
  const all = list(status.disk), writes = status.writes ?? {};
  return section("disks", null, all.length === 0 && h("p", null, t("disksWell")),
    h("ul", null, all.map((disk) => item(disk.path, disk.level,
      [t("used"), percent(disk.usedPercent)], [t("inodes"), percent(disk.inodesUsedPercent)],
      [t("readOnly"), disk.readOnly && t("yes")], [t("wear"), percent(disk.wearPercent)]))),
    facts([t("writes"), Number.isFinite(writes.bytesToday) && limited(writes.bytesToday, writes.budgetBytes)]));
}

function clock({ status, time }) {
  const it = status.clock ?? {}, off = it.offsetMilliseconds;
  return section("clock", null, facts(
    [t("nodeTime"), moment(time)],
    [t("offset"), Number.isFinite(off) && t(off < 0 ? "behind" : "ahead", number(Math.abs(off)))],
    [t("synchronized"), typeof it.synchronized === "boolean" && t(it.synchronized ? "kept" : "notKept")]));
}

const queue = (it) => [t("queue"), Number.isFinite(it.queuedEvents) && t("events", number(it.queuedEvents), bytes(it.queuedBytes))];
const oldest = (it) => [t("oldest"), it.oldestTime && when(it.oldestTime)];

const BREAKERS = ["Closed", "Open", "HalfOpen"];

function telemetry({ status }) {
  const it = status.telemetry ?? {}, sinks = list(it.sinks);
  const troubles = strings(it.troubles);
  if (sinks.length === 0 && troubles.length === 0) return section("telemetry", null, h("p", null, t("noTelemetry")));
  return section("telemetry", null,
    facts(queue(it), oldest(it), [t("onDisk"), Number.isFinite(it.diskBytes) && bytes(it.diskBytes)]),
    troubles.map((one) => h("p", { class: "bad" }, own(one))),
    h("ul", null, sinks.map((sink) => item(sink.name, BREAKERS.includes(sink.breaker) ? mark(lookOf(sink.breaker), t(`sink_${sink.breaker}`)) : sink.breaker,
      [t("target"), text(sink.origin)], queue(sink), oldest(sink),
      [t("delivered"), sink.lastDeliveryTime && when(sink.lastDeliveryTime)],
      [t("deadLetters"), t("sinceStart", number(sink.deadLetters ?? 0))], [t("dropped"), t("sinceStart", number(sink.droppedEvents ?? 0))],
      [t("waitingFor"), text(sink.waitingFor)], [t("message"), text(sink.message)]))));
}

function journal({ status }) {
  const it = status.journal ?? {};
  return section("journal", null,
    facts([t("journalEntries"), Number.isFinite(it.entries) && number(it.entries)], [t("journalHash"), it.lastHash && h("code", null, own(it.lastHash))]),
    h("p", { class: "soft" }, t("journalHow")));
}

function trust({ status }) {
  const keys = strings(status.trust?.keys);
  return section("trust", null, keys.length === 0 && h("p", null, t("noKeys")),
    keys.map((key) => h("p", null, h("code", null, own(key)))),
    status.trust?.more > 0 && h("p", null, t("moreKeys", number(status.trust.more))));
}

function conditions({ status }) {
  return section("conditions", { class: "wide" }, facts(...list(status.conditions).map((one) => [own(one.type),
    [own(one.status), " ", h("code", null, own(one.reason)), one.message && [": ", own(one.message)],
      one.lastTransitionTime && h("span", { class: "soft" }, ` (${ago(one.lastTransitionTime)})`)]])));
}

function about({ status, now, time }) {
  const it = status.agent ?? {};
  return section("node", null, facts(
    [t("agent"), t("agentMode", plain(it.version ?? t("unknown")), plain(it.mode ?? t("unknown")))],
    [t("state"), it.state && state(it.state)],
    [t("running"), now.startUnixSeconds > 0 && duration(Date.parse(time) / 1000 - now.startUnixSeconds)],
    [t("reported"), status.observedTime && when(status.observedTime)]));
}

const SECTIONS = [health, releases, contact, hold, entries, policy, telemetry, disks, clock, journal, trust, about, conditions];

/** The sections of `document`, as /page/state.json has it. */
export function nodeSections(document, reasons) {
  const status = { ...document.node?.status, ...(document.telemetry && { telemetry: document.telemetry }) };
  return SECTIONS.map((one) => one({ status, now: document.now ?? {}, time: document.time, page: document.page, reasons }));
}
