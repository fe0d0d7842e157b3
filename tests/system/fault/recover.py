#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`holdfast recover` of the built programs on a node whose artifact server is gone, that a real agent has left.

    beside    a running agent puts back, and the command waits for it; a frozen agent keeps its locks: exit code 6, nothing touched
    alone     no agent: kill -9 at random times during --put leaves the old file, none, or the new one, and the next --put ends what is left;
              a torn journal does not matter; without `committed`, or without the key, nothing is put back; the next agent fetches nothing

    tests/system/fault/recover.py [WORD...]      only the cases whose name contains one of the words

Prints "N passed, N failed, N skipped" last."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from node import PROGRAMS, TOP, Artifacts, Node, say, sha256, wait  # noqa: E402

HOME = os.path.join(TOP, "build", "fault", "recover")
TURNS = 12
POLICY = """apiVersion: edge.codcompass.io/v1alpha1
kind: SyncPolicy
metadata: {name: policy}
spec:
  nodeSelector: {}
  interval: 5m
  retain: {current: true, previous: true}
  disk: {warnPercent: 99, criticalPercent: 100}  # what this machine's disk holds is not the test's matter
"""


class Site:
    """Two releases, a file and a tree, are committed; then the server goes."""

    def __init__(self, name):
        self.node = node = Node(os.path.join(HOME, name), Artifacts())
        self.file, self.link = node.place("root", "file", "program"), node.place("root", "tree", "current")
        self.inside = os.path.join(self.link, "lib", "a")
        node.apply("policy", POLICY)
        node.start_agent()
        one, tree = node.place("versions", "file-1"), node.place("versions", "tree-1")
        os.makedirs(os.path.join(tree, "lib"))
        for path in (one, os.path.join(tree, "run"), os.path.join(tree, "lib", "a")):
            with open(path, "wb") as file:
                file.write(os.urandom(1 << 18))
        self.want = {self.file: sha256(one), self.inside: sha256(os.path.join(tree, "lib", "a"))}
        for name_, source, path in (("file", one, self.file), ("tree", tree, self.link)):
            node.apply(name_, node.create(name_, "1.1", 1, source, path=path, service=False))
        for name_ in ("file", "tree"):
            row = node.wait_end(name_, 1)
            assert row["phase"] == "Committed", row
        wait("both are kept", lambda: all(row["kept"]["state"] == "Right" for row in self.json()[1]["releases"]), 30)
        node.server.shutdown()
        node.server.server_close()

    def argv(self, *words):
        return [os.path.join(PROGRAMS, "holdfast"), "recover", "--state-dir", self.node.place("state"), "--trust-dir",
                self.node.place("trust.d"), "--update-root", self.node.place("root"), *words]

    def run(self, *words):
        done = subprocess.run(self.argv(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout

    def json(self, *words):
        done = subprocess.run(self.argv("-o", "json", *words), stdout=subprocess.PIPE, text=True, check=False)
        return done.returncode, json.loads(done.stdout)

    def row(self, name):
        return next(row for row in self.json()[1]["releases"] if row["name"] == name)

    def state(self, *names):
        return self.node.place("state", "updates", *names)

    def put(self, name):
        code, said = self.run("--put", name)
        assert code == 0, (code, said)

    def told(self):
        return self.node.holdfast("node", "journal", "--state-dir", self.node.place("state")).count("put back by holdfast recover")

    def is_right(self):
        return all(sha256(path) == want for path, want in self.want.items())

    def break_one(self, turn):
        """Returns the name of the release."""
        if turn % 4 == 0:
            os.unlink(self.file)
        elif turn % 4 == 1:
            with open(self.file, "r+b") as file:
                file.write(b"stray")
        else:
            os.unlink(self.link if turn % 4 == 2 else self.inside)
        return "file" if turn % 4 < 2 else "tree"

    def expect_whole(self, before):
        """Each path is as it was, or right."""
        for path, want in self.want.items():
            assert sha256(path) in (want, before[path]), f"{path} is neither the old one nor the committed one"


def beside(site):
    node = site.node
    code, report = site.json()
    assert code == 0 and report["agent"] == "Running", report
    os.unlink(site.file)
    site.put("file")
    assert site.is_right()
    wait("at rest", lambda: node.update("file").get("phase") == "Committed")
    os.kill(node.agent.pid, signal.SIGSTOP)
    try:
        os.unlink(site.file)
        code, said = site.run("--put", "file", "--timeout", "300ms")
        assert code == 6 and "does it itself" in said and not os.path.exists(site.file), (code, said)
    finally:
        os.kill(node.agent.pid, signal.SIGCONT)
    site.put("file")
    assert site.is_right()
    wait("at rest", lambda: node.update("file").get("phase") == "Committed")


def cuts(site):
    """kill -9 at random times of --put."""
    os.unlink(site.file)
    begun = time.monotonic()
    site.put("file")
    took, cut = time.monotonic() - begun, 0
    for turn in range(TURNS):
        name = site.break_one(turn)
        before = {path: sha256(path) for path in site.want}
        assert site.row(name)["installed"]["state"] == "Wrong", name
        told = site.told()
        child = subprocess.Popen(site.argv("--put", name), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0, took))
        child.kill()
        if child.wait() == -signal.SIGKILL:
            cut += 1
        else:                                # the machine is faster now than when the first one was timed
            took *= 0.8
        site.expect_whole(before)
        if site.row(name)["installed"]["state"] == "Right":
            assert site.told() > told, "the journal does not know who put it back"
        else:
            site.put(name)
        assert site.is_right(), name
    say(f"    {TURNS} times put back, of which {cut} were cut")
    assert cut > TURNS // 3, "hardly a kill came in time"


def damage(site):
    """The state folder lacks and tears files; a key is gone."""
    node = site.node
    with open(site.state("file", "journal"), "w", encoding="utf-8") as file:
        file.write("torn")
    shutil.rmtree(node.place("state", "status"))
    os.unlink(site.file)
    code, said = site.run()
    assert code == 4 and "file: journal: " in said and "file: installed: it is missing" in said, (code, said)
    site.put("file")
    os.unlink(site.link)
    os.rename(site.state("tree", "committed"), node.place("committed"))
    os.rename(site.state("tree", "journal"), node.place("journal"))
    code, said = site.run("--put", "tree")
    assert code == 3 and "no signed release says" in said and not os.path.lexists(site.link), (code, said)
    os.rename(node.place("committed"), site.state("tree", "committed"))
    os.rename(node.place("trust.d", "k1.pem"), node.place("k1.pem"))
    code, said = site.run("--put", "tree")
    assert code == 3 and "does not accept the signature" in said and not os.path.lexists(site.link), (code, said)
    os.rename(node.place("k1.pem"), node.place("trust.d", "k1.pem"))
    site.put("tree")
    assert site.is_right()


def alone(site):
    node = site.node
    node.stop_agent()
    code, said = site.run()
    assert code == 0 and "agent: Stopped" in said and said.count("Valid") == 2, (code, said)
    if os.geteuid() == 0:  # else it is root that is missing
        argv = site.argv("--put", "file")
        argv[argv.index("--update-root") + 1] = "/opt"
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert done.returncode == 1 and "is not below an allowed root" in done.stdout and "only root" not in done.stdout, done.stdout
    random.seed(11)
    cuts(site)
    damage(site)
    words = ("node", "journal", "--state-dir", node.place("state"))
    journal = node.holdfast(*words)
    assert journal.count("put back by holdfast recover") >= 3 and "update/tree@1.1" in journal, journal
    node.holdfast(*words, "--verify")
    node.start_agent()
    for name in ("file", "tree"):
        row = node.wait_end(name, 1)
        assert row["phase"] == "Committed" and row.get("bytesFetched", 0) == 0, row
    node.holdfast(*words, "--verify")
    os.unlink(site.state("file", "journal.damaged"))  # the torn one, set aside
    left = node.wait_clean()
    assert not left, left


CASES = (beside, alone)


def main():
    words, failed, passed = sys.argv[1:], 0, 0
    begun, site = time.monotonic(), Site("site")
    try:
        for case in CASES:
            if words and not any(word in case.__name__ for word in words):
                continue
            say(case.__name__)
            try:
                case(site)
                passed += 1
            except AssertionError as why:
                say(f"  FAILED: {why}")
                failed += 1
                break
    finally:
        site.node.end()
    say(f"    {time.monotonic() - begun:.1f} s")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
