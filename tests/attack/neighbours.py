"""Attacks of a local user on the telemetry of other users of the node, and of the node itself, through what everybody may post."""
import json
import os
import pwd
import re
import time

from lab import wait
from local import Local, need_root, ask_unix
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


class Shared:
    """A node that several users share: each posts over the socket."""

    def __init__(self, home, *more, policy=POLICY):
        need_root()
        self.local = Local(home, *more, policy=policy)
        os.chmod(home, 0o755)

    def post(self, uid, item, *headers):
        return ask_unix(self.local.socket, item, uid or None, *headers)

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
