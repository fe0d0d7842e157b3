# SPDX-License-Identifier: Apache-2.0
"""A node's own kubelet, in the place of K3s, from version to version: by delta, canary first, one node at a time, while its pods run."""

import os
import unittest

from holdcluster import place
from lib import agent, case, fleet, k3s_page, site, wait, world

NODES = ("k1", "k2", "k3")                     # of this test alone: their kubelet is a file on their own disk
LABEL = "test.holdfast/own-kubelet"


class TestKubelet(unittest.TestCase):
    """One story, told in order: each test goes on where the one before it ended."""

    @classmethod
    def setUpClass(cls):
        case.deploy()
        world.cluster.kubectl("apply", "-f", world.CRDS, "-f", "-", text=agent.deployed())
        case.settle()
        site.start()
        cls.addClassCleanup(cls.give_back)
        world.cluster.add_nodes(NODES, os.path.join(place.built("build-kubelets"), k3s_page.OLD))
        world.cluster.kubectl("label", "node", *NODES, f"{LABEL}=yes")
        agents = {node: agent.Unit(node) for node in NODES}
        for one in agents.values():
            one.install()
        cls.controller = fleet.Controller("controller-k3s", port=19290).start()
        wait.until("the controller to lead", cls.controller.leads, 30)
        cls.story = k3s_page.Story(cls, NODES, LABEL, agents)

    @classmethod
    def give_back(cls):
        if hasattr(cls, "story"):
            cls.story.pods.remove()
        agent.select("n2" if case._agents.get("pod") else "nowhere")
        if hasattr(cls, "controller"):
            cls.controller.stop()
        world.cluster.kubectl("delete", "edgeupdate", k3s_page.NAME, "--ignore-not-found", check=False)
        for node in NODES:
            world.cluster.shut_down(node)
            world.cluster.kubectl("delete", "node", node, "--ignore-not-found", check=False)
            world.cluster.kubectl("delete", "edgenode", node, "--ignore-not-found", check=False)

    def setUp(self):
        self.story.case = self

    def test_1_the_page(self):
        """docs/how-to/upgrade-k3s.md: from one version to the next, then a version that does not start."""
        self.story.tell()

    def test_2_a_fixed_version(self):
        """On the last node the agent is a pod now: what is on the node's disk is the next one's too."""
        last = NODES[-1]
        self.story.agents[last].stop()
        world.cluster.run(last, "systemctl", "-q", "disable", agent.PROGRAM)
        self.story.agents[last] = agent.Pod(last)
        self.story.agents[last].install()
        self.story.supersede()

    def test_3_with_the_agent_as_a_pod(self):
        self.story.pod_updates(NODES[-1])
        self.story.pod_rolls_back(NODES[-1])
