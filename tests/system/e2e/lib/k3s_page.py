# SPDX-License-Identifier: Apache-2.0
"""docs/how-to/upgrade-k3s.md on real nodes: each command of the page as it stands there, in the page's order, with what it has to bring about.

The nodes' own kubelet stands at the path of K3s and is run by its unit (holdcluster/node.py). The page's canary is edge-3; its times are
shortened. tests/system/docs/run.py fails if the page has a command that STEPS does not know."""

import datetime
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time

from holdcluster import image, node as nodes_of, place, plane
from holdcluster.process import run as run_program

from . import api, rollout_page, site, wait, world

sys.path.insert(1, os.path.join(place.TOP, "tests", "system", "docs"))

import pages  # noqa: E402

PAGE = "docs/how-to/upgrade-k3s.md"
POD_PAGE = "docs/reference/upgrade-k3s.md"     # with the agent as a pod
NAME = "k3s-agent"
# The page's commands, and the method of Story that runs each of them.
STEPS = [
    (r"kubectl label node edge-3 edge\.codcompass\.io/canary=true", "label"),
    (r"cat >strategy\.yaml <<END .*", "write_strategy"),
    (r"holdfast release create .*", "create"),
    (r"holdfast lint --strict out/k3s-agent-v1\.36\.4_k3s1\.yaml", "run"),
    (r"kubectl apply -f out/k3s-agent-v1\.36\.4_k3s1\.yaml", "apply"),
    (r"holdfast rollout watch k3s-agent --timeout 12h", "watch"),
    (r"kubectl get nodes", "new_versions"),
    (r"holdfast status k3s-agent", "halted"),
    (r"holdfast nodes --release k3s-agent --phase RolledBack", "who_rolled_back"),
    (r"kubectl get nodes", "same_versions"),
]
GROUP = "/apis/edge.codcompass.io/v1alpha1"
ZONE = "topology.kubernetes.io/zone"
OLD, NEW, BAD, FIXED = "v1.36.3", "v1.36.4+k3s1", "v1.36.5+k3s1", "v1.36.6+k3s1"
MIB = 1 << 20
ANONYMOUS_BYTES = 8 * MIB                      # of an agent that applies a delta to a file of any size
SELECTOR = "'!node-role.kubernetes.io/control-plane'"
SOAK = "1s"
PORT = 8095                                    # of the pods that keep running
PODS = "steady"
ASKER = f"""while sleep 0.3; do
  if curl -s -m 2 -o /dev/null http://127.0.0.1:{PORT}/healthz; then echo answered; else echo lost; fi
done >>/run/asked"""


def commands():
    return [command for block in pages.read(place.TOP, PAGE) if block.kind == "sh" for command in block.commands()]


def seconds(event):
    """When a line of an agent's log was written."""
    return datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()


class Pods:
    """A pod on each node that somebody asks something all the time: nothing of it may change while its kubelet does."""

    def __init__(self, nodes, label):
        self.nodes, self.label = nodes, label

    def start(self):
        folder = world.cluster.where.path("samples")
        os.makedirs(folder, exist_ok=True)
        program = os.path.join(folder, "static")
        run_program(["gcc", "-std=gnu17", "-O2", "-static", "-o", program,
                     os.path.join(place.TOP, "tests", "support", "programs", "edge-sample.c")])
        archive = world.cluster.make_image("holdfast.test/steady:1", program, "--port", str(PORT))
        for node in self.nodes:
            world.cluster.load_image(node, archive)
        labels = {"app": PODS}
        world.cluster.kubectl("apply", "-f", "-", text=json.dumps({
            "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": PODS}, "spec": {
                "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
                    "nodeSelector": {self.label: "yes"}, "hostNetwork": True, "containers": [
                        {"name": PODS, "image": "holdfast.test/steady:1", "imagePullPolicy": "Never"}]}}}}))
        wait.until("a pod to answer on each node", lambda: all(self.answers(node) for node in self.nodes), 60, 0.3)
        wait.until("the pods' status", lambda: len(self.seen()) == len(self.nodes), 30)
        for node in self.nodes:
            world.cluster.run(node, "systemd-run", "-q", "--unit=asker", "sh", "-c", ASKER)

    @staticmethod
    def answers(node):
        return world.cluster.run(node, "curl", "-s", "-m", "2", f"http://127.0.0.1:{PORT}/healthz", check=False).strip() == "ok"

    def seen(self):
        """What identifies the run of each node's pod: container, its start, restarts, and its process on this machine."""
        items = api.get(f"/api/v1/namespaces/default/pods?labelSelector=app%3D{PODS}").get("items", [])
        running = {pod["spec"]["nodeName"]: (pod["metadata"]["uid"], one["containerID"], one["state"]["running"]["startedAt"], one["restartCount"])
                   for pod in items for one in pod["status"].get("containerStatuses", []) if "running" in one["state"]}
        return {node: (*run, *world.cluster.find(node, "program")) for node, run in running.items()}

    def asked(self):
        """How often the pod of each node answered so far, and how often it did not."""
        words = {node: world.cluster.run(node, "cat", "/run/asked").split() for node in self.nodes}
        return {node: (said.count("answered"), said.count("lost")) for node, said in words.items()}

    def remove(self):
        world.cluster.kubectl("delete", "daemonset", PODS, "--ignore-not-found", "--wait=false", check=False)


class Watch(threading.Thread):
    """Looks at the nodes while a rollout runs: who holds a turn, and how much memory the agent on `node` needs.

    With `kill`, the agent of that node is killed at the moment at which another file is in the place of the kubelet."""

    def __init__(self, story, node, kill=False):
        super().__init__(daemon=True)
        self.story, self.node, self.kill = story, node, kill
        self.busiest, self.anonymous, self.killed, self.over = 0, 0, None, threading.Event()

    def run(self):
        inode = os.stat(self.story.file(self.node)).st_ino
        while not self.over.wait(0.02 if self.kill and not self.killed else 0.1):
            if self.kill and not self.killed:
                if os.stat(self.story.file(self.node)).st_ino != inode:
                    self.killed = self.story.agents[self.node].pid()
                    self.story.agents[self.node].kill()
                continue
            self.busiest = max(self.busiest, len(self.story.turns()))
            self.anonymous = max(self.anonymous, self.anonymous_now())

    def anonymous_now(self):
        try:
            with open(f"/proc/{self.story.agents[self.node].pid()}/status", encoding="ascii") as file:
                return next((int(line.split()[1]) << 10 for line in file if line.startswith("RssAnon:")), 0)
        except OSError:
            return 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join(5)


class Story:
    """`nodes` have the label `label`, kubelets of their own and `agents`; the first one is the canary. `case` is a unittest.TestCase."""

    def __init__(self, case, nodes, label, agents):
        self.case, self.all, self.selector, self.agents = case, nodes, label, agents
        self.kubelets = place.built("build-kubelets")
        self.pods = Pods(nodes, label)
        self.folder = tempfile.mkdtemp(prefix="holdfast-k3s-")
        case.addClassCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    # --- the site before the page begins ---

    def prepare(self):
        where = world.cluster.where
        kubectl, holdfast = world.cluster.kubectl_argv(), plane.inside(where, ["env", "KUBECONFIG=" + where.path("pki", "admin.kubeconfig"), world.built("holdfast")])
        for name, argv in (("kubectl", kubectl), ("holdfast", holdfast)):
            place.write(os.path.join(self.folder, "bin", name), "#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in argv) + ' "$@"\n', 0o755)
        self.run("holdfast key generate release-2026")
        with open(os.path.join(self.folder, "release-2026.pem"), encoding="ascii") as file:
            key = file.read()
        for node in self.all:
            place.write(os.path.join(world.cluster.root(node), "etc/holdfast/trust.d/release-2026.pem"), key)
        for version in (NEW, BAD, FIXED):
            self.give(version, os.path.join(self.kubelets, version))
        self.give(OLD + "+k3s1", os.path.join(self.kubelets, OLD))
        world.cluster.kubectl("label", "node", *self.all, f"{ZONE}=site-1", "--overwrite")

    def give(self, version, program):
        """Lay a build where the page has it."""
        os.makedirs(os.path.join(self.folder, version), exist_ok=True)
        os.symlink(program, os.path.join(self.folder, version, "k3s"))

    def run(self, text, codes=(0,)):
        return rollout_page.test_docs.Desk.run(self, text, codes)

    def put(self, text):
        """The page's command with this cluster's node and site."""
        return text.replace("edge-3", self.all[0]).replace("https://releases.example.com", site.URL).replace("amd64=", image.architecture() + "=")

    # --- what holds ---

    def file(self, node):
        return world.cluster.root(node) + nodes_of.OWN_PROGRAM

    def update(self):
        return api.get(f"{GROUP}/edgeupdates/{NAME}")

    def entry(self, node):
        entries = api.get(f"{GROUP}/edgenodes/{node}").get("status", {}).get("updates", [])
        return next((entry for entry in entries if entry["name"] == NAME), {})

    def turns(self):
        return [one["metadata"]["name"] for one in api.get(f"{GROUP}/edgenodes").get("items", [])
                if any(turn["release"] == NAME for turn in one.get("spec", {}).get("turns", []))]

    def versions(self):
        """What `kubectl get nodes` shows."""
        lines = self.run("kubectl get nodes").strip().split("\n")
        shown = {line.split()[0]: line.split()[-1] for line in lines[1:]}
        return [shown[node] for node in self.all]

    def await_reason(self, *reasons, timeout_s=120):
        def there():
            update = self.update()
            seen = next((one for one in update.get("status", {}).get("conditions", []) if one["type"] == "Ready"), {})
            return seen if seen.get("reason") in reasons and seen.get("observedGeneration") == update["metadata"]["generation"] else None
        try:
            return wait.until(f"{NAME} to be {' or '.join(reasons)}", there, timeout_s, 0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {json.dumps(self.update().get('status'))}") from None

    def moments(self, node, version):
        """When the agent of this node went into each phase of this version, the last time."""
        return {event["phase"]: seconds(event) for event in self.agents[node].events("update.phase")
                if event["release"] == NAME and event.get("version") == version}

    def untouched(self, pods):
        """No pod is another one than before, and each answered all the time."""
        self.case.assertEqual(self.pods.seen(), pods)
        for node, (answered, lost) in self.pods.asked().items():
            self.case.assertGreater(answered, 5, node)
            self.case.assertEqual(lost, 0, f"the pod on {node} was away")

    # --- the page ---

    def tell(self):
        """All of it."""
        missing = [command.place() + ": " + command.text for command in commands() if not step_of(command)]
        self.case.assertEqual(missing, [], f"no test runs these commands: give them rows in {os.path.basename(__file__)}")
        self.prepare()
        self.pods.start()
        for command, (_, method) in zip(commands(), STEPS, strict=True):
            began = time.monotonic()
            try:
                getattr(self, method)(command.text)
            except AssertionError as error:
                raise AssertionError(f"{command.place()}: {error}") from None
            print(f"        {time.monotonic() - began:5.1f} s  {pages.one_line(command.text)[:100]}")

    def label(self, command):
        self.before = self.pods.seen()
        self.run(command)

    def write_strategy(self, command):
        """With times that a test can wait for."""
        self.run(command)
        path = os.path.join(self.folder, "strategy.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.case.assertEqual(text.count("soak: 1h"), 2)
        place.write(path, text.replace("soak: 1h", f"soak: {SOAK}"))

    def create(self, command):
        """For this test's nodes only, with a deadline that a test can wait for, and with deltas that are made in seconds."""
        text = command.replace(SELECTOR, f"{self.selector}=yes").replace("--health-deadline 5m", "--health-deadline 30s")
        self.case.assertNotEqual(text, command)
        self.run(text + " --fast")
        made = os.path.join(self.folder, "out")
        for name in os.listdir(made):
            if not name.endswith(".yaml"):
                with open(os.path.join(made, name), "rb") as file:
                    site.put(name, file.read())

    def create_next(self, version, sequence, old, selector=None):
        """The same command for another version, with a delta from that one; with a selector, for these nodes at once."""
        shutil.rmtree(os.path.join(self.folder, "out"))
        text = next(command.text for command in commands() if step_of(command) == "create")
        text = re.sub(r"amd64=\S+", f"amd64={version}/k3s,old={old}/k3s", text)
        if selector:
            text = text.replace(SELECTOR, selector).replace("--template strategy.yaml ", "")
        self.create(text.replace(f"--version {NEW}", f"--version {version}").replace("13604", str(sequence)))
        return f"kubectl apply -f out/{NAME}-{version.replace('+', '_')}.yaml"

    def apply(self, command):
        self.watcher = Watch(self, self.all[0])
        self.watcher.start()
        self.run(command)

    def watch(self, command):
        said = self.run(command)
        self.case.assertRegex(said.strip().split("\n")[-1], r"updated 3/3, updating 0, failed 0, away 0 +RolledOut")
        self.watcher.over.set()
        self.watcher.join(5)
        self.case.assertEqual(self.watcher.busiest, 1, "more than one node of the site had a turn")

    def new_versions(self, command):
        self.run(command)
        wait.until("each node to be of the new version", lambda: self.versions() == [NEW] * 3, 30, 0.5)
        self.by_delta(NEW)
        self.one_after_the_other(NEW)
        self.untouched(self.before)

    def by_delta(self, version, *nodes):
        whole = os.path.getsize(self.file(self.all[0]))
        for node in nodes or self.all:
            entry, at = self.entry(node), self.moments(node, version)
            self.case.assertEqual((entry["phase"], entry["version"], entry["method"]), ("Committed", version, "Delta"))
            self.case.assertLess(entry["bytesFetched"], whole / 50)
            print(f"        {node} {version}: {entry['bytesFetched']} of {whole} bytes; download and patch {at['Verified'] - at['Fetching']:.1f} s, "
                  f"swap to committed {at['Committed'] - at['Swapping']:.1f} s")
        print(f"        anonymous memory of the agent at most {self.watcher.anonymous / MIB:.1f} MiB (bound: {ANONYMOUS_BYTES // MIB})")
        self.case.assertLess(self.watcher.anonymous, ANONYMOUS_BYTES)

    def one_after_the_other(self, version, *nodes):
        """The canary commits before another node swaps, and no two nodes are between swap and verdict at once."""
        moments = {node: self.moments(node, version) for node in nodes or self.all}
        spans = sorted((at["Swapping"], at["Committed"], node) for node, at in moments.items())
        self.case.assertEqual(spans[0][2], self.all[0], spans)
        for one, other in zip(spans, spans[1:]):
            self.case.assertLessEqual(one[1], other[0], spans)         # the log counts whole seconds

    def halted(self, command):
        """A version that does not start, and an agent that is killed when its file has just been put in place."""
        apply = self.create_next(BAD, 13605, NEW)
        with Watch(self, self.all[0], kill=True) as watcher:
            self.run(apply)
            said = self.await_reason("CanaryFailed", "TooManyFailures")
        self.case.assertTrue(watcher.killed, "the agent was not killed in the swap")
        self.case.assertNotEqual(self.agents[self.all[0]].pid(), watcher.killed)
        self.case.assertIn("release a newer version", said["message"])
        wait.until("the canary to have rolled back", lambda: self.entry(self.all[0]).get("phase") == "RolledBack", 60)
        line = rf"(?m)^ +{self.all[0]} +RestartFailed: restart 'k3s-agent.service': .*; {re.escape(NEW)} is back$"
        wait.until("the controller to hear of it", lambda: re.search(line, self.run(command, (4,))), 30)
        self.case.assertIn(self.all[0], self.run(f"holdfast rollout watch {NAME}", (4,)))

    def who_rolled_back(self, command):
        lines = self.run(command).strip().split("\n")
        self.case.assertEqual([line.split()[0] for line in lines[1:]], [self.all[0]])
        for node in self.all[1:]:
            wait.until(f"{node} to wait for its admission", lambda node=node: self.entry(node).get("reason") == "NotAdmitted", 30)
            self.case.assertEqual(set(self.moments(node, BAD)), {"Waiting"})

    def same_versions(self, command):
        self.run(command)
        wait.until("the canary's kubelet to be healthy", lambda: self.healthy(self.all[0]), 30)
        self.case.assertEqual(self.versions(), [NEW] * 3)
        self.untouched(self.before)

    def healthy(self, node):
        return world.cluster.run(node, "curl", "-s", "-m", "2", "http://127.0.0.1:10248/healthz", check=False).strip() == "ok"

    # --- after the page ---

    def supersede(self):
        """A fixed version goes out at once. The agent of the last node is a pod, which may not restart what starts pods."""
        apply = self.create_next(FIXED, 13606, NEW)
        others, last = self.all[:-1], self.all[-1]
        with Watch(self, self.all[0], kill=True) as self.watcher:
            self.run(apply)
            self.await_reason("RolledOut")
        self.case.assertTrue(self.watcher.killed, "the agent was not killed in the swap")
        self.case.assertEqual(self.watcher.busiest, 1)
        wait.until("the nodes to be of the fixed version", lambda: self.versions() == [FIXED] * len(others) + [NEW], 30, 0.5)
        self.by_delta(FIXED, *others)
        self.one_after_the_other(FIXED, *others)
        entry = self.entry(last)
        self.case.assertEqual((entry["phase"], entry["reason"]), ("Incompatible", "NotInPod"))
        self.case.assertIn("'k3s-agent.service' starts this agent's pod", entry["message"])
        self.untouched(self.before)

    # --- with the agent as a pod ---

    def allow(self, node):
        """What the page says that the node's owner writes."""
        block = [block for block in pages.read(place.TOP, POD_PAGE) if block.kind == "yaml"][-1]
        place.write(os.path.join(world.cluster.root(node), "etc/holdfast/agent.yaml"), block.text)

    def containers(self, node):
        """Of the agent's pod: name to (container, restarts)."""
        items = api.get(f"/api/v1/namespaces/holdfast-system/pods?fieldSelector=spec.nodeName%3D{node}").get("items", [])
        status = items[0]["status"]
        return {one["name"]: (one["containerID"], one["restartCount"])
                for one in status["containerStatuses"] + status["initContainerStatuses"] if "containerID" in one}

    def pod_updates(self, node):
        """The agent dies in the swap: the kubelet, old or new, starts it again, and it goes on."""
        before = self.containers(node)
        with Watch(self, node, kill=True) as watcher:
            self.allow(node)
            os.kill(self.agents[node].pid(), signal.SIGHUP)
            wait.until("the pod's node to be of the fixed version", lambda: self.entry(node).get("phase") == "Committed", 120, 0.2)
        self.case.assertTrue(watcher.killed, "the agent was not killed in the swap")
        self.case.assertEqual(self.entry(node)["version"], FIXED)
        after = wait.until("the agent's restart to be told", lambda: self.containers(node) if self.containers(node)["agent"][1] else None, 30)
        self.case.assertEqual((after["units"], after["agent"][1]), (before["units"], 1))
        self.case.assertEqual(self.versions(), [FIXED] * 3)
        self.untouched(self.before)

    def limits(self, node):
        """Of the control group of the agent's container, in MiB: the most that it has held, its cache of files included, and its limit."""
        with open(f"/proc/{self.agents[node].pid()}/cgroup", encoding="ascii") as file:
            group = next(line.strip().split(":")[2] for line in file if ":memory:" in line)
        found = []
        for name in ("memory.max_usage_in_bytes", "memory.limit_in_bytes"):
            with open(f"/sys/fs/cgroup/memory{group}/{name}", encoding="ascii") as file:
                found.append(int(file.read()) // MIB)
        return found

    def pod_rolls_back(self, node):
        """A version that does not start: the pod outlives the time without a kubelet."""
        apply, pid = self.create_next(BAD, 13607, FIXED, f"kubernetes.io/hostname={node}"), self.agents[node].pid()
        self.run(apply)
        wait.until("the bad version to have rolled back", lambda: (self.entry(node).get("phase"), self.entry(node).get("version")) == ("RolledBack", BAD), 60)
        self.case.assertEqual((self.entry(node)["reason"], self.agents[node].pid()), ("RestartFailed", pid))
        wait.until("the kubelet to be healthy", lambda: self.healthy(node), 30)
        self.case.assertEqual(self.versions(), [FIXED] * 3)
        print("        the agent's container held at most {} of {} MiB, with its cache of files".format(*self.limits(node)))
        self.untouched(self.before)


def step_of(command):
    return next((method for pattern, method in STEPS if re.fullmatch(pattern, pages.one_line(command.text), re.S)), None)
