#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A node loses its network, accepts payloads meanwhile, and gets its network back: the receiver must see each payload exactly once.

    tests/system/telemetry/partition.py [--payloads N] [--seconds S] [--home DIR]

As root the node and the receiver are network namespaces with a cable between them that is pulled (and the receiver wants client
certificates); else the receiver goes away on loopback. Exit code 0: every payload was acknowledged while the node was cut off, and
received exactly once. hack/partition-50.sh is the short way to call it.
"""
import argparse
import ctypes
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

from load import payload, post
from node import TOP, Node, fresh, wait
from sink import make_certificates

HERE = os.path.dirname(os.path.abspath(__file__))


def say(text):
    print(text, flush=True)


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class Cable:
    """Two namespaces; this process moves into the node's, the receiver is started in the other."""

    def __init__(self):
        self.node, self.cloud = f"hf-node-{os.getpid()}", f"hf-cloud-{os.getpid()}"
        self.address = "10.213.50.2"

    @staticmethod
    def why_not():
        """Why there can be none, or "". Tests by a try: root inside a user namespace may not enter another namespace's network."""
        name = f"hf-try-{os.getpid()}"
        if os.geteuid() != 0:
            return "not root"
        if not shutil.which("ip"):
            return "no program ip (iproute2)"
        try:
            made = all(subprocess.run(["ip", *words], stderr=subprocess.DEVNULL, check=False).returncode == 0
                       for words in (("netns", "add", name), ("-n", name, "link", "set", "lo", "up")))
            return "" if made else "no network namespaces here"
        finally:
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL, check=False)

    def lay(self):
        for name in (self.node, self.cloud):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", self.node, "link", "add", "up0", "type", "veth", "peer", "name", "up0", "netns", self.cloud)
        for name, address in ((self.node, "10.213.50.1"), (self.cloud, self.address)):
            ip("-n", name, "address", "add", f"{address}/30", "dev", "up0")
            ip("-n", name, "link", "set", "up0", "up")

    def into(self, name):
        return ["ip", "netns", "exec", name]

    def cut(self):
        ip("-n", self.cloud, "link", "set", "up0", "down")

    def mend(self):
        ip("-n", self.cloud, "link", "set", "up0", "up")

    def end(self):
        for name in (self.node, self.cloud):
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL, check=False)


def enter(namespace):
    """setns(2), which Python 3.11 lacks: moves this process (one thread so far) into the namespace."""
    fd = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(fd, 0x40000000) != 0:  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), "setns")
    os.close(fd)


def received(record):
    """{id: count} of an idempotent receiver (the first batch of each key), and the repeated batches."""
    ids, keys, again = {}, set(), 0
    if not os.path.exists(record):
        return ids, again
    with open(record, encoding="utf-8") as file:
        for line in file:
            batch = json.loads(line)
            if batch["key"] and batch["key"] in keys:
                again += 1
                continue
            keys.add(batch["key"])
            for event_id in batch["ids"]:
                ids[event_id] = ids.get(event_id, 0) + 1
    return ids, again


class Receiver:
    """Starts tests/system/telemetry/sink.py as a process in the given namespace."""

    def __init__(self, home, host, tls, wrapper):
        self.record = os.path.join(home, "received.jsonl")
        self.words = [*wrapper, sys.executable, os.path.join(HERE, "sink.py"), "--host", host, "--record", self.record]
        if tls:
            self.words += ["--tls", tls]
        self.child, self.port = None, 0

    def start(self):
        self.child = subprocess.Popen([*self.words, "--port", str(self.port)], stdout=subprocess.PIPE, text=True)
        url = self.child.stdout.readline().strip()
        self.port = int(url.rsplit(":", 1)[1])
        return url

    def end(self):
        if self.child and self.child.poll() is None:
            self.child.kill()
            self.child.wait()


def experiment(words, node, receiver, cut, mend):
    expected = [f"payload-{i}" for i in range(words.payloads)]
    rng = random.Random(1)
    began = time.monotonic()

    def send(event_id):
        status, _, answer = post(node.port, payload(event_id, 300, rng))
        if not 200 <= status < 300:
            raise AssertionError(f"{event_id} was answered {status}: {answer[:200].decode(errors='replace')}")

    send("before")
    wait("the payload sent before", lambda: "before" in received(receiver.record)[0])
    cut()
    for event_id in expected:
        send(event_id)
    say(f"cut off: {len(expected)} payloads acknowledged in {time.monotonic() - began:.1f} s, none can leave")
    time.sleep(words.seconds)
    early = [i for i in expected if i in received(receiver.record)[0]]
    if early:
        raise AssertionError(f"{len(early)} payloads arrived while the node was cut off: it was not")
    mend()
    back = time.monotonic()
    wait("all payloads", lambda: all(i in received(receiver.record)[0] for i in expected), patience=120)
    took = time.monotonic() - back
    time.sleep(2)  # time for a duplicate to arrive
    ids, again = received(receiver.record)
    twice = [i for i in expected if ids[i] != 1]
    if twice:
        raise AssertionError(f"{len(twice)} payloads were received more than once: {twice[:3]}")
    strangers = set(ids) - set(expected) - {"before"}
    if strangers:
        raise AssertionError(f"nobody sent {sorted(strangers)[:3]}")
    say(f"link back: {len(expected)} payloads in {took:.1f} s, each exactly once ({again} batches repeated under their key)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--payloads", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=3, help="how long the link stays away after the last payload")
    parser.add_argument("--home", default=os.path.join(TOP, "build", "partition"))
    words = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # removes the namespaces too
    home = fresh(words.home)
    why = Cable.why_not()
    cable = None if why else Cable()
    node = receiver = None
    try:
        if cable:
            cable.lay()
            tls = os.path.join(home, "tls")
            make_certificates(tls, cable.address)
            enter(cable.node)
            receiver = Receiver(home, cable.address, tls, cable.into(cable.cloud))
            cut, mend = cable.cut, cable.mend
        else:
            say(f"{why}: the receiver goes away on loopback instead of the link")
            tls, receiver = None, Receiver(home, "127.0.0.1", None, [])
            cut, mend = receiver.end, receiver.start
        url = receiver.start()
        node = Node(home)
        node.policy(url, tls=tls, timeout="200ms", base="200ms")
        node.start()
        experiment(words, node, receiver, cut, mend)
        say("1 passed, 0 failed, 0 skipped")
        return 0
    except (AssertionError, OSError, subprocess.CalledProcessError) as error:
        say(f"FAIL: {error}\n0 passed, 1 failed, 0 skipped")
        return 1
    finally:
        if node:
            node.end()
        if receiver:
            receiver.end()
        if cable:
            cable.end()


if __name__ == "__main__":
    sys.exit(main())
