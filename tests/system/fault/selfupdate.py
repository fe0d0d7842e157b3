#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real agent updates itself under the real supervisor, by signed releases of kind Agent from a folder: no server, no network.

    tests/system/fault/selfupdate.py [NAME ...]      default: all
"""
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import suite
import supervisor
from lab import PROGRAMS, TOP, wait

ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
HOLDFAST = os.path.join(PROGRAMS, "holdfast")


def call(*argv):
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)}: {done.stdout}{done.stderr}")
    return done.stdout


class Node:
    """A host whose first build, version 1, is where a pod installs it, and who signs for it."""

    def __init__(self, name):
        self.host = supervisor.Host(f"selfupdate_{name}")
        self.key = os.path.join(self.host.home, "k1")
        call(HOLDFAST, "key", "generate", self.key)
        shutil.copy(self.key + ".pem", os.path.join(self.host.home, "trust"))
        self.sequence = 0
        self.build("1")
        self.first = os.path.join(".holdfast-holdfast-agent.tree", self.create("1")["sha256"])
        shutil.copytree(os.path.join(self.host.home, "builds", "1"), os.path.join(self.host.dir, self.first))
        for link in ("current", "good"):
            os.symlink(self.first, os.path.join(self.host.dir, link))

    def build(self, version, script=None):
        """A folder with the real agent, or a script in its place; a note in it tells versions apart."""
        folder = os.path.join(self.host.home, "builds", version)
        os.makedirs(folder)
        program = os.path.join(folder, "holdfast-agent")
        if script is None:
            shutil.copy(supervisor.AGENT, program)
        else:
            with open(program, "w", encoding="ascii") as file:
                file.write(f"#!/bin/sh\n{script}\n")
        os.chmod(program, 0o755)
        with open(os.path.join(folder, "version"), "w", encoding="ascii") as file:
            file.write(version)
        return folder

    def create(self, version, old=None):
        """Makes the release; returns its artifact."""
        self.sequence += 1
        out = os.path.join(self.host.home, "out", version)
        builds = os.path.join(self.host.home, "builds")
        call(HOLDFAST, "release", "create", "--agent", "--everywhere", "--out", out, "--artifact",
             f"{ARCH}={builds}/{version}" + (f",old={builds}/{old}" if old else ""), "--url-base", f"file://{out}", "--version", version,
             "--sequence", str(self.sequence), "--key", self.key + ".key")
        with open(os.path.join(out, f"holdfast-agent-{version}.yaml"), encoding="ascii") as file:
            return yaml.safe_load(file)["spec"]["release"]["artifacts"][0]

    def publish(self, version, old=None):
        self.create(version, old)
        staged = os.path.join(self.host.home, "staged.yaml")
        shutil.copy(os.path.join(self.host.home, "out", version, f"holdfast-agent-{version}.yaml"), staged)
        os.rename(staged, os.path.join(self.host.objects, "agent.yaml"))

    def status(self):
        """The update's row of the status, {} without one."""
        shown = subprocess.run([HOLDFAST, "status", "--state-dir", self.host.state, "--json"], check=False, capture_output=True, text=True).stdout
        try:
            return next((one for one in json.loads(shown)["node"]["status"]["updates"] if one["name"] == "holdfast-agent"), {})
        except (ValueError, KeyError):
            return {}

    def running(self):
        """The version of the build that runs, by its folder."""
        try:
            with open(f"/proc/{self.host.process.pid}/task/{self.host.process.pid}/children", encoding="ascii") as file:
                folder = os.path.dirname(os.readlink(f"/proc/{int(file.read().split()[0])}/exe"))
            with open(os.path.join(folder, "version"), encoding="ascii") as file:
                return file.read()
        except (OSError, IndexError):
            return None

    def has_ended(self, phase, version):
        """`version` is the one that is wanted: right after it was published, the phase is still that of the one before."""
        row = self.status()
        return (row.get("phase"), row.get("version")) == (phase, version) and (row.get("installedVersion") == version) == (phase == "Committed")

    def ends(self, phase, version, limit_s=60):
        began = time.monotonic()
        try:
            wait(f"{version} {phase}", lambda: self.has_ended(phase, version), limit_s)
        except BaseException:
            print(self.status(), os.listdir(self.host.dir), self.host.slot("current"), self.host.slot("good"), self.host.note("verdict"))
            raise
        supervisor.MEASURED[f"{version} {phase}"] = time.monotonic() - began

    def is_good(self, version):
        wait(f"{version} is known as good", lambda: self.host.slot("good") == self.host.slot("current"), 20)
        suite.equal("what runs", self.running(), version)


def good_delta_bad():
    node = Node("good")
    node.host.start(wait_ready=True)
    for version in ("2", "3"):
        node.build(version)
        node.publish(version, str(int(version) - 1))
        node.ends("Committed", version)
        node.is_good(version)
        suite.equal(f"the method of {version}", node.status()["method"], "Delta")
    before = node.host.slot("current")
    with open(os.path.join(node.host.dir, node.host.slot("previous"), "version"), encoding="ascii") as file:
        suite.equal("N-1", file.read(), "2")

    node.build("4", "exit 1")
    node.publish("4")
    node.ends("RolledBack", "4")
    suite.equal("reason", (node.status()["reason"], bool(re.search("gave version 4 .*Crashed", node.status()["message"]))), ("AgentFailed", True))
    suite.equal("current", node.host.slot("current"), before)
    node.is_good("3")
    wait("the first build is gone", lambda: not os.path.exists(os.path.join(node.host.dir, node.first)), 10)
    suite.equal("what stays", sorted(os.listdir(os.path.join(node.host.dir, os.path.dirname(before)))),
                sorted(os.path.basename(node.host.slot(name)) for name in ("good", "previous")))
    suite.equal("exit code", node.host.stop(), 0)

    node.host.start()
    wait("it runs again", lambda: node.running() == "3", 20)
    time.sleep(2)
    suite.equal("not tried again", (node.host.slot("current"), node.status()["phase"]), (before, "RolledBack"))
    suite.equal("exit code", node.host.stop(), 0)


TESTS = [good_delta_bad]


def main():
    chosen = [(test.__name__, test) for test in TESTS if len(sys.argv) == 1 or test.__name__ in sys.argv[1:]]
    code = suite.run(chosen)
    print("measured: " + ", ".join(f"{name} {value:.1f} s" for name, value in sorted(supervisor.MEASURED.items())))
    return code if chosen else 2


if __name__ == "__main__":
    os.chdir(TOP)
    sys.exit(main())
