#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Telemetry of the real agent under losses, duplicates and blocked sinks.

    tests/system/telemetry/run.py [--list] [--kills N] [--cuts N] [--backlog MIB] [--seed S] [--home DIR] [SCENARIO ...]

Without words: the quick selection (12 kills for each kind of sink, power cuts at 3 points). `--kills 334 kills` is a thousand kills,
`--cuts 200 power` the power cut at 200 points, `--backlog 1024 backlog` the one with a gigabyte waiting. Loopback only; scenarios that need root
are skipped by name without it. Ends with "N passed, N failed, N skipped".
"""
import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time

import bad
import disk
from load import Load, payload, post
from node import TOP, Node, fresh, wait
from sink import Sink, Store, make_certificates
from sources import sources_and_kills

SCENARIOS = {}
MAX_BODY = 524288


class Skip(Exception):
    pass


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


scenario(sources_and_kills)


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Lab:
    """Node, sink and arguments of one scenario; stops all that it started."""

    def __init__(self, words, name):
        self.words, self.home, self.rng = words, fresh(os.path.join(words.home, name)), random.Random(words.seed)
        self.store, self.sink, self.node, self.loads, self.ends = Store(), None, None, [], []
        self.facts = []

    def up(self, **more):
        """Starts the sink, under its old port if it had one."""
        self.sink = Sink(self.store, port=self.sink.port if self.sink else 0, seed=self.words.seed, **more)
        return self.sink

    def start(self, storage=None, **policy):
        self.node = Node(self.home, storage)
        self.node.policy(self.sink.url, **policy)
        return self.node.start()

    def load(self, prefix, **more):
        load = Load(self.node.port, prefix, **more).start()
        self.loads.append(load)
        return load

    def arrived(self, acked, patience=None):
        """Waits until the sink has all of them; fails with those that are missing."""
        more = {"patience": patience} if patience else {}
        try:
            wait("delivery", lambda: self.node.alive() and not self.store.has(acked), step=0.05, **more)
        except AssertionError as error:
            lost = self.store.has(acked)
            raise AssertionError(f"{len(lost)} of {len(acked)} acknowledged events did not arrive ({lost[:3]}); {error}") from None

    def no_duplicates(self):
        twice, again, wrong = self.store.duplicates()
        if twice:
            raise AssertionError(f"{len(twice)} events twice at a receiver that knows keys: {twice[:3]}")
        if wrong:
            raise AssertionError(f"batches that are not what their key says: {wrong[:3]}")
        if self.store.largest > MAX_BODY:
            raise AssertionError(f"a body of {self.store.largest} bytes")
        return again

    def fact(self, text):
        self.facts.append(text)

    def end(self):
        for load in self.loads:
            load.stop(1)
        if self.node:
            self.node.end()
        if self.sink and not self.sink.ending:
            self.sink.end()
        for end in reversed(self.ends):
            end()


# ---- kill -9 ---------------------------------------------------------------------------------------------------------------

def killed_again_and_again(lab, before_each, kills):
    """Constant load while the agent dies at random moments; afterwards all acknowledged events must arrive."""
    load = lab.load("k", senders=2, per_post=5)
    for n in range(kills):
        before_each(n)
        time.sleep(lab.rng.expovariate(1 / 0.25))
        lab.node.kill()
        lab.node.start(ready=lab.rng.random() < 0.7)
    wait("the agent to take events", lab.node.takes_events)
    wait("posts to be acknowledged", lambda: len(load.acked) > 50)
    load.stop()
    acked = load.snapshot()
    return load, acked


def finish_kills(lab, load, acked, kills):
    lab.arrived(acked)
    again = lab.no_duplicates()
    unknown = [i for i in lab.store.ids if i not in acked and i not in set(load.pending_at_end)]
    if unknown:
        raise AssertionError(f"{len(unknown)} events that nobody sent: {unknown[:3]}")
    lab.fact(f"{kills} kills, {len(acked)} acknowledged, 0 lost, 0 twice, {again} batches sent again under their key")


@scenario
def kills_sink_up(lab):
    """kill -9 at random moments while the sink accepts everything."""
    lab.up()
    lab.start()
    finish_kills(lab, *killed_again_and_again(lab, lambda n: None, lab.words.kills), lab.words.kills)


@scenario
def kills_sink_down(lab):
    """The same while the sink is down; it comes back at the end."""
    lab.up()
    lab.start()
    lab.sink.end()
    load, acked = killed_again_and_again(lab, lambda n: None, lab.words.kills)
    lab.up()
    finish_kills(lab, load, acked, lab.words.kills)


@scenario
def kills_sink_flapping(lab):
    """The same while the sink comes and goes, loses answers and refuses."""
    lab.up()
    lab.start()

    def flap(_):
        what = lab.rng.randrange(5)
        if what == 0 and not lab.sink.ending:
            lab.sink.end()
        elif lab.sink.ending:
            lab.up()
        modes = ({}, {"lose_pct": 40}, {"refuse": 503, "refuse_pct": 50}, {"cut_pct": 40}, {"refuse": 429, "retry_after": 1, "refuse_pct": 50})
        lab.sink.mode = dict(modes[what])
    load, acked = killed_again_and_again(lab, flap, lab.words.kills)
    if lab.sink.ending:
        lab.up()
    lab.sink.mode = {}
    finish_kills(lab, load, acked, lab.words.kills)


# ---- sinks that misbehave --------------------------------------------------------------------------------------------------

@scenario
def lost_answers(lab):
    """30 % of the answers get lost after the sink accepted the batch: whole batches come again under their key."""
    lab.up()
    lab.start(batch_bytes=4096)
    lab.sink.mode = {"lose_pct": 30}
    load = lab.load("a", senders=2, per_post=5, limit=1500)
    wait("the load", lambda: len(load.acked) == 1500)
    lab.arrived(load.snapshot())
    wait("all answers", lambda: lab.node.metrics().get("holdfast_telemetry_queue_events", 0) == 0)
    again = lab.no_duplicates()
    lost = lab.store.faults["answer lost"]
    if lost == 0 or again == 0:
        raise AssertionError("the sink lost no answer: nothing was tried")
    lab.fact(f"{lost} of {len(lab.store.batches)} answers lost, {again} batches again, 0 events twice by key")


# The sink's counter, its behaviour, and the reason that the agent's metric must show (None: the batch still waits).
MISBEHAVIOUR = (("refused", {"refuse": 503}, "http_503"), ("refused", {"refuse": 429, "retry_after": 1}, "http_429"),
                ("stalled", {"stall": True}, None), ("dripped", {"drip": True}, None),
                ("endless headers", {"endless_headers": True}, "answer_too_large"), ("huge body", {"huge_body": True}, "answer_too_large"),
                ("wrong type", {"wrong_type": True}, "content_type"), ("lied", {"lie": True}, "cut"), ("cut", {"cut_pct": 100}, "cut"))


@scenario
def misbehaving_sinks(lab):
    """Refusals, stalls, dripping answers, endless headers, huge bodies, wrong types, lies: no event gets lost, the agent stays healthy."""
    home, slowest = lab.home, 0
    for n, (fault, mode, reason) in enumerate(MISBEHAVIOUR):
        lab.home, lab.store, lab.sink = os.path.join(home, str(n)), Store(), None
        lab.up()
        lab.sink.mode = dict(mode)
        lab.start()
        load = lab.load(f"m{n}", senders=1, per_post=5, limit=50)
        wait(f"events to be taken while the sink does {mode}", lambda: len(load.acked) == 50)
        wait(f"the sink to do {mode}", lambda: lab.store.faults[fault] > 0)
        wait(f"the reason {reason} for {mode}", lambda: reason is None or lab.node.reasons().get(reason, 0) > 0)
        if not lab.node.healthy():
            raise AssertionError(f"not healthy while the sink does {mode}")
        if lab.node.memory_kb()[0] > 64 << 10 and "asan" not in os.environ.get("HF_BUILD_DIR", ""):
            raise AssertionError(f"{lab.node.memory_kb()[0]} kB while the sink does {mode}")
        began, lab.sink.mode = time.monotonic(), {}
        try:
            lab.arrived(load.snapshot())
            lab.no_duplicates()
        except AssertionError as error:
            raise AssertionError(f"after the sink did {mode}: {error}") from None
        slowest = max(slowest, time.monotonic() - began)
        lab.node.end()
        lab.sink.end()
    lab.fact(f"{len(MISBEHAVIOUR)} kinds; delivery within {slowest:.1f} s of the sink's recovery")


@scenario
def client_certificates(lab):
    """A sink that requires a client certificate."""
    make_certificates(os.path.join(lab.home, "tls"))
    lab.up(tls=os.path.join(lab.home, "tls"))
    lab.start(tls=os.path.join(lab.home, "tls"))
    load = lab.load("t", senders=1, per_post=5, limit=100)
    wait("the load", lambda: len(load.acked) == 100)
    lab.arrived(load.snapshot())
    lab.no_duplicates()


@scenario
def unreachable_sinks(lab):
    """No listener, a name that does not resolve, a wrong certificate, no client certificate: a metric names each."""
    home, told = lab.home, []
    for folder in ("tls", "other"):
        make_certificates(os.path.join(home, folder))
    for n, (url, tls, reason) in enumerate(((None, None, "refused"), ("https://no-such-sink.invalid/", None, "dns"),
                                            ("tls", "other", "tls"), ("tls", None, "tls"))):
        lab.home, lab.store, lab.sink = os.path.join(home, str(n)), Store(), None
        lab.up(tls=os.path.join(home, "tls") if url == "tls" else None)
        if url is None:
            lab.sink.end()
        lab.node = Node(lab.home)
        lab.node.policy(lab.sink.url if url in (None, "tls") else url, tls=os.path.join(home, tls) if tls else None)
        lab.node.start()
        load = lab.load(f"u{n}", senders=1, per_post=5, limit=20)
        wait("the load", lambda: len(load.acked) == 20)
        wait(f"the reason {reason}", lambda: lab.node.reasons().get(reason, 0) > 0)
        if not lab.node.healthy():
            raise AssertionError(f"not healthy without a sink ({reason})")
        told.append(reason)
        lab.node.end()
        if not lab.sink.ending:
            lab.sink.end()
    lab.fact(f"named: {', '.join(told)}")


@scenario
def batch_limit(lab):
    """Events of every size up to 200 kB: no body exceeds 524288 bytes."""
    lab.up()
    lab.sink.mode = {"refuse": 503}
    lab.start()
    acked = []
    for n in range(60):
        event_id = f"b-{n}"
        body = b"[" + payload(event_id, lab.rng.choice((200, 5000, 60000, 200000)), lab.rng) + b"]"
        status, _, answer = post(lab.node.port, body)
        if not 200 <= status < 300:
            raise AssertionError(f"{len(body)} bytes were answered {status}: {answer[:200]}")
        acked.append(event_id)
    lab.sink.mode = {}
    lab.arrived(acked)
    lab.no_duplicates()
    lab.fact(f"largest body {lab.store.largest} bytes")


@scenario
def folder_in_the_way(lab):
    """A sink's folder cannot be created: the agent accepts no events for it, stays healthy, and starts as soon as it can."""
    lab.up()
    lab.node = Node(lab.home)
    os.makedirs(lab.node.storage)
    blocked = os.path.join(lab.node.storage, "default")
    with open(blocked, "wb"):
        pass
    lab.node.policy(lab.sink.url)
    lab.node.start()
    body = b"[" + payload("f-1", 200, lab.rng) + b"]"
    for _ in range(20):
        status, _, answer = post(lab.node.port, body)
        if status != 503 or b"sink 'default' cannot be used" not in answer:
            raise AssertionError(f"without a place for it: {status} {answer[:200]}")
    if not lab.node.healthy():
        raise AssertionError("not healthy without a place for telemetry")
    os.unlink(blocked)
    wait("the event to be taken", lambda: lab.node.alive() and post(lab.node.port, body)[0] == 202, step=1)
    lab.arrived({"f-1"})
    lab.no_duplicates()


@scenario
def one_storage_folder(lab):
    """A second agent on the storage folder of another reports the owner, accepts no events, and starts when the folder is free; so does
    one whose folder cannot be created. The waiting events can be read meanwhile."""
    lab.up()
    lab.sink.mode = {"refuse": 503}
    lab.start()
    body = b"[" + payload("o-1", 200, lab.rng) + b"]"
    if post(lab.node.port, body)[0] != 202:
        raise AssertionError("the first agent takes nothing")
    other = Node(fresh(os.path.join(lab.home, "other")), lab.node.storage)
    lab.ends.append(other.end)
    other.policy(lab.sink.url)
    other.start()
    expect_no_storage(other, lab, f"another agent (pid {lab.node.agent.pid}) already runs on '{lab.node.storage}'",
                      "its own --storage-dir")
    code, text = lab.node.spool("cat")
    if code != 0 or b"o-1" not in text:
        raise AssertionError(f"holdfast spool of a folder in use: {code} {text[:200]}")
    lab.node.kill()
    lab.sink.mode = {}
    wait("the second agent to have the folder", lambda: other.alive() and post(other.port, body)[0] == 202, step=0.5)
    wait("delivery", lambda: other.alive() and not lab.store.has({"o-1"}), step=0.05)
    lab.no_duplicates()
    other.stop()
    other.storage = "/proc/holdfast"
    other.start()
    expect_no_storage(other, lab, "the storage folder '/proc/holdfast' cannot be used")


def expect_no_storage(node, lab, *words):
    status, _, answer = post(node.port, b"[" + payload("o-2", 200, lab.rng) + b"]")
    if status != 503 or not all(word.encode() in answer for word in words):
        raise AssertionError(f"without a storage folder: {status} {answer[:400]}")
    if not node.healthy():
        raise AssertionError("not healthy without a storage folder")


@scenario
def newest_of_a_key(lab):
    """States of one key: a late older one goes no further; one of another key or of the same time does."""
    lab.up()
    lab.start()
    rows = (("s1", "door", 2000, 1), ("s2", "door", 1000, 0), ("s3", "window", 1000, 1), ("s4", "door", 2000, 1), ("s2", "door", 1000, 0))
    for event_id, key, seconds, accepted in rows:
        body = json.dumps({"id": event_id, "key": key, "timestamp": seconds * 1000, "sensorData": {"open": True}}).encode()
        status, _, answer = post(lab.node.port, body)
        if status != 202 or json.loads(answer)["accepted"] != accepted:
            raise AssertionError(f"{event_id}: {status} {answer}")
    lab.arrived({"s1", "s3", "s4"})
    if not lab.store.has({"s2"}):
        raise AssertionError("a state older than one that went on was sent")
    lab.fact("3 of 5 states went on")


@scenario
def bad_input(lab):
    """Bad bodies of every kind at /ingest: each gets its status and leaves no event, while good ones pass."""
    lab.up()
    lab.start()
    load = lab.load("good", senders=1, per_post=3, pause=0.01)
    cases, wrong = bad.cases(), []
    for name, body, content_type, headers, right in cases:
        status, _, answer = post(lab.node.port, body, content_type, **headers)
        if status not in right:
            wrong.append(f"{name}: {status} {answer[:120]!r}, not {' or '.join(map(str, right))}")
        if not lab.node.alive():
            break
    broken = bad.broken_requests(lab.node.port)
    before = len(load.acked)
    wait("good payloads after all that", lambda: len(load.acked) > before + 30)
    load.stop()
    lab.arrived(load.snapshot())
    kept = [i for i in lab.store.ids if not i.startswith("good-")]
    if wrong or kept:
        raise AssertionError(f"{len(wrong)} of {len(cases)} wrong ({'; '.join(wrong[:8])}); kept: {kept[:5]}")
    if not lab.node.healthy():
        raise AssertionError("not healthy")
    lab.no_duplicates()
    lab.fact(f"{len(cases)} bodies, {broken} broken requests, {len(load.acked)} good payloads meanwhile")


# ---- disks that misbehave --------------------------------------------------------------------------------------------------

def small_disk(lab, mib):
    """Mounts an ext4 of its own for the telemetry; returns its mount point."""
    reason = disk.missing()
    if reason:
        raise Skip(reason)
    image, mountpoint = os.path.join(lab.home, "small.img"), os.path.join(lab.home, "small")
    with open(image, "wb") as file:
        file.truncate(mib << 20)
    disk.run("mkfs.ext4", "-q", image)
    mounted = disk.Mounted(image, mountpoint)
    lab.ends.append(mounted.end)
    lab.mounted = mounted
    return mountpoint


@scenario
def full_disk(lab):
    """The disk fills up under load: refusals that name the cause, then normal operation."""
    mountpoint = small_disk(lab, 48)
    lab.up()
    lab.start(storage=os.path.join(mountpoint, "telemetry"), max_bytes=1 << 30)
    lab.sink.mode = {"refuse": 503}
    load = lab.load("f", senders=2, per_post=20, size=2000)
    wait("the disk to be full", lambda: load.statuses.get(429, 0) + load.statuses.get(503, 0) + load.statuses.get(507, 0) > 5)
    before = len(load.acked)
    if not lab.node.healthy():
        raise AssertionError("not healthy with a full disk")
    lab.sink.mode = {}
    wait("events to be taken again", lambda: len(load.acked) > before + 200)
    load.stop()
    lab.arrived(load.snapshot())
    lab.no_duplicates()
    lab.fact(f"{before} taken before it was full, answers {load.statuses}")


@scenario
def read_only_disk(lab):
    """The file system becomes read-only under the agent, as ext4 does after an error; after a repair all acknowledged events are there."""
    mountpoint = small_disk(lab, 64)
    lab.up()
    lab.start(storage=os.path.join(mountpoint, "telemetry"))
    lab.sink.mode = {"refuse": 503}
    load = lab.load("r", senders=2, per_post=5)
    wait("events", lambda: len(load.acked) > 200)
    disk.run("mount", "-o", "remount,abort", mountpoint)
    wait("refusals", lambda: sum(n for status, n in load.statuses.items() if status >= 429) > 5)
    acked = load.snapshot()
    if not lab.node.healthy():
        raise AssertionError("not healthy on a read-only file system")
    load.stop()
    acked = load.snapshot()
    lab.node.stop()
    lab.mounted.end()
    lab.ends.remove(lab.mounted.end)
    mounted = disk.Mounted(os.path.join(lab.home, "small.img"), mountpoint)
    lab.ends.append(mounted.end)
    lab.sink.mode = {}
    lab.node.start()
    lab.arrived(acked)
    lab.no_duplicates()
    lab.fact(f"{len(acked)} acknowledged before, answers {load.statuses}")


def waiting(lab, prefix, n, size=250):
    """Posts n events, which the agent acknowledges and keeps because the sink refuses."""
    lab.sink.mode = {"refuse": 503}
    load = lab.load(prefix, senders=2, per_post=10, size=size, limit=n)
    wait("the load", lambda: len(load.acked) == n)
    return load.snapshot()


@scenario
def deleted_files(lab):
    """Somebody deletes segments and cursor under the running agent: it saves the open segment and counts the lost events."""
    lab.up()
    lab.start()
    acked = waiting(lab, "d", 2000)
    for path in lab.node.segments():
        os.unlink(path)
    more = waiting(lab, "e", 100)
    folders = {os.path.dirname(path) for path in lab.node.segments()}
    subprocess.run(["rm", "-rf", *folders], check=True)
    more |= waiting(lab, "g", 100)
    lab.sink.mode = {}
    lab.arrived(more)
    wait("the queue to be empty", lambda: lab.node.metrics().get("holdfast_telemetry_queue_events", 0) == 0)
    lost = lab.store.has(acked)
    if lost:  # one open segment held them all, so the agent must have saved it
        raise AssertionError(f"{len(lost)} of {len(acked)} lost with the deleted segments")
    lab.no_duplicates()
    lab.fact(f"{len(acked)} events waited in deleted files, 0 lost")


@scenario
def flipped_bits(lab):
    """Bits flip in the segments of a running agent: it loses only the damaged records, reports them, and continues."""
    lab.up()
    lab.start()
    acked = waiting(lab, "v", 3000)
    flips = 0
    for path in lab.node.segments():
        with open(path, "r+b") as file:
            used = len(file.read()[:-512].rstrip(b"\0"))  # the last sector has the header's copy
            for _ in range(6):
                at = lab.rng.randrange(512, max(used, 513))
                file.seek(at)
                byte = file.read(1)
                file.seek(at)
                file.write(bytes([byte[0] ^ (1 << lab.rng.randrange(8))]))
                flips += 1
    code, _ = lab.node.spool("verify")
    if code != 1:
        raise AssertionError(f"spool verify says {code} about damage")
    after = waiting(lab, "w", 100)
    lab.sink.mode = {}
    lab.arrived(after)
    wait("the queue to be empty", lambda: lab.node.metrics().get("holdfast_telemetry_queue_events", 0) == 0)
    lost = lab.store.has(acked)
    if len(lost) > flips:
        raise AssertionError(f"{flips} flipped bits cost {len(lost)} events")
    lab.no_duplicates()
    lab.fact(f"{flips} flipped bits, {len(lost)} of {len(acked)} events lost")


# ---- power cuts ------------------------------------------------------------------------------------------------------------

def record_a_run(lab, seconds, size=250, **policy):
    """Runs the agent on a disk that records all writes; returns the log."""
    reason = disk.missing()
    if reason:
        raise Skip(reason)
    recorder = disk.Disk(lab.home, 64)
    lab.ends.append(recorder.end)
    lab.up()
    lab.store.on_batch = lambda batch: recorder.mark(("batch", batch))
    lab.start(storage=os.path.join(recorder.mountpoint, "telemetry"), **({"max_bytes": 16 << 20} | policy))
    load = Load(lab.node.port, "p", senders=4, per_post=5, size=size, on_ack=lambda ids: recorder.mark(("ack", list(ids)))).start()
    lab.loads.append(load)
    end, control = time.monotonic() + seconds, 0
    unsynced = open(os.path.join(recorder.mountpoint, "control"), "wb", buffering=0)
    while time.monotonic() < end:
        lab.sink.mode = dict(lab.rng.choice(({}, {}, {"refuse": 503}, {"lose_pct": 30})))
        unsynced.write(b"never synced, so a cut must lose it\n")
        recorder.mark(("control", control))
        control += 1
        time.sleep(0.1)
    unsynced.close()
    load.stop()
    lab.node.kill()
    lab.sink.end()
    recorder.end()
    lab.ends.remove(recorder.end)
    return recorder


def after_the_cut(lab, marks, image, n):
    """Starts on the state after a cut; returns what is wrong, and True if the control file lost something."""
    mounted = disk.Mounted(image, os.path.join(lab.home, "cut"))
    store = Store()
    acked = [event_id for kind, ids in marks if kind == "ack" for event_id in ids]
    for kind, batch in marks:
        if kind == "batch":
            store.add(batch)
    sink, node = Sink(store), Node(fresh(os.path.join(lab.home, f"after-{n % 4}")), os.path.join(mounted.mountpoint, "telemetry"))
    lab.store, lab.sink, lab.node = store, sink, node
    try:
        written = sum(1 for kind, _ in marks if kind == "control")
        path = os.path.join(mounted.mountpoint, "control")
        kept = os.path.getsize(path) // 36 if os.path.exists(path) else 0
        node.policy(sink.url, max_bytes=16 << 20)
        node.start(ready=False)
        lab.arrived(acked)
        lab.no_duplicates()
        node.stop()
        return len(acked), kept < written
    finally:
        node.end()
        sink.end()
        mounted.end()


@scenario
def power_cuts(lab):
    """Power cuts at any write, with three kinds of loss of unflushed data."""
    recorder = record_a_run(lab, 6 if lab.words.cuts <= 9 else 20)
    first = next(i for i, entry in enumerate(recorder.log) if entry[0] == "m" and entry[1][0] == "ack")
    points = sorted(lab.rng.sample(range(first, len(recorder.log)), lab.words.cuts))
    replay, cuts, controls, most = disk.Replay(recorder.log, recorder.size), 0, 0, 0
    for at in points:
        for luck in (0, 0.5, 1):
            image = os.path.join(lab.home, f"cut-{cuts}.img")
            marks = replay.cut(at, luck, lab.rng, image)
            try:
                acked, lost_control = after_the_cut(lab, marks, image, cuts)
            except AssertionError as error:
                raise AssertionError(f"cut at entry {at} of {len(recorder.log)}, luck {luck}: {error}") from None
            os.unlink(image)
            cuts, controls, most = cuts + 1, controls + lost_control, max(most, acked)
    if controls == 0:
        raise AssertionError("the file that was never synced lost nothing in any cut: the disk did not lose power")
    lab.fact(f"{cuts} cuts, up to {most} acknowledged before, 0 lost, 0 twice; the unsynced file lost something in {controls}")


@scenario
def small_buffer_power_cuts(lab):
    """The same while new segments reuse the files of the oldest: no damaged segment, and the stream keeps its name."""
    small = {"max_bytes": 16 << 20, "when_full": "DropOldest"}
    recorder = record_a_run(lab, 6 if lab.words.cuts <= 9 else 20, 20000, **small)
    first = next(i for i, entry in enumerate(recorder.log) if entry[0] == "m" and entry[1][0] == "ack")
    replay, cuts, names = disk.Replay(recorder.log, recorder.size), 0, set()
    for at in sorted(lab.rng.sample(range(first, len(recorder.log)), 3 * lab.words.cuts)):
        image = os.path.join(lab.home, "cut.img")
        replay.cut(at, (0, 0.5, 1)[cuts % 3], lab.rng, image)
        mounted = disk.Mounted(image, os.path.join(lab.home, "cut"))
        lab.node = Node(fresh(os.path.join(lab.home, "after")), os.path.join(mounted.mountpoint, "telemetry"))
        try:
            lab.node.policy("http://127.0.0.1:1", **small)
            lab.node.start()
            aside = [path for path in lab.node.files() if path.endswith(".damaged")]
            if aside:
                raise AssertionError(f"cut at entry {at} of {len(recorder.log)}: {aside}")
            for path in lab.node.files():
                if path.endswith("bulk/stream"):
                    with open(path, encoding="ascii") as file:
                        names.add(file.read())
            lab.node.stop()
        finally:
            lab.node.end()
            mounted.end()
        cuts += 1
    if len(names) != 1:
        raise AssertionError(f"{len(names)} names of one stream")
    lab.fact(f"{cuts} cuts, no segment damaged, one stream")


# ---- a large backlog -------------------------------------------------------------------------------------------------------

@scenario
def backlog(lab):
    """Memory and start time with the given MiB waiting."""
    mib = lab.words.backlog
    lab.up()
    lab.sink.mode = {"refuse": 503}
    lab.start(max_bytes=mib << 21, compression="zstd")
    load = lab.load("l", senders=3, per_post=40, size=8000)
    target = mib << 20
    wait("the backlog", lambda: lab.node.metrics().get("holdfast_telemetry_queue_bytes", 0) >= target, patience=900, step=0.5)
    load.stop()
    rss, peak, anonymous = lab.node.memory_kb()
    starts = []
    for _ in range(3):
        lab.node.kill()
        starts.append(lab.node.start())
    lab.sink.mode = {}
    more = lab.load("n", senders=2, per_post=20)
    peaks = [lab.node.memory_kb()]
    end = time.monotonic() + min(60, 5 + mib / 20)
    while time.monotonic() < end:
        time.sleep(0.2)
        peaks.append(lab.node.memory_kb())
    more.stop()
    peak, anonymous = max(peak, max(p[1] for p in peaks)), max(anonymous, max(p[2] for p in peaks))
    acked = load.snapshot() | more.snapshot()
    lab.arrived(acked, 900)
    lab.no_duplicates()
    lab.fact(f"{mib} MiB, {len(acked)} events: start {min(starts) * 1000:.0f}..{max(starts) * 1000:.0f} ms, peak RSS {peak / 1024:.1f} MiB, "
             f"anonymous {anonymous / 1024:.1f} MiB")
    if "release" in os.environ.get("HF_BUILD_DIR", "build/release"):
        if min(starts) > 0.3:
            raise AssertionError(f"a start took {min(starts) * 1000:.0f} ms; at most 300")
        if peak > 24 << 10 or anonymous > 8 << 10:
            raise AssertionError(f"peak RSS {peak} kB (at most 24576), anonymous {anonymous} kB (at most 8192)")


def select(names):
    if not names:
        return list(SCENARIOS)
    chosen = [known for known in SCENARIOS if any(known.startswith(name) for name in names)]
    if not chosen:
        raise SystemExit(f"no scenario begins with {' or '.join(names)}; there are: {' '.join(SCENARIOS)}")
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("scenarios", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--kills", type=int, default=12, help="for each kind of sink")
    parser.add_argument("--cuts", type=int, default=3, help="points, each with three kinds of luck")
    parser.add_argument("--backlog", type=int, default=24, help="MiB")
    parser.add_argument("--seed", type=int, default=20261120)
    parser.add_argument("--home", default=os.path.join(TOP, "build", "fault", "telemetry"))
    words = parser.parse_args()
    if words.list:
        for name, function in SCENARIOS.items():
            say(f"{name}: {function.__doc__.splitlines()[0]}")
        return 0
    disk.own_mounts()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # stops and unmounts everything too
    passed = failed = skipped = 0
    for name in select(words.scenarios):
        began, lab = time.monotonic(), Lab(words, name)
        try:
            SCENARIOS[name](lab)
            passed += 1
            say(f"  ok    {name}: {'; '.join(lab.facts) or 'done'} ({time.monotonic() - began:.1f} s)")
        except Skip as reason:
            skipped += 1
            say(f"SKIP: {name}: {reason}")
        except (AssertionError, OSError, subprocess.CalledProcessError) as error:
            failed += 1
            say(f"  FAIL  {name}: {error} ({time.monotonic() - began:.1f} s, seed {words.seed}, see {lab.home})")
        finally:
            lab.end()
    say(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
