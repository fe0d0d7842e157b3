#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The journal of the real agent: kill -9, a full disk, changed lines, an idle node, and who may read it.

    killed      every state is there after kill -9 at random times, no state is there twice, and the chain is whole
    full        entries wait while the disk of the journal is full, and follow when there is room (needs root for a mount)
    changed     --verify names the first changed line; the agent goes on
    idle        an idle agent writes nothing to the journal
    follow      --follow prints each entry once while the journal begins new files, and ends when nobody reads
    wiped       --follow goes on with a new journal in the same folder, and a forged number does not confuse it
    noted       objects that the node refuses, changes of agent.yaml, and the value of an override have one entry each
    group       the group holdfast reads the journal and cannot list the state folder; others read nothing (needs root)

Prints "N passed, N failed, N skipped" last.
"""
import functools
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import node as fault  # noqa: E402
from disk import Tmpfs  # noqa: E402
from node import wait  # noqa: E402

import suite  # noqa: E402

CASES = ("killed", "full", "changed", "idle", "follow", "wiped", "noted", "group")
NEEDS_ROOT = ("full", "group")
GROUP, STRANGER = 65011, 65012
IDLE_S = 15
BESIDE = 3  # cases at a time: they mostly wait
HOLDFAST = os.path.join(fault.PROGRAMS, "holdfast")
# What asks again and again, or does 300 times the same: a sanitizer finds nothing in it that one call of HOLDFAST does not show.
QUICK = os.path.join(fault.PLAIN, "holdfast")


def expect(good, text):
    if not good:
        raise AssertionError(text)


class Case:
    def __init__(self, name, server):
        self.node, self.disk, self.name = fault.Node(os.path.join(fault.TOP, "build", "fault", "journal-" + name), server), None, name
        self.state = self.node.place("state")

    def run(self, *words, program=HOLDFAST):
        done = subprocess.run([program, "node", "journal", "--state-dir", self.state, *words], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout

    def entries(self):
        code, text = self.run("--json", program=QUICK)
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")] if code in (0, 1) else []

    def kinds(self):
        return [entry["kind"] for entry in self.entries()]

    def verify(self, *words):
        code, text = self.run("--json")
        expect(code == 0, f"the journal cannot be read: {text[-500:]}")
        code, text = self.run("--verify", *words)
        expect(code == 0, f"the journal is not intact: {text}")
        return text

    def hold(self, on):
        words = ["--reason", "line 3"] if on else ["--release"]
        self.node.holdfast("hold", "--state-dir", self.state, *words)

    def start(self, *more):
        before = self.kinds().count("AgentStarted")
        self.node.start_agent(*more)
        wait("the start in the journal", lambda: self.kinds().count("AgentStarted") > before)

    def end(self):
        self.node.end()
        if self.disk is not None:
            self.disk.end()


def killed(case):
    random.seed(7)
    case.start()
    for turn in range(8):
        case.hold(turn % 2 == 0)
        time.sleep(random.uniform(0, 3))
        case.node.kill_agent()
        case.start()
    case.verify()
    time.sleep(4)
    case.node.stop_agent()
    case.verify()
    kinds = [entry["kind"] for entry in case.entries() if entry["kind"] in ("HoldSet", "HoldEnded")]
    expect(kinds == ["HoldSet", "HoldEnded"] * 4, f"each hold is there once: {kinds}")
    chosen = case.kinds().count("PolicyChosen")
    expect(chosen == 1, f"the defaults were chosen {chosen} times")
    witness = wait("the witness in the status", lambda: case.node.status().get("journal"))
    case.verify("--witness", witness["lastHash"])


def full(case):
    case.disk = Tmpfs(os.path.join(case.state, "journal"), "64k")
    case.start()
    ballast = case.disk.fill_up(100)
    before = len(case.entries())
    for turn in range(6):
        case.hold(turn % 2 == 0)
        time.sleep(0.5)
    time.sleep(3)
    expect(len(case.entries()) <= before + 6, "more entries than events")
    os.unlink(ballast)
    wait("the entries that waited", lambda: case.kinds().count("HoldEnded") == 3 and case.kinds().count("HoldSet") == 3, 60)
    case.verify()


def changed(case):
    case.start()
    case.node.stop_agent()
    path = os.path.join(case.state, "journal", "audit-000000000001.jsonl")
    with open(path, "rb") as file:
        good = file.read()
    with open(path, "wb") as file:
        file.write(good.replace(b"version 0", b"version 9", 1))
    code, text = case.run("--verify")
    expect(code == 3 and "audit-000000000001.jsonl' line 2" in text, f"exit code {code}: {text}")
    case.node.start_agent()
    wait("a further start", lambda: len([k for k in case.kinds() if k == "AgentStarted"]) == 1)
    code, text = case.run("--verify")
    expect(code == 3 and "line 2" in text, f"exit code {code}: {text}")
    with open(path, "rb") as file:
        now = file.read()
    with open(path, "wb") as file:
        file.write(now.replace(b"version 9", b"version 0", 1))
    case.verify()
    code, text = case.run("--kind", "HoldSett")
    expect(code == 2 and "did you mean 'HoldSet'" in text, f"exit code {code}: {text}")


def idle(case):
    case.start()
    time.sleep(5)

    def files():
        folder = os.path.join(case.state, "journal")
        return [(name, os.stat(os.path.join(folder, name)).st_mtime_ns, os.stat(os.path.join(folder, name)).st_size)
                for name in sorted(os.listdir(folder))]
    before = files()
    time.sleep(IDLE_S)
    expect(files() == before, f"{before} became {files()}")


def follow(case):
    case.start()
    printed = case.node.place("followed")
    with open(printed, "wb") as out:
        reader = case.node.child([HOLDFAST, "node", "journal", "--state-dir", case.state, "--json", "--follow"], log=out)
    folder = os.path.join(case.state, "journal")
    for number in range(300):
        if number == 150:  # a process takes no more than 256 entries at once
            time.sleep(3)
            case.node.kill_agent()
            case.start()
        subprocess.run([QUICK, "hold", "--state-dir", case.state, "--reason", f"{number} " + "r" * 120], check=True, stdout=subprocess.DEVNULL)
        time.sleep(0.05)  # faster, entries would be lost: 32 KiB of them wait in memory for two seconds

    def seen():
        with open(printed, encoding="utf-8") as file:
            return [json.loads(line)["seq"] for line in file.read().split("\n")[:-1]]
    wait("the last reason", lambda: any(entry.get("message", "").startswith("299 ") for entry in case.entries()), 60)
    last = case.entries()[-1]["seq"]
    wait("the end of the journal in what is followed", lambda: seen()[-1] >= last, 30)
    expect(len([name for name in os.listdir(folder) if name.startswith("audit-")]) > 1, "the journal has begun no new file")
    expect(seen() == list(range(1, seen()[-1] + 1)), f"followed {seen()}")
    case.verify()
    reader.terminate()
    reader.wait(20)
    pipe, end = os.pipe()
    reader = case.node.child([HOLDFAST, "node", "journal", "--state-dir", case.state, "--follow"], log=end)
    os.close(end)
    expect(len(os.read(pipe, 4096)) > 0, "nothing printed")
    os.close(pipe)
    case.hold(False)
    reader.wait(60)
    with open("/dev/full", "wb") as full:
        done = subprocess.run([HOLDFAST, "node", "journal", "--state-dir", case.state, "--follow"], stdout=full, stderr=subprocess.PIPE,
                              text=True, check=False, timeout=60)
    expect(done.returncode == 1 and "write standard output: No space left on device" in done.stderr, f"{done}")


def wiped(case):
    case.start()
    case.hold(True)
    wait("the hold", lambda: "HoldSet" in case.kinds())
    printed = case.node.place("followed")
    with open(printed, "wb") as out:
        reader = case.node.child([HOLDFAST, "node", "journal", "--state-dir", case.state, "--json", "--follow"], log=out)

    def starts():
        with open(printed, encoding="utf-8") as file:
            return file.read().count('"kind":"AgentStarted"')
    wait("the first start", lambda: starts() == 1)
    case.node.kill_agent()
    for name in os.listdir(os.path.join(case.state, "journal")):
        os.unlink(os.path.join(case.state, "journal", name))
    case.hold(False)
    case.start()
    wait("the start in the new journal", lambda: starts() == 2, 20)
    case.node.kill_agent()
    path = os.path.join(case.state, "journal", sorted(os.listdir(os.path.join(case.state, "journal")))[-1])
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    body = re.sub(r'"seq":\d+', '"seq":999999999', lines[1][:lines[1].rindex(',"sum":"')])
    lines.insert(2, f'{body},"sum":"{hashlib.sha256(body.encode()).hexdigest()[:16]}"}}')
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in lines))
    time.sleep(3)
    size = os.path.getsize(printed)
    time.sleep(3)
    expect(os.path.getsize(printed) == size, "a forged number makes --follow print lines again and again")
    reader.terminate()
    reader.wait(20)


def noted(case):
    config = case.node.place("agent.yaml")

    def configure(text):
        with open(config + ".new", "w", encoding="utf-8") as file:
            file.write(f"apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n{text}\n")
        os.rename(config + ".new", config)

    def entries(kind):
        return [entry for entry in case.entries() if entry["kind"] == kind]

    def policy(interval, value):
        case.node.apply("site", json.dumps({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {
            "name": "site", "annotations": {"edge.codcompass.io/allow-prune": value}}, "spec": {"interval": interval}}))
    configure("manifests: {staticPods: false}")
    case.start("--config", config)
    policy("10s", "site:0123456789ab\n\u001b[31m")
    wait("the override", lambda: entries("OverrideUsed"))
    expect(entries("OverrideUsed")[0]["message"] == "site:0123456789ab  [31m", f"{entries('OverrideUsed')}")
    policy("ten seconds", "site:0123456789ab")
    found = wait("the refused object", lambda: entries("ObjectRefused"))
    expect(found[0]["subject"] == "object/SyncPolicy/site" and "spec.interval" in found[0]["message"], f"{found}")
    expect(len(entries("ConfigurationChanged")) == 1, f"{entries('ConfigurationChanged')}")
    configure("manifests: {staticPods: false}  # another comment, the same meaning")
    os.kill(case.node.agent.pid, signal.SIGHUP)
    time.sleep(3)
    expect(len(entries("ConfigurationChanged")) == 1, "a comment is no change")
    configure("manifests: {staticPods: true}")
    os.kill(case.node.agent.pid, signal.SIGHUP)
    wait("the change", lambda: len(entries("ConfigurationChanged")) == 2)
    case.node.kill_agent()
    case.start("--config", config)
    time.sleep(6)
    counts = [len(entries(kind)) for kind in ("OverrideUsed", "ObjectRefused", "ConfigurationChanged")]
    expect(counts == [1, 1, 2], f"after a restart: {counts}")
    keys = os.path.join(case.node.home, "trust.d")
    expect(len(entries("TrustChanged")) == 1, f"{entries('TrustChanged')}")
    subprocess.run([HOLDFAST, "key", "generate", os.path.join(case.node.home, "second")], check=True, stdout=subprocess.DEVNULL)
    os.rename(os.path.join(case.node.home, "second.pem"), os.path.join(keys, "second.pem"))
    wait("the new key", lambda: "second" in entries("TrustChanged")[-1]["message"])
    case.node.kill_agent()
    os.unlink(os.path.join(keys, "second.pem"))
    case.start("--config", config)
    wait("a key that went while no agent ran", lambda: "second" not in entries("TrustChanged")[-1]["message"])
    case.verify()


def group(case):
    with tempfile.TemporaryDirectory() as home:
        os.chmod(home, 0o755)
        case.state = os.path.join(home, "state")
        os.makedirs(os.path.join(home, "host", "etc"))
        with open(os.path.join(home, "host", "etc", "group"), "w", encoding="utf-8") as file:
            file.write(f"root:x:0:\nholdfast:x:{GROUP}:\n")
        case.start("--state-dir", case.state, "--mode", "pod", "--host-root", os.path.join(home, "host"))
        expect(os.stat(case.state).st_mode & 0o7 == 0, "others may pass through the state folder")

        def denied(groups, words):
            return subprocess.run(words, user=STRANGER, group=STRANGER, extra_groups=groups, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, check=False).returncode != 0
        line = os.path.join(case.state, "journal", "audit-000000000001.jsonl")
        expect(not denied([GROUP], ["cat", line]), "the group cannot read the journal")
        expect(not denied([GROUP], ["ls", os.path.dirname(line)]), "the group cannot list the journal")
        expect(denied([GROUP], ["ls", case.state]), "the group lists the state folder")
        expect(denied([GROUP], ["touch", os.path.join(case.state, "journal", "x")]), "the group writes the journal")
        expect(denied([GROUP], ["cat", os.path.join(case.state, "clock")]), "the group reads another file")
        expect(denied([], ["cat", line]), "everybody reads the journal")
        case.node.stop_agent()


def run(name, server):
    if name in NEEDS_ROOT and os.geteuid() != 0:
        raise suite.Skip("needs root")
    case = Case(name, server)
    try:
        globals()[name](case)
    finally:
        case.end()


def main():
    server = fault.Artifacts()
    return suite.run([(name, functools.partial(run, name, server)) for name in sys.argv[1:] or CASES], BESIDE)


if __name__ == "__main__":
    sys.exit(main())
