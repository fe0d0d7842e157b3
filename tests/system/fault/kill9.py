#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the real agent at random moments of updates.

    tests/system/fault/kill9.py [--kills N] [--seed S] [--home DIR]      default: 25 kills in the middle of an update

Runs updates of several kinds one after the other (delta, whole file, compressed file, unhealthy release, first install, tree). Kills
the agent one to four times in each, at a random moment or when its journal enters a chosen phase, and starts it again. A watcher
reads the target all the time.

Always: the target is one of the two whole files. In the end: the right phase for the release, the right file in place, the service
runs it, and no files remain. Three starts during probation end in a rollback (NoVerdict), so a good release may be RolledBack then.
Prints "N passed, N failed, N skipped" (one for each update) and the phases of the kills last.
"""
import argparse
import collections
import os
import random
import shutil
import sys
import threading
import time
import urllib.request

import node as fault
from node import sha256, say, wait

PHASES = ("Waiting", "Fetching", "Patching", "Verified", "Swapping", "Probation", "RollingBack")


class Watcher:
    """Reads the target all the time; records every content that is not allowed at that moment."""

    def __init__(self, path):
        self.path, self.allowed, self.bad, self.looks = path, {sha256(path)}, [], 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            before = frozenset(self.allowed)
            now = sha256(self.path)
            if now not in before and now not in self.allowed:
                self.bad.append(now)
            self.looks += 1
            time.sleep(0.003)


class Rounds:
    def __init__(self, node, rng):
        self.node, self.rng = node, rng
        self.sequence, self.kills = 0, 0
        self.hit = collections.Counter()
        self.files = {"v1": node.build("1.0.0", 1), "v2": node.build("2.0.0", 2), "broken": node.build("6.6.6", 3, "-DBROKEN")}
        self.tree = node.place("root", "site", "current")
        for version in ("t1", "t2"):
            folder = node.place("versions", version)
            os.makedirs(os.path.join(folder, "bin"))
            shutil.copy(self.files["v1" if version == "t1" else "v2"], os.path.join(folder, "bin", "tool"))
            with open(os.path.join(folder, "VERSION"), "w", encoding="utf-8") as file:
                file.write(version)
            os.symlink("tool", os.path.join(folder, "bin", "alias"))
        self.installed, self.tree_installed = "v1", None

    # ---- kinds: each makes the object and returns the contents allowed at the path, meanwhile and in the end ---------------

    def file_release(self, new, *more, old=None):
        self.sequence += 1
        text = self.node.create("app", f"{self.sequence}.0.0", self.sequence, self.files[new], old=old, more=more,
                                deadline="10s" if new != "broken" else "1s")
        self.node.apply("app", text)
        return "app", self.node.path, sha256(self.files[self.installed]), sha256(self.files[new]), new != "broken"

    def other(self):
        return "v2" if self.installed == "v1" else "v1"

    def by_delta(self):
        return self.file_release(self.other(), old=self.files[self.installed])

    def whole(self):
        return self.file_release(self.other())

    def packed(self):
        return self.file_release(self.other(), "--zst")

    def unhealthy(self):
        return self.file_release("broken", old=self.files[self.installed])

    def first_install(self):
        """A program with a new name each time, in a folder that does not exist yet."""
        self.sequence += 1
        name, path = f"tool-{self.sequence}", self.node.place("root", "new", str(self.sequence), "tool")
        good = self.rng.random() < 0.5
        check = ("--health-exec", "/bin/true" if good else "/bin/false", "--health-threshold", "1", "--health-deadline", "1s")
        self.node.apply(name, self.node.create(name, "1.0.0", self.sequence, self.files["v2"], path=path, more=check, service=False))
        return name, path, None, sha256(self.files["v2"]), good

    def as_tree(self):
        self.sequence += 1
        new = "t2" if self.tree_installed == "t1" else "t1"
        check = ("--health-exec", "/usr/bin/test", "--health-exec", "-x", "--health-exec", os.path.join(self.tree, "bin", "alias"),
                 "--health-threshold", "1", "--health-deadline", "5s")
        self.node.apply("site", self.node.create("site", f"{self.sequence}.0.0", self.sequence, self.node.place("versions", new),
                                                 path=self.tree, more=check, service=False))
        old = sha256(self.files["v1" if self.tree_installed == "t1" else "v2"]) if self.tree_installed else None
        return "site", os.path.join(self.tree, "bin", "tool"), old, sha256(self.files["v1" if new == "t1" else "v2"]), True

    # ---- one update -----------------------------------------------------------------------------------------------------

    def under_way(self, name):
        phase, sequence = self.node.journal(name)
        return sequence == self.sequence and phase not in fault.ENDS

    def disturb(self, name):
        """Kill once during the update: at a random moment, or when the journal enters a phase."""
        end = time.monotonic() + 3
        while not self.under_way(name) and self.node.journal(name)[1] != self.sequence and time.monotonic() < end:
            time.sleep(0.001)
        if self.rng.random() < 0.5:
            time.sleep(self.rng.expovariate(1 / 0.2))
        else:
            phase = self.rng.choice(PHASES)
            while self.under_way(name) and self.node.journal(name)[0] != phase and time.monotonic() < end:
                time.sleep(0.0005)
            time.sleep(self.rng.random() * 0.02)
        in_the_middle = self.under_way(name)
        self.node.kill_agent()
        self.kills += in_the_middle
        self.hit[self.node.journal(name)[0] if in_the_middle else "too late"] += 1

    def check_end(self, name, path, old, new, good, watcher):
        row = self.node.wait_end(name, self.sequence)
        problems = []
        no_verdict = row["reason"] == "NoVerdict"
        if row["phase"] != ("Committed" if good else "RolledBack") and not (good and no_verdict):
            problems.append(f"ended {row['phase']} {row['reason']}: {row['message']}")
        now = sha256(path)
        if now != (new if row["phase"] == "Committed" else old):
            problems.append(f"{row['phase']} with {now} at the path")
        if watcher.bad:
            problems.append(f"the path held {watcher.bad[:3]}")
        problems += [f"left behind: {path}" for path in self.node.wait_clean()]
        if row["phase"] == "RolledBack" and old is None and os.path.exists(os.path.dirname(path)):
            problems.append("the folder made for it is still there")
        return row, problems

    def service_runs(self):
        def runs():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.node.port}/version", timeout=1) as answer:
                    return answer.read().decode().split()[1]
            except OSError:
                return None
        wanted = {"v1": "1.0.0", "v2": "2.0.0"}[self.installed]
        try:
            wait("the service", lambda: runs() == wanted, 20)
        except AssertionError:
            return [f"the service runs {runs()}, installed is {wanted}"]
        return []

    def one(self, watcher):
        kind = self.rng.choice((self.by_delta, self.by_delta, self.whole, self.packed, self.unhealthy, self.first_install, self.as_tree))
        self.node.server.rate = self.rng.choice((0, 1500000, 4000000))
        watcher.allowed = {sha256(self.files["v1"]), sha256(self.files["v2"]), sha256(self.files["broken"])}
        before = self.kills
        name, path, old, new, good = kind()
        if path == self.node.path:
            watcher.allowed = {old, new}
        for _ in range(self.rng.randint(1, 4)):
            self.disturb(name)
            self.node.start_agent()
        row, problems = self.check_end(name, path, old, new, good, watcher)
        if name == "app" and row["phase"] == "Committed":
            self.installed = self.other()
        if name == "site" and row["phase"] == "Committed":
            self.tree_installed = "t2" if self.tree_installed == "t1" else "t1"
        if name == "app":
            problems += self.service_runs()
        if name not in ("app", "site"):
            self.node.remove(name)
        told = f"{kind.__name__} {self.sequence}: {self.kills - before} kills, {row['phase']} {row['reason']}"
        return told, problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=20261120)
    parser.add_argument("--home", default=os.path.join(fault.TOP, "build", "fault", "kill9"))
    words = parser.parse_args()
    rng = random.Random(words.seed)
    node = fault.Node(words.home, fault.Artifacts())
    passed = failed = 0
    started = time.monotonic()
    try:
        rounds = Rounds(node, rng)
        shutil.copy(rounds.files["v1"], node.path)
        watcher = Watcher(node.path)
        node.start_service()
        node.start_agent()
        while rounds.kills < words.kills:
            told, problems = rounds.one(watcher)
            passed, failed = passed + (not problems), failed + bool(problems)
            if problems or words.kills <= 50:
                say(f"  {'FAIL' if problems else 'ok  '}  {told}")
            for problem in problems:
                say(f"        {problem}")
            if problems:
                break  # later updates would start from a wrong state
        node.stop_agent()
    finally:
        node.end()
    say(f"{rounds.kills} kills in {time.monotonic() - started:.0f} s, seed {words.seed}; {watcher.looks} looks at the target; journal at the "
        f"kill: {', '.join(f'{phase} {n}' for phase, n in rounds.hit.most_common())}")
    say(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
