# SPDX-License-Identifier: Apache-2.0
"""Labels of the Node: what is true is there under our name alone, what is no longer true goes, what is others' stays."""

from holdcluster import image
from lib import api, case, wait, world

PREFIX = "edge.codcompass.io/"
MANAGER = "holdfast-agent"
LABELS_S = 15                                  # they are written once in 10 s


def policy(name, node, **spec):
    return {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": name},
            "spec": {"nodeSelector": {"matchLabels": {"kubernetes.io/hostname": node}}} | spec}


class Labels:
    """What holds in both lives."""

    def node_object(self):
        return api.get(f"/api/v1/nodes/{self.node}")

    def ours(self):
        """The labels under our prefix."""
        return {k: v for k, v in self.node_object()["metadata"]["labels"].items() if k.startswith(PREFIX)}

    def owned(self):
        """Every field of the Node that is managed in our name."""
        found = set()
        for entry in self.node_object()["metadata"]["managedFields"]:
            if entry["manager"] == MANAGER and entry["fieldsV1"] != {}:
                fields = entry["fieldsV1"]
                self.assertEqual(set(fields), {"f:metadata"})
                self.assertEqual(set(fields["f:metadata"]), {"f:labels"})
                found |= {name.removeprefix("f:") for name in fields["f:metadata"]["f:labels"]} - {"."}
        return found

    def has(self, **wanted):
        """Whether our labels say this; None: not there."""
        ours = self.ours()
        return all(ours.get(PREFIX + name) == value for name, value in wanted.items())

    def test_labels_are_true_and_ours_alone(self):
        """One test, since an agent writes labels once in 10 s."""
        name, tier, site = f"labels-{self.life}", PREFIX + "tier", PREFIX + "site"
        world.cluster.kubectl("label", "node", self.node, "example.com/foreign=stays", PREFIX + "foreign=stays")
        self.addCleanup(world.cluster.kubectl, "label", "node", self.node, "example.com/foreign-", PREFIX + "foreign-")
        self.apply(policy(name, self.node, labels={"static": {tier: "standard", site: "berlin"}, "detect": True}))
        wait.until("labels of the policy", lambda: self.has(tier="standard", site="berlin"), LABELS_S)
        with self.subTest("detected ones are true"):
            with open("/proc/meminfo", encoding="ascii") as f:
                gib = int(f.readline().split()[1]) >> 20
            self.assertTrue(self.has(arch=image.architecture(), memory=str(gib)), self.ours())
        with self.subTest("under our field manager, and nothing else is"):
            self.assertEqual(self.owned(), set(self.ours()) - {PREFIX + "foreign"})

        with self.subTest("one that another took away comes back"):
            world.cluster.kubectl("label", "node", self.node, tier + "-")
            wait.until("the label to come back", lambda: self.has(tier="standard"), 2 * LABELS_S)
        with self.subTest("one changes, one goes, detected ones go"):
            self.apply(policy(name, self.node, labels={"static": {tier: "premium"}, "detect": False}))
            wait.until("the new labels", lambda: self.has(tier="premium", site=None, arch=None), LABELS_S)
            self.assertEqual(self.owned(), {tier})
        with self.subTest("the last one goes with the policy"):
            world.cluster.kubectl("delete", "syncpolicy", name)
            wait.until("the label to go", lambda: self.has(tier=None), LABELS_S)
            labels = self.node_object()["metadata"]["labels"]
            self.assertEqual((labels["example.com/foreign"], labels[PREFIX + "foreign"]), ("stays", "stays"))


class TestUnit(Labels, case.Case):
    life = "unit"


class TestPod(Labels, case.Case):
    life = "pod"
