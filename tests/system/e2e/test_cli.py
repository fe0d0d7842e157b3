# SPDX-License-Identifier: Apache-2.0
"""The commands of `holdfast` on a fleet, with a real API server, its rights and policies, and the real controller; the agents' reports
are this test's."""

import json
import os
import re
import subprocess
import tempfile
import time
import unittest

from holdcluster import pki, place, plane, process
from lib import api, fleet, helm, release, wait, world

manifests = ""


def setUpModule():  # noqa: N802 (unittest's name)
    global manifests  # pylint: disable=global-statement
    release.make_key()
    manifests = fleet.install()
    fleet.wipe()


def tearDownModule():  # noqa: N802
    fleet.wipe()
    fleet.remove(manifests)


def admin():
    return ["--kubeconfig", world.cluster.where.path("pki", "admin.kubeconfig")]


def start(*words, config=None):
    argv = plane.inside(world.cluster.where, [world.built("holdfast"), *words, *(config or admin())])
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class Case(unittest.TestCase):
    def setUp(self):
        fleet.wipe()
        self.controller = fleet.Controller("controller-cli", port=19290).start()
        self.addCleanup(fleet.wipe)
        self.addCleanup(self.controller.stop)
        wait.until("the controller to lead", lambda: "\nholdfast_controller_leader 1\n" in self.controller.get("/metrics"), 40)

    def nodes(self, count, label=None):
        return [fleet.Node(f"fake-{i:02}", label(i) if label else None) for i in range(count)]

    def agents(self, nodes, update, **more):
        these = fleet.Agents(nodes, update, **more)
        self.addCleanup(these.end.set)
        return these

    def ended(self, run, code, timeout_s=60):
        out, err = run.communicate(timeout=timeout_s)
        self.assertEqual(run.returncode, code, out + err)
        return out, err

    def run_cli(self, *words, code=0, config=None):
        return self.ended(start(*words, config=config), code)


class TestRollouts(Case):
    def test_watched_from_canary_to_the_end(self):
        """`rollout watch` and `wait` see the stages and end with 0; `status`, `nodes` and `node` show the same."""
        nodes = self.nodes(8, lambda i: {"canary": "yes"} if i == 0 else {})
        update = fleet.Update({"canary": {"nodeSelector": {"matchLabels": {"canary": "yes"}}, "soak": "4s"},
                               "waves": [{"percent": 50, "soak": "4s"}, {"percent": 100}]})
        watch = start("rollout", "watch", update.name, "--timeout", "90s")
        waiting = start("wait", "--release", update.name, "--version", "1.0.1", "--timeout", "90s", "--json")
        counted = start("wait", "--release", update.name, "--version", "1.0.1", "-l", f"{fleet.LABEL}=yes", "--timeout", "90s")
        self.agents(nodes, update, canaries=["fake-00"])
        out, _ = self.ended(watch, 0, 100)
        for stage in ("canary", "wave 1/2", "complete"):
            self.assertIn(stage, out)
        self.assertRegex(out.splitlines()[-1], r"updated 8/8, updating 0, failed 0, away 0  RolledOut")
        out, _ = self.ended(waiting, 0)
        self.assertEqual(json.loads(out.splitlines()[-1])["state"], "Complete")
        out, _ = self.ended(counted, 0)
        self.assertIn("committed 8/8", out)
        out, _ = self.run_cli("status", update.name)
        self.assertRegex(out, rf"{update.name} +{update.name} +1\.0\.1 +complete +\[#+\] +8/8 +0 +0 +0 +Complete")
        out, _ = self.run_cli("nodes", "-l", f"{fleet.LABEL}=yes,canary=yes")
        self.assertRegex(out, r"fake-00 +True .* Committed")
        self.assertNotIn("fake-01", out)
        out, _ = self.run_cli("node", "fake-03")
        self.assertRegex(out, rf"{update.name} +Committed +1\.0\.1")
        for words, typed, want in (("node", "fake-", "fake-03"), ("rollout watch", update.name[:2], update.name)):
            out, _ = self.run_cli("completion", "values", "--", *words.split(), *admin(), config=[typed])
            self.assertIn(want, out.splitlines(), words)
        out, _ = self.run_cli("completion", "values", "--", "nodes", *admin(), "--release", config=[update.name[:2]])
        self.assertIn(update.name, out.splitlines())

    def test_halted_resumed_paused(self):
        """A rollout that halts ends the watch with 4 and names the nodes; `rollout resume`, `pause`, `halt` are obeyed."""
        broken = {"fake-00", "fake-01", "fake-02", "fake-03", "fake-04"}
        nodes = self.nodes(10)
        update = fleet.Update({"waves": [{"percent": 50, "soak": "1s"}, {"percent": 100}]})
        verdicts = self.agents(nodes, update, verdict=lambda node: "RolledBack" if node.name in broken else "Committed")
        out, _ = self.ended(start("rollout", "watch", update.name, "--timeout", "60s"), 4, 70)
        self.assertRegex(out, r"TooManyFailures[^\n]*\n  fake-0\d  HealthFailed: reported by the test")
        out, _ = self.run_cli("status", code=4)
        self.assertRegex(out, rf"{update.name} .* TooManyFailures\n")
        self.run_cli("wait", "--release", update.name, "--version", "1.0.1", code=4)
        out, _ = self.run_cli("nodes", "--phase", "RolledBack", "-o", "name")
        self.assertIn("fake-0", out)
        self.run_cli("rollout", "pause", update.name)
        out, _ = self.run_cli("rollout", "resume", update.name)  # takes the pause back, and forgives the failures
        self.assertRegex(out, r"resumed; \d+ nodes? failed so far and no longer counts? as failed")
        verdicts.verdict = lambda node: "Committed"
        out, _ = self.ended(start("rollout", "watch", update.name, "--timeout", "60s"), 0, 70)
        self.assertIn("complete", out)
        update.next_release(2)
        self.run_cli("rollout", "halt", update.name, "--reason", "wrong model")
        update.await_reason("HaltedByOperator")
        self.assertIn("wrong model", json.dumps(update.status()["conditions"]))
        out, _ = self.ended(start("rollout", "watch", update.name), 4)
        self.assertIn("HaltedByOperator", out)
        self.run_cli("rollout", "resume", update.name)
        self.ended(start("rollout", "watch", update.name, "--timeout", "60s"), 0, 70)
        update.next_release(3)
        self.run_cli("rollout", "pause", update.name)
        update.await_reason("Paused")
        out, _ = self.ended(start("rollout", "watch", update.name, "--timeout", "1s"), 6)
        self.assertIn("Paused", out)

    def test_a_turn_is_freed(self):
        zone = "topology.kubernetes.io/zone"
        nodes = [fleet.Node(f"fake-{i:02}", {zone: "z"}, interval="2s") for i in range(2)]
        update = fleet.Update({"waves": [{"percent": 100}], "disruption": {"groupBy": zone, "maxUnavailable": 1}})
        wait.until("both nodes to be admitted", lambda: all(update.admits(node) for node in nodes), 20)

        def holder():
            for node in nodes:
                node.report(update.release, "Verified", "TurnPending")
            return next((node for node in nodes if node.turns()), None)
        stuck = wait.until("a turn", holder, 20, 1)
        out, _ = self.run_cli("node", stuck.name)
        self.assertIn(f"turn: {update.name} (digest ", out)
        stuck.report(update.release, "Swapping")  # and is not heard again
        _, err = self.run_cli("turn", "free", stuck.name)
        self.assertIn("as soon as the node is away", err)
        wait.until("the turn to be taken back", lambda: not stuck.turns(), 40, 1)
        _, err = self.run_cli("turn", "free", "none", code=1)
        self.assertIn("edgenodes/none", err)


class TestAccess(Case):
    def config(self, folder, account, role, plugin=False):
        """A kubeconfig of a service account with a ClusterRole; its token directly, or from a credential plugin."""
        world.cluster.kubectl("create", "serviceaccount", account, "-n", fleet.NAMESPACE)
        self.addCleanup(world.cluster.kubectl, "delete", "serviceaccount", account, "-n", fleet.NAMESPACE)
        world.cluster.kubectl("create", "clusterrolebinding", account, f"--clusterrole={role}", f"--serviceaccount={fleet.NAMESPACE}:{account}")
        self.addCleanup(world.cluster.kubectl, "delete", "clusterrolebinding", account)
        token = world.cluster.kubectl("create", "token", account, "-n", fleet.NAMESPACE).strip()
        user = {"token": token}
        if plugin:
            place.write(os.path.join(folder, "plugin"), "#!/bin/sh\nprintf '%s' '" + json.dumps({
                "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": {"token": token}}) + "'\n", 0o700)
            user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "interactiveMode": "Never"}}
        path = os.path.join(folder, account)
        place.write(path, json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": pki.SERVER, "certificate-authority": world.cluster.where.path("pki", "ca.crt")}}],
            "users": [{"name": "u", "user": user}]}), 0o600)
        return ["--kubeconfig", path]

    def install_roles(self):
        """The roles that the chart adds to view and edit."""
        text = process.run([helm.program(), "template", helm.RELEASE, helm.CHART, "--namespace", fleet.NAMESPACE])
        roles = "\n---\n".join(part for part in text.split("\n---\n") if "rbac.authorization.k8s.io/aggregate-to-" in part)
        world.cluster.kubectl("apply", "-f", "-", text=roles)
        self.addCleanup(world.cluster.kubectl, "delete", "-f", "-", text=roles)

    def test_rights(self):
        """Who may look, looks; who may not steer, is told which role is missing; credentials come from a plugin too."""
        self.install_roles()
        self.nodes(2)
        update = fleet.Update({"waves": [{"percent": 100}]})
        with tempfile.TemporaryDirectory() as folder:
            view = self.config(folder, "cli-view", "holdfast-view", plugin=True)
            out, _ = self.run_cli("status", config=view)
            self.assertIn(update.name, out)
            self.run_cli("nodes", config=view)
            os.symlink(world.built("holdfast"), os.path.join(folder, "kubectl-holdfast"))
            kubectl = os.path.join(world.cluster.parts(), "kubectl")
            out = world.cluster.run_in_plane("env", f"PATH={folder}:/usr/bin:/bin", kubectl, "holdfast", "status", update.name, *view)
            self.assertIn(update.name, out)
            _, err = self.run_cli("nodes", "-l", "a=b", code=1, config=view)
            self.assertIn("needs the right to list nodes", err)
            _, err = self.run_cli("rollout", "pause", update.name, code=1, config=view)
            self.assertIn("bind the user to the ClusterRole edit", err)
            world.cluster.kubectl("create", "clusterrolebinding", "cli-edit", "--clusterrole=holdfast-edit",
                                  f"--serviceaccount={fleet.NAMESPACE}:cli-view")
            self.addCleanup(world.cluster.kubectl, "delete", "clusterrolebinding", "cli-edit")
            wait.until("the new right", lambda: start("rollout", "pause", update.name, config=view).wait() == 0, 20, 1)
            update.await_reason("Paused")


class TestLargeFleet(Case):
    NODES = 520  # more than a page

    def test_pages(self):
        """More nodes than a page, listed once each."""
        for i in range(self.NODES):
            code, answer = api.call("PATCH", f"{fleet.GROUP}/edgenodes/fake-{i:05}?fieldManager=holdfast-agent&force=true",
                                    {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "EdgeNode", "metadata": {"name": f"fake-{i:05}"}}, fleet.APPLY)
            self.assertIn(code, (200, 201), answer)
        begin = time.monotonic()
        out, _ = self.run_cli("nodes", "-o", "name")
        print(f"    {self.NODES} EdgeNodes of a real API server: {time.monotonic() - begin:.1f} s")
        names = re.findall(r"fake-\d{5}", out)
        self.assertEqual(names, [f"fake-{i:05}" for i in range(self.NODES)])
