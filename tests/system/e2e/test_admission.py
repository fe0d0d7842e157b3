"""What deploy/holdfast.yaml lets an agent write: itself. Asked with both of its identities."""

import base64
import itertools
import json
import os
import subprocess
import unittest

from lib import attempts, case, helm, identity, wait, world


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
            ("n1", {"metadata": {"labels": {"edge.codcompass.io/role": "control"}}}, "'named' of this policy lists"),
            ("n1", {"metadata": {"labels": {"edge.codcompass.io/architecture": "x"}}}, "'named' of this policy lists"),
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


class TestStolenNode(unittest.TestCase):
    """lib/attempts.py, with both identities of n1's agent."""

    @classmethod
    def setUpClass(cls):
        objects = [attempts.edgenode("n2"), attempts.event("n2.told", "n2")]
        world.cluster.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        cls.addClassCleanup(world.cluster.kubectl, "delete", "edgenode/n2", "event/n2.told", "--ignore-not-found", check=False)

    def refusal(self, attempt, credential):
        """What the answer says; the attempt must not succeed."""
        status, answer = identity.call(attempt.method, attempt.path, attempt.body, kind=attempt.kind, **credential)
        self.assertEqual(status, 403, answer)
        return answer["message"]

    def test_each_attempt_is_refused_by_its_rule(self):
        self.assertGreaterEqual(len(attempts.ATTEMPTS), 40)
        for name, credential in who().items():
            world.cluster.kubectl("apply", "-f", "-", text=json.dumps(attempts.edgenode("n1")))
            for attempt in attempts.ATTEMPTS:
                with self.subTest(attempt.what, identity=name):
                    said = self.refusal(attempt, credential)
                    if attempt.writes_spec() and attempts.CONTROLLER_POLICY in said:
                        self.assertIn(attempts.CONTROLLER_WHY, said)
                    elif attempt.policy:
                        self.assertIn(f"ValidatingAdmissionPolicy '{attempt.policy}'", said)
                        self.assertIn(attempt.why, said)
                    else:
                        self.assertIn("cannot {} resource \"{}\"".format(*attempt.grant), said)

    def test_nothing_of_all_that_was_written(self):
        edgenode = json.loads(world.cluster.kubectl("get", "edgenode", "n2", "-o", "json"))
        self.assertEqual((edgenode.get("spec"), edgenode.get("status")), (None, None))
        self.assertEqual(world.cluster.kubectl("get", "events", "-o", "name").count("attempt"), 0)

    def test_its_own_events_are_taken(self):
        """A policy that refuses everything would pass the list above."""
        for name, credential in who().items():
            with self.subTest(identity=name):
                self.addCleanup(world.cluster.kubectl, "delete", "event", f"n1.{name}", "--ignore-not-found", check=False)
                status, answer = identity.call("POST", attempts.EVENTS, attempts.event(f"n1.{name}"), kind="application/json", **credential)
                self.assertEqual(status, 201, answer)
                series = {"series": {"count": 2, "lastObservedTime": "2026-01-01T00:01:00.000000Z"}}
                status, answer = identity.call("PATCH", f"{attempts.EVENTS}/n1.{name}", series, **credential)
                self.assertEqual(status, 200, answer)

    def test_impersonation(self):
        """As somebody else, by header: the request is asked of the right to impersonate first."""
        _, answer = identity.call("GET", f"{attempts.EDGE}/edgenodes", headers=["Impersonate-User: system:admin"], **who()["pod"])
        self.assertIn("cannot impersonate", answer["message"])


class TestController(unittest.TestCase):
    """Who may write EdgeUpdate.status and EdgeNode.spec once a controller is there: it alone."""

    CONTROLLER = "system:serviceaccount:holdfast-system:holdfast-controller"

    @classmethod
    def setUpClass(cls):
        parts = [word for name in ("policies", "account") for word in ("-s", f"templates/controller-{name}.yaml")]
        plain, text = (helm.helm("template", helm.RELEASE, helm.CHART, "-n", helm.NAMESPACE, "--set", f"certificates.enabled={certificates}", *parts)
                       for certificates in ("false", "true"))
        world.cluster.kubectl("apply", "-f", "-", text=text)
        cls.addClassCleanup(world.cluster.kubectl, "apply", "-f", "-", text=plain)      # as deploy/holdfast.yaml has them
        cls.addClassCleanup(world.cluster.kubectl, "delete", "-f", "-", "--ignore-not-found", text=text)
        release = {"name": "fenced", "version": "1", "sequence": 1, "expires": "2030-01-01T00:00:00Z", "install": {"path": "/opt/fenced"},
                   "artifacts": [{"arch": "riscv64", "url": "https://releases.example.com/x", "sha256": "0" * 64, "size": 1}]}
        update = {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "EdgeUpdate", "metadata": {"name": "fenced"},
                  "spec": {"release": release, "nodeSelector": {"matchLabels": {"nobody": "here"}}}}
        for one in (update, attempts.edgenode("fenced")):
            world.cluster.kubectl("apply", "-f", "-", text=json.dumps(one))
        cls.addClassCleanup(world.cluster.kubectl, "delete", "edgeupdate/fenced", "edgenode/fenced", "--ignore-not-found", check=False)
        tries = itertools.count(1)             # each time another: no change is no offence
        wait.until("the policies to be in force", lambda: "only " + cls.CONTROLLER in cls.patch("edgenode", {"spec": {"epoch": next(tries)}}), 10)

    @staticmethod
    def patch(kind, body, user=None, status=False):
        """What kubectl says."""
        words = ["patch", kind, "fenced", "--type=merge", "-p", json.dumps(body)]
        words += (["--subresource=status"] if status else []) + ([f"--as={user}"] if user else [])
        done = subprocess.run(world.cluster.kubectl_argv(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.stdout

    WRITES = [("edgeupdate", {"status": {"admission": {"digest": "1" * 64, "cutoff": 9999, "canary": True}}}, True, "holdfast-controller-admits",
               "writes the status of an EdgeUpdate; to steer a rollout, annotate the EdgeUpdate"),
              ("edgenode", {"spec": {"turns": [attempts.TURN]}}, False, "holdfast-controller-turns",
               "writes the spec of an EdgeNode; to free a turn, annotate the EdgeNode")]

    def test_administrators_are_refused_and_pointed_elsewhere(self):
        for kind, body, status, policy, why in self.WRITES:
            with self.subTest(kind):
                said = self.patch(kind, body, status=status)
                self.assertIn(f"ValidatingAdmissionPolicy '{policy}'", said)
                self.assertIn(f"only {self.CONTROLLER} {why}", said)
        self.assertIn("patched", self.patch("edgenode", {"metadata": {"annotations": {"edge.codcompass.io/free-turn": "0" * 64}}}))
        self.assertIn("patched", self.patch("edgeupdate", {"metadata": {"annotations": {"edge.codcompass.io/rollout-paused": "true"}}}))
        self.assertIn("patched", self.patch("edgenode", {"status": {"sequence": 3}}, status=True))

    def test_the_controller_approves_only_what_agents_asked_for(self):
        """A stolen controller that may approve for the signer still makes nobody an administrator."""
        # By an administrator; and by an agent, which here borrows the right to ask.
        agent = ["--as=holdfast:agent:n1", "--as-group=holdfast:agents", "--as-group=system:masters"]
        for made, user, refused in (([], "/CN=system:kube-controller-manager", True), (agent, "/O=holdfast:agents/CN=holdfast:agent:n1", False)):
            with self.subTest(user):
                name, folder = "fenced-admin" if refused else "fenced-agent", world.cluster.where.path("csr")
                self.addCleanup(world.cluster.kubectl, "delete", "csr", name, "--ignore-not-found", check=False)
                os.makedirs(folder, exist_ok=True)
                key, request = os.path.join(folder, "key"), os.path.join(folder, "csr")
                subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request,
                                "-subj", user], check=True, stderr=subprocess.DEVNULL)
                with open(request, "rb") as file:
                    text = base64.b64encode(file.read()).decode()
                body = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": name},
                        "spec": {"signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth", "digital signature"], "request": text}}
                world.cluster.kubectl("create", "-f", "-", *made, text=json.dumps(body))
                said = subprocess.run(world.cluster.kubectl_argv("certificate", "approve", name, f"--as={self.CONTROLLER}"), stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, check=False).stdout
                if refused:
                    self.assertIn("the controller decides only on certificate requests that agents made", said)
                    continue
                self.assertIn("approved", said)

    def test_the_controller_writes_these_and_not_what_is_desired(self):
        for kind, body, status, _, _ in self.WRITES:
            with self.subTest(kind):           # kubectl would read the subresource first, which the controller may not
                path = f"{attempts.EDGE}/{kind}s/fenced{'/status' if status else ''}"
                code, answer = identity.call("PATCH", path, body, certificate="admin", headers=[f"Impersonate-User: {self.CONTROLLER}"])
                self.assertEqual(code, 200, answer)
        for kind, body in (("edgeupdate", {"spec": {"suspend": True}}), ("edgeupdate", {"metadata": {"annotations": {"a": "b"}}})):
            with self.subTest(kind, body=body):
                self.assertIn("cannot patch resource", self.patch(kind, body, self.CONTROLLER))
        for verb, what in (("get", "secrets"), ("create", "pods"), ("delete", "nodes"), ("patch", "nodes"), ("create", "edgeupdates"),
                           ("delete", "edgeupdates"), ("patch", "syncpolicies"), ("create", "clusterrolebindings"), ("impersonate", "users")):
            with self.subTest(verb, what=what):
                said = subprocess.run(world.cluster.kubectl_argv("auth", "can-i", verb, what, f"--as={self.CONTROLLER}"), stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True, check=False)
                self.assertEqual(said.stdout.strip(), "no")
