# SPDX-License-Identifier: Apache-2.0
"""whenAlone: Start on a node whose containerd and kubelet do not start, as on a K3s agent without its server: its pods come back, go on
when the agent is killed at any moment, and make room when a kubelet comes, which then runs exactly one instance."""

import json
import os
import random
import shutil
import time
import unittest

from holdcluster import node, place, process
from lib import agent, lone, wait, world

NODE = "n6"
KILLS = int(os.environ.get("HF_ALONE_KILLS", "10"))
POLICY = {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "alone"},
          "spec": {"nodeSelector": {}, "interval": "10s",
                   "manifests": [{"name": "pods", "from": {"path": "/etc/site"}, "to": "StaticPods", "whenAlone": "Start"}]}}
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
        cls.lone = lone.Lone(NODE)
        cls.put("/etc/site/beacon.yaml", json.dumps(lone.POD))
        cls.put("/etc/holdfast/objects/policy.yaml", json.dumps(POLICY))
        cls.put("/etc/holdfast/agent.yaml", CONFIG)
        cls.put("/etc/holdfast/agent.env", f"NODE_NAME={NODE}\nHOLDFAST_ARGS=--source=/etc/holdfast/objects\n")
        os.makedirs(cluster.root(NODE) + "/etc/holdfast/trust.d", exist_ok=True)
        for source, target in ((world.built(agent.PROGRAM), agent.PROGRAM), (world.built("holdfast"), "holdfast")):
            shutil.copy(source, os.path.join(cluster.root(NODE), "usr/local/bin", target))
        shutil.copy(os.path.join(place.TOP, "deploy", "systemd", agent.PROGRAM + ".service"), cluster.root(NODE) + lone.FOLDER)
        cls.put(f"{lone.FOLDER}/{agent.PROGRAM}.service.d/pods.conf", f"[Service]\nReadWritePaths={os.path.dirname(node.STATIC_PODS)}\n")
        cls.lone.furnish()
        cls.run_("systemctl", "-q", "enable", "--now", agent.PROGRAM)
        wait.until("the entry to be applied", lambda: cls.lone.entry().get("phase") == "Applied", 60)
        cls.lone.mask()
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

    def alone(self):
        return self.lone.alone()

    def pids(self):
        return self.lone.pids()

    def ours(self):
        return self.lone.ours()

    def test_1_pods_come_back_after_a_boot(self):
        world.cluster.shut_down(NODE)
        world.cluster.boot(NODE)
        self.assertEqual(self.pids(), [])
        wait.until("the agent", lambda: world.cluster.find(NODE, agent.PROGRAM), 60)
        self.lone.one_answers("the pod after the bound", lone.SETTLE_S + lone.ANSWER_S)
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
        # a process stays in its control group, as the shim of a pod does that K3s' kubelet started by our containerd
        self.run_("systemd-run", "-q", "--no-block", "--unit=stays", "sh", "-c", f"echo 0 >{lone.CGROUP}/cgroup.procs; exec sleep 600")
        gap, most = self.lone.hand_over()
        self.assertEqual(len(self.pids()), 1)
        self.assertEqual(most, 1)
        self.assertLess(gap, lone.GAP_S)
        self.assertNotEqual(self.run_("cat", f"{lone.CGROUP}/cgroup.procs"), "")
        wait.until("nothing of ours to be left", lambda: not self.ours(), 30)
        wait.until("our containerd to be gone", lambda: "inactive" in self.run_("systemctl", "is-active", "holdfast-alone-runtime", check=False), 15)
        wait.until("the mark to go", lambda: not os.path.exists(world.cluster.root(NODE) + "/var/lib/holdfast/alone"), 30)
        wait.until("the entry to be Standby", lambda: self.alone().get("state") == "Standby", 30)
        self.assertEqual(len(self.pids()), 1)

    def test_5_alone_once_more(self):
        """Its unit is still there from the first time, dead: a process of it runs on."""
        self.lone.mask()
        self.run_("systemctl", "daemon-reload")
        self.run_("systemctl", "stop", "kubelet", "containerd", check=False)
        self.run_("systemctl", "restart", agent.PROGRAM)     # a new one believes that there is no kubelet after 5 s
        process.end(self.pids(), 9)
        self.lone.one_answers("the pod once more", lone.SETTLE_S + lone.ANSWER_S)
        self.assertEqual(len(self.ours()), 1)
