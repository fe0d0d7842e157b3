#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A node without a network: its telemetry goes to a folder of a medium (--export), which is pulled and changed while the agent
is killed, and `holdfast spool send` brings each event to a receiver exactly once.

    tests/system/telemetry/carry.py [--home DIR]

To pull the medium is to move its folder away.
"""
import argparse

import glob
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(1, os.path.join(os.path.dirname(os.path.dirname(HERE)), "support"))
from lab import PROGRAMS, TOP  # noqa: E402
from load import payload, post  # noqa: E402
from node import Node, fresh, wait  # noqa: E402
from sink import Sink, Store  # noqa: E402
from suite import equal, run  # noqa: E402

ROUNDS, EACH = 12, 20


def requests(folder):
    """{path below the folder: bytes} of the exported requests."""
    found = {}
    for path in glob.glob(os.path.join(folder, "**", "*.http"), recursive=True):
        with open(path, "rb") as file:
            found[os.path.relpath(path, folder)] = file.read()
    return found


def ids(request):
    return re.findall(rb'"id":"(e\d+)"', request)


def send(folder, url, *more):
    done = subprocess.run([os.path.join(PROGRAMS, "holdfast"), "spool", "send", "--to", url, *more, folder], capture_output=True,
                          text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


class World:
    def __init__(self, home):
        self.home, self.usb = fresh(home), os.path.join(home, "usb", "holdfast")
        self.shelf = os.path.join(home, "shelf")
        os.makedirs(os.path.dirname(self.usb))
        os.makedirs(self.shelf)
        self.store = Store()
        self.sink = Sink(self.store)
        self.node = Node(home)
        self.node.policy(self.sink.url + "/take", timeout="100ms", base="100ms", compression="none", batch_bytes=4096)
        self.sent, self.media = 0, 0

    def start(self):
        self.node.start("--export", self.usb)

    def events(self, n):
        rng = random.Random(self.sent)
        for _ in range(n):
            status, _, answer = post(self.node.port, payload(f"e{self.sent}", 200, rng))
            assert 200 <= status < 300, f"e{self.sent} was answered {status}: {answer[:200]}"
            self.sent += 1

    def insert(self):
        os.mkdir(self.usb)

    def pull(self):
        self.media += 1
        os.rename(self.usb, os.path.join(self.shelf, f"medium-{self.media}"))

    def on_media(self):
        """What all media hold, by name; a name on two of them must have the same bytes."""
        found = {}
        for medium in sorted(os.listdir(self.shelf)) + ([None] if os.path.exists(self.usb) else []):
            folder = os.path.join(self.shelf, medium) if medium else self.usb
            for name, content in requests(folder).items():
                assert found.setdefault(name, content) == content, f"{name} has other bytes on another medium"
        return found

    def all_there(self):
        self.node.alive()
        return len({i for content in self.on_media().values() for i in ids(content)}) == self.sent


def nothing_without_a_medium(world):
    world.start()
    world.events(EACH)
    wait("the agent to miss the medium", lambda: world.node.reasons().get("refused", 0) > 0)
    assert not os.path.exists(world.usb), "the agent made the folder of the medium"
    equal("requests over the network", len(world.store.batches), 0)


def exactly_once_over_pulls_and_kills(world):
    rng = random.Random(7)
    for turn in range(ROUNDS):
        if turn % 3 == 0:
            world.insert()
        world.events(EACH)
        time.sleep(rng.random() * 0.5)
        if turn % 2 == 0:
            world.node.kill()
            world.start()
        if turn % 3 == 2:
            world.pull()
    world.insert()
    wait("all events on the media", world.all_there, patience=120)
    count = {}
    for content in world.on_media().values():
        for event in ids(content):
            count[event] = count.get(event, 0) + 1
    equal("events in two requests", [event for event, times in count.items() if times != 1], [])
    equal("requests over the network", len(world.store.batches), 0)
    print(f"        {world.sent} events in {len(world.on_media())} requests on {world.media + 1} media")


def status_on_the_medium(world):
    path = os.path.join(world.usb, "node-1", "status.json")
    wait("the status on the medium", lambda: os.path.exists(path), patience=60)
    with open(path, encoding="utf-8") as file:
        status = json.load(file)
    equal("kind", status["kind"], "EdgeNode")
    equal("name", status["metadata"]["name"], "node-1")


def a_receiver_that_is_away_costs_nothing(world):
    world.pull()
    port = world.sink.port
    world.sink.end()
    before = world.on_media()
    code, text = send(world.shelf, f"http://127.0.0.1:{port}")
    equal(f"exit code ({text})", code, 1)
    assert "sent 0 requests" in text, text
    equal("files", world.on_media().keys(), before.keys())
    world.sink = Sink(world.store, port)


def each_event_arrives_once(world):
    again = shutil.copytree(os.path.join(world.shelf, "medium-1"), os.path.join(world.home, "copy"))
    code, text = send(world.shelf, world.sink.url)
    equal(f"exit code ({text})", code, 0)
    equal("files left", world.on_media(), {})
    code, text = send(again, world.sink.url)     # the courier's mistake: the receiver tells by the key
    equal(f"exit code ({text})", code, 0)
    missing = world.store.has([f"e{i}" for i in range(world.sent)])
    twice, repeated, wrong = world.store.duplicates()
    equal("missing, twice, wrong", (missing, twice, wrong), ([], [], []))
    assert repeated > 0, "the copy was not sent"
    equal("paths", {batch.path for batch in world.store.batches}, {"/take"})


def what_is_no_request_stays(world):
    folder = os.path.join(world.home, "foreign", "n", "h")
    os.makedirs(folder)
    with open(os.path.join(folder, "a.http"), "w", encoding="utf-8") as file:
        file.write("GET / HTTP/1.1\r\n\r\n")
    os.symlink("/etc/passwd", os.path.join(folder, "b.http"))
    os.mkfifo(os.path.join(folder, "c.http"))
    code, text = send(os.path.join(world.home, "foreign"), world.sink.url)
    equal(f"exit code ({text})", code, 3)
    equal("files", sorted(os.listdir(folder)), ["a.http", "b.http", "c.http"])
    assert "a.http" in text and "passwd" not in text, text


TESTS = [nothing_without_a_medium, exactly_once_over_pulls_and_kills, status_on_the_medium, a_receiver_that_is_away_costs_nothing,
         each_event_arrives_once, what_is_no_request_stays]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--home", default=os.path.join(TOP, "build", "carry"))
    world = World(os.path.realpath(parser.parse_args().home))
    try:
        return run([(test.__name__, lambda test=test: test(world)) for test in TESTS])
    finally:
        world.node.end()
        world.sink.end()


if __name__ == "__main__":
    sys.exit(main())
