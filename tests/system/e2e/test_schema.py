# SPDX-License-Identifier: Apache-2.0
"""Each object of tests/unit/api/cases/ as the API server judges it: what an agent refuses, the schema refuses where it can.

Asked as `kubectl apply --dry-run=server` asks, without a process for each.
"""

import os
import re
import unittest

from holdcluster import place
from lib import api, world

CASES = os.path.join(place.TOP, "tests", "unit", "api", "cases")
KINDS = {"EdgeUpdate": "edgeupdates", "SyncPolicy": "syncpolicies", "EdgeNode": "edgenodes"}
UNSPOKEN = re.compile(r"should match '|failed rule:|evaluating rule")  # what the server says of a pattern, and of a rule that fails
ASK = "?dryRun=All&fieldManager=test&fieldValidation=Warn"


def setUpModule():  # noqa: N802 (unittest's name)
    world.cluster.kubectl("apply", "-f", world.CRDS)
    world.cluster.kubectl("wait", "crd", "edgeupdates.edge.codcompass.io", "syncpolicies.edge.codcompass.io", "--for=condition=Established")


def judge(text):
    """(HTTP status, what the server says against the object, the fields it names)."""
    kind = re.search(r"^kind: *(\w+)", text, re.M)[1]
    status, answer = api.call("POST", f"/apis/edge.codcompass.io/v1alpha1/{KINDS[kind]}{ASK}", text.encode(), "application/yaml")
    if status == 201:
        return status, "", []
    causes = answer.get("details", {}).get("causes", []) if isinstance(answer, dict) else []
    return status, answer["message"] if isinstance(answer, dict) else answer, [cause.get("field", "") for cause in causes]


def same_place(ours, theirs):
    """Whether two paths mean one place: a list and its item, a map and its value, are both said of either. A rule writes a[b/c] for a.b/c."""
    theirs = re.sub(r"\[([^\]]*[^0-9\]][^\]]*)\]", r".\1", theirs)
    return ours == theirs or any(a.startswith(b + end) and b != "spec" for a, b in ((ours, theirs), (theirs, ours)) for end in ".[")


class TestSchema(unittest.TestCase):
    def test_the_server_refuses_what_an_agent_refuses(self):
        names = sorted(os.listdir(CASES))
        self.assertGreater(len(names), 100)
        for name in names:
            with open(os.path.join(CASES, name), encoding="utf-8") as f:
                text = f.read()
            expected = re.match(r"# expect: (.*)", text)[1]
            with self.subTest(name, expected=expected):
                status, message, fields = judge(text)
                if "\n# server: refuses " in text:
                    self.assertEqual(status, 422, message)
                    self.assertIn(re.search(r"\n# server: refuses (.*)", text)[1], message)
                    continue
                if (expected == "ok" or "\n# server: accepts\n" in text) and status == 403:  # admission policies come after the schema
                    self.assertRegex(message, "ValidatingAdmissionPolicy 'holdfast-(controller-turns|guard)'")
                elif expected == "ok" or "\n# server: accepts\n" in text:
                    self.assertEqual(status, 201, message)
                elif fields:
                    self.assertEqual(status, 422)
                    self.assertEqual([], UNSPOKEN.findall(message) if "requires" not in expected else [], message)
                    place_of_it = expected.split(": ")[0]
                    self.assertTrue(any(same_place(place_of_it, field) for field in fields), message)
                else:
                    self.assertEqual((status, expected.split(": ")[0]), (400, "apiVersion"), message)
