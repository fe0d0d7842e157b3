# SPDX-License-Identifier: Apache-2.0
"""An agent on a host that starts with a token gets a client certificate of its own node, uses it, and renews it.

The controller manager of the test cluster signs for two minutes at most, whatever is asked for. holdfast-controller approves, as it does
in a fleet; an administrator denies once, while it is away.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from holdcluster import pki, place

from lib import api, attempts, case, fleet, identity, wait, world

sys.path.insert(1, os.path.join(place.TOP, "tests", "support"))

from node_token import Forger  # noqa: E402  pylint: disable=wrong-import-position

CSRS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
FOLDER = "var/lib/holdfast/certificate"
LIFETIME_S = 80                                # --cluster-signing-duration
ROLE = "holdfast-test-csr"


def token_kubeconfig(node):
    """A kubeconfig for the agent on `node` with a token that names the node."""
    return json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": {
            "server": pki.SERVER, "certificate-authority": "/etc/holdfast/ca.crt"}}],
        "users": [{"name": "me", "user": {"token": identity.token(node)}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "me"}}]})


class TestUnit(case.Case):
    life = "unit"
    alone = True                               # the agent of n1 has another configuration meanwhile

    def setUp(self):
        super().setUp()
        self.tree = world.cluster.root(self.node)
        shutil.rmtree(os.path.join(self.tree, FOLDER), ignore_errors=True)
        world.cluster.kubectl("create", "clusterrole", ROLE, "--verb=create,get",
                              "--resource=certificatesigningrequests.certificates.k8s.io")
        self.addCleanup(world.cluster.kubectl, "delete", "clusterrole,clusterrolebinding", ROLE, check=False)
        world.cluster.kubectl("create", "clusterrolebinding", ROLE, "--clusterrole=" + ROLE,
                              "--serviceaccount=holdfast-system:holdfast-agent", "--group=" + identity.AGENTS)
        manifests = fleet.install()
        self.addCleanup(fleet.remove, manifests)
        self.controller = fleet.Controller("controller-csr", port=19390)
        self.addCleanup(self.controller.stop)

    def configure(self, kubeconfig, *flags):
        with open(world.cluster.where.path("pki", "ca.crt"), encoding="ascii") as f:
            place.write(os.path.join(self.tree, "etc/holdfast/ca.crt"), f.read())
        place.write(os.path.join(self.tree, "etc/holdfast/kubeconfig"), kubeconfig, 0o600)
        place.write(os.path.join(self.tree, "etc/holdfast/agent.env"),
                    f"NODE_NAME={self.node}\nHOLDFAST_ARGS=--kubeconfig=/etc/holdfast/kubeconfig {' '.join(flags)}\n")
        self.agent.stop()
        self.agent.start()
        self.agent.wait_ready()

    def requests(self):
        """The requests of this node, oldest first."""
        items = [one for one in api.get(CSRS)["items"] if one["metadata"]["name"].startswith(f"holdfast-agent-{self.node}-")]
        return sorted(items, key=lambda one: one["metadata"]["creationTimestamp"])

    def await_request(self, number, timeout_s):
        """The request of this number, counted from 1."""
        def there():
            found = self.requests()
            return found[number - 1] if len(found) >= number else None
        return wait.until(f"request {number} of {self.node}", there, timeout_s, 0.5)

    def await_approval(self, number):
        """The controller has approved the request of this number."""
        def approved():
            conditions = self.requests()[number - 1].get("status", {}).get("conditions", [])
            return [(one["type"], one["reason"]) for one in conditions] == [("Approved", "HoldfastAgent")]
        wait.until(f"the controller to approve request {number}", approved, 60, 0.5)

    def condition(self):
        """Reason and message of the node's condition ClientCertificateValid; None without it."""
        found = [one for one in self.edgenode()["status"].get("conditions", []) if one["type"] == "ClientCertificateValid"]
        return (found[0]["status"], found[0]["reason"], found[0]["message"]) if found else None

    def decide(self, request, verdict):
        world.cluster.kubectl("certificate", verdict, request["metadata"]["name"])

    def stored(self):
        try:
            with open(os.path.join(self.tree, FOLDER, "client.pem"), encoding="ascii") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def assert_proves_the_node(self, pem):
        """A token of this certificate's key is one of this node, to a server that knows no more than the CA of the cluster's clients."""
        certificate, begin, key = pem.partition("-----BEGIN PRIVATE KEY-----")
        with tempfile.TemporaryDirectory() as folder:
            token = Forger(folder, folder, self.node, begin + key, certificate).token("https://sink.example.com", self.node)
        done = subprocess.run([os.path.join(place.TOP, "deploy", "verify-node-token"), "--ca", world.cluster.where.path("pki", "ca.crt"), "--audience",
                               "https://sink.example.com"], input=token, capture_output=True, text=True, check=False)
        self.assertEqual(done.stdout.split(), [self.node, api.get(f"/api/v1/nodes/{self.node}")["metadata"]["uid"]], done.stderr)

    def test_a_certificate_is_issued_used_renewed_and_survives_a_denial(self):
        for old in self.requests():
            world.cluster.kubectl("delete", "csr", old["metadata"]["name"])
        self.addCleanup(self.agent.install)
        self.configure(token_kubeconfig(self.node), f"--client-certificate-dir=/{FOLDER}", "--client-certificate-lifetime=10m")
        first = self.await_request(1, 30)
        self.assertEqual(first["spec"]["username"], "system:serviceaccount:holdfast-system:holdfast-agent")
        self.assertEqual(first["spec"]["extra"]["authentication.kubernetes.io/node-name"], [self.node])
        self.assertEqual(self.stored(), "")    # the controller does not run yet
        self.controller.start()
        self.await_approval(1)
        began = time.monotonic()
        issued = wait.until("the certificate on the disk", self.stored, 30, 0.2)
        print(f"        certificate: on the disk {time.monotonic() - began:.1f} s after its approval")
        self.assertEqual(os.stat(os.path.join(self.tree, FOLDER, "client.pem")).st_mode & 0o7777, 0o600)
        self.assertEqual(os.listdir(os.path.join(self.tree, FOLDER)), ["client.pem"])

        received = time.monotonic()
        wait.until("the status to tell of the way", lambda: (self.condition() or ("", ""))[:2] == ("True", "ByConfiguration"), 30, 0.5)
        self.assertIn(first["metadata"]["name"], self.condition()[2])

        # The renewal comes at two thirds of the lifetime, and is asked for with the certificate.
        second = self.await_request(2, LIFETIME_S)
        renewal = time.monotonic() - received
        print(f"        certificate: renewal after {renewal:.0f} s of {LIFETIME_S} (promise 57 % to 77 %)")
        self.assertGreaterEqual(renewal, 0.57 * LIFETIME_S - 2.4)                # the seconds that it took until we saw either
        self.assertLessEqual(renewal, 0.77 * LIFETIME_S + 3.6)
        self.assertEqual(second["spec"]["username"], "holdfast:agent:" + self.node)
        self.assertIn(identity.AGENTS, second["spec"]["groups"])
        self.assertIn(identity.NODE_UID + api.get(f"/api/v1/nodes/{self.node}")["metadata"]["uid"], second["spec"]["groups"])
        self.await_approval(2)
        renewed = wait.until("the renewed certificate", lambda: self.stored() not in ("", issued) and self.stored(), 30, 0.2)
        wait.until("a status without the first way", lambda: self.condition() is None, 30, 0.5)
        self.assert_proves_the_node(renewed)
        self.controller.stop()

        # Denied: the old certificate stays, the status says why, and after its end the token serves again.
        self.decide(self.await_request(3, LIFETIME_S), "deny")
        wait.until("the log to tell of it", lambda: self.agent.events("certificate.denied"), 30, 0.5)
        wait.until("the status to tell of it", lambda: (self.condition() or ("", ""))[1] == "Denied", 30, 0.5)
        self.assertEqual(self.condition()[0], "False")
        self.assertEqual(self.stored(), renewed)
        self.agent.wait_ready()
        wait.until("the agent to set the expired certificate aside", lambda: self.agent.events("certificate.set_aside"), LIFETIME_S + 60, 1)
        sequence = self.edgenode()["status"]["sequence"]
        self.agent.stop()                      # its last word, with the token
        wait.until("a status with the token", lambda: self.edgenode()["status"]["sequence"] > sequence, 10)
        self.controller.start()
        self.agent.start()
        fourth = self.await_request(4, 30)     # a restart does not wait for the end of the pause
        self.assertEqual(fourth["spec"]["username"], "system:serviceaccount:holdfast-system:holdfast-agent")
        self.await_approval(4)
        wait.until("a new certificate", lambda: self.stored() not in ("", renewed), 30, 0.2)
        wait.until("the status without a complaint", lambda: (self.condition() or ("", ""))[:2] == ("True", "ByConfiguration"), 30, 0.5)


class TestReplaced(unittest.TestCase):
    """A Node was deleted and registered again: what the holder of the old certificate can still do."""

    alone = True                               # a controller beside the other tests' agents
    NODE = "fake-stolen"
    REFUSED = "the certificate is of an earlier Node " + NODE

    def setUp(self):
        case.deploy()
        manifests = fleet.install()
        self.addCleanup(fleet.remove, manifests)
        fleet.wipe()
        self.addCleanup(fleet.wipe)
        self.controller = fleet.Controller("controller-replaced", port=19394).start()
        self.addCleanup(self.controller.stop)
        world.cluster.kubectl("create", "clusterrole", ROLE, "--verb=create,get", "--resource=certificatesigningrequests.certificates.k8s.io")
        self.addCleanup(world.cluster.kubectl, "delete", "clusterrole,clusterrolebinding", ROLE, check=False)
        world.cluster.kubectl("create", "clusterrolebinding", ROLE, "--clusterrole=" + ROLE,
                              "--serviceaccount=holdfast-system:holdfast-agent", "--group=" + identity.AGENTS)

    def register(self):
        """A Node and its EdgeNode, once the controller has bound them: the Node's uid, and the certificate of its agent."""
        fleet.Node(self.NODE)
        uid = api.get(f"/api/v1/nodes/{self.NODE}")["metadata"]["uid"]
        wait.until("the controller to bind the EdgeNode", lambda: self.bound() == uid, 30, 0.1)
        pki.make_certificate(world.cluster.where, f"agent-{uid}", f"holdfast:agent:{self.NODE}", (identity.AGENTS, identity.NODE_UID + uid))
        return uid, f"agent-{uid}"

    def bound(self):
        found = api.get(f"{fleet.GROUP}/edgenodes/{self.NODE}").get("metadata", {})
        return found.get("annotations", {}).get("edge.codcompass.io/node-uid")

    def report(self, certificate):
        return identity.call("PATCH", f"{fleet.GROUP}/edgenodes/{self.NODE}/status?fieldManager=holdfast-agent&force=true",
                             attempts.edgenode(self.NODE, status={"sequence": 1}), kind=attempts.APPLY, certificate=certificate)

    def label(self, certificate, value):
        body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.NODE, "labels": {"edge.codcompass.io/gpu": value}}}
        return identity.call("PATCH", f"/api/v1/nodes/{self.NODE}?fieldManager=holdfast-agent&force=true", body, kind=attempts.APPLY, certificate=certificate)

    def pem(self, uid):
        """The base64 text of a request for this uid."""
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", f"{folder}/k", "-out",
                            f"{folder}/c", "-subj", f"/O={identity.AGENTS}/O={identity.NODE_UID}{uid}/CN=holdfast:agent:{self.NODE}"], check=True,
                           capture_output=True)
            with open(f"{folder}/c", "rb") as file:
                return base64.b64encode(file.read()).decode()

    def ask(self, name, pem, **credential):
        """Sends a request, and waits for the decision: type and reason."""
        body = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": name},
                "spec": {"request": pem, "signerName": "kubernetes.io/kube-apiserver-client", "usages": ["client auth", "digital signature"],
                         "expirationSeconds": 600}}
        api.call("DELETE", f"{CSRS}/{name}")
        self.addCleanup(api.call, "DELETE", f"{CSRS}/{name}")
        status, answer = identity.call("POST", CSRS, body, kind="application/json", **credential)
        self.assertEqual(status, 201, answer)

        def decision():
            conditions = api.get(f"{CSRS}/{name}").get("status", {}).get("conditions", [])
            return (conditions[0]["type"], conditions[0]["reason"]) if conditions else None
        return wait.until(f"a decision on {name}", decision, 30, 0.2)

    def refused(self, answer, why=REFUSED):
        self.assertEqual(answer[0], 403, answer[1])
        self.assertIn(why, answer[1]["message"])

    def test_the_old_certificate_stays_dead_when_the_name_comes_back(self):
        first, old = self.register()
        replay = self.pem(first)
        self.assertEqual(self.report(old)[0], 200)
        self.assertEqual(self.label(old, "a")[0], 200)
        self.assertEqual(self.ask("stolen-1", replay, certificate=old), ("Approved", "HoldfastAgent"))
        token = identity.token(self.NODE)

        api.call("DELETE", f"/api/v1/nodes/{self.NODE}")
        wait.until("the controller to know that the Node is gone", lambda: self.bound() == "none", 30, 0.1)
        self.refused(self.report(old))
        self.assertEqual(self.ask("stolen-2", self.pem(first), certificate=old), ("Denied", "NodeGone"))

        began = time.monotonic()
        second, new = self.register()
        print(f"        certificate: the new Node is bound {time.monotonic() - began:.1f} s after it was registered")
        self.assertNotEqual(first, second)
        self.refused(self.report(old))
        self.refused(self.label(old, "b"))
        for number, pem in enumerate((replay, self.pem(first), self.pem(second))):
            with self.subTest(number):
                self.assertEqual(self.ask(f"stolen-3-{number}", pem, certificate=old), ("Denied", "NodeReplaced"))
        self.assertEqual(identity.call("GET", CSRS, bearer=token)[0], 401)             # a token of the old Node
        # The new machine's agent.
        self.assertEqual(self.ask("stolen-4", replay, bearer=identity.token(self.NODE)), ("Denied", "WrongNodeUid"))
        self.assertEqual(self.ask("stolen-5", self.pem(second), bearer=identity.token(self.NODE)), ("Approved", "HoldfastAgent"))
        self.assertEqual(self.report(new)[0], 200)
        self.assertEqual(self.label(new, "c")[0], 200)

        # An EdgeNode that the thief makes himself is bound, too.
        api.call("DELETE", f"{fleet.GROUP}/edgenodes/{self.NODE}")
        path = f"{fleet.GROUP}/edgenodes/{self.NODE}?fieldManager=holdfast-agent&force=true"
        status, answer = identity.call("PATCH", path, attempts.edgenode(self.NODE, {"annotations": {"edge.codcompass.io/node-uid": first}}),
                                       kind=attempts.APPLY, certificate=old)
        self.refused((status, answer), attempts.TOUCH)
        identity.call("PATCH", path, attempts.edgenode(self.NODE), kind=attempts.APPLY, certificate=old)
        wait.until("the controller to bind it", lambda: self.bound() == second, 30, 0.1)
        self.refused(self.report(old))

    def test_an_agent_does_not_bind_itself(self):
        uid, mine = self.register()
        path = f"{fleet.GROUP}/edgenodes/{self.NODE}"
        key = "edge.codcompass.io/node-uid"
        tries = [
            (path + "?fieldManager=holdfast-agent&force=true", attempts.edgenode(self.NODE, {"annotations": {key: "none"}}), attempts.APPLY),
            (path + "?fieldManager=holdfast-controller-nodes&force=true", attempts.edgenode(self.NODE), attempts.APPLY),
            (path + "?fieldManager=holdfast-agent", {"metadata": {"annotations": {key: None}}}, attempts.MERGE),
            (path + "?fieldManager=holdfast-agent", {"metadata": {"annotations": None}}, attempts.MERGE),
            (path + "?fieldManager=holdfast-agent", [{"op": "remove", "path": "/metadata/annotations"}], attempts.JSON_PATCH),
        ]
        for target, body, kind in tries:
            with self.subTest(body=body):
                status, answer = identity.call("PATCH", target, body, kind=kind, certificate=mine)
                self.assertEqual(status, 403, answer)
        status, answer = identity.call("PATCH", path + "/status?fieldManager=holdfast-agent", {"metadata": {"annotations": None}, "status": None},
                                       certificate=mine)
        self.assertEqual(self.bound(), uid, (status, answer))

    def test_a_certificate_of_the_name_alone_goes_on(self):
        """One that was made before there was the group, until it ends."""
        first, _ = self.register()
        pki.make_certificate(world.cluster.where, "agent-stolen-name", f"holdfast:agent:{self.NODE}", identity.AGENTS)
        self.assertEqual(self.report("agent-stolen-name")[0], 200)
        self.assertEqual(self.label("agent-stolen-name", "d")[0], 200)
        self.assertEqual(self.ask("stolen-6", self.pem(first), certificate="agent-stolen-name"), ("Approved", "HoldfastAgent"))

    def test_one_made_by_hand_where_the_controller_approves_none(self):
        self.controller.stop()
        self.controller.flags = ("--approve-certificates=off",)
        self.controller.start()
        _, old = self.register()
        self.assertEqual(self.report(old)[0], 200)
        api.call("DELETE", f"/api/v1/nodes/{self.NODE}")
        wait.until("the controller to know that the Node is gone", lambda: self.bound() == "none", 30, 0.1)
        self.refused(self.report(old))
