# SPDX-License-Identifier: Apache-2.0
"""Attacks through the time: an API server, a time server and a clock chip that lie, and what remains of the lie afterwards."""
import json
import os
import struct
import time

import yaml

from apiserver import ApiServer, Authority, kubeconfig
from lab import PROGRAMS, TOP, preload, wait
from node import Artifacts, Node, sha256

DAY_S = 86400
YEAR_S = 365 * DAY_S
PATIENCE_S = 60


class Site:
    """A node with version 1.0 installed, whose wall clock a test can shift, and an API server (None: a folder of objects)."""

    def __init__(self, home, tls=True, folder=False):
        self.artifacts, self.home = Artifacts(), home
        self.node = Node(os.path.join(home, "node"), self.artifacts)
        self.old, self.new = self.node.build("1.0", 1), self.node.build("2.0", 2)
        with open(self.old, "rb") as source, open(self.node.path, "wb") as target:
            target.write(source.read())
        self.authority = Authority(os.path.join(home, "tls")) if tls and not folder else None
        certificate = self.authority.issue("good", -0.01, 300) if self.authority else None
        self.api = None if folder else ApiServer(certificate)
        self.library, self.shift = os.path.join(home, "shifted-clock.so"), os.path.join(home, "shift")
        preload(os.path.join(TOP, "tests", "attack", "shifted-clock.c"), self.library)
        self.wall(0)
        if self.api:
            self.api.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.node.name, "labels": {}}})
            self.api.put({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "fast"},
                          "spec": {"interval": "10s", "retryInterval": "10s"}})

    def wall(self, ahead_s, synced=True):
        """The wall clock is so many seconds ahead from now on."""
        with open(self.shift, "r+b" if os.path.exists(self.shift) else "w+b") as file:
            file.write(struct.pack("=qq", int(ahead_s), int(synced)))

    def wall_in_1970(self):
        self.wall(3600 - time.time(), synced=False)

    def environment(self):
        """What gives the agent its wall clock."""
        return {"LD_PRELOAD": self.library, "SHIFTED_CLOCK": self.shift}

    def start(self, *more):
        environment = dict(os.environ, ASAN_OPTIONS="verify_asan_link_order=0", **self.environment())
        node = self.node
        source = ["--source", node.place("objects")]
        if self.api:
            source = ["--kubeconfig", kubeconfig(os.path.join(self.home, "kubeconfig"), self.api, self.authority and self.authority.ca)]
        node.agent = node.child([os.path.join(PROGRAMS, "holdfast-agent"), *source, "--node-name", node.name, "--state-dir",
                                 node.place("state"), "--trust-dir", node.place("trust.d"), "--update-root", node.place("root"),
                                 "--storage-dir", node.place("storage"), "--run-dir", node.place("run"),
                                 "--metrics-port", str(node.metrics_port), "--ingest-port", "off", "--health-port", "off",
                                 "--retry-base-ms", "50", "--log-level", "info", *more], env=environment)
        wait("the agent's first status", self.status, PATIENCE_S)

    def status(self):
        self.node.alive()
        return self.api.status(self.node.name) if self.api else self.node.status()

    def publish(self, sequence=2, more=(), artifact=None):
        text = self.node.create("app", f"{sequence}.0", sequence, artifact or self.new, service=False, more=more)
        if self.api:
            self.api.put(yaml.safe_load(text))
        else:
            self.node.apply("app", text)
        return text

    def row(self):
        return next((row for row in self.status().get("updates", []) if row["name"] == "app"), {})

    def ends(self, *phases):
        try:
            return wait(f"phase {' or '.join(phases)}", lambda: self.row() if self.row().get("phase") in phases else None, PATIENCE_S)
        except AssertionError as late:
            raise AssertionError(f"{late}: {self.row()}") from None

    def installs(self):
        """A signed, unexpired release arrives: the node must install it."""
        row = self.ends("Committed", "Rejected")
        assert row["phase"] == "Committed", row
        assert sha256(self.node.path) == sha256(self.new)

    def date_lies(self, ahead_s, times=3):
        """The API server's Date is wrong in several answers, and then right again."""
        for ahead in [ahead_s] * times + [0]:
            before = len(self.api.seen)
            self.api.ahead_s = ahead
            self.api.end_watches()
            if ahead != 0:
                wait("new watches", lambda: sum("watch" in path for path in self.api.seen[before:]) >= 2, PATIENCE_S)  # pylint: disable=cell-var-from-loop

    def end(self):
        self.node.end()
        if self.api:
            self.api.end()


def site_of(home, **more):
    os.makedirs(home, exist_ok=True)
    return Site(home, **more)


def attack_date_ahead(home):
    """A stolen API server sends a Date that is 30 years ahead, then the right one: the node must go on, over TLS, and install."""
    site = site_of(home)
    try:
        site.start()
        site.date_lies(30 * YEAR_S)
        site.publish()
        site.installs()
    finally:
        site.end()


def attack_date_ahead_then_restart(home):
    """The same lie, and the agent is killed before the server tells the truth: nothing of the lie may outlive the process."""
    site = site_of(home)
    try:
        site.start()
        site.api.ahead_s = 30 * YEAR_S
        site.api.end_watches()
        before = len(site.api.seen)
        wait("new watches", lambda: len(site.api.seen) >= before + 3, PATIENCE_S)
        site.node.stop_agent()
        site.api.ahead_s = 0
        site.start()
        site.publish()
        site.installs()
    finally:
        site.end()


def attack_date_ahead_at_first_contact(home):
    """The first Date that a node without a battery ever hears is 30 years ahead: the next, right one must heal it."""
    site = site_of(home)
    try:
        site.wall_in_1970()
        site.api.ahead_s = 30 * YEAR_S
        site.start()
        site.date_lies(30 * YEAR_S, times=1)
        site.publish()
        site.installs()
    finally:
        site.end()


def attack_release_during_the_lie(home):
    """While the Date is 30 years ahead a release arrives: it waits with ClockUnsure, is never Rejected, and starts after the lie."""
    site = site_of(home)
    try:
        site.start()
        site.date_lies(30 * YEAR_S, times=1)
        site.api.ahead_s = 30 * YEAR_S
        before = len(site.api.seen)
        site.api.end_watches()
        wait("new watches", lambda: sum("watch" in path for path in site.api.seen[before:]) >= 3, PATIENCE_S)
        site.publish()
        row = wait(f"a verdict ({site.row()})", lambda: site.row() if site.row().get("reason") in ("ClockUnsure", "Expired") else None, PATIENCE_S)
        assert (row["phase"], row["reason"]) == ("Waiting", "ClockUnsure"), row
        site.date_lies(0, times=1)
        site.installs()
    finally:
        site.end()


def attack_wall_clock_ahead(home):
    """A time server sets the clock 399 days ahead for 4 seconds, on a node without an API server: nothing of it may stay."""
    site = site_of(home, folder=True)
    try:
        site.start()
        for _ in range(2):
            site.wall(399 * DAY_S)
            time.sleep(4)
            site.wall(0)
            time.sleep(1)
        site.publish()
        site.installs()
    finally:
        site.end()


def attack_wall_clock_far_ahead(home):
    """The clock is 50 years ahead while the agent starts, and right afterwards: one contact must heal the node."""
    site = site_of(home)
    try:
        site.wall(50 * YEAR_S)
        site.start()
        site.wall(0)
        site.api.end_watches()
        site.publish()
        site.installs()
    finally:
        site.end()


def attack_no_battery(home):
    """The clock starts in 1970 and nobody sets it: the node must reach a TLS server whose certificate is from today, and install."""
    site = site_of(home)
    try:
        site.wall_in_1970()
        site.start()
        site.publish()
        site.installs()
    finally:
        site.end()


def attack_poisoned_file(home):
    """An agent of an earlier build kept a lie, 30 years ahead, in its clock file: the new agent must not believe it."""
    site = site_of(home)
    try:
        with open(site.node.place("state", "clock"), "w", encoding="ascii") as file:
            file.write('{"format":1,"newest":"2056-11-20T00:00:00Z","contact":"2056-11-20T00:00:00Z"}\n')
        site.start()
        site.publish()
        site.installs()
    finally:
        site.end()


def attack_expired_release(home):
    """A stolen API server replays an expired release, with a Date at which it was valid: no node with a right clock starts it."""
    site = site_of(home)
    try:
        site.start()
        text = yaml.safe_load(site.node.create("app", "2.0", 2, site.new, service=False, more=()))
        text["spec"]["release"]["expires"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 7200))
        text["spec"].pop("signatures", None)
        text = yaml.safe_load(site.node.sign(yaml.safe_dump(text)))
        site.api.put(text)
        assert site.ends("Rejected")["reason"] == "Expired"
        site.api.ahead_s = -3 * 3600
        before = len(site.api.seen)
        site.api.end_watches()
        wait("new watches", lambda: sum("watch" in path for path in site.api.seen[before:]) >= 3, PATIENCE_S)
        text["metadata"]["labels"] = {"again": "1"}
        site.api.put(text)
        time.sleep(3)
        assert site.row()["phase"] in ("Rejected", "Waiting"), site.row()
        assert sha256(site.node.path) == sha256(site.old)
    finally:
        site.end()


def attack_stolen_certificate(home):
    """A server on the path shows a stolen certificate that expired yesterday: a node whose witnesses agree sends it nothing."""
    site = site_of(home)
    try:
        site.start()
        wait("agreement", lambda: "clock" in json.dumps(site.status()), PATIENCE_S)
        site.api.use(site.authority.issue("stolen", -30, -1))
        site.api.end_watches()
        time.sleep(6)
        assert not site.api.seen_by_certificate, site.api.seen_by_certificate
        site.api.use(site.authority.issue("renewed", -0.01, 300))
        site.publish()
        site.installs()
    finally:
        site.end()
