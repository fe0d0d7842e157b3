# SPDX-License-Identifier: Apache-2.0
"""The chart's policy holdfast-guard on a real API server: nothing starts everywhere by accident, and nothing else is refused.

The objects of tests/unit/cli/unstaged.json are those that `holdfast lint` is asked about, too.
"""

import itertools
import json
import os
import unittest

from holdcluster import place
from lib import attempts, case, identity, wait

UPDATES = "/apis/edge.codcompass.io/v1alpha1/edgeupdates"
MERGE, CREATE = "application/merge-patch+json", "application/json"
CONTROLLER = "system:serviceaccount:holdfast-system:holdfast-controller"
EVERYWHERE = "edge.codcompass.io/everywhere"
SITE = {"nodeSelector": {"matchLabels": {"nobody": "here"}}}
WAVES = {"strategy": {"waves": [{"percent": 5}, {"percent": 100}]}}
WHY = "ValidatingAdmissionPolicy 'holdfast-guard' with binding 'holdfast-guard' denied request: it would start on "
_numbers = itertools.count(1)


def ask(method, name, body=None, kind=MERGE, query="", user=None):
    """(HTTP status, answer), as an administrator or, with its rights, as somebody else."""
    headers = [f"Impersonate-User: {user}", "Impersonate-Group: system:masters"] if user else []
    path = f"{UPDATES}{'/' + name if name else ''}{query}"
    return identity.call(method, path, body, kind=kind, certificate="admin", headers=headers)


def update(spec, sequence=1, annotations=None):
    """An EdgeUpdate with a release that no node here could install."""
    body = {"name": "guarded", "version": str(sequence), "sequence": sequence, "expires": "2040-01-01T00:00:00Z", "install": {"path": "/opt/guarded/x"},
            "artifacts": [{"arch": "riscv64", "url": "https://releases.invalid/x", "sha256": "0" * 64, "size": 1}]}
    return {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "EdgeUpdate", "metadata": {"name": f"guarded-{next(_numbers)}", "annotations": annotations or {}},
            "spec": {"release": body, **spec}}


def setUpModule():  # noqa: N802 (unittest's name)
    case.deploy()
    wait.until("the policy to be in force", lambda: ask("POST", "", update({}), CREATE, "?dryRun=All")[0] == 403, 10)


class TestGuard(unittest.TestCase):
    def put(self, spec, annotations=None, selected=None):
        """The name of a new EdgeUpdate, of which the controller has counted the nodes."""
        body = update(spec, annotations=annotations)
        name = body["metadata"]["name"]
        code, answer = ask("POST", "", body, CREATE)
        self.assertEqual(code, 201, answer)
        self.addCleanup(ask, "DELETE", name)
        if selected is not None:
            code, answer = identity.call("PATCH", f"{UPDATES}/{name}/status", {"status": {"nodes": {"selected": selected}}}, kind=MERGE, certificate="admin",
                                         headers=[f"Impersonate-User: {CONTROLLER}", "Impersonate-Group: system:masters"])
            self.assertEqual(code, 200, answer)
        return name

    def refused(self, name, body, why, **how):
        code, answer = ask("PATCH", name, body, **how)
        self.assertEqual(code, 403, answer)
        self.assertIn(WHY + why, answer["message"])
        self.assertIn(f'below metadata.annotations the line {EVERYWHERE}: "true"', answer["message"])

    def taken(self, name, body, **how):
        code, answer = ask("PATCH", name, body, **how)
        self.assertEqual(code, 200, answer)

    def test_each_object_is_judged_as_lint_judges_it(self):
        with open(os.path.join(place.TOP, "tests/unit/cli/unstaged.json"), encoding="utf-8") as file:
            cases = json.load(file)
        self.assertEqual(len(cases), 12)
        for one in cases:
            with self.subTest(one["name"]):
                code, answer = ask("POST", "", update(one["spec"], annotations=one.get("annotations")), CREATE, "?dryRun=All")
                self.assertEqual(code, 403 if "refused" in one else 201, answer)
                if "refused" in one:
                    self.assertIn(WHY + one["refused"], answer["message"])

    def test_a_change_that_ends_everywhere(self):
        for before, change in ((WAVES, {"spec": {"strategy": None}}), (SITE, {"spec": {"nodeSelector": None}}), (SITE, {"spec": {"nodeSelector": {"matchLabels": None}}}),
                               ({"suspend": True}, {"spec": {"suspend": False}}), ({"suspend": True}, {"spec": {"suspend": None}})):
            with self.subTest(before=before, change=change):
                self.refused(self.put(before), change, "every node at once: add a strategy, or, if that is meant,")
        meant = self.put({}, {EVERYWHERE: "true"})
        self.refused(meant, {"metadata": {"annotations": {EVERYWHERE: None}}}, "every node")
        self.refused(meant, {"metadata": {"annotations": {EVERYWHERE: "yes"}}}, "every node")

    def test_more_nodes_than_the_bound(self):
        release_2 = {"spec": {"release": update({}, 2)["spec"]["release"]}}
        for selected in (11, 5000):
            with self.subTest(selected=selected):
                why = f"{selected} nodes, more than policies.guard.maxUnstaged, at once"
                self.refused(self.put(SITE, selected=selected), release_2, why)
                self.refused(self.put(SITE | WAVES, selected=selected), {"spec": {"strategy": None}}, why)
                self.refused(self.put(SITE | {"suspend": True}, selected=selected), {"spec": {"suspend": False}}, why)
                self.taken(self.put(SITE, {EVERYWHERE: "true"}, selected), release_2)
                self.taken(self.put(SITE | WAVES, selected=selected), release_2)
                self.taken(self.put(SITE, selected=selected), {"spec": release_2["spec"] | WAVES})
                self.taken(self.put(SITE, selected=selected), {"metadata": {"annotations": {EVERYWHERE: "true"}}, **release_2})
        self.taken(self.put(SITE, selected=10), release_2)

    def test_what_does_not_spread_is_taken(self):
        """Of an EdgeUpdate that the policy would not take today: from before it, or since the fleet has grown."""
        name = self.put(SITE, selected=12)
        for change in ({"metadata": {"labels": {"team": "oslo"}}}, {"metadata": {"annotations": {"edge.codcompass.io/rollout-paused": "true"}}},
                       {"metadata": {"finalizers": ["example.com/stay"]}}, {"metadata": {"finalizers": None}}, {"spec": {"bandwidthLimit": "256Ki"}},
                       {"spec": {"windows": [{"start": "02:00", "duration": "2h"}]}}, {"spec": {"suspend": True}}, {"spec": WAVES}):
            with self.subTest(change=change):
                self.taken(name, change)
        self.taken(self.put(SITE, selected=12), {"spec": {"nodeSelector": {"matchLabels": {"site": "oslo"}}}})     # perhaps one node: nobody knows
        self.assertEqual(ask("DELETE", self.put(SITE, selected=12))[0], 200)

    def test_apply_as_git_does(self):
        """Server-side apply by one manager; a manifest without what was there before takes it away."""
        body = update(WAVES)
        name, how = body["metadata"]["name"], {"kind": attempts.APPLY, "query": "?fieldManager=kustomize-controller&force=true"}
        self.addCleanup(ask, "DELETE", name)
        self.assertEqual(ask("PATCH", name, body, **how)[0], 201)
        self.taken(name, body | {"metadata": {"name": name, "labels": {"team": "oslo"}}}, **how)
        self.refused(name, body | {"metadata": {"name": name}, "spec": {"release": body["spec"]["release"]}}, "every node", **how)
        self.taken(name, body | {"metadata": {"name": name, "annotations": {EVERYWHERE: "true"}}, "spec": {"release": body["spec"]["release"]}}, **how)
