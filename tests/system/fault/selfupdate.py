#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real agent updates itself under the real supervisor, by signed releases of kind Agent from a folder: no server, no network.

    tests/system/fault/selfupdate.py [--kills N] [--cuts N] [--seed S] [NAME ...]      default: all, 12 kills, 10 cuts

Kills and power cuts fall at random moments of update after update. Each time the agent that runs afterwards is a whole one, of the version
before or of the new one. A power cut is one of a real ext4: agent and supervisor are stopped, the bytes that have reached the disk by then
are copied, and the node goes on with the copy. `make walks` does 200 of each.
"""
import argparse
import concurrent.futures
import filecmp
import json
import os
import platform
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import suite
import supervisor
from lab import TOP, wait

ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
HOLDFAST = os.path.join(TOP, "build", "release", "holdfast")   # what signs and asks computes without the sanitizers
DISK_BYTES = 288 << 20                         # four copies of an agent under the sanitizers (22 MB), and what ext4 and the agent keep free


def call(*argv):
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)}: {done.stdout}{done.stderr}")
    return done.stdout


class Disk:
    """A disk of the node's own under its state folder: ext4 in a file, by a loop device."""

    def __init__(self, host):
        self.host, self.number, self.file = host, 0, os.path.join(host.home, "disk.0")
        with open(self.file, "wb") as file:
            file.truncate(DISK_BYTES)
        call("mkfs.ext4", "-qF", self.file)
        shutil.rmtree(host.state)
        os.mkdir(host.state)
        self.mount()
        os.mkdir(host.dir, 0o700)

    def mount(self):
        call("mount", "-o", "loop", self.file, self.host.state)

    def umount(self):
        wait("nothing uses the disk", lambda: subprocess.run(["umount", self.host.state], check=False, capture_output=True).returncode == 0, 20)

    def writes(self):
        """Those that have ended, and those under way."""
        device = os.path.basename(call("findmnt", "-n", "-o", "SOURCE", self.host.state).strip())
        with open(f"/sys/block/{device}/stat", encoding="ascii") as file:
            words = file.read().split()
        return words[4], words[8]

    def cut(self):
        """The copy holds one moment of the disk: nothing was written while it was made."""
        pids = [self.host.process.pid, (self.host.agent_pid() or self.host.process.pid)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        self.number += 1
        copy = os.path.join(self.host.home, f"disk.{self.number}")
        while True:
            before = self.writes()
            call("cp", "--sparse=always", self.file, copy)
            if self.writes() == before and before[1] == "0":
                break
        self.host.process.kill()
        self.host.process.wait()
        self.umount()
        os.unlink(self.file)
        self.file = copy
        self.mount()


class Node:
    """A host whose first build, version 1, is where a pod installs it, and who signs for it."""

    def __init__(self, name, disk=False):
        self.host = supervisor.Host(f"selfupdate_{name}")
        self.disk = Disk(self.host) if disk else None
        self.key = os.path.join(self.host.home, "k1")
        call(HOLDFAST, "key", "generate", self.key)
        shutil.copy(self.key + ".pem", os.path.join(self.host.home, "trust"))
        self.sequence = 0
        self.build("1")
        self.first = os.path.join(".holdfast-holdfast-agent.tree", self.create("1")["sha256"])
        shutil.copytree(os.path.join(self.host.home, "builds", "1"), os.path.join(self.host.dir, self.first))
        for link in ("current", "good"):
            os.symlink(self.first, os.path.join(self.host.dir, link))
        call("sync", "-f", self.host.dir)

    def build(self, version, script=None):
        """A folder with the real agent, or a script in its place; a note in it tells versions apart."""
        folder = os.path.join(self.host.home, "builds", version)
        os.makedirs(folder)
        program = os.path.join(folder, "holdfast-agent")
        if script is None:
            call("strip", "--strip-debug", "-o", program, supervisor.AGENT)  # a third of its bytes are line numbers
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

    def folder(self):
        """Of the build that runs; "" while none does."""
        try:
            return os.path.dirname(os.readlink(f"/proc/{self.host.agent_pid() or 0}/exe"))
        except OSError:
            return ""

    def running(self):
        """The version of the build that runs, by its folder."""
        return self.version_in(self.folder())

    @staticmethod
    def version_in(folder):
        try:
            with open(os.path.join(folder, "version"), encoding="ascii") as file:
                return file.read()
        except OSError:
            return None

    def has_ended(self, phase, version):
        """`version` is the one that is wanted: right after it was published, the phase is still that of the one before."""
        row = self.status()
        return (row.get("phase"), row.get("version")) == (phase, version) and (row.get("installedVersion") == version) == (phase == "Committed")

    def is_whole(self, *versions):
        """True: one of these runs, as it was built. False: none runs at this moment, or one that has its end behind it."""
        folder = self.folder()
        version = self.version_in(folder)
        if version not in versions:
            return False
        built = os.path.join(self.host.home, "builds", version)
        names = sorted(os.listdir(built))
        suite.equal("the files of the build", sorted(os.listdir(folder)), names)
        suite.equal("their bytes", filecmp.cmpfiles(built, folder, names, shallow=False), (names, [], []))
        return True

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


def disturbed(node, number, seed, disturb):
    """Update after update, disturbed at `number` random moments; then one that is not."""
    rng = random.Random(seed)
    node.host.start(wait_ready=True)
    good, wanted, ends = "1", "1", {"Committed": 0, "RolledBack": 0}
    for done in range(number + 1):
        phase = next((one for one in ends if wanted != "1" and node.has_ended(one, wanted)), None)
        if phase or wanted == "1":
            good = wanted if phase == "Committed" else good
            if phase:
                ends[phase] += 1
            wanted = str(int(wanted) + 1)
            node.build(wanted)
            node.publish(wanted, rng.choice((None, good)))
        if done < number:
            time.sleep(rng.choice((rng.random(), rng.random() * 4)))
            disturb(rng)
            wait(f"a whole agent of {good} or {wanted} runs", lambda: node.is_whole(good, wanted), 60)  # pylint: disable=cell-var-from-loop
    try:
        wait("the last one ends", lambda: any(node.has_ended(phase, wanted) for phase in ends), 120)
    except AssertionError as error:
        raise AssertionError(f"{error}: {wanted} is {node.status()}") from None
    node.build("9000")
    node.publish("9000")
    node.ends("Committed", "9000", 120)
    node.is_good("9000")
    wait("one agent", lambda: len(agents(node)) == 1, 70)
    suite.equal("exit code", node.host.stop(), 0)
    return f"{number} in {int(wanted) - 1} updates, {ends['Committed']} committed and {ends['RolledBack']} rolled back while disturbed"


def agents(node):
    found = subprocess.run(["pgrep", "-f", f"state-dir {node.host.state} "], check=False, capture_output=True, text=True).stdout.split()
    return [pid for pid in found if int(pid) != node.host.process.pid]


def kills(number, seed):
    node = Node("kills")

    def kill(rng):
        victim = node.host.process.pid if rng.random() < 0.5 else (node.host.agent_pid() or node.host.process.pid)
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if victim == node.host.process.pid:
            node.host.process.wait()
            node.host.start()
    supervisor.MEASURED["kills"] = disturbed(node, number, seed, kill)


def power_cuts(number, seed):
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None or not os.path.exists("/dev/loop-control"):
        raise suite.Skip("needs root, ext4 and loop devices")
    subprocess.run(["umount", "-l", os.path.join(supervisor.HOME, "selfupdate_power_cuts", "state")], check=False, capture_output=True)
    node = Node("power_cuts", disk=True)

    def cut(_rng):
        node.disk.cut()
        node.host.start()
    try:
        supervisor.MEASURED["power cuts"] = disturbed(node, number, seed, cut)
    finally:
        node.host.process.kill()
        node.host.process.wait()
        node.disk.umount()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--cuts", type=int, default=10)
    parser.add_argument("--seed", type=int, default=20261129)
    parser.add_argument("names", nargs="*", metavar="NAME")
    words = parser.parse_args()
    tests = [("good_delta_bad", good_delta_bad), ("kills", lambda: kills(words.kills, words.seed)),
             ("power_cuts", lambda: power_cuts(words.cuts, words.seed))]
    chosen = [one for one in tests if not words.names or one[0] in words.names]
    with concurrent.futures.ThreadPoolExecutor(len(chosen) or 1) as pool:
        begun = {name: pool.submit(test) for name, test in chosen}
        code = suite.run([(name, begun[name].result) for name, _ in chosen])
    print("measured: " + ", ".join(f"{name} {value if isinstance(value, str) else f'{value:.1f} s'}"
                                   for name, value in sorted(supervisor.MEASURED.items())))
    return code if chosen else 2


if __name__ == "__main__":
    os.chdir(TOP)
    sys.exit(main())
