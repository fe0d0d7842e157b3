"""An agent on a host that starts with a token gets a client certificate of its own node, uses it, and renews it.

The controller manager of the test cluster signs for two minutes at most, whatever is asked for. Here kubectl approves; what the
controller approves and denies is tested with the controller.
"""

import json
import os
import time

from holdcluster import pki, place

from lib import api, case, identity, wait, world

CSRS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
FOLDER = "var/lib/holdfast/certificate"
LIFETIME_S = 120                               # --cluster-signing-duration
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
        world.cluster.kubectl("create", "clusterrole", ROLE, "--verb=create,get",
                              "--resource=certificatesigningrequests.certificates.k8s.io")
        self.addCleanup(world.cluster.kubectl, "delete", "clusterrole,clusterrolebinding", ROLE, check=False)
        world.cluster.kubectl("create", "clusterrolebinding", ROLE, "--clusterrole=" + ROLE,
                              "--serviceaccount=holdfast-system:holdfast-agent", "--group=" + identity.AGENTS)

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
        """The request of this number, counted from 1, that nobody has decided on."""
        def there():
            found = self.requests()
            return found[number - 1] if len(found) >= number and not found[number - 1].get("status", {}).get("conditions") else None
        return wait.until(f"request {number} of {self.node}", there, timeout_s, 0.5)

    def decide(self, request, verdict):
        world.cluster.kubectl("certificate", verdict, request["metadata"]["name"])

    def stored(self):
        try:
            with open(os.path.join(self.tree, FOLDER, "client.pem"), encoding="ascii") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def test_a_certificate_is_issued_used_renewed_and_survives_a_denial(self):
        for old in self.requests():
            world.cluster.kubectl("delete", "csr", old["metadata"]["name"])
        self.addCleanup(self.agent.install)
        self.configure(token_kubeconfig(self.node), f"--client-certificate-dir=/{FOLDER}", "--client-certificate-lifetime=10m")
        first = self.await_request(1, 30)
        self.assertEqual(first["spec"]["username"], "system:serviceaccount:holdfast-system:holdfast-agent")
        self.assertEqual(first["spec"]["extra"]["authentication.kubernetes.io/node-name"], [self.node])
        self.assertEqual(self.stored(), "")
        began = time.monotonic()
        self.decide(first, "approve")
        issued = wait.until("the certificate on the disk", self.stored, 30, 0.2)
        print(f"        certificate: on the disk {time.monotonic() - began:.1f} s after its approval")
        self.assertEqual(os.stat(os.path.join(self.tree, FOLDER, "client.pem")).st_mode & 0o7777, 0o600)
        self.assertEqual(os.listdir(os.path.join(self.tree, FOLDER)), ["client.pem"])

        # The renewal comes at two thirds of the lifetime, and is asked for with the certificate.
        received = time.monotonic()
        second = self.await_request(2, LIFETIME_S)
        print(f"        certificate: renewal after {time.monotonic() - received:.0f} s of {LIFETIME_S} (promise 57 % to 77 %)")
        self.assertGreaterEqual(time.monotonic() - received, 0.55 * LIFETIME_S)
        self.assertLessEqual(time.monotonic() - received, 0.80 * LIFETIME_S)
        self.assertEqual(second["spec"]["username"], "holdfast:agent:" + self.node)
        self.assertIn(identity.AGENTS, second["spec"]["groups"])

        # Denied: the old certificate stays, and after its end the token serves again.
        self.decide(second, "deny")
        wait.until("the log to tell of it", lambda: self.agent.events("certificate.denied"), 30, 0.5)
        self.assertEqual(self.stored(), issued)
        self.agent.wait_ready()
        wait.until("the agent to set the expired certificate aside", lambda: self.agent.events("certificate.set_aside"), LIFETIME_S + 60, 1)
        sequence = self.edgenode()["status"]["sequence"]
        self.agent.stop()                      # its last word, with the token
        wait.until("a status with the token", lambda: self.edgenode()["status"]["sequence"] > sequence, 10)
        self.agent.start()
        third = self.await_request(3, 30)      # a restart does not wait for the end of the pause
        self.assertEqual(third["spec"]["username"], "system:serviceaccount:holdfast-system:holdfast-agent")
        self.decide(third, "approve")
        wait.until("a new certificate", lambda: self.stored() not in ("", issued), 30, 0.2)
