# SPDX-License-Identifier: Apache-2.0
"""spec.manifests on a node that nobody helps: without inotify, without a link, without a kubelet that answers, and from its first moment after a reboot."""

import json
import os
import shutil
import socket
import struct
import threading
import time
import unittest

from holdcluster import place, process
from lib import api, managed, site, wait, world

NODE, SITE = "n3", "offline"
FOLDER = "/opt/site/conf"
INTERVAL_S = 45                                # as an operator may choose it
WITH_S, WITHOUT_S = 2, 60                      # the promises: drift repaired with inotify, and without
LATER = "/etc/systemd/system/kubelet.service.d/later.conf"
LABEL = "edge.codcompass.io/tier"
WEB = f"/apis/apps/v1/namespaces/{SITE}/deployments/web"
CONFIG = f"""manifests: {{staticPods: true, cluster: true, files: [/opt/site/**], origins: ["{site.URL}"]}}
"""
RIGHTS = {
    "configMaps": [{"namespace": SITE, "names": ["files", "pods"]}], "staticPodNamespaces": [SITE], "kubeletPods": True,
    "cluster": {"rules": [{"reason": "The site's workloads.", "namespaces": [SITE], "apiGroups": ["apps"], "resources": ["deployments"],
                           "verbs": ["get", "create", "patch", "delete"]}]}}
ETH_P_IP, CLONE_NEWNET = 0x0800, 0x40000000


class Ear(threading.Thread):
    """Hears when the node `name` first opens a connection to the API server's machine, on its link."""

    def __init__(self, name):
        super().__init__(daemon=True)
        self._source = socket.inet_aton(place.node_ip(world.cluster.where.nodes()[name]))
        self._link, self.first_s, self._ready, self._over = f"n{world.cluster.where.nodes()[name]}", None, threading.Event(), False
        self.start()
        self._ready.wait(10)

    def run(self):
        with open(f"/run/netns/{world.cluster.where.plane_netns}", "rb") as file:
            assert api._libc.setns(file.fileno(), CLONE_NEWNET) == 0       # this thread alone
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP)) as sock:
            sock.bind((self._link, ETH_P_IP))
            sock.settimeout(0.2)
            self._ready.set()
            while self.first_s is None and not self._over:
                try:
                    self._look(sock.recv(2048))
                except TimeoutError:
                    pass

    def _look(self, frame):
        head = 14 + (frame[14] & 15) * 4
        is_tcp, source = frame[14 + 9] == 6, frame[14 + 12:14 + 16]
        if is_tcp and source == self._source and struct.unpack("!H", frame[head + 2:head + 4])[0] == 443 and frame[head + 13] & 2:
            self.first_s = time.time()

    def stop(self):
        self._over = True


class TestOffline(unittest.TestCase):
    """One node in order: each test goes on from the one before."""

    @classmethod
    def setUpClass(cls):
        cls.node = managed.Node(cls, NODE, SITE, CONFIG, RIGHTS)
        shutil.copy(world.built("holdfast"), cls.node.path("/usr/local/bin/holdfast"))
        managed.apply(
            managed.config_map(SITE, "files", {"web.conf": "version = 1\n", "other.conf": "x\n"}),
            managed.config_map(SITE, "pods", {"beacon.yaml": json.dumps(managed.pod(SITE, "beacon", "1"))}))
        data = managed.archive({"web.yaml": json.dumps(managed.deployment(SITE, "web", "1", NODE))})
        served = site.put("offline.tar.gz", data)
        cls.node.policy([
            {"name": "conf", "from": {"configMap": {"namespace": SITE, "name": "files"}}, "to": "Files", "path": FOLDER + "/"},
            {"name": "pods", "from": {"configMap": {"namespace": SITE, "name": "pods"}}, "to": "StaticPods"},
            {"name": "objects", "from": {"url": served["url"], "digest": f"sha256:{served['sha256']}"}, "to": "Cluster"},
        ], interval=f"{INTERVAL_S}s", labels={"static": {LABEL: "offline"}})
        cls.node.await_applied("conf", "pods", "objects")
        wait.until("the label", lambda: cls.label() == "offline", 60)

    @staticmethod
    def label():
        return api.get(f"/api/v1/nodes/{NODE}")["metadata"]["labels"].get(LABEL)

    def good(self):
        return self.node.read(FOLDER + "/web.conf") == "version = 1\n"

    def pod_file(self):
        return f"{managed.PODS}/{self.node.static_pods()[0]}"

    def repaired(self, what, test, promise_s):
        begun = time.monotonic()
        wait.until(what, test, promise_s + 30, 0.02)
        took = time.monotonic() - begun
        print(f"        {what}: {took:.2f} s (promise: {promise_s} s)")
        self.assertLess(took, promise_s)

    def drift(self, promise_s, how):
        """Somebody changes a file, then a static pod, while the node is cut off."""
        world.cluster.cut(NODE)
        self.addCleanup(world.cluster.heal, NODE)
        time.sleep(2)                          # whatever a broken connection moves is over
        path = self.pod_file()
        self.node.put(FOLDER + "/web.conf", "broken\n")
        self.repaired(f"a file put back, link cut, {how}", self.good, promise_s)
        time.sleep(3)                          # not in the same look
        os.unlink(self.node.path(path))
        self.repaired(f"a static pod put back, link cut, {how}", lambda: "beacon" in self.node.read(path), promise_s)
        world.cluster.heal(NODE)
        world.cluster.wait_ready(NODE)

    def drift_of_objects(self, how):
        """The site's own API server is near, what the entry came from is away."""
        site.stop()
        self.addCleanup(site.start)
        world.cluster.kubectl("scale", "deployment", "web", "-n", SITE, "--replicas=0")
        self.repaired(f"a Deployment put back, source away, {how}", lambda: api.get(WEB)["spec"]["replicas"] == 1, WITHOUT_S)
        world.cluster.kubectl("delete", "deployment", "web", "-n", SITE)
        self.repaired(f"a Deployment made again, source away, {how}", lambda: api.get(WEB).get("spec", {}).get("replicas") == 1, WITHOUT_S)
        site.start()

    def test_1_drift_with_inotify(self):
        self.assertEqual(self.node.agent.events("manifest.unwatched"), [])
        self.drift(WITH_S, "inotify")

    def test_2_drift_without_inotify(self):
        self.node.drop_in("no-inotify.conf", managed.NO_INOTIFY)
        self.node.restart()
        self.addCleanup(self.node.restart)
        self.addCleanup(self.node.drop_in, "no-inotify.conf", None)
        unwatched = wait.until("the agent to say so", lambda: self.node.agent.events("manifest.unwatched"), 20)
        self.assertEqual({event["entry"] for event in unwatched}, {"conf", "pods"})
        self.drift(WITHOUT_S, "no inotify")
        self.drift_of_objects("no inotify")
        self.node.await_applied("conf", "pods", "objects")

    def test_3_reboot_with_the_api_away(self):
        """What somebody broke while the node was off is whole again before the first packet leaves; and what the node knows of its labels
        does not come from the server, which does not let it read its policy any more."""
        path, node = self.pod_file(), self.node
        world.cluster.run(NODE, "sync")
        world.cluster.shut_down(NODE)
        world.cluster.kubectl("label", "node", NODE, f"{LABEL}=wrong", "--overwrite")
        give_back = self.hide_policies()
        world.cluster.stop_api(kill=True)
        self.addCleanup(lambda: process.pid_of(world.cluster.where, "kube-apiserver") or world.cluster.start_api())
        self.break_all(path)
        ear = Ear(NODE)
        self.addCleanup(ear.stop)
        begun = time.time()
        world.cluster.boot(NODE)
        wait.until("the first packet", lambda: ear.first_s, 90)
        wait.until("the agent to start", lambda: node.agent.events("agent.started"), 60)
        whole = {one: os.stat(node.path(one)).st_ctime for one in (FOLDER + "/web.conf", FOLDER + "/other.conf", path)}
        self.assertTrue(self.good())
        self.assertIn("beacon", node.read(path))
        print(f"        from the boot: whole after {max(whole.values()) - begun:.2f} s, the first packet after {ear.first_s - begun:.2f} s")
        for one, at in whole.items():
            self.assertGreater(at, begun, f"{one} was not written anew")
            self.assertLess(at, ear.first_s, one)
        self.said_offline()
        self.start_kubelet(node.path(LATER))
        before = len(world.cluster.audit())
        world.cluster.start_api()
        world.cluster.wait_ready(NODE)
        wait.until("the label as last known", lambda: self.label() == "offline", 90)
        said = {event["responseStatus"]["code"] for event in world.cluster.audit()[before:] if "responseStatus" in event
                and event.get("userAgent", "").startswith("holdfast-agent/") and event.get("objectRef", {}).get("resource") == "syncpolicies"}
        self.assertEqual(said, {403})
        give_back()
        for one in ("conf", "pods", "objects"):
            node.await_entry(one, "to be Applied", lambda entry: entry.get("phase") == "Applied", 90)

    def hide_policies(self):
        """Take the agents' right to read SyncPolicies away; a function that gives it back."""
        name = "holdfast-agent"
        role = api.get(f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}")
        rules = [rule | {"resources": [one for one in rule["resources"] if one != "syncpolicies"]} for rule in role["rules"] if "resources" in rule]
        self.assertNotEqual(rules, role["rules"])

        def patch(value):
            world.cluster.kubectl("patch", "clusterrole", name, "--type=json", "-p", json.dumps([{"op": "replace", "path": "/rules", "value": value}]))
        patch([rule for rule in rules if rule["resources"]])
        self.addCleanup(lambda: process.pid_of(world.cluster.where, "kube-apiserver") and patch(role["rules"]))
        return lambda: patch(role["rules"])

    def break_all(self, path):
        """While the node is off: another content, another mode, and a file that is gone. Its kubelet shall not start, so that only the agent talks."""
        node = self.node
        node.put(FOLDER + "/web.conf", "broken while off\n")
        os.chmod(node.path(FOLDER + "/other.conf"), 0o666)
        os.unlink(node.path(path))
        place.write(node.path(LATER), "[Unit]\nConditionPathExists=/run/kubelet-may-start\n")
        self.addCleanup(self.start_kubelet, node.path(LATER))

    def start_kubelet(self, later):
        if os.path.exists(later):
            os.unlink(later)
            world.cluster.run(NODE, "systemctl", "daemon-reload")
            world.cluster.run(NODE, "systemctl", "start", "kubelet")

    def said_offline(self):
        """What the node's own status says meanwhile, once the agent has written one since the boot."""
        said = {}

        def ask():
            text = world.cluster.run(NODE, "sh", "-c", "holdfast status --json 2>&1", check=False)
            said.clear()
            said.update(json.loads(text) if text.startswith("{") else {"said": text})
            return said.get("node", {}).get("status", {}).get("manifests")
        try:
            entries = wait.until("the node to know how its manifests are", ask, 30, 0.5)
        except AssertionError as e:
            raise AssertionError(f"{e}: {said}") from None
        self.assertEqual({one["name"]: one["phase"] for one in entries}, dict.fromkeys(("conf", "pods", "objects"), "Applied"), said)

    def test_4_nobody_says_whether_the_pods_run(self):
        """A newer pod comes while neither the kubelet nor the API server says how it is: the entry says that nobody knows."""
        node = self.node
        node.set_rights(RIGHTS | {"staticPodNamespaces": [], "kubeletPods": False})
        self.addCleanup(node.set_rights, RIGHTS)
        world.cluster.kubectl("delete", "clusterrolebinding", "holdfast-agent-manifests")
        managed.apply(managed.config_map(SITE, "pods", {"beacon.yaml": json.dumps(managed.pod(SITE, "beacon", "2"))}))
        entry = node.await_entry("pods", "to say HealthUnknown", lambda one: one.get("reason") == "HealthUnknown", 90)
        self.assertEqual(entry["phase"], "Applied")
        self.assertIn("written, health unknown", entry["message"])
        print(f"        {entry['message']}")
        self.assertIn('"version": "2"', node.read(self.pod_file()))
        node.set_rights(RIGHTS)
        node.await_entry("pods", "to be known again", lambda one: one.get("phase") == "Applied" and "reason" not in one, 2 * INTERVAL_S + 60)
