# SPDX-License-Identifier: Apache-2.0
"""holdfast-controller on a real API server, with the rights and policies of the chart; the agents' reports are this test's."""

import base64
import json
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from holdcluster import pki
from lib import api, fleet, identity, release, wait, world

manifests = ""


def setUpModule():  # noqa: N802 (unittest's name)
    global manifests  # pylint: disable=global-statement
    release.make_key()
    manifests = fleet.install()
    fleet.wipe()


def tearDownModule():  # noqa: N802
    fleet.wipe()
    fleet.remove(manifests)


class Case(unittest.TestCase):
    FLAGS = ()

    def setUp(self):
        fleet.wipe()
        self.controllers = []

    def tearDown(self):
        for one in self.controllers:
            one.stop()
        fleet.wipe()

    def controller(self, name, port, *flags):
        one = fleet.Controller(name, *self.FLAGS, *flags, port=port).start()
        self.controllers.append(one)
        return one

    def leader(self, *flags):
        one = self.controller("controller-a", 19190, *flags)
        wait.until("the controller to lead", one.leads, 30)
        return one

    def nodes(self, count, label=None, **more):
        return [fleet.Node(f"fake-{i:02}", label(i) if label else None, **more) for i in range(count)]

    def agents(self, nodes, update, **more):
        these = fleet.Agents(nodes, update, **more)
        self.addCleanup(these.end.set)
        return these


CANARY = {"nodeSelector": {"matchLabels": {"canary": "yes"}}, "soak": "2s"}


def columns(kind, name):
    """{title: text} of `kubectl get -o wide`."""
    head, row = world.cluster.kubectl("get", kind, name, "-o", "wide").splitlines()
    starts = [found.start() for found in re.finditer(r"\S+(?: \S+)*", head)]
    return {head[a:b].strip(): row[a:b].strip() for a, b in zip(starts, [*starts[1:], None])}


def is_canary(i):
    return {"canary": "yes"} if i == 0 else {}


class TestRollout(Case):
    def test_canary_waves_complete(self):
        """Canary first, then half, then all; columns, conditions, Events and metrics say so."""
        controller = self.leader()
        nodes = self.nodes(12, is_canary)
        update = fleet.Update({"canary": CANARY, "waves": [{"percent": 50, "soak": "2s"}, {"percent": 100}]})
        agents = self.agents(nodes, update, canaries=["fake-00"])
        wait.until("the canary to be updated", lambda: agents.touched() == ["fake-00"], 20)
        self.assertEqual(update.admission()["cutoff"], 0)
        by_slot = sorted((node for node in nodes if node.name != "fake-00"), key=lambda node: node.slot(update.release))
        half = {node.name for node in by_slot[:5]} | {"fake-00"}
        wait.until("the first wave", lambda: update.reached() == 5000, 30, 0.05)
        wait.until("half of the nodes", lambda: set(agents.touched()) == half, 20)
        update.await_reason("RolledOut", 60)
        wait.until("the counts", lambda: update.status()["nodes"]["updated"] == 12, 20)
        agents.stop()
        status = update.status()
        self.assertEqual(status["rollout"]["phase"], "Complete", status)
        self.assertEqual((update.condition("Ready")["status"], status["nodes"]["selected"], status["nodes"]["failed"]), ("True", 12, 0))
        said = world.cluster.kubectl("wait", "--for=condition=Ready", f"edgeupdate/{update.name}", "--timeout=5s")
        self.assertIn("condition met", said)
        self.assertEqual([title for title, text in columns("edgeupdate", update.name).items() if not text], ["SUSPENDED"])
        policy = {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "columns"}, "spec": {"interval": "30s"}}
        world.cluster.kubectl("apply", "-f", "-", text=json.dumps(policy))
        self.addCleanup(world.cluster.kubectl, "delete", "syncpolicy", "columns")
        wait.until("the columns of the policy", lambda: all(columns("syncpolicy", "columns").values()), 20)
        wait.until("the Events", lambda: {"RolloutStarted", "StageAdmitted", "StageSettled", "RolloutComplete"} <= {r for r, _ in update.events()}, 20)
        self.assertEqual(controller.metric(f'holdfast_rollout_nodes{{update="{update.name}",state="updated"}}'), 12)
        self.assertEqual(controller.metric('holdfast_fleet_nodes{state="edgenodes"}') >= 12, True)
        self.assertEqual(controller.metric('holdfast_controller_writes_total{kind="status",result="refused"}') or 0, 0)

    def test_another_selector_begins_anew(self):
        """Complete on one node, then for all: again by stages."""
        self.leader()
        nodes = self.nodes(8, lambda i: {"first": "yes"} if i == 0 else {})
        update = fleet.Update({}, nodeSelector={"matchLabels": {"first": "yes"}})
        wait.until("the only node's admission", lambda: update.admits(nodes[0]), 30)
        nodes[0].report(update.release, "Committed", "HealthPassed")
        update.await_reason("RolledOut", 30)
        before = update.admission()
        self.assertEqual(before["cutoff"], 10000)
        update.strategy, update.spec = {"waves": [{"percent": 25, "soak": "1h"}, {"percent": 100}]}, {}
        update.put()
        wait.until("the first wave", lambda: update.admission()["selector"] != before["selector"] and update.admission()["cutoff"] > 0, 30)
        self.assertEqual(sum(update.admits(node) for node in nodes), 2)
        self.assertEqual((update.reached(), update.condition("Ready")["reason"]), (2500, "Progressing"))

    def test_halt_and_resume(self):
        """Too many failures withdraw the admission; the status names the nodes; a resume forgives them."""
        self.leader()
        nodes = self.nodes(10)
        update = fleet.Update({"waves": [{"percent": 40, "soak": "1s"}, {"percent": 100}]})
        bad = min(nodes, key=lambda node: node.slot(update.release)).name
        agents = self.agents(nodes, update, verdict=lambda node: "RolledBack" if node.name == bad else "Committed")
        update.await_reason("TooManyFailures")
        first = {node.name for node in sorted(nodes, key=lambda node: node.slot(update.release))[:4]}
        self.assertEqual(update.admission()["cutoff"], 0)
        self.assertLessEqual(set(agents.touched()), first)
        self.assertEqual(update.condition("Stalled")["status"], "True")
        self.assertEqual([(f["node"], f["reason"]) for f in update.status()["failures"]], [(bad, "HealthFailed")])
        self.assertIn(bad, update.condition("Stalled")["message"])
        wait.until("the Event", lambda: any(reason == "RolloutHalted" for reason, _ in update.events()), 10)
        nodes.append(fleet.Node("fake-late"))  # a later decision, which counts this node: nothing begins while it is halted
        wait.until("the late node to be counted", lambda: update.status()["nodes"]["selected"] == len(nodes), 60)
        agents.look()
        self.assertEqual(update.admission()["cutoff"], 0)
        self.assertLessEqual(set(agents.touched()), first)
        update.annotate(rollout_resume="fixed")
        update.await_reason("RolledOut", 60)
        self.assertEqual(len(agents.touched()), len(nodes))
        self.assertEqual(update.status()["rollout"]["forgiven"], 1)
        self.assertTrue(any(reason == "RolloutResumed" for reason, _ in update.events()))
        agents.stop()

    def test_halted_and_paused_by_annotation(self):
        self.leader()
        nodes = self.nodes(6)
        update = fleet.Update({"waves": [{"percent": 30, "soak": "1s"}, {"percent": 100}]})
        update.annotate(rollout_halted="the site is on fire")
        update.await_reason("HaltedByOperator")
        self.assertEqual(update.admission()["cutoff"], 0)
        self.assertIn("the site is on fire", update.condition("Ready")["message"])
        update.annotate(rollout_halted=None, rollout_paused="true")
        update.await_reason("Paused")
        update.annotate(rollout_paused=None)
        agents = self.agents(nodes, update)
        update.await_reason("RolledOut", 40)
        agents.stop()

    def test_newer_release_starts_again(self):
        self.leader()
        nodes = self.nodes(4)
        update = fleet.Update({"waves": [{"percent": 100}]})
        agents = self.agents(nodes, update, verdict=lambda node: "RolledBack" if update.release["sequence"] == 1 else "Committed")
        update.await_reason("TooManyFailures")
        update.next_release(2)
        update.await_reason("RolledOut", 40)
        agents.stop()

    def test_without_strategy(self):
        """The controller fills columns and conditions only."""
        self.leader()
        nodes = self.nodes(3)
        update = fleet.Update()
        update.await_reason("Progressing")
        for node in nodes:
            node.report(update.release, "Committed", "HealthPassed")
        update.await_reason("RolledOut")
        wait.until("the counts", lambda: update.status()["nodes"].get("updated") == 3, 20)
        self.assertNotIn("admission", update.status())


class TestTurns(Case):
    ZONE = "topology.kubernetes.io/zone"

    def test_one_of_a_site_at_once(self):
        """At most one node of a site between swap and verdict; a silent holder keeps its turn until it is freed."""
        self.leader()
        nodes = self.nodes(6, lambda i: {self.ZONE: f"site-{i % 2}"})
        update = fleet.Update({"waves": [{"percent": 100}], "unknownAfter": "1m", "disruption": {"groupBy": self.ZONE, "maxUnavailable": 1}})
        wait.until("the admission", lambda: update.admission().get("cutoff") == 10000, 30)
        for node in nodes:
            node.report(update.release, "Verified", "TurnPending")
        digest = release.digest(update.release)

        def holders(site):
            return [node for i, node in enumerate(nodes) if i % 2 == site and {"release": update.name, "digest": digest} in node.turns()]

        wait.until("a turn in both sites", lambda: len(holders(0)) == 1 and len(holders(1)) == 1, 30)
        order = []
        for i in range(3):
            holder = wait.until("a holder in site 0", lambda: next((n for n in holders(0) if n.name not in order), None), 30)
            self.assertEqual(len(holders(0)), 1)
            order.append(holder.name)
            holder.report(update.release, "Probation")
            other = fleet.Node(f"fake-other-{i}", {self.ZONE: f"other-{i}"})       # turns are given again, after that report
            other.report(update.release, "Verified", "TurnPending")
            wait.until("a turn in another site", other.turns, 60)
            self.assertEqual([n.name for n in holders(0)], [holder.name])
            holder.report(update.release, "Committed", "HealthPassed")
        self.assertEqual(len(set(order)), 3)
        stuck = holders(1)[0]
        stuck.interval = "2s"
        stuck.report(update.release, "Swapping")
        wait.until("the status to name the holder", lambda: stuck.name in json.dumps(update.status()["rollout"].get("waitingFor", [])), 90)
        self.assertEqual([n.name for n in holders(1)], [stuck.name])
        code, answer = api.call("PATCH", f"{fleet.GROUP}/edgenodes/{stuck.name}", {"metadata": {"annotations": {
            "edge.codcompass.io/free-turn": digest}}}, "application/merge-patch+json")
        self.assertEqual(code, 200, answer)
        for node in nodes:
            if node not in (stuck, *holders(0)) and node.name not in order:
                node.report(update.release, "Verified", "TurnPending")
        wait.until("another holder in site 1", lambda: [n.name for n in holders(1) if n.name != stuck.name], 30)

    def test_nobody_else_writes_turns_and_admissions(self):
        """Not even an administrator: the policies of the chart."""
        self.leader()
        node = self.nodes(1)[0]
        update = fleet.Update({"waves": [{"percent": 100}]})
        update.await_reason("Progressing")
        body = {"spec": {"turns": [{"release": "x", "digest": "0" * 64}]}}
        self.assertEqual(api.call("PATCH", f"{fleet.GROUP}/edgenodes/{node.name}", body, "application/merge-patch+json")[0], 403)
        body = {"status": {"admission": {"digest": "0" * 64, "cutoff": 10000}}}
        self.assertEqual(api.call("PATCH", f"{fleet.GROUP}/edgeupdates/{update.name}/status", body, "application/merge-patch+json")[0], 403)


class TestFailover(Case):
    def run_through(self, disturb):
        """A rollout in which the leader is disturbed in the middle; nothing is repeated or skipped."""
        a, b = self.controller("controller-a", 19190), self.controller("controller-b", 19290)
        wait.until("a leader", lambda: a.leads() or b.leads(), 30)
        first, second = (a, b) if a.leads() else (b, a)
        before = fleet.lease()["leaseTransitions"]
        nodes = self.nodes(12)
        update = fleet.Update({"waves": [{"percent": 30, "soak": "3s"}, {"percent": 60, "soak": "3s"}, {"percent": 100}]})
        cutoffs, end = [], threading.Event()

        def watch():
            while not end.wait(0.05):
                cutoff = update.reached()
                if cutoff is not None and (not cutoffs or cutoffs[-1] != cutoff):
                    cutoffs.append(cutoff)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        self.addCleanup(end.set)
        agents = self.agents(nodes, update)
        wait.until("the first wave", lambda: update.reached() == 3000, 30, 0.05)
        begin = time.monotonic()
        disturb(first)
        wait.until("the other one to lead", second.leads, 40, 0.2)
        print(f"        failover after {time.monotonic() - begin:.1f} s")
        update.await_reason("RolledOut", 60)
        end.set()
        watcher.join()
        agents.stop()
        self.assertEqual(cutoffs, [cutoff for cutoff in (0, 3000, 6000, 10000) if cutoff in cutoffs], cutoffs)
        self.assertEqual(cutoffs[-3:], [3000, 6000, 10000])
        self.assertEqual(len(agents.touched()), 12)
        self.assertGreater(update.status()["rollout"]["epoch"], before)
        reasons = wait.until("the Event", lambda: [r for r, _ in update.events()] if "RolloutComplete" in dict(update.events()) else None, 10)
        self.assertEqual(reasons.count("RolloutComplete"), 1, update.events())
        return first, second, update

    def test_kill_9(self):
        self.run_through(lambda leader: leader.stop(signal.SIGKILL))

    def test_stopped_and_continued(self):
        """A leader that sleeps through its Lease wakes, writes nothing more, and follows."""
        first, second, update = self.run_through(lambda leader: leader.send(signal.SIGSTOP))
        version = api.get(f"{fleet.GROUP}/edgeupdates/{update.name}")["metadata"]["resourceVersion"]
        first.send(signal.SIGCONT)
        wait.until("the former leader to notice", lambda: not first.leads() and first.metric("holdfast_controller_leader") == 0, 20)
        known = 'holdfast_fleet_nodes{state="edgenodes"}'
        count = second.metric(known)
        fleet.Node("fake-late", {fleet.LABEL: "no"})                               # what it learns after its sleep, outside the rollout
        wait.until("the former leader to follow", lambda: first.metric(known) == second.metric(known) == count + 1, 60)
        self.assertTrue(second.leads())
        self.assertEqual(api.get(f"{fleet.GROUP}/edgeupdates/{update.name}")["metadata"]["resourceVersion"], version)

    def test_released_at_sigterm(self):
        a, b = self.controller("controller-a", 19190), self.controller("controller-b", 19290)
        wait.until("a leader", lambda: a.leads() or b.leads(), 30)
        first, second = (a, b) if a.leads() else (b, a)
        wait.until("the other one to be ready", lambda: "[+]fleet ok" in second.get("/readyz"), 20)
        begin = time.monotonic()
        first.stop()
        wait.until("the other one to lead", second.leads, 10, 0.05)
        took = time.monotonic() - begin
        print(f"        took over {took:.1f} s after SIGTERM (promise: 5 s)")
        self.assertLess(took, 5)
        self.assertIn('"event":"controller.stopped"', first.log())

    def test_lease_deleted_by_hand(self):
        """The next epoch is above all that objects have."""
        one = self.leader()
        update = fleet.Update({"waves": [{"percent": 100}]})
        update.await_reason("NoNodesSelected")
        before = update.status()["rollout"]["epoch"]
        one.stop(signal.SIGKILL)
        api.call("DELETE", fleet.LEASE)
        one.start()
        wait.until("the controller to lead", one.leads, 30)
        wait.until("a higher epoch", lambda: fleet.lease().get("leaseTransitions", 0) > before, 10)
        wait.until("the epoch in the object", lambda: update.status()["rollout"]["epoch"] > before, 10)


class TestFleet(Case):
    def test_silent_node(self):
        """Ready=Unknown by the controller's hand; the agent's next word puts it right."""
        self.leader()
        quiet, loud = fleet.Node("fake-quiet", interval="2s"), fleet.Node("fake-loud", interval="5m")

        def ready(node):
            return next((c for c in node.object()["status"]["conditions"] if c["type"] == "Ready"), {})

        wait.until("the silent node to be known", lambda: ready(quiet).get("reason") == "NodeSilent", 30)
        self.assertEqual(ready(quiet)["status"], "Unknown")
        self.assertEqual(ready(loud)["status"], "True")
        quiet.report()
        self.assertEqual(ready(quiet)["status"], "True")

    def test_collection(self):
        """The EdgeNode of a Node that left goes; those of Nodes that stay stay."""
        one = self.leader("--collect-after", "3s")
        nodes = self.nodes(6)
        wait.until("the EdgeNodes to be known", lambda: one.metric('holdfast_fleet_nodes{state="edgenodes"}') >= 6, 30)
        api.call("DELETE", f"/api/v1/nodes/{nodes[0].name}")
        wait.until("the EdgeNode to be collected", lambda: not nodes[0].object(), 30)
        self.assertTrue(all(node.object() for node in nodes[1:]))
        for node in nodes[1:5]:                # most of the fleet at once: only with the annotation
            api.call("DELETE", f"/api/v1/nodes/{node.name}")
        quiet = fleet.Node("fake-quiet", interval="2s")        # its silence is marked in a look that begins when they could be collected
        wait.until("the silence of another node to be marked", lambda: "NodeSilent" in json.dumps(quiet.object()), 60)
        self.assertEqual([bool(node.object()) for node in nodes[1:5]], [True] * 4)
        code, answer = api.call("PATCH", fleet.LEASE, {"metadata": {"annotations": {"edge.codcompass.io/allow-collect": "true"}}},
                                "application/merge-patch+json")
        self.assertEqual(code, 200, answer)
        wait.until("all of them to be collected", lambda: not any(node.object() for node in nodes[1:5]), 40)
        self.assertTrue(nodes[5].object())
        api.call("PATCH", fleet.LEASE, {"metadata": {"annotations": {"edge.codcompass.io/allow-collect": None}}}, "application/merge-patch+json")

    def test_api_server_away(self):
        """While the server is away, no node becomes silent; afterwards the controller goes on."""
        one = self.leader()
        node = fleet.Node("fake-00", interval="2s")
        node.report()
        world.cluster.stop_api()
        time.sleep(6)                          # twice what makes a node silent
        world.cluster.start_api()
        node.report()
        wait.until("the controller to lead again", one.leads, 40)
        self.assertNotIn("NodeSilent", json.dumps(node.object()))
        update = fleet.Update()
        node.report(update.release, "Committed", "HealthPassed")
        update.await_reason("RolledOut", 40)


class TestCertificates(Case):
    CSRS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"

    def request(self, name, node, subject, bearer=None, certificate=None, usages=("client auth", "digital signature"), seconds=600, key="P-256",
                taken=True):
        """A CertificateSigningRequest by the agent of `node`; its name."""
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{key}", "-noenc", "-subj", subject,
                            "-keyout", f"{folder}/k", "-out", f"{folder}/c"], check=True, capture_output=True)
            with open(f"{folder}/c", "rb") as file:
                text = base64.b64encode(file.read()).decode()
        api.call("DELETE", f"{self.CSRS}/{name}")
        self.addCleanup(api.call, "DELETE", f"{self.CSRS}/{name}")
        body = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": name},
                "spec": {"request": text, "signerName": "kubernetes.io/kube-apiserver-client", "usages": list(usages), "expirationSeconds": seconds}}
        if bearer or certificate:
            status, answer = identity.call("POST", self.CSRS, body, bearer=bearer, certificate=certificate, kind="application/json")
        else:
            status, answer = api.call("POST", self.CSRS, body)
        self.assertEqual(status, 201 if taken else 403, answer)
        del node
        return name

    def decision(self, name):
        conditions = api.get(f"{self.CSRS}/{name}").get("status", {}).get("conditions", [])
        return (conditions[0]["type"], conditions[0]["reason"]) if conditions else None

    def decided(self, name):
        return wait.until(f"a decision on {name}", lambda: self.decision(name), 20)

    @staticmethod
    def subject(node, more=""):
        uid = api.get(f"/api/v1/nodes/{node}").get("metadata", {}).get("uid", "0")
        return f"/O=holdfast:agents/O=holdfast:node-uid:{uid}{more}/CN=holdfast:agent:{node}"

    @classmethod
    def setUpClass(cls):
        # What the chart lets agents do; here only the rights to ask.
        world.cluster.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "holdfast-agent", "namespace": fleet.NAMESPACE}},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "test-asks"}, "rules": [
                {"apiGroups": ["certificates.k8s.io"], "resources": ["certificatesigningrequests"], "verbs": ["create", "get"]}]},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "test-asks"},
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "test-asks"},
             "subjects": [{"kind": "ServiceAccount", "name": "holdfast-agent", "namespace": fleet.NAMESPACE},
                          {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "holdfast:agents"}]}]}))

    @classmethod
    def tearDownClass(cls):
        world.cluster.kubectl("delete", "clusterrole,clusterrolebinding", "test-asks", "--ignore-not-found")

    def test_own_certificate(self):
        """Approved and signed; and renewed with the certificate itself."""
        one = self.leader()
        token = identity.token("n1")
        name = self.request("agent-n1", "n1", self.subject("n1"), bearer=token)
        self.assertEqual(self.decided(name), ("Approved", "HoldfastAgent"))
        wait.until("the certificate", lambda: api.get(f"{self.CSRS}/{name}")["status"].get("certificate"), 20)
        identity.host_kubeconfig("n1")
        name = self.request("agent-n1-renewed", "n1", self.subject("n1"), certificate="agent-n1")
        self.assertEqual(self.decided(name), ("Approved", "HoldfastAgent"))
        wait.until("the metric", lambda: one.metric('holdfast_controller_certificate_requests_total{result="approved"}') >= 2, 5)

    def test_everything_else(self):
        self.leader()
        token = identity.token("n1")
        identity.host_kubeconfig("n1")
        cases = [
            ("other-node", self.subject("n2"), {"bearer": token}, "WrongSubject"),
            ("other-node-by-certificate", self.subject("n2"), {"certificate": "agent-n1"}, "WrongSubject"),
            ("another-group", "/O=system:nodes/CN=holdfast:agent:n1", {"bearer": token}, "WrongSubject"),
            ("two-groups", "/O=holdfast:agents/O=system:nodes/CN=holdfast:agent:n1", {"bearer": token}, "WrongSubject"),
            ("three-groups", self.subject("n1", "/O=system:nodes"), {"bearer": token}, "UnreadableRequest"),
            ("groups-in-one", self.subject("n1").replace("/O=holdfast:node-uid", "+O=holdfast:node-uid").replace("/CN", "+O=system:nodes/CN"),
             {"bearer": token}, "UnreadableRequest"),
            ("name-only", "/O=holdfast:agents/CN=holdfast:agent:n1", {"bearer": token}, "WrongSubject"),
            ("uid-of-another", self.subject("n2").replace("agent:n2", "agent:n1"), {"bearer": token}, "WrongNodeUid"),
            ("uid-of-nobody", "/O=holdfast:agents/O=holdfast:node-uid:0/CN=holdfast:agent:n1", {"bearer": token}, "WrongNodeUid"),
            ("big-key", self.subject("n1"), {"bearer": token, "key": "P-384"}, "WrongKey"),
            ("server", self.subject("n1"), {"bearer": token, "usages": ("client auth", "digital signature", "key encipherment")}, "WrongUsages"),
            ("for-ever", self.subject("n1"), {"bearer": token, "seconds": 31536000}, "WrongLifetime"),
        ]
        for name, subject, more, reason in cases:
            with self.subTest(name):
                self.assertEqual(self.decided(self.request(name, "n1", subject, **more)), ("Denied", reason))
        with self.subTest("administrators"):                   # the API server itself refuses this group
            self.request("administrators", "n1", self.subject("n1", "/O=system:masters"), bearer=token, taken=False)
        by_hand = self.request("by-hand", None, self.subject("n1"))
        later = self.request("later", "n1", self.subject("n2").replace("agent:n2", "agent:n1"), bearer=token)
        self.assertEqual(self.decided(later), ("Denied", "WrongNodeUid"))
        self.assertIsNone(self.decision(by_hand))              # an administrator's: left to a person

    def test_node_that_does_not_exist(self):
        self.leader()
        pki.make_certificate(world.cluster.where, "agent-nowhere", "holdfast:agent:nowhere", "holdfast:agents")
        name = self.request("nowhere", None, self.subject("nowhere"), certificate="agent-nowhere")
        self.assertEqual(self.decided(name), ("Denied", "NodeGone"))
