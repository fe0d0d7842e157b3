# SPDX-License-Identifier: Apache-2.0
"""The DaemonSet's pod installs the agent on the host and only watches it; the agent outlives reboots and the DaemonSet."""

import json
import os
import shutil
import sys
import tempfile
import time
import unittest

from holdcluster import image as images, node as nodes, place, process
from holdcluster.process import run
from lib import agent, api, audit, case, helm, lone, release, service, site, wait, world
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
LONE, MIRROR_PORT = "m2", 8001                 # this node's containerd and kubelet are masked for a while; its site has a mirror
SITE, FILE = "site", "/opt/site/web.conf"
SITE_CONFIG = CONFIG + f"""manifests: {{staticPods: true, files: [/opt/site/**]}}
mirrors: [{{prefix: "{site.URL}/", to: ["http://127.0.0.1:{MIRROR_PORT}/"]}}]
"""
RIGHTS = {"configMaps": [{"namespace": SITE, "names": ["files", "pods"]}], "staticPodNamespaces": [SITE],
          "hostPaths": [os.path.dirname(nodes.STATIC_PODS)]}


def values(mode="auto", **environment):
    chosen = {"kubernetes.io/os": "linux", LABEL: "yes"}
    return {"agent": {"mode": mode, "nodeSelector": chosen, "maxUnavailable": "100%", "args": ["--probation=5s"]}, "controller": {"nodeSelector": chosen, "replicas": 1},
            "certificates": {"enabled": True}, "environment": environment,
            "firstInstall": {"trustedKeys": {release.KEY: release.make_key()}, "agentYaml": SITE_CONFIG},
            "manifests": RIGHTS}


def on(node, path):
    return os.path.join(world.cluster.root(node), path)


def show(node, name):
    return world.cluster.run(node, "systemctl", "show", UNIT, "-P", name, check=False).strip()


def ready(node):
    return world.cluster.run(node, "curl", "-s", "-m", "2", "-o", "/dev/null", "-w", "%{http_code}", agent.HEALTH + "/readyz", check=False) == "200"


def config_map(name, data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": SITE}, "data": data}


def site_policy():
    """What the lone node's site gets: a file, and a pod that comes back without a kubelet."""
    return {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": SITE},
            "spec": {"nodeSelector": {"matchLabels": {"kubernetes.io/hostname": LONE}}, "interval": "10s", "manifests": [
                {"name": "files", "from": {"configMap": {"namespace": SITE, "name": "files"}}, "to": "Files", "path": os.path.dirname(FILE) + "/"},
                {"name": "pods", "from": {"configMap": {"namespace": SITE, "name": "pods"}}, "to": "StaticPods", "whenAlone": "Start"}]}}


def apply(*things):
    world.cluster.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": things}))


def statuses(node, version):
    """Each status that the API server had of the node's EdgeNode since this resourceVersion of it, oldest first."""
    text = world.cluster.kubectl("get", "--raw", f"{GROUP}/edgenodes?watch=1&resourceVersion={version}&fieldSelector=metadata.name={node}&timeoutSeconds=1")
    return [json.loads(line)["object"].get("status", {}) for line in text.splitlines() if line]


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
        for namespace in (helm.NAMESPACE, SITE):
            world.cluster.kubectl("create", "namespace", namespace)
        cls.lone = lone.Lone(LONE)
        cls.lone.furnish()
        cls.mirror = world.cluster.where.path("mirror")
        os.makedirs(cls.mirror, exist_ok=True)
        world.cluster.kubectl("label", "node", *NODES, f"{LABEL}=yes")
        cls.services = {node: service.Service(node, "host-sample", PORT) for node in NODES[:2]}
        cls.first, cls.second, cls.third = (release.sample(version, i) for i, version in enumerate(("1.0.0", "1.1.0", "1.2.0"), 1))
        cls.late = service.Service(LONE, "host-late", PORT + 1)
        for one in (*cls.services.values(), cls.late):
            one.install(cls.first)

    @classmethod
    def give_back(cls):
        helm.helm("uninstall", helm.RELEASE, "-n", helm.NAMESPACE, "--ignore-not-found", check=False)
        process.stop(world.cluster.where, "mirror")
        world.cluster.kubectl("delete", "namespace", helm.NAMESPACE, SITE, "--ignore-not-found", check=False)
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

    def test_2a_what_the_lone_node_has(self):
        """A file, a pod that its kubelet runs, and an update that no server has yet: admitted, and waiting for its artifact."""
        process.start(world.cluster.where, "mirror", [sys.executable, site.SERVER, self.mirror, "127.0.0.1", str(MIRROR_PORT)],
                      netns=world.cluster.where.netns(LONE))
        wanted = self.late.release("1.2.0", 1, self.third)
        site.take_away("host-late-1.2.0")
        apply(config_map("files", {"web.conf": "one\n"}), config_map("pods", {"beacon.yaml": json.dumps(lone.POD)}), site_policy(),
              release.update(wanted, LONE))
        wait.until("the file", lambda: self.file() == "one\n", 60)
        wait.until("the kubelet's pod", lambda: len(self.lone.pids()) == 1, 60)
        wait.until("the update to wait for its artifact", lambda: self.entry(LONE, "host-late").get("reason") == "DownloadRefused", 30)

    def file(self):
        try:
            with open(on(LONE, FILE.lstrip("/")), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def late_entry(self):
        """How the update stands by the node's own word."""
        return next((one for one in self.lone.status().get("updates", []) if one["name"] == "host-late"), {})

    def boot(self, node):
        """Its agent is up at once, and what was updated before runs; when the boot began."""
        begun = time.monotonic()
        world.cluster.boot(node)
        wait.until(f"the agent on {node} to be ready", lambda: ready(node), 30)
        started, active = (int(show(node, name)) for name in ("ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic"))
        print(f"        {node}: agent up {(active - started) / 1e6:.2f} s after its unit started (promise: {UP_S} s)")
        self.assertLess((active - started) / 1e6, UP_S)
        wait.until("the service to run", lambda: self.services[node].version() == "1.1.0", 20)
        return begun

    def boot_lone(self):
        """Also its one pod runs, and a file that somebody removed is there again."""
        world.cluster.shut_down(LONE)
        os.unlink(on(LONE, FILE.lstrip("/")))
        begun = self.boot(LONE)
        self.lone.one_answers(f"{LONE}: boot to its pod", lone.ANSWER_S, begun)
        self.assertEqual((len(self.lone.ours()), world.cluster.find(LONE, "kubelet")), (1, []))
        wait.until("the file to be back", lambda: self.file() == "one\n", 20)
        return begun

    def test_3_boots_as_a_k3s_agent_without_its_server(self):
        """Link cut, containerd and kubelet masked: an update that was admitted before goes on, from the mirror."""
        for node in NODES[:2]:
            world.cluster.run(node, "sync")
            world.cluster.cut(node)
        last = api.get(f"{GROUP}/edgenodes/{LONE}")
        type(self).version, type(self).told, type(self).asked = last["metadata"]["resourceVersion"], last["status"], len(world.cluster.audit())
        apply(config_map("files", {"web.conf": "two\n"}))
        self.assertEqual(self.late.version(), "1.0.0")
        self.lone.mask()
        world.cluster.shut_down(LONE)          # so that it is the next boot that finds the mirror's file
        place.write(os.path.join(self.mirror, "host-late-1.2.0"), self.third)
        begun = self.boot_lone()
        wait.until("the update to go on", lambda: self.late_entry().get("phase") == "Committed", 60)
        print(f"        boot to the update Committed, by the site's mirror: {time.monotonic() - begun:.1f} s")
        self.assertEqual((self.late.version(), self.late.healthy()), ("1.2.0", True))

    def test_3a_boots_without_the_daemonset(self):
        """Once more, the DaemonSet deleted; and a node that has containerd and kubelet."""
        world.cluster.kubectl("delete", "daemonset", agent.PROGRAM, "-n", helm.NAMESPACE, "--wait=false")
        world.cluster.shut_down(NODES[0])      # one after the other: the promise is about a node that boots for itself
        self.boot(NODES[0])
        self.boot_lone()
        self.assertEqual((self.late_entry().get("phase"), self.late.version()), ("Committed", "1.2.0"))

    def test_4_converges_without_the_daemonset(self):
        before = {node: self.status(node)["sequence"] for node in NODES[:2]}
        for node in NODES[:2]:
            world.cluster.heal(node)
        for node in NODES[:2]:
            with self.subTest(node):
                wait.until(f"{node} to report its life", lambda n=node: self.life(n) == ("Host", "True", "Persists"), 90)
                self.assertGreater(self.status(node)["sequence"], before[node])
                self.assertEqual(self.entry(node)["phase"], "Committed")
        wait.until("the update to be told", lambda: self.entry(LONE, "host-late").get("phase") == "Committed", 30)
        wait.until("what changed meanwhile", lambda: self.file() == "two\n", 30)
        self.told_once()
        for node in NODES[:2]:
            self.assertEqual((audit.lists(node, self.asked), audit.resumed(node, self.asked)), ([], sorted(audit.FOLLOWED)))

    def told_once(self):
        """Each status of the lone node was written once, in order; its update went one way."""
        told = [self.told]
        for status in statuses(LONE, self.version):
            silent = status.get("contact", {}).get("state") == "Silent"        # the controller's words, when the node was away for long enough
            if status != told[-1] and not silent:                              # otherwise something else of the object changed
                told.append(status)
        numbers = [status["sequence"] for status in told]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(audit.writes(LONE, self.asked, "edgenodes", "status"), len(told) - 1)
        phases = [one["phase"] for status in told for one in status.get("updates", []) if one["name"] == "host-late"]
        ways = [phase for i, phase in enumerate(phases) if i == 0 or phase != phases[i - 1]]
        print(f"        link back: {len(told) - 1} statuses, the update {' '.join(ways)}")
        self.assertEqual((ways.count("Committed"), ways[-1]), (1, "Committed"))

    def test_4a_the_kubelet_comes(self):
        """Its instance follows ours; never two. No DaemonSet's pod is there any more."""
        gap, most = self.lone.hand_over()
        self.assertEqual((len(self.lone.pids()), most), (1, 1))
        self.assertLess(gap, lone.GAP_S)
        wait.until("nothing of ours to be left", lambda: not self.lone.ours(), 30)
        world.cluster.wait_ready(LONE)
        self.assertTrue(self.lone.answers())
        self.assertEqual(self.life(LONE), ("Host", "True", "Persists"))
        world.cluster.kubectl("delete", "syncpolicy", SITE)

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
