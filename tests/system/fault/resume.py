#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real agent makes a large file from a small delta and is killed, stopped and killed again meanwhile: each process must resume where
the last one stopped. The kernel counts the bytes that all of them write together."""
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import node as fault  # noqa: E402
from node import say  # noqa: E402

MIB = 1 << 20
OLD_BYTES, NEW_BYTES = 4 * MIB, 160 * MIB
BLOCK = 4 * MIB  # bytes between checkpoints
OTHER = MIB  # other writes of a process: log, journal, status, the delta itself
LIVES = (("killed", 40 * MIB), ("stopped", 20 * MIB), ("killed", 30 * MIB))


def written(pid):
    with open(f"/proc/{pid}/io", encoding="ascii") as counts:
        return int(next(line for line in counts if line.startswith("wchar:")).split()[1])


def make_files(node):
    """The old content repeated, with a few changes."""
    rng = random.Random(20261120)
    old = rng.randbytes(OLD_BYTES)
    old_path, new_path = node.place("versions", "old"), node.place("versions", "new")
    with open(old_path, "wb") as file:
        file.write(old)
    with open(new_path, "wb") as file:
        for piece in range(NEW_BYTES // OLD_BYTES):
            at = rng.randrange(OLD_BYTES - 8)
            file.write(old[:at] + b"%08d" % piece + old[at + 8:])
    return old_path, new_path


def one_life(node, how, until):
    """Let the agent write this much, then end it; returns the bytes written."""
    node.start_agent()
    pid = node.agent.pid
    fault.wait("so much is written", lambda: written(pid) >= until, step=0.0005)
    os.kill(pid, signal.SIGSTOP)
    if how == "killed":
        count = written(pid)
        node.kill_agent()
        return count
    os.kill(pid, signal.SIGTERM)
    os.kill(pid, signal.SIGCONT)
    count = written(pid)
    while True:  # the count grows until the process is gone
        try:
            count = max(count, written(pid))
        except (OSError, StopIteration):
            break
        if node.agent.poll() is not None:
            break
        time.sleep(0.0005)
    node.agent.wait()
    return count


def run(node):
    old, new = make_files(node)
    with open(old, "rb") as source, open(node.path, "wb") as target:
        target.write(source.read())
    want = fault.sha256(new)
    node.apply("app", node.create("app", "1.0.0", 1, new, old=old, service=False))
    total, problems = 0, []
    for how, until in LIVES:
        if total + until + BLOCK > NEW_BYTES:  # a stop takes as long as the disk delays the agent's journal
            say("  life     none: the file was made before the agent had stopped")
            break
        count = one_life(node, how, until)
        total += count
        if fault.sha256(node.path) != fault.sha256(old):
            problems.append("the installed file was touched")
        say(f"  life     {how} after {count / MIB:.1f} MiB were written, {node.journal('app')[0]}")
    node.start_agent()
    row = node.wait_end("app", 1)
    total += written(node.agent.pid)
    again = total - NEW_BYTES
    if row.get("phase") != "Committed" or row.get("method") != "Delta" or fault.sha256(node.path) != want:
        problems.append(f"it ended as {row}")
    if again > len(LIVES) * (BLOCK + OTHER):
        problems.append(f"{again / MIB:.1f} MiB were written again")
    problems += [f"left behind: {path}" for path in node.wait_clean()]
    node.stop_agent()
    say(f"  {'FAIL' if problems else 'ok  '}  a file of {NEW_BYTES // MIB} MiB in {len(LIVES) + 1} lives: {again / MIB:.1f} MiB more than it "
        f"were written")
    return problems


def main():
    node = fault.Node(os.path.join(fault.TOP, "build", "fault", "resume"), fault.Artifacts())
    try:
        problems = run(node)
    finally:
        node.end()
    for problem in problems:
        say(f"        {problem}")
    say(f"{int(not problems)} passed, {int(bool(problems))} failed, 0 skipped")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
