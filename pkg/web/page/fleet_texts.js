// SPDX-License-Identifier: Apache-2.0
// Every text of the page of the fleet, beside those of a node.
import { addTexts } from "./texts.js";

addTexts({
  fleet: "Fleet", fleetTitle: "Fleet \u2013 holdfast", fleetAt: "{0} at {1}",
  fleetLoading: "Waiting for the cluster\u2026",
  fleetGone: "holdfast ui has ended, or does not answer. This page tries again.",
  fleetNoToken: "This address lacks its token. Open the whole address that holdfast ui printed.",
  kindLost: "{0} cannot be read now: {1}", noLabels: "The map has no labels: {0}",
  fleetPartial: "Some objects cannot be read, or found no room: the page does not show the whole cluster.",
  find: "Find", findHow: "name, reason, version or label", groupBy: "Group by", byState: "state",
  byRelease: "releases", byVersion: "version of {0}", byWave: "wave of {0}", byLabel: "label {0}",
  states: "States to show", lookGood: "well", lookBusy: "at work", lookWait: "waits", lookBad: "needs a person",
  lookAway: "silent", nodesOf: "{0} of {1} nodes", saveCsv: "Save as CSV",
  map: "Map",
  mapHow: "Each cell is a node. Arrow keys go from cell to cell, Enter opens a node. The list below has the same.",
  mapEmpty: "No node has these properties.", moreGroups: "{0} more groups are not drawn: narrow them down with Find.",
  groupTitle: "{0}: {1} nodes, {2} need a person, {3} silent", noValue: "without", wavesBefore: "1 earlier waves",
  waveNow: "2 wave {0}, admitted now", waveCanary: "0 canaries", waveLater: "3 later waves",
  waveNone: "4 not selected",
  nodesTable: "Nodes", nodeName: "Node", release: "Release", installed: "Runs", page: "{0} to {1} of {2}",
  earlier: "Previous", later: "Next", Silent: "no report since {0}", never: "never",
  rollouts: "Rollouts", noRollouts: "The cluster has no EdgeUpdates.",
  moreRollouts: "{0} more rollouts: holdfast status lists all.", canary: "canary", waveShare: "wave {0}: {1} %",
  waveAll: "all at once", done: "done", open: "open", notYet: "not yet", soakLeft: "soaks, at most {0} left",
  soaked: "has soaked", counts: "{0} of {1} updated", selected: "selected", admitted: "admitted", updated: "updated",
  updating: "updating", failed: "failed", incompatible: "cannot run it", unknownNodes: "silent or held",
  superseded: "follow another", why: "Why", failures: "Failed nodes", troubleOf: "Cannot go on",
  waitsForTurn: "Silent, with a turn", commands: "Commands", showNodes: "Show its nodes",
  close: "Close", nodeCommand: "In a terminal", nodeFailed: "The whole report is not at hand: {0}",
});
