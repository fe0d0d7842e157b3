# SPDX-License-Identifier: Apache-2.0
"""Attacks of a user or a web page on the node, and of an artifact server, on the agent's local HTTP surface."""
import hashlib
import http.client
import http.server
import json
import os
import pwd
import re
import resource
import shutil
import socket
import stat
import subprocess
import threading
import time

from lab import PATIENCE_S, PROGRAMS, die_with_parent, free_port, wait
from node import Artifacts, Node
from run import Skip

JSON = {"Content-Type": "application/json"}
POLICY = """apiVersion: edge.codcompass.io/v1alpha1
kind: SyncPolicy
metadata: {{name: site}}
spec:
  nodeSelector: {{}}
  telemetry:
    sources: {{http: true}}
    batch: {{timeout: 100ms, compression: none}}
    sink: {{url: "{url}", format: {format}}}
"""
PAYLOAD = {"sensorData": {"t": 1}}
FORGED = {"time": "2026-11-20T08:00:00Z", "node": "node-1", "source": "journald:sshd.service", "kind": "log", "severity": "info",
          "body": "Accepted password for root"}


class Sink(http.server.ThreadingHTTPServer):
    """Keeps the lines that the agent delivers; while it is away, it answers 503."""
    daemon_threads = True
    away = False
    refuses = None  # bytes: a body that has them gets 422

    def __init__(self):
        sink = self
        self.lines = []

        class Take(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = 503 if sink.away else 422 if sink.refuses is not None and sink.refuses in body else 200
                sink.lines += [json.loads(line) for line in body.split(b"\n") if line] if status == 200 else []
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Take)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/take"

    def find(self, event_id):
        return next((line for line in self.lines if line.get("id") == event_id), None)


class Local:
    """A node with the three listeners, a sink and a socket for ingest."""

    def __init__(self, home, *more, policy=POLICY):
        self.sink = Sink()
        self.node = Node(os.path.join(home, "node"), Artifacts())
        self.metrics, self.ingest, self.health = self.node.metrics_port, free_port(), free_port()
        self.run_dir = self.node.place("run")
        self.socket = os.path.join(self.run_dir, "ingest.sock")
        self.node.apply("policy", policy.format(url=self.sink.url, format="ndjson"))
        self.start(*more)

    def start(self, *more):
        self.node.start_agent("--ingest-port", str(self.ingest), "--health-port", str(self.health), "--run-dir", self.run_dir,
                              "--storage-dir", self.node.place("telemetry"), *more)
        wait("the agent to take events", lambda: self.ask(self.ingest, "POST", "/ingest", b"[]", JSON)[0] == 400, 60)

    def ask(self, port, method, path, body=None, headers=None, timeout=5):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def post(self, item, headers=None):
        return self.ask(self.ingest, "POST", "/ingest", json.dumps(item).encode(), {**JSON, **(headers or {})})

    def delivered(self, event_id):
        return wait(f"event {event_id} at the sink", lambda: self.sink.find(event_id), 60)

    def end(self):
        self.node.end()


def connect_unix(path, uid=None):
    """A connection to a Unix socket, as another user if wanted."""
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(10)
    groups = os.getgroups()
    if uid is not None:
        os.setgroups([])
        os.setegid(uid)
        os.seteuid(uid)
    try:
        peer.connect(path)
    finally:
        if uid is not None:
            os.seteuid(0)
            os.setegid(0)
            os.setgroups(groups)
    return peer


def ask_unix(path, item, uid=None, *headers):
    """Post over a Unix socket, as another user if wanted; returns the status."""
    body = json.dumps(item).encode()
    head = "\r\n".join(["POST /ingest HTTP/1.1", "Host: localhost", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers, "", ""])
    with connect_unix(path, uid) as peer:
        peer.sendall(head.encode() + body)
        return int(peer.recv(65536).decode().split()[1])


def say(port, text, whole=False):
    """Send a text as it is; returns the first bytes of the answer, or all until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
        peer.sendall(text.encode())
        said = peer.recv(65536)
        while whole and (more := peer.recv(65536)):
            said += more
        return said.decode()


def need_root():
    if os.geteuid() != 0:
        raise Skip("needs root to act as another user")


VIEW = ("GET /page/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")


def attack_viewers_that_do_not_read(home):
    """A local user takes all places of viewers of the page, and never reads: they lose them within a minute, and one who reads stays."""
    local = Local(home)
    try:
        viewers = []
        for _ in range(50):
            viewers.append(socket.create_connection(("127.0.0.1", local.metrics), timeout=20))
            viewers[-1].sendall(VIEW.encode())
            assert viewers[-1].recv(12) == b"HTTP/1.1 101", "a viewer got no place"
        assert "503" in say(local.metrics, VIEW).split("\r\n")[0], "there is no bound of viewers"
        reader, pings, end = viewers[0], 0, time.monotonic() + 45
        while time.monotonic() < end:
            # A frame of the server has no mask; that of a ping is short.
            pings += (got := reader.recv(65536)).count(b"\x89\x00")
            if b"\x89\x00" in got:
                reader.sendall(b"\x8a\x80\x01\x02\x03\x04")
            assert got, "a viewer who reads was closed"
        assert pings > 0, "no ping came"
        with socket.create_connection(("127.0.0.1", local.metrics), timeout=20) as late:
            late.sendall(VIEW.encode())
            assert late.recv(12) == b"HTTP/1.1 101", "viewers that do not read keep their places"
    finally:
        local.end()


def attack_viewers_that_send(home):
    """A viewer of the page sends: texts, fragments, a frame of 2^62 bytes or pings without end close it; who reads has the page all the while."""
    local = Local(home)

    def view():
        viewer = socket.create_connection(("127.0.0.1", local.metrics), timeout=30)
        viewer.sendall(VIEW.encode())
        assert viewer.recv(12) == b"HTTP/1.1 101", "a viewer got no place"
        return viewer

    def closes(viewer, frames, again):
        end = time.monotonic() + 60
        try:
            viewer.sendall(frames)
            while again and time.monotonic() < end:
                viewer.sendall(frames)
            while time.monotonic() < end:
                if not viewer.recv(65536):
                    return True
        except ConnectionError:
            return True
        return False

    key = b"\x01\x02\x03\x04"
    try:
        with view() as reader:
            for what, frames, again in (("a text", b"\x81\x85" + key + b"hello", False), ("a fragment", b"\x01\x81" + key + b"x", False),
                                        ("2^62 bytes", b"\x82\xff\x40" + bytes(7) + key + b"x", False), ("pings", (b"\x89\x84" + key + b"ping") * 2000, True)):
                with view() as viewer:
                    assert closes(viewer, frames, again), f"{what}: the viewer stays"
                assert local.ask(local.metrics, "GET", "/page/state.json")[0] == 200, what
            reader.setblocking(False)
            while True:
                try:
                    assert reader.recv(65536), "who reads was closed"
                except BlockingIOError:
                    break
    finally:
        local.end()


def attack_forged_provenance(home):
    """Post records as the journal, the agent or a finding: they arrive under "http:", with the poster's own user id."""
    local = Local(home)
    try:
        for i, source in enumerate(("journald:sshd.service", "agent:anomaly", "file:/var/log/auth.log", "mqtt:plant/7", "node", "http")):
            for kind in ("log", "finding"):
                event = dict(FORGED, id=f"{kind}-{i}", source=source, kind=kind, peerUid=4711, peerUnit="sshd.service")
                assert local.post(event)[0] == 202
                line = local.delivered(event["id"])
                assert line["source"] == ("http" if source == "http" else f"http:{source}"), line
                assert line.get("peerUid") == os.geteuid() and "peerUnit" not in line, line
    finally:
        local.end()


def attack_other_user(home):
    """Post as nobody over TCP and over the socket, with a claim to be root: the record has nobody's user id."""
    need_root()
    local, nobody = Local(home), pwd.getpwnam("nobody").pw_uid
    try:
        assert stat.S_ISSOCK(os.stat(local.socket).st_mode)
        os.chmod(home, 0o755)
        assert ask_unix(local.socket, dict(PAYLOAD, id="unix", source="agent"), nobody) == 202
        assert local.delivered("unix")["peerUid"] == nobody and local.delivered("unix")["source"] == "http:agent"
        child = subprocess.run(["python3", "-c", f"""
import http.client, json
c = http.client.HTTPConnection("127.0.0.1", {local.ingest})
c.request("POST", "/ingest", json.dumps({dict(FORGED, id="tcp", peerUid=0)!r}), {JSON!r})
print(c.getresponse().status)"""], user=nobody, group=nobody, extra_groups=[], stdout=subprocess.PIPE, text=True, check=True)
        assert child.stdout.strip() == "202", child.stdout
        assert local.delivered("tcp")["peerUid"] == nobody, local.delivered("tcp")
    finally:
        local.end()


def attack_sequence_of_another(home):
    """Post a line whose origin claims the largest sequence: after a restart the node's own sequence still grows from the clock."""
    local = Local(home)
    try:
        assert local.post(dict(FORGED, id="far", node="far", originSequence=2 ** 64 - 2))[0] == 202
        local.delivered("far")
        local.node.kill_agent()
        local.start()
        assert local.post(dict(PAYLOAD, id="own"))[0] == 202
        assert local.delivered("own")["originSequence"] < 2 ** 62, local.delivered("own")
    finally:
        local.end()


def attack_rebinding(home):
    """Ask for the pages and post under a name that an attacker's DNS resolves to 127.0.0.1: 403, and nothing is read or stored."""
    local = Local(home, "--log-level", "debug")
    try:
        for host in ("evil.example", "evil.example:9090", "127.0.0.1.evil.example", "localhost.evil.example", "[::1].evil.example", "2130706433"):
            assert local.post(dict(PAYLOAD, id="rebound"), {"Host": host})[0] == 403, host
            for port, path in ((local.metrics, "/metrics"), (local.metrics, "/readyz"), (local.health, "/healthz")):
                status, text = local.ask(port, "GET", path, headers={"Host": host})
                assert status == 403 and "--allow-host" in text, (host, path, status, text)
        for host in ("127.0.0.1:1", "localhost", "LOCALHOST:9", "[::1]:9091"):
            assert local.ask(local.health, "GET", "/healthz", headers={"Host": host})[0] == 200, host
        assert 'holdfast_local_refused_total{listener="ingest",reason="host"} 6' in local.ask(local.metrics, "GET", "/metrics")[1]
        assert not local.sink.find("rebound")
    finally:
        local.end()


def attack_web_page(home):
    """Post from a page of another site in a browser on the node: 403 for its Origin, 415 for every type that needs no preflight."""
    local = Local(home)
    try:
        for origin in ("https://evil.example", "null", "http://127.0.0.1:9091", "file://"):
            assert local.post(dict(PAYLOAD, id="page"), {"Origin": origin})[0] == 403, origin
        body = json.dumps(dict(PAYLOAD, id="page")).encode()
        for kind in ("text/plain", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                     "application/octet-stream"):
            assert local.ask(local.ingest, "POST", "/ingest", body, {"Content-Type": kind})[0] == 415, kind
        status, text = local.ask(local.ingest, "POST", "/ingest", body)
        assert status == 415 and "application/json" in text, (status, text)
        assert local.post(dict(PAYLOAD, id="fine"))[0] == 202
        local.delivered("fine")
        assert not local.sink.find("page")
    finally:
        local.end()


def attack_upgrade(home):
    """Ask for WebSocket, HTTP/2 or a tunnel under a foreign Host or Origin: 403, as without; nothing but HTTP/1.1 is spoken, and a connection without a request ends."""
    local = Local(home)
    h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
    websocket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    tries = [(upgrade, who, port, "GET /healthz") for upgrade in (h2c, websocket) for port in (local.metrics, local.health)
             for who in ("Host: evil.example", "Host: 127.0.0.1\r\nOrigin: https://evil.example", "Host: 127.0.0.1\r\nOrigin: null")]
    tries += [(websocket, who, local.metrics, f"GET /page/{what}") for what in ("live", "state.json")
              for who in ("Host: evil.example", "Host: evil.example\r\nOrigin: http://evil.example", "Host: 127.0.0.1\r\nOrigin: null",
                          f"Host: 127.0.0.1:{local.metrics}\r\nOrigin: http://127.0.0.1:8080", f"Host: 127.0.0.1:{local.metrics}\r\nOrigin: http://localhost:{local.metrics}",
                          "Host: 127.0.0.1\r\nHost: evil.example", "Host: evil.example\r\nHost: 127.0.0.1", "Host: 127.0.0.1@evil.example", "Host: localhost.",
                          "Host: 127.0.0.1, evil.example", "Host: 127.0.0.1:80:evil.example", "Host: 127.0.0.1\r\nSec-WebSocket-Origin: http://evil.example",
                          *(f"Host: 127.0.0.1:{local.metrics}\r\nOrigin: {one}" for one in (
                              f"https://127.0.0.1:{local.metrics}", f"http://127.0.0.1:{local.metrics}0", f"http://127.0.0.1:{local.metrics}\r\nOrigin: http://evil.example",
                              f"http://evil.example\r\nOrigin: http://127.0.0.1:{local.metrics}")))]
    tries += [(upgrade, "Host: evil.example\r\nContent-Type: application/json", local.ingest, "POST /ingest") for upgrade in (h2c, websocket)]
    try:
        for upgrade, who, port, line in tries:
            said = say(port, f"{line} HTTP/1.1\r\n{who}\r\n{upgrade}\r\n")
            assert said.startswith("HTTP/1.1 403") and "HTTP/1.1 101" not in said, (line, who, upgrade, said)
        for upgrade in (h2c, websocket):
            assert say(local.health, f"GET /healthz HTTP/1.1\r\nHost: localhost\r\n{upgrade}\r\n").startswith("HTTP/1.1 200"), upgrade
            body = json.dumps(dict(PAYLOAD, id=upgrade[:24].strip().split()[-1]))
            head = f"POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{upgrade}Content-Length: {len(body)}\r\n\r\n"
            assert say(local.ingest, head + body).startswith("HTTP/1.1 202"), upgrade
        for text in ("CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
            assert say(local.ingest, text, whole=True).partition(" ")[2][:3] in ("", "403"), text
    finally:
        local.end()


# ---- slow connections ------------------------------------------------------------------------------------------------------

HALF = b"POST /ingest HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
WHOLE = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Slow(threading.Thread):
    """Holds `count` connections to a port without ever finishing a request, and opens each again that the agent ends."""

    def __init__(self, port, count, data):
        super().__init__(daemon=True)
        self.port, self.data, self.stop, self.rounds = port, data, False, 0
        self.held = [None] * count

    def dial(self):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", self.port))
        return one

    def run(self):
        while not self.stop:
            for i, one in enumerate(self.held):
                if one is None:
                    self.held[i] = self.dial()
                    continue
                try:
                    if self.rounds == 1 or self.data is WHOLE:
                        one.send(self.data)
                    if one.recv(4096) == b"":
                        raise OSError
                except BlockingIOError:
                    pass
                except OSError:
                    one.close()
                    self.held[i] = self.dial()
                    try:
                        self.held[i].send(self.data)
                    except OSError:
                        pass
            self.rounds += 1
            time.sleep(0.005)
        for one in self.held:
            if one is not None:
                one.close()


def under_slow(home, count, data, more=(), wrapper=()):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < count + 200:
        raise Skip(f"needs {count + 200} open files")
    local = Local(home, *more)
    try:
        for name, port in (("health", local.health), ("metrics", local.metrics), ("ingest", local.ingest)):
            slow = Slow(port, count, data)
            slow.start()
            wait("the connections", lambda slow=slow: slow.rounds >= 3, 60)
            try:
                for ask, path in ((local.health, "/healthz"), (local.health, "/readyz"), (local.metrics, "/healthz"), (local.metrics, "/metrics")):
                    for _ in range(10):
                        began = time.monotonic()
                        status, _ = local.ask(ask, "GET", path, timeout=5)
                        took = time.monotonic() - began
                        assert status in (200, 503) and took < 1, f"{path} while {name} is held: {status} after {took:.2f} s"
            finally:
                slow.stop = True
                slow.join()
    finally:
        local.end()


def attack_slow_560(home):
    """Hold 560 slow connections to each listener and open again what ends: /healthz, /readyz and /metrics answer within 1 s."""
    under_slow(home, 560, HALF)


def attack_slow_2000(home):
    """The same with 2,000 connections: more than all places and the queue of the kernel."""
    under_slow(home, 2000, HALF)


def attack_busy_560(home):
    """Hold 560 connections that ask for a page again and again: the probes answer within 1 s."""
    under_slow(home, 560, WHOLE)


def attack_one_user_holds_all(home):
    """As nobody, hold every place of ingest with half a request: another user's data is still taken."""
    need_root()
    local, nobody = Local(home), pwd.getpwnam("nobody").pw_uid
    child = None
    try:
        child = subprocess.Popen(["python3", "-c", f"""
import resource, socket, time
resource.setrlimit(resource.RLIMIT_NOFILE, (2000, 2000))
held = [socket.create_connection(("127.0.0.1", {local.ingest})) for _ in range(700)]
for one in held:
    try:
        one.send({HALF!r})
    except OSError:
        pass
print("held", flush=True)
time.sleep(600)"""], user=nobody, group=nobody, extra_groups=[], stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        assert child.stdout.readline().strip() == "held"
        for i in range(20):
            assert local.post(dict(PAYLOAD, id=f"mine-{i}"))[0] == 202, i
    finally:
        if child is not None:
            child.kill()
            child.wait()
        local.end()


# ---- the socket's name -----------------------------------------------------------------------------------------------------

def attack_socket_squatting(home):
    """Put a live socket, a file or a link where the agent wants its socket: it stays, and the agent says why it does not use it."""
    local = Local(home)
    try:
        local.node.stop_agent()
        assert not os.path.lexists(local.socket), "the agent's own socket goes with it"
        for kind in ("live", "file", "link"):
            with socket.socket(socket.AF_UNIX) as squatter:
                if kind == "live":
                    squatter.bind(local.socket)
                    os.chmod(local.socket, 0o600)
                    squatter.listen(1)
                elif kind == "file":
                    with open(local.socket, "w", encoding="utf-8") as file:
                        file.write("precious")
                else:
                    os.symlink(local.node.place("agent.log"), local.socket)
                before = os.lstat(local.socket)
                local.start()
                after = os.lstat(local.socket)
                assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode), kind
                with open(local.node.place("agent.log"), encoding="utf-8") as file:
                    assert '"listener":"socket"' in file.read().split('"event":"server.failed"')[-1], kind
                local.node.stop_agent()
                assert os.lstat(local.socket).st_ino == before.st_ino, f"{kind} is gone after the agent's stop"
            os.unlink(local.socket)
        os.chmod(local.run_dir, 0o777)  # a folder in which anybody may replace the name
        local.start()
        assert not os.path.lexists(local.socket)
        local.node.stop_agent()
        os.chmod(local.run_dir, 0o755)
        local.start()
        local.node.kill_agent()
        assert os.path.lexists(local.socket), "after SIGKILL the name stays"
        local.start()
        assert ask_unix(local.socket, PAYLOAD) == 202, "a dead socket of ours is replaced"
    finally:
        local.end()


def attack_socket_mode(home):
    """Connect to the socket as a user who is not in its group: refused, at every moment since the name exists."""
    need_root()
    local, nobody = Local(home, "--ingest-socket-group", "0", "--ingest-socket-mode", "0660"), pwd.getpwnam("nobody").pw_uid
    try:
        assert stat.S_IMODE(os.stat(local.socket).st_mode) == 0o660
        os.chmod(home, 0o755)
        try:
            ask_unix(local.socket, PAYLOAD, nobody)
            raise AssertionError("nobody connected to a socket of mode 0660")
        except PermissionError:
            pass
        assert ask_unix(local.socket, PAYLOAD) == 202
    finally:
        local.end()


# ---- URLs ------------------------------------------------------------------------------------------------------------------

SECRET = "X-Amz-Signature=5ec2e7c0ffee"


def outside_address():
    """An address of this machine that is not loopback."""
    for family, far in ((socket.AF_INET, "192.0.2.77"), (socket.AF_INET6, "2001:db8::77")):
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((far, 9))
                found = probe.getsockname()[0]
            except OSError:
                continue
            if not found.startswith(("127.", "::1")):
                return family, found
    raise Skip("this machine has loopback addresses only")


def release_from(node, url):
    """A signed release whose artifact is at `url`."""
    new = node.place("versions", "new")
    with open(new, "wb") as file:
        file.write(b"#!/bin/sh\nexit 0\n" + hashlib.sha256(url.encode()).digest())
    os.chmod(new, 0o755)
    shutil.copy(os.path.join(PROGRAMS, "holdfast-delta"), node.place("versions", "elf"))
    text = node.create("app", "2.0", 2, node.place("versions", "elf"), service=False)
    found = re.search(r"url: (\S+)", text) or re.search(r'"url": *"([^"]+)"', text)
    return node.sign(text.replace(found.group(1), url)), found.group(1)


def everything_said(node, port):
    with open(node.place("agent.log"), encoding="utf-8") as file:
        log = file.read()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/metrics")
    pages = connection.getresponse().read().decode()
    return log + json.dumps(node.status()) + pages


def attack_presigned_query(home):
    """Read the query of a presigned artifact URL from the log, the status or the metrics: it is nowhere, the path is."""
    server = Artifacts()
    node = Node(os.path.join(home, "node"), server)

    def refuse(handler):
        handler.send_error(403)
    try:
        text, _ = release_from(node, f'"{server.url}/bucket/app?{SECRET}&X-Amz-Date=1"')
        server.files[f"bucket/app?{SECRET}&X-Amz-Date=1"] = refuse
        node.apply("app", text)
        node.start_agent("--log-level", "debug")
        wait("the refusal in the status", lambda: "403" in json.dumps(node.update("app")), 60)
        said = everything_said(node, node.metrics_port)
        assert "5ec2e7c0ffee" not in said, [line for line in said.split("\n") if "5ec2e7c0ffee" in line][:3]
        assert "/bucket/app" in said
    finally:
        node.end()


def attack_redirect_to_loopback(home):
    """Answer an artifact's request, at an address that is not loopback, with a redirect to an admin page on loopback: the page is never asked."""
    family, address = outside_address()
    asked = []

    class Admin(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    class Far(http.server.ThreadingHTTPServer):
        address_family = family
        daemon_threads = True

    admin = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Admin)
    targets = [f"http://127.0.0.1:{admin.server_address[1]}/shutdown", f"http://localhost:{admin.server_address[1]}/shutdown",
               f"http://0.0.0.0:{admin.server_address[1]}/shutdown", f"http://[::ffff:127.0.0.1]:{admin.server_address[1]}/shutdown"]

    class Redirect(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", targets[int(self.path.rsplit("/", 1)[-1])])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    far = Far((address, 0), Redirect)
    for one in (admin, far):
        threading.Thread(target=one.serve_forever, daemon=True).start()
    shown = f"[{address}]" if family == socket.AF_INET6 else address
    for i in range(len(targets)):
        node = Node(os.path.join(home, f"node{i}"), Artifacts())
        try:
            text, _ = release_from(node, f"http://{shown}:{far.server_address[1]}/{i}")
            node.apply("app", text)
            node.start_agent()
            wait("a refused redirect in the status", lambda node=node: "redirect" in json.dumps(node.update("app")) or asked, min(60, PATIENCE_S))
            assert not asked, (targets[i], asked)
        finally:
            node.end()
