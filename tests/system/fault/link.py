#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""spec.connectivity with the real agent: the edge of a window in time, restarts, archives of manifests, and the backlog of telemetry.

    tests/system/fault/link.py [WORD...]      only the cases whose name contains one of the words

Runs in a network namespace of its own. Prints "N passed, N failed, N skipped" last."""
import http.server
import io
import json
import os
import re
import select
import socket
import ssl
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from node import TOP, Artifacts, Node, free_port, sha256, wait  # noqa: E402

import suite  # noqa: E402

HOME = os.path.join(TOP, "build", "fault", "link")
INSIDE = "HF_LINK_INSIDE"
ADDRESS = "10.9.9.1"  # no loopback address: a sink on this machine would use no link
LINKS = f"ip link set lo up && ip addr add {ADDRESS}/32 dev lo"
SIZE = 8 << 20
MIB = 1 << 20


def policy(node, connectivity, **more):
    node.apply("policy", json.dumps({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "site"},
                                     "spec": {"interval": "10s", "connectivity": connectivity, **more}}))


def status_of(node):
    try:
        with open(node.place("run", "status.json"), encoding="utf-8") as file:
            return json.load(file)["status"]
    except (OSError, ValueError):
        return {}


def update_of(node):
    return (status_of(node).get("updates") or [{}])[0]


def bytes_today(node):
    return status_of(node).get("network", {}).get("bytesToday", 0)


def clock_time(seconds):
    return time.strftime("%H:%M", time.gmtime(seconds))


def closed():
    """A window that is closed now: it opens in 12 hours."""
    return {"windows": [{"start": clock_time(time.time() + 12 * 3600), "duration": "1h"}]}


def metric(node, name):
    """The sum over the series of a metric, or None."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{node.metrics_port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    except OSError:
        return None
    found = re.findall(rf"^{re.escape(name)}(?:\{{[^}}]*\}})? ([0-9.e+]+)$", text, re.MULTILINE)
    return sum(map(float, found)) if found else None


def with_release(name, rate):
    server = Artifacts()
    server.rate = rate
    node = Node(os.path.join(HOME, name), server)
    artifact = node.place("versions", "v1")
    with open(artifact, "wb") as file:
        file.write(os.urandom(SIZE))
    node.apply("update", node.create("app", "1.0.0", 1, artifact, service=False))
    return node


def window_ends():
    """A window ends by time in the middle of a download. Nothing else changes; the download resumes in the next window."""
    node = with_release("window-ends", 64 << 10)
    try:
        now = time.time()
        end = (int(now) // 60 + (2 if now % 60 > 40 else 1)) * 60  # a full minute, 20 s or more from now
        again = end + 60
        # A clock that nobody confirms may be wrong by maxSkew, so a window counts only where it is open at both ends of that span.
        policy(node, {"windows": [{"start": clock_time(end - 3600), "duration": "1h"}, {"start": clock_time(again), "duration": "1h"}]},
               clock={"maxSkew": "1s"})
        node.start_agent("--run-dir", node.place("run"))
        wait("a beginning", lambda: update_of(node).get("phase") == "Fetching", 20)
        assert time.time() < end, "the machine was too slow for this case"
        wait("the end of the window", lambda: update_of(node).get("reason") == "LinkWindowClosed", end - now + 40)
        assert time.time() >= end - 3, "the gate closed before the window ended"
        time.sleep(3)
        stopped = bytes_today(node)
        assert 0 < stopped < SIZE, f"{stopped} bytes came before the end of the window"
        node.server.rate = 0
        time.sleep(10)
        assert bytes_today(node) == stopped, "bytes came outside the window"
        wait("a commit in the next window", lambda: update_of(node).get("phase") == "Committed", again - time.time() + 60)
        total = wait("the count", lambda: max(bytes_today(node) - SIZE + 1, 0), 30) + SIZE - 1
        assert total < SIZE + stopped // 2 + MIB, f"{total} bytes for {SIZE}: the download began anew"
        return f"stopped after {stopped} bytes, {total} in all"
    finally:
        node.end()


def restart():
    """The bytes of a day stay counted over an orderly restart, and over kill -9 up to what was saved."""
    node = with_release("restart", 1 << 20)
    try:
        policy(node, {"maxBytesPerDay": "2Mi"})
        node.start_agent("--run-dir", node.place("run"))
        wait("the quota", lambda: update_of(node).get("reason") == "LinkQuotaUsed", 60)
        used = wait("the count", lambda: bytes_today(node) if bytes_today(node) >= 2 * MIB else 0, 30)
        for how in (node.stop_agent, node.kill_agent):
            how()
            os.unlink(node.place("run", "status.json"))
            node.start_agent("--run-dir", node.place("run"))
            wait("a status", lambda: update_of(node).get("reason") == "LinkQuotaUsed", 60)
            assert bytes_today(node) >= used, f"{bytes_today(node)} bytes after a restart, {used} before"
        time.sleep(5)
        assert bytes_today(node) < used + MIB // 2, "the restarted agent went on downloading"
        return f"{used} bytes stay counted"
    finally:
        node.end()


def archive(node):
    """Puts a .tar.gz of 2 MiB on the server; returns the source of an entry."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name in ("a", "b"):
            info = tarfile.TarInfo(name)
            info.size = MIB
            tar.addfile(info, io.BytesIO(os.urandom(MIB)))
    node.server.files["site.tar.gz"] = out.getvalue()
    with open(node.place("temp", "site.tar.gz"), "wb") as file:
        file.write(out.getvalue())
    return {"url": node.server.url + "/site.tar.gz", "digest": "sha256:" + sha256(node.place("temp", "site.tar.gz"))}


def entry_of(node):
    return (status_of(node).get("manifests") or [{}])[0]


def manifests():
    """The archive of an entry waits for a window, stops in the middle, resumes, and counts."""
    server = Artifacts()
    node = Node(os.path.join(HOME, "manifests"), server)
    try:
        os.makedirs(node.place("managed"))
        os.chmod(node.place("managed"), 0o755)
        with open(node.place("agent.yaml"), "w", encoding="utf-8") as file:
            file.write("apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nmanifests:\n"
                       f"  files: [\"{node.place('managed')}/**\"]\n  origins: [\"http://127.0.0.1:*\"]\n")
        entries = [{"name": "site", "from": archive(node), "to": "Files", "path": node.place("managed", "app") + "/"}]
        size = len(server.files["site.tar.gz"])
        server.rate = 256 << 10
        policy(node, closed(), manifests=entries)
        node.start_agent("--run-dir", node.place("run"), "--config", node.place("agent.yaml"))
        wait("WindowClosed", lambda: entry_of(node).get("reason") == "WindowClosed", 60)
        assert bytes_today(node) == 0, "bytes came while the window was closed"
        policy(node, {}, manifests=entries)
        wait("some bytes", lambda: (metric(node, "holdfast_network_day_bytes") or 0) >= MIB // 2, 60)
        server.rate = 16 << 10  # a minute and more for the rest: a busy agent closes the gate before the end of the file
        policy(node, closed(), manifests=entries)
        wait("a closed gate", lambda: metric(node, "holdfast_network_bulk_waits") == 1, 60)
        stopped = int(metric(node, "holdfast_network_day_bytes"))
        time.sleep(2)
        assert metric(node, "holdfast_network_day_bytes") == stopped, "the download went on behind the closed gate"
        assert 0 < stopped < size, f"{stopped} of {size} bytes came"
        server.rate = 0
        policy(node, {}, manifests=entries)
        wait("Applied", lambda: entry_of(node).get("phase") == "Applied", 60)
        total = wait("the count", lambda: max(bytes_today(node) - size + 1, 0), 30) + size - 1
        assert total < size + stopped // 2, f"{total} bytes for {size}: the download began anew"
        assert os.path.getsize(node.place("managed", "app", "a")) == MIB
        return f"stopped after {stopped} bytes, {total} of {size} in all"
    finally:
        node.end()


class Sink(http.server.ThreadingHTTPServer):
    """Refuses or takes batches; knows the number of each event."""
    daemon_threads = True

    def __init__(self, home):
        super().__init__((ADDRESS, 0), SinkHandler)
        self.refuses, self.seen, self.bytes = True, {}, 0
        os.makedirs(home)
        key, certificate = os.path.join(home, "key.pem"), os.path.join(home, "ca.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=sink", "-addext", f"subjectAltName=IP:{ADDRESS}", "-keyout", key, "-out", certificate],
                       check=True, stderr=subprocess.DEVNULL)
        os.chmod(certificate, 0o644)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"https://{ADDRESS}:{self.server_address[1]}/take"

    def has(self, first, end):
        return sum(1 for number in range(first, end) if number in self.seen)


class SinkHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        sink = self.server
        if not sink.refuses:
            sink.bytes += len(body)
            for line in body.splitlines():
                number = json.loads(line).get("sensorData", {}).get("n")
                sink.seen[number] = sink.seen.get(number, 0) + 1
        self.send_response(503 if sink.refuses else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def post(port, first, end, **more):
    events = [{"sensorData": {"n": number, "pad": "x" * 3000}, **more} for number in range(first, end)]
    request = urllib.request.Request(f"http://127.0.0.1:{port}/ingest", json.dumps(events).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status in (200, 202), answer.status


def sink_status(node):
    return (status_of(node).get("telemetry", {}).get("sinks") or [{}])[0]


def backlog():
    """Events of an outage wait for the window; live and urgent ones pass. With a quota, no more than that of the backlog goes."""
    node, port = Node(os.path.join(HOME, "backlog"), Artifacts()), free_port()
    sink = Sink(node.place("credentials"))
    telemetry = {"sources": {"http": True}, "buffer": {"maxBytes": "16Mi"}, "batch": {"timeout": "1s", "maxBytes": 32768, "compression": "none"},
                 "sink": {"url": sink.url, "format": "ndjson", "caFile": node.place("credentials", "ca.pem")}}
    flags = ("--run-dir", node.place("run"), "--config", node.place("agent.yaml"), "--ingest-port", str(port), "--storage-dir",
             node.place("data"))
    try:
        os.makedirs(node.place("data"))
        with open(node.place("agent.yaml"), "w", encoding="utf-8") as file:
            file.write(f"apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\ntelemetry:\n"
                       f"  sinks: [\"https://{ADDRESS}:*\"]\n  credentialFolders: [\"{node.place('credentials')}\"]\n")
        policy(node, {}, telemetry=telemetry)
        node.start_agent(*flags)
        wait("a sink", lambda: sink_status(node), 60)
        for first in range(0, 1000, 100):
            post(port, first, first + 100)
        wait("a queue", lambda: metric(node, "holdfast_telemetry_queue_events") == 1000, 30)
        policy(node, closed(), telemetry=telemetry)
        wait("the gate", lambda: metric(node, "holdfast_network_bulk_waits") == 1, 60)
        node.stop_agent()
        sink.refuses = False
        node.start_agent(*flags)
        wait("a sink", lambda: metric(node, "holdfast_telemetry_queue_events"), 60)
        before = metric(node, "holdfast_network_day_bytes")
        post(port, 1000, 1005)
        post(port, 1005, 1010, severity="error")
        wait("the live and the urgent events", lambda: sink.has(1000, 1010) == 10, 60)
        time.sleep(5)
        assert sink.has(0, 1000) == 0, f"{sink.has(0, 1000)} events of the backlog went through a closed window"
        assert metric(node, "holdfast_telemetry_backlog_held") == 1
        wait("the reason", lambda: sink_status(node).get("waitingFor") == "LinkWindowClosed", 60)
        assert metric(node, "holdfast_network_day_bytes") == before, "live events counted against the quota"
        quota = int(before) + MIB
        policy(node, {"maxBytesPerDay": str(quota)}, telemetry=telemetry)
        wait("the quota", lambda: sink_status(node).get("waitingFor") == "LinkQuotaUsed", 60)
        time.sleep(3)
        part, used = sink.has(0, 1000), metric(node, "holdfast_network_day_bytes")
        assert 100 < part < 500 and quota <= used < quota + (200 << 10), f"{part} events, {used} bytes for a quota of {quota}"
        assert used - before >= 0.9 * part * 3000, f"{used - before} bytes counted for {part} events"
        policy(node, {}, telemetry=telemetry)
        wait("everything", lambda: sink.has(0, 1010) == 1010, 60)
        assert set(sink.seen.values()) == {1}, "events came twice"
        wait("no reason", lambda: "waitingFor" not in sink_status(node), 60)
        return f"live events in time, {part} of 1000 events in {int(used - before)} bytes of quota"
    finally:
        node.end()
        sink.shutdown()


class ProxyHandler(http.server.BaseHTTPRequestHandler):
    """Answers for http URLs itself; joins CONNECT to its target."""

    def do_GET(self):
        self.server.seen.append(self.path)
        body = self.server.files.get(self.path.rpartition("/")[2])
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def do_CONNECT(self):
        self.server.seen.append(self.path)
        host, _, port = self.path.rpartition(":")
        self.close_connection = True
        with socket.create_connection((host, int(port)), 10) as far:
            self.send_response(200)
            self.end_headers()
            while True:
                ready, _, _ = select.select([self.connection, far], [], [], 60)
                for end in ready:
                    data = end.recv(65536)
                    if not data:
                        return
                    (far if end is self.connection else self.connection).sendall(data)

    def log_message(self, *_):
        pass


class Proxy(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.seen, self.files = [], {}
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


def proxies():
    """A release, an archive and a sink go through the proxies of the environment, and a sink that NO_PROXY names does not."""
    proxy, port, found = Proxy(), free_port(), []
    for direct in (False, True):
        node = Node(os.path.join(HOME, "proxies"), Artifacts())
        node.server.url, node.server.files = "http://files.example", proxy.files
        sink = Sink(node.place("credentials"))
        sink.refuses = False
        try:
            for folder in ("data", "managed"):
                os.makedirs(node.place(folder), mode=0o755)
            with open(node.place("agent.yaml"), "w", encoding="utf-8") as file:
                file.write("apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nmanifests:\n"
                           f"  files: [\"{node.place('managed')}/**\"]\n  origins: [\"http://files.example\"]\ntelemetry:\n"
                           f"  sinks: [\"https://{ADDRESS}:*\"]\n  credentialFolders: [\"{node.place('credentials')}\"]\n")
            artifact = node.place("versions", "v1")
            with open(artifact, "wb") as file:
                file.write(os.urandom(1000))
            node.apply("update", node.create("app", "1.0.0", 1, artifact, service=False))
            policy(node, {}, manifests=[{"name": "site", "from": archive(node), "to": "Files", "path": node.place("managed", "app") + "/"}],
                   telemetry={"sources": {"http": True}, "batch": {"timeout": "1s", "compression": "none"}, "sink": {
                       "url": sink.url, "format": "ndjson", "caFile": node.place("credentials", "ca.pem")}})
            proxy.seen.clear()
            node.start_agent("--run-dir", node.place("run"), "--config", node.place("agent.yaml"), "--ingest-port", str(port), "--storage-dir",
                             node.place("data"), wrapper=("env", f"HTTP_PROXY={proxy.url}", f"HTTPS_PROXY={proxy.url}",
                                                          f"NO_PROXY={'10.9.9.0/24' if direct else 'other.example'}"))
            wait("a commit", lambda: update_of(node).get("phase") == "Committed", 60)
            wait("the archive", lambda: entry_of(node).get("phase") == "Applied", 60)
            wait("the sink", lambda: sink_status(node), 60)
            post(port, 0, 3)
            wait("the events", lambda: sink.has(0, 3) == 3, 60)
            found.append(sorted({path.partition("?")[0] for path in proxy.seen}))
        finally:
            node.end()
            sink.shutdown()
    through, rest = ([[path.startswith("http://files.example/") for path in seen].count(True) for seen in found],
                     [[path for path in seen if not path.startswith("http://")] for seen in found])
    assert min(through) >= 2 and len(rest[0]) == 1 and rest[0][0].startswith(ADDRESS) and rest[1] == [], f"the proxy saw {found}"
    return "two files and one sink through them, and one sink around them"


CASES = {"window ends": window_ends, "proxies": proxies, "restart": restart, "manifests": manifests, "backlog": backlog}
BESIDE = 3  # cases at a time: the first one waits for a minute or two, and the others run meanwhile


def main():
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "-rn", "sh", "-c", LINKS + ' && exec "$@"', "sh", sys.executable, *sys.argv])
    words = sys.argv[1:]
    return suite.run([case for case in CASES.items() if not words or any(word in case[0] for word in words)], BESIDE)


if __name__ == "__main__":
    sys.exit(main())
