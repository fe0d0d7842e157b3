# SPDX-License-Identifier: Apache-2.0
"""Sensors that post to /ingest and record what the agent acknowledged."""
import hashlib
import http.client
import json
import random
import threading
import time


def payload(event_id, size, rng, severity=None):
    """One payload as a sensor gateway sends it; the checksum covers the text as it is."""
    text = json.dumps({"temperature": round(rng.uniform(-20, 80), 2), "unit": "C", "fill": "x" * max(0, size - 160)}, separators=(",", ":"))
    more = f'"severity":"{severity}",' if severity else ""
    return (f'{{"id":"{event_id}",{more}"timestamp":{int(time.time() * 1000)},"sensorData":{text},'
            f'"checksum":"{hashlib.sha256(text.encode()).hexdigest()}"}}').encode()


class Load:
    """`senders` threads, each with its own connection. Like a sensor with a queue, they send a payload again under the same id until the
    agent acknowledges it, and never after that."""

    def __init__(self, port, prefix, senders=2, per_post=8, size=250, pause=0.0, seed=1, limit=None, on_ack=None):
        self.port, self.prefix, self.per_post, self.size, self.pause, self.limit = port, prefix, per_post, size, pause, limit
        self.lock = threading.Lock()
        self.made, self.acked, self.pending_at_end = 0, {}, []
        self.posts, self.refused, self.broken, self.statuses = 0, 0, 0, {}
        self.on_ack = on_ack
        self.stopping = threading.Event()
        self.seed = seed
        self.threads = [threading.Thread(target=self.run, args=(i,), daemon=True) for i in range(senders)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self, patience=10):
        self.stopping.set()
        for thread in self.threads:
            thread.join(patience)

    def make(self):
        with self.lock:
            n = self.per_post if self.limit is None else min(self.per_post, self.limit - self.made)
            first = self.made
            self.made += n
        return [f"{self.prefix}-{first + i}" for i in range(n)]

    def run(self, index):
        rng, connection, ids, body = random.Random(self.seed * 1000 + index), None, [], b""
        while not self.stopping.is_set():
            if not ids:
                ids = self.make()
                if not ids:
                    return
                body = b"[" + b",".join(payload(i, self.size, rng) for i in ids) + b"]"
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                connection.request("POST", "/ingest", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                status = answer.status
                wait = answer.getheader("Retry-After")
            except (OSError, http.client.HTTPException):
                if connection is not None:
                    connection.close()
                connection, status, wait = None, 0, None
            with self.lock:
                self.posts += 1
                self.statuses[status] = self.statuses.get(status, 0) + 1
            if 200 <= status < 300:
                self.acknowledge(ids)
                ids = []
                if self.pause:
                    time.sleep(self.pause)
            else:
                time.sleep(min(float(wait), 0.5) if wait and wait.isdigit() else 0.02)
        with self.lock:
            self.pending_at_end += ids

    def acknowledge(self, ids):
        now = time.monotonic()
        with self.lock:
            for event_id in ids:
                self.acked[event_id] = now
        if self.on_ack:
            self.on_ack(ids)

    def snapshot(self):
        with self.lock:
            return set(self.acked)


def post(port, body, content_type="application/json", timeout=20, path="/ingest", **headers):
    """(status, headers, body) of one request; status 0: no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        try:
            connection.request("POST", path, body, {"Content-Type": content_type, **headers})
        except (BrokenPipeError, ConnectionResetError):
            pass  # the answer came before the end of the request
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    except (OSError, http.client.HTTPException):
        return 0, {}, b""
    finally:
        connection.close()
