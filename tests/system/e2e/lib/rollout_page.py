# SPDX-License-Identifier: Apache-2.0
"""docs/how-to/rollouts.md on real nodes: each command of the page as it stands there, in the page's order, with what it has to bring about.

The nodes and the controller are those of a chart that is installed (test_helm.py). The page's node edge-7 is the node that goes away while
it holds a turn; its times are shortened. tests/system/docs/run.py fails if the page has a command that STEPS does not know."""

import json
import os
import re
import sys
import threading
import time

import yaml

import test_docs
from holdcluster import image, place, plane

from . import api, release, service, site, wait, world

sys.path.insert(1, os.path.join(place.TOP, "tests", "system", "docs"))

import pages  # noqa: E402

PAGE = "docs/how-to/rollouts.md"
# The page's commands, and the method of Story that runs each of them.
STEPS = [
    (r"kubectl label node edge-3 edge\.codcompass\.io/canary=true", "label"),
    (r"holdfast status", "table"),
    (r"holdfast status edge-inference", "details"),
    (r"holdfast rollout watch edge-inference --timeout 12h", "watch"),
    (r"holdfast nodes --release edge-inference --phase RolledBack", "nodes_that_rolled_back"),
    (r"holdfast rollout pause edge-inference", "pause"),
    (r"holdfast rollout halt edge-inference --reason 'wrong model'", "halt"),
    (r"holdfast rollout resume edge-inference", "resume"),
    (r"holdfast wait --release edge-inference --version 1\.4\.2 --reachable --timeout 12h", "wait"),
    (r"kubectl wait edgeupdate/edge-inference --for=condition=Ready --timeout=12h", "kubectl_wait"),
    (r"holdfast rollback edgeupdate/edge-inference edge-inference-1\.4\.1\.yaml --key release-2026 --out back\.yaml", "rollback"),
    (r"kubectl apply -f back\.yaml", "apply_rollback"),
    (r"holdfast turn free edge-7", "turn_free"),
]
GROUP = "/apis/edge.codcompass.io/v1alpha1"
NAME = "edge-inference"
ZONE = "topology.kubernetes.io/zone"
SHORT = {"soak": "1s", "unknownAfter": "1m", "progressDeadline": "5m"}      # of the page's times
INTERVAL_S = 10                                # of reports: a node is silent after 20 seconds


def commands():
    return [command for block in pages.read(place.TOP, PAGE) if block.kind == "sh" for command in block.commands()]


def shortened(value):
    """The page's strategy with times that a test can wait for."""
    if isinstance(value, list):
        return [shortened(one) for one in value]
    if isinstance(value, dict):
        return {key: SHORT.get(key) or shortened(one) for key, one in value.items()}
    return value


def strategy():
    """The one of the page."""
    block = next(block for block in pages.read(place.TOP, PAGE) if block.kind == "yaml")
    return shortened(yaml.safe_load(block.text)["strategy"])


class Story:
    """`nodes` have the label `label`; the first one is the canary. `case` is a unittest.TestCase."""

    def __init__(self, case, nodes, label):
        self.case, self.all, self.selector = case, nodes, label
        self.desk = test_docs.Desk(nodes[-1])
        case.addCleanup(self.desk.end)
        self.services = {node: service.Service(node, NAME, test_docs.PORT) for node in nodes}
        self.busiest, self.over = 0, threading.Event()

    # --- the site before the page begins ---

    def prepare(self):
        argv = plane.inside(world.cluster.where, ["env", "KUBECONFIG=" + world.cluster.where.path("pki", "admin.kubeconfig"),
                                                  world.built("holdfast")])
        place.write(os.path.join(self.desk.folder, "bin", "holdfast"), "#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in argv) + ' "$@"\n', 0o755)
        self.desk.run("holdfast key generate release-2026")
        with open(os.path.join(self.desk.folder, "release-2026.pem"), encoding="ascii") as file:
            key = file.read()
        for node in self.all:
            place.write(os.path.join(world.cluster.root(node), "etc/holdfast/trust.d/release-2026.pem"), key)
            self.services[node].install(release.sample("1.4.0", 1))
            self.case.addCleanup(self.services[node].remove)
        world.cluster.kubectl("label", "node", *self.all, f"{ZONE}=site-1", "--overwrite")
        policy = {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "page"},
                  "spec": {"interval": f"{INTERVAL_S}s", "nodeSelector": {"matchLabels": {self.selector: "yes"}}}}
        world.cluster.kubectl("apply", "-f", "-", text=json.dumps(policy))
        self.case.addCleanup(world.cluster.kubectl, "delete", "syncpolicy/page", f"edgeupdate/{NAME}", "--ignore-not-found", check=False)

    def make(self, version, sequence, folder):
        """`holdfast release create` as in the README with the page's strategy as its template, and `holdfast lint` as the page says."""
        arch = image.architecture()
        place.write(os.path.join(self.desk.folder, "strategy.yaml"), yaml.safe_dump({
            "apiVersion": "edge.codcompass.io/v1alpha1", "kind": "EdgeUpdate", "metadata": {"name": NAME}, "spec": {"strategy": strategy()}}))
        self.desk.run(f"holdfast release create --template strategy.yaml --name {NAME} --version {version} --sequence {sequence} --path /opt/{NAME}/bin/current "
                      f"--restart-unit {NAME}.service --artifact {arch}={folder}/{arch} --health-http http://127.0.0.1:{test_docs.PORT}/healthz "
                      f"--health-threshold 2 --health-deadline 8s --node-selector {self.selector}=yes "
                      f"--url-base https://releases.example.com --key release-2026 --out out-{sequence}")
        made = os.path.join(self.desk.folder, f"out-{sequence}")
        for name in os.listdir(made):
            with open(os.path.join(made, name), "rb") as file:
                content = file.read()
            if name.endswith(".yaml"):
                self.case.assertEqual(yaml.safe_load(content)["spec"]["strategy"], strategy())
                place.write(os.path.join(self.desk.folder, name), content)
            else:
                site.put(name, content)
        name = f"{NAME}-{version}.yaml"
        self.desk.run(f"holdfast lint --strict {name}")
        return name

    # --- what holds ---

    def update(self):
        return api.get(f"{GROUP}/edgeupdates/{NAME}")

    def ready(self):
        conditions = self.update().get("status", {}).get("conditions", [])
        return next((one for one in conditions if one["type"] == "Ready"), {})

    def await_reason(self, *reasons, timeout_s=90):
        def there():
            seen, update = self.ready(), self.update()
            return seen if seen.get("reason") in reasons and seen.get("observedGeneration") == update["metadata"]["generation"] else None
        try:
            return wait.until(f"{NAME} to be {' or '.join(reasons)}", there, timeout_s, 0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {json.dumps(self.update().get('status'))}") from None

    def phase(self, node):
        entries = api.get(f"{GROUP}/edgenodes/{node}").get("status", {}).get("updates", [])
        return next((entry.get("phase") for entry in entries if entry["name"] == NAME), None)

    def versions(self):
        return [self.services[node].version() for node in self.all]

    def turns(self):
        """The nodes that hold a turn of the release."""
        return [one["metadata"]["name"] for one in api.get(f"{GROUP}/edgenodes").get("items", [])
                if any(turn["release"] == NAME for turn in one.get("spec", {}).get("turns", []))]

    def count_turns(self):
        while not self.over.wait(0.2):
            self.busiest = max(self.busiest, len(self.turns()))

    # --- the page ---

    def run(self):
        """All of it."""
        missing = [command.place() + ": " + command.text for command in commands() if not step_of(command)]
        self.case.assertEqual(missing, [], f"no test runs these commands: give them rows in {os.path.basename(__file__)}")
        self.case.assertEqual([step_of(command) for command in commands()], [method for _, method in STEPS])
        self.prepare()
        watcher = threading.Thread(target=self.count_turns, daemon=True)
        watcher.start()
        self.case.addCleanup(self.over.set)
        for command in commands():
            began = time.monotonic()
            try:
                getattr(self, step_of(command))(command.text)
            except AssertionError as error:
                raise AssertionError(f"{command.place()}: {error}") from None
            print(f"        {time.monotonic() - began:5.1f} s  {pages.one_line(command.text)}")
        self.over.set()
        watcher.join(5)
        self.case.assertEqual(self.busiest, 1, "more than one node of the site had a turn")

    def label(self, command):
        self.desk.run(command.replace("edge-3", self.all[0]))

    def table(self, command):
        self.desk.run("kubectl apply -f " + self.make("1.4.1", 41, "1.4.1"))
        self.await_reason("Progressing", "Soaking")
        self.case.assertRegex(self.desk.run(command), rf"(?m)^{NAME} +{NAME} +1\.4\.1 +canary")

    def details(self, command):
        self.case.assertRegex(self.desk.run(command), rf"(?m)^{NAME}: (Progressing|Soaking): (canary|wave \d of 3 \(\d+ %\)): ")

    def watch(self, command):
        said = self.desk.run(command)
        self.case.assertRegex(said.strip().split("\n")[-1], r"updated 3/3, updating 0, failed 0, away 0 +RolledOut")
        self.case.assertEqual(self.versions(), ["1.4.1"] * 3)

    def nodes_that_rolled_back(self, command):
        """A release that is never healthy: its mandatory canary ends the rollout, and the other nodes never start it."""
        self.desk.run("kubectl apply -f " + self.make("1.5.0", 42, "broken"))
        said = self.await_reason("CanaryFailed", "TooManyFailures")
        self.case.assertIn(self.all[0], json.dumps(self.update()["status"]["failures"]))
        self.case.assertIn("release a newer version", said["message"])
        wait.until("the canary to have rolled back", lambda: self.phase(self.all[0]) == "RolledBack", 60)
        lines = self.desk.run(command).strip().split("\n")
        self.case.assertEqual([line.split()[0] for line in lines[1:]], [self.all[0]])
        self.case.assertIn(self.all[0], self.desk.run(f"holdfast rollout watch {NAME}", (4,)))
        self.case.assertEqual(self.versions(), ["1.4.1"] * 3)

    def pause(self, command):
        """The canary downloads, and nobody gets a turn."""
        self.desk.run("kubectl apply -f " + self.make("1.4.2", 43, "new"))
        wait.until("the canary to be admitted", lambda: self.update()["status"]["admission"]["canary"], 60)
        self.case.assertIn("paused", self.desk.run(command))
        self.await_reason("Paused")
        wait.until("the canary to wait for its turn", lambda: self.phase(self.all[0]) == "Verified", 60)
        time.sleep(4)
        self.case.assertEqual((self.ready()["reason"], self.turns(), self.versions()), ("Paused", [], ["1.4.1"] * 3))

    def halt(self, command):
        self.case.assertIn("halted", self.desk.run(command))
        self.case.assertIn("wrong model", self.await_reason("HaltedByOperator")["message"])
        admission = self.update()["status"]["admission"]
        self.case.assertEqual((admission["cutoff"], admission["canary"]), (0, False))
        self.case.assertEqual(self.versions(), ["1.4.1"] * 3)

    def resume(self, command):
        self.case.assertIn("resumed", self.desk.run(command))
        self.await_reason("Progressing", "Soaking", "RolledOut")

    def wait(self, command):
        self.desk.run(command)
        self.case.assertEqual(self.versions(), ["1.4.2"] * 3)

    def kubectl_wait(self, command):
        self.desk.run(command)
        self.case.assertEqual(self.ready()["reason"], "RolledOut")

    def rollback(self, command):
        """With one wave, so that the node that goes away is not alone in a stage; a strategy may change at any time, the page says."""
        waves = {"spec": {"strategy": {"waves": [{"percent": 100}]}}}
        world.cluster.kubectl("patch", "edgeupdate", NAME, "--type=merge", "-p", json.dumps(waves))
        self.await_reason("RolledOut")
        self.desk.run(command)
        with open(os.path.join(self.desk.folder, "back.yaml"), encoding="utf-8") as file:
            back = yaml.safe_load(file)
        self.case.assertEqual(back["spec"]["release"]["sequence"], 44)
        self.case.assertEqual(back["spec"]["strategy"], self.update()["spec"]["strategy"])

    def apply_rollback(self, command):
        """Canary first; then a node of the site begins, and goes away while it is its turn."""
        self.desk.run(command)
        others = self.all[1:]
        holder = wait.until("a node after the canary to have the turn", lambda: next((one for one in self.turns() if one in others), None), 90, 0.05)
        self.desk.node = holder
        self.case.addCleanup(world.cluster.heal, holder)
        world.cluster.cut(holder)
        self.case.assertEqual(self.services[self.all[0]].version(), "1.4.1")

    def turn_free(self, command):
        """The other node of the site goes on; the one that was away is done when it is back."""
        away = self.desk.node
        other = next(node for node in self.all[1:] if node != away)
        wait.until("the status to name who is waited for", lambda: self.update()["status"]["rollout"].get("waitingFor") == [away], 120)
        self.case.assertEqual((self.turns(), self.services[other].version()), ([away], "1.4.2"))
        self.case.assertIn(f"waits for {away}", self.desk.run(f"holdfast status {NAME}"))
        self.case.assertRegex(self.desk.run(command), "turn")
        wait.until("the other node to be back at 1.4.1", lambda: self.services[other].version() == "1.4.1", 60)
        self.await_reason("RolledOut")
        nodes = self.update()["status"]["nodes"]
        self.case.assertEqual({name: nodes[name] for name in ("selected", "updated", "unknown", "failed")},
                              {"selected": 3, "updated": 2, "unknown": 1, "failed": 0})
        world.cluster.heal(away)
        wait.until("the counts to include the node that was away", lambda: self.update()["status"]["nodes"]["updated"] == 3, 120)
        self.case.assertEqual(self.versions(), ["1.4.1"] * 3)


def step_of(command):
    return next((method for pattern, method in STEPS if re.fullmatch(pattern, pages.one_line(command.text), re.S)), None)
