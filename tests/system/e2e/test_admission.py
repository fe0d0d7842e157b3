# SPDX-License-Identifier: Apache-2.0
"""What deploy/holdfast.yaml lets an agent write: itself. Asked with both of its identities."""

import base64
import itertools
import json
import os
import re
import subprocess
import sys
import unittest

from holdcluster import place, plane
from lib import attempts, case, helm, identity, wait, world

sys.path.insert(1, os.path.join(place.TOP, "tests", "system", "docs"))

import pages  # noqa: E402


def setUpModule():  # noqa: N802 (unittest's name)
    case.deploy()
    credential, tries = {"bearer": identity.token("n1")}, itertools.count()

    def refused():
        foreign = {"metadata": {"labels": {"x": str(next(tries))}}}      # each time another: no change is no offence
        return identity.call("PATCH", "/api/v1/nodes/n1", foreign, **credential)[0] == 403

    wait.until("the policies to be in force", refused, 10)
    world.cluster.kubectl("label", "node", "n1", "x-")


def revoke(names):
    """As policies.revokedNodes does it."""
    world.cluster.kubectl("patch", "validatingadmissionpolicy", attempts.REVOKED, "--type=json", "-p", json.dumps(
        [{"op": "replace", "path": "/spec/variables/0/expression", "value": json.dumps(names)}]))


def who():
    """Both identities of the agent of n1, as arguments for identity.call()."""
    identity.host_kubeconfig("n1")
    return {"pod": {"bearer": identity.token("n1")}, "host": {"certificate": "agent-n1"}}


class TestNodes(unittest.TestCase):
    def patch(self, node, body, credential):
        return identity.call("PATCH", f"/api/v1/nodes/{node}", body, **credential)

    def test_own_labels_of_own_node(self):
        path = f"/api/v1/nodes/n1?fieldManager={attempts.AGENT}&force=true"
        for name, credential in who().items():
            for found in ({label: "1"} for label in ("tier", "site", "gpu", "cpu.sve")):
                for labels in (found, {}):     # without the label, the apply removes it
                    with self.subTest(identity=name, labels=labels):
                        body = {"apiVersion": "v1", "kind": "Node", "metadata": {
                            "name": "n1", "labels": {"edge.codcompass.io/" + label: value for label, value in labels.items()}}}
                        status, answer = identity.call("PATCH", path, body, kind=attempts.APPLY, **credential)
                        self.assertEqual(status, 200, answer)
                        shown = {label: value for label, value in answer["metadata"]["labels"].items() if label in ("edge.codcompass.io/" + one for one in found)}
                        self.assertEqual(shown, body["metadata"]["labels"])

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
        path = f"{self.OF}{node}{'/status' if status else ''}?fieldManager={attempts.AGENT}&force=true"
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
        world.cluster.kubectl("label", "node", "n1", "edge.codcompass.io/role=kept")
        cls.addClassCleanup(world.cluster.kubectl, "label", "node", "n1", "edge.codcompass.io/role-", check=False)

    @staticmethod
    def give(spec):
        """The controller writes the spec of n1's EdgeNode, as a whole."""
        world.cluster.kubectl("apply", "-f", "-", text=json.dumps(attempts.edgenode("n1")))
        patch = [{"op": "add", "path": "/spec", "value": spec}]
        code, answer = identity.call("PATCH", f"{attempts.EDGE}/edgenodes/n1", patch, certificate="admin", kind=attempts.JSON_PATCH,
                                     headers=[f"Impersonate-User: {TestController.CONTROLLER}", "Impersonate-Group: system:masters"])
        return code, answer

    def refusal(self, attempt, credential):
        """What the answer says; the attempt must not succeed."""
        status, answer = identity.call(attempt.method, attempt.path, attempt.body, kind=attempt.kind, **credential)
        self.assertEqual(status, 403, answer)
        return answer["message"]

    def test_each_attempt_is_refused_by_its_rule(self):
        self.assertGreaterEqual(len(attempts.ATTEMPTS), 40)
        for name, credential in who().items():
            self.assertEqual(self.give(attempts.GIVEN)[0], 200)
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

    def test_the_controller_takes_the_turn_back(self):
        """Also one that somebody else owns, too, from before the policies, or where there are none."""
        self.assertEqual(self.give(attempts.GIVEN)[0], 200)
        thief = {"certificate": "admin", "headers": [f"Impersonate-User: {TestController.CONTROLLER}", "Impersonate-Group: system:masters"]}
        path = f"{attempts.EDGE}/edgenodes/n1"
        body = attempts.edgenode("n1", spec=attempts.GIVEN)
        code, answer = identity.call("PATCH", f"{path}?fieldManager=thief&force=true", body, kind=attempts.APPLY, **thief)
        self.assertEqual(code, 200, answer)
        self.assertIn("thief", [one["manager"] for one in answer["metadata"]["managedFields"]])
        code, answer = self.give({"epoch": 2, "turns": []})
        self.assertEqual((code, answer.get("spec")), (200, {"epoch": 2, "turns": []}))

    def test_reports_end_what_others_wrote_into_the_status(self):
        """As the agent does it: empty, then apply; with what the policies let it do."""
        for name, credential in who().items():
            with self.subTest(identity=name):
                world.cluster.kubectl("apply", "-f", "-", text=json.dumps(attempts.edgenode("n1")))
                ghost = json.dumps({"status": attempts.GHOST | {"sequence": 1}})
                world.cluster.kubectl("patch", "edgenode", "n1", "--subresource=status", "--type=merge", "--field-manager=ghost", "-p", ghost)
                path = f"{attempts.EDGE}/edgenodes/n1/status?fieldManager={attempts.AGENT}"
                report = attempts.edgenode("n1", status={"sequence": 2})
                code, answer = identity.call("PATCH", path + "&force=true", report, kind=attempts.APPLY, **credential)
                self.assertEqual((code, list(answer["status"])), (200, ["sequence", "updates"]), answer)
                code, answer = identity.call("PATCH", path, {"status": None}, **credential)
                self.assertEqual((code, answer.get("status")), (200, None), answer)
                code, answer = identity.call("PATCH", path + "&force=true", report, kind=attempts.APPLY, **credential)
                self.assertEqual((code, answer.get("status")), (200, {"sequence": 2}), answer)
                owners = [one["manager"] for one in answer["metadata"]["managedFields"] if one.get("subresource") == "status"]
                self.assertEqual(owners, [attempts.AGENT])
                self.assertLessEqual(len(json.dumps(answer["metadata"]["managedFields"])), 2000)

    def test_owners_of_fields_come_from_the_server_alone(self):
        path = f"{attempts.EDGE}/edgenodes/n1/status?fieldManager={attempts.AGENT}"
        self.assertEqual(self.give(attempts.GIVEN)[0], 200)
        before = json.loads(world.cluster.kubectl("get", "edgenode", "n1", "-o", "json", "--show-managed-fields"))["metadata"]["managedFields"]
        for name, credential in who().items():
            for body in attempts.VOID:
                with self.subTest(identity=name, body=str(body)[:200]):
                    code, answer = identity.call("PATCH", path, body, **credential)
                    self.assertEqual(code, 200, answer)
                    self.assertEqual(answer["metadata"]["managedFields"], [one for one in before if one.get("subresource") != "status"])

    def test_a_revoked_node_writes_nothing(self):
        def refused():
            return identity.call(*status[:2], status[2], kind=attempts.APPLY, bearer=identity.token("n1"))[0] == 403
        self.addCleanup(revoke, [])
        first = attempts.REVOKED_ATTEMPTS[0]
        status = (first.method, first.path, first.body)
        revoke(["n1"])
        wait.until("the policy to know the node", refused, 10)
        for name, credential in who().items():
            for attempt in attempts.REVOKED_ATTEMPTS[:-1]:
                with self.subTest(attempt.what, identity=name):
                    said = self.refusal(attempt, credential)
                    self.assertIn(attempts.REVOKED_WHY, said)
        revoke(["n7"])
        wait.until("the policy to forget the node", lambda: not refused(), 10)

    def test_nothing_of_all_that_was_written(self):
        edgenode = json.loads(world.cluster.kubectl("get", "edgenode", "n2", "-o", "json"))
        self.assertEqual((edgenode.get("spec"), edgenode.get("status")), (None, None))
        self.assertEqual(world.cluster.kubectl("get", "events", "-o", "name").count("attempt"), 0)

    def test_its_own_events_are_taken(self):
        """A policy that refuses everything would pass the list above."""
        for name, credential in who().items():
            with self.subTest(identity=name):
                self.addCleanup(world.cluster.kubectl, "delete", "event", f"n1.{name}", "--ignore-not-found", check=False)
                manager = f"?fieldManager={attempts.AGENT}"
                status, answer = identity.call("POST", attempts.EVENTS + manager, attempts.event(f"n1.{name}"), kind="application/json", **credential)
                self.assertEqual(status, 201, answer)
                series = {"series": {"count": 2, "lastObservedTime": "2026-01-01T00:01:00.000000Z"}}
                status, answer = identity.call("PATCH", f"{attempts.EVENTS}/n1.{name}{manager}", series, **credential)
                self.assertEqual(status, 200, answer)

    def test_impersonation(self):
        """As somebody else, by header: the request is asked of the right to impersonate first."""
        _, answer = identity.call("GET", f"{attempts.EDGE}/edgenodes", headers=["Impersonate-User: system:admin"], **who()["pod"])
        self.assertIn("cannot impersonate", answer["message"])


class TestStolenNodePage(unittest.TestCase):
    """docs/how-to/stolen-node.md, command by command, for a node edge-7 that exists in the API server alone."""

    def run_one(self, command):
        if command.startswith("helm upgrade "):          # the policies are not of a release here: what the upgrade would make of them
            wanted = re.search(r"--set '(.*)'$", command)[1]
            text = helm.helm("template", helm.RELEASE, helm.CHART, "-n", helm.NAMESPACE, "--set", wanted, "-s", "templates/agent-policies.yaml")
            self.assertIn('[\\"edge-7\\"]', text)
            return
        kubectl = " ".join(f"'{word}'" for word in world.cluster.kubectl_argv())
        where = plane.inside(world.cluster.where, ["env", f"KUBECONFIG={world.cluster.where.path('pki', 'admin.kubeconfig')}", world.built("holdfast")])
        programs = f'kubectl() {{ {kubectl} "$@"; }}; holdfast() {{ {" ".join(where)} "$@"; }}; '
        done = subprocess.run(["bash", "-ec", programs + command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, f"{command}: {done.stdout}")

    def test_the_page(self):
        self.addCleanup(revoke, [])
        self.addCleanup(world.cluster.kubectl, "delete", "node/edge-7", "edgenode/edge-7", "--ignore-not-found", check=False)
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "edge-7"}}
        world.cluster.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": [node, attempts.edgenode("edge-7")]}))
        code, answer = identity.call("PATCH", f"{attempts.EDGE}/edgenodes/edge-7", {"spec": attempts.GIVEN}, certificate="admin", headers=[
            f"Impersonate-User: {TestController.CONTROLLER}", "Impersonate-Group: system:masters"])
        self.assertEqual(code, 200, answer)
        commands = [command.text for block in pages.read(place.TOP, "docs/how-to/stolen-node.md") if block.kind == "sh" for command in block.commands()]
        self.assertEqual(len(commands), 6)
        for command in commands:
            self.run_one(command)
        for kind in ("node", "edgenode"):
            self.assertEqual(world.cluster.kubectl("get", kind, "edge-7", "--ignore-not-found").strip(), "")
        self.assertIn("edge-7", world.cluster.kubectl("get", "validatingadmissionpolicy", attempts.REVOKED, "-o", "yaml"))


class TestController(unittest.TestCase):
    """Who may write EdgeUpdate.status and EdgeNode.spec once a controller is there: it alone."""

    CONTROLLER = "system:serviceaccount:holdfast-system:holdfast-controller"

    @classmethod
    def setUpClass(cls):
        parts = [word for name in ("controller-policies", "controller-account", "agent-policies") for word in ("-s", f"templates/{name}.yaml")]
        plain, text = (cls.mine(helm.helm("template", helm.RELEASE, helm.CHART, "-n", helm.NAMESPACE, "--set", f"certificates.enabled={certificates}", *parts))
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
    def mine(text):
        """What is the controller's, and the policy about certificate requests; the agents' policies stay as the tests have set them."""
        return "\n---\n".join(part for part in text.split("\n---\n") if re.search(r"^  name: holdfast-(controller|agent-own-requests)", part, re.M))

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

    AGENT = ["--as=holdfast:agent:n1", "--as-group=holdfast:agents", "--as-group=system:masters"]      # it borrows the right to ask

    def csr(self, subject):
        """The base64 text of a certificate request."""
        folder = world.cluster.where.path("csr")
        os.makedirs(folder, exist_ok=True)
        key, request = os.path.join(folder, "key"), os.path.join(folder, "csr")
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", request,
                        "-subj", subject], check=True, stderr=subprocess.DEVNULL)
        with open(request, "rb") as file:
            return base64.b64encode(file.read()).decode()

    def ask(self, attempt, name, by, subject):
        """What kubectl says to a request like this attempt's, under this name."""
        self.addCleanup(world.cluster.kubectl, "delete", "csr", name, "--ignore-not-found", check=False)
        spec = {field: value for field, value in (attempt.body["spec"] | {"request": self.csr(subject)}).items() if value is not None}
        body = attempt.body | {"metadata": attempt.body["metadata"] | {"name": name}, "spec": spec}
        done = subprocess.run(world.cluster.kubectl_argv("create", "-f", "-", *by), input=json.dumps(body), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        return done.stdout

    def test_the_controller_approves_only_what_agents_asked_for(self):
        """A stolen controller that may approve for the signer still makes nobody an administrator."""
        agent = "/O=holdfast:agents/CN=holdfast:agent:n1"
        pod = ["--as=system:serviceaccount:holdfast-system:holdfast-agent", "--as-group=system:masters"]
        cases = [("admin", {}, [], "/CN=system:kube-controller-manager", "decides only on certificate requests that agents made"),
                 ("agent", {}, self.AGENT, agent, None),
                 ("server", {"usages": ["server auth", "digital signature"]}, [], agent, "decides only on certificate requests that agents made"),
                 ("long", {"expirationSeconds": 2592001}, self.AGENT, agent, "only client certificates of at most 30 days")]
        for name, spec, by, subject, why in cases:
            with self.subTest(name):
                self.assertIn("created", self.ask(attempts.ask("", "", **spec), f"fenced-{name}", by, subject))
                said = subprocess.run(world.cluster.kubectl_argv("certificate", "approve", f"fenced-{name}", f"--as={self.CONTROLLER}"), stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, check=False).stdout
                self.assertIn(why or "approved", said)
        # A token that names no node: it cannot even ask.
        self.assertIn("credential names its node", self.ask(attempts.ask("", ""), "fenced-nobody", pod, agent))

    def test_a_revoked_node_asks_for_nothing(self):
        self.addCleanup(revoke, [])
        revoke(["n1"])
        names = (f"fenced-revoked-{number}" for number in itertools.count())
        wait.until("the policy to know the node", lambda: attempts.REVOKED_WHY in self.ask(
            attempts.REVOKED_ATTEMPTS[-1], next(names), self.AGENT, "/O=holdfast:agents/CN=holdfast:agent:n1"), 10)

    def test_agents_ask_for_nothing_else(self):
        for number, attempt in enumerate(attempts.CERTIFICATE_ATTEMPTS):
            with self.subTest(attempt.what):
                said = self.ask(attempt, f"fenced-attempt-{number}", self.AGENT, "/O=holdfast:agents/CN=holdfast:agent:n1")
                self.assertIn(f"ValidatingAdmissionPolicy '{attempt.policy}'", said)
                self.assertIn(attempt.why, said)

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
