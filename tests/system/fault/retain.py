#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Repairs, goes down and goes back without a network: the artifact server is gone, somebody removes and replaces installed files (100 times, of
files and of trees) or changes them in place (on btrfs and xfs, whose reflinks keep them), and a signed release wants the content of the version
before. The policy's interval is 5 minutes, so only watches find what happened in time.

    tests/system/fault/retain.py [WORD...]      only the cases whose name contains one of the words

Prints "N passed, N failed, N skipped" last."""
import json
import os
import random
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from node import PROGRAMS, TOP, Artifacts, Node, say, sha256, wait  # noqa: E402
import suite  # noqa: E402
from lab import metric  # noqa: E402

HOME = os.path.join(TOP, "build", "fault", "retain")
FILES, TREES, ROUNDS = 24, 10, 3  # 102 repairs; a release's first three repairs have no pause
WITHIN_S = 2.0
BACK_S = 5.0
DISK_BYTES, CLONED_BYTES = 320 << 20, 1 << 9  # a file has 5,000 times twice the latter
POLICY = """apiVersion: edge.codcompass.io/v1alpha1
kind: SyncPolicy
metadata: {name: policy}
spec:
  nodeSelector: {}
  interval: 5m
  retain: {previous: true}
  disk: {warnPercent: 99, criticalPercent: 100}  # what this machine's disk holds is not the test's matter
"""


class Site:
    def __init__(self, name, disk=None):
        self.node = Node(os.path.join(HOME, name), Artifacts())
        if disk is not None:
            disk.mount()
        self.want = {}
        self.node.apply("policy", POLICY)
        self.node.start_agent()

    def file(self, name, text, sequence=1, more=()):
        """Publishes a file; returns the path at which it is to be."""
        source, path = self.node.place("versions", f"{name}-{sequence}"), self.node.place("root", name, "program")
        with open(source, "wb") as file:
            file.write(text.encode() * 5000)
        self.want[path] = sha256(source)
        self.node.apply(name, self.node.create(name, f"1.{sequence}", sequence, source, path=path, service=False, more=more))
        return path

    def tree(self, name, text, sequence=1, more=()):
        """Publishes a folder; returns the path of a file in it."""
        source, path = self.node.place("versions", f"{name}-{sequence}"), self.node.place("root", name, "current")
        os.makedirs(os.path.join(source, "lib", "deep"))
        for part in ("run", "lib/a", "lib/deep/b"):
            with open(os.path.join(source, part), "wb") as file:
                file.write((text + part).encode() * 1000)
        inside = os.path.join(path, "lib", "a")
        self.want[inside] = sha256(os.path.join(source, "lib", "a"))
        self.node.apply(name, self.node.create(name, f"1.{sequence}", sequence, source, path=path, service=False, more=more))
        return inside

    def lose_server(self):
        """Every request is refused, and asking would show in bytesFetched and in the log."""
        self.node.server.shutdown()
        self.node.server.server_close()

    def is_right(self, path):
        return sha256(path) == self.want[path]

    def expect_no_bytes(self, name):
        row = self.node.update(name)
        if row.get("bytesFetched", 0) != 0 or row.get("method") != "Kept":
            raise AssertionError(f"{name} fetched: {row}")


def break_one(path, round_):
    """Removes, replaces by a rename, or removes and writes anew; returns when it was done."""
    if round_ % 3 == 0:
        os.unlink(path)
    elif round_ % 3 == 1:
        other = path + ".stray"
        with open(other, "w", encoding="utf-8") as file:
            file.write("stray")
        os.rename(other, path)
    else:
        os.unlink(path)
        with open(path, "w", encoding="utf-8") as file:
            file.write("another")
    return time.monotonic()


def repairs():
    site = Site("repairs")
    node, paths = site.node, {}
    try:
        for i in range(FILES):
            paths[f"file-{i}"] = site.file(f"file-{i}", f"content of file {i} ")
        for i in range(TREES):
            paths[f"tree-{i}"] = site.tree(f"tree-{i}", f"content of tree {i} ")
        for name, path in paths.items():
            node.wait_end(name, 1)
            assert site.is_right(path), path
        site.lose_server()
        times = []
        for round_ in range(ROUNDS):
            for i, (name, path) in enumerate(paths.items()):
                wait(f"{name} at rest", lambda name=name: node.update(name).get("phase") == "Committed")
                begun = break_one(path, round_ + i)
                wait(f"{path} is back", lambda path=path: site.is_right(path), 20, 0.005)
                times.append(time.monotonic() - begun)
        for name in paths:
            wait(f"{name} committed", lambda name=name: node.update(name).get("phase") == "Committed")
            site.expect_no_bytes(name)
        worst = max(times)
        say(f"    {len(times)} removals and replacements: worst {worst * 1000:.0f} ms, median {sorted(times)[len(times) // 2] * 1000:.0f} ms")
        assert worst < WITHIN_S, f"the slowest took {worst:.1f} s"
    finally:
        node.end()


def whole_link_and_folder():
    """The link of a tree, and a folder in it, go as a whole."""
    site = Site("link")
    node = site.node
    try:
        inside = site.tree("app", "text ")
        node.wait_end("app", 1)
        site.lose_server()
        begun = time.monotonic()
        os.unlink(node.place("root", "app", "current"))
        wait("the link is back", lambda: site.is_right(inside), 20, 0.005)
        first, begun = time.monotonic() - begun, time.monotonic()
        wait("at rest", lambda: node.update("app").get("phase") == "Committed")
        shutil.rmtree(os.path.dirname(inside))
        begun = time.monotonic()
        wait("the folder is back", lambda: site.is_right(inside), 20, 0.005)
        second = time.monotonic() - begun
        say(f"    the link {first * 1000:.0f} ms, a folder {second * 1000:.0f} ms")
        assert max(first, second) < WITHIN_S
    finally:
        node.end()


def down():
    """A release of N-1's content, signed to follow N, fetches nothing."""
    site = Site("down")
    node = site.node
    try:
        for make, name in ((site.file, "file"), (site.tree, "tree")):
            make(name, "first ", 1)
            node.wait_end(name, 1)
            make(name, "second ", 2)
            node.wait_end(name, 2)
        site.lose_server()
        for name in ("file", "tree"):
            source = node.place("versions", f"{name}-1")
            path = node.place("root", name, "program" if name == "file" else "current")
            text = node.create(name, "1.0-again", 3, source, path=path, service=False)
            begun = time.monotonic()
            node.apply(name, text)
            row = node.wait_end(name, 3)
            assert row["phase"] == "Committed", row
            site.expect_no_bytes(name)
            say(f"    {name}: {(time.monotonic() - begun) * 1000:.0f} ms, 0 bytes")
    finally:
        node.end()


def while_down():
    """What went while no agent ran is back soon after the next one starts, with the server gone; then watches see it again."""
    site = Site("while-down")
    node = site.node
    try:
        paths = {"file": site.file("file", "text of a file "), "tree": site.tree("tree", "text of a tree ")}
        links = {"file": paths["file"], "tree": node.place("root", "tree", "current")}
        for name in paths:
            node.wait_end(name, 1)
        site.lose_server()
        for round_ in range(2):
            node.kill_agent()
            for path in links.values() if round_ == 0 else paths.values():
                os.unlink(path)
            node.start_agent()
            begun = time.monotonic()
            for name, path in paths.items():
                wait(f"{path} is back", lambda path=path: site.is_right(path), 20, 0.005)
                say(f"    {name}: {(time.monotonic() - begun) * 1000:.0f} ms after the start")
                assert time.monotonic() - begun < BACK_S
            for name in paths:
                wait(f"{name} repaired", lambda name=name: node.update(name).get("method") == "Kept" and node.update(name).get("phase") == "Committed")
                site.expect_no_bytes(name)
        os.unlink(paths["file"])
        wait("the watch is there", lambda: site.is_right(paths["file"]), 20, 0.005)
    finally:
        node.end()


def run_local(node, *words):
    """`holdfast rollback --local`: exit code, what it says, and the time that it takes."""
    begun = time.monotonic()
    done = subprocess.run([os.path.join(PROGRAMS, "holdfast"), "rollback", "--local", *words, "--state-dir", node.place("state")],
                          text=True,
                          capture_output=True, check=False)
    return done.returncode, done.stdout + done.stderr, time.monotonic() - begun


def back_above_the_level(site):
    """What was not kept because the disk was too full is refused for that."""
    node = site.node

    def levels():
        with open(node.log.name, encoding="utf-8") as file:
            return [json.loads(line)["fullness"] for line in file if '"disk.level"' in line]

    node.apply("policy", POLICY.replace("warnPercent: 99", "warnPercent: 1"))  # first: it is read with the release at the latest
    site.file("tight", "second ", 2)
    node.wait_end("tight", 2)
    code, said, _ = run_local(node, "tight")
    assert code == 3 and "1.1: the disk is above disk.warnPercent" in said and "retain.previous" not in said, (code, said)
    node.apply("policy", POLICY)
    wait("the disk to be below its level", lambda: levels()[-1] == "Ok")


def back():
    """The site goes back to the version before and forward again, with the server gone; kill -9 does not end its order."""
    site = Site("back")
    node = site.node
    try:
        old = {}
        for sequence, text in enumerate(("first ", "second "), 1):
            paths = {"file": site.file("file", text, sequence), "tree": site.tree("tree", text, sequence)}
            if sequence == 1:
                site.file("tight", text, 1)
            for name, path in paths.items():
                node.wait_end(name, sequence)
                old.setdefault(name, (path, sha256(path)))
        node.wait_end("tight", 1)
        node.apply("other", node.create("other", "1.0", 1, node.place("versions", "file-1"), path=node.place("root", "other"), service=False))
        node.wait_end("other", 1)
        back_above_the_level(site)
        site.lose_server()
        for name, (path, first) in old.items():
            code, said, took = run_local(node, name, "--reason", "line 3 stops")
            assert code == 0 and "0 bytes fetched" in said, (code, said)
            assert sha256(path) == first, said
            say(f"    {name}: {took * 1000:.0f} ms: {said.strip()}")
            assert took < BACK_S, took
            row = wait(f"{name} held back", lambda name=name: node.update(name) if node.update(name).get("reason") == "HeldBack" else None)
            assert row["phase"] == "Waiting" and row["sequence"] == 2 and row["installedVersion"] == "1.1", row
            assert "line 3 stops" in row["message"] and row.get("bytesFetched", 0) == 0, row
            code, said, _ = run_local(node, name)
            assert code == 3 and "gone back to 1.1 already" in said, (code, said)
            wait(f"{name} in the node's journal", lambda name=name: any(
                f"update/{name}@1.2" in line and "HeldBack" in line
                for line in node.holdfast("node", "journal", "--state-dir", node.place("state")).splitlines()))
        code, said, _ = run_local(node, "other")
        assert code == 3 and "no version before" in said and "retain.previous" in said, (code, said)
        node.kill_agent()
        node.start_agent()
        wait("the next agent watches", lambda: metric(node.metrics_port, 'holdfast_contact_state{state="Fresh"}') == 1)
        for name, (path, first) in old.items():
            wait(f"{name} held back", lambda name=name: node.update(name).get("reason") == "HeldBack")
            os.unlink(path)
            wait(f"{path} is back", lambda path=path, first=first: sha256(path) == first, 20)
            wait(f"{name} held back", lambda name=name: node.update(name).get("reason") == "HeldBack")
        for name, (path, _) in old.items():
            code, said, took = run_local(node, name, "--undo")
            assert code == 0 and site.is_right(path), (code, said)
            say(f"    {name}: forward in {took * 1000:.0f} ms")
            assert node.update(name).get("bytesFetched", 0) == 0
    finally:
        node.end()


class Disk:
    """A file system in a file, as the install root of a site's node."""

    def __init__(self, kind):
        self.image, self.point = os.path.join(HOME, kind + ".img"), os.path.join(HOME, kind, "root")
        self.umount()                          # what a killed run left
        os.makedirs(HOME, exist_ok=True)
        with open(self.image, "wb") as file:
            file.truncate(DISK_BYTES)
        subprocess.run(("mkfs." + kind, "-q", self.image), check=True, capture_output=True)

    def mount(self):
        subprocess.run(("mount", "-o", "loop", self.image, self.point), check=True, capture_output=True)

    def umount(self):
        subprocess.run(["umount", "--lazy", self.point], check=False, capture_output=True)
        if os.path.exists(self.image):
            os.unlink(self.image)

    def used(self):
        subprocess.run(["sync", "-f", self.point], check=True)
        seen = os.statvfs(self.point)
        return (seen.f_blocks - seen.f_bfree) * seen.f_frsize


def cloned(kind):
    """Where the file system has reflinks, what is kept costs nothing, and is whole after the installed file was changed in place."""
    if os.geteuid() != 0 or shutil.which("mkfs." + kind) is None or not os.path.exists("/dev/loop-control"):
        raise suite.Skip(f"needs root, mkfs.{kind} and loop devices")
    disk = Disk(kind)
    site = None
    try:
        site = Site(kind, disk)
        node, before = site.node, disk.used()
        content = random.Random(4).randbytes(CLONED_BYTES).hex()
        paths = {"file": site.file("file", content), "tree": site.tree("tree", content)}
        size = sum(os.stat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(node.place("versions")) for name in names)
        for name in paths:
            node.wait_end(name, 1)
        wait("both to be kept by reflinks", lambda: [sorted(end for _, end in map(os.path.splitext, os.listdir(folder))) for folder, _, _ in os.walk(disk.point)
                                                     if folder.endswith(".kept")] == [[".clone"]] * 2)
        wait("the blocks to be shared", lambda: disk.used() - before < size * 1.1)
        say(f"    {kind}: {size} bytes installed and kept take {disk.used() - before}")
        site.lose_server()
        for name, path in paths.items():
            with open(path, "r+b") as file:
                file.seek(4096)
                file.write(b"changed in place")
            begun = time.monotonic()
            wait(f"{path} is back", lambda path=path: site.is_right(path), 20, 0.005)
            say(f"    {kind}: a {name} changed in place: {(time.monotonic() - begun) * 1000:.0f} ms")
            wait(f"{name} repaired", lambda name=name: node.update(name).get("method") == "Kept" and node.update(name).get("phase") == "Committed")
            site.expect_no_bytes(name)
    finally:
        if site is not None:
            site.node.end()
        disk.umount()


def reflinks_btrfs():
    cloned("btrfs")


def reflinks_xfs():
    cloned("xfs")


CASES = (repairs, whole_link_and_folder, while_down, down, back, reflinks_btrfs, reflinks_xfs)


def main():
    words = sys.argv[1:]
    return suite.run([(case.__name__, case) for case in CASES if not words or any(word in case.__name__ for word in words)])


if __name__ == "__main__":
    sys.exit(main())
