# SPDX-License-Identifier: Apache-2.0
"""A node whose certificate and token have ended asks with its kubelet's identity; and what a stolen kubelet's identity does not get by that
way: each attempt is made with the kubelet's own certificate on a real API server, with holdfast-controller and the chart's policies."""

import base64
import json
import os
import subprocess
import tempfile
import time

import test_admission
import test_certificate
import test_controller
from holdcluster import pki, place
from lib import api, attempts, case, fleet, helm, identity, wait, world
from test_certificate import CSRS, FOLDER

IDENTITY = "etc/holdfast/kubelet"              # in the node's tree; the kubelet of the test cluster has its key in a kubeconfig


def dead_kubeconfig():
    """With a token that no API server takes any more."""
    return json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": pki.SERVER, "certificate-authority": "/etc/holdfast/ca.crt"}}],
        "users": [{"name": "me", "user": {"token": "ended.long.ago"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "me"}}]})


class TestReturn(test_certificate.TestUnit):
    """n1 after an absence: neither its token nor a certificate is good."""

    test_a_certificate_is_issued_used_renewed_and_survives_a_denial = None

    def give_kubelet_identity(self):
        for end in ("crt", "key"):
            path = os.path.join(self.tree, f"{IDENTITY}.{end}")
            with open(world.cluster.where.path("pki", f"node-{self.node}.{end}"), encoding="ascii") as f:
                place.write(path, f.read(), 0o600)
            self.addCleanup(os.unlink, path)

    def ways(self):
        return [one["way"] for one in self.agent.events("certificate.issued")]

    def test_it_comes_back_by_its_kubelet_and_again_after_a_long_outage(self):
        for old in self.requests():
            world.cluster.kubectl("delete", "csr", old["metadata"]["name"])
        self.addCleanup(self.agent.install)
        self.give_kubelet_identity()
        self.controller.start()
        began = time.monotonic()
        self.configure(dead_kubeconfig(), f"--client-certificate-dir=/{FOLDER}", "--client-certificate-lifetime=10m",
                       f"--kubelet-identity=/{IDENTITY}.crt")
        first = self.await_request(1, 60)
        self.assertEqual(first["spec"]["username"], "system:node:" + self.node)
        self.await_approval(1)
        wait.until("the certificate on the disk", self.stored, 30, 0.2)
        print(f"        return: certificate {time.monotonic() - began:.1f} s after the start, without a good token")
        wait.until("the condition", lambda: (self.condition() or ("", ""))[:2] == ("True", "ByKubelet"), 60, 0.5)
        self.assertEqual(self.ways()[-1], "ByKubelet")
        second = self.await_request(2, 150)
        self.assertEqual(second["spec"]["username"], "holdfast:agent:" + self.node)
        wait.until("the renewal", lambda: self.ways()[-1] == "ByCertificate", 60, 0.5)
        wait.until("the condition to go", lambda: self.condition() is None, 60, 0.5)
        # The approver is away for longer than a certificate lasts. Other tests have left the same events in the node's journal.
        before = len(self.agent.events("certificate.set_aside"))
        self.controller.stop()
        wait.until("the certificate to end", lambda: len(self.agent.events("certificate.set_aside")) > before, 240, 1)
        self.controller.start()
        began = time.monotonic()
        wait.until("the node to be back", lambda: self.ways()[-1] == "ByKubelet", 120, 0.5)
        print(f"        return: certificate {time.monotonic() - began:.1f} s after the approver")


class TestStolenKubelet(test_controller.Case):
    """Whoever has node n1 has its kubelet's key."""

    KUBELET = "node-n1"
    alone = True

    SERVER_TOO = ("client auth", "digital signature", "server auth")

    def setUp(self):
        super().setUp()
        self.leader()
        server = self.request("holdfast-agent-n1-policies", self.subject("n1", self.uid("n1")), self.SERVER_TOO)
        wait.until("the policies to be in force", lambda: self.send(server, "?dryRun=All")[0] == 403, 60, 0.5)

    @classmethod
    def setUpClass(cls):
        case.deploy()
        test_controller.setUpModule()
        cls.addClassCleanup(test_controller.tearDownModule)
        parts = ["-s", "templates/controller-policies.yaml", "-s", "templates/agent-policies.yaml"]
        plain, text = (test_admission.TestController.mine(helm.helm("template", helm.RELEASE, helm.CHART, "-n", helm.NAMESPACE, "--set",
                                                                    f"certificates.enabled={certificates}", *parts)) for certificates in ("false", "true"))
        world.cluster.kubectl("apply", "-f", "-", text=text)
        cls.addClassCleanup(world.cluster.kubectl, "apply", "-f", "-", text=plain)      # as deploy/holdfast.yaml has them
        cls.addClassCleanup(world.cluster.kubectl, "delete", "-f", "-", "--ignore-not-found", text=text)

    @staticmethod
    def uid(node):
        return api.get(f"/api/v1/nodes/{node}").get("metadata", {}).get("uid", "0")

    def pem(self, subject, key="P-256"):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{key}", "-noenc", "-subj", subject,
                            "-keyout", f"{folder}/k", "-out", f"{folder}/c"], check=True, capture_output=True)
            with open(f"{folder}/c", "rb") as file:
                return base64.b64encode(file.read()).decode()

    def request(self, name, subject, usages=("client auth", "digital signature"), seconds=600, key="P-256"):
        return {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": name},
                "spec": {"request": self.pem(subject, key), "signerName": attempts.CLIENT, "usages": list(usages), "expirationSeconds": seconds}}

    def send(self, request, query="", headers=()):
        """HTTP status and answer."""
        return identity.call("POST", CSRS + query, request, certificate=self.KUBELET, kind="application/json", headers=headers)

    def ask(self, name, *about, headers=(), **more):
        """HTTP status and answer of the kubelet's request."""
        api.call("DELETE", f"{CSRS}/{name}")
        self.addCleanup(api.call, "DELETE", f"{CSRS}/{name}")
        return self.send(self.request(name, *about, **more), headers=headers)

    def decision(self, name):
        conditions = api.get(f"{CSRS}/{name}").get("status", {}).get("conditions", [])
        return (conditions[0]["type"], conditions[0]["reason"]) if conditions else None

    def decided(self, name):
        return wait.until(f"a decision on {name}", lambda: self.decision(name), 30, 0.2)

    @staticmethod
    def subject(node, uid, more=""):
        return f"/O=holdfast:agents/O=holdfast:node-uid:{uid}{more}/CN=holdfast:agent:{node}"

    def test_its_own_certificate(self):
        name = "holdfast-agent-n1-own"
        self.assertEqual(self.ask(name, self.subject("n1", self.uid("n1")))[0], 201)
        self.assertEqual(self.decided(name), ("Approved", "HoldfastAgent"))

    def test_another_node_s_certificate(self):
        mine, theirs = self.uid("n1"), self.uid("n2")
        cases = [
            ("the certificate of n2", "n2-a", self.subject("n2", theirs), {}, "WrongSubject"),
            ("of n2, with its own uid", "n2-b", self.subject("n2", mine), {}, "WrongSubject"),
            ("its own name with the uid of n2", "n1-c", self.subject("n1", theirs), {}, "WrongNodeUid"),
            ("its own name with the uid of nobody", "n1-d", self.subject("n1", "0"), {}, "WrongNodeUid"),
            ("its own name and that of n2", "n1-e", self.subject("n1", mine) + "/CN=holdfast:agent:n2", {}, "UnreadableRequest"),
            ("without a uid, which would be good for every Node of the name", "n1-f", "/O=holdfast:agents/CN=holdfast:agent:n1", {}, "WrongSubject"),
            ("the kubelet of n2", "n2-g", "/O=system:nodes/CN=system:node:n2", {}, "WrongSubject"),
            ("an agent and a kubelet in one", "n1-h", self.subject("n1", mine, "/O=system:nodes"), {}, "UnreadableRequest"),
            ("one for a year", "n1-j", self.subject("n1", mine), {"seconds": 31536000}, "WrongLifetime"),
            ("for another kind of key", "n1-k", self.subject("n1", mine), {"key": "P-384"}, "WrongKey"),
        ]
        for what, name, subject, more, reason in cases:
            with self.subTest(what):
                self.assertEqual(self.ask("holdfast-agent-" + name, subject, **more)[0], 201)
                self.assertEqual(self.decided("holdfast-agent-" + name), ("Denied", reason))

    def test_a_server_s_certificate(self):
        """The policy refuses it before a controller sees it."""
        status, answer = self.ask("holdfast-agent-n1-i", self.subject("n1", self.uid("n1")), self.SERVER_TOO)
        self.assertEqual(status, 403, answer)
        self.assertIn("asks for client certificates of the signer", answer["message"])

    def test_under_another_name_of_the_request(self):
        """Such requests are other programs': nobody approves them."""
        self.assertEqual(self.ask("kubelet-n2", self.subject("n2", self.uid("n2")))[0], 201)
        later = "holdfast-agent-n1-later"
        self.assertEqual(self.ask(later, self.subject("n1", "0"))[0], 201)
        self.assertEqual(self.decided(later), ("Denied", "WrongNodeUid"))
        self.assertIsNone(self.decision("kubelet-n2"))

    def test_as_the_kubelet_of_another_node(self):
        answer = self.ask("holdfast-agent-n2-m", self.subject("n2", self.uid("n2")), headers=("Impersonate-User: system:node:n2", "Impersonate-Group: system:nodes"))
        self.assertEqual(answer[0], 403, answer[1])

    def test_it_approves_nothing_itself(self):
        name = "holdfast-agent-n2-n"
        self.assertEqual(self.ask(name, self.subject("n2", self.uid("n2")))[0], 201)
        found = api.get(f"{CSRS}/{name}")
        found["status"] = {"conditions": [{"type": "Approved", "status": "True", "reason": "x", "message": "x"}]}
        status, answer = identity.call("PUT", f"{CSRS}/{name}/approval", found, certificate=self.KUBELET, kind="application/json")
        self.assertEqual(status, 403, answer)

    def test_a_token_of_another_node_s_agent(self):
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                "spec": {"boundObjectRef": {"kind": "Node", "apiVersion": "v1", "name": "n2", "uid": self.uid("n2")}}}
        status, answer = identity.call("POST", f"/api/v1/namespaces/{fleet.NAMESPACE}/serviceaccounts/holdfast-agent/token", body,
                                       certificate=self.KUBELET, kind="application/json")
        self.assertEqual(status, 403, answer)

    def test_once_its_node_is_revoked(self):
        self.addCleanup(test_admission.revoke, [])
        test_admission.revoke(["n1"])

        def refused():
            status, answer = self.ask("holdfast-agent-n1-o", self.subject("n1", self.uid("n1")))
            return status == 403 and attempts.REVOKED_WHY in answer["message"]
        wait.until("the policy to refuse it", refused, 15, 0.5)
        # What the kubelet does for Kubernetes goes on.
        status, answer = identity.call("PATCH", "/api/v1/nodes/n1/status", {"status": {"phase": "Running"}}, certificate=self.KUBELET)
        self.assertEqual(status, 200, answer)
