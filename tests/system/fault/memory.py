#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real agent in a real memory cgroup of 96 MiB, and a delta that needs 487 MB: the new file is a .zst of level 20, whose
compression takes that much.

    told      the release states the memory of the delta: the agent never starts it and takes the whole file
    killed    the group becomes too small while the agent applies the delta, and the kernel kills it: the next start takes the whole
              file
    listed    as killed, with a second delta that needs little memory: the next start takes that one

Each ends Committed. Needs root and a cgroup file system with the memory controller; skips with a message where there is none.
"""
import os
import random
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.environ["HF_BUILD_DIR"] = "build/release"  # AddressSanitizer alone needs more memory than the group
import node as fault  # noqa: E402
from node import say  # noqa: E402

MIB = 1 << 20
LIMIT, ROOMY = 96 * MIB, 4096 * MIB
CONTENT_BYTES = 1200000
ROUNDS = ("told", "killed", "listed")


class Group:
    """A memory cgroup for this test at the top level, so that its OOM kills affect nothing else."""

    def __init__(self):
        v1, v2 = "/sys/fs/cgroup/memory", "/sys/fs/cgroup"
        self.limit_file = "memory.limit_in_bytes"
        if os.path.exists(os.path.join(v1, self.limit_file)):
            top = v1
        elif os.path.exists(os.path.join(v2, "cgroup.subtree_control")):
            top, self.limit_file = v2, "memory.max"
        else:
            raise OSError("no cgroup file system with the memory controller")
        self.path = os.path.join(top, f"holdfast-fault-{os.getpid()}")
        os.mkdir(self.path)
        if not os.path.exists(os.path.join(self.path, self.limit_file)):
            os.rmdir(self.path)
            raise OSError(f"{top} does not give its groups the memory controller")

    def write(self, name, value):
        with open(os.path.join(self.path, name), "w", encoding="ascii") as file:
            file.write(str(value))

    def limit(self, size):
        self.write(self.limit_file, size)

    def used(self):
        name = "memory.usage_in_bytes" if self.limit_file == "memory.limit_in_bytes" else "memory.current"
        with open(os.path.join(self.path, name), encoding="ascii") as file:
            return int(file.read())

    def tighten(self):
        """Limit the group to its current use; cgroup v1 returns EBUSY if the use grows meanwhile."""
        for _ in range(100):
            try:
                self.limit(self.used() + 4 * MIB)
                return
            except OSError:
                continue

    def kills(self):
        name = "memory.oom_control" if self.limit_file == "memory.limit_in_bytes" else "memory.events"
        with open(os.path.join(self.path, name), encoding="ascii") as file:
            return int(next(line for line in file if line.startswith("oom_kill ")).split()[1])

    def wrapper(self):
        return ("/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', self.path)

    def remove(self):
        def gone():
            try:
                os.rmdir(self.path)
            except OSError:
                return False
            return True
        fault.wait("the group is empty", gone, 10)


def text(words, change):
    """A megabyte of words; versions differ in a few of them."""
    draw, other = random.Random(1), random.Random(change)
    out, size = [], 0
    while size < CONTENT_BYTES:
        word = f"changed{change}" if other.random() < 0.00005 else words[int(draw.random() ** 2 * len(words))]
        out.append(word)
        size += len(word) + 1
    return " ".join(out).encode()


def make_files(node):
    """A version for each round and the one before it, by zstd -20 from a pipe: without the size the encoder uses its largest window."""
    rng = random.Random(20261122)
    words = ["%x" % rng.getrandbits(rng.choice((8, 16, 24, 32))) for _ in range(40000)]
    paths = []
    for number in range(1, len(ROUNDS) + 2):
        paths.append(node.place("versions", f"v{number}.zst"))
        packed = subprocess.run(["zstd", "-q", "--ultra", "-20", "-c"], input=text(words, number), stdout=subprocess.PIPE, check=True)
        with open(paths[-1], "wb") as file:
            file.write(packed.stdout)
    return paths


class Rounds:
    def __init__(self, group):
        self.group = group
        self.node = fault.Node(os.path.join(fault.TOP, "build", "fault", "memory"), fault.Artifacts())
        self.versions = make_files(self.node)
        self.old = self.new = None
        self.sequence = 0

    def publish(self, *plain):
        """Publish the next version, with a delta that unpacks the content and, if asked for, a plain one."""
        node = self.node
        self.old, self.new = self.versions[self.sequence:self.sequence + 2]
        self.sequence += 1
        if self.sequence == 1:
            shutil.copyfile(self.old, node.path)
        made = node.create("app", f"{self.sequence}.0.0", self.sequence, self.new, old=self.old, service=False, fast=False)
        if plain:
            made = self.add_plain(made)
        node.apply("app", made)

    def add_plain(self, made):
        """Make a second delta from the same file that does not unpack the content."""
        node, path = self.node, self.node.place("versions", "plain.delta")
        node.holdfast("delta", "create", "--fast", "-j", "1", self.old, self.new, path)
        with open(path, "rb") as file:
            content = file.read()
        node.server.files["plain.delta"] = content
        lines, out = made.split("\n"), []
        for line in lines:
            out.append(line)
            if line.strip() == "deltas:":
                blanks = line[:len(line) - len(line.lstrip())]
                out.append(f"{blanks}- from: {fault.sha256(self.old)}")
                out += [f"{blanks}  {key}: {value}" for key, value in (
                    ("url", f"{node.server.url}/plain.delta"), ("sha256", fault.sha256(path)), ("size", len(content)))]
        assert len(out) > len(lines), "the release lists no deltas"
        return node.sign("\n".join(out))

    def start(self):
        self.node.start_agent(wrapper=self.group.wrapper())

    def logged(self, word):
        with open(self.node.place("agent.log"), encoding="utf-8", errors="replace") as file:
            return [line for line in file if word in line]

    def end(self, method, kills):
        node, row, problems = self.node, {}, []
        try:
            row = node.wait_end("app", self.sequence, 30)
        except AssertionError as error:
            problems.append(f"{error}; its journal: {node.journal('app')}; killed {self.group.kills()} times")
            node.agent.poll()
            return problems
        node.stop_agent()
        if row["phase"] != "Committed" or fault.sha256(node.path) != fault.sha256(self.new):
            problems.append(f"ended as {row}")
        if row.get("method") != method:
            problems.append(f"by {row.get('method')}, wanted is {method}")
        if self.group.kills() != kills:
            problems.append(f"the kernel killed {self.group.kills()} times, expected are {kills}")
        return problems + [f"left behind: {path}" for path in node.wait_clean()]

    def told(self):
        before = self.group.kills()
        self.group.limit(LIMIT)
        self.publish()
        self.start()
        problems = self.end("Full", before)
        if not self.logged("of memory"):
            problems.append("the log does not say why")
        return problems

    def until_applied(self):
        """Start with enough memory, and take it away once the delta uses it."""
        attempt = self.node.place("state", "updates", "app", "attempt")
        before = self.group.kills()
        self.group.limit(ROOMY)
        self.start()
        fault.wait("a delta is being applied", lambda: os.path.exists(attempt), step=0.0005)
        begun = self.group.used()
        fault.wait("the delta takes its memory", lambda: self.group.used() > begun + 16 * MIB, step=0.0005)
        self.group.tighten()
        self.node.agent.wait(30)
        if self.group.kills() != before + 1:
            return [f"the kernel killed {self.group.kills() - before} times; the agent ended with {self.node.agent.returncode}"]
        return []

    def killed(self, *plain):
        before = self.group.kills()
        self.publish(*plain)
        problems = self.until_applied()
        self.group.limit(ROOMY)  # without the record of the death the agent would use the delta again
        self.start()
        problems += self.end("Delta" if plain else "Full", before + 1)
        if not self.logged("DeltaKilled"):
            problems.append("the log does not say why")
        return problems

    def listed(self):
        return self.killed("plain")


def main():
    try:
        group = Group()
    except OSError as error:
        say(f"SKIP: told, killed, listed: {error}")
        say("0 passed, 0 failed, 3 skipped")
        return 0
    failed, rounds = 0, None
    try:
        rounds = Rounds(group)
        for name in ROUNDS:
            began = time.monotonic()
            problems = getattr(rounds, name)()
            failed += bool(problems)
            say(f"  {'FAIL' if problems else 'ok  '}  {name}, {time.monotonic() - began:.1f} s")
            for problem in problems:
                say(f"        {problem}")
            if rounds.node.agent.poll() is None:
                rounds.node.kill_agent()
    finally:
        if rounds is not None:
            rounds.node.end()
        group.remove()
    say(f"{3 - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
