// SPDX-License-Identifier: Apache-2.0
// The screens of the documentation: a fleet to show, and screens made anew or, by hack/screens, written. They are compared small, so that
// another font or a time of day is no difference, and a part that moved, came or went is.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { well } from "./states.mjs";

const PICTURES = `${dirname(dirname(dirname(import.meta.dirname)))}/docs/pictures`;
const NAMES = ["page-fleet-node", "page-fleet", "page-node"];
const SMALL = 3, MOST_OFF = 0.02, FAR = 40, FONTS = "338 365"; // the fonts in which they are written

/** Draws `urls` in a page of its own; of two the share of pixels that differ, each SMALL times smaller; of one its WebP. */
async function look(browser, ...urls) {
  const context = await browser.newContext(), page = await context.newPage();
  const got = await page.evaluate(async ([all, small, far]) => {
    const pictures = await Promise.all(all.map(async (url) => { const image = new Image(); image.src = url; await image.decode(); return image; }));
    const draw = (image, width, height) => { const canvas = new OffscreenCanvas(width, height), to = canvas.getContext("2d"); to.imageSmoothingQuality = "high"; to.drawImage(image, 0, 0, width, height); return to; };
    const [{ naturalWidth: width, naturalHeight: height }, other] = pictures;
    if (other === undefined) {
      const blob = await draw(pictures[0], width, height).canvas.convertToBlob({ type: "image/webp", quality: 0.8 });
      return [...new Uint8Array(await blob.arrayBuffer())];
    }
    if (other.naturalWidth !== width || other.naturalHeight !== height) return 1;
    const [a, b] = pictures.map((one) => draw(one, Math.round(width / small), Math.round(height / small))).map((to) => to.getImageData(0, 0, to.canvas.width, to.canvas.height).data);
    let off = 0;
    for (let i = 0; i < a.length; i += 4) if ([0, 1, 2].some((k) => Math.abs(a[i + k] - b[i + k]) > far)) off++;
    return off / (a.length / 4);
  }, [urls, SMALL, FAR]);
  await context.close();
  return got;
}

/** Writes docs/pictures/NAME.webp, or fails if it is not what `page` shows. */
export async function screen(browser, page, name) {
  if (!NAMES.includes(name)) throw new Error(`${name} is not among the screens`);
  const path = `${PICTURES}/${name}.webp`, url = (type, bytes) => `data:image/${type};base64,${Buffer.from(bytes).toString("base64")}`;
  await page.evaluate(() => { // what only this machine has
    for (const e of document.querySelectorAll("#head .soft, code")) for (const text of e.childNodes) if (text.nodeType === 3) text.data = text.data.replace(/ --kubeconfig=\S+/, "").replace(/http:..127[\d.:]+/, "https://k8s.example.org:6443");
  });
  const fonts = await page.evaluate(() => ["16px system-ui", "16px monospace"].map((font) => {
    const to = new OffscreenCanvas(1, 1).getContext("2d");
    to.font = font;
    return Math.round(to.measureText("Why is this node late? 0123456789 {}@#").width);
  }).join(" "));
  if (fonts !== FONTS) return console.log(`        ${name}: not compared: other fonts here, ${fonts}`);
  const fresh = url("png", await page.screenshot());
  if (process.env.PAGE_SCREENS === "write") return writeFileSync(path, Uint8Array.from(await look(browser, fresh)));
  const off = await look(browser, fresh, url("webp", readFileSync(path)));
  if (off > MOST_OFF) throw new Error(`docs/pictures/${name}.webp is not what the page shows now (${(off * 100).toFixed(1)} %): hack/screens`);
  return console.log(`        ${name}: ${(off * 100).toFixed(2)} % differ`);
}

/** A screen that nothing makes would age. */
export function onlyThese() {
  const there = readdirSync(PICTURES).filter((one) => !/\.(svg|txt)$/.test(one)).sort().join();
  if (there !== NAMES.map((one) => `${one}.webp`).sort().join()) throw new Error(`docs/pictures has ${there}`);
}

/** A node as /page/state.json has it, with one trouble. */
export function lateNode() {
  const state = well(), [update] = state.node.status.updates;
  Object.assign(update, { phase: "RolledBack", version: "1.4.2", reason: "HealthFailed", message: ODD["oslo-07"][2], sequence: 142 });
  state.node.metadata.name = "oslo-07";
  return state;
}

// ---- a fleet ---------------------------------------------------------------------------------------------------------

const API = "edge.codcompass.io/v1alpha1", SITES = ["bergen", "oslo", "stavanger", "tromso", "trondheim"], EACH = 24, HOUR = 3600;
const time = (ago) => new Date(Date.now() - ago * 1000).toISOString().replace(/\.\d+Z$/, "Z");
const digest = "ab".repeat(32);

// What is particular: [phase, reason, message, more of the status].
const ODD = {
  "oslo-07": ["RolledBack", "HealthFailed", "GET http://127.0.0.1:8080/healthz answered 500 for 60 s"],
  "tromso-03": ["Waiting", "LinkWindowClosed", "the link opens at 22:00"],
  "tromso-04": ["Waiting", "LinkWindowClosed", "the link opens at 22:00"],
  "bergen-11": ["Fetching", "Downloading", "12 MiB of 31 MiB"],
  "bergen-12": ["Probation", "HealthChecking", "4 of 6 checks passed"],
  "trondheim-20": ["Waiting", "Held", "the site holds updates: line 3 is running", { hold: { active: true, reason: "line 3 is running", since: time(7200), until: time(-8 * HOUR) } }],
  "stavanger-02": ["Committed", "Healthy", "", { observedTime: time(30 * HOUR) }],
};

function edgeNode(name, i) {
  const odd = ODD[name], done = i < SITES.length * EACH * 0.55, [phase, reason, message = "", more = {}] = odd ?? (done ? ["Committed", "Healthy"] : ["Waiting", "NotAdmitted", "a later wave admits this node"]);
  const runs = phase === "Committed" || phase === "Probation" ? "1.4.2" : i % 11 === 5 ? "1.4.0" : "1.4.1";
  return { apiVersion: API, kind: "EdgeNode", metadata: { name }, status: { observedTime: time(200), agent: { version: "0.1.0", mode: "Host" }, contact: { state: "Fresh", lastTime: time(200) },
    policy: { name: "plants", interval: "1h" }, telemetry: { queuedEvents: 14, queuedBytes: 5200, diskBytes: 65536, oldestTime: time(260), sinks: [{ name: "default", origin: "https://collector.example.org", breaker: "Closed", queuedEvents: 14, queuedBytes: 5200, lastDeliveryTime: time(240) }] },
    updates: [{ name: "edge-app", phase, reason, message, version: "1.4.2", installedVersion: runs, from: runs === "1.4.2" ? "1.4.1" : "1.4.0", digest, sequence: 142, method: "Delta", bytesFetched: 131072, time: time(phase === "Committed" ? (i % 40) * 0.7 * HOUR + 600 : 40 * HOUR) }],
    conditions: [{ type: "Ready", status: phase === "RolledBack" ? "False" : "True", reason: phase === "RolledBack" ? reason : "UpToDate", message, lastTransitionTime: time(3 * HOUR) }], ...more } };
}

const edgeUpdate = (name, version, rollout, conditions, nodes, failures = []) => ({ apiVersion: API, kind: "EdgeUpdate", metadata: { name, generation: 1 },
  spec: { release: { name, version, sequence: 142 }, nodeSelector: {}, strategy: { canary: { soak: "1h" }, waves: [{ percent: 10, soak: "2h" }, { percent: 60, soak: "4h" }, { percent: 100 }] } },
  status: { observedGeneration: 1, failures: failures.map(([node, reason, message]) => ({ node, reason, message })), nodes: { incompatible: 0, unknown: 1, held: 1, superseded: 0, ...nodes }, rollout: { digest, slots: 6000, slotsBefore: 1000, ...rollout },
    conditions: conditions.map(([type, status, reason, message = ""]) => ({ type, status, reason, message })) } });

export const FLEET = () => [
  ...SITES.flatMap((site, s) => Array.from({ length: EACH }, (_, i) => `${site}-${String(i + 1).padStart(2, "0")}`).flatMap((name, i) => [
    edgeNode(name, i * SITES.length + s), { apiVersion: "v1", kind: "Node", metadata: { name, labels: { site, tier: i % 3 ? "line" : "gate" } } }])),
  edgeUpdate("edge-app", "1.4.2", { phase: "Wave", wave: 2 }, [["Ready", "False", "Progressing"]], { selected: 120, admitted: 72, updated: 64, updating: 2, failed: 1 },
    [["oslo-07", "HealthFailed", ODD["oslo-07"][2]]]),
  edgeUpdate("edge-model", "9", { phase: "Halted", wave: 1 }, [["Ready", "False", "TooManyFailures", "2 of 12 nodes failed, more than 10 %"], ["Stalled", "True", "TooManyFailures", "2 of 12 nodes failed, more than 10 %"]],
    { selected: 120, admitted: 12, updated: 10, updating: 0, failed: 2 }, [["bergen-01", "HealthFailed", "no answer in 30 s"], ["oslo-02", "HealthFailed", "no answer in 30 s"]]),
  edgeUpdate("k3s-agent", "1.31.4", { phase: "Complete", wave: 3 }, [["Ready", "True", "RolledOut"]], { selected: 120, admitted: 120, updated: 118, updating: 0, failed: 0 }),
];
