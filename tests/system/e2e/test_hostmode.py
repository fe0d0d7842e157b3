# SPDX-License-Identifier: Apache-2.0
"""The DaemonSet's pod installs the agent on the host and only watches it; the agent outlives reboots and the DaemonSet."""

import json
import os
import shutil
import tempfile
import time
import unittest

from holdcluster import image as images, place
from holdcluster.process import run
from lib import agent, api, case, helm, release, service, site, wait, world
from test_helm import CONFIG

NODES = ("m1", "m2", "m3")
LABEL = "test.holdfast/host-mode"
PORT = 8090
PROMISE_S = 30                                 # from helm install to the agent on the host, a node, images being there
UP_S = 1                                       # of the agent, after its unit starts
GROUP = "/apis/edge.codcompass.io/v1alpha1"
UNIT = "holdfast-agent.service"
HOST = "var/lib/holdfast/host"
CAPABILITIES = "000000008000041b"              # CHOWN, DAC_OVERRIDE, FOWNER, FSETID, NET_BIND_SERVICE, SETFCAP


def values(mode="auto", **environment):
    chosen = {"kubernetes.io/os": "linux", LABEL: "yes"}
    return {"agent": {"mode": mode, "nodeSelector": chosen, "maxUnavailable": "100%", "args": ["--probation=5s"]}, "controller": {"nodeSelector": chosen, "replicas": 1},
            "certificates": {"enabled": True}, "environment": environment,
            "firstInstall": {"trustedKeys": {release.KEY: release.make_key()}, "agentYaml": CONFIG}}


def on(node, path):
    return os.path.join(world.cluster.root(node), path)


def show(node, name):
    return world.cluster.run(node, "systemctl", "show", UNIT, "-P", name, check=False).strip()


def ready(node):
    return world.cluster.run(node, "curl", "-s", "-m", "2", "-o", "/dev/null", "-w", "%{http_code}", agent.HEALTH + "/readyz", check=False) == "200"


def agent_release(version, sequence, new, old, node):
    """Serves a release of kind Agent, made from two folders, and applies it."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        run([world.built("holdfast"), "release", "create", "--agent", "--artifact", f"{images.architecture()}={new},old={old}", "--url-base",
             site.URL, "--node-selector", f"kubernetes.io/hostname={node}", "--version", version, "--sequence", str(sequence),
             "--key", world.cluster.where.path("keys", release.KEY + ".key"), "--key-id", release.KEY, "--out", out])
        for name in sorted(os.listdir(out)):
            if not name.endswith(".yaml"):
                shutil.copy(os.path.join(out, name), world.cluster.where.path("site", name))
        world.cluster.kubectl("apply", "-f", os.path.join(out, f"holdfast-agent-{version}.yaml"))


class TestHostMode(unittest.TestCase):
    """One story, told in order: each test goes on where the one before it ended."""

    @classmethod
    def setUpClass(cls):
        cls.before = case.deploy.cache_info().currsize > 0
        helm.program()
        site.stop()
        site.start()
        world.cluster.kubectl("delete", "-f", agent.DEPLOY, "--ignore-not-found")
        world.cluster.kubectl("delete", "-f", world.CRDS, "--ignore-not-found")
        cls.addClassCleanup(cls.give_back)
        world.cluster.add_nodes(NODES)
        for node in NODES:
            for program in (agent.PROGRAM, "holdfast-controller"):
                world.cluster.load_image(node, agent.image(program))
        world.cluster.kubectl("create", "namespace", helm.NAMESPACE)
        world.cluster.kubectl("label", "node", *NODES, f"{LABEL}=yes")
        cls.services = {node: service.Service(node, "host-sample", PORT) for node in NODES[:2]}
        cls.first, cls.second = release.sample("1.0.0", 1), release.sample("1.1.0", 2)
        for one in cls.services.values():
            one.install(cls.first)

    @classmethod
    def give_back(cls):
        helm.helm("uninstall", helm.RELEASE, "-n", helm.NAMESPACE, "--ignore-not-found", check=False)
        world.cluster.kubectl("delete", "namespace", helm.NAMESPACE, "--ignore-not-found", check=False)
        world.cluster.kubectl("delete", "-f", world.CRDS, "--ignore-not-found", check=False)
        for node in NODES:
            world.cluster.heal(node)
            world.cluster.shut_down(node)
            world.cluster.kubectl("delete", "node", node, "--ignore-not-found", check=False)
        if cls.before:
            case.redeploy()

    def status(self, node):
        return api.get(f"{GROUP}/edgenodes/{node}").get("status", {})

    def life(self, node):
        """(mode, status and reason of HostLife) as the node's EdgeNode says."""
        status = self.status(node)
        said = next((one for one in status.get("conditions", []) if one["type"] == "HostLife"), {})
        return status.get("agent", {}).get("mode"), said.get("status"), said.get("reason")

    def entry(self, node, name="host-sample"):
        return next((one for one in self.status(node).get("updates", []) if one["name"] == name), {})

    def pods_ready(self):
        items = api.get(f"/api/v1/namespaces/{helm.NAMESPACE}/pods?labelSelector=app.kubernetes.io/component=agent").get("items", [])
        return {pod["spec"].get("nodeName") for pod in items for one in pod["status"].get("conditions", [])
                if (one["type"], one["status"]) == ("Ready", "True") and "deletionTimestamp" not in pod["metadata"]}

    def upgrade(self, **given):
        helm.helm("upgrade", helm.RELEASE, helm.CHART, "-n", helm.NAMESPACE, "-f", helm.values_file(values(**given)))

    def slot(self, node):
        return os.readlink(on(node, f"{HOST}/current"))

    def test_1_install_ends_on_the_host(self):
        begin = time.monotonic()
        helm.helm("install", helm.RELEASE, helm.CHART, "-n", helm.NAMESPACE, "-f", helm.values_file(values()))
        spent = {}

        def all_on_host():
            for node in NODES:
                if node not in spent and self.life(node) == ("Host", "True", "Installed"):
                    spent[node] = time.monotonic() - begin
            return len(spent) == len(NODES)
        wait.until("all agents to live on their hosts", all_on_host, 90)
        print("        helm install to the agent on the host: " + ", ".join(f"{node} {took:.1f} s" for node, took in spent.items())
              + f" (promise: {PROMISE_S} s)")
        self.assertLess(max(spent.values()), PROMISE_S)
        wait.until("the pods to be ready by the host's agent", lambda: self.pods_ready() == set(NODES), 60)
        for node in NODES:
            with self.subTest(node):
                status = world.cluster.run(node, "cat", f"/proc/{self.agent_pid(node)}/status")
                self.assertIn(f"CapEff:\t{CAPABILITIES}", status)
                self.assertIn("NoNewPrivs:\t1", status)
                self.assertEqual(world.cluster.run(node, "stat", "-c", "%a", "/var/lib/holdfast/host", "/var/lib/holdfast/host/pod/token").split(), ["700", "600"])

    def agent_pid(self, node):
        """The process that has the state folder, as the node numbers it."""
        return world.cluster.run(node, "cat", "/var/lib/holdfast/agent.lock").strip()

    def test_2_the_host_agent_updates(self):
        wanted = self.services["m1"].release("1.1.0", 1, self.second, old=self.first)
        update = release.update(wanted, "m1")
        update["spec"]["nodeSelector"] = {"matchLabels": {LABEL: "yes"}}
        world.cluster.kubectl("apply", "-f", "-", text=json.dumps(update))
        for node in NODES[:2]:
            wait.until(f"the update on {node}", lambda n=node: self.entry(n).get("phase") == "Committed", 60)

    def test_3_reboots_alone(self):
        """Link cut and DaemonSet deleted: one node with containerd and kubelet, one with both disabled, as a K3s agent behaves."""
        for node in NODES[:2]:
            world.cluster.run(node, "sync")
            world.cluster.cut(node)
        world.cluster.kubectl("delete", "daemonset", agent.PROGRAM, "-n", helm.NAMESPACE, "--wait=false")
        world.cluster.run("m2", "systemctl", "-q", "disable", "kubelet", "containerd")
        for node in NODES[:2]:                 # one after the other: the promise is about a node that boots for itself
            world.cluster.reboot(node)
            with self.subTest(node):
                wait.until(f"the agent on {node} to be ready", lambda n=node: ready(n), 30)
                begun, active = (int(show(node, name)) for name in ("ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic"))
                print(f"        {node}: agent up {(active - begun) / 1e6:.2f} s after its unit started (promise: {UP_S} s)")
                self.assertLess((active - begun) / 1e6, UP_S)
                wait.until("the service to run", lambda n=node: self.services[n].version() == "1.1.0", 20)

    def test_4_converges_without_the_daemonset(self):
        before = {node: self.status(node)["sequence"] for node in NODES[:2]}
        for node in NODES[:2]:
            world.cluster.heal(node)
        world.cluster.run("m2", "systemctl", "-q", "enable", "kubelet", "containerd")
        world.cluster.run("m2", "systemctl", "start", "containerd", "kubelet")
        for node in NODES[:2]:
            with self.subTest(node):
                wait.until(f"{node} to report its life", lambda n=node: self.life(n) == ("Host", "True", "Persists"), 90)
                self.assertGreater(self.status(node)["sequence"], before[node])
                self.assertEqual(self.entry(node)["phase"], "Committed")

    def test_5_releases_of_the_agent(self):
        """One that works, by a delta from the build that the pod installed; then one that crashes, on a node that has no link by then."""
        first = self.slot("m1")
        with tempfile.TemporaryDirectory() as folder:
            builds = {version: os.path.join(folder, version) for version in ("2.0.0", "3.0.0")}
            for version, build in builds.items():
                shutil.copytree(on("m1", f"{HOST}/{first}"), build)
                place.write(os.path.join(build, "version"), version)
            place.write(os.path.join(builds["3.0.0"], "holdfast-agent"), "#!/bin/sh\nexit 1\n", 0o755)
            begin = time.monotonic()
            agent_release("2.0.0", 1, builds["2.0.0"], on("m1", f"{HOST}/{first}"), "m1")
            wait.until("the agent's release on m1", lambda: self.entry("m1", "holdfast-agent").get("phase") == "Committed", 60)
            print(f"        a release of the agent: Committed after {time.monotonic() - begin:.1f} s")
            self.assertEqual(self.entry("m1", "holdfast-agent").get("method"), "Delta")
            second = self.slot("m1")
            self.assertNotEqual(second, first)
            wait.until("the supervisor to know it as good", lambda: os.readlink(on("m1", f"{HOST}/good")) == second, 30)
            self.assertEqual(os.readlink(on("m1", f"{HOST}/previous")), first)
            self.assertEqual(self.life("m1"), ("Host", "True", "Persists"))

            agent_release("3.0.0", 2, builds["3.0.0"], builds["2.0.0"], "m1")
            wait.until("m1 to try it", lambda: self.slot("m1") != second, 60, 0.05)
            world.cluster.cut("m1")
            begin = time.monotonic()
            third = self.slot("m1")
            wait.until("m1 to go back", lambda: self.slot("m1") == second and ready("m1"), 60)
            print(f"        a release of the agent that crashes: back after {time.monotonic() - begin:.1f} s, without a link")
            self.assertEqual(os.readlink(on("m1", f"{HOST}/verdict")), f"Crashed {third}")
            world.cluster.heal("m1")
        wait.until("m1 to report it", lambda: self.entry("m1", "holdfast-agent").get("phase") == "RolledBack", 90)
        entry = self.entry("m1", "holdfast-agent")
        self.assertEqual((entry["reason"], entry["version"], entry["installedVersion"]), ("AgentFailed", "3.0.0", "2.0.0"))
        self.assertEqual(self.life("m1"), ("Host", "True", "Persists"))
        self.assertEqual((self.slot("m2"), self.slot("m3")), (first, first))

    def test_6_upgrade_changes_no_slot(self):
        """The image is that of the installation: on m1 it is older than what runs."""
        slots = {node: self.slot(node) for node in NODES}
        pids = {node: self.agent_pid(node) for node in NODES}
        self.upgrade(LOG_LEVEL="debug")
        wait.until("the pods to be back", lambda: self.pods_ready() == set(NODES), 120)
        for node in NODES:
            with self.subTest(node):
                self.assertEqual(self.slot(node), slots[node])
                self.assertIn("LOG_LEVEL=\"debug\"", world.cluster.run(node, "cat", "/var/lib/holdfast/host/agent.env"))
                self.assertNotEqual(self.agent_pid(node), pids[node])      # another environment: restarted
                self.assertEqual(show(node, "ActiveState"), "active")
        self.assertEqual(self.entry("m1", "holdfast-agent")["installedVersion"], "2.0.0")

    def test_7_the_pod_steps_in_and_back(self):
        world.cluster.run("m3", "systemctl", "stop", UNIT)
        begin = time.monotonic()
        wait.until("the pod to be the agent", lambda: self.life("m3") == ("Pod", "False", "HostAgentGone"), 100)
        print(f"        the pod stepped in after {time.monotonic() - begin:.0f} s")
        self.assertGreater(time.monotonic() - begin, 55)
        world.cluster.run("m3", "systemctl", "start", "--no-block", UNIT)
        wait.until("the host to be the agent again", lambda: self.life("m3")[:2] == ("Host", "True"), 90)

    def test_7a_a_person_on_the_node_removes_it(self):
        """Refused while the pod watches; on m1 the release of the agent runs, and the one before it is kept."""
        def host(node, *words):
            return world.cluster.run(node, "sh", "-c", f"/{HOST}/current/holdfast node host {' '.join(words)} 2>&1; echo exit $?")
        shown = host("m1", "status")
        for part in ("Persists: ", f"{UNIT}: active", ", healthy\n", "kept  ", "given up", "DaemonSet watches", "exit 0"):
            self.assertIn(part, shown)
        refused = host("m3", "remove")
        self.assertIn("DaemonSetWatches: ", refused)
        self.assertIn("exit 3", refused)
        self.assertEqual(show("m3", "ActiveState"), "active")
        self.assertIn("exit 0", host("m3", "remove", "--force"))
        self.assertFalse(os.path.exists(on("m3", f"etc/systemd/system/{UNIT}")))
        self.assertFalse(os.path.lexists(on("m3", HOST)))
        self.assertEqual(show("m3", "LoadState"), "not-found")

    def test_8_pod_mode_removes_it(self):
        self.upgrade(mode="pod")
        for node in NODES:
            wait.until(f"{node} to live in its pod", lambda n=node: self.life(n) == ("Pod", None, None), 120)
            self.assertFalse(os.path.exists(on(node, f"etc/systemd/system/{UNIT}")))
            self.assertFalse(os.path.lexists(on(node, f"{HOST}/current")))
            self.assertEqual(show(node, "LoadState"), "not-found")
        self.assertEqual(self.entry("m1")["phase"], "Committed")           # the state stays
