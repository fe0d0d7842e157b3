#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Other agents in the same two failure scenarios as ours, in one run: by name; agents that are not installed are left out.

    tests/system/telemetry/peers.py [--events N] [--home DIR] [--json]

    kill    the receiver is away, N events are handed over, two quiet seconds, kill -9, restart, the receiver is back
    lost    the receiver takes N events and loses 30 % of its answers

"acknowledged" is what an agent's answer said; syslog over TCP has no answer, there it is what the socket took. HF_PEERS may name a folder
with the unpacked packages (usr/sbin, usr/lib). Prints a table; exit code 1 when ours lost or doubled anything.
"""
import argparse
import json
import os
import random
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time

from load import Load, payload
from node import TOP, Node, die_with_parent, free_port, fresh, wait
from sink import Batch, Sink, Store

PEERS = os.environ.get("HF_PEERS", "")
PATIENCE_S = 25  # without a new event: the run is over


def find(program, *more):
    for path in ([os.path.join(PEERS, "usr", "sbin", program), os.path.join(PEERS, "usr", "bin", program)] if PEERS else []) + list(more):
        if os.access(path, os.X_OK):
            return path
    return shutil.which(program)


def environment():
    places = [os.path.join(PEERS, "usr/lib/x86_64-linux-gnu"), os.path.join(PEERS, "usr/lib/syslog-ng")]
    return dict(os.environ, LD_LIBRARY_PATH=":".join(places)) if PEERS else dict(os.environ)


class LineSink(socketserver.ThreadingTCPServer):
    """Receives lines over TCP, for agents that forward that way; there are no answers to lose."""
    daemon_threads, allow_reuse_address = True, True

    def __init__(self, store, port=0):
        super().__init__(("127.0.0.1", port), LineHandler)
        self.store, self.port, self.open, self.ending, self.mode = store, self.server_address[1], [], False, {}
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def end(self):
        self.ending = True
        self.shutdown()
        self.server_close()
        for connection in self.open:
            try:
                connection.shutdown(2)
            except OSError:
                pass


class LineHandler(socketserver.StreamRequestHandler):
    def handle(self):
        self.server.open.append(self.request)
        for line in self.rfile:
            start = line.find(b"{")
            try:
                self.server.store.add(Batch("", "", len(line), [json.loads(line[start:])["id"]], ""))
            except (ValueError, KeyError):
                pass


class Peer:
    """One agent: its configuration, start and input."""
    name, http = "", True

    def __init__(self, home):
        self.home, self.port, self.child = home, free_port(), None
        os.makedirs(home, exist_ok=True)

    def configure(self, sink):
        raise NotImplementedError

    def argv(self):
        raise NotImplementedError

    def start(self):
        log = open(os.path.join(self.home, "log"), "ab")
        self.child = subprocess.Popen(self.argv(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                      preexec_fn=die_with_parent, env=environment(), cwd=self.home)
        log.close()
        wait(f"{self.name} to listen", self.listens, 20)

    def listens(self):
        if self.child.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self.child.returncode}: see {self.home}/log")
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def kill(self):
        os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def feed(self, n):
        """Sends n events; returns the ids that count as acknowledged."""
        rng, ids = random.Random(5), [f"{self.name}-{i}" for i in range(n)]
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            for event_id in ids:
                connection.sendall(b"<13>1 2026-11-20T08:00:00Z node app - - - " * (not self.http) + payload(event_id, 250, rng) + b"\n")
        return ids


class SyslogNg(Peer):
    name = "syslog-ng, reliable disk-buffer"

    def configure(self, sink):
        with open(os.path.join(self.home, "conf"), "w", encoding="utf-8") as file:
            file.write(f"""@version: 3.38
options {{ threaded(yes); stats-freq(0); }};
source s {{ network(ip("127.0.0.1") port({self.port}) transport("tcp") flags(no-parse)); }};
destination d {{ http(url("http://127.0.0.1:{sink.port}/") method("POST") headers("Content-Type: application/x-ndjson") body("${{MSG}}")
  delimiter("\\n") batch-lines(100) batch-timeout(200) time-reopen(1) retries(1000)
  disk-buffer(reliable(yes) disk-buf-size(268435456) mem-buf-size(8388608) dir("{self.home}"))); }};
log {{ source(s); destination(d); flags(flow-control); }};
""")

    def argv(self):
        words = [find("syslog-ng"), "-F", "-f", "conf", "-R", "persist", "-c", "control", "-p", "pid", "--no-caps"]
        return words + ([f"--module-path={PEERS}/usr/lib/syslog-ng/3.38"] if PEERS else [])


class Rsyslog(Peer):
    name, http = "rsyslog, disk-assisted queue", False

    def configure(self, sink):
        modules = os.path.join(PEERS, "usr/lib/x86_64-linux-gnu/rsyslog/") if PEERS else ""
        with open(os.path.join(self.home, "conf"), "w", encoding="utf-8") as file:
            file.write(f"""global(workDirectory="{self.home}")
module(load="{modules}imtcp")
template(name="raw" type="string" string="%msg%\\n")
input(type="imtcp" port="{self.port}" address="127.0.0.1" ruleset="out")
ruleset(name="out") {{ action(type="omfwd" target="127.0.0.1" port="{sink.port}" protocol="tcp" template="raw" queue.type="LinkedList"
  queue.filename="q" queue.saveOnShutdown="on" queue.size="100000" queue.highWatermark="1000" queue.lowWatermark="100" action.resumeRetryCount="-1"
  action.resumeInterval="1") }}
""")

    def argv(self):
        words = [find("rsyslogd"), "-n", "-f", os.path.join(self.home, "conf"), "-i", os.path.join(self.home, "pid")]
        return words + (["-M", os.path.join(PEERS, "usr/lib/x86_64-linux-gnu/rsyslog")] if PEERS else [])


class FluentBit(Peer):
    name = "fluent-bit, filesystem, full sync"

    def configure(self, sink):
        with open(os.path.join(self.home, "conf"), "w", encoding="utf-8") as file:
            file.write(f"""[SERVICE]
    flush 1
    storage.path {self.home}/chunks
    storage.sync full
    storage.checksum on
    scheduler.cap 2
[INPUT]
    name http
    listen 127.0.0.1
    port {self.port}
    storage.type filesystem
[OUTPUT]
    name http
    match *
    host 127.0.0.1
    port {sink.port}
    format json
    json_date_key false
    retry_limit no_limits
""")

    def argv(self):
        return [find("fluent-bit", "/opt/fluent-bit/bin/fluent-bit"), "-q", "-c", "conf"]

    def feed(self, n):
        load = Load(self.port, self.name, senders=1, per_post=20, limit=n).start()
        wait(f"{self.name} to take {n}", lambda: len(load.acked) == n)
        return list(load.acked)


class Ours(Peer):
    name = "holdfast"

    def configure(self, sink):
        self.node = Node(self.home)
        self.node.policy(sink.url, timeout="200ms")
        self.port = self.node.port

    def start(self):
        self.node.start()
        self.child = self.node.agent

    def feed(self, n):
        load = Load(self.port, self.name, senders=1, per_post=20, limit=n).start()
        wait(f"{self.name} to take {n}", lambda: len(load.acked) == n)
        return list(load.acked)


def settle(store):
    """Waits until no new event has come for a while."""
    seen, quiet = -1, time.monotonic()
    while time.monotonic() - quiet < (PATIENCE_S if seen <= 0 else 6):
        if len(store.batches) != seen:
            seen, quiet = len(store.batches), time.monotonic()
        time.sleep(0.1)


def result(store, acked):
    twice, again, _ = store.duplicates()
    return {"acknowledged": len(acked), "lost": len(store.has(acked)), "twice": len(twice), "batches again under their key": again}


def killed(make, home, n):
    store, peer = Store(), make(home)
    sink = (Sink if peer.http else LineSink)(store)
    port = sink.port
    peer.configure(sink)
    sink.end()
    peer.start()
    try:
        acked = peer.feed(n)
        time.sleep(2)
        peer.kill()
        sink = (Sink if peer.http else LineSink)(store, port=port)
        peer.start()
        settle(store)
        return result(store, acked)
    finally:
        peer.kill()
        if not sink.ending:
            sink.end()


def answers_lost(make, home, n):
    store, peer = Store(), make(home)
    if not peer.http:
        return None
    sink = Sink(store)
    peer.configure(sink)
    sink.mode = {"lose_pct": 30}
    peer.start()
    try:
        acked = peer.feed(n)
        wait("most of it", lambda: len(store.ids) >= n * 0.9 or None, 60)
        sink.mode = {}
        settle(store)
        return result(store, acked)
    finally:
        peer.kill()
        sink.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--home", default=os.path.join(TOP, "build", "peers"))
    parser.add_argument("--json", action="store_true")
    words = parser.parse_args()
    fresh(words.home)
    kinds = [(Ours, "holdfast-agent")] + [(kind, program) for kind, program in
                                          ((FluentBit, "fluent-bit"), (SyslogNg, "syslog-ng"), (Rsyslog, "rsyslogd"))
                                          if find(program, "/opt/fluent-bit/bin/fluent-bit" if program == "fluent-bit" else "/nonexistent")]
    absent = {"fluent-bit", "syslog-ng", "rsyslogd"} - {program for _, program in kinds}
    bad = 0
    for kind, program in kinds:
        for accident, function in (("kill", killed), ("lost", answers_lost)):
            try:
                row = function(kind, os.path.join(words.home, f"{program}-{accident}"), words.events)
            except AssertionError as error:
                row = {"failed": str(error)}
            if row is None:
                continue
            bad += kind is Ours and (row.get("lost", 1) > 0 or row.get("twice", 1) > 0)
            if words.json:
                print(json.dumps({"agent": kind.name, "accident": accident, **row}), flush=True)
            else:
                print(f"  {kind.name:34} {accident}: " + ", ".join(f"{value} {name}" for name, value in row.items()), flush=True)
    if absent and not words.json:
        print(f"  not installed, left out: {', '.join(sorted(absent))}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
