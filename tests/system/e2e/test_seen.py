# SPDX-License-Identifier: Apache-2.0
"""How old a word is: what a node said before it was switched off is not taken for what it says now."""

from lib import case, release, wait, world

ANSWERED = "condition met"


class Seen:
    """What holds in both lives."""

    def waits(self, condition, timeout):
        """What `kubectl wait` says; it does not fail the test when the time is over."""
        return world.cluster.kubectl("wait", f"edgenode/{self.node}", f"--for={condition}", f"--timeout={timeout}", check=False)

    def test_a_node_that_was_stopped_does_not_look_current(self):
        service = self.service()
        self.apply(release.update(service.release("1.1.0", 1, release.sample("1.1.0", 2)), self.node))
        self.await_phase(service.name, "Committed", 1)
        self.assertIn(ANSWERED, self.waits("condition=Ready", "20s"))
        self.addCleanup(self.agent.start)
        self.agent.stop()
        wait.until("its last word", lambda: self.condition("Ready").get("reason") == "AgentStopped", 10)
        self.assertEqual(self.edgenode()["status"]["agent"]["state"], "Stopped")
        wanted = service.release("1.2.0", 2, release.sample("1.2.0", 3))
        self.apply(release.update(wanted, self.node))
        # As the manual has it: by what names the release. (Of this node many releases have the same version: it has seen other tests.)
        by_digest = f'jsonpath={{.status.updates[?(@.digest=="{release.digest(wanted)}")].phase}}=Committed'
        self.assertNotIn(ANSWERED, self.waits("condition=Ready", "2s"))
        self.assertNotIn(ANSWERED, self.waits(by_digest, "2s"))
        self.agent.start()
        self.assertIn(ANSWERED, self.waits(by_digest, "60s"))
        self.assertEqual(service.version(), "1.2.0")
        self.assertNotIn("state", self.edgenode()["status"]["agent"])

    def test_columns_say_how_old_they_are(self):
        titles = world.cluster.kubectl("get", "edgenode", self.node).splitlines()[0].split()
        self.assertEqual(titles, ["NAME", "READY", "REASON", "SEEN", "CONTACT", "RELEASE", "VERSION", "INSTALLED", "PHASE", "AGE"])


class TestUnit(Seen, case.Case):
    life = "unit"


class TestPod(Seen, case.Case):
    life = "pod"
