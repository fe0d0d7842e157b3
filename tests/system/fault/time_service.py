#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clock.resync as shipped: the agent as the unit that `make install` installs, with a real systemd-timesyncd and a real chronyd, on a
machine whose clock the test may set (guest.py).

    tests/system/fault/time_service.py [WORD...]      only the services whose name contains one of the words

A time server and an API server in the guest know the right time: what its clock showed at the start, and what a monotonic clock has
counted since. Each time service has asked its server and rests when the clock leaps: without the agent it would ask again much
later. Skips where no guest can run. Prints "N passed, N failed, N skipped" last."""
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guest  # noqa: E402
from node import TOP, say  # noqa: E402

import lab  # noqa: E402
from apiserver import ApiServer, Authority, kubeconfig  # noqa: E402
from lab import free_port, wait  # noqa: E402

HOME = os.path.join(TOP, "build", "fault", "time_service")
INSIDE = "HF_TIME_SERVICE_INSIDE"
NODE, PATIENCE_S, NTP_EPOCH_S = "node-1", 120, 2208988800
RIGHT_S, WRONG_S = 2, 600  # the clock is right if it is off by less than the first, and wrong if by more than the second
# chrony's group and user, which the script of its package makes.
USERS = {"passwd": "_chrony:x:970:970::/var/lib/chrony:/usr/sbin/nologin\n", "group": "_chrony:x:970:\n"}
CHRONY_CONF = """server 127.0.0.1 iburst
driftfile /var/lib/chrony/chrony.drift
makestep 1 3
"""
TIMESYNCD_CONF = "[Time]\nNTP=127.0.0.1\nFallbackNTP=\nConnectionRetrySec=1h\n"  # 30 s by default


class Truth:
    """The right time, whatever the clock shows."""

    def __init__(self):
        self.began_s, self.mono_s = time.time(), time.monotonic()

    def now(self):
        return self.began_s + time.monotonic() - self.mono_s

    def off_s(self):
        """By how much the clock is ahead."""
        return time.time() - self.now()

    def set_clock(self, unix_s):
        time.clock_settime(time.CLOCK_REALTIME, unix_s)


class TimeServer:
    """A time server on 127.0.0.1 (RFC 5905, a server of stratum 1)."""

    def __init__(self, truth):
        self.truth, self.silent, self.line = truth, False, socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.line.bind(("127.0.0.1", 123))
        threading.Thread(target=self.serve, daemon=True).start()

    def stamp(self):
        seconds = self.truth.now() + NTP_EPOCH_S
        return struct.pack(">II", int(seconds), int(seconds % 1 * 2**32))

    def serve(self):
        while True:
            asked, sender = self.line.recvfrom(512)
            if self.silent:
                continue
            received = self.stamp()
            head = struct.pack(">BBbbII4s", asked[0] & 0x38 | 4, 1, asked[2], -20, 0, 16, b"GPS\0")
            self.line.sendto(head + received + asked[40:48] + received + self.stamp(), sender)


class Api(ApiServer):
    """An API server whose Date is right."""

    def __init__(self, certificate, truth):
        self.truth = truth
        super().__init__(certificate)

    @property
    def ahead_s(self):
        return -self.truth.off_s()

    @ahead_s.setter
    def ahead_s(self, seconds):
        pass


def systemctl(*words):
    subprocess.run(["systemctl", *words], check=True)


class Unit:
    """The agent as its unit."""

    def __init__(self, truth):
        self.metrics_port = free_port()
        authority = Authority("/run/authority")
        self.api = Api(authority.issue("server", -1, 300), truth)
        self.api.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "labels": {}}})
        self.api.put({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "all"},
                      "spec": {"interval": "10s", "retryInterval": "1s", "clock": {"maxSkew": "5m", "resync": True}}})
        shutil.copy(authority.ca, "/etc/holdfast/ca.pem")
        kubeconfig("/etc/holdfast/kubeconfig", self.api, "/etc/holdfast/ca.pem")
        guest.write("/etc/holdfast/agent.env", f'HOLDFAST_ARGS="--kubeconfig /etc/holdfast/kubeconfig --node-name {NODE} '
                                               f'--metrics-port {self.metrics_port} --retry-base-ms 50"\n')

    def metric(self, name):
        return lab.metric(self.metrics_port, name)

    def fresh(self):
        return self.metric('holdfast_contact_state{state="Fresh"}') == 1

    def resyncs(self, result):
        return self.metric(f'holdfast_clock_resyncs_total{{result="{result}"}}') or 0

    def begins(self):
        systemctl("restart", "holdfast-agent")
        wait("contact", self.fresh, PATIENCE_S)


def becomes_right(truth, unit):
    """The agent asks once, and the clock becomes right; returns after how many seconds."""
    began = time.monotonic()
    try:
        wait("a right clock", lambda: abs(truth.off_s()) < RIGHT_S, PATIENCE_S)
    except AssertionError as late:
        raise AssertionError(f"{late}: off by {truth.off_s():.0f} s, {unit.resyncs('asked'):.0f} requests, "
                             f"{unit.resyncs('failed'):.0f} failed") from None
    took = time.monotonic() - began
    wait("the count of requests", lambda: unit.resyncs("asked") == 1, PATIENCE_S)
    assert unit.resyncs("failed") == 0, "a request failed"
    return took


def log(service):
    return subprocess.run(["journalctl", "-o", "cat", "-u", service], capture_output=True, text=True, check=False).stdout


def timesyncd(truth, server, unit):
    """Its time server is silent when the clock leaps; timesyncd gives up for ConnectionRetrySec."""
    unit.begins()
    assert unit.resyncs("asked") == 0, "the agent asked although the clock is right"
    took = []
    for unix_s in (truth.now() + 1200, 86400):  # the second: a board without a battery, in January 1970
        systemctl("stop", "holdfast-agent")
        systemctl("restart", "systemd-timesyncd")
        wait("timesyncd has the time", lambda: abs(truth.off_s()) < RIGHT_S, PATIENCE_S)
        gave_up = log("systemd-timesyncd").count("Timed out")
        server.silent = True
        truth.set_clock(unix_s)
        wait("timesyncd gives up", lambda: log("systemd-timesyncd").count("Timed out") > gave_up, PATIENCE_S, 1)  # pylint: disable=cell-var-from-loop
        server.silent = False
        time.sleep(3)
        assert abs(truth.off_s()) > WRONG_S, "timesyncd set the clock by itself"
        unit.begins()
        took.append(becomes_right(truth, unit))
    return took


def chrony(truth, _, unit):
    """chronyd has begun after the agent, has asked its server and rests; then the clock leaps under it."""
    unit.begins()
    systemctl("start", "chrony")
    wait("chronyd has a source", lambda: "Selected source" in log("chrony"), PATIENCE_S, 1)
    time.sleep(10)  # the burst of questions at its start is over
    assert unit.resyncs("asked") == 0, "the agent asked although the clock is right"
    truth.set_clock(truth.now() + 1200)
    time.sleep(3)
    assert abs(truth.off_s()) > WRONG_S, "chronyd set the clock by itself"
    unit.api.end_watches()
    return [becomes_right(truth, unit)]


PROGRAMS = {"systemd-timesyncd": "/lib/systemd/systemd-timesyncd", "chrony": "/usr/sbin/chronyd"}
SERVICES = {"systemd-timesyncd": timesyncd, "chrony": chrony}


def inside(service):
    """In the guest."""
    truth = Truth()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    if service == "chrony":
        shutil.chown("/var/lib/chrony", "_chrony", "_chrony")
    server = TimeServer(truth)
    try:
        took = SERVICES[service](truth, server, Unit(truth))
    except (AssertionError, OSError, subprocess.CalledProcessError) as problem:
        lines = [line for line in log("holdfast-agent").splitlines() if "labels.failed" not in line]  # our API server lacks server-side apply
        say("\n".join([*lines[-40:], *log(service).splitlines()[-40:]]))
        say(f"  FAIL  clock.resync with {service}: {problem}")
        return
    say(f"  ok    clock.resync with {service}: a right clock after {' and '.join(f'{seconds:.1f} s' for seconds in took)}")


def layer_of(service):
    """What the guest has more than the host: the agent, installed as a user does, a key, and the time service."""
    layer = os.path.join(HOME, service)
    guest.install(layer)
    guest.trust(layer, os.path.join(HOME, f"{service}.key"))
    if not os.path.exists(PROGRAMS[service]):  # on Debian each of the two replaces the other
        guest.unpack(service, layer)
    etc = os.path.join(layer, "etc")
    if service == "chrony":
        for file, line in USERS.items():
            with open(f"/etc/{file}", encoding="utf-8") as host:
                guest.write(os.path.join(etc, file), "".join(has for has in host if not has.startswith("_chrony:")) + line)
        guest.write(os.path.join(etc, "chrony", "chrony.conf"), CHRONY_CONF)
    else:
        guest.write(os.path.join(etc, "systemd", "timesyncd.conf"), TIMESYNCD_CONF)
    return layer


def run(service):
    began, layer = time.monotonic(), layer_of(service)
    masked = [f"{other}.service" for other in SERVICES if other != service]
    output = guest.run(layer, f"{sys.executable} {os.path.abspath(__file__)}", f"{INSIDE}={service}", masked)
    good = any(line.startswith("  ok ") for line in output)
    for line in output:
        if not good:
            say(line)
        elif line.startswith("  ok "):
            say(f"{line} ({time.monotonic() - began:.0f} s)")
    return good


def main():
    if os.environ.get(INSIDE):
        inside(os.environ[INSIDE])
        return 0
    reason, words, passed, skipped = guest.missing(), sys.argv[1:], 0, 0
    chosen = [service for service in SERVICES if not words or any(word in service for word in words)]
    for service in chosen:
        try:
            if reason:
                raise guest.Skip(reason)
            passed += run(service)
        except guest.Skip as skip:
            say(f"SKIP: clock.resync with {service}: {skip}")
            skipped += 1
    say(f"{passed} passed, {len(chosen) - passed - skipped} failed, {skipped} skipped")
    return 0 if passed + skipped == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
