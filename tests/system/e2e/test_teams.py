# SPDX-License-Identifier: Apache-2.0
"""deploy/samples/regional-team.yaml on a real API server: a regional team writes its own EdgeUpdates, and no others."""

import json
import os
import shlex
import subprocess
import sys
import unittest

from holdcluster import place
from lib import attempts, case, identity, wait, world

sys.path.insert(1, os.path.join(place.TOP, "tests", "system", "docs"))

import pages  # noqa: E402

UPDATES = f"{attempts.EDGE}/edgeupdates"
REGION = "node-restriction.kubernetes.io/region"
JSON = "application/json"
NAMES, NODES = "whose name and spec.release.name begin with emea-", f"with {REGION}: emea in spec.nodeSelector.matchLabels"
EMEA = {"matchLabels": {REGION: "emea"}}


def update(name="emea-gateway", release="emea-gateway", selector=None, **metadata):
    """An EdgeUpdate with a release that no node here could install."""
    body = {"name": release, "version": "1", "sequence": 1, "expires": "2040-01-01T00:00:00Z", "install": {"path": "/opt/team/x"},
            "artifacts": [{"arch": "riscv64", "url": "https://releases.invalid/x", "sha256": "0" * 64, "size": 1}]}
    return {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "EdgeUpdate", "metadata": ({"name": name} if name else {}) | metadata,
            "spec": {"release": body, "suspend": True} | ({"nodeSelector": selector} if selector is not None else {})}


def expressions(operator, *values):
    return {"matchExpressions": [{"key": REGION, "operator": operator} | ({"values": list(values)} if values else {})]}


# What the team tries to make, and why it is refused; None: it may.
OBJECTS = [
    ("its own", update(selector=EMEA), None),
    ("its own, for fewer nodes", update(selector=EMEA | {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["canary"]}]}), None),
    ("its own, with a name of the server's choice", update(None, selector=EMEA, generateName="emea-"), None),
    ("for every node", update(), NODES),
    ("for an empty selector", update(selector={}), NODES),
    ("for another region", update(selector={"matchLabels": {REGION: "apac"}}), NODES),
    ("for two regions", update(selector=expressions("In", "emea", "apac")), NODES),
    ("for nodes with any region", update(selector=expressions("Exists")), NODES),
    ("for a label of the same end", update(selector={"matchLabels": {"region": "emea", "edge.codcompass.io/region": "emea"}}), NODES),
    ("a name of another team", update("apac-gateway", selector=EMEA), NAMES),
    ("a release of another team", update(release="apac-gateway", selector=EMEA), NAMES),
    ("a name that only begins alike", update("emeagateway", "emeagateway", EMEA), NAMES),
    ("a name of the server's choice", update(None, selector=EMEA, generateName="x-emea-"), NAMES),
]

# What the team tries to make of its own EdgeUpdate.
CHANGES = [
    ("labels and annotations", {"metadata": {"labels": {"a": "b"}, "annotations": {"edge.codcompass.io/rollout-paused": "true"}}}, None),
    ("a smaller selector", {"spec": {"nodeSelector": {"matchLabels": {"tier": "canary"}}}}, None),
    ("another region", {"spec": {"nodeSelector": {"matchLabels": {REGION: "apac"}}}}, NODES),
    ("no region", {"spec": {"nodeSelector": {"matchLabels": {REGION: None}}}}, NODES),
    ("no selector", {"spec": {"nodeSelector": None}}, NODES),
]


class TestTeam(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        case.deploy()
        text = [command.text for block in pages.read(place.TOP, "docs/how-to/teams.md") if block.kind == "sh" for command in block.commands()]
        assert len(text) == 5, text
        cls.page = text
        cls.addClassCleanup(world.cluster.kubectl, "delete", "clusterrole,clusterrolebinding,validatingadmissionpolicy,validatingadmissionpolicybinding",
                            "edge-team-emea", "edge-team-apac", "--ignore-not-found", check=False)
        cls.addClassCleanup(world.cluster.kubectl, "delete", "node", "edge-7", "--ignore-not-found", check=False)
        world.cluster.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "edge-7"}}))
        for command in text[:3]:
            cls.run_one(command)
        for team, own in (("emea", "apac"), ("apac", "emea")):
            wait.until(f"the policy of {team} to be in force", lambda team=team, own=own: cls.ask("POST", "", update(selector={
                "matchLabels": {REGION: own}}), team=team, query="?dryRun=All")[0] == 403, 10)

    @staticmethod
    def run_one(command):
        """A command of the page; what it prints."""
        program = shlex.join(world.cluster.kubectl_argv())
        done = subprocess.run(["bash", "-c", f"kubectl() {{ {program} \"$@\"; }}\n{command}"], cwd=place.TOP, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        return done.stdout.strip()

    @staticmethod
    def ask(method, name, body=None, kind=JSON, team="emea", query=""):
        """(HTTP status, answer) to a member of this team; None: to an administrator."""
        headers = ["Impersonate-User: anna", f"Impersonate-Group: edge-team-{team}", "Impersonate-Group: system:authenticated"] if team else []
        path = name if name.startswith("/") else f"{UPDATES}{'/' + name if name else ''}"
        return identity.call(method, path + query, body, kind=kind, certificate="admin", headers=headers)

    def expect(self, answer, why, good):
        self.assertEqual(answer[0], 403 if why else good, answer[1])
        if why:
            self.assertIn("ValidatingAdmissionPolicy 'edge-team-emea'", answer[1]["message"])
            self.assertIn(why, answer[1]["message"])

    def put(self, body):
        """Somebody makes this EdgeUpdate beforehand."""
        self.addCleanup(self.ask, "DELETE", body["metadata"]["name"], team=None)
        self.assertEqual(self.ask("POST", "", body, team=None)[0], 201)

    def test_what_it_makes(self):
        self.assertGreaterEqual(len(OBJECTS), 12)
        for what, body, why in OBJECTS:
            with self.subTest(what):
                self.expect(self.ask("POST", "", body, query="?dryRun=All"), why, 201)

    def test_what_it_makes_of_its_own(self):
        self.put(update(selector=EMEA))
        for what, body, why in CHANGES:
            with self.subTest(what):
                self.expect(self.ask("PATCH", "emea-gateway", body, attempts.MERGE, query="?dryRun=All"), why, 200)
        with self.subTest("a release of another team"):        # the kind itself has no such change
            other = {"spec": {"release": update(release="apac-gateway")["spec"]["release"]}}
            self.assertEqual(self.ask("PATCH", "emea-gateway", other, attempts.MERGE)[0], 422)
        with self.subTest("by server-side apply"):
            self.expect(self.ask("PATCH", "emea-gateway", update(), attempts.APPLY, query="?fieldManager=anna&force=true&dryRun=All"), None, 200)
            self.expect(self.ask("PATCH", "emea-other", update("emea-other"), attempts.APPLY, query="?fieldManager=anna&dryRun=All"), NODES, 201)
        self.expect(self.ask("DELETE", "emea-gateway"), None, 200)

    def test_what_others_have(self):
        """Not changed, not taken over by a change that would make it the team's, not deleted."""
        foreign = [update("apac-gateway", "apac-gateway", {"matchLabels": {REGION: "apac"}}), update("emea-everywhere", "emea-everywhere"),
                   update("emea-borrowed", "apac-gateway", EMEA)]
        for body in foreign:
            self.put(body)
            name = body["metadata"]["name"]
            for change in ({"metadata": {"labels": {"a": "b"}}}, {"spec": {"bandwidthLimit": "256Ki"}}, {"spec": {"nodeSelector": EMEA}},
                           {"metadata": {"finalizers": ["example.com/stay"]}}):
                with self.subTest(name, change=str(change)[:60]):
                    answer = self.ask("PATCH", name, change, attempts.MERGE)
                    self.expect(answer, "edge-team-emea writes only EdgeUpdates", 200)
            with self.subTest(name, change="deleted"):
                self.expect(self.ask("DELETE", name), "edge-team-emea writes only EdgeUpdates", 200)

    def test_what_no_right_is_for(self):
        for method, path, body in (("DELETE", UPDATES, None), ("PATCH", UPDATES + "/emea-gateway/status", {}), ("POST", f"{attempts.EDGE}/syncpolicies", {}),
                                   ("PATCH", "/api/v1/nodes/edge-7", {"metadata": {"labels": {REGION: "apac"}}}), ("PATCH", f"{attempts.EDGE}/edgenodes/n1", {}),
                                   ("DELETE", f"{attempts.POLICIES}/edge-team-emea", None)):
            with self.subTest(method, path=path):
                status, answer = self.ask(method, path, body, attempts.MERGE if method == "PATCH" else JSON)
                self.assertEqual(status, 403, answer)
                self.assertIn("cannot", answer["message"])

    def test_the_other_team_of_the_page(self):
        self.assertEqual(self.ask("POST", "", update("apac-x", "apac-x", {"matchLabels": {REGION: "apac"}}), team="apac", query="?dryRun=All")[0], 201)
        self.assertEqual(self.ask("POST", "", update(selector=EMEA), team="apac", query="?dryRun=All")[0], 403)
        self.assertEqual([self.run_one(command).split()[-1] for command in self.page[3:]], ["yes", "no"])
