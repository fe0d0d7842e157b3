# SPDX-License-Identifier: Apache-2.0
"""The main job: a release applied with kubectl is on the node at once, or the node stays as it was and says why."""

import copy
import hashlib
import os
import time

from holdcluster import place
from lib import case, release, site, wait, world
from test_labels import policy

AT_ONCE_S = 8                                  # from kubectl apply to committed: a status that waits for its turn comes after 10 s
DRIFT_S = 12                                   # the policy's interval, and the time that the update itself takes


class Updates:
    """What holds in both lives."""

    def test_update_by_delta_is_committed_at_once(self):
        service, new = self.service(), release.sample("1.1.0", 2)
        wanted = service.release("1.1.0", 1, new, old=service.first)
        update = release.update(wanted, self.node)
        part = wanted["artifacts"][0]["deltas"][0]
        self.rest()                            # the tests before this one may have spent the node's budget of status writes
        begin = time.monotonic()
        self.apply(update)
        entry = self.await_phase(service.name, "Committed", 1)
        spent = time.monotonic() - begin
        print(f"        kubectl apply to committed ({self.life}): {spent:.2f} s (limit: {AT_ONCE_S} s)")
        self.assertLess(spent, AT_ONCE_S)
        world.cluster.kubectl("wait", f"edgenode/{self.node}", "--for=condition=Ready", "--timeout=10s")
        wait.until("nothing to be reconciling any more", lambda: not self.condition("Reconciling"), 5)
        self.assertEqual((entry["version"], entry["method"], entry["digest"]), ("1.1.0", "Delta", release.digest(wanted)))
        self.assertEqual(service.version(), "1.1.0")
        self.assertEqual(service.sha256(), hashlib.sha256(new).hexdigest())
        service.await_tidy()
        sent = sum(answer["bytes"] for answer in site.answers(f"{service.name}-1.1.0.delta"))
        self.assertEqual((sent, entry["bytesFetched"]), (part["size"], part["size"]))
        self.assertLess(sent, len(new) / 20)
        self.assertEqual(site.answers(f"{service.name}-1.1.0"), [])

    def test_status_and_metrics_say_who_and_what(self):
        node = wait.until("the node's status", lambda: self.edgenode().get("status"), 20)
        self.assertEqual(node["agent"]["mode"], self.agent.life)
        self.assertEqual(node["contact"]["state"], "Fresh")
        self.assertTrue(self.agent.says_ok("/healthz"))
        self.assertEqual(self.agent.metric("holdfast_agent_info"), 1)
        self.assertIn(self.node, world.cluster.kubectl("get", "edgenode", self.node))

    def test_release_of_the_command_line_falls_back_to_the_whole_file(self):
        service = self.service()
        old, new = release.sample_path("1.0.0", 1), release.sample_path("1.1.0", 2)
        key_id = f"cli-{service.name}"
        manifest, key = release.create(service, "1.1.0", 7, new, old, key_id, self.node)
        place.write(os.path.join(world.cluster.root(self.node), "etc/holdfast/trust.d", key_id + ".pem"), key)
        deltas = [name for name in site.names() if name.startswith(service.name) and name.endswith(".delta")]
        self.assertEqual(len(deltas), 1, site.names())
        site.take_away(deltas[0])
        self.apply_text("edgeupdate", service.name, manifest)
        self.agent.await_phase(service.name, "Committed")
        entry = self.await_phase(service.name, "Committed", 7)
        self.assertEqual((entry["method"], entry["version"]), ("Full", "1.1.0"), entry)
        self.assertEqual(service.version(), "1.1.0")
        self.assertEqual(len([a for a in site.answers(deltas[0]) if a["status"] == 404]), 1)

    def test_bad_version_comes_back_by_itself_and_is_not_tried_again(self):
        service = self.service()
        bad = service.release("1.2.0", 1, release.sample("1.2.0", 3, broken=True), deadline="3s")
        self.apply(release.update(bad, self.node))
        self.agent.await_phase(service.name, "RolledBack")
        self.assertEqual(service.version(), "1.0.0")
        self.assertTrue(service.healthy())
        self.assertEqual(service.sha256(), hashlib.sha256(service.first).hexdigest())
        service.await_tidy()
        starts = service.start_count()
        self.assertEqual(starts, 3)            # the old one, the bad one, the old one again
        entry = self.await_phase(service.name, "RolledBack", 1)
        self.assertEqual(entry["reason"], "HealthDeadline")
        self.assertEqual(self.condition("Ready").get("status"), "False")
        self.assertEqual(self.condition("Stalled").get("status"), "True")
        self.assertEqual(service.start_count(), starts)
        good = service.release("1.3.0", 2, release.sample("1.3.0", 4))
        self.apply(release.update(good, self.node))
        self.await_phase(service.name, "Committed", 2)
        self.assertEqual(service.version(), "1.3.0")
        wait.until("Ready to be True", lambda: self.condition("Ready").get("status") == "True", 25)
        self.assertEqual(self.condition("Stalled"), {})

    def test_file_that_somebody_changed_is_put_back(self):
        service, new = self.service(), release.sample("1.1.0", 2)
        self.apply(policy(f"drift-{self.life}", self.node, interval="10s"))
        self.apply(release.update(service.release("1.1.0", 1, new), self.node))
        self.await_phase(service.name, "Committed", 1)
        starts = service.start_count()
        place.write(world.cluster.root(self.node) + service.path, b"#!/bin/sh\n# somebody's quick repair\n", 0o755)
        begin = time.monotonic()
        wait.until("the signed file to be back", lambda: service.sha256() == hashlib.sha256(new).hexdigest(), 120, 0.2)
        spent = time.monotonic() - begin
        print(f"        a changed file was back after ({self.life}): {spent:.1f} s (promise: {DRIFT_S:.0f} s)")
        self.assertLess(spent, DRIFT_S)
        self.agent.await_phase(service.name, "Committed", times=2)   # it is started again, and judged, after it is back
        self.await_phase(service.name, "Committed", 1)
        self.assertEqual(service.version(), "1.1.0")
        self.assertEqual(service.start_count(), starts + 1)
        service.await_tidy()

    def test_what_is_not_right_is_refused_by_name(self):
        service = self.service()
        new = release.sample("1.1.0", 2)
        good = service.release("1.1.0", 5, new)
        self.apply(release.update(good, self.node))
        self.agent.await_phase(service.name, "Committed")
        starts = service.start_count()
        cases = refusals(service, good, self.node)
        targets = [update["spec"]["release"]["install"]["path"] for _, update, _, _ in cases]
        before = [self.content(path) for path in targets]
        self.apply([update for _, update, _, _ in cases])
        for name, update, phase, reason in cases:
            with self.subTest(name):
                entry = self.await_phase(update["metadata"]["name"], phase, update["spec"]["release"]["sequence"], reason=reason)
                self.assertGreater(len(entry["message"]), 10, entry)
        self.assertEqual([self.content(path) for path in targets], before)
        self.assertEqual(service.sha256(), hashlib.sha256(new).hexdigest())
        self.assertEqual(service.start_count(), starts)
        self.assertEqual(self.condition("Stalled").get("status"), "True")

    def content(self, path):
        try:
            with open(world.cluster.root(self.node) + path, "rb") as f:
                return f.read()
        except FileNotFoundError:
            return None


def refusals(service, good, node):
    """Updates that must not run: name, object, phase, reason. One is of the good release's name, the others' are their own."""
    newer, numbers = site.put(f"{service.name}-1.4.0", release.sample("1.4.0", 5)), iter(range(1, 20))

    def variant(**changes):
        name = f"{service.name}-{next(numbers)}"
        path = {"path": f"/opt/{name}/bin/current"}
        artifacts = [{"arch": good["artifacts"][0]["arch"], **newer}]
        return copy.deepcopy(good) | {"name": name, "version": "1.4.0", "artifacts": artifacts,
                                      "install": good["install"] | path} | changes

    def artifact(**changes):
        return [{"arch": good["artifacts"][0]["arch"], **newer} | changes]

    signed, stranger = variant(), variant()
    release.make_key("stranger")
    return [
        ("changed after it was signed", release.update(signed | {"version": "6.6.6"}, node, [release.sign(signed)]), "Rejected", "SignatureInvalid"),
        ("signed by a stranger", release.update(stranger, node, [release.sign(stranger, "stranger")]), "Rejected", "UnknownKey"),
        ("not signed", release.update(variant(), node, []), "Rejected", "Unsigned"),
        ("expired", release.update(variant(expires="2020-01-01T00:00:00Z"), node), "Rejected", "Expired"),
        ("older than what runs", release.update(good | {"version": "1.0.9", "sequence": 3}, node), "Rejected", "SequenceTooLow"),
        ("for another architecture", release.update(variant(artifacts=artifact(arch="riscv64")), node), "Incompatible", "NoArtifactForArch"),
        ("outside the roots", release.update(variant(install=good["install"] | {"path": "/etc/shadow"}), node), "Rejected", "PathNotAllowed"),
        ("other bytes than promised", release.update(variant(artifacts=artifact(sha256="0" * 64)), node), "Waiting", "HashMismatch"),
        ("a device that is not there", release.update(variant(artifacts=artifact(requires={"devices": ["/dev/no-such-device"]})), node),
         "Incompatible", "NotInPod" if node == "n2" else "RequirementsNotMet"),
    ]


class TestUnit(Updates, case.Case):
    life = "unit"


class TestPod(Updates, case.Case):
    life = "pod"

    def test_what_a_pod_cannot_do_is_refused_by_name(self):
        service = self.service()
        wanted = service.release("1.1.0", 1, release.sample("1.1.0", 2))
        changes = [("restart.exec", {"install": wanted["install"] | {"restart": {"exec": ["/usr/bin/true"]}}}),
                   ("health.checks[0].exec", {"health": {"deadline": "10s", "checks": [{"exec": {"command": ["/usr/bin/true"]}}]}}),
                   ("requires.devices", {"artifacts": [wanted["artifacts"][0] | {"requires": {"devices": ["/dev/null"]}}]})]
        updates = []
        for number, (_, change) in enumerate(changes):
            name = f"{service.name}-{number}"
            path = {"install": wanted["install"] | change.get("install", {}) | {"path": f"/opt/{name}/bin/current"}}
            updates.append(release.update(wanted | change | path | {"name": name}, self.node))
        self.apply(updates)
        for (named, _), update in zip(changes, updates, strict=True):
            with self.subTest(named):
                entry = self.await_phase(update["metadata"]["name"], "Incompatible", 1)
                self.assertEqual(entry["reason"], "NotInPod")
                self.assertIn(named, entry["message"])
