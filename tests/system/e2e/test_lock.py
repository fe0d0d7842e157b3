# SPDX-License-Identifier: Apache-2.0
"""Both lives of the agent on one node: the second says which one is there already, and does nothing."""

import os
import shutil

from holdcluster import place
from lib import agent, case, identity, wait, world

REFUSED = r"another agent \(pid [0-9]+\) already runs on '/var/lib/holdfast'"


class TestHostBesidePod(case.Case):
    life = "pod"
    alone = True

    def test_the_one_on_the_host_is_refused_by_name(self):
        tree, pid = world.cluster.root(self.node), self.agent.pid()
        place.write(os.path.join(tree, "srv/kubeconfig"), identity.host_kubeconfig(self.node), 0o600)
        shutil.copy(world.built(agent.PROGRAM), os.path.join(tree, "srv/second"))
        said = world.cluster.run(self.node, "sh", "-c", f"timeout 20 /srv/second --kubeconfig=/srv/kubeconfig --node-name={self.node} "
                                 "--metrics-port=0 2>&1; echo exit=$?")
        self.assertRegex(said, REFUSED)
        self.assertRegex(said, r"exit=[1-9][0-9]?\n")
        self.assertNotIn("exit=124", said)
        self.assertEqual(self.agent.pid(), pid)
        self.agent.wait_ready()


class TestPodBesideHost(case.Case):
    life = "unit"
    alone = True

    def test_the_pod_is_refused_by_name(self):
        pod = agent.Pod(self.node)
        world.cluster.load_image(self.node, agent.image(agent.PROGRAM))
        usual, pid = case.agent_of("pod"), self.agent.pid()
        self.addCleanup(usual.wait_ready, 60)
        self.addCleanup(usual.start)
        pod.start()
        wait.until("the pod to be refused", lambda: "already runs" in pod.journal(), 30)
        self.assertRegex(pod.journal(), REFUSED)
        self.assertEqual(self.agent.pid(), pid)
        self.agent.wait_ready()
