# SPDX-License-Identifier: Apache-2.0
"""A test of the agent: one object set of its own, removed after it."""

import calendar
import functools
import itertools
import json
import threading
import time
import unittest

from holdcluster import place

from . import agent, api, release, service, site, wait, world

GROUP = "/apis/edge.codcompass.io/v1alpha1"
LABELS = [{"op": "replace", "path": "/spec/variables/0/expression", "value": '["tier", "site"]'}]         # that policies of the tests set
_numbers = itertools.count(1)
_agents = {}
_installing = threading.Lock()


@functools.cache
def _run():
    """The number of this run: nodes of a kept cluster remember the releases of earlier ones."""
    path = world.cluster.where.path("runs")
    try:
        with open(path, encoding="ascii") as f:
            number = int(f.read()) + 1
    except FileNotFoundError:
        number = 1
    place.write(path, str(number))
    return number


@functools.cache
def deploy():
    """Let the cluster know holdfast's kinds and what is deployed, with no pod of it anywhere."""
    site.stop()                                # one of an earlier run may be of an earlier version
    site.start()
    world.cluster.kubectl("apply", "-f", world.CRDS)
    world.cluster.kubectl("apply", "-f", "-", text=agent.deployed())
    agent.select("nowhere")
    settle()
    _run()


def redeploy():
    """After a test that removed what is deployed: the cluster as before, with the pod that the tests share, and none of another template."""
    deploy.cache_clear()
    deploy()
    if _agents.get("pod"):
        agent.select("n2")
        world.cluster.kubectl("rollout", "status", f"daemonset/{agent.PROGRAM}", "-n", "holdfast-system", "--timeout=180s")


def settle():
    """After deploy/holdfast.yaml was applied: let agents write the tests' labels, and no controller run beside the tests."""
    world.cluster.kubectl("patch", "validatingadmissionpolicy", "holdfast-agent-own-labels", "--type=json", "-p", json.dumps(LABELS))
    world.cluster.kubectl("scale", "deployment", "holdfast-controller", "-n", "holdfast-system", "--replicas=0")


def agent_of(life):
    """The agent of this life ("unit" on n1, "pod" on n2), installed at the first call."""
    with _installing:
        if life not in _agents:
            deploy()
            _agents[life] = None               # what could not be installed once is not waited for again
            one = agent.Unit("n1") if life == "unit" else agent.Pod("n2")
            one.install()
            _agents[life] = one
    if _agents[life] is None:
        raise AssertionError(f"the agent as a {life} could not be installed, see the first failure")
    return _agents[life]


class Case(unittest.TestCase):
    """Subclasses say in `life` which agent they are about. Those of two lives run side by side, unless `alone`."""

    life = None
    alone = False                              # stops what both nodes need

    def setUp(self):
        self.agent = agent_of(self.life)
        self.node = self.agent.node

    # --- what a test makes, and what goes with it ---

    def service(self, version="1.0.0", revision=1):
        """A service on the node, installed by hand in this version; its bytes as `first`."""
        number = next(_numbers)
        one = service.Service(self.node, f"sample-{_run()}-{number}", 8100 + number)
        one.first = release.sample(version, revision)
        one.install(one.first)
        self.addCleanup(one.remove)
        return one

    def apply(self, thing):
        """kubectl apply of an object (or several in a list), deleted after the test; what kubectl says."""
        things = thing if isinstance(thing, list) else [thing]
        for kind in {one["kind"].lower() for one in things}:
            names = [one["metadata"]["name"] for one in things if one["kind"].lower() == kind]
            self.addCleanup(world.cluster.kubectl, "delete", kind, *names, "--ignore-not-found", check=False)
        return world.cluster.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": things}))

    def apply_text(self, kind, name, text):
        """kubectl apply of a manifest as it is, deleted after the test."""
        self.addCleanup(world.cluster.kubectl, "delete", kind, name, "--ignore-not-found", check=False)
        return world.cluster.kubectl("apply", "-f", "-", text=text)

    # --- what the API server holds ---

    def edgenode(self):
        return api.get(f"{GROUP}/edgenodes/{self.node}")

    def entry(self, name):
        """How the release `name` stands on the node, as its EdgeNode says; {} if it says nothing."""
        entries = self.edgenode().get("status", {}).get("updates", [])
        return next((entry for entry in entries if entry["name"] == name), {})

    def rest(self):
        """Wait until the node may write its status twice at once (sync/pace.h): 20 s after the last time."""
        def last():
            managed = self.edgenode().get("metadata", {}).get("managedFields", [])
            return max((entry["time"] for entry in managed if entry.get("subresource") == "status"), default="1970-01-01T00:00:00Z")
        wait.until("20 s without a status", lambda: time.time() - calendar.timegm(time.strptime(last(), "%Y-%m-%dT%H:%M:%SZ")) > 21, 60, 0.5)

    def condition(self, kind):
        conditions = self.edgenode().get("status", {}).get("conditions", [])
        return next((c for c in conditions if c["type"] == kind), {})

    def await_phase(self, name, phase, sequence, timeout_s=30, reason=None):
        """Wait until the release's sequence is in `phase` (for this reason, if given); its entry."""
        def there():
            entry = self.entry(name)
            same = (entry.get("phase"), entry.get("sequence"), reason and entry.get("reason")) == (phase, sequence, reason)
            return entry if same else None
        try:
            return wait.until(f"{name} {sequence} to be {phase} {reason or ''}", there, timeout_s, 0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {json.dumps(self.entry(name))}") from None
