# SPDX-License-Identifier: Apache-2.0
"""whenAlone: Start on a node whose containerd and kubelet do not start, as on a K3s agent without its server: its pods come back, go on
when the agent is killed at any moment, and make room when a kubelet comes, which then runs exactly one instance."""

import json
import os
import random
import shutil
import time
import unittest

from holdcluster import image, node, place, process
from lib import agent, wait, world

NODE, PORT = "n6", 8085
KILLS = int(os.environ.get("HF_ALONE_KILLS", "10"))
SETTLE_S, ANSWER_S, GAP_S = 5, 15, 5           # a new agent looks for so long; the bars
UNITS = ("kubelet.service", "containerd.service")
FOLDER = "/etc/systemd/system"
CGROUP = "/sys/fs/cgroup/systemd/system.slice/holdfast-alone-runtime.service"
OURS = "edge.codcompass.io/alone"
PROGRAM = """
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(%d)};
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 8) < 0)
        return 1;
    for (;;)
        close(accept(fd, NULL, NULL));
}
""" % PORT
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "beacon", "namespace": "site"},
       "spec": {"hostNetwork": True, "terminationGracePeriodSeconds": 1, "volumes": [{"name": "scratch", "emptyDir": {}}],
                "containers": [{"name": "beacon", "image": "site-beacon:1", "imagePullPolicy": "Never",
                                "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}]}]}}
POLICY = {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "alone"},
          "spec": {"nodeSelector": {}, "interval": "10s",
                   "manifests": [{"name": "pods", "from": {"path": "/etc/site"}, "to": "StaticPods", "whenAlone": "Start"}]}}
CGROUPS = """[Unit]
Before=holdfast-agent.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'for c in /sys/fs/cgroup/*; do mount -o remount,rw,bind "$c" || true; done'
"""
CONFIG = """apiVersion: edge.codcompass.io/v1alpha1
kind: AgentConfiguration
manifests: {staticPods: true, paths: [/etc/site, /etc/site/**]}
"""


class TestAlone(unittest.TestCase):
    """One node in order: each test goes on from the one before."""

    @classmethod
    def setUpClass(cls):
        cluster = world.cluster
        node.start_node(cluster.where, NODE, cluster.parts(), cluster.tree())
        cls.addClassCleanup(cls.give_back)
        cls.put("/etc/site/beacon.yaml", json.dumps(POD))
        cls.put("/etc/holdfast/objects/policy.yaml", json.dumps(POLICY))
        cls.put("/etc/holdfast/agent.yaml", CONFIG)
        cls.put("/etc/holdfast/agent.env", f"NODE_NAME={NODE}\nHOLDFAST_ARGS=--source=/etc/holdfast/objects\n")
        os.makedirs(cluster.root(NODE) + "/etc/holdfast/trust.d", exist_ok=True)
        for source, target in ((world.built(agent.PROGRAM), agent.PROGRAM), (world.built("holdfast"), "holdfast"),
                               (os.path.join(place.built("build-crictl"), "crictl"), "crictl")):
            shutil.copy(source, os.path.join(cluster.root(NODE), "usr/local/bin", target))
        shutil.copy(os.path.join(place.TOP, "deploy", "systemd", agent.PROGRAM + ".service"), cluster.root(NODE) + FOLDER)
        cls.put(f"{FOLDER}/{agent.PROGRAM}.service.d/pods.conf", f"[Service]\nReadWritePaths={os.path.dirname(node.STATIC_PODS)}\n")
        wait.until("containerd", lambda: cls.run_("systemctl", "is-active", "containerd", check=False).strip() == "active", 60)
        cluster.load_image(NODE, cls.make_image())
        # what else the kubelet's unit does: in a container of systemd-nspawn the control groups are read-only at first
        node.put_unit(cluster.where, NODE, "cgroups.service", CGROUPS)
        cls.run_("systemctl", "-q", "enable", "--now", agent.PROGRAM)
        wait.until("the entry to be applied", lambda: cls.entry().get("phase") == "Applied", 60)
        cls.mask()
        cls.run_("sync")

    @staticmethod
    def give_back():
        world.cluster.shut_down(NODE)
        world.cluster.kubectl("delete", "node", NODE, "--ignore-not-found", check=False)

    @staticmethod
    def put(path, text):
        place.write(world.cluster.root(NODE) + path, text)

    @staticmethod
    def run_(*argv, check=True):
        return world.cluster.run(NODE, *argv, check=check)

    @staticmethod
    def make_image():
        source, binary = (world.cluster.where.path("site-beacon" + end) for end in (".c", ""))
        place.write(source, PROGRAM)
        process.run(["gcc", "-static", "-O", "-o", binary, source])
        with open(binary, "rb") as file:
            image.archive(binary + ".tar", "site-beacon:1", {"/beacon": file.read()}, ["/beacon"])
        return binary + ".tar"

    @classmethod
    def mask(cls):
        for unit in UNITS:
            path = world.cluster.root(NODE) + f"{FOLDER}/{unit}"
            os.rename(path, path + ".real")
            os.symlink("/dev/null", path)

    @classmethod
    def unmask(cls):
        for unit in UNITS:
            path = world.cluster.root(NODE) + f"{FOLDER}/{unit}"
            os.unlink(path)
            os.rename(path + ".real", path)
        cls.run_("systemctl", "daemon-reload")

    @staticmethod
    def pids():
        return world.cluster.find(NODE, "beacon")

    @classmethod
    def answers(cls):
        """Whether the pod's server takes connections."""
        return cls.run_("bash", "-c", f"exec 2>&-; : </dev/tcp/127.0.0.1/{PORT} && echo yes", check=False) != ""

    @classmethod
    def entry(cls):
        """What the agent says of its entry."""
        text = cls.run_("cat", "/run/holdfast/status.json", check=False)
        entries = json.loads(text).get("status", {}).get("manifests", []) if text else []
        return entries[0] if entries else {}

    def alone(self):
        return self.entry().get("alone", {})

    def crictl(self, *words):
        return self.run_("crictl", "--runtime-endpoint", "unix://" + node.CONTAINERD_SOCKET, *words)

    def ours(self):
        """Sandboxes with our label, ready or not."""
        return json.loads(self.crictl("pods", "--label", OURS + "=pods", "-o", "json")).get("items") or []

    def one_answers(self, what, bound_s):
        begun = time.monotonic()
        try:
            wait.until(what, lambda: len(self.pids()) == 1 and self.answers(), bound_s + 30, 0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}; it says {self.alone()}\n{self.run_('journalctl', '--no-pager', '-b', '-n', '40', check=False)}") from None
        took = time.monotonic() - begun
        print(f"        {what}: {took:.2f} s (bar: {bound_s} s)")
        self.assertLess(took, bound_s)

    def test_1_pods_come_back_after_a_boot(self):
        world.cluster.shut_down(NODE)
        world.cluster.boot(NODE)
        self.assertEqual(self.pids(), [])
        wait.until("the agent", lambda: world.cluster.find(NODE, agent.PROGRAM), 60)
        self.one_answers("the pod after the bound", SETTLE_S + ANSWER_S)
        self.assertEqual(len(self.ours()), 1)
        wait.until("the entry to be Running", lambda: self.alone().get("state") == "Running", 15)

    def test_2_an_ended_container_starts_again(self):
        first = self.pids()
        process.end(first, 9)
        wait.until("another one", lambda: self.pids() not in ([], first), 20, 0.05)
        self.assertEqual(len(self.ours()), 1)

    def test_3_kills_at_random_moments(self):
        dice, most = random.Random(7), 0
        for _ in range(KILLS):
            if dice.random() < 0.5:
                process.end(self.pids(), 9)    # so that the agent has something to do
            time.sleep(dice.uniform(2, 12))    # it looks for 5 s before it acts
            most = max(most, len(self.pids()))
            process.end(world.cluster.find(NODE, agent.PROGRAM), 9)
            most = max(most, len(self.pids()))
        print(f"        {KILLS} kills: at most {most} instances at once")
        self.assertLessEqual(most, 1)
        wait.until("one instance", lambda: len(self.pids()) == 1, 60)
        wait.until("one sandbox of ours", lambda: len(self.ours()) == 1, 30)

    def test_4_a_kubelet_takes_over(self):
        """From the end of ours to the kubelet's instance: the gap; never two."""
        ours, gone, most = self.pids(), None, 0
        # a process stays in its control group, as the shim of a pod does that K3s' kubelet started by our containerd
        self.run_("systemd-run", "-q", "--no-block", "--unit=stays", "sh", "-c", f"echo 0 >{CGROUP}/cgroup.procs; exec sleep 600")
        self.unmask()
        self.run_("systemctl", "start", "--no-block", "kubelet")
        begun = time.monotonic()
        while time.monotonic() - begun < 90:
            now = self.pids()
            most = max(most, len(now))
            gone = gone or (time.monotonic() if not set(ours) & set(now) else None)
            if now and not set(ours) & set(now):
                break
            time.sleep(0.02)
        gap = time.monotonic() - (gone or begun)
        print(f"        handed over {time.monotonic() - begun:.1f} s after the kubelet was started, gap {gap:.2f} s, at most {most} at once")
        self.assertEqual(len(self.pids()), 1)
        self.assertEqual(most, 1)
        self.assertLess(gap, GAP_S)
        self.assertNotEqual(self.run_("cat", f"{CGROUP}/cgroup.procs"), "")
        wait.until("nothing of ours to be left", lambda: not self.ours(), 30)
        wait.until("our containerd to be gone", lambda: "inactive" in self.run_("systemctl", "is-active", "holdfast-alone-runtime", check=False), 15)
        wait.until("the mark to go", lambda: not os.path.exists(world.cluster.root(NODE) + "/var/lib/holdfast/alone"), 30)
        wait.until("the entry to be Standby", lambda: self.alone().get("state") == "Standby", 30)
        self.assertEqual(len(self.pids()), 1)

    def test_5_alone_once_more(self):
        """Its unit is still there from the first time, dead: a process of it runs on."""
        self.mask()
        self.run_("systemctl", "daemon-reload")
        self.run_("systemctl", "stop", "kubelet", "containerd", check=False)
        self.run_("systemctl", "restart", agent.PROGRAM)     # a new one believes that there is no kubelet after 5 s
        process.end(self.pids(), 9)
        self.one_answers("the pod once more", SETTLE_S + ANSWER_S)
        self.assertEqual(len(self.ours()), 1)
