#!/usr/bin/env python3
"""clock.resync with a real chronyd: the agent asks it to step the clock.

    tests/system/fault/time_service.py

Runs as root in a mount and a network namespace of its own, without CAP_SYS_TIME: nothing here can set the machine's clock. chronyd runs
with -x: it follows its server, takes the command to step the clock, tries, and answers "500 Failure", because it may not. So the test shows
that the agent's command reaches chronyd and means a step, how often the agent asks, and what it says when chronyd refuses or is away. It
does not show a request that succeeds: only a machine whose clock may be set can show this. Skips without root and without chrony (on Debian the package replaces
systemd-timesyncd, so hack/setup.sh does not install it). Prints "N passed, N failed, N skipped" last."""
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from node import TOP, die_with_parent, say, wait  # noqa: E402
from wall_clock import PATIENCE_S, Machine  # noqa: E402

HOME = os.path.join(TOP, "build", "fault", "time_service")
INSIDE = "HF_TIME_SERVICE_INSIDE"
ASKED, FAILED = (f'holdfast_clock_resyncs_total{{result="{result}"}}' for result in ("asked", "failed"))


class Chronyd:
    """A time server that serves its own time, and the chronyd of this node, which follows that server."""

    def __init__(self, home):
        self.home, self.children = home, []
        self.start("server", "local stratum 3", "port 11123", "allow 127.0.0.1", f"bindcmdaddress {home}/server.sock", "cmdport 0")
        self.node = self.start("node", "server 127.0.0.1 port 11123 iburst minpoll -4 maxpoll 0", "port 0")

    def start(self, name, *lines):
        path = os.path.join(self.home, f"{name}.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join([*lines, f"pidfile {self.home}/{name}.pid", ""]))
        with open(os.path.join(self.home, f"{name}.log"), "wb") as log:
            child = subprocess.Popen(["/usr/sbin/chronyd", "-x", "-d", "-u", "root", "-f", path], stdin=subprocess.DEVNULL, stdout=log,
                                     stderr=log, preexec_fn=die_with_parent)
        self.children.append(child)
        return child

    @staticmethod
    def ask(*words):
        return subprocess.run(["/usr/bin/chronyc", *words], capture_output=True, text=True, check=False, timeout=30).stdout

    def steps(self):
        """How often the chronyd of this node was told to step the clock."""
        with open(os.path.join(self.home, "node.log"), encoding="utf-8", errors="replace") as file:
            return file.read().count("Could not step system clock")

    def end(self):
        for child in self.children:
            child.kill()
            child.wait()


def failures(machine):
    """The agent's log about requests that failed."""
    with open(machine.node.place("agent.log"), encoding="utf-8", errors="replace") as file:
        return [line for line in file.read().splitlines() if "clock.resync_failed" in line]


def reconnects(machine, seconds=4):
    """Some answers with a Date arrive."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        machine.api.end_watches()
        time.sleep(0.5)


def resync(machine, chronyd):
    wait("a chronyd that follows its server", lambda: "127.0.0.1" in chronyd.ask("-n", "tracking"), PATIENCE_S)
    machine.api.put({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "fast"},
                     "spec": {"interval": "10s", "retryInterval": "1s", "clock": {"maxSkew": "5m", "resync": True}}})
    machine.start()
    wait("contact", lambda: machine.contact() == "Fresh", PATIENCE_S)
    reconnects(machine)
    assert not machine.metric(ASKED), "the agent asked although the clock is right"
    assert not machine.metric(FAILED), "the agent asked although the clock is right"
    machine.wall(1200, synced=False)
    machine.api.end_watches()
    wait("the request", lambda: machine.metric(FAILED) == 1, PATIENCE_S)
    assert chronyd.steps() == 1, f"chronyd got {chronyd.steps()} commands to step the clock"
    assert "500 Failure" in failures(machine)[-1] and "makestep" in failures(machine)[-1], failures(machine)
    reconnects(machine, 8)
    assert machine.metric(FAILED) == 1, "the agent asks more often than once an hour"
    machine.sleep(3601)
    machine.wall(1200 - machine.slept_s, synced=False)
    machine.api.end_watches()
    wait("the request of the next hour", lambda: machine.metric(FAILED) == 2, PATIENCE_S)
    assert chronyd.steps() == 2, f"chronyd got {chronyd.steps()} commands to step the clock"
    chronyd.node.kill()
    chronyd.node.wait()
    machine.sleep(3601)
    machine.wall(1200 - machine.slept_s, synced=False)
    machine.api.end_watches()
    wait("a request while chronyd is away", lambda: machine.metric(FAILED) == 3, PATIENCE_S)
    assert "506" in failures(machine)[-1], failures(machine)
    assert not machine.metric(ASKED), "a request that failed counts as one that did not"
    return "3 requests in 3 hours: " + "; ".join(re.search(r"makestep' exited[^\"]*", line)[0][:50].strip() for line in failures(machine))


def inside():
    """In the namespaces: a folder of its own for the socket of chronyd, a loopback interface, no right to set a clock."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0750", "tmpfs", "/run"], check=True)
    os.makedirs("/run/chrony", mode=0o750)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    shutil.rmtree(HOME, ignore_errors=True)
    os.makedirs(HOME)
    chronyd, machine = Chronyd(HOME), Machine(os.path.join(HOME, "machine"))
    try:
        say(f"  ok    clock.resync with chronyd: {resync(machine, chronyd)}")
    except (AssertionError, OSError) as problem:
        say(f"  FAIL  clock.resync with chronyd: {problem}")
        return 1
    finally:
        machine.end()
        chronyd.end()
    return 0


def main():
    if os.environ.get(INSIDE):
        with open("/proc/self/status", encoding="ascii") as file:
            rights = next(int(line.split()[1], 16) for line in file if line.startswith("CapBnd"))
        assert not rights >> 25 & 1, "this process may set the clock"
        return inside()
    if os.geteuid() != 0 or not shutil.which("/usr/sbin/chronyd"):
        say("  skip  clock.resync with chronyd: needs root and Debian's chrony")
        say("0 passed, 0 failed, 1 skipped")
        return 0
    done = subprocess.run(["unshare", "--mount", "--net", "setpriv", "--bounding-set=-sys_time", "--inh-caps=-sys_time", sys.executable,
                           os.path.abspath(__file__)], env=dict(os.environ, **{INSIDE: "1"}), check=False)
    say(f"{int(done.returncode == 0)} passed, {int(done.returncode != 0)} failed, 0 skipped")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
