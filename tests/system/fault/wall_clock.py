#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real agent under wall clocks of other years, against an API server with TLS.

    tests/system/fault/wall_clock.py [WORD...]      only the cases whose name contains one of the words

The clock of the agent's process is shifted by libfaketime (Debian's package of this name), and by a library of our own
(tests/attack/shifted-clock.c); a test changes both while the agent runs. libfaketime shows the wall clock of any year and keeps the
monotonic clocks. It has no suspend (CLOCK_BOOTTIME that leaps while CLOCK_MONOTONIC stands still), no adjtimex() and no start of a boot:
these cases use our own library. Neither changes timers of the kernel (timerfd, epoll), which count real time. The
API server's certificate is valid today, and its Date is right. Prints "N passed, N failed, N skipped" last."""
import calendar
import functools
import glob
import hashlib
import json
import os
import re
import shutil
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import node as fault  # noqa: E402
from node import TOP, wait  # noqa: E402

import suite  # noqa: E402

sys.path.insert(1, os.path.join(TOP, "tests", "attack"))
import lab  # noqa: E402
from apiserver import Authority  # noqa: E402
from clock import Site  # noqa: E402

HOME = os.path.join(TOP, "build", "fault", "wall_clock")
PATIENCE_S = 60
BESIDE = 3  # cases at a time: they mostly wait


class Machine(Site):
    """A node whose wall clock shows any time, and which can sleep."""

    slept_s, ahead_s, synced = 0, 0, True

    def wall(self, ahead_s, synced=True):
        self.ahead_s, self.synced = ahead_s, synced
        with open(self.shift, "r+b" if os.path.exists(self.shift) else "w+b") as file:
            file.write(struct.pack("=qqq", int(ahead_s), int(synced), self.slept_s))

    def show_year(self, year):
        """The wall clock shows noon of the second of January, and no time server keeps it."""
        self.wall(calendar.timegm((year, 1, 2, 12, 0, 0)) - time.time(), synced=False)

    def sleep(self, seconds):
        """The machine was suspended for so long."""
        self.slept_s += seconds
        self.wall(self.ahead_s, self.synced)

    def kill(self):
        """kill -9; the next start has the same boot."""
        self.node.kill_agent()

    def reboot(self, unix_s):
        """The power is cut, and the machine boots: CLOCK_BOOTTIME begins again, the boot has another id, and the wall clock shows unix_s.
        The real boot id does not change, so the test gives the clock file the id of another boot."""
        self.kill()
        path = self.node.place("state", "clock")
        with open(path, encoding="ascii") as file:
            head, body = file.read().split("\n", 1)
        body = re.sub(r'"boot":"[^"]*"', '"boot":"00000000-0000-4000-8000-000000000000"', body)
        with open(path, "w", encoding="ascii") as file:
            file.write(f"{head.rsplit(' ', 1)[0]} {hashlib.sha256(body.encode()).hexdigest()}\n{body}")
        self.slept_s = 5 - int(time.clock_gettime(time.CLOCK_BOOTTIME))
        self.wall(unix_s - time.time() - self.slept_s, synced=False)

    def metric(self, name):
        return lab.metric(self.node.metrics_port, name)

    def contact(self):
        return next((state for state in ("Fresh", "Stale", "Expired") if self.metric(f'holdfast_contact_state{{state="{state}"}}') == 1), None)

    def sequence(self):
        return self.status().get("sequence", 0)

    def reports_again(self):
        """A new status reaches the server over new connections."""
        before = self.sequence()
        self.api.end_watches()
        wait("a new status over TLS", lambda: self.sequence() > before, PATIENCE_S)


class Faked(Machine):
    """The same, with libfaketime."""

    def __init__(self, home):
        self.faked = os.path.join(home, "faketime")
        super().__init__(home)

    def environment(self):
        found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        assert found, "there is no libfaketime: hack/setup.sh test"
        return {"LD_PRELOAD": found[0], "FAKETIME_TIMESTAMP_FILE": self.faked, "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}

    def wall(self, ahead_s, synced=True):
        with open(self.faked + ".new", "w", encoding="ascii") as file:
            file.write(f"{int(ahead_s):+d}\n")
        os.rename(self.faked + ".new", self.faked)


def a_year(machine, year):
    """A machine whose clock starts in another year reaches the server by itself, and never takes a valid release for an expired one."""
    if year:
        machine.show_year(year)
    machine.start()
    machine.publish()
    row = wait("a verdict", lambda: machine.row() if machine.row().get("phase") == "Committed" or machine.row().get("reason") else None, PATIENCE_S)
    said = row.get("reason") if row["phase"] == "Waiting" else row["phase"]
    assert row["phase"] != "Rejected", row
    machine.wall(0)
    machine.api.end_watches()
    machine.installs()
    return f"at first {said}"


def jumps(machine):
    """The clock leaps back and forth while the agent runs: every status still arrives, and a release installs in the end."""
    machine.start()
    for year in (2038, 1970, 2100, 2026, 1999):
        machine.show_year(year)
        machine.reports_again()
    machine.wall(0)
    machine.reports_again()
    steps = machine.metric("holdfast_clock_steps_total")
    assert steps >= 5, f"{steps} leaps were seen"
    machine.publish()
    machine.installs()
    return f"{int(steps)} leaps seen"


def suspend(machine):
    """A machine without contact sleeps for two hours, with a window of one hour: it wakes Expired, and Fresh after the next contact."""
    machine.api.put({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "fast"},
                     "spec": {"interval": "10s", "retryInterval": "1s", "staleOk": {"window": "1h"}}})
    machine.start()
    wait("contact", lambda: machine.contact() == "Fresh", PATIENCE_S)
    certificate = machine.authority.issue("other", -30, -1)
    machine.api.use(certificate)  # a server that the node does not trust: no contact
    machine.api.end_watches()
    time.sleep(3)
    machine.sleep(1800)
    wait("half of the window is over", lambda: machine.contact() == "Stale", PATIENCE_S)
    age = machine.metric("holdfast_contact_age_seconds")
    assert 1800 <= age < 1800 + PATIENCE_S, age
    machine.sleep(5400)
    wait("the window is over", lambda: machine.contact() == "Expired", PATIENCE_S)
    machine.api.use(machine.authority.issue("again", -0.01, 300))
    wait("contact again", lambda: machine.contact() == "Fresh", PATIENCE_S)
    return f"{age:.0f} s old after 1800 s of sleep"


def restart(machine):
    """The agent restarts within one boot, without contact, and its wall clock leaps by 60 years: the age of contact does not follow it."""
    machine.start()
    wait("contact", lambda: machine.contact() == "Fresh", PATIENCE_S)
    machine.node.stop_agent()
    machine.api.use(Authority(os.path.join(machine.home, "stranger")).issue("other", -0.01, 300))  # the node takes it at no time
    machine.sleep(7200)
    machine.wall(60 * 365 * 86400)
    machine.start()
    age = wait("an age", lambda: machine.metric("holdfast_contact_age_seconds") or None, PATIENCE_S)
    assert 7200 <= age < 7200 + 2 * PATIENCE_S, f"the age of contact is {age} s"
    assert machine.contact() == "Stale", machine.contact()
    return f"{age:.0f} s old after 7200 s"


def loses_contact(machine, window):
    """The node has had contact, and then its server shows a certificate of a stranger, which the node takes at no time."""
    machine.api.put({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "fast"},
                     "spec": {"interval": "10s", "retryInterval": "1s", "staleOk": {"window": window}}})
    machine.start()
    wait("contact", lambda: machine.contact() == "Fresh", PATIENCE_S)
    machine.api.use(Authority(os.path.join(machine.home, "stranger")).issue("other", -0.01, 300))
    machine.api.end_watches()
    wait("a clock file that knows of the loss", lambda: kept_seconds(machine, "Limit") > 0, PATIENCE_S)


def age_of(machine):
    return wait("an age", lambda: machine.metric("holdfast_contact_age_seconds") or None, PATIENCE_S)


def kept_seconds(machine, what):
    """The age of contact, or its limit, in the clock file."""
    with open(machine.node.place("state", "clock"), encoding="ascii") as file:
        return json.loads(file.read().split("\n", 1)[1]).get(f"contact{what}Ns", 0) / 1e9


def age_is_kept(machine):
    """Kills and power cuts, with a wall clock of 1970, of the past and of the present: the age of contact never goes back."""
    loses_contact(machine, "72h")
    before, unix_s = 0, time.time()
    for hours, cut, clock_s in ((2, True, 7200), (5, False, 3600), (1, True, unix_s - 86400), (3, True, 60), (2, False, unix_s), (1, True, unix_s)):
        saved = kept_seconds(machine, "Age") + hours * 3600
        machine.sleep(hours * 3600)
        # The timers of the kernel do not know of this sleep: the agent looks at its clocks within the interval of 10 s. The limit alone
        # does not show that it has looked: a limit from before the sleep covers an hour.
        wait(f"a clock file of {hours} h later", lambda: kept_seconds(machine, "Age") >= saved and kept_seconds(machine, "Limit") >= age_of(machine),
             PATIENCE_S)
        age = age_of(machine)
        assert age >= before, f"the age went back from {before} s to {age} s"
        before = age
        if cut:
            machine.reboot(clock_s)
        else:
            machine.kill()
            machine.wall(clock_s - time.time() - machine.slept_s, synced=False)
        machine.start()
        age = age_of(machine)
        assert before <= age < before + 2 * 3600 + PATIENCE_S, f"{before} s old before, {age} s after {'a reboot' if cut else 'kill -9'}"
        before = age
    assert before >= 14 * 3600, before
    return f"{before / 3600:.1f} h old after 14 h"


def expired_is_kept(machine):
    """What was Expired is Expired after kill -9 and after reboots in 1970 and in the past; one contact makes it Fresh."""
    loses_contact(machine, "1h")
    machine.sleep(3700)
    wait("the window is over", lambda: machine.contact() == "Expired", PATIENCE_S)
    for unix_s in (3600, time.time() - 30 * 86400, time.time()):
        machine.kill()
        machine.wall(unix_s - time.time() - machine.slept_s, synced=False)
        machine.start()
        wait("a state after kill -9", machine.contact, PATIENCE_S)
        assert machine.contact() == "Expired", machine.contact()
        machine.reboot(unix_s)
        machine.start()
        wait("a state after a reboot", machine.contact, PATIENCE_S)
        assert machine.contact() == "Expired", machine.contact()
    writes = set()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        writes.add(os.stat(machine.node.place("state", "clock")).st_ino)
        time.sleep(0.05)
    assert len(writes) <= 2, f"the clock file was written {len(writes) - 1} times in 20 s"  # once when the process notes the loss
    machine.api.use(machine.authority.issue("again", -0.01, 300))
    wait("contact again", lambda: machine.contact() == "Fresh", PATIENCE_S)
    return "6 starts"


CASES = {
    **{f"the clock starts in {year or 'the present'}": (lambda machine, year=year: a_year(machine, year)) for year in (1970, None, 2038, 2100)},
    "the clock leaps while the agent runs": jumps,
    "the machine sleeps": suspend,
    "a restart within one boot": restart,
    "the age of contact is kept": age_is_kept,
    "Expired is kept": expired_is_kept,
}
FAKED = {
    **{f"libfaketime, the clock starts in {year}": (lambda machine, year=year: a_year(machine, year)) for year in (1970, 2026, 2038, 2039, 2100)},
    "libfaketime, the clock leaps while the agent runs": jumps,
}


def run(name, case):
    home = os.path.join(HOME, re.sub(r"\W+", "-", name))
    shutil.rmtree(home, ignore_errors=True)
    os.makedirs(home)
    machine = (Faked if name in FAKED else Machine)(home)
    try:
        return case(machine)
    finally:
        machine.end()


def main():
    words = sys.argv[1:]
    return suite.run([(name, functools.partial(run, name, case)) for name, case in {**CASES, **FAKED}.items()
                      if not words or any(word in name for word in words)], BESIDE)


if __name__ == "__main__":
    sys.exit(main())
