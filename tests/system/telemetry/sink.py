#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A sink that records each event, its batch, key and count, and that misbehaves on request.

    tests/system/telemetry/sink.py [--host ADDRESS] [--port N] [--record FILE [--events]] [--mode NAME[=VALUE]]... [--tls DIR]

What is received goes to FILE as a line of JSON each, synced before the answer, with --events whole. Modes (several may be given; the tests change them
while it runs, people with `curl -d '{"refuse": 503}' URL/ctl`):

    refuse=STATUS        answer this; retry_after=SECONDS goes along
    refuse_pct=N         only N of 100 requests (the others are taken)
    lose_pct=N           N of 100: take the request, then drop the connection instead of answering
    cut_pct=N            N of 100: drop the connection in the middle of the body
    stall                take the body, never answer
    drip                 answer one byte a second
    endless_headers, huge_body, wrong_type      answers of these kinds, after taking the request
    lie                  say 200 and a Content-Length that never comes, after taking nothing
    rate=BYTES           read the body this fast, per second
"""
import argparse
import collections
import ctypes
import ctypes.util
import gzip
import hashlib
import http.server
import json
import os
import random
import ssl
import subprocess
import sys
import threading
import time
import zlib

MAX_BODY = 64 << 20
ENDLESS = 256 << 20

_zstd = None


def unzstd(body):
    """Decompresses with libzstd, because Python 3.11 has no zstd module."""
    global _zstd
    if _zstd is None:
        _zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
        _zstd.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
        _zstd.ZSTD_getFrameContentSize.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
        _zstd.ZSTD_decompress.restype = ctypes.c_size_t
        _zstd.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    size = _zstd.ZSTD_getFrameContentSize(body, len(body))
    size = size if size <= MAX_BODY else 4 << 20  # unknown size: no batch is larger
    out = ctypes.create_string_buffer(size or 1)
    n = _zstd.ZSTD_decompress(out, size, body, len(body))
    if _zstd.ZSTD_isError(ctypes.c_size_t(n)):
        raise ValueError("not zstd")
    return out.raw[:n]


def unpack(body, encoding):
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "zstd":
        return unzstd(body)
    if encoding == "deflate":
        return zlib.decompress(body)
    if encoding not in ("", "identity"):
        raise ValueError(f"encoding {encoding}")
    return body


def events_of(body, content_type):
    """Returns the events of a batch: an array, lines, or one object."""
    if content_type.startswith("application/x-ndjson"):
        return [json.loads(line) for line in body.split(b"\n") if line.strip()]
    whole = json.loads(body)
    return whole if isinstance(whole, list) else [whole]


class Batch:
    """One accepted request."""

    def __init__(self, key, digest, size, ids, path):
        self.key, self.digest, self.size, self.ids, self.path = key, digest, size, ids, path
        self.events = None    # only where a test wants them
        self.answered = None  # status, or the reason for no answer


class Store:
    """All accepted requests, in order."""

    def __init__(self, record=None, events=False):
        self.lock = threading.Lock()
        self.batches, self.faults = [], collections.Counter()
        self.ids = {}       # id -> index of the first batch with it
        self.keys = {}      # key -> index of the first batch with it
        self.largest = 0    # body after decompression
        self.on_batch = None
        self.record, self.events = open(record, "ab") if record else None, events

    def add(self, batch):
        with self.lock:
            index = len(self.batches)
            self.batches.append(batch)
            self.largest = max(self.largest, batch.size)
            for event_id in batch.ids:
                self.ids.setdefault(event_id, index)
            if batch.key:
                self.keys.setdefault(batch.key, index)
            if self.record:
                what = {"events": batch.events} if self.events else {"ids": batch.ids}
                self.record.write(json.dumps({"key": batch.key, "sha256": batch.digest, "size": batch.size, **what}).encode() + b"\n")
                self.record.flush()
                os.fsync(self.record.fileno())
            if self.on_batch:
                self.on_batch(batch)

    def has(self, event_ids):
        with self.lock:
            return [i for i in event_ids if i not in self.ids]

    def duplicates(self):
        """(ids that an idempotent receiver would have twice, batches that a plain one got again, errors in those).

        An idempotent receiver accepts the first batch of each key. Repeated batches must have the same bytes under the same key."""
        with self.lock:
            seen, twice, again, wrong, bytes_of = set(), [], 0, [], {}
            for batch in self.batches:
                if batch.key and batch.key in bytes_of:
                    again += 1
                    if bytes_of[batch.key] != (batch.digest, batch.ids):
                        wrong.append(f"key {batch.key} came with other content")
                    continue
                if batch.key:
                    bytes_of[batch.key] = (batch.digest, batch.ids)
                else:
                    wrong.append("a batch without a key")
                for event_id in batch.ids:
                    if event_id in seen:
                        twice.append(event_id)
                    seen.add(event_id)
            return twice, again, wrong


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120

    def log_message(self, *_):
        pass

    def chance(self, name):
        return self.server.rng.random() * 100 < self.server.mode.get(name, 0)

    def read_body(self):
        rate, length = self.server.mode.get("rate", 0), int(self.headers.get("Content-Length", "0"))
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            body = b""
            while True:
                n = int(self.rfile.readline().split(b";")[0], 16)
                body += self.rfile.read(n)
                self.rfile.readline()
                if n == 0:
                    return body
        body = b""
        while len(body) < length:
            got = self.rfile.read(min(length - len(body), rate // 10 + 1 if rate else length))
            if not got:
                raise ConnectionError("the body ends early")
            body += got
            if rate:
                time.sleep(0.1)
        return body

    def drop(self):
        self.close_connection = True
        try:
            self.connection.shutdown(2)
        except OSError:
            pass

    def do_POST(self):
        mode = self.server.mode
        if self.path == "/ctl":
            mode.clear()
            mode.update(json.loads(self.read_body()))
            self.answer(204)
            return
        if self.chance("cut_pct"):
            self.rfile.read(min(100, int(self.headers.get("Content-Length", "0"))))
            self.server.store.faults["cut"] += 1
            self.drop()
            return
        body = self.read_body()
        if "refuse" in mode and self.server.rng.random() * 100 < mode.get("refuse_pct", 100):
            self.server.store.faults["refused"] += 1
            headers = {"Retry-After": str(mode["retry_after"])} if "retry_after" in mode else {}
            self.answer(mode["refuse"], b"no\n", headers)
            return
        if "lie" in mode:
            self.server.store.faults["lied"] += 1
            self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{", end=True)
            return
        batch = self.take(body)
        if batch is None:
            self.answer(400, b"no batch\n")
            return
        self.after(batch)

    def take(self, body):
        try:
            plain = unpack(body, self.headers.get("Content-Encoding", ""))
            events = events_of(plain, self.headers.get("Content-Type", ""))
            ids = [event.get("id", "") for event in events]
        except (ValueError, OSError, zlib.error) as error:
            self.server.store.faults["unreadable"] += 1
            print(f"sink: unreadable batch: {error}", file=sys.stderr)
            return None
        batch = Batch(self.headers.get("Idempotency-Key", ""), hashlib.sha256(plain).hexdigest(), len(plain), ids, self.path)
        if self.server.store.events:
            batch.events = events
        self.server.store.add(batch)
        return batch

    def after(self, batch):
        """Sends the answer."""
        mode, store = self.server.mode, self.server.store
        if self.chance("lose_pct"):
            store.faults["answer lost"] += 1
            batch.answered = "lost"
            self.drop()
        elif "stall" in mode:
            store.faults["stalled"] += 1
            while "stall" in mode and not self.server.ending:
                time.sleep(0.1)
            self.drop()
        elif "drip" in mode:
            store.faults["dripped"] += 1
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 100000:
                if not self.raw(bytes([byte])) or "drip" not in mode or self.server.ending:
                    break
                time.sleep(1)
            self.drop()
        elif "endless_headers" in mode:
            store.faults["endless headers"] += 1
            sent, line = 0, b"X-More: " + b"x" * 8000 + b"\r\n"
            self.raw(b"HTTP/1.1 200 OK\r\n")
            while sent < ENDLESS and self.raw(line):
                sent += len(line)
            self.drop()
        elif "huge_body" in mode:
            store.faults["huge body"] += 1
            sent, piece = 0, b"x" * 65536
            self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n")
            while sent < ENDLESS and self.raw(piece):
                sent += len(piece)
            self.drop()
        elif "wrong_type" in mode:
            store.faults["wrong type"] += 1
            self.answer(200, b"<html>captive portal</html>\n", {"Content-Type": "text/html"})
        else:
            batch.answered = 200
            self.answer(200, b"{}\n", {"Content-Type": "application/json"})

    def raw(self, data, end=False):
        try:
            self.wfile.write(data)
            self.wfile.flush()
        except OSError:
            return False
        if end:
            self.drop()
        return True

    def answer(self, status, body=b"", headers=None):
        try:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


class Sink(http.server.ThreadingHTTPServer):
    """Starts and stops under one port; keeps what it received."""
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, store, port=0, tls=None, seed=1, host="127.0.0.1"):
        super().__init__((host, port), Handler)
        self.store, self.mode, self.rng, self.ending = store, {}, random.Random(seed), False
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f"{tls}/server.pem", f"{tls}/server.key")
            context.load_verify_locations(f"{tls}/ca.pem")
            context.verify_mode = ssl.CERT_REQUIRED
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server_address[1]
        self.url = f"http{'s' if tls else ''}://{host}:{self.port}"
        self.open = set()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def process_request(self, request, client_address):
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        pass  # these tests kill clients on purpose

    def end(self):
        """Stops: refuses new connections and cuts open ones."""
        self.ending = True
        self.shutdown()
        self.server_close()
        for request in list(self.open):
            try:
                request.shutdown(2)
            except OSError:
                pass


def make_certificates(folder, address="127.0.0.1"):
    """Makes a CA, a server certificate for this address and a client certificate, with openssl."""
    os.makedirs(folder, exist_ok=True)

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=ca",
            "-keyout", "ca.key", "-out", "ca.pem")
    for name, extension in (("server", f"subjectAltName=IP:{address}"), ("client", "extendedKeyUsage=clientAuth")):
        with open(f"{folder}/{name}.ext", "w", encoding="utf-8") as file:
            file.write(extension)
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout",
                f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-days", "30", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-extfile", f"{name}.ext", "-out", f"{name}.pem")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--record")
    parser.add_argument("--events", action="store_true")
    parser.add_argument("--mode", action="append", default=[])
    parser.add_argument("--tls", help="folder of certificates; made when it is not there")
    words = parser.parse_args()
    if words.tls and not os.path.exists(os.path.join(words.tls, "ca.pem")):
        make_certificates(words.tls, words.host)
    sink = Sink(Store(words.record, words.events), words.port, words.tls, host=words.host)
    for mode in words.mode:
        name, _, value = mode.partition("=")
        sink.mode[name] = int(value) if value else True
    print(sink.url, flush=True)
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        twice, again, wrong = sink.store.duplicates()
        print(f"{len(sink.store.batches)} batches, {len(sink.store.ids)} events, {len(twice)} twice, {again} batches again, {wrong[:3]}")


if __name__ == "__main__":
    main()
