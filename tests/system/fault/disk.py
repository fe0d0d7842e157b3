#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real agent on small disks that fill up, run out of inodes, become read-only, and on a budget of writes.

    filled      a path of the policy becomes Warning, Critical and fine again, with a condition and metrics
    inodes      the same file system has space, but no inodes
    read_only   it is remounted read-only, and writable again
    waits       a new release waits while the disk of its update root is critically full; the repair of the installed one does not
    reclaims    the agent removes old files of its own until the disk is below the warning level, in order, and no other file
    budget      beyond spec.disk.writeBudget a download waits, also after a restart; a repair does not
    damaged     a cached object that the disk has changed: a log line names it, it is set aside, and updates go on

Needs root for mounts; skips with a message without.
"""
import json
import os
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import node as fault  # noqa: E402
from node import say, wait  # noqa: E402

CASES = ("filled", "inodes", "read_only", "waits", "reclaims", "budget", "damaged")
MIB = 1 << 20
DAYS_AGO = 2 * 86400
WATCH_S = 25  # two intervals of 10 s, and a slow machine


def run(*argv):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(argv)}: {done.stdout.strip()}")


class Tmpfs:
    """A file system of its own; the page cache is its disk."""

    def __init__(self, path, size, more=""):
        os.makedirs(path, exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", f"size={size}{more}", "holdfast-fault", path)
        self.path = path

    def remount(self, how):
        run("mount", "-o", f"remount,{how}", self.path)

    def fill(self, name, size, age=0):
        """A file of this size below the file system; returns its path."""
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(b"\0" * size)
        then = time.time() - age
        os.utime(path, (then, then))
        return path

    def fill_up(self, percent):
        """A file that raises the use of the file system to this percentage; returns its path."""
        self.fill("ballast", 0)
        st = os.statvfs(self.path)
        want = st.f_blocks * percent // 100 - (st.f_blocks - st.f_bfree)
        return self.fill("ballast", max(want, 0) * st.f_frsize)

    def end(self):
        subprocess.run(["umount", "-l", self.path], check=False)


class Case:
    def __init__(self, name, server):
        self.home = os.path.join(fault.TOP, "build", "fault", "disk-" + name)
        self.server, self.node, self.disks = server, None, []

    def mount(self, path, size, more=""):
        self.disks.append(Tmpfs(path, size, more))
        return self.disks[-1]

    def begin(self, disk=None):
        self.node = fault.Node(self.home, self.server)
        if disk is not None:
            self.policy(disk)
        self.node.start_agent()
        wait("the first status", lambda: self.node.status().get("conditions"))

    def policy(self, disk):
        self.node.apply("policy", json.dumps({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy",
                                              "metadata": {"name": "site"}, "spec": {"interval": "10s", "disk": disk}}))

    def condition(self, kind):
        return next((c for c in self.node.status().get("conditions", []) if c["type"] == kind), {})

    def wait_reason(self, reason, words=""):
        """Wait for the reason of DiskPressure ("": no such condition) with these words in its message."""
        def there():
            self.node.alive()
            now = self.condition("DiskPressure")
            return now.get("reason", "") == reason and words in now.get("message", "")
        wait(f"DiskPressure {reason or 'gone'} '{words}' ({self.condition('DiskPressure')})", there, WATCH_S)
        return self.condition("DiskPressure")

    def row(self, path):
        return next((row for row in self.node.status().get("disk", []) if row["path"] == path), {})

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.node.metrics_port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name + " ")), None)

    def logged(self, word):
        with open(self.node.place("agent.log"), encoding="utf-8", errors="replace") as file:
            return [json.loads(line) for line in file if f'"{word}"' in line]

    def publish(self, sequence, artifact):
        self.node.apply("app", self.node.create("app", f"v{sequence}", sequence, artifact, service=False))

    def version(self, number, size=MIB):
        path = self.node.place("versions", f"v{number}")
        with open(path, "wb") as file:
            file.write(os.urandom(size))
        return path

    def wait_waiting(self, reason, words="", sequence=None):
        def there():
            self.node.alive()
            row = self.node.update("app")
            return (row.get("phase") == "Waiting" and row.get("reason") == reason and words in row.get("message", "")
                    and sequence in (None, row.get("sequence")))
        wait(f"Waiting {reason} ({self.node.update('app')})", there, WATCH_S)

    def end(self):
        if self.node is not None:
            self.node.end()
        for disk in reversed(self.disks):
            disk.end()


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def filled(case):
    data = os.path.join(case.home, "data")
    case.mount(case.home, "64m")  # how full the machine's own disk is must not matter
    case.begin()
    disk = case.mount(data, "8m")
    os.mkdir(data + "/same")
    case.policy({"paths": [data, data + "/gone", data + "/same"], "warnPercent": 60, "criticalPercent": 80})
    wait("the missing path", lambda: case.row(data + "/gone").get("level") == "Missing", WATCH_S)
    expect(not case.row(data), f"a disk that is fine is in the status: {case.node.status().get('disk')}")
    disk.fill_up(70)
    case.wait_reason("Warning", f"{data}: ")
    expect(case.row(data)["level"] == "Warning" and 69 <= case.row(data)["usedPercent"] <= 72, f"{case.row(data)}")
    disk.fill_up(90)
    case.wait_reason("Critical", "New releases that need this space wait")
    expect(case.metric(f'holdfast_disk_level{{path="{data}"}}') == 2, "the metric does not say Critical")
    here = [row for row in case.node.status()["disk"] if row["path"].startswith(data) and row["level"] != "Missing"]
    expect(len(here) == 1, f"a file system is there twice: {here}")
    os.unlink(os.path.join(data, "ballast"))
    case.wait_reason("")
    expect(case.metric(f'holdfast_disk_level{{path="{data}"}}') == 0, "the metric still says Critical")
    levels = [line["fullness"] for line in case.logged("disk.level") if line["path"] == data]
    expect(levels == ["Warning", "Critical", "Ok"], f"logged: {levels}")


def inodes(case):
    data = os.path.join(case.home, "data")
    case.mount(case.home, "64m")  # how full the machine's own disk is must not matter
    case.begin()
    disk = case.mount(data, "8m", ",nr_inodes=100")
    case.policy({"paths": [data]})
    for i in range(93):
        disk.fill(f"f{i}", 0)
    case.wait_reason("Critical", "% of the inodes are used")
    row = case.row(data)
    expect(row["inodesUsedPercent"] >= 93 and row["usedPercent"] < 10, f"{row}")
    expect(case.metric(f'holdfast_disk_inodes_used_ratio{{path="{data}"}}') >= 0.93, "the metric has no inodes")


def read_only(case):
    data = os.path.join(case.home, "data")
    case.mount(case.home, "64m")  # how full the machine's own disk is must not matter
    case.begin()
    disk = case.mount(data, "8m")
    case.policy({"paths": [data]})
    wait("the agent sees the path", lambda: case.metric(f'holdfast_disk_read_only{{path="{data}"}}') == 0, WATCH_S)
    disk.remount("ro")
    case.wait_reason("ReadOnly", f"{data}: the file system is read-only")
    expect(case.row(data)["readOnly"] and case.row(data)["level"] == "Critical", f"{case.row(data)}")
    expect(case.metric(f'holdfast_disk_read_only{{path="{data}"}}') == 1, "the metric does not say so")
    disk.remount("rw")
    case.wait_reason("")


def waits(case):
    disk = case.mount(case.home, "64m")
    case.begin({})
    case.publish(1, case.version(1))
    case.node.wait_end("app", 1)
    ballast = disk.fill_up(90)
    case.wait_reason("Critical")
    case.publish(2, case.version(2))
    case.wait_waiting("DiskSpaceLow", "critically full")
    with open(case.node.path, "wb") as file:
        file.write(b"somebody else")
    installed = fault.sha256(case.node.place("versions", "v1"))
    wait("the repair", lambda: fault.sha256(case.node.path) == installed, 4 * WATCH_S)
    os.unlink(ballast)
    case.wait_reason("")
    row = case.node.wait_end("app", 2, 4 * WATCH_S)
    expect(row["phase"] == "Committed", f"{row}")


def reclaims(case):
    disk = case.mount(case.home, "64m")
    case.begin({"warnPercent": 50, "criticalPercent": 60})
    old = [disk.fill("root/bin/.holdfast-ghost.part", 4 * MIB, DAYS_AGO), disk.fill("state/clock.damaged", 4 * MIB, DAYS_AGO),
           disk.fill("state/updates/x/journal.damaged", 4 * MIB, DAYS_AGO)]
    later = [disk.fill("state/cache/damaged/edgeupdate-x", 4 * MIB, DAYS_AGO)]
    kept = [disk.fill("root/bin/.holdfast-ghost.old", MIB, DAYS_AGO), disk.fill("root/bin/app.part", MIB, DAYS_AGO),
            disk.fill("state/policies.damaged", MIB), disk.fill("root/bin/.holdfast-x.part", MIB, DAYS_AGO),
            disk.fill("state/updates/x/journal", MIB, DAYS_AGO), disk.fill("other.damaged", MIB, DAYS_AGO)]
    os.symlink(kept[-1], disk.path + "/state/link.damaged")
    disk.fill_up(64)  # three files of 4 MiB bring it to 46 %
    case.wait_reason("Critical")
    expect(all(os.path.exists(path) for path in old + later + kept), "a file went although nobody asked for it")
    case.policy({"warnPercent": 50, "criticalPercent": 60, "reclaim": True})
    case.wait_reason("")
    expect(not any(os.path.exists(path) for path in old), f"left: {[p for p in old if os.path.exists(p)]}")
    expect(all(os.path.exists(path) for path in later), "the agent removed more than was needed")
    expect(all(os.path.exists(path) for path in kept), f"gone: {[p for p in kept if not os.path.exists(p)]}")
    logged = [line["path"] for line in case.logged("disk.reclaimed")]
    expect(logged == old, f"logged: {logged}")
    expect(case.metric('holdfast_disk_reclaimed_bytes_total{kind="downloads"}') == 4 * MIB, "the metric of downloads")
    expect(case.metric('holdfast_disk_reclaimed_bytes_total{kind="set-aside"}') == 8 * MIB, "the metric of set-aside files")


def budget(case):
    case.begin({"writeBudget": "8Mi"})
    case.publish(1, case.version(1, 6 * MIB))
    case.node.wait_end("app", 1)
    case.publish(2, case.version(2, 6 * MIB))              # the agent may see the used-up budget in the middle of it or after it
    wait("the budget is used up", lambda: case.logged("writes.budget_used"), WATCH_S)
    case.publish(3, case.version(3, MIB))
    case.wait_waiting("WriteBudgetUsed", sequence=3)
    writes = wait("the part writes", lambda: case.node.status().get("writes"))
    expect(writes["budgetBytes"] == 8 * MIB and writes["bytesToday"] >= 8 * MIB, f"{writes}")
    case.node.stop_agent()
    case.node.start_agent()
    wait("the budget is used up again", lambda: len(case.logged("writes.budget_used")) == 2, WATCH_S)
    case.wait_waiting("WriteBudgetUsed", sequence=3)
    installed = fault.sha256(case.node.path)
    with open(case.node.path, "wb") as file:
        file.write(b"somebody else")
    wait("the repair", lambda: fault.sha256(case.node.path) == installed, 4 * WATCH_S)
    case.policy({"writeBudget": "512Mi"})
    row = case.node.wait_end("app", 3, WATCH_S)
    expect(row["phase"] == "Committed", f"{row}")
    expect(case.metric('holdfast_writes_bytes_total{kind="updates"}') > MIB, "the metric does not count updates")


def damaged(case):
    case.begin({})
    case.publish(1, case.version(1))
    case.node.wait_end("app", 1)
    case.node.stop_agent()
    folder = case.node.place("state", "cache", "EdgeUpdate")
    names = [name for name in os.listdir(folder) if name.startswith("app")]
    with open(os.path.join(folder, names[0]), "r+b") as file:
        file.seek(-2, os.SEEK_END)
        file.write(b"\0")
    case.node.start_agent()
    line = wait("cache.damaged", lambda: case.logged("cache.damaged"), WATCH_S)[0]
    expect(line["entries"] == 1 and line["kind"] == "EdgeUpdate", f"{line}")
    expect(line["first"].startswith(f"'EdgeUpdate/{names[0]}': "), f"{line}")
    expect(os.listdir(case.node.place("state", "cache", "damaged")) == ["EdgeUpdate-" + names[0]], "it is not set aside")
    case.publish(2, case.version(2))
    case.node.wait_end("app", 2)


def can_mount():
    try:
        Tmpfs(os.path.join(fault.TOP, "build", "fault", "disk-probe"), "1m").end()
        return ""
    except OSError as error:
        return str(error)


def main():
    names = sys.argv[1:] or CASES
    trouble = can_mount()
    if trouble:
        say(f"SKIP: {', '.join(names)}: {trouble}")
        say(f"0 passed, 0 failed, {len(names)} skipped")
        return 0
    server, failed = fault.Artifacts(), 0
    for name in names:
        began, problem, case = time.monotonic(), "", Case(name, server)
        try:
            globals()[name](case)
        except (AssertionError, OSError, KeyError) as error:
            problem = repr(error)
            with open(case.node.place("agent.log"), encoding="utf-8", errors="replace") as file:
                problem += "\n        " + "        ".join(file.readlines()[-8:])
        finally:
            case.end()
        failed += bool(problem)
        say(f"  {'FAIL' if problem else 'ok  '}  {name}, {time.monotonic() - began:.1f} s")
        if problem:
            say(f"        {problem}")
    say(f"{len(names) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
