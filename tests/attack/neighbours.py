# SPDX-License-Identifier: Apache-2.0
"""Attacks of a local user on the telemetry of other users of the node, and of the node itself, through what everybody may post."""
import contextlib
import gzip
import json
import os
import pty
import pwd
import re
import subprocess
import time

from lab import PROGRAMS, wait
from local import Local, need_root, ask_unix, connect_unix
from run import Skip

VICTIM, THIEF = 0, pwd.getpwnam("nobody").pw_uid
POLICY = """apiVersion: edge.codcompass.io/v1alpha1
kind: SyncPolicy
metadata: {{name: site}}
spec:
  nodeSelector: {{}}
  telemetry:
    sources: {{http: true, node: {{period: 1s}}}}
    filter: {{rateLimit: [{{match: {{source: "http:press*"}}, perSecond: 1, burst: 5}}]}}
    batch: {{timeout: 100ms, compression: none}}
    sink: {{url: "{url}", format: {format}}}
"""
FUTURE = "2199-01-01T00:00:00Z"
HEAD = "POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {n}\r\n{more}\r\n"


class Shared:
    """A node that several users share: each posts over the socket."""

    def __init__(self, home, *more, policy=POLICY):
        need_root()
        self.local = Local(home, *more, policy=policy)
        os.chmod(home, 0o755)

    def post(self, uid, item, *headers):
        return ask_unix(self.local.socket, item, uid or None, *headers)

    def open(self, uid):
        """A connection of this user to the socket."""
        return connect_unix(self.local.socket, uid or None)

    def send(self, uid, body, header):
        """Post these bytes as this user, with one header more; the status, or 0 if the agent ends the connection instead."""
        with self.open(uid) as peer:
            try:
                peer.sendall(HEAD.format(n=len(body), more=header + "\r\n").encode() + body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it answered before it had all
            try:
                answer = peer.recv(65536).decode()
            except ConnectionResetError:
                return 0
        return int(answer.split()[1]) if answer else 0

    def arrives(self, event_id, uid=VICTIM):
        """Until the event of this user is at the sink."""
        return wait(f"event {event_id} of user {uid}", lambda: next(
            (line for line in self.local.sink.lines if line["id"] == event_id and line.get("peerUid") == uid), None), 60)

    def end(self):
        self.local.end()


def attack_ids_of_another(home):
    """As nobody, post ids, numbers, Idempotency-Keys and lines that another user posts next: all that the other one posts is stored and delivered."""
    shared = Shared(home)
    tries = {"text": {"id": "press-7/1"}, "number": {"id": 1042},
             "line": {"id": "press-7/2", "kind": "payload", "time": "2026-11-20T08:00:00Z", "node": shared.local.node.name},
             "claimed user": {"id": "press-7/3", "kind": "payload", "time": "2026-11-20T08:00:00Z", "node": "far", "peerUid": VICTIM}}
    try:
        for name, item in tries.items():
            item = dict(item, sensorData=name)
            assert shared.post(THIEF, item) == 202
            assert shared.post(VICTIM, item) == 202
            assert shared.arrives(str(item["id"]))["sensorData"] == name
        for key, forged in (("batch-1", {}), ("batch-2", {"id": "batch-2#0"}), ("k" * 100, {})):
            assert shared.post(THIEF, dict(forged, sensorData="forged"), *([] if forged else [f"Idempotency-Key: {key}"])) == 202
            assert shared.post(VICTIM, {"sensorData": f"true {key}"}, f"Idempotency-Key: {key}") == 202
            wait(f"the request {key}", lambda key=key: any(line.get("sensorData") == f"true {key}" for line in shared.local.sink.lines), 60)
        assert shared.post(VICTIM, {"id": "press-7/1", "sensorData": "text"}) == 202
        time.sleep(0.5)
        again = [line for line in shared.local.sink.lines if line["id"] == "press-7/1" and line["peerUid"] == VICTIM]
        assert len(again) == 1, again
    finally:
        shared.end()


def attack_states_of_another(home):
    """As nobody, post the key of another user's state with a time, a sequence or a node of the future: the other one's state still passes."""
    shared = Shared(home)
    line = {"kind": "payload", "time": FUTURE, "sensorData": "open", "originSequence": 2 ** 64 - 2}
    tries = [{"timestamp": FUTURE, "sensorData": "open"}, dict(line, node="far"), dict(line, node=shared.local.node.name),
             dict(line, node="zzzz", peerUid=VICTIM), dict(line, node=shared.local.node.name, origin="far")]
    try:
        for i, forged in enumerate(tries):
            assert shared.post(THIEF, dict(forged, key=f"door-{i}")) == 202
            assert shared.post(VICTIM, {"id": f"door-{i}", "key": f"door-{i}", "sensorData": "shut"}) == 202
            assert shared.arrives(f"door-{i}")["sensorData"] == "shut", forged
    finally:
        shared.end()


def attack_rate_of_another(home):
    """As nobody, post under the source of another user, and under thousands of sources, until the rate is used up: the other one's events pass."""
    shared = Shared(home)
    flood = [{"source": "press-7", "sensorData": i} for i in range(100)] + [{"source": f"press-{i}", "sensorData": i} for i in range(3000)]
    try:
        assert shared.post(THIEF, flood) == 202
        for i in range(5):
            assert shared.post(VICTIM, {"id": f"mine-{i}", "source": "press-7", "sensorData": i}) == 202
            shared.arrives(f"mine-{i}")
    finally:
        shared.end()


def attack_ids_of_the_agent(home):
    """As nobody, guess the ids of the node's own events and post them first: no id that arrives can be made from what a user knows."""
    shared = Shared(home)
    node = shared.local.node.name
    try:
        own = wait("metrics of the node", lambda: [line for line in shared.local.sink.lines if line["source"] == "node"], 60)
        guesses = [{"id": f"{node}-{line['originSequence'] + step:x}", "sensorData": 0} for line in own[-20:] for step in range(50)]
        assert shared.post(THIEF, guesses) == 202
        assert shared.post(VICTIM, {"id": "then", "sensorData": 0}) == 202
        shared.arrives("then")
        seen = [line for line in shared.local.sink.lines if "peerUid" not in line]
        assert len({line["id"] for line in seen}) == len(seen)
        for line in seen:
            assert re.fullmatch(re.escape(f"{node}-{line['originSequence']:x}") + "-[0-9a-f]{8}", line["id"]), line
    finally:
        shared.end()


def flood(shared, uid, **more):
    """Post as this user until the node refuses it; returns how many requests it took."""
    item = [dict(more, sensorData="x" * 60000)] * 4
    for taken in range(200):
        status = shared.post(uid, item)
        if status != 202:
            assert status == 429, status
            return taken
        assert taken < 150, "nothing refuses this user"
    return None


def attack_space_of_another(home):
    """As nobody, post while the sink is away until the node refuses it, also over a kill of the agent, with either whenFull and at any severity: another user's events are taken before and after that, and each arrives."""
    for when_full in ("Block", "DropOldest"):
        place = os.path.join(home, when_full)
        os.makedirs(place)
        os.chmod(home, 0o755)
        shared = Shared(place, policy=POLICY.replace("    batch:", f"    buffer: {{{{maxBytes: 16Mi, whenFull: {when_full}}}}}\n    batch:"))
        node, sink = shared.local.node, shared.local.sink
        try:
            sink.away = True
            for severity in ("info", "error"):
                mine = [f"{severity}-{i}" for i in range(4)]
                assert shared.post(VICTIM, {"id": mine[0], "severity": severity, "sensorData": 0}) == 202
                assert flood(shared, THIEF, severity=severity) > (20 if severity == "info" else 2)
                assert shared.post(VICTIM, {"id": mine[1], "severity": severity, "sensorData": 0}) == 202
                node.kill_agent()
                shared.local.start()
                flood(shared, THIEF, severity=severity)
                for event in mine[2:]:
                    assert shared.post(VICTIM, {"id": event, "severity": severity, "sensorData": "y" * 10000}) == 202
            sink.away = False
            node.kill_agent()
            shared.local.start()
            for event in [f"{severity}-{i}" for severity in ("info", "error") for i in range(4)]:
                shared.arrives(event)
        finally:
            shared.end()


def as_user(uid, act):
    """What act() returns, a text, in a process of this user."""
    ends = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            os.write(ends[1], act().encode())
            os._exit(0)
        finally:
            os._exit(1)
    os.close(ends[1])
    with open(ends[0], encoding="utf-8") as file:
        said = file.read()
    assert os.waitpid(child, 0)[1] == 0
    return said


def on_terminal(argv):
    """What the command writes to a terminal."""
    ours, its = pty.openpty()
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=its) as command:
        os.close(its)
        said = b""
        with contextlib.suppress(OSError):
            while more := os.read(ours, 65536):
                said += more
        assert command.wait() == 0
    os.close(ours)
    return said.decode(errors="surrogateescape")


def attack_series_of_another(home):
    """As nobody, post metrics of more series than the policy allows: those of another user still leave, and so do the node's own."""
    policy = POLICY.replace("    batch:", "    aggregate: {{window: 1s, maxSeries: 100}}\n    batch:")
    shared = Shared(home, policy=policy)
    metric = {"kind": "metric", "time": "2026-11-20T08:00:00Z", "type": "gauge", "value": 1}
    try:
        for _ in range(3):
            assert shared.post(THIEF, [dict(metric, name=f"flood_{i}") for i in range(2000)]) == 202
        assert shared.post(VICTIM, dict(metric, name="press_pressure")) == 202
        wait("the metric of the other user", lambda: any(line.get("name") == "press_pressure" for line in shared.local.sink.lines), 60)
        wait("a metric of the node", lambda: any(line["source"] == "node" for line in shared.local.sink.lines), 60)
    finally:
        shared.end()


def attack_mean_of_another(home):
    """As nobody, post values under the name and source of another user's metric: its summary has that user's values alone."""
    policy = POLICY.replace("    batch:", "    aggregate: {{window: 2s}}\n    batch:")
    shared = Shared(home, policy=policy)
    metric = {"kind": "metric", "time": "2026-11-20T08:00:00Z", "type": "gauge", "name": "press_pressure", "source": "press-7"}
    try:
        for _ in range(20):
            assert shared.post(THIEF, dict(metric, value=1e9)) == 202
            assert shared.post(VICTIM, dict(metric, value=3)) == 202
        wait("both summaries", lambda: {line["value"] for line in shared.local.sink.lines if line.get("name") == "press_pressure"} >= {3, 1e9}, 60)
        assert all(line["value"] in (3, 1e9) for line in shared.local.sink.lines if line.get("name") == "press_pressure")
    finally:
        shared.end()


def attack_boundary_of_another(home):
    """As nobody, post with a boundary that no sink has, alone and beside others: 422 or left out by name, and what another user posts passes."""
    shared = Shared(home)
    try:
        for i in range(200):
            assert shared.post(THIEF, {"boundary": f"b{i}", "sensorData": 0}) == 422
        assert shared.post(THIEF, [{"boundary": "b", "sensorData": 0}, {"id": "own", "sensorData": 0}]) == 202
        assert shared.post(VICTIM, {"id": "mine", "sensorData": 0}) == 202
        shared.arrives("mine")
        shared.arrives("own", THIEF)
        assert sum(line["source"].startswith("agent") for line in shared.local.sink.lines) <= 16
    finally:
        shared.end()


def attack_line_within_a_line(home):
    """As nobody, put line ends, quotes and whole events into ids, sources, keys, names of attributes and text: each post arrives as one line of nobody's."""
    shared = Shared(home)
    inner = '"}\n{"id":"forged","peerUid":0,"source":"node","kind":"log","body":"x"}\r\n\u2028\x85'
    tries = [{"sensorData": inner}, {"attributes": {"a": inner}, "sensorData": 0}, {"attributes": {inner: "a"}, "sensorData": 0},
             {"id": inner, "sensorData": 0}, {"source": inner, "sensorData": 0}, {"key": inner, "sensorData": 0},
             {"kind": "log", "time": "2026-11-20T08:00:00Z", "body": inner}]
    try:
        statuses = [shared.post(THIEF, item) for item in tries]
        assert all(status in (202, 400) for status in statuses), statuses
        assert shared.post(VICTIM, {"id": "mine", "sensorData": 0}) == 202
        shared.arrives("mine")
        wait("each post", lambda: sum(line.get("peerUid") == THIEF for line in shared.local.sink.lines) == statuses.count(202), 60)
        assert not any(line["id"] == "forged" for line in shared.local.sink.lines)
    finally:
        shared.end()


def attack_attributes_that_claim(home):
    """As nobody, post attributes and members that are named like those of the agent: peerUid, node, source, origin. The agent's own words stand."""
    shared = Shared(home)
    claims = {"peerUid": "0", "peerUnit": "sshd.service", "node": "far", "source": "journald", "holdfast.peer.uid": "0", "host.name": "far"}
    line = {"kind": "log", "time": "2026-11-20T08:00:00Z", "body": "x"}
    try:
        assert shared.post(THIEF, {"id": "p", "attributes": claims, "sensorData": {"peerUid": 0}}) == 202
        assert shared.post(THIEF, dict(line, id="l", attributes=claims, peerUid=VICTIM, peerUnit="sshd.service", source="audit:x")) == 202
        for name in claims:
            assert shared.post(THIEF, {"id": f"m-{name}", name: "0", "sensorData": 0}) in (202, 400)
        for event in ("p", "l"):
            told = shared.arrives(event, THIEF)
            assert told["source"].startswith("http") and told["node"] == shared.local.node.name and told["attributes"]["peerUid"] == "0", told
            assert told.get("peerUnit") != "sshd.service", told
        assert all(line.get("peerUid") == THIEF for line in shared.local.sink.lines if line["source"].startswith("http"))
    finally:
        shared.end()


def attack_poison_for_the_receiver(home):
    """As nobody, post what the receiver refuses, so that whole batches are refused: what another user posts arrives, once."""
    shared = Shared(home)
    shared.local.sink.refuses = b"poison"
    try:
        for i in range(30):
            assert shared.post(THIEF, [{"sensorData": "poison"}, {"sensorData": "good"}]) == 202
            assert shared.post(VICTIM, {"id": f"mine-{i}", "sensorData": 0}) == 202
        for i in range(30):
            shared.arrives(f"mine-{i}")
        assert len({line["id"] for line in shared.local.sink.lines if line.get("peerUid") == VICTIM}) == 30
        assert not any(line.get("sensorData") == "poison" for line in shared.local.sink.lines)
    finally:
        shared.end()


def attack_bomb_for_the_parser(home):
    """As nobody, post bodies that unpack to a gigabyte, nest a million deep, or hold more items than allowed: 400 or 413 at once, and the agent stays small."""
    shared = Shared(home)
    bombs = [("Content-Encoding: gzip", gzip.compress(b" " * (1 << 30), 1)), ("Accept: */*", b"[" * 2000000), ("Accept: */*", b'{"sensorData":' * 100000),
             ("Accept: */*", b"[" + b'{"sensorData":0},' * 65537 + b'{"sensorData":0}]'), ("Accept: */*", b"9" * 3000000)]
    try:
        for header, body in bombs:
            assert shared.send(THIEF, body, header) in (400, 413), header
            assert shared.post(VICTIM, {"sensorData": 0}) == 202
        assert shared.local.node.agent.poll() is None
        with open(f"/proc/{shared.local.node.agent.pid}/status", encoding="ascii") as file:
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", file.read()).group(1))
        assert peak < 64 << 10, peak
    finally:
        shared.end()


def attack_smuggled_request(home):
    """As nobody, hide a second request in the body of a first one, by two lengths or by chunks: refused, and nothing counts as another user's."""
    shared = Shared(home)
    inner = b'POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 31\r\n\r\n{"id":"forged","sensorData":0}\n'
    try:
        for header in ("Content-Length: 4", "Transfer-Encoding: chunked", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "Content-Length: +4"):
            assert shared.send(THIEF, b"0\r\n\r\n" + inner, header) in (0, 400, 411, 415, 501), header
        assert shared.post(VICTIM, {"id": "mine", "sensorData": 0}) == 202
        shared.arrives("mine")
        assert not any(line["id"] == "forged" and line.get("peerUid") != THIEF for line in shared.local.sink.lines)
    finally:
        shared.end()


def attack_files_of_the_queue(home):
    """As nobody, read, add to, replace or remove the files of the queue and the socket: the folders let nobody do so."""
    shared = Shared(home)
    try:
        assert shared.post(VICTIM, {"id": "mine", "sensorData": "secret"}) == 202
        shared.arrives("mine")
        storage = shared.local.node.place("telemetry")
        files = [os.path.join(folder, name) for folder, _, names in os.walk(storage) for name in names]
        assert any(name.endswith(".seg") for name in files)

        def tries():
            for path in files:
                for act in (lambda path=path: open(path, "rb"), lambda path=path: open(path, "ab"), lambda path=path: os.unlink(path)):
                    with contextlib.suppress(OSError):
                        act()
                        return f"{path} is open to everybody"
            for act in (lambda: os.unlink(shared.local.socket), lambda: os.rename(shared.local.socket, shared.local.socket + ".old"),
                        lambda: os.listdir(storage), lambda: open(os.path.join(storage, "x"), "wb")):
                with contextlib.suppress(OSError):
                    act()
                    return "the socket or the storage folder is open to everybody"
            return ""
        assert as_user(THIEF, tries) == ""
    finally:
        shared.end()


def attack_terminal_of_the_operator(home):
    """As nobody, post escape sequences, C1 controls and characters that turn a line around: neither the agent's log nor `spool cat` on a terminal has one."""
    shared = Shared(home)
    evil = "\x1b]0;x\x07\x9b31m\u202e\u2066\u061c end"
    shared.local.sink.away = True
    try:
        for item in ({"id": "a", "sensorData": evil}, {"attributes": {"x": evil}, "sensorData": 0}, {evil: 0, "sensorData": 0},
                     {"kind": "log", "time": "2026-11-20T08:00:00Z", "body": evil}, {"source": evil, "sensorData": 0}):
            assert shared.post(THIEF, item) in (202, 400)
        said = on_terminal([os.path.join(PROGRAMS, "holdfast"), "spool", "cat", shared.local.node.place("telemetry", "default", "bulk")])
        assert "end" in said
        with open(shared.local.node.log.name, encoding="utf-8", errors="surrogateescape") as file:
            log = file.read()
        for text in (said.replace("\r\n", "\n"), log):
            bad = re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\udc80-\udcff]", text)
            assert not bad, bad
    finally:
        shared.end()


def attack_log_and_metrics_of_the_agent(home):
    """As nobody, send thousands of bad posts, sources, ids and severities: the agent's log and its page of metrics stay small."""
    shared = Shared(home)
    try:
        shared.post(VICTIM, {"sensorData": 0})
        before = len(shared.local.ask(shared.local.metrics, "GET", "/metrics")[1])
        for i in range(1500):
            shared.post(THIEF, {f"bad-{i}": 0, "sensorData": 0})
        assert shared.post(THIEF, [{"source": f"s{i}", "id": f"i{i}", "severity": i % 24 + 1, "attributes": {f"a{i}": "x"}, "sensorData": 0} for i in range(5000)]) == 202
        after = len(shared.local.ask(shared.local.metrics, "GET", "/metrics")[1])
        assert after < before + 20000, (before, after)
        assert os.path.getsize(shared.local.node.log.name) < 1 << 20
    finally:
        shared.end()


def attack_line_before_another(home):
    """As nobody, fill the queue and go on with the largest bodies, so that they wait for room: another user's post is answered within seconds."""
    shared = Shared(home, policy=POLICY.replace("    batch:", "    buffer: {{maxBytes: 16Mi}}\n    batch:"))
    shared.local.sink.away = True
    try:
        flood(shared, THIEF)
        body = json.dumps([{"sensorData": "x" * 200000}] * 15).encode()
        line = [shared.open(THIEF) for _ in range(20)]
        for peer in line:
            peer.settimeout(1)
            with contextlib.suppress(OSError):
                peer.sendall(HEAD.format(n=len(body), more="").encode() + body)
        began = time.monotonic()
        assert shared.post(VICTIM, {"id": "mine", "sensorData": 0}) == 202
        assert time.monotonic() - began < 5
    finally:
        shared.end()
