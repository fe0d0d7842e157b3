// SPDX-License-Identifier: Apache-2.0
// The page of the fleet: filters in the address, the rollouts, the map, the list, one node. News are shown at most every
// SHOW_MS, so many of them cost no more than few; without news, a look at the clock each minute finds who fell silent.
import { h, morphAll, own, plain } from "./dom.js";
import { actButton, makeDialog, takeClick, yamlButton } from "./fleet_acts.js";
import { LOOKS, allNodes, ask, begin, command, failure, finder, head, isSeveral, isSilent, labels, lookOf, nodes, placeOf, updateOf, updates, waveOf } from "./fleet_data.js";
import { film } from "./fleet_film.js";
import { drawLook, makeMap, showMap } from "./fleet_map.js";
import { pastSection, showPast } from "./fleet_past.js";
import { nodeSections } from "./node.js";
import { $, button, frame, mark, nodeButton, save, section, showHead } from "./parts.js";
import { t } from "./texts.js";
import { ago, isUtc, number, serverNow } from "./times.js";

const SHOW_MS = 250, TABLE_MS = 1000, CLOCK_MS = 60000, PAGE = 100, MOST_CHOICES = 60;
const SITES = ["edge.codcompass.io/site", "site", "topology.kubernetes.io/zone", "topology.kubernetes.io/region"];
let reasons = {};
let found = []; // the rows that the filter lets through
let first = 0; // of the list's page
let shownNode = null, shownRow = null, openedFrom = null;
let shownAt = -Infinity, tableAt = -Infinity, timer = 0, tableKey = "", failed = "", choiceKey = "";

// ---- the filter, which is in the address -----------------------------------------------------------------------------

const KEYS = ["find", "group", "state"]; // state: the only one to show, or ""
const given = new URLSearchParams(location.search), filter = Object.fromEntries(KEYS.map((key) => [key, given.get(key) ?? ""]));
if (!LOOKS.includes(filter.state)) filter.state = "";

function writeAddress() {
  const query = new URLSearchParams(KEYS.filter((key) => filter[key] !== "").map((key) => [key, filter[key]]));
  history.replaceState(null, "", query.size > 0 ? `?${query}` : location.pathname);
  first = 0;
  refresh();
}

// ---- groups ----------------------------------------------------------------------------------------------------------

/** The label that most likely names a site, unless the address says otherwise. */
function groupNow() {
  if (filter.group !== "") return filter.group;
  const some = labels.values().next().value;
  const site = some === undefined ? undefined : SITES.find((key) => key in some);
  return site !== undefined ? `label:${site}` : isSeveral() ? "context" : "state";
}

function keyer(group) {
  const [how, ...rest] = group.split(":"), name = rest.join(":");
  if (how === "label") return (row) => labels.get(row.n)?.[name] ?? t("noValue");
  if (how === "version") return (row) => row.updates.find((one) => one.r === name)?.i || t("noValue");
  if (how === "context") return (row) => placeOf(row.n)[0];
  if (how === "release") return (row) => row.updates.map((one) => one.r).join(" + ") || t("noValue");
  if (how === "wave") return (row) => waveOf(row, updates.get(name));
  return (row) => `${LOOKS.indexOf(lookOf(row))} ${t(`look_${lookOf(row)}`)}`;
}

const cutRank = /^\d (?=\D)/;

/** One pass over all nodes: what the map and the list show, and the numbers of the legend. */
function sift() {
  const groups = new Map(), zero = () => Object.fromEntries(LOOKS.map((look) => [look, 0])), all = zero();
  const by = groupNow(), keyOf = keyer(by), ranked = by === "state" || by.startsWith("wave:");
  const wanted = finder(filter.find);
  found = [];
  for (const row of allNodes()) {
    const key = keyOf(row), look = lookOf(row);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, group = { key, title: ranked ? key.replace(cutRank, "") : key, total: 0, rows: [], counts: zero() });
    group.total++;
    if (!wanted(row)) continue;
    all[look]++;
    if (filter.state !== "" && filter.state !== look) continue;
    found.push(row);
    group.rows.push(row);
    group.counts[look]++;
  }
  const list = [...groups.values()].filter(({ rows }) => rows.length > 0);
  list.sort((a, b) => (ranked ? 0 : b.counts.bad - a.counts.bad || b.counts.away - a.counts.away) || a.key.localeCompare(b.key, "en", { numeric: true }));
  return { list, all };
}

// ---- head, problems, filters -----------------------------------------------------------------------------------------

function whereWeAre() {
  if (head === null) return t("fleetLoading");
  const [{ context, server }] = head.contexts;
  if (isSeveral()) return t("fleetContexts", number(head.contexts.length));
  return context ? t("fleetAt", plain(context), plain(server)) : plain(server);
}

function showProblem() {
  const said = [];
  if (failure?.noToken) said.push(t("fleetNoToken"));
  else if (failure !== null) said.push(failure.refused ? plain(failure.message) : t("fleetGone"));
  for (const one of head?.contexts ?? []) {
    const at = isSeveral() ? `${plain(one.context)}: ` : "";
    for (const key of ["nodes", "updates", "labels"]) if (one[key].lost) said.push(at + t(`lost_${key}`, plain(one[key].why)));
  }
  if (head?.partial) said.push(t("fleetPartial"));
  if (said.join("\n") === failed) return;
  failed = said.join("\n");
  morphAll($("problem"), said.map((text) => h("p", { class: "bad gone" }, text)));
}

function choices() {
  const keys = new Set(), releases = new Set([...updates.values()].map((update) => update.release)), found_ = [["state", t("byState")], ["release", t("byRelease")]];
  if (isSeveral()) found_.push(["context", t("context")]);
  let looked = 0;
  for (const mine of labels.values()) {
    for (const key in mine) keys.add(key);
    if (++looked > 2000 || keys.size > 500) break;
  }
  for (const key of [...keys].sort()) found_.push([`label:${key}`, t("byLabel", plain(key))]);
  for (const name of [...releases].sort().slice(0, MOST_CHOICES)) found_.push([`version:${name}`, t("byVersion", plain(name))]);
  for (const name of [...updates.keys()].sort().slice(0, MOST_CHOICES)) found_.push([`wave:${name}`, t("byWave", plain(name))]);
  const now = groupNow();
  if (!found_.some(([value]) => value === now)) found_.push([now, plain(now)]);
  return found_;
}

function showChoices() {
  const all = choices(), key = JSON.stringify([all, groupNow()]);
  if (key === choiceKey) return;
  choiceKey = key;
  morphAll($("group"), all.map(([value, text]) => h("option", { value }, text)));
  $("group").value = groupNow();
}

function showLegend(all) {
  for (const look of LOOKS) {
    const button = $(`look-${look}`);
    button.setAttribute("aria-pressed", String(filter.state === look));
    button.lastChild.data = `${t(`look_${look}`)} ${number(all[look])}`;
  }
}

// ---- the list --------------------------------------------------------------------------------------------------------

const lookWord = (look) => mark(look, t(`look_${look}`));

const seenAt = (row) => (row.seen > 0 ? new Date(row.seen * 1000).toISOString().replace(/\.\d+Z$/, "Z") : "");

function why(row, look) {
  if (look === "away") return [h("code", null, "Silent"), " ", t("Silent", ago(seenAt(row)))];
  const known = Object.hasOwn(reasons.update ?? {}, row.reason) ? reasons.update[row.reason] : {};
  const text = row.message || known.means;
  return [row.reason && h("code", null, own(row.reason)), row.what && [" ", own(row.what)], text && h("div", { class: "soft" }, own(text))];
}

function line(row) {
  const look = lookOf(row), update = updateOf(row);
  return h("tr", null,
    h("td", null, nodeButton(row.n, placeOf(row.n)[1])),
    h("td", null, lookWord(look)), h("td", null, why(row, look)),
    h("td", null, update && [own(update.r), " ", own(update.v)]), h("td", null, update && own(update.i)),
    h("td", null, row.seen > 0 ? ago(seenAt(row)) : t("never")), h("td", { class: "context" }, own(placeOf(row.n)[0])));
}

function showTable() {
  if (performance.now() - tableAt < TABLE_MS) return false;
  tableAt = performance.now();
  const by = Object.groupBy(found, lookOf), list = LOOKS.flatMap((look) => by[look] ?? []);
  first = Math.max(Math.min(first, list.length - 1 - ((list.length - 1) % PAGE)), 0);
  const page = list.slice(first, first + PAGE);
  const key = JSON.stringify([isUtc(), Math.floor(serverNow() / CLOCK_MS), first, list.length, page.map((row) => [row.n, lookOf(row), row.reason, row.message, row.updates])]);
  if (key === tableKey) return true;
  tableKey = key;
  morphAll($("rows"), page.map(line));
  $("place").textContent = t("page", number(list.length === 0 ? 0 : first + 1), number(first + page.length), number(list.length));
  $("earlier").disabled = first === 0;
  $("later").disabled = first + PAGE >= list.length;
  return true;
}

// A sheet takes a text that begins like a formula for one.
const csvCell = (value) => {
  const text = plain(value).replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\n\r]/.test(text) ? `"${text.replaceAll("\"", "\"\"")}"` : text;
};

function saveCsv() {
  const lines = [["node", "state", "reason", "what", "message", "seen", "release", "version", "installed", "phase", "group", "context"]], keyOf = keyer(groupNow());
  for (const row of found)
    for (const one of row.updates.length > 0 ? row.updates : [{}])
      lines.push([placeOf(row.n)[1], lookOf(row), row.reason, row.what, row.message, seenAt(row), one.r, one.v, one.i, one.p, keyOf(row), placeOf(row.n)[0]]);
  save(new Blob([lines.map((cells) => `${cells.map(csvCell).join(",")}\r\n`).join("")], { type: "text/csv" }), "holdfast-nodes.csv");
}

// ---- one node --------------------------------------------------------------------------------------------------------

/** What sets a node apart from its neighbours. */
const differences = ({ n, by, apart }) => section("apart", { class: "wide" }, h("p", null, t("neighbours", number(n), plain(by))),
  h("ul", { class: "tight" }, apart.map((one) => h("li", null, own(one.what), ": ", own(one.mine || t("none")), " ", h("span", { class: "soft" }, t("mostHave", number(one.n), plain(one.most || t("none"))))))),
  apart.length === 0 && h("p", null, t("likeThem")));

async function loadNode() {
  const name = shownNode, row = nodes.get(name), group = groupNow(), label = group.startsWith("label:") ? group.slice(6) : "";
  shownRow = row;
  const top = h("div", { class: "wide" },
    h("p", null, row && lookWord(lookOf(row)), " ", row && why(row, lookOf(row))),
    h("p", { class: "soft" }, t("nodeCommand"), ": ", h("code", null, command("node", name))));
  let rest;
  try {
    const [node, apart] = await Promise.all([`/fleet/node?${encodeURIComponent(name)}`, `/fleet/compare?${encodeURIComponent(`${name} ${label}`)}`].map((path) => ask(path)));
    if (row && isSilent(row)) node.status = { ...node.status, contact: { state: "Silent", lastTime: node.status?.contact?.lastTime, message: t("Silent", ago(seenAt(row))) } };
    const [health, ...others] = nodeSections({ node, now: {}, time: "" }, reasons);
    const turns = Array.isArray(node.spec?.turns) ? node.spec.turns : [];
    rest = [h("div", { class: "row wide" }, turns.map((turn) => actButton("FreeTurn", name, turn?.release ?? "")), yamlButton("edgenodes", name), yamlButton("nodes", name)),
      health, differences(apart), ...others];
  } catch (error) {
    rest = [h("p", { class: "bad" }, t("nodeFailed", plain(error.message)))];
  }
  if (shownNode !== name) return;
  morphAll($("node-content"), [top, ...rest]);
}

function openNode(name) {
  if (!nodes.has(name)) return;
  openedFrom = document.activeElement;
  shownNode = name;
  morphAll($("node-title"), [own(placeOf(name)[1])]);
  morphAll($("node-content"), []);
  loadNode();
  if (!$("panel").open) $("panel").showModal();
}

// ---- showing ---------------------------------------------------------------------------------------------------------

function showAll() {
  shownAt = performance.now();
  if (document.hidden) return;
  showHead(t("fleetTitle"), t("fleet"), whereWeAre(), failure === null && head !== null ? t("pushed") : "");
  showProblem();
  document.body.classList.toggle("several", isSeveral());
  if (Object.keys(reasons).length === 0 && head !== null) ask("/fleet/reasons").then((all) => { reasons = all; tableKey = ""; shownRow = null; refresh(); }, () => {});
  showChoices();
  const { list, all } = sift();
  showLegend(all);
  $("count").textContent = t("nodesOf", number(found.length), number(nodes.size));
  const more = showMap(list);
  $("map-note").textContent = head?.contexts.some((one) => one.nodes.synced) && found.length === 0 ? t("mapEmpty") : more > 0 ? t("moreGroups", number(more)) : "";
  morphAll($("film"), film(updates));
  showPast();
  if (shownNode !== null && nodes.get(shownNode) !== shownRow) loadNode();
  if (!showTable()) plan(TABLE_MS);
  document.body.dataset.shown = String(head?.version ?? 0);
}

function plan(ms) {
  if (timer !== 0) return;
  timer = setTimeout(() => {
    timer = 0;
    requestAnimationFrame(showAll);
  }, ms);
}

function show() {
  plan(Math.max(shownAt + SHOW_MS - performance.now(), 0));
}

/** The same, and the list at once. */
function refresh() {
  tableAt = -Infinity;
  show();
}

/** Says which node is at a place of the window. */
function pointAt(row, x, y, group) {
  const tip = $("tip");
  tip.hidden = row === null;
  if (row === null) return;
  tip.textContent = [plain(row.n), t(`look_${lookOf(row)}`), plain(row.reason), plain(row.what)].filter((part) => part !== "").join(" \u00b7 ");
  tip.style.transform = `translate(${Math.max(Math.min(x, innerWidth - 330), 0)}px, ${y + 76 > innerHeight ? y - 60 : y + 16}px)`;
  if (group !== undefined) $("said").textContent = `${tip.textContent} \u00b7 ${group}`;
}

// ---- the page --------------------------------------------------------------------------------------------------------

function build() {
  const wide = { class: "wide" };
  frame("#list", refresh, h("div", { id: "said", class: "unseen", role: "status" }),
    h("main", null,
      h("form", { class: "filters", id: "filters" },
        h("label", null, t("find"), h("input", { id: "find", type: "search", placeholder: t("findHow"), maxlength: 200 })),
        h("label", null, t("groupBy"), h("select", { id: "group" })),
        h("div", { class: "row", role: "group", "aria-label": t("states") },
          LOOKS.map((look) => button(`look-${look}`, [drawLook(look), "\u200b"], { "data-look": look }))),
        h("span", { id: "count", role: "status" }), button("csv", t("saveCsv"))),
      section("rollouts", wide, h("div", { id: "film" })),
      section("map", wide, h("p", { class: "soft", id: "map-how" }, t("mapHow")), h("p", { id: "map-note" }),
        h("div", { id: "groups", role: "group", tabindex: "0", "aria-label": t("map"), "aria-describedby": "map-how" })),
      pastSection(),
      section("list", { class: "wide", tabindex: "-1" },
        h("div", { class: "scroll", tabindex: "0", role: "group", "aria-labelledby": "list-title" }, h("table", null,
          h("thead", null, h("tr", null, ["nodeName", "state", "why", "release", "installed", "reported", "context"].map((key) => h("th", { scope: "col", class: key === "context" ? key : null }, t(key))))),
          h("tbody", { id: "rows" }))),
        h("div", { class: "row" }, button("earlier", t("earlier")), h("span", { id: "place" }), button("later", t("later"))))),
    h("div", { id: "tip", "aria-hidden": "true", hidden: true }),
    h("dialog", { id: "panel", "aria-labelledby": "node-title" },
      h("div", { class: "row" }, h("h2", { id: "node-title" }), button("close", t("close"), { class: "end" })),
      h("div", { id: "node-content" })),
    makeDialog());
  $("find").value = filter.find;
}

function findNow() {
  filter.find = $("find").value;
  writeAddress();
}

function onClick(event) {
  const { id, dataset } = event.target.closest("button") ?? { dataset: {} };
  if (takeClick({ id, dataset })) return;
  if (id === "csv") saveCsv();
  else if (id === "close") $("panel").close();
  else if (id === "earlier" || id === "later") { first += id === "later" ? PAGE : -PAGE; refresh(); }
  else if (dataset.node !== undefined) openNode(dataset.node);
  else if (dataset.find !== undefined) { $("find").value = dataset.find; findNow(); $("groups").focus(); }
  else if (dataset.show !== undefined) { filter.group = `wave:${dataset.show}`; choiceKey = ""; writeAddress(); $("groups").focus(); }
  else if (dataset.look !== undefined) { filter.state = filter.state === dataset.look ? "" : dataset.look; writeAddress(); }
}

build();
makeMap($("groups"), (row) => openNode(row.n), pointAt, show);
document.addEventListener("click", onClick);
document.addEventListener("visibilitychange", show);
$("past-open").addEventListener("toggle", () => showPast(true));
$("filters").addEventListener("submit", (event) => { event.preventDefault(); $("groups").focus(); });
$("find").addEventListener("input", findNow);
$("group").addEventListener("change", () => { filter.group = $("group").value; choiceKey = ""; writeAddress(); });
$("panel").addEventListener("close", () => { shownNode = shownRow = null; openedFrom?.focus(); });
setInterval(refresh, CLOCK_MS);
begin(show);
