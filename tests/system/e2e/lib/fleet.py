# SPDX-License-Identifier: Apache-2.0
"""A fleet of nodes that exist in the API server alone, and holdfast-controller as a process beside it: agents' reports are written
here, so that a test decides what each node says and when it says nothing."""

import hashlib
import itertools
import json
import os
import re
import signal
import threading
import time

from holdcluster import pki, place, process

from . import api, helm, release, wait, world

GROUP = "/apis/edge.codcompass.io/v1alpha1"
NAMESPACE = helm.NAMESPACE
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/holdfast-controller"
EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"
APPLY = "application/apply-patch+yaml"
LABEL = "test.holdfast/fleet"
_sequences = itertools.count(1)
_names = itertools.count(1)


def install(*values):
    """What the chart ships for the controller, without its Deployment: account, rights, policies. The manifests, for remove()."""
    text = process.run([helm.program(), "template", helm.RELEASE, helm.CHART, "--namespace", NAMESPACE, "--set", "controller.enabled=true",
                        "--set", "certificates.enabled=true", *(word for value in values for word in ("--set", value)), "--api-versions", "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"])
    manifests = "\n---\n".join(part for part in text.split("\n---\n") if re.search(r"^  name: holdfast-controller", part, re.M) and not re.search(
        r"^kind: (Deployment|PodDisruptionBudget|NetworkPolicy)$", part, re.M))
    world.cluster.kubectl("apply", "-f", world.CRDS)
    if not api.get(f"/api/v1/namespaces/{NAMESPACE}"):
        world.cluster.kubectl("create", "namespace", NAMESPACE)
    world.cluster.kubectl("apply", "-f", "-", text=manifests)
    return manifests


def remove(manifests):
    """Takes the policies away again: other tests write the status of EdgeUpdates by hand."""
    world.cluster.kubectl("delete", "--ignore-not-found", "-f", "-", text=manifests, check=False)


def wipe():
    """Deletes every EdgeUpdate of the cluster and the nodes of a fleet: only for tests that run for themselves."""
    for kind in ("edgeupdates", "edgenodes"):
        for item in api.get(f"{GROUP}/{kind}").get("items", []):
            if kind == "edgeupdates" or item["metadata"]["name"].startswith("fake-"):
                api.call("DELETE", f"{GROUP}/{kind}/{item['metadata']['name']}")
    for node in api.get(f"/api/v1/nodes?labelSelector={LABEL}").get("items", []):
        api.call("DELETE", f"/api/v1/nodes/{node['metadata']['name']}")


class Controller:
    """One replica, as a process in the control plane's network with its service account's token."""

    def __init__(self, name, *flags, port):
        self.name, self.flags, self.port = name, flags, port

    def start(self):
        where = world.cluster.where
        token = world.cluster.kubectl("create", "token", "holdfast-controller", "-n", NAMESPACE, "--duration=2h").strip()
        kubeconfig = where.path("pki", f"{self.name}.kubeconfig")
        place.write(kubeconfig, json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": pki.SERVER, "certificate-authority": where.path("pki", "ca.crt")}}],
            "users": [{"name": "u", "user": {"token": token}}]}), 0o600)
        world.cluster.start_in_plane(self.name, [
            world.built("holdfast-controller"), "--kubeconfig", kubeconfig, "--lease-namespace", NAMESPACE, "--identity", self.name,
            "--metrics-port", str(self.port), "--health-port", str(self.port + 1), "--log-level", "debug", *self.flags])
        return self

    def pid(self):
        return process.pid_of(world.cluster.where, self.name)

    def send(self, number):
        os.kill(self.pid(), number)

    def stop(self, how=signal.SIGTERM):
        if self.pid():
            self.send(signal.SIGCONT)
        world.cluster.stop_in_plane(self.name, how)

    def get(self, path):
        port = self.port + (path != "/metrics")
        return world.cluster.run_in_plane("curl", "-s", "-m", "2", f"http://127.0.0.1:{port}{path}", check=False)

    def metric(self, name):
        """The sum of a metric over its series, or the one series with the labels in `name`; None without one."""
        labels = "" if "{" in name else r"(?:{[^}]*})?"
        found = re.findall(rf"^{re.escape(name)}{labels} ([0-9.e+-]+)$", self.get("/metrics"), re.M)
        return sum(map(float, found)) if found else None

    def leads(self):
        return self.metric("holdfast_controller_leader") == 1

    def log(self):
        with open(world.cluster.where.path("log", self.name), encoding="utf-8", errors="replace") as file:
            return file.read()


def lease():
    return api.get(LEASE).get("spec", {})


class Node:
    """A Node object and the EdgeNode that its agent would write."""

    def __init__(self, name, labels=None, interval="5m"):
        self.name, self.interval = name, interval
        api.call("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {LABEL: "yes"} | (labels or {})}})
        api.call("PATCH", f"{GROUP}/edgenodes/{name}?fieldManager=holdfast-agent&force=true",
                 {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "EdgeNode", "metadata": {"name": name}}, APPLY)
        self.entries, self.wants = {}, None
        self.report()

    def report(self, release_=None, phase=None, reason=None, message="", digest=None):
        """The agent's next report; with a release, its entry is in this phase."""
        if release_ is not None:
            self.entries[release_["name"]] = {"name": release_["name"], "phase": phase, "version": release_["version"], "sequence": release_["sequence"],
                                              "digest": digest or release.digest(release_)} | ({"reason": reason, "message": message} if reason else {})
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        status = {"sequence": next(_sequences), "observedTime": now, "agent": {"version": "0.1.0", "mode": "Host"}, "updates": list(self.entries.values()),
                  "policy": {"name": "", "interval": self.interval},
                  "conditions": [{"type": "Ready", "status": "True", "reason": "Reported", "message": "", "lastTransitionTime": now}]}
        if self.wants is not None:
            status["labels"] = self.wants
        code, answer = api.call("PATCH", f"{GROUP}/edgenodes/{self.name}/status?fieldManager=holdfast-agent&force=true",
                                {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "EdgeNode", "metadata": {"name": self.name}, "status": status}, APPLY)
        assert code == 200, answer

    def object(self):
        return api.get(f"{GROUP}/edgenodes/{self.name}")

    def turns(self):
        return self.object().get("spec", {}).get("turns", [])

    def slot(self, release_):
        text = f"{self.name}/{release.digest(release_)}".encode()
        return int.from_bytes(hashlib.sha256(text).digest()[:4], "big") * 10000 >> 32


class Update:
    """An EdgeUpdate over the fleet."""

    def __init__(self, strategy=None, sequence=1, name=None, **spec):
        self.name = name or f"roll-{next(_names)}"
        self.release = make_release(self.name, sequence)
        self.strategy, self.spec = strategy, spec
        self.put()

    def put(self):
        spec = {"nodeSelector": {"matchLabels": {LABEL: "yes"}}, "release": self.release, "signatures": [release.sign(self.release)]} | self.spec
        if self.strategy is not None:
            spec["strategy"] = self.strategy
        world.cluster.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "EdgeUpdate",
                                                                  "metadata": {"name": self.name}, "spec": spec}))

    def next_release(self, sequence):
        self.release = make_release(self.name, sequence)
        self.put()

    def annotate(self, **annotations):
        body = {"metadata": {"annotations": {f"edge.codcompass.io/{key.replace('_', '-')}": value for key, value in annotations.items()}}}
        code, answer = api.call("PATCH", f"{GROUP}/edgeupdates/{self.name}", body, "application/merge-patch+json")
        assert code == 200, answer

    def status(self):
        return api.get(f"{GROUP}/edgeupdates/{self.name}").get("status", {})

    def admission(self):
        return self.status().get("admission", {})

    def reached(self):
        """The share of the nodes that its waves have reached, in basis points."""
        return self.status().get("rollout", {}).get("cutoff")

    def admits(self, node, canary=False):
        """Whether the agent of this node would start the release now."""
        admission = self.admission()
        return admission.get("digest") == release.digest(self.release) and (
            node.slot(self.release) < admission.get("cutoff", 0) or (canary and admission.get("canary", False)))

    def condition(self, kind):
        return next((c for c in self.status().get("conditions", []) if c["type"] == kind), {})

    def await_reason(self, reason, timeout_s=30):
        try:
            wait.until(f"{self.name} to be {reason}", lambda: self.condition("Ready").get("reason") == reason, timeout_s, 0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {json.dumps(self.status())}") from None

    def events(self):
        """(reason, note) of its Events."""
        return [(e["reason"], e.get("note", "")) for e in api.get(EVENTS + "?limit=500").get("items", [])
                if e.get("regarding", {}).get("name") == self.name]


def make_release(name, sequence):
    return {"name": name, "version": f"1.0.{sequence}", "sequence": sequence, "expires": "2040-01-01T00:00:00Z", "signedAt": "2026-11-01T00:00:00Z",
            "artifacts": [{"arch": arch, "url": "https://releases.invalid/x", "sha256": "0" * 64, "size": 1} for arch in ("amd64", "arm64")],
            "install": {"path": f"/opt/{name}/bin/app"}}


class Agents:
    """The agents of nodes: as soon as the rollout admits a node, it works on the release and ends in what `verdict` says."""

    def __init__(self, nodes, update, verdict=lambda node: "Committed", canaries=()):
        self.nodes, self.update, self.verdict, self.canaries = nodes, update, verdict, set(canaries)
        self.started = {}                      # node name -> order in which it began
        self.silent = set()
        self.violations = []
        self.looks = 0
        self.end = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.end.is_set():
            try:
                self.step()
            except (AssertionError, KeyError, OSError) as error:
                self.violations.append(repr(error))
            self.looks += 1
            self.end.wait(0.1)

    def look(self):
        """Until all agents have seen what the API server says now, and have begun what that admits."""
        before = self.looks
        wait.until("the agents to look again", lambda: self.looks >= before + 2, 60, 0.05)

    def step(self):
        digest = release.digest(self.update.release)
        for node in self.nodes:
            if node.name in self.silent or (node.name, digest) in self.started:
                continue
            if self.update.admits(node, node.name in self.canaries):
                self.started[node.name, digest] = len(self.started)
                node.report(self.update.release, "Fetching")
                outcome = self.verdict(node)
                if outcome is not None:
                    node.report(self.update.release, outcome, "HealthFailed" if outcome == "RolledBack" else "HealthPassed", "reported by the test")

    def touched(self):
        digest = release.digest(self.update.release)
        return [name for name, of in self.started if of == digest]

    def stop(self):
        self.end.set()
        self.thread.join()
        assert not self.violations, self.violations


