#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hooks of a release with the real agent: what they see, a backup that fails, and kill -9 while they run.

    tests/system/fault/hooks.py

Prints "N passed, N failed, N skipped" last."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from node import PATIENCE_S, TOP, Artifacts, Node, say, sha256, wait  # noqa: E402

HOME = os.path.join(TOP, "build", "fault", "hooks")


class Hooked:
    """A node with version 1.0.0 committed, and hooks that write down what they saw."""

    def __init__(self, server):
        self.node = node = Node(HOME, server)
        self.versions = {name: node.build(name, i) for i, name in enumerate(("1.0.0", "2.0.0", "3.0.0"))}
        self.sequence = 0
        self.seen = node.place("seen")
        self.program = node.place("hook")
        with open(self.program, "w", encoding="utf-8") as file:
            file.write(f"""#!/bin/sh
seen=$(echo "$* $HOLDFAST_HOOK $(/usr/bin/sha256sum <"$HOLDFAST_PATH" | /usr/bin/cut -c1-64)"; /usr/bin/env)
printf '%s\\n\\n' "$seen" >>{self.seen}  # in one write: an agent that stops kills its hook anywhere
[ ! -e {node.place("slow")} ] || /bin/sleep 60
[ ! -e {node.place("fail-")}"$HOLDFAST_HOOK" ] || {{ echo "no space for the backup"; exit 3; }}
""")
        os.chmod(self.program, 0o755)
        node.start_agent()
        self.update("1.0.0", hooks=False)
        assert self.node.wait_end("edge", 1)["phase"] == "Committed"

    def update(self, version, hooks=True):
        self.sequence += 1
        more = ["--no-health-check"]
        for hook in ("before-swap", "after-swap", "before-rollback") if hooks else ():
            more += [f"--hook-{hook}", self.program, f"--hook-{hook}", "one word"]
        text = self.node.create("edge", version, self.sequence, self.versions[version], service=False, more=more)
        self.node.apply("edge", text)

    def runs(self):
        """(hook, version in place) of each run, and the last one's environment."""
        with open(self.seen, encoding="utf-8") as file:
            blocks = [block.splitlines() for block in file.read().strip().split("\n\n")]
        names = {sha256(path): name for name, path in self.versions.items()}
        heads = [block[0].rsplit(" ", 2) for block in blocks]
        assert all(words == "one word" for words, _, _ in heads), heads
        return [(hook, names.get(found, "?")) for _, hook, found in heads], dict(line.split("=", 1) for line in blocks[-1][1:])


def around_the_swap(hooked):
    hooked.update("2.0.0")
    row = hooked.node.wait_end("edge", 2)
    runs, env = hooked.runs()
    assert row["phase"] == "Committed", row
    assert runs == [("beforeSwap", "1.0.0"), ("afterSwap", "2.0.0")], runs
    wanted = {"HOLDFAST_RELEASE": "edge", "HOLDFAST_VERSION": "2.0.0", "HOLDFAST_OLD_VERSION": "1.0.0", "HOLDFAST_PATH": hooked.node.path,
              "HOLDFAST_NEW_SHA256": sha256(hooked.versions["2.0.0"]), "HOLDFAST_OLD_SHA256": sha256(hooked.versions["1.0.0"])}
    assert wanted.items() <= env.items(), env
    assert set(env) <= set(wanted) | {"HOLDFAST_HOOK", "PATH", "LANG", "PWD", "SHLVL", "_", "OLDPWD"}, env  # the shell adds its own
    assert env["PWD"] == "/", env


def a_backup_that_fails(hooked):
    node = hooked.node
    os.unlink(hooked.seen)
    open(node.place("fail-beforeSwap"), "w").close()
    hooked.update("3.0.0")
    row = wait("HookFailed", lambda: (r := node.update("edge")).get("reason") == "HookFailed" and r)
    assert row["phase"] == "Verified" and "exit code 3: no space for the backup" in row["message"], row
    assert sha256(node.path) == sha256(hooked.versions["2.0.0"])
    node.stop_agent()
    tried = len(hooked.runs()[0])
    node.start_agent("--once", "--retry-base-ms", "60000")  # it tries once, and leaves the rest to the next run
    assert node.agent.wait(PATIENCE_S) == 1 and node.update("edge").get("reason") == "HookFailed", node.update("edge")
    assert len(hooked.runs()[0]) == tried + 1, (tried, hooked.runs()[0])
    node.start_agent()
    os.unlink(node.place("fail-beforeSwap"))
    assert node.wait_end("edge", 3)["phase"] == "Committed"
    runs, _ = hooked.runs()
    assert len(runs) >= 3 and set(runs[:-1]) == {("beforeSwap", "2.0.0")} and runs[-1] == ("afterSwap", "3.0.0"), runs


def after_swap_fails(hooked):
    node = hooked.node
    os.unlink(hooked.seen)
    open(node.place("fail-afterSwap"), "w").close()
    hooked.update("1.0.0")
    row = node.wait_end("edge", 4)
    assert row["phase"] == "RolledBack" and row["reason"] == "HookFailed" and "afterSwap" in row["message"], row
    assert hooked.runs()[0] == [("beforeSwap", "3.0.0"), ("afterSwap", "1.0.0"), ("beforeRollback", "1.0.0")], hooked.runs()[0]
    assert sha256(node.path) == sha256(hooked.versions["3.0.0"])
    os.unlink(node.place("fail-afterSwap"))


def killed_while_a_hook_runs(hooked):
    node = hooked.node
    for hook in ("beforeSwap", "afterSwap"):
        os.unlink(hooked.seen)
        open(node.place("slow"), "w").close()
        hooked.update("2.0.0" if hook == "beforeSwap" else "1.0.0")
        wait("the first hook", lambda: os.path.exists(hooked.seen))
        if hook == "afterSwap":
            os.unlink(node.place("slow"))
            node.kill_agent()
            open(hooked.seen, "w").close()
            node.start_agent()
            assert node.wait_end("edge", hooked.sequence)["phase"] == "Committed"
            continue
        node.kill_agent()
        os.unlink(node.place("slow"))
        node.start_agent()
        assert node.wait_end("edge", hooked.sequence)["phase"] == "Committed"
        runs, _ = hooked.runs()
        assert [name for name, _ in runs] == ["beforeSwap", "beforeSwap", "afterSwap"], runs


CASES = [around_the_swap, a_backup_that_fails, after_swap_fails, killed_while_a_hook_runs]


def main():
    hooked = Hooked(Artifacts())
    failed = 0
    for case in CASES:
        began = time.monotonic()
        try:
            case(hooked)
            say(f"{case.__name__}: passed, {time.monotonic() - began:.1f} s")
        except AssertionError as error:
            failed += 1
            say(f"{case.__name__}: FAILED: {error}")
            break
    left = hooked.node.wait_clean()
    if left:
        failed += 1
        say(f"left behind: {left}")
    hooked.node.end()
    say(f"{len(CASES) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
