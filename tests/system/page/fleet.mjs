// SPDX-License-Identifier: Apache-2.0
// What a browser makes of the page of the fleet: the built `holdfast ui` serves it, and fleet.py plays the API server.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { HOSTILE } from "./hostile.mjs";
import { album } from "./looks.mjs";
import { FLEET, onlyThese, screen } from "./screens.mjs";

const { PAGE_URL, PAGE_SEVERAL, PAGE_UI, PAGE_BROWSER, PAGE_MODULES, PAGE_SHOTS } = process.env;
const { chromium } = await import(`${PAGE_MODULES}/playwright-core/index.mjs`);
const AXE = readFileSync(`${PAGE_MODULES}/axe-core/axe.min.js`, "utf8");
const ORIGIN = PAGE_URL.replace(/#.*/, ""), SEVERAL = PAGE_SEVERAL.replace(/#.*/, ""), PATIENCE_MS = 60000;

const browser = await chromium.launch({ executablePath: PAGE_BROWSER, args: ["--no-sandbox"] });
const fail = (text) => { throw new Error(text); };
const equal = (what, got, want) => { if (got !== want) fail(`${what}: ${JSON.stringify(got)?.slice(0, 300)}, not ${JSON.stringify(want)?.slice(0, 300)}`); };

const replies = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
async function order(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`);
  return JSON.parse((await replies.next()).value);
}

// ---- objects ---------------------------------------------------------------------------------------------------------

const API = "edge.codcompass.io/v1alpha1";
const now = (ago = 0) => new Date(Date.now() - ago * 1000).toISOString().replace(/\.\d+Z$/, "Z");
const digest = "ab".repeat(32);

const edgeNode = (name, update = {}, status = {}) => ({ apiVersion: API, kind: "EdgeNode", metadata: { name },
  ...(name === "n-away" ? { spec: { turns: [{ release: "edge-app", digest }] } } : {}),
  status: { observedTime: now(5), agent: { version: "0.1.0", mode: "Host" }, contact: { state: "Fresh", lastTime: now(5) }, policy: { name: "site", interval: "1h" },
    updates: [{ name: "edge-app", phase: "Committed", version: "1.4.2", installedVersion: "1.4.2", digest, sequence: 42, reason: "Healthy", ...update }],
    conditions: [{ type: "Ready", status: "True", reason: "UpToDate", message: "" }], ...status } });
const label = (name, labels) => ({ apiVersion: "v1", kind: "Node", metadata: { name, labels } });
const edgeUpdate = (name, { conditions = [["Ready", "False", "Progressing"]], rollout = {}, status = {}, strategy } = {}) => ({
  apiVersion: API, kind: "EdgeUpdate", metadata: { name, generation: 2 },
  spec: { release: { name: "edge-app", version: "1.4.2", sequence: 42 }, nodeSelector: {},
    ...(strategy === null ? {} : { strategy: strategy ?? { canary: { soak: "1h" }, waves: [{ percent: 10, soak: "2h" }, { percent: 100 }] } }) },
  status: { observedGeneration: 2, nodes: { selected: 40, admitted: 20, updated: 10, updating: 3, failed: 2, incompatible: 1, unknown: 2, held: 1, superseded: 0 },
    rollout: { phase: "Wave", wave: 1, digest, slots: 9000, slotsBefore: 5000, ...rollout },
    conditions: conditions.map(([type, state, reason, message = ""]) => ({ type, status: state, reason, message })), ...status } });

const NODES = [
  ["n-good", {}, {}, "good", ""],
  ["n-busy", { phase: "Fetching", version: "1.5.0", reason: "Downloading" }, {}, "busy", "Downloading"],
  ["n-wait", { phase: "Waiting", version: "1.5.0", reason: "WindowClosed", message: "the window opens at 22:00" }, {}, "wait", "WindowClosed"],
  ["n-held", {}, { hold: { active: true, reason: "line 3 is running" } }, "wait", "Held"],
  ["n-bad", { phase: "RolledBack", version: "1.5.0", reason: "HealthFailed", message: "the check answered 500" }, {}, "bad", "HealthFailed"],
  ["n-condition", {}, { conditions: [{ type: "PolicyTrusted", status: "False", reason: "Unsigned", message: "no key" }] }, "bad", "Unsigned"],
  ["n-away", {}, { observedTime: now(86400) }, "away", "Silent"],
  ["n-new", {}, { observedTime: undefined, updates: [] }, "wait", "NeverReported"],
];

// [name, what differs, the state's word, what has to be said]
const ROLLOUTS = [
  ["r-canary", { rollout: { phase: "Canary", wave: 0 } }, "Progressing", ["canary", "open"]],
  ["r-soak", { rollout: { phase: "WaveSoak", soaked: "30m" }, conditions: [["Ready", "False", "Soaking"]] }, "Progressing", ["wave 1: 10 %", "minutes left"]],
  ["r-halted", { rollout: { phase: "Halted" }, conditions: [["Ready", "False", "TooManyFailures", "2 failed"], ["Stalled", "True", "TooManyFailures", "2 failed"]],
    status: { failures: [{ node: "n-bad", reason: "HealthFailed", message: "answered 500" }] } }, "Halted", ["TooManyFailures", "n-bad", "answered 500", "wave 1: 10 % Halted", "holdfast rollout resume r-halted"]],
  ["r-paused", { conditions: [["Ready", "False", "Suspended", "by spec.suspend"]] }, "Paused", ["wave 1: 10 % Paused", "holdfast rollout resume r-paused"]],
  ["r-refused", { conditions: [["Ready", "False", "ObjectRefused"], ["Stalled", "True", "ObjectRefused", "bad field"]] }, "Refused", ["bad field"]],
  ["r-done", { rollout: { phase: "Complete", wave: 2 }, conditions: [["Ready", "True", "RolledOut"]] }, "Complete", ["10 of 40 updated"]],
  ["r-plain", { strategy: null, conditions: [["Ready", "False", "NodesFailed"], ["Stalled", "True", "NodesFailed", "2 failed"]] }, "Failed", ["2 failed"]],
  ["r-unseen", { status: { observedGeneration: 1 } }, "Unreported", ["has not reported"]],
  ["r-trouble", { rollout: { trouble: { node: "n-busy", reason: "DownloadFailed", message: "no route" }, waitingFor: ["n-away"] } }, "Progressing", ["DownloadFailed", "n-away", "no route"]],
];

// ---- pages -----------------------------------------------------------------------------------------------------------

async function open({ width = 1280, theme = "light", query = "", url } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: theme, reducedMotion: "reduce", locale: "en-GB", acceptDownloads: true });
  const page = await context.newPage(), wrong = [];
  page.setDefaultTimeout(PATIENCE_MS);
  page.on("console", (message) => wrong.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(`error: ${error}`));
  page.on("request", (request) => { if (![ORIGIN, SEVERAL].some((one) => request.url().startsWith(one)) && !request.url().startsWith("blob:")) wrong.push(`a request to ${request.url().slice(0, 200)}`); });
  await page.addInitScript(() => {
    window.reports = [];
    document.addEventListener("securitypolicyviolation", (event) => window.reports.push(`${event.violatedDirective} ${event.sample}`));
  });
  await page.goto(url ?? PAGE_URL.replace("#", `${query}#`));
  return { page, expected: [], async end() {
    const reports = await page.evaluate(() => window.reports);
    await context.close();
    const unexpected = wrong.filter((text) => !this.expected.some((pattern) => pattern.test(text)));
    if (unexpected.length + reports.length > 0) fail([...unexpected, ...reports].join("; "));
  } };
}

const textOf = (page, selector) => page.evaluate((one) => document.querySelector(one)?.textContent ?? "", selector);
const shows = (page, selector, text) => page.waitForFunction(([one, want]) => document.querySelector(one)?.textContent.includes(want), [selector, text]);
const rowOf = (page, name) => page.evaluate((one) => [...document.querySelectorAll("#rows tr")].find((row) => row.cells[0].textContent === one)?.textContent ?? "", name);

async function axe(page, what) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  if (found.violations.length > 0) fail(`${what}: ${found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ").slice(0, 300)}`).join("; ")}`);
}

async function fill() {
  await order({ put: [...NODES.map(([name, update, status]) => edgeNode(name, update, status)),
    ...NODES.map(([name], i) => label(name, { site: i % 2 ? "oslo" : "bergen", tier: "shop" })), ...ROLLOUTS.map(([name, what]) => edgeUpdate(name, what))] });
}

// ---- tests -----------------------------------------------------------------------------------------------------------

const tests = {
  "each state of a node and of a rollout is shown, once, with a mark and its reason": async () => {
    const one = await open();
    await shows(one.page, "#count", `${NODES.length} of ${NODES.length}`);
    await shows(one.page, "#rollouts", "r-trouble");
    const words = { good: "well", busy: "at work", wait: "waits", bad: "needs a person", away: "silent" };
    for (const [name, , , look, reason] of NODES) {
      await shows(one.page, "#rows", name);
      const text = await rowOf(one.page, name);
      if (!text.includes(words[look]) || !text.includes(reason)) fail(`${name}: ${text}`);
    }
    for (const [name, , state, said] of ROLLOUTS) {
      const marks = await one.page.$$eval(`[data-update=${name}] > .row .state`, (all) => all.map((e) => [e.textContent, e.dataset.mark]));
      equal(`states of ${name}`, marks.length, 1);
      if (marks[0][0] !== state || !marks[0][1]) fail(`${name}: ${JSON.stringify(marks)}`);
      const text = await textOf(one.page, `[data-update=${name}]`);
      for (const part of said) if (!text.includes(part)) fail(`${name} does not say '${part}': ${text}`);
    }
    equal("rollouts", await one.page.$$eval("[data-update]", (all) => all.length >= 9), true);
    equal("first those that need a person", await one.page.$eval(".rollout", (e) => e.className.includes("gone")), true);
    await one.end();
  },

  "the screen of each state is as it was: mark and colour in lists, rollouts and their stages, the cells of the map": async () => {
    const all = await album(browser, "fleet");
    for (const theme of ["light", "dark"]) {
      const { page, end } = await open({ theme, query: "?group=state" });
      await shows(page, "#count", `${NODES.length} of ${NODES.length}`);
      await shows(page, "#rollouts", "r-trouble");
      const find = `(() => {
        const places = [], add = (key, e, width, height) => { const r = e.getBoundingClientRect(); places.push([\`${theme} \${key}\`, [r.left + scrollX, r.top + scrollY, width ?? r.width, height ?? r.height]]); };
        for (const e of document.querySelectorAll("[data-update]")) {
          add(\`card \${e.dataset.update}\`, e, 48, 12);
          [...e.querySelectorAll(".state")].forEach((one, i) => add(\`rollout \${e.dataset.update} \${i} \${one.classList[1]}\`, one, 20, 20));
        }
        for (const row of document.querySelectorAll("#rows tr")) add(\`node \${row.cells[0].textContent} \${row.querySelector(".state").classList[1]}\`, row.querySelector(".state"));
        for (const e of document.querySelectorAll("#groups .cells")) for (const one of e.querySelectorAll("path")) add(\`cells \${one.getAttribute("class")}\`, one);
        return places;
      })()`;
      await page.waitForFunction((n) => document.querySelectorAll("#rows tr").length === n && document.querySelectorAll("#groups path").length === 5, NODES.length);
      await all.look(page, find);
      if (theme === "light") {
        await all.mutant(page, find, () => { document.documentElement.style.setProperty("--bad", "#0a6b3d"); }, / bad$|^light card r-(?!unseen)/);
        await page.evaluate(() => document.documentElement.style.removeProperty("--bad"));
        await all.mutant(page, find, () => { const shape = (look) => document.querySelector(`#groups path.${look}`); shape("bad").setAttribute("d", shape("good").getAttribute("d")); }, /cells bad$/);
      }
      await end();
    }
    all.end();
  },

  "changes come without a question to the API server, and one page asks nothing while nothing changes": async () => {
    const one = await open();
    await shows(one.page, "#count", `of ${NODES.length}`);
    await order({ put: [edgeNode("n-late", { phase: "Probation", reason: "HealthChecking" })] });
    await shows(one.page, "#rows", "n-late");
    await order({ put: [edgeNode("n-late", { phase: "RolledBack", reason: "HealthFailed" })] });
    await one.page.waitForFunction(() => [...document.querySelectorAll("#rows tr")].some((row) => row.textContent.includes("n-late") && row.textContent.includes("needs a person")));
    await order({ put: [edgeNode("n-late", {}, { telemetry: { sinks: [{ name: "default", breaker: "Closed", droppedEvents: 7 }] } })] });
    await one.page.waitForFunction(() => [...document.querySelectorAll("#rows tr")].some((row) => row.textContent.includes("n-lateneeds a personEventsLost")));
    await order({ remove: [["EdgeNode", "n-late"]] });
    await one.page.waitForFunction(() => !document.getElementById("rows").textContent.includes("n-late"));
    const requests = [];
    one.page.on("request", (request) => requests.push(request.url()));
    await one.page.waitForTimeout(4000);
    equal("requests while nothing changes", requests.join(), "");
    const { asked } = await order({});
    equal("the API server was asked", asked.filter((path) => !path.includes("watch=true") && !path.includes("/edgenodes/")).join(), "");
    await one.end();
  },

  "filters are in the address, and find a site, a version and a reason": async () => {
    const one = await open({ query: "?find=site%3Doslo&group=version:edge-app&state=wait" });
    await shows(one.page, "#count", "2 of");
    const pressed = () => one.page.$$eval("[data-look][aria-pressed=true]", (all) => all.map((e) => e.id).join());
    equal("pressed", await pressed(), "look-wait");
    await one.page.focus("#look-bad");
    await one.page.keyboard.press("Enter");
    await shows(one.page, "#count", "1 of");
    equal("only that state", await pressed(), "look-bad");
    equal("address of a state", new URL(one.page.url()).searchParams.get("state"), "bad");
    await one.page.keyboard.press("Space");
    await shows(one.page, "#count", "4 of");
    equal("all again", await pressed(), "");
    equal("token in the address", one.page.url().includes(PAGE_URL.split("#")[1]), false);
    await one.page.selectOption("#group", "label:tier");
    await shows(one.page, "#groups", "shop");
    for (const [find, n] of [["1.5.0", 0], ["1.4.2", 7], ["runs=1.4.2 Site=oslo", 3], ["4.2", 0], ["1.4", 7], ["1.4.20", 0], ["HealthFailed 1.4.2", 1], ["healthfailed oslo", 0]]) {
      await one.page.fill("#find", find);
      await shows(one.page, "#count", `${n} of`);
    }
    await one.page.fill("#find", "1.4.2  bergen");
    await shows(one.page, "#count", "4 of");
    equal("a heading says of how many", await textOf(one.page, "#groups h3"), "shop \u00b7 4 of 8");
    equal("the heading is whole", await one.page.$eval("#groups h3", (e) => e.scrollWidth <= e.clientWidth), true);
    equal("address", new URL(one.page.url()).search, "?find=1.4.2++bergen&group=label%3Atier");
    await one.page.reload();
    await shows(one.page, "#count", "4 of");
    equal("after a reload", await one.page.inputValue("#find"), "1.4.2  bergen");
    await one.page.click("[data-show=r-canary]");
    await one.page.fill("#find", "");
    await shows(one.page, "#groups", "earlier waves");
    await one.end();
  },

  "the keyboard goes from cell to cell and opens a node, which stays live": async () => {
    const one = await open({ query: "?group=state" });
    await shows(one.page, "#count", `of ${NODES.length}`);
    await one.page.focus("#groups");
    await one.page.keyboard.press("ArrowRight");
    await shows(one.page, "#said", "n-bad");
    await one.page.keyboard.press("ArrowRight");
    await shows(one.page, "#said", "n-condition");
    await one.page.keyboard.press("End");
    await shows(one.page, "#said", "n-good");
    await one.page.keyboard.press("Home");
    await one.page.keyboard.press("Enter");
    await shows(one.page, "#node-content", "the check answered 500");
    await shows(one.page, "#node-content", "holdfast node n-bad");
    await order({ put: [edgeNode("n-bad", { phase: "RolledBack", reason: "HealthFailed", message: "another word" })] });
    await shows(one.page, "#node-content", "another word");
    await one.page.keyboard.press("Escape");
    await one.page.click("#rows [data-node=n-away]");
    await shows(one.page, "#node-content #contact", "Silent");
    await shows(one.page, "#node-content #health", "The last report came");
    equal("silent, not fresh", (await textOf(one.page, "#node-content")).includes("Fresh"), false);
    await one.page.keyboard.press("Escape");
    await one.page.focus("#groups");
    await one.page.keyboard.press("Enter");
    await shows(one.page, "#node-content", "another word");
    await one.page.keyboard.press("Escape");
    equal("focus comes back", await one.page.evaluate(() => document.activeElement.id), "groups");
    await fill();
    await one.end();
  },

  "a node is compared with its neighbours of the group": async () => {
    const like = [1, 2, 3].map((i) => edgeNode(`n-like-${i}`)), sites = [...like, { metadata: { name: "n-odd" } }].map(({ metadata }) => label(metadata.name, { site: "lund", tier: metadata.name === "n-odd" ? "lab" : "shop" }));
    await order({ put: [...like, ...sites, edgeNode("n-odd", { installedVersion: "1.4.1" }, { policy: { name: "<i>other", interval: "1h" } })] });
    const one = await open({ query: "?group=label:site" });
    await shows(one.page, "#rows", "n-odd");
    await one.page.click("#rows [data-node=n-odd]");
    await shows(one.page, "#apart", "3 nodes with a release of this one. site=lund");
    const found = await one.page.$$eval("#apart li", (all) => all.map((e) => e.textContent).sort());
    equal("differences", found.join("; "), "label tier: lab 3 have: shop; policy: <i>other 3 have: site; runs edge-app: 1.4.1 3 have: 1.4.2");
    await one.page.keyboard.press("Escape");
    await one.page.click("#rows [data-node=n-like-1]");
    await shows(one.page, "#apart", "What most of them have");
    await order({ remove: [...like.map(({ metadata }) => ["EdgeNode", metadata.name]), ["EdgeNode", "n-odd"], ...sites.map(({ metadata }) => ["Node", metadata.name])] });
    await one.end();
  },

  "CSV has a line for each node and release, and no formulas": async () => {
    await order({ put: [edgeNode("n-formula", { phase: "RolledBack", reason: "=1+1", message: "a \"b\", c" })] });
    const one = await open();
    await shows(one.page, "#rows", "n-formula");
    const [download] = await Promise.all([one.page.waitForEvent("download"), one.page.click("#csv")]);
    const text = readFileSync(await download.path(), "utf8");
    equal("lines", text.split("\r\n").length, NODES.length + 3);
    if (!text.includes("n-formula,bad,'=1+1,edge-app,\"a \"\"b\"\", c\"")) fail(text);
    await order({ remove: [["EdgeNode", "n-formula"]] });
    await one.end();
  },

  "versions over time: a plot and a line of a table for each, from what the nodes tell": async () => {
    const ran = (name, phase, i, ago) => edgeNode(name, { name: "past-app", phase, version: "2.0", installedVersion: i, from: "1.9", time: now(ago) });
    await order({ put: [ran("p-long", "Committed", "2.0", 86400), ran("p-hour", "Committed", "2.0", 3600), ran("p-waits", "Waiting", "1.9", 100)] });
    const one = await open();
    await shows(one.page, "#count", `of ${NODES.length + 3}`);
    const table = () => one.page.$$eval("#past table", (all) => [...all.find((e) => e.parentElement.ariaLabel === "Nodes with past-app").rows].map((row) => [...row.cells].map((cell) => cell.textContent).join()));
    await one.page.click("#past-open summary");
    await shows(one.page, "#past-content", "Nodes with past-app");
    const before = await table();
    for (const line of ["2.0,0,1,1,1,2", "1.9,2,1,1,1,1", "not told,1,1,1,1,0"]) if (!before.includes(line)) fail(`${line}: ${before.join("; ")}`);
    equal("columns", before[0].split(",").at(-1), "now");
    equal("a plot says the same", await one.page.$$eval("#past .plot", (all) => all.some((e) => e.getAttribute("aria-label") === "2.0: now 2, 0 to 2")), true);
    await one.page.click("#past [data-find=\"runs=1.9\"]");
    await shows(one.page, "#count", `1 of ${NODES.length + 3}`);
    equal("in Find", await one.page.inputValue("#find"), "runs=1.9");
    await one.page.click("#past-open summary");
    await order({ put: [ran("p-waits", "Committed", "2.0", 0)] });
    await one.page.click("#past-open summary");
    await one.page.waitForFunction(() => [...document.querySelectorAll("#past .plot")].some((e) => e.ariaLabel === "2.0: now 3, 0 to 3"));
    const after = await table();
    if (!after.includes("2.0,0,1,1,1,3")) fail(after.join("; "));
    await order({ remove: ["p-long", "p-hour", "p-waits"].map((name) => ["EdgeNode", name]) });
    await one.end();
  },

  "acts name their effect and command, ask once, and are what the command does": async () => {
    const one = await open();
    await shows(one.page, "#rollouts", "r-canary");
    const act = async (what, row, confirm) => {
      await one.page.click(`[data-act=${what}][data-row="${row}"]`);
      await one.page.waitForSelector("#more-command");
      await confirm?.();
      const texts = [await textOf(one.page, "#more-content"), await textOf(one.page, "#more-command")];
      if (what === "Halt") await axe(one.page, "the dialog of an act");
      await one.page.click("#more-do");
      await shows(one.page, "#more-content pre", ":");
      const { annotations } = await order({});
      texts.push(await textOf(one.page, "#more-content pre"), JSON.stringify(annotations[row] ?? {}));
      await one.page.click("#more [data-close]");
      return texts;
    };
    const has = (texts, ...parts) => parts.forEach((part, i) => { if (part !== null && !texts[i].includes(part)) fail(`${part} is not in: ${texts[i]}`); });
    has(await act("Pause", "r-canary"), "No further stage of r-canary begins", "holdfast rollout pause r-canary --kubeconfig=", "r-canary: paused", "rollout-paused");
    has(await act("Halt", "r-soak", () => one.page.fill("#halt-reason", "it's --wrong \"x\" <b>")), "The 3 that update now finish, and the 10 that are updated keep the new version.", "'--reason=it'\\''s --wrong \"x\" <b>'", "r-soak: halted", JSON.stringify("it's --wrong \"x\" <b>"));
    has(await act("Resume", "r-halted"), "the 2 nodes that have failed no longer count", "rollout resume r-halted", "r-halted: resumed", "rollout-resume");
    has(await act("FreeTurn", "n-away"), "n-away gives back its turn", "turn free --release=edge-app n-away", "n-away: the turn for edge-app is free", "free-turn");
    await order({ put: [edgeUpdate("r-canary", { rollout: { phase: "Complete" } })] });
    await order({ allow: false });
    one.expected.push(/403/);
    await one.page.click("[data-act=Pause][data-row=r-trouble]");
    await shows(one.page, "#more-content", "you may not patch edgeupdates 'r-trouble'");
    equal("no button to act", await one.page.$("#more-do"), null);
    await order({ allow: true });
    equal("annotations without the right", (await order({})).annotations["r-trouble"], undefined);
    await one.page.keyboard.press("Escape");
    await fill();
    await one.end();
  },

  "objects are shown as YAML, as the API server has them": async () => {
    await order({ put: [edgeNode("n-yaml", {}, { hold: { active: true, reason: "<b>\u202e" } })] });
    const one = await open();
    await shows(one.page, "#rows", "n-yaml");
    await one.page.click("[data-yaml=\"edgeupdates/r-halted\"]");
    await shows(one.page, "#more-content pre", "sequence: 42");
    await one.page.keyboard.press("Escape");
    await one.page.click("#rows [data-node=n-yaml]");
    await one.page.click("[data-yaml=\"edgenodes/n-yaml\"]");
    await shows(one.page, "#more-content pre", "<b>");
    equal("hidden characters", (await textOf(one.page, "#more-content")).includes("\u202e"), false);
    await one.page.keyboard.press("Escape");
    equal("the node is still open", await one.page.$eval("#panel", (e) => e.open), true);
    await order({ remove: [["EdgeNode", "n-yaml"]] });
    await one.end();
  },

  "several contexts are one map and one table, and an act goes to the right one": async () => {
    const one = await open({ url: PAGE_SEVERAL });
    await shows(one.page, "#count", `${2 * NODES.length} of ${2 * NODES.length}`);
    await shows(one.page, "#head", "2 clusters");
    await one.page.selectOption("#group", "context");
    await one.page.waitForFunction((n) => [...document.querySelectorAll("#groups h3")].map((e) => e.textContent).join() === `c \u00b7 ${n},north d \u00b7 ${n}`, NODES.length);
    const rows = await one.page.$$eval("#rows tr", (all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)).filter(([name]) => name === "n-bad").map((cells) => cells.at(-1)));
    equal("contexts of n-bad", rows.sort().join(), "c,north d");
    equal("the column is seen", await one.page.isVisible("th.context"), true);
    await one.page.click("[data-act=Pause][data-row=\"north d/r-canary\"]");
    await shows(one.page, "#more-content", "No further stage of r-canary");
    await shows(one.page, "#more-command", "holdfast rollout pause r-canary '--context=north d'");
    await one.page.click("#more-do");
    await shows(one.page, "#more-content pre", "r-canary: paused");
    await one.page.keyboard.press("Escape");
    await one.page.click("#rows [data-node=\"north d/n-bad\"]");
    await shows(one.page, "#node-content", "the check answered 500");
    await one.page.click("[data-yaml=\"edgenodes/north d/n-bad\"]");
    await shows(one.page, "#more-content pre", "name: n-bad");
    await fill();
    await one.end();
  },

  "axe-core finds nothing, in both themes at 320, 768 and 1920 px, with and without a node": async () => {
    mkdirSync(PAGE_SHOTS, { recursive: true });
    for (const theme of ["light", "dark"])
      for (const width of [320, 768, 1920]) {
        const one = await open({ width, theme });
        await shows(one.page, "#count", `of ${NODES.length}`);
        await shows(one.page, "#rows", "n-bad");
        await one.page.click("#past-open summary");
        await shows(one.page, "#past-content", "Nodes with edge-app");
        for (const part of ["fleet", "fleet-node"]) {
          if (part === "fleet-node") {
            await one.page.click("#rows [data-node=n-bad]");
            await shows(one.page, "#node-content", "Trusted keys");
          }
          await axe(one.page, `${theme} ${width} ${part}`);
          const wide = await one.page.evaluate(() => document.scrollingElement.scrollWidth);
          if (wide > width) fail(`${theme} ${width} ${part}: ${wide} px wide`);
          writeFileSync(`${PAGE_SHOTS}/${part}-${theme}-${width}.png`, await one.page.screenshot());
        }
        await one.end();
      }
  },

  "30 hostile texts in every field change nothing but their own text": async () => {
    const hostile = (text) => {
      const fill_ = (value) => (Array.isArray(value) ? value.map(fill_) : value !== null && typeof value === "object"
        ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fill_(one)])) : typeof value === "string" ? text : value);
      const node = edgeNode("n-hostile", { phase: "RolledBack" }), update = edgeUpdate("r-hostile", ROLLOUTS[2][1]);
      const { phase } = node.status.updates[0], { conditions } = update.status;
      node.status = { ...fill_(node.status), observedTime: now(5) };
      node.status.updates[0].phase = phase;
      update.spec.release = fill_(update.spec.release);
      update.status = { ...fill_(update.status), conditions: conditions.map((one) => ({ ...one, message: text })) };
      return [node, update, label("n-hostile", { site: text, [text.slice(0, 300)]: "x" })];
    };
    const one = await open({ query: "?group=label:site" });
    await shows(one.page, "#count", `of ${NODES.length}`);
    const skeleton = () => {
      const walk = (e) => `${e.localName}(${[...e.children].map(walk).join("")})`;
      return walk(document.querySelector("[data-update=r-hostile]")) + walk([...document.querySelectorAll("#rows tr")].find((row) => row.textContent.includes("n-hostile")));
    };
    let want = null;
    const texts = HOSTILE.filter((it) => it !== "\ud800").map((it) => it.replaceAll("\u0000", "")); // half a character, and NUL, are none that a server takes
    if (texts.length < 30) fail(`only ${texts.length} texts`);
    for (const [i, text] of ["plain", ...texts].entries()) {
      const mark = `message ${i} `;
      const objects = hostile(text.length > 100000 ? "plain" : text); // a larger object is none that a server takes
      objects[0].status.updates[0].message = mark + text;
      objects[1].status.conditions.forEach((condition) => { condition.message = mark + text; });
      await order({ put: objects });
      await shows(one.page, "#rows", mark.trim());
      await shows(one.page, "[data-update=r-hostile]", mark.trim());
      const got = await one.page.evaluate(skeleton);
      want ??= got;
      equal(`elements with text ${i}`, got, want);
      const seen = await one.page.evaluate(() => ({ pwned: window.pwned, wide: document.scrollingElement.scrollWidth, long: document.body.textContent.length,
        bad: /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(document.body.textContent) }));
      if (seen.pwned !== undefined || seen.bad || seen.wide > 1280 || seen.long > 200000) fail(`text ${i}: ${JSON.stringify(seen)}`);
    }
    await one.page.click("#rows [data-node=n-hostile]");
    await shows(one.page, "#node-content", "Trusted keys");
    await order({ remove: [["EdgeNode", "n-hostile"], ["EdgeUpdate", "r-hostile"], ["Node", "n-hostile"]] });
    await one.end();
  },

  "the screens of the documentation are what the page shows, and five tasks need no more than the screen": async () => {
    const own = FLEET(), names = (all) => all.map((one) => [one.kind, one.metadata.name]);
    await order({ remove: [...NODES.flatMap(([name]) => [["EdgeNode", name], ["Node", name]]), ...ROLLOUTS.map(([name]) => ["EdgeUpdate", name])] });
    await order({ put: own });
    const one = await open({ query: "?group=label:site" });
    await shows(one.page, "#count", "120 of 120");
    await shows(one.page, "#rollouts", "edge-model");
    await one.page.waitForFunction(() => document.querySelectorAll("#groups h3").length === 5 && document.querySelectorAll("#rows tr").length === 100);
    await screen(browser, one.page, "page-fleet");
    await one.page.click("#rows [data-node=oslo-07]");
    for (const text of ["What to do", "Trusted keys"]) await shows(one.page, "#node-content", text);
    await screen(browser, one.page, "page-fleet-node");
    onlyThese();
    const { page } = one, dialog = page.getByRole("dialog"), close = () => page.keyboard.press("Escape");
    const says = (place, text) => place.getByText(text).first().waitFor();
    await close();
    await page.getByLabel("Find").fill("trondheim-20"); // why is this node late?
    await page.keyboard.press("Enter");
    equal("Enter leads to what was found", await page.evaluate(() => document.activeElement.id), "groups");
    await says(page.getByRole("row", { name: "trondheim-20" }), "line 3 is running");
    await page.getByLabel("Find").fill("runs=1.4.0"); // which sites run 1.4.0?
    const sites = new Set(own.filter((it) => it.status?.updates?.[0].installedVersion === "1.4.0").map((it) => it.metadata.name.split("-")[0]));
    await page.waitForFunction((want) => [...document.querySelectorAll("#groups h3")].map((e) => e.textContent.split(" ")[0]).sort().join() === want, [...sites].sort().join());
    equal("no site's name is cut", await page.$$eval("#groups h3 span", (all) => all.length > 0 && all.every((e) => e.scrollWidth <= e.clientWidth)), true);
    await page.getByLabel("Find").fill("bergen-01"); // put this node on hold for a shift
    await page.getByRole("button", { name: "bergen-01" }).last().click();
    await says(dialog.getByRole("region", { name: "Hold of the site" }), "sudo holdfast hold --reason=TEXT --for=8h");
    for (const text of ["accepts", "Dropped or lost", "0 since the agent began"]) await says(dialog.getByRole("region", { name: "Telemetry" }), text); // is its telemetry lost?
    await close();
    await page.getByRole("region", { name: "edge-app" }).getByRole("button", { name: "Halt" }).click(); // stop this rollout
    await says(dialog, "No other node starts edge-app. The 2 that update now finish, and the 64 that are updated keep the new version.");
    await dialog.getByRole("button", { name: "Do it" }).click();
    await says(dialog, "edge-app: halted");
    await one.end();
    await order({ remove: names(own) });
    await fill();
  },

  "without the token the page says so; when holdfast ui ends, too, and what was known stays": async () => {
    const bare = await open({ url: ORIGIN });
    await shows(bare.page, "#problem", "lacks its token");
    await bare.end();
    const wrong = await open({ url: `${ORIGIN}#${"a".repeat(43)}` });
    wrong.expected.push(/WebSocket|403/);
    await shows(wrong.page, "#problem", "tries again");
    await wrong.end();
    const one = await open();
    one.expected.push(/WebSocket|Failed to load/);
    await shows(one.page, "#count", `of ${NODES.length}`);
    process.kill(Number(PAGE_UI), "SIGTERM");
    await shows(one.page, "#problem", "has ended");
    equal("what was known stays", (await rowOf(one.page, "n-bad")).includes("HealthFailed"), true);
    await one.end();
  },
};

await fill();
const words = process.argv.slice(2);
const count = { passed: 0, failed: 0 };
for (const [name, test] of Object.entries(tests)) {
  if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
  const began = Date.now();
  try {
    await test();
    count.passed++;
    console.log(`  ok    ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    count.failed++;
    console.log(`  FAIL  ${name}: ${error.message}`);
  }
}
await browser.close();
console.log(`${count.passed} passed, ${count.failed} failed, 0 skipped`);
process.exit(count.failed > 0 ? 1 : 0);
