# SPDX-License-Identifier: Apache-2.0
"""Labels that holdfast-controller writes to Nodes, with the rights that the chart gives it where there are no admission policies."""

import os
import signal
import unittest

from holdcluster import place
from lib import api, case, fleet, release, wait, world

PREFIX = "edge.codcompass.io/"
MANAGER = "holdfast-controller-labels"
manifests = ""


def setUpModule():  # noqa: N802 (unittest's name)
    global manifests  # pylint: disable=global-statement
    release.make_key()
    manifests = fleet.install("policies.enabled=false")
    fleet.wipe()


def tearDownModule():  # noqa: N802
    fleet.wipe()
    fleet.remove(manifests)


class TestNodeLabels(unittest.TestCase):
    def controller(self, name, port):
        one = fleet.Controller(name, "--write-labels=on", port=port).start()
        self.addCleanup(one.stop)
        return one

    def ours(self, node):
        labels = api.get(f"/api/v1/nodes/{node.name}")["metadata"]["labels"]
        return {key.removeprefix(PREFIX): value for key, value in labels.items() if key.startswith(PREFIX)}

    def report(self, node, **labels):
        node.wants = {PREFIX + key: value for key, value in labels.items()}
        node.report()

    def await_labels(self, node, **labels):
        wait.until(f"{node.name} to have {labels}", lambda: self.ours(node) == labels, 40)

    def test_labels_follow_the_reports(self):
        first = self.controller("controller-a", 19190)
        wait.until("the controller to lead", first.leads, 30)
        nodes = [fleet.Node(f"fake-{i:02}", {PREFIX + "foreign": "stays"}) for i in range(3)]
        self.report(nodes[0], tier="premium", **{"class": "small"})
        self.await_labels(nodes[0], foreign="stays", tier="premium", **{"class": "small"})
        with self.subTest("under a field manager of their own, and nothing else is"):
            fields = [entry["fieldsV1"] for entry in api.get(f"/api/v1/nodes/{nodes[0].name}")["metadata"]["managedFields"] if entry["manager"] == MANAGER]
            self.assertEqual([set(each["f:metadata"]["f:labels"]) - {"."} for each in fields], [{f"f:{PREFIX}tier", f"f:{PREFIX}class"}])
        with self.subTest("only below our prefix"):
            nodes[1].wants = {PREFIX + "tier": "standard", "node-role.kubernetes.io/control-plane": "", "kubernetes.io/arch": "vax"}
            nodes[1].report()
            self.await_labels(nodes[1], foreign="stays", tier="standard")
            labels = api.get(f"/api/v1/nodes/{nodes[1].name}")["metadata"]["labels"]
            self.assertFalse({"node-role.kubernetes.io/control-plane", "kubernetes.io/arch"} & set(labels))
        with self.subTest("too many are refused by the server"):
            nodes[2].wants = {f"{PREFIX}l{i}": "x" for i in range(49)}
            self.assertRaises(AssertionError, nodes[2].report)
            nodes[2].wants = None
        with self.subTest("one that somebody takes away comes back"):
            world.cluster.kubectl("label", "node", nodes[1].name, PREFIX + "tier-")
            self.await_labels(nodes[1], foreign="stays", tier="standard")
        with self.subTest("the next leader goes on, and repeats nothing"):
            second = self.controller("controller-b", 19290)
            wait.until("it to be ready", lambda: "ok" in second.get("/readyz"), 30)
            first.send(signal.SIGKILL)
            self.report(nodes[0], tier="basic")
            wait.until("the other one to lead", second.leads, 60)
            self.await_labels(nodes[0], foreign="stays", tier="basic")
            self.await_labels(nodes[1], foreign="stays", tier="standard")
            self.assertEqual(second.metric('holdfast_controller_label_writes_total{result="written"}'), 1)
            self.assertEqual(second.metric('holdfast_controller_label_writes_total{result="failed"}'), 0)
        with self.subTest("without a report of labels they go"):
            nodes[1].wants = None
            nodes[1].report()
            self.await_labels(nodes[1], foreign="stays")
        with self.subTest("no Node is made"):
            api.call("DELETE", f"/api/v1/nodes/{nodes[0].name}")
            self.report(nodes[0], tier="again")
            self.report(nodes[2], tier="last")
            self.await_labels(nodes[2], foreign="stays", tier="last")
            self.assertFalse(api.get(f"/api/v1/nodes/{nodes[0].name}"))


class TestAgent(case.Case):
    """A real agent with --labels-by=controller reports its labels, and only the controller writes them to the Node."""

    life = "unit"

    def setUp(self):
        super().setUp()                        # applies deploy/, where the agent writes the labels
        fleet.install("policies.enabled=false")

    def run_agent(self, *flags):
        place.write(os.path.join(world.cluster.root(self.node), "etc/holdfast/agent.env"),
                    f"NODE_NAME={self.node}\nHOLDFAST_ARGS=--kubeconfig=/etc/holdfast/kubeconfig {' '.join(flags)}\n")
        world.cluster.run(self.node, "systemctl", "restart", "holdfast-agent")
        self.agent.wait_ready()

    def managers(self):
        """Who owns each label of ours on the Node."""
        owners = {}
        for entry in api.get(f"/api/v1/nodes/{self.node}")["metadata"]["managedFields"]:
            for field in entry.get("fieldsV1", {}).get("f:metadata", {}).get("f:labels", {}):
                if field.startswith(f"f:{PREFIX}"):
                    owners.setdefault(field.removeprefix(f"f:{PREFIX}"), set()).add(entry["manager"])
        return owners

    def test_labels_of_a_policy_go_through_the_controller(self):
        one = fleet.Controller("controller-c", "--write-labels=on", port=19390).start()
        self.addCleanup(one.stop)
        self.run_agent("--labels-by=controller")
        self.addCleanup(self.run_agent)
        self.apply({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "by-controller"},
                    "spec": {"nodeSelector": {"matchLabels": {"kubernetes.io/hostname": self.node}}, "labels": {"static": {PREFIX + "tier": "gold"}}}})
        wait.until("the label", lambda: self.managers().get("tier") == {MANAGER}, 60)
        self.assertEqual(api.get(f"/api/v1/nodes/{self.node}")["metadata"]["labels"][PREFIX + "tier"], "gold")
        world.cluster.kubectl("delete", "syncpolicy", "by-controller")
        wait.until("the label to go", lambda: "tier" not in self.managers(), 60)
