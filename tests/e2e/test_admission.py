"""What deploy/holdfast.yaml lets an agent write: itself. Asked with both of its identities."""

import itertools
import os
import unittest

from holdcluster import place
from lib import identity, wait, world

DEPLOY = os.path.join(place.TOP, "deploy", "holdfast.yaml")


def setUpModule():  # noqa: N802 (unittest's name)
    world.cluster.kubectl("apply", "-f", DEPLOY)
    world.cluster.kubectl("delete", "daemonset", "holdfast-agent", "-n", identity.NAMESPACE)
    credential, tries = {"bearer": identity.token("n1")}, itertools.count()

    def refused():
        foreign = {"metadata": {"labels": {"x": str(next(tries))}}}      # each time another: no change is no offence
        return identity.call("PATCH", "/api/v1/nodes/n1", foreign, **credential)[0] == 403

    wait.until("the policies to be in force", refused, 10)
    world.cluster.kubectl("label", "node", "n1", "x-")


def tearDownModule():  # noqa: N802
    world.cluster.kubectl("delete", "-f", DEPLOY, "--ignore-not-found")


def who():
    """Both identities of the agent of n1, as arguments for identity.call()."""
    identity.host_kubeconfig("n1")
    return {"pod": {"bearer": identity.token("n1")}, "host": {"certificate": "agent-n1"}}


class TestNodes(unittest.TestCase):
    def patch(self, node, body, credential):
        return identity.call("PATCH", f"/api/v1/nodes/{node}", body, **credential)

    def test_own_labels_of_own_node(self):
        for name, credential in who().items():
            for value in ("1", None):
                with self.subTest(identity=name, value=value):
                    status, answer = self.patch("n1", {"metadata": {"labels": {"edge.codcompass.io/x": value}}}, credential)
                    self.assertEqual(status, 200, answer)

    def test_anything_else_is_refused_and_says_why(self):
        own, foreign = {"metadata": {"labels": {"edge.codcompass.io/x": "1"}}}, {"metadata": {"labels": {"x": "1"}}}
        cases = [
            ("n2", own, "only the labels of its own Node, which is n1"),
            ("n1", foreign, "only labels under edge.codcompass.io/"),
            ("n1", {"metadata": {"labels": {"kubernetes.io/os": None}}}, "only labels under edge.codcompass.io/"),
            ("n1", {"metadata": {"labels": {"kubernetes.io/os": "plan9"}}}, "only labels under edge.codcompass.io/"),
            ("n1", {"metadata": {"annotations": {"x": "1"}}}, "nothing of a Node but its labels"),
            ("n1", {"spec": {"unschedulable": True}}, "nothing of a Node but its labels"),
            ("n1", {"spec": {"taints": [{"key": "x", "effect": "NoExecute"}]}}, "nothing of a Node but its labels"),
        ]
        for name, credential in who().items():
            for node, body, reason in cases:
                with self.subTest(identity=name, node=node, body=body):
                    status, answer = self.patch(node, body, credential)
                    self.assertEqual(status, 403, answer)
                    self.assertIn(reason, answer["message"])

    def test_status_and_deletion_are_not_granted_at_all(self):
        for name, credential in who().items():
            with self.subTest(identity=name):
                self.assertEqual(self.patch("n1/status", {"status": {"phase": "x"}}, credential)[0], 403)
                self.assertEqual(identity.call("DELETE", "/api/v1/nodes/n2", **credential)[0], 403)
                self.assertEqual(identity.call("GET", "/api/v1/secrets", **credential)[0], 403)
