// SPDX-License-Identifier: Apache-2.0
// States of a node as /page/state.json has them.

let seconds = 0;
const time = () => new Date(Date.UTC(2026, 10, 24, 10, 0, ++seconds)).toISOString().replace(/\.\d+Z$/, "Z");
const at = "2026-11-24T09:30:00Z";

const node = (status) => ({
  time: time(),
  node: { apiVersion: "edge.codcompass.io/v1alpha1", kind: "EdgeNode", metadata: { name: "edge-7" }, status },
  now: { networkBytes: 1e6, queuedEvents: 12, contactAgeSeconds: 4, diskUsedRatio: 0.4, writtenBytes: 5e5, cpuSeconds: 3, residentBytes: 14e6,
    startUnixSeconds: Date.UTC(2026, 10, 24) / 1000 },
});

/** A node that does well. */
export const well = () => node({
  agent: { version: "0.1.0", mode: "Host" }, contact: { state: "Fresh", lastTime: at }, clock: { offsetMilliseconds: -12, synchronized: true },
  policy: { name: "site", interval: "5m", observedGeneration: 3 },
  updates: [{ name: "edge-app", phase: "Committed", version: "1.4.1", installedVersion: "1.4.1", sequence: 141, from: "1.4.0", method: "Delta",
    bytesFetched: 130000, time: at }],
  manifests: [{ name: "web", to: "StaticPods", phase: "Applied", items: 2, time: at }],
  network: { apiRoundTripMilliseconds: 84, downloadBytesPerSecond: 90000, bytesToday: 2e6, maxBytesPerDay: 5e7 },
  writes: { bytesToday: 2e6, budgetBytes: 1e8 }, trust: { keys: ["0123456789abcdef"] }, journal: { entries: 41, lastHash: "0b805d69208c4d08" },
  telemetry: { queuedEvents: 3, queuedBytes: 900, diskBytes: 65536, oldestTime: at,
    sinks: [{ name: "default", origin: "https://collector.example.org", breaker: "Closed", queuedEvents: 3, queuedBytes: 900, lastDeliveryTime: at }] },
  conditions: [{ type: "Ready", status: "True", reason: "UpToDate", message: "all is in place", lastTransitionTime: at }],
  sequence: 7, observedTime: at,
});

/** A node with everything wrong that a page can show at once. */
export const troubled = () => {
  const state = well(), { status } = state.node;
  Object.assign(status, {
    contact: { state: "Expired", lastTime: at, reason: "DnsFailed" },
    hold: { active: true, reason: "line 3 is running", since: at, until: "2026-11-25T09:30:00Z" },
    updates: [
      { name: "edge-app", phase: "RolledBack", version: "1.5.0", installedVersion: "1.4.1", sequence: 150, reason: "HealthFailed", attempts: 2, time: at,
        message: "the check GET http://127.0.0.1:8080/healthz answered 500" },
      { name: "edge-model", phase: "Fetching", version: "9", installedVersion: "8", sequence: 9, bytesFetched: 5e6, reason: "Downloading", time: at }],
    manifests: [{ name: "web", to: "StaticPods", phase: "Refused", reason: "Unsigned", drifts: 3, time: at, message: "the entry is not signed",
      alone: { state: "Running" } }],
    disk: [{ path: "/", level: "Critical", usedPercent: 97, inodesUsedPercent: 12, readOnly: true, wearPercent: 88 }],
    clock: { offsetMilliseconds: 420000, synchronized: false },
    telemetry: { queuedEvents: 90000, queuedBytes: 4e7, diskBytes: 2e7, oldestTime: at, troubles: ["the storage folder is full"],
      sinks: [{ name: "default", origin: "https://collector.example.org", breaker: "Open", queuedEvents: 90000, queuedBytes: 4e7, oldestTime: at,
        deadLetters: 12, droppedEvents: 345, waitingFor: "LinkWindowClosed", message: "the sink answered 503" }] },
    conditions: [["Ready", "False"], ["Reconciling", "True"], ["Stalled", "True"], ["ClockSynced", "False"], ["ManifestsApplied", "False"],
      ["PolicyActedOn", "False"], ["PolicyConflict", "True"], ["PolicyTrusted", "False"], ["SourceReadable", "False"], ["StatusDelivered", "False"],
      ["LabelsApplied", "False"], ["NodeNameShared", "True"], ["StateWritable", "False"], ["TrustFolderSafe", "False"], ["ConfigurationValid", "False"],
      ["FloorsKnown", "False"], ["HostLife", "False"], ["ClientCertificateValid", "False"], ["DiskPressure", "True"], ["MemoryPressure", "True"],
      ["LogRotation", "False"]].map(([type, status_]) => ({ type, status: status_, reason: "Faulty", message: `about ${type}`, lastTransitionTime: at })),
  });
  status.policy = { name: "site", interval: "5m", policies: [{ name: "site" }, { name: "plant" }],
    sections: [{ path: "telemetry", policy: "site", signed: true }, { path: "labels.static[site]", policy: "plant" }] };
  return state;
};

/** `text` in every field that an object, a server or a site can fill. */
export const hostile = (text) => {
  const state = troubled(), { status } = state.node;
  const fill = (value) => {
    if (Array.isArray(value)) return value.map(fill);
    if (value !== null && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fill(one)]));
    return typeof value === "string" ? text : value;
  };
  if (text.length > 100000) { // one field is enough: the agent's own status ends at 256 KiB
    const small = hostile("plain");
    small.node.status.updates[0].message = text;
    return small;
  }
  state.node.metadata.name = text;
  state.node.status = fill(status);
  return state;
};
