// SPDX-License-Identifier: Apache-2.0
// What a browser makes of the page: the built agent serves it, under its own policy. States that a test wants go in place
// of /page/state.json; everything else is the agent's. run.py starts all.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { HOSTILE } from "./hostile.mjs";
import { album } from "./looks.mjs";
import { lateNode, screen } from "./screens.mjs";
import { hostile, troubled, well } from "./states.mjs";

const { PAGE_URL, PAGE_RELEASED, PAGE_AGENT, PAGE_CONFIG, PAGE_BROWSER, PAGE_CLI, PAGE_HOME, PAGE_MODULES, PAGE_SHOTS } = process.env;
const { chromium } = await import(`${PAGE_MODULES}/playwright-core/index.mjs`);
const AXE = readFileSync(`${PAGE_MODULES}/axe-core/axe.min.js`, "utf8");
const PATIENCE_MS = 60000;

const browser = await chromium.launch({ executablePath: PAGE_BROWSER, args: ["--no-sandbox"] });

const fail = (text) => { throw new Error(text); };

/** Long texts are shown from where they begin to differ. */
function equal(what, got, want) {
  if (got === want) return;
  const from = typeof got === "string" && typeof want === "string" ? Math.max([...got].findIndex((c, i) => c !== want[i]) - 40, 0) : 0;
  const shown = (value) => JSON.stringify(typeof value === "string" ? value.slice(from, from + 200) : value);
  fail(`${what}: ${shown(got)}, not ${shown(want)}`);
}

/** A page that shows what set() gives, or without a state the agent's own; end() sees that nothing went wrong. */
async function open(state, { width = 1280, theme = "light", url = PAGE_URL } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: theme, reducedMotion: "reduce",
    timezoneId: "Asia/Kolkata", locale: "en-GB" });
  const page = await context.newPage();
  const wrong = [];
  page.setDefaultTimeout(PATIENCE_MS);
  page.on("console", (message) => wrong.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(`error: ${error}`));
  page.on("dialog", (dialog) => { wrong.push("a dialog"); dialog.dismiss(); });
  page.on("request", (request) => { if (!request.url().startsWith(url)) wrong.push(`a request to ${request.url().slice(0, 200)}`); });
  await page.addInitScript(() => {
    window.reports = [];
    document.addEventListener("securitypolicyviolation", (event) => window.reports.push(`${event.violatedDirective} ${event.sample}`));
  });
  const one = { page, state, expected: [], context };
  if (state !== undefined) {
    await page.routeWebSocket(/\/page\/live$/, (socket) => socket.close());
    await page.route("**/page/state.json", (route) => route.fulfill({ json: one.state }));
  }
  await page.goto(url);
  await page.waitForSelector("#health");
  one.set = async (fresh) => {
    one.state = fresh;
    const answered = page.waitForResponse("**/page/state.json");
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await (await answered).finished();
    await page.waitForFunction((time) => document.querySelector("#clock time")?.getAttribute("datetime") === time, fresh.time);
  };
  one.end = async () => {
    const reports = await page.evaluate(() => window.reports);
    await context.close();
    const unexpected = wrong.filter((text) => !one.expected.some((pattern) => pattern.test(text)));
    if (unexpected.length + reports.length > 0) fail([...unexpected, ...reports].join("; "));
  };
  return one;
}

const textOf = (page, selector) => page.evaluate((one) => document.querySelector(one)?.textContent ?? "", selector);

async function reasonsOf(page) {
  return page.evaluate(async () => (await fetch("/page/reasons.json")).json());
}

/** Of all threads of the agent, since its start; a tick is 10 ms. */
function processorMs() {
  const fields = readFileSync(`/proc/${PAGE_AGENT}/stat`, "utf8").replace(/.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The address with a new token, as root gets it on the node. */
const newAddress = (url = PAGE_URL, home = PAGE_HOME) => execFileSync(PAGE_CLI, ["node", "page", "--no-code", "--url", url, "--run-dir", `${home}/run`],
  { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

function allowActs(config) {
  writeFileSync(PAGE_CONFIG, config);
  process.kill(Number(PAGE_AGENT), "SIGHUP");
}

const PHASES = ["Waiting", "Fetching", "Patching", "Verified", "Swapping", "Probation", "Committed", "RollingBack", "RolledBack", "Incompatible", "Rejected"];
const ENTRIES = ["Waiting", "Fetching", "Applying", "Probation", "Applied", "RollingBack", "RolledBack", "Refused"];

// ---- tests -----------------------------------------------------------------------------------------------------------

const tests = {
  "the agent's own state comes by websocket, and stays": async () => {
    const one = await open();
    equal("heading", await textOf(one.page, "h1"), "page-node");
    await one.page.waitForFunction(() => document.getElementById("way").textContent === "live");
    const before = await textOf(one.page, "#clock"), began = [processorMs(), performance.now()];
    await one.page.waitForTimeout(12000); // longer than the listener waits for a request
    const share = (processorMs() - began[0]) / (performance.now() - began[1]);
    console.log(`        a viewer costs the agent ${(share * 100).toFixed(2)} % of a core`);
    if (share > 0.01) fail(`the agent takes ${(share * 100).toFixed(1)} % of a core`);
    equal("it goes on", (await textOf(one.page, "#clock")) !== before, true);
    equal("way", await textOf(one.page, "#way"), "live");
    await one.end();
  },

  "each reason is said once, with its meaning and what to do": async () => {
    const one = await open(well());
    const reasons = await reasonsOf(one.page);
    let shown = 0;
    for (const [table, place] of [["update", "updates"], ["manifest", "manifests"], ["contact", "contact"]])
      for (const [reason, { means, do: todo }] of Object.entries(reasons[table])) {
        const state = well();
        if (place === "contact") state.node.status.contact = { state: "Stale", reason };
        else state.node.status[place] = [{ name: "edge-app", phase: place === "updates" ? "Waiting" : "Refused", reason }];
        await one.set(state);
        const text = await textOf(one.page, "#health");
        for (const part of [reason, means, todo === "nothing" ? undefined : todo])
          if (part !== undefined && text.split(part).length < 2) fail(`${table} ${reason} does not say '${part}': ${text}`);
        shown++;
      }
    if (shown < 100) fail(`only ${shown} reasons`);
    console.log(`        ${shown} reasons`);
    await one.end();
  },

  "each phase, condition and state of contact has a mark beside its colour": async () => {
    const one = await open(well());
    for (const [place, words] of [["updates", PHASES], ["manifests", ENTRIES]])
      for (const phase of words) {
        const state = well();
        state.node.status[place] = [{ name: "edge-app", phase, version: "2", installedVersion: "1" }];
        await one.set(state);
        const marks = await one.page.$$eval(`#${place === "updates" ? "releases" : "entries"} .state`, (all) => all.map((e) => [e.textContent, e.dataset.mark]));
        equal("states", marks.length, 1);
        if (marks[0][0] !== phase || !marks[0][1]) fail(`${phase}: ${JSON.stringify(marks)}`);
        const bad = ["RollingBack", "RolledBack", "Rejected", "Refused"].includes(phase);
        equal(`${phase} needs a person`, (await textOf(one.page, "#health")).includes("Yes:"), bad);
      }
    for (const contact of ["Fresh", "Stale", "Expired"]) {
      const state = well();
      state.node.status.contact = { state: contact };
      await one.set(state);
      equal(`contact ${contact} is well`, (await textOf(one.page, "#health")).includes("Nothing needs a person"), contact === "Fresh");
    }
    for (const { type, status } of troubled().node.status.conditions) {
      const state = well();
      state.node.status.conditions.push({ type, status, reason: "SomeReason", message: "some words" });
      await one.set(state);
      equal(`${type}=${status} is said`, (await textOf(one.page, "#health")).includes(type), !["Ready", "Stalled", "Reconciling", "ManifestsApplied"].includes(type));
    }
    await one.end();
  },

  "lost events and a sink that fails are said, also when all else is well; what waits says since when": async () => {
    const one = await open(well());
    for (const [what, says, ...more] of [[{ breaker: "Open", message: "it answered 503" }, "Something waits", "SinkFails", "it answered 503"], [{ breaker: "HalfOpen" }, "Something waits", "does not accept"],
      [{ droppedEvents: 3400 }, "Yes:", "EventsLost", "3,400 events", "default"], [{}, "Nothing needs a person"]]) {
      const state = well(), { status } = state.node;
      Object.assign(status.telemetry.sinks[0], what);
      await one.set(state);
      const text = await textOf(one.page, "#health");
      for (const part of [says, ...more]) if (!text.includes(part)) fail(`${JSON.stringify(what)} does not say '${part}': ${text}`);
    }
    for (const conditions of [[["Ready", "False"], ["Stalled", "True", "; see Ready"]], [["Reconciling", "True"], ["Stalled", "True"]]]) {
      const refused = well();
      refused.node.status.conditions = conditions.map(([type, is, end = ": no number"]) => ({ type, status: is, reason: type === "Reconciling" ? "Downloading" : "ObjectRefused", message: `SyncPolicy 'plants'${end}` }));
      await one.set(refused);
      equal("a refused object", (await textOf(one.page, "#health")).split("ObjectRefusedSyncPolicy 'plants'").length, 2);
      for (const part of ["Yes:", "SyncPolicy 'plants': no number", "correct the object"]) if (!(await textOf(one.page, "#health")).includes(part)) fail(`not said: ${part}`);
    }
    const later = well(), told = later.node.status.telemetry;
    later.telemetry = { ...told, sinks: [{ ...told.sinks[0], droppedEvents: 7 }] };
    await one.set(later); // lost since the newest status
    for (const [id, part] of [["health", "EventsLost"], ["health", "7 events"], ["telemetry", "7 since the agent began"]])
      if (!(await textOf(one.page, `#${id}`)).includes(part)) fail(`${id} does not say '${part}'`);
    const state = well(), { status } = state.node;
    status.telemetry.troubles = ["sink s: no token"];
    status.updates[0].phase = status.manifests[0].phase = "Waiting";
    await one.set(state);
    for (const [id, part] of [["health", "sink s: no token"], ["health", "Yes:"], ["releases", "Waiting since"], ["entries", "Waiting since"]])
      if (!(await textOf(one.page, `#${id}`)).includes(part)) fail(`${id} does not say '${part}'`);
    await one.end();
  },

  "the screen of each state is as it was: the colour and shape of its mark, and the border of a section that needs a person": async () => {
    const all = await album(browser, "node");
    for (const theme of ["light", "dark"]) {
      const one = await open(well(), { theme });
      for (const contact of theme === "dark" ? ["Fresh"] : ["Fresh", "Stale", "Expired"]) {
        const state = well(), { status } = state.node, whole = contact === "Fresh";
        status.contact = { state: contact };
        if (whole) {
          status.updates = PHASES.map((phase) => ({ name: phase, phase, version: "2", installedVersion: "1" }));
          status.manifests = ENTRIES.map((phase) => ({ name: phase, phase }));
          status.conditions = troubled().node.status.conditions.map((it) => ({ ...it, reason: it.type }));
          status.hold = { active: true, reason: "x" };
          status.disk = ["Warning", "Critical"].map((level) => ({ path: `/${level}`, level }));
          status.telemetry.sinks = ["Closed", "Open", "HalfOpen"].map((breaker) => ({ name: breaker, breaker }));
        }
        const hide = (value) => one.page.evaluate((is) => Object.defineProperty(document, "hidden", { value: is, configurable: true }), value);
        await hide(false);
        await one.set(state);
        await hide(true); // a page that nobody sees stays as it is
        const find = `(() => {
          const places = [], add = (key, e, width, height) => { const r = e.getBoundingClientRect(); places.push([\`${theme} ${contact} \${key}\`, [r.left + scrollX, r.top + scrollY, width ?? r.width, height ?? r.height]]); };
          add("health", document.getElementById("health"), 48, 24);
          const counts = {};
          for (const e of document.querySelectorAll("${whole ? "#content .state" : "#contact .state"}")) {
            const key = \`\${e.closest("section").id}/\${e.classList[1]}/\${e.textContent}\`;
            counts[key] = (counts[key] ?? 0) + 1;
            add(counts[key] > 1 ? \`\${key}.\${counts[key]}\` : key, e);
          }
          return places;
        })()`;
        await all.look(one.page, find);
        if (!whole || theme === "dark") continue;
        const marks = (look) => `document.querySelectorAll(".state.bad").forEach((e) => { e.dataset.mark = ${look}; })`;
        await all.mutant(one.page, find, marks('"\u25cf"'), /\/bad\//);
        await one.page.evaluate(marks('"\u25a0"'));
        await all.mutant(one.page, find, () => { document.documentElement.style.setProperty("--wait", "#0a6b3d"); }, /\/wait\//);
        await one.page.evaluate(() => document.documentElement.style.removeProperty("--wait"));
        await all.mutant(one.page, find, () => document.getElementById("health").classList.remove("gone"), / health$/);
      }
      await one.end();
    }
    all.end();
  },

  "axe-core finds nothing, in both themes at 320, 768 and 1920 px; nothing runs out of the page": async () => {
    mkdirSync(PAGE_SHOTS, { recursive: true });
    for (const theme of ["light", "dark"])
      for (const width of [320, 768, 1920]) {
        const one = await open(well(), { width, theme });
        for (const [name, make] of [["well", well], ["troubled", troubled]]) {
          await one.set(make());
          await one.page.evaluate(AXE);
          const found = await one.page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
          if (found.violations.length > 0)
            fail(`${theme} ${width} ${name}: ${found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ").slice(0, 300)}`).join("; ")}`);
          const wide = await one.page.evaluate(() => document.scrollingElement.scrollWidth);
          if (wide > width) fail(`${theme} ${width} ${name}: ${wide} px wide`);
          writeFileSync(`${PAGE_SHOTS}/${name}-${theme}-${width}.png`, await one.page.screenshot({ fullPage: true }));
        }
        await one.end();
      }
  },

  "30 hostile texts in every field change nothing but their own text": async () => {
    // The elements with their classes and links, without texts. A mark and a class that a word of ours gives stay.
    const skeleton = () => {
      const walk = (e) => `${e.localName}${e.id ? `#${e.id}` : ""}(${[...e.children].map(walk).join("")})`;
      return walk(document.getElementById("content"));
    };
    const one = await open(hostile("plain"));
    await one.set(hostile("plain"));
    const want = await one.page.evaluate(skeleton);
    if (HOSTILE.length < 30) fail(`only ${HOSTILE.length} texts`);
    for (const [i, text] of HOSTILE.entries()) {
      await one.set(hostile(text));
      equal(`elements with text ${i}`, await one.page.evaluate(skeleton), want);
      const seen = await one.page.evaluate(() => ({
        pwned: window.pwned, url: location.href, wide: document.scrollingElement.scrollWidth,
        bad: /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(document.body.textContent),
        long: document.body.textContent.length,
      }));
      equal(`text ${i} ran`, seen.pwned, undefined);
      equal(`text ${i} went`, seen.url, PAGE_URL);
      if (seen.bad || seen.wide > 1280 || seen.long > 1000000) fail(`text ${i}: ${JSON.stringify(seen)}`);
    }
    await one.end();
  },

  "the keyboard reaches everything, and news take neither focus nor what is open": async () => {
    const one = await open(troubled());
    await one.page.keyboard.press("Tab");
    equal("first", await one.page.evaluate(() => document.activeElement.className), "skip");
    await one.page.keyboard.press("Tab");
    equal("second", await one.page.evaluate(() => document.activeElement.id), "zone");
    const local = await textOf(one.page, "#clock time");
    await one.page.keyboard.press("Enter");
    const utc = await textOf(one.page, "#clock time");
    if (!/^\d{4}-\d\d-\d\dT[\d:]{8}Z$/.test(utc) || local === utc) fail(`times: ${local}, ${utc}`);
    equal("pressed", await one.page.getAttribute("#zone", "aria-pressed"), "true");
    equal("UTC at hand", await one.page.getAttribute("#clock time", "title"), utc);
    await one.page.focus("#policy summary");
    await one.page.keyboard.press("Enter");
    await one.set(troubled());
    equal("open", await one.page.evaluate(() => document.querySelector("#policy details").open), true);
    equal("focus", await one.page.evaluate(() => document.activeElement.localName), "summary");
    await one.end();
  },

  "markup and code of others are refused by the browser, too": async () => {
    const one = await open(well());
    const said = await one.page.evaluate(() => {
      try { document.body.innerHTML = "<b>x</b>"; return "taken"; } catch (error) { return error.name; }
    });
    equal("innerHTML", said, "TypeError");
    const reports = await one.page.evaluate(() => new Promise((done) => setTimeout(() => done(window.reports.splice(0)), 200)));
    if (!reports.some((text) => text.startsWith("require-trusted-types-for"))) fail(`reports: ${reports}`);
    one.expected.push(/TrustedHTML/i);
    await one.end();
  },

  "the screen of the documentation is what the page shows": async () => {
    const one = await open(lateNode());
    await one.page.waitForSelector("#health .bad");
    await screen(browser, one.page, "page-node");
    await one.end();
  },

  "each act: the token, the form, the command that does the same, the confirmation; axe-core in both themes": async () => {
    const readOnly = await open();
    equal("without page: Act", await textOf(readOnly.page, "#acts"), "");
    await readOnly.end();
    const reading = readFileSync(PAGE_CONFIG, "utf8");
    allowActs(`${reading}page: Act\n`);
    for (const theme of ["light", "dark"]) {
      const one = await open(undefined, { theme, width: theme === "dark" ? 320 : 1280 });
      const { page } = one;
      const see = (text) => page.waitForFunction((what) => document.getElementById("acts").textContent.includes(what), text);
      const axe = async (what) => {
        await page.evaluate(AXE);
        const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
        if (violations.length > 0) fail(`${theme} ${what}: ${violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ").slice(0, 300)}`).join("; ")}`);
        const [wide, width] = await page.evaluate(() => [document.scrollingElement.scrollWidth, window.innerWidth]);
        if (wide > width) fail(`${theme} ${what}: ${wide} px wide`);
      };
      await see("holdfast node page");
      await axe("without a token");
      const address = newAddress();
      if (theme === "light") {
        await page.goto(address);
      } else {
        await page.fill("#act-secret", ` ${address}`);
        await page.keyboard.press("Enter");
      }
      await page.waitForSelector("#act-Hold");
      equal("the token is not in the address", page.url(), PAGE_URL);
      await axe("the choice");
      await page.click("#hold a");
      const focus = () => page.evaluate(() => document.activeElement.id);
      equal("the card of the hold leads to", await focus(), "act-Hold");
      await page.click("#act-Hold");
      equal("the form begins with", await focus(), "act-reason");
      equal("hours", await page.inputValue("#act-hours"), "8");
      await page.fill("#act-reason", "x");
      for (const bad of theme === "light" ? ["169", "0", "", "1.5"] : ["169"]) {
        await page.fill("#act-hours", bad);
        equal(`beside ${bad}`, await textOf(page, "#act-until"), "1 to 168 hours");
        await page.click("#act-form button[type=submit]");
        equal(`the focus after ${bad}`, await focus(), "act-hours");
      }
      await axe("bad hours");
      await page.fill("#act-hours", "");
      await page.keyboard.type("9 hours");
      const ends = async (hours) => Math.abs(Date.parse(await page.getAttribute("#act-step time", "datetime")) - Date.now() - hours * 3600000);
      if (await ends(9) > 60000) fail(`${theme}: 9 hours end at ${await textOf(page, "#act-until")}`);
      await page.click("#act-cancel");
      const act = async (name, fields, command, answer) => {
        await page.click(`#act-${name}`);
        for (const [key, value] of Object.entries(fields)) await page.fill(`#act-${key}`, value);
        await axe(`${name}, the form`);
        await page.click("#act-form button[type=submit]");
        await see(command);
        await axe(`${name}, the confirmation`);
        equal("focus", await focus(), "act-do");
        if (name === "Hold") {
          equal("nothing happens before", existsSync(`${PAGE_HOME}/state/hold`), false);
          if (await ends(8) > 60000) fail(`${theme}: ${await textOf(page, "#act-step")}`);
          const local = await textOf(page, "#act-step time");
          await page.click("#zone");
          equal("in UTC", await textOf(page, "#act-step time") !== local && /T.*Z$/.test(await textOf(page, "#act-step time")), true);
          await page.click("#zone");
        }
        const saved = name === "Support" ? page.waitForEvent("download") : null;
        await page.click("#act-do");
        await see(answer);
        await axe(`${name}, the answer`);
        await page.click("#act-cancel");
        await page.waitForSelector("#act-Hold");
        return saved;
      };
      await act("Hold", { reason: "line 3 <b>runs</b>" }, "sudo holdfast hold '--reason=line 3 <b>runs</b>' --for=8h", "held until");
      equal("the hold", JSON.parse(readFileSync(`${PAGE_HOME}/state/hold`, "utf8")).reason, "line 3 <b>runs</b>");
      await page.waitForFunction(() => document.getElementById("hold").textContent.includes("line 3"));
      await page.click("#hold a");
      equal("the card of a hold leads to its end", await focus(), "act-Release");
      await act("Release", {}, "holdfast hold --release", "no hold");
      equal("the hold has ended", existsSync(`${PAGE_HOME}/state/hold`), false);
      await act("Retry", {}, "systemctl kill --signal=HUP", "asks its server again");
      await act("Verify", {}, "holdfast node journal --verify", "intact");
      if (theme === "light") {
        const download = await act("Support", {}, "holdfast support --out=-", "has saved the bundle");
        const bundle = readFileSync(await download.path(), "utf8");
        if (!bundle.startsWith("holdfast support: the node") || bundle.includes(address.split("=")[1])) fail(`bundle: ${bundle.slice(0, 200)}`);
      }
      await one.end();
    }
    const one = await open({ ...troubled(), page: "Act" });
    await one.page.goto(newAddress());
    for (const [name, command] of [["RollBack", "rollback --local"], ["Undo", "rollback --local --undo"]]) {
      await one.page.click(`#act-${name}`);
      if (name === "RollBack") await one.page.fill("#act-reason", "line 3 stops");
      await one.page.click("#act-form button[type=submit]");
      await one.page.waitForFunction((what) => document.getElementById("acts").textContent.includes(what), command);
      await one.page.click("#act-do");
      await one.page.waitForFunction(() => document.getElementById("acts").textContent.includes("this node has no release"));
      await one.page.click("#act-cancel");
    }
    await one.end();
    allowActs(reading);
  },

  "a node with a release goes back to the version before, says so, and forward again": async () => {
    const home = `${PAGE_HOME}/released`, { page, end } = await open(undefined, { url: PAGE_RELEASED });
    const shows = (id, ...texts) => page.waitForFunction(([where, all]) => all.every((text) => document.getElementById(where).textContent.includes(text)), [id, texts]).catch(async () => fail(`${texts} is not in: ${await textOf(page, `#${id}`)}`));
    const act = async (name, command, answer, fields = {}) => {
      await page.click(`#act-${name}`);
      for (const [key, value] of Object.entries(fields)) await page.fill(`#act-${key}`, value);
      await page.click("#act-form button[type=submit]");
      await shows("acts", command);
      await page.click("#act-do");
      await shows("acts", answer);
      await page.click("#act-cancel");
    };
    await page.goto(newAddress(PAGE_RELEASED, home));
    await page.waitForSelector("#act-RollBack");
    await act("RollBack", "holdfast rollback --local '--reason=line 3 stops' --state-dir=", "0 bytes fetched", { reason: "line 3 stops" });
    equal("the file", readFileSync(`${home}/root/app`, "utf8"), "this is 1.1 ");
    await shows("releases", "1.1", "1.2", "Waiting");
    await shows("health", "HeldBack", "line 3 stops");
    await act("RollBack", "rollback --local", "gone back to 1.1 already", { reason: "again" });
    await act("Undo", "holdfast rollback --local --undo --state-dir=", "1.2");
    equal("the file after", readFileSync(`${home}/root/app`, "utf8"), "this is 1.2 ");
    await shows("releases", "1.2", "Committed");
    await shows("health", "Nothing needs a person");
    await end();
  },

  "the page says when it is switched off, and when the agent is gone": async () => {
    const one = await open();
    one.expected.push(/status of 403|Failed to load resource|WebSocket connection/);
    writeFileSync(PAGE_CONFIG, `${readFileSync(PAGE_CONFIG, "utf8")}page: None\n`);
    process.kill(Number(PAGE_AGENT), "SIGHUP");
    await one.page.waitForFunction(() => document.getElementById("problem").textContent.includes("page: None"));
    process.kill(Number(PAGE_AGENT), "SIGTERM");
    await one.page.waitForFunction(() => document.getElementById("problem").textContent.includes("does not answer"));
    equal("what was known stays", await textOf(one.page, "h1"), "page-node");
    await one.end();
  },
};

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
