// SPDX-License-Identifier: Apache-2.0
// What the page of a fleet of PAGE_NODES nodes costs a browser; hack/bench.d/ui starts it by fleet.py. A line of JSON for each
// figure, as hack/bench has them. Frames are those of the page's own clock, with the processor slowed down four times; the same
// on an empty page of the same height says what this machine and browser take without us.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const { PAGE_URL, PAGE_BROWSER, PAGE_MODULES } = process.env;
const NODES = Number(process.env.PAGE_NODES ?? 10000), SITES = 200, SLOWER = 4, FRAMES = 150, CHANGES = 200, CHANGES_S = 10;
const { chromium } = await import(`${PAGE_MODULES}/playwright-core/index.mjs`);

const say = (figure) => process.stdout.write(`${JSON.stringify({ peers: [], less: true, bar: null, ...figure })}\n`);
const replies = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
async function order(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`);
  return JSON.parse((await replies.next()).value);
}

const edgeNode = (i, phase) => ({ apiVersion: "edge.codcompass.io/v1alpha1", kind: "EdgeNode", metadata: { name: `n-${i}` },
  status: { observedTime: new Date().toISOString().replace(/\.\d+Z$/, "Z"), agent: { version: "0.1.0", mode: "Host" }, contact: { state: "Fresh" },
    updates: [{ name: "edge-app", phase, version: "1.4.2", installedVersion: "1.4.1", digest: "ab".repeat(32), sequence: 42, reason: phase === "RolledBack" ? "HealthFailed" : "Healthy" }] } });
const label = (i) => ({ apiVersion: "v1", kind: "Node", metadata: { name: `n-${i}`, labels: { site: `site-${i % SITES}` } } });
const phaseOf = (i) => (i % 37 === 0 ? "RolledBack" : i % 11 === 0 ? "Fetching" : "Committed");

const all = Array.from({ length: NODES }, (_, i) => i);
for (let i = 0; i < NODES; i += 1000) await order({ put: all.slice(i, i + 1000).flatMap((one) => [edgeNode(one, phaseOf(one)), label(one)]) });

const browser = await chromium.launch({ executablePath: PAGE_BROWSER, args: ["--no-sandbox"] });

/** Milliseconds of FRAMES frames, while `work` is done in the page. */
async function frames(page, work) {
  const client = await page.context().newCDPSession(page);
  await client.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  const taken = page.evaluate((n) => new Promise((resolve) => {
    const times = [];
    requestAnimationFrame(function frame(now) {
      times.push(now);
      if (times.length <= n) requestAnimationFrame(frame);
      else resolve(times.slice(1).map((at, i) => at - times[i]));
    });
  }), FRAMES);
  let over = false;
  taken.then(() => { over = true; });
  for (let i = 0; !over; i++) await work(i);
  await client.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  return (await taken).sort((a, b) => a - b);
}

const scroll = (page) => (i) => page.mouse.wheel(0, i % 40 < 20 ? 90 : -90);
const hover = (page) => (i) => page.mouse.move(60 + ((i * 23) % 1100), 200 + ((i * 7) % 500));

async function tell(what, page, work, bar) {
  const times = await frames(page, work);
  say({ figure: `${what}: median of ${FRAMES} frames, processor ${SLOWER} times slower`, unit: "ms", ours: times[FRAMES >> 1], bar });
  say({ figure: `${what}: of 20 frames one takes longer than`, unit: "ms", ours: times[Math.floor(FRAMES * 0.95)] });
}

const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
const empty = await context.newPage();
await empty.setContent("<body style='height: 8000px'>nothing");
await tell("an empty page, scrolled", empty, scroll(empty), null);
await tell("an empty page, hovered", empty, hover(empty), null);
await empty.close();

const page = await context.newPage();
await page.goto(PAGE_URL.replace("#", "?group=label:site#"));
const whole = NODES.toLocaleString("en");
await page.waitForFunction((text) => document.getElementById("count")?.textContent === `${text} of ${text} nodes`, whole);
const { data, shown } = await page.evaluate(() => ({
  data: Math.max(...performance.getEntriesByType("resource").filter((one) => one.name.includes("/fleet/changes")).map((one) => one.responseEnd)), shown: performance.now() }));
say({ figure: `a map of ${whole} nodes: shown after the last row has come`, unit: "s", ours: Math.max(shown - data, 0) / 1000, bar: 1 });
const { asked } = await order({});
say({ figure: "requests to the API server, for nodes, rollouts and labels", unit: "", ours: asked.length, bar: 3 });

await tell(`${whole} nodes, scrolled`, page, scroll(page), 30);
await page.evaluate(() => document.getElementById("map").scrollIntoView());
await tell(`${whole} nodes, hovered`, page, hover(page), 30);

// News without lag: a node more is shown as soon behind many changes as alone.
let more = 0;
async function oneMore(what, bar) {
  const wanted = (NODES + ++more).toLocaleString("en"), began = Date.now();
  await order({ put: [edgeNode(NODES + more, "Committed")] });
  await page.waitForFunction((text) => document.getElementById("count").textContent === `${text} of ${text} nodes`, wanted);
  say({ figure: `${what}, shown after`, unit: "s", ours: (Date.now() - began) / 1000, bar });
}
await oneMore("a change", null);
for (let s = 0, last = 0; s < CHANGES_S; s++) {
  const began = Date.now();
  await order({ put: Array.from({ length: CHANGES }, () => edgeNode(last = (last + 7919) % NODES, "RolledBack")) });
  await page.waitForTimeout(Math.max(1000 - (Date.now() - began), 0));
}
await oneMore(`a change after ${CHANGES} changes a second for ${CHANGES_S} s`, 1);

const { processInfo } = await (await browser.newBrowserCDPSession()).send("SystemInfo.getProcessInfo");
const held = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => Number(/^Pss_Anon:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, "utf8"))[1]));
say({ figure: `${whole} nodes: anonymous memory of the page's process`, unit: "MiB", ours: Math.max(...held) / 1024, bar: 200 });
await browser.close();
process.exit(0);
