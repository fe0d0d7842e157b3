"""What deploy/holdfast.yaml lets an agent write: itself. Asked with both of its identities."""

import itertools
import unittest

from lib import case, identity, wait, world


def setUpModule():  # noqa: N802 (unittest's name)
    case.deploy()
    credential, tries = {"bearer": identity.token("n1")}, itertools.count()

    def refused():
        foreign = {"metadata": {"labels": {"x": str(next(tries))}}}      # each time another: no change is no offence
        return identity.call("PATCH", "/api/v1/nodes/n1", foreign, **credential)[0] == 403

    wait.until("the policies to be in force", refused, 10)
    world.cluster.kubectl("label", "node", "n1", "x-")


def who():
    """Both identities of the agent of n1, as arguments for identity.call()."""
    identity.host_kubeconfig("n1")
    return {"pod": {"bearer": identity.token("n1")}, "host": {"certificate": "agent-n1"}}


class TestNodes(unittest.TestCase):
    def patch(self, node, body, credential):
        return identity.call("PATCH", f"/api/v1/nodes/{node}", body, **credential)

    def test_own_labels_of_own_node(self):
        for name, credential in who().items():
            for label, value in itertools.product(("tier", "site", "gpu", "cpu.sve"), ("1", None)):
                with self.subTest(identity=name, label=label, value=value):
                    status, answer = self.patch("n1", {"metadata": {"labels": {"edge.codcompass.io/" + label: value}}}, credential)
                    self.assertEqual(status, 200, answer)

    def test_anything_else_is_refused_and_says_why(self):
        own, foreign = {"metadata": {"labels": {"edge.codcompass.io/tier": "1"}}}, {"metadata": {"labels": {"x": "1"}}}
        cases = [
            ("n2", own, "only the labels of its own Node, which is n1"),
            ("n1", foreign, "only labels under edge.codcompass.io/"),
            ("n1", {"metadata": {"labels": {"edge.codcompass.io/role": "control"}}}, "holdfast-agent-labels lists"),
            ("n1", {"metadata": {"labels": {"edge.codcompass.io/architecture": "x"}}}, "holdfast-agent-labels lists"),
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


class TestEdgeNodes(unittest.TestCase):
    OF = "/apis/edge.codcompass.io/v1alpha1/edgenodes/"

    def write(self, node, credential, status=False, **metadata):
        """Server-side apply, as an agent does; (HTTP status, what is said)."""
        body = {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "EdgeNode", "metadata": {"name": node} | metadata}
        path = f"{self.OF}{node}{'/status' if status else ''}?fieldManager=test&force=true"
        code, answer = identity.call("PATCH", path, body | ({"status": {"sequence": 1}} if status else {}), kind="application/apply-patch+yaml", **credential)
        return code, answer["message"] if code >= 400 else ""

    def test_own_one_and_its_status(self):
        for name, credential in who().items():
            with self.subTest(identity=name):
                world.cluster.kubectl("delete", "edgenode", "n1", "--ignore-not-found")
                self.assertIn(self.write("n1", credential), ((201, ""), (200, "")))     # 200: an agent was faster
                self.assertEqual(self.write("n1", credential, status=True), (200, ""))

    FOREIGN = [{"finalizers": ["example.com/stay"]}, {"labels": {"a": "b"}}, {"annotations": {"a": "b"}},
               {"ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "0"}]}]

    def test_of_metadata_only_the_name(self):
        """A finalizer would keep the object for ever, an owner take it away."""
        for name, credential in who().items():
            for metadata in self.FOREIGN:
                world.cluster.kubectl("delete", "edgenode", "n1", "--ignore-not-found")
                for step in ("made", "changed"):
                    with self.subTest(identity=name, metadata=metadata, step=step):
                        code, message = self.write("n1", credential, **metadata)
                        self.assertEqual(code, 403, message)
                        self.assertIn("an agent writes no finalizers, ownerReferences, labels or annotations", message)
                    self.assertIn(self.write("n1", credential)[0], (200, 201))
            # What others put there stays, and is in nobody's way.
            world.cluster.kubectl("label", "edgenode", "n1", "site=7")
            self.assertEqual(self.write("n1", credential), (200, ""))
            self.assertEqual(self.write("n1", credential, status=True), (200, ""))
            self.assertIn("site=7", world.cluster.kubectl("get", "edgenode", "n1", "--show-labels"))

    def test_no_other_and_no_other_s_status(self):
        self.addCleanup(world.cluster.kubectl, "delete", "edgenode", "other", "n2", "--ignore-not-found")
        world.cluster.kubectl("apply", "-f", "-", text='{"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "EdgeNode", "metadata": {"name": "n2"}}')
        for name, credential in who().items():
            for node, status in (("n2", False), ("n2", True), ("other", False)):
                with self.subTest(identity=name, node=node, status=status):
                    code, message = self.write(node, credential, status)
                    self.assertEqual(code, 403, message)
                    self.assertIn("an agent writes only the EdgeNode of its own node, which is n1", message)

    def test_what_is_desired_is_not_for_agents_to_write(self):
        for name, credential in who().items():
            for path in ("edgeupdates/x", "edgeupdates/x/status", "syncpolicies/x"):
                with self.subTest(identity=name, path=path):
                    self.assertEqual(identity.call("PATCH", self.OF.replace("edgenodes/", path), {}, **credential)[0], 403)
            self.assertEqual(identity.call("DELETE", self.OF + "n1", **credential)[0], 403)
