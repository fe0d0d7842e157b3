# SPDX-License-Identifier: Apache-2.0
"""A node of the site that serves other content is named by an Event of a real API server, and the update comes from the origin."""

import os
import shutil
import sys

from holdcluster import pki, place
from lib import api, case, identity, release, wait, world
from test_labels import policy

LIAR = os.path.join(place.TOP, "tests", "system", "fault", "share.py")
CONFIG = """apiVersion: edge.codcompass.io/v1alpha1
kind: AgentConfiguration
share: {neighbours: true, caFile: /etc/holdfast/share/ca.pem, certFile: /etc/holdfast/share/own.pem, keyFile: /etc/holdfast/share/own.key}
"""


class TestUnit(case.Case):
    life = "unit"
    alone = True                               # the agent of n1 has another configuration meanwhile

    def given(self):
        """What the owner of the node gives, and a stolen node of the same subnet has."""
        where, folder = world.cluster.where, os.path.join(world.cluster.root(self.node), "etc/holdfast/share")
        os.makedirs(folder, exist_ok=True)
        self.addCleanup(shutil.rmtree, folder)
        for name, node in (("own", self.node), ("liar", "stolen")):
            both = pki.make_certificate(where, f"share-{node}", f"holdfast:agent:{node}", identity.AGENTS)
            for path, end in zip(both, (".pem", ".key")):
                shutil.copy(path, os.path.join(folder, name + end))
        shutil.copy(where.path("pki", "ca.crt"), os.path.join(folder, "ca.pem"))
        config = os.path.join(world.cluster.root(self.node), "etc/holdfast/agent.yaml")
        place.write(config, CONFIG)
        self.addCleanup(self.agent.wait_ready)
        self.addCleanup(self.agent.kill)
        self.addCleanup(os.unlink, config)
        return folder

    def test_who_lies_is_named_by_an_event(self):
        folder, service = self.given(), self.service()
        new = release.sample("1.1.0", 2)
        gateway = place.gateway_ip(world.cluster.where.nodes()[self.node])
        world.cluster.start_in_plane("liar", [sys.executable, LIAR, "--lie", os.path.join(folder, "liar"), os.path.join(folder, "ca"),
                                              str(len(new)), gateway])
        self.addCleanup(world.cluster.stop_in_plane, "liar")
        self.agent.kill()
        self.agent.wait_ready()
        self.apply(policy(service.name, self.node, share={"neighbours": True}))
        wait.until("the agent to share", lambda: self.agent.events("share.on"), 60)
        self.apply(release.update(service.release("1.1.0", 1, new), self.node))
        entry = self.await_phase(service.name, "Committed", 1, 90)
        self.assertEqual((entry["method"], entry["bytesFetched"], service.version()), ("Full", len(new), "1.1.0"))
        told = wait.until("the Event", lambda: [one for one in api.get("/apis/events.k8s.io/v1/namespaces/default/events")["items"] if
                                                (one["reason"], one["regarding"]["name"]) == ("NeighbourLied", self.node)], 60)
        self.assertEqual([(one["type"], one["note"]) for one in told if service.name in one["note"]],
                         [("Warning", f"the node stolen served other content as {service.name} 1.1.0; it is left alone for a day")])
        self.assertGreater(self.agent.metric("holdfast_share_wrong_total"), 0)
