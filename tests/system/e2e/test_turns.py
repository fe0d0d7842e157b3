# SPDX-License-Identifier: Apache-2.0
"""Turns and Events on a real API server: without its turn a node does everything but the swap; the ends of updates are Events."""

import json

from lib import api, case, release, wait, world

# The policies ask for this user; kubectl reads before it patches, which the controller's own rights do not cover.
CONTROLLER = ("--as=system:serviceaccount:holdfast-system:holdfast-controller", "--as-group=system:masters")
EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"


class Turns:
    """What holds in both lives."""

    def events(self, reason, name):
        """The Events about this node with this reason that begin with the name of a release."""
        return [one for one in api.get(EVENTS)["items"]
                if one["regarding"].get("kind") == "EdgeNode" and one["regarding"]["name"] == self.node
                and one["reason"] == reason and one["note"].startswith(name + " ")]

    def give(self, turns):
        """As the controller does; nobody else may."""
        world.cluster.kubectl(*CONTROLLER, "patch", "edgenode", self.node, "--type=merge", "-p", json.dumps({"spec": {"turns": turns}}))

    def admit(self, update):
        world.cluster.kubectl(*CONTROLLER, "patch", "edgeupdate", update["metadata"]["name"], "--subresource=status", "--type=merge", "-p", json.dumps(
            {"status": {"admission": {"digest": release.digest(update["spec"]["release"]), "cutoff": 10000, "canary": False}}}))

    def test_a_swap_waits_for_the_turn_and_its_end_is_an_event(self):
        service = self.service()
        wanted = service.release("1.1.0", 1, release.sample("1.1.0", 2), service.first)
        update = release.update(wanted, self.node, strategy={"disruption": {"groupBy": "topology.kubernetes.io/zone"}})
        self.addCleanup(self.give, [])
        self.apply(update)
        self.admit(update)
        self.await_phase(service.name, "Verified", 1, reason="TurnPending")
        self.assertEqual(service.version(), "1.0.0")
        self.give([{"release": service.name, "digest": "0" * 64}])
        self.agent.kill()                      # the state of the update, and the turns, are on the disk
        self.agent.wait_ready()
        self.await_phase(service.name, "Verified", 1, reason="TurnPending")
        self.give([{"release": service.name, "digest": release.digest(wanted)}])
        self.await_phase(service.name, "Committed", 1)
        self.assertEqual(service.version(), "1.1.0")
        event = wait.until("the Event", lambda: self.events("UpdateCommitted", service.name), 30)[0]
        self.assertEqual(event["reportingController"], "holdfast-agent")
        self.assertEqual(event["regarding"]["uid"], self.edgenode()["metadata"]["uid"])
        self.assertIn("UpdateCommitted", world.cluster.kubectl("describe", "edgenode", self.node))
        self.assertFalse(self.agent.metric("holdfast_events_total") is None)
        self.assertEqual(self.agent.events("events.refused"), [])


class TestUnit(Turns, case.Case):
    life = "unit"


class TestPod(Turns, case.Case):
    life = "pod"
