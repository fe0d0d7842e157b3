# SPDX-License-Identifier: Apache-2.0
"""Attacks by whoever holds the cluster: objects with hostile values, and an API server that lies. After each attack the node must
still install a signed release, and the agent must have stayed within its bounds."""
import base64
import copy
import http.server
import json
import os
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

from apiserver import KINDS, ApiServer, Authority, Handler, kubeconfig
from lab import PROGRAMS, free_port, wait
from node import Artifacts, Node, sha256

GROUP = "edge.codcompass.io/v1alpha1"
PATIENCE_S = 90
LIMIT_MIB = 96  # the memory limit of the pod


class LyingHandler(Handler):
    """An honest API server, until `server.lie(handler)` answers first; it returns True if it did."""

    def lied(self):
        with self.server.changed:
            self.server.seen.append(self.command + " " + self.path)
        return self.server.lie is not None and self.server.lie(self)

    def do_GET(self):
        """As the base class, with lists in pages of the size that the agent asks for."""
        if self.lied():
            return
        asked = urllib.parse.urlparse(self.path)
        query = dict(urllib.parse.parse_qsl(asked.query))
        if asked.path not in KINDS or "limit" not in query or "watch" in query or "fieldSelector" in query:
            super().do_GET()
            return
        page = self.server.listed(KINDS[asked.path], "")
        first, size = int(query.get("continue") or 0), int(query["limit"])
        if first + size < len(page["items"]):
            page["metadata"]["continue"] = str(first + size)
        page["items"] = page["items"][first:first + size]
        self.answer(200, page)

    def do_PATCH(self):
        """As the base class; of a Node, the labels that the agent applies are kept."""
        if self.lied():
            return
        folder, _, name = urllib.parse.urlparse(self.path).path.rpartition("/")
        if not folder.endswith("/nodes"):
            super().do_PATCH()
            return
        labels = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["metadata"].get("labels", {})
        with self.server.changed:
            node = copy.deepcopy(self.server.objects.get(("Node", name), {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}))
            if node["metadata"].get("labels") != labels:
                node["metadata"]["labels"] = labels
                self.server.put(node)
        self.server.applied.append(labels)
        self.answer(200, node)

    def do_POST(self):
        if not self.lied():
            super().do_POST()

    def watch(self, kind, name, query):
        """As the base class, and with a bookmark each second, as a real API server sends each minute."""
        self.raw()
        server, seen = self.server, int(query.get("resourceVersion") or 0)
        with server.changed:
            round_ = server.round
            if query.get("sendInitialEvents") == "true":
                for item in server.listed(kind, name)["items"]:
                    self.event("ADDED", item)
                seen = server.version
                self.bookmark(kind, {"k8s.io/initial-events-end": "true"})
            while not server.over and round_ == server.round:
                for version, what, item in server.history:
                    if version > seen and item["kind"] == kind and name in ("", item["metadata"]["name"]):
                        self.event(what, item)
                seen = max(seen, server.version)
                self.bookmark(kind, {})
                server.changed.wait(1)

    def bookmark(self, kind, annotations):
        version = "v1" if kind == "Node" else GROUP
        self.event("BOOKMARK", {"kind": kind, "apiVersion": version,
                                "metadata": {"resourceVersion": str(self.server.version), "annotations": annotations}})

    def watching(self):
        return self.command == "GET" and "watch=" in self.path

    def listing(self):
        return self.command == "GET" and "watch=" not in self.path

    def raw(self, *pieces, code=200, kind="application/json"):
        """An answer without a length: these pieces, then the end of the connection."""
        self.close_connection = True
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece if isinstance(piece, bytes) else piece.encode())
        return True

    def stream(self, make, seconds):
        """An answer that repeats make(number) for so many seconds."""
        self.raw()
        end, number = time.monotonic() + seconds, 0
        while time.monotonic() < end and not self.server.over:
            self.wfile.write(make(number))
            number += 1
        return True

    def say(self, code, body, **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        if self.command in ("PATCH", "POST"):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(code)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return True


class Meter(threading.Thread):
    """The largest memory and number of descriptors that a process had."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.rss_mib, self.fds, self.over = pid, 0, 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.05):
            try:
                with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
                    fields = dict(line.split(":", 1) for line in file)
                self.rss_mib = max(self.rss_mib, int(fields["RssAnon"].split()[0]) / 1024)
                self.fds = max(self.fds, len(os.listdir(f"/proc/{self.pid}/fd")))
            except (OSError, KeyError, ValueError):
                return

    def cpu_s(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            words = file.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def written_bytes(self):
        with open(f"/proc/{self.pid}/io", encoding="ascii") as file:
            return int(dict(line.split(":") for line in file)["write_bytes"])


class Site:
    """A node and the attacker's API server (or, with folder=True, objects in a folder that the attacker fills)."""

    def __init__(self, home, folder=False, tls=False):
        self.home, self.artifacts = home, Artifacts()
        self.node = Node(os.path.join(home, "node"), self.artifacts)
        self.program = os.path.join(home, "program")
        self.write("program", b"#!/bin/true\n# version 1\n" * 64)
        self.target = self.node.place("root", "bin", "app")
        self.ingest_port, self.health_port = free_port(), free_port()
        self.authority, self.api, self.meter = None, None, None
        self.put_count = 0
        if not folder:
            self.authority = Authority(os.path.join(home, "tls")) if tls else None
            self.api = ApiServer(self.authority.issue("good", -1, 300) if tls else None)
            self.api.lie, self.api.applied, self.api.RequestHandlerClass = None, [], LyingHandler
            self.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.node.name, "labels": {}}})
        self.policy({})

    def write(self, name, content):
        path = os.path.join(self.home, name)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def put(self, item, name=None):
        """Create or replace an object."""
        if self.api:
            self.api.put(item)
        else:
            self.put_count += 1
            self.node.apply(name or f"{item['kind']}-{item['metadata']['name']}".lower(), json.dumps(item))

    def policy(self, spec, name="fast", priority=0):
        self.put({"apiVersion": GROUP, "kind": "SyncPolicy", "metadata": {"name": name},
                  "spec": {"interval": "10s", "retryInterval": "1s", "priority": priority, **spec}}, name)

    def update(self, sequence=1, name="app", **spec):
        """A signed release as an object; `spec` sets fields beside the signed ones."""
        item = yaml.safe_load(self.node.create(name, f"{sequence}.0", sequence, self.program, path=self.target, service=False))
        item["spec"].update(spec)
        return item

    def start(self, *more):
        node = self.node
        source = ["--source", node.place("objects")]
        if self.api:
            source = ["--kubeconfig", kubeconfig(os.path.join(self.home, "kubeconfig"), self.api, self.authority and self.authority.ca)]
        node.agent = node.child([os.path.join(PROGRAMS, "holdfast-agent"), *source, "--node-name", node.name, "--state-dir",
                                 node.place("state"), "--trust-dir", node.place("trust.d"), "--update-root", node.place("root"),
                                 "--storage-dir", node.place("storage"), "--run-dir", node.place("run"),
                                 "--metrics-port", str(node.metrics_port), "--ingest-port", str(self.ingest_port),
                                 "--health-port", str(self.health_port), "--retry-base-ms", "50", "--log-level", "info", *more])
        self.meter = Meter(node.agent.pid)
        wait("the agent's health page", self.healthy, PATIENCE_S)

    def metric(self, name):
        """The sum of all series of this name on /metrics; 0 without one."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.node.metrics_port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name)

    def healthy(self):
        """Within what the chart's liveness probe allows."""
        self.node.alive()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/healthz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def status(self):
        self.node.alive()
        if not self.api:
            return self.node.status()
        with self.api.changed:
            return self.api.status(self.node.name)

    def row(self, name="app"):
        return next((row for row in self.status().get("updates", []) if row.get("name") == name), {})

    def condition(self, kind):
        return next((one for one in self.status().get("conditions", []) if one["type"] == kind), {})

    def ends(self, *phases, name="app", sequence=None):
        def ended():
            row = self.row(name)
            return row if row.get("phase") in phases and sequence in (None, row.get("sequence")) else None
        try:
            return wait("an end", ended, PATIENCE_S)
        except AssertionError:
            raise AssertionError(f"{name} is {self.row(name)}, not one of {phases}; {self.status().get('conditions')}") from None

    def installs(self, sequence=1):
        """A signed release that the operator publishes now must be installed."""
        if self.api:
            self.api.lie = None
            self.api.end_watches()
        self.write("program", b"#!/bin/true\n# version %d\n" % sequence * 64)
        self.put(self.update(sequence))
        self.ends("Committed", sequence=sequence)
        assert sha256(self.target) == sha256(self.program)

    def repairs(self):
        """Somebody changes the installed program: the agent must restore it."""
        right = sha256(self.target)
        with open(self.target, "ab") as file:
            file.write(b"changed")
        wait("the repair of the installed program", lambda: self.node.alive() or sha256(self.target) == right, PATIENCE_S)

    def bounded(self, rss_mib=48, fds=120, log_mib=8, cpu_s=None):
        """The agent, which is still the same process, has stayed within these bounds."""
        self.node.alive()
        assert self.meter.rss_mib <= rss_mib, f"the agent took {self.meter.rss_mib:.0f} MiB, more than {rss_mib}"
        assert self.meter.fds <= fds, f"the agent had {self.meter.fds} descriptors, more than {fds}"
        wrote = os.path.getsize(self.node.place("agent.log")) / 2**20
        assert wrote <= log_mib, f"the agent wrote {wrote:.1f} MiB of log, more than {log_mib}"
        used = self.meter.cpu_s()
        assert cpu_s is None or used <= cpu_s, f"the agent used {used:.1f} s of CPU, more than {cpu_s}"
        print(f"memory {self.meter.rss_mib:.1f} MiB, {self.meter.fds} descriptors, log {wrote:.2f} MiB, CPU {used:.1f} s")

    def requests(self, seconds, word=""):
        """The number of requests that the server gets within so many seconds."""
        before = len(self.api.seen)
        time.sleep(seconds)
        self.node.alive()
        return sum(word in path for path in self.api.seen[before:])

    def log_lines(self):
        with open(self.node.place("agent.log"), "rb") as file:
            return file.read().split(b"\n")[:-1]

    def end(self):
        if self.meter:
            self.meter.over.set()
        self.node.end()
        if self.api:
            self.api.end()
        self.artifacts.shutdown()


class besieged:  # pylint: disable=invalid-name
    """`with besieged(home) as site`: a site that always ends."""

    def __init__(self, home, **more):
        self.site = Site(home, **more)

    def __enter__(self):
        return self.site

    def __exit__(self, *_):
        self.site.end()


def under_lie(home, lie, seconds=4, **bounds):
    """The server tells this lie for so many seconds, from the agent's start and again to a running agent; then the node must heal."""
    with besieged(home) as site:
        site.api.lie = lie
        site.start()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert site.healthy(), "the health page does not answer"
            time.sleep(0.2)
        site.installs(1)
        site.api.lie = lie
        site.api.end_watches()
        time.sleep(seconds)
        site.repairs()
        site.installs(2)
        site.bounded(**bounds)


# ---- an API server that lies -----------------------------------------------------------------------------------------------


def attack_watch_of_garbage(home):
    """Fill the watch with lines of random bytes, without end: the agent drops them, stays within its bounds, and heals."""
    line = os.urandom(4096).replace(b"\n", b" ") + b"\n"
    under_lie(home, lambda h: h.watching() and h.stream(lambda _: line, 4))


def attack_watch_without_line_end(home):
    """Send one watch event that never ends: the agent keeps a bounded part of it, and heals."""
    block = b'{"type": "ADDED", "object": {"metadata": {"name": "' + b"x" * 65536
    under_lie(home, lambda h: h.watching() and h.stream(lambda _: block, 4))


def attack_watch_event_of_64_mib(home):
    """Send a valid watch event of 64 MiB: the agent refuses it by size, and heals."""
    event = json.dumps({"type": "ADDED", "object": {"apiVersion": GROUP, "kind": "EdgeUpdate", "metadata": {
        "name": "big", "resourceVersion": "7", "annotations": {"a": "x" * (64 << 20)}}}}).encode() + b"\n"
    under_lie(home, lambda h: h.watching() and h.raw(event))


def attack_watch_flood(home):
    """Send small events for other nodes as fast as the agent reads them: its pages answer, memory and log stay bounded."""
    def event(number):
        return b"".join(json.dumps({"type": "ADDED", "object": {
            "apiVersion": GROUP, "kind": "EdgeUpdate", "metadata": {"name": f"n{number}-{i}", "resourceVersion": str(101 + number * 64 + i)},
            "spec": {"nodeSelector": {"matchLabels": {"who": "other"}}}}}).encode() + b"\n" for i in range(64))
    under_lie(home, lambda h: h.watching() and "edgeupdates" in h.path and h.stream(event, 4))


def attack_bookmark_flood(home):
    """Send bookmarks without end, with versions that go up, down and are no numbers: bounded, and the node heals."""
    versions = ("1", "18446744073709551615", "-1", "x" * 30, "0", "99999999999999999999999", "")

    def event(number):
        return json.dumps({"type": "BOOKMARK", "object": {"kind": "EdgeUpdate", "apiVersion": GROUP, "metadata": {
            "resourceVersion": versions[number % len(versions)], "annotations": {"k8s.io/initial-events-end": "true"}}}}).encode() + b"\n"
    under_lie(home, lambda h: h.watching() and h.stream(event, 4))


def attack_error_events(home):
    """End every watch with ERROR objects of all kinds of codes: the agent backs off, and heals."""
    codes = (410, 500, 0, -1, 2**63 - 1, "410", None, 99999)
    count = [0]

    def lie(handler):
        if not handler.watching():
            return False
        count[0] += 1
        status = {"kind": "Status", "code": codes[count[0] % len(codes)], "message": "\x1b[2J" * 1000,
                  "details": {"retryAfterSeconds": (0, -5, 1)[count[0] % 3]}}
        return handler.raw(json.dumps({"type": "ERROR", "object": status}) + "\n")
    under_lie(home, lie)


def attack_versions_of_the_future(home):
    """Send objects and lists with resourceVersion 2^64-1, then be honest again: the node believes the lower versions of the honest server."""
    def lie(handler):
        huge = str(2**64 - 1)
        if handler.watching():
            return handler.raw(json.dumps({"type": "ADDED", "object": {
                "apiVersion": GROUP, "kind": "EdgeUpdate", "metadata": {"name": "x", "resourceVersion": huge}}}) + "\n")
        if handler.listing() and "edgeupdates" in handler.path:
            page = handler.server.listed("EdgeUpdate", "")
            page["metadata"]["resourceVersion"] = huge
            return handler.say(200, page)
        return False
    under_lie(home, lie)


def attack_versions_that_are_requests(home):
    """Send resourceVersions and continue tokens with line ends and '&watch=': no request of the agent is split or altered."""
    with besieged(home) as site:
        evil = "1&watch=true HTTP/1.1\r\nX-Smuggled: 1\r\n\r\nGET /smuggled"
        odd = []

        def lie(handler):
            odd.extend(name for name in handler.headers if name.lower() == "x-smuggled")
            if handler.listing() and "continue=" not in handler.path and "edgeupdates" in handler.path:
                return handler.say(200, {"kind": "EdgeUpdateList", "apiVersion": GROUP,
                                         "metadata": {"resourceVersion": evil[:60], "continue": evil}, "items": []})
            if handler.watching():
                return handler.say(400, {"kind": "Status", "code": 400})
            return False
        site.api.lie = lie
        site.start()
        wait("the next page", lambda: any("continue=" in path for path in site.api.seen), PATIENCE_S)
        assert not odd and not any("/smuggled" in path.split("?")[0] for path in site.api.seen), site.api.seen[-20:]
        site.installs(1)
        site.bounded()


def attack_gone_for_ever(home):
    """Answer every watch with 410, so that the agent lists again and again: it lists at a bounded rate, and heals."""
    with besieged(home) as site:
        site.api.lie = lambda h: h.watching() and h.say(410, {"kind": "Status", "code": 410, "reason": "Expired"})
        site.start()
        asked = site.requests(10)
        assert asked <= 150, f"{asked} requests in 10 s"
        site.installs(1)
        site.bounded()


def attack_unauthorized_for_ever(home):
    """Answer 401 for ever: the agent asks at a bounded rate, keeps the installed program right without a contact, and heals."""
    with besieged(home) as site:
        site.start()
        site.installs(1)
        site.api.lie = lambda h: h.say(401, {"kind": "Status", "code": 401})
        site.api.end_watches()
        asked = site.requests(10)
        assert asked <= 150, f"{asked} requests in 10 s"
        site.repairs()
        site.bounded()


def attack_retry_after(home):
    """Answer once with a Retry-After of 30 years: the agent comes back within ten minutes."""
    with besieged(home) as site:
        site.api.lie = lambda h: h.say(503, {"kind": "Status", "code": 503}, Retry_After="999999999")
        site.start()
        lines = wait("the refusal in the log", lambda: [one for one in map(json.loads, site.log_lines()) if one.get("event") == "kube.lost" and
                                                        one.get("on") == "busy"], PATIENCE_S)
        late = [one for one in lines if one["delay_ms"] > 600_000]
        assert not late, late[0]
        site.bounded()


def attack_retry_after_in_a_watch(home):
    """End a watch with an ERROR object that asks for a pause of a day: the agent comes back within ten minutes."""
    with besieged(home) as site:
        site.api.lie = lambda h: h.watching() and h.raw(json.dumps({"type": "ERROR", "object": {
            "kind": "Status", "code": 429, "message": "later", "details": {"retryAfterSeconds": 86400}}}) + "\n")
        site.start()
        lines = wait("the refusal in the log", lambda: [one for one in map(json.loads, site.log_lines()) if one.get("event") == "kube.lost" and
                                                        one.get("on") == "busy"], PATIENCE_S)
        late = [one for one in lines if one["delay_ms"] > 600_000]
        assert not late, late[0]
        site.bounded()


def attack_endless_list(home):
    """Answer each list with a page and the token of another one: the agent gives up after a bounded number of pages, and heals."""
    count = [0]

    def lie(handler):
        if handler.watching():
            return handler.say(400, {"kind": "Status", "code": 400})
        if handler.listing() and "edgeupdates" in handler.path:
            count[0] += 1
            return handler.say(200, {"kind": "EdgeUpdateList", "apiVersion": GROUP, "metadata": {"resourceVersion": "200", "continue": str(count[0])},
                                     "items": [{"metadata": {"name": f"n{count[0]}-{i}", "resourceVersion": "150"},
                                                "spec": {"nodeSelector": {"matchLabels": {"a": "b"}}}} for i in range(100)]})
        return False
    under_lie(home, lie)


def attack_list_of_200_mib(home):
    """Answer a list with 200 MiB: the agent stops reading at its bound, and heals."""
    block = b'{"metadata":{"name":"x","annotations":{"a":"' + b"y" * (1 << 20) + b'"}}},'

    def lie(handler):
        if handler.listing() and "edgeupdates" in handler.path:
            return handler.raw(b'{"kind":"EdgeUpdateList","metadata":{"resourceVersion":"9"},"items":[', *[block] * 200)
        return handler.watching() and handler.say(400, {"kind": "Status", "code": 400})
    under_lie(home, lie)


def attack_compressed_bomb(home):
    """Answer with gzip, which unpacks to 1 GiB and was not asked for: the agent does not unpack it, and heals."""
    import gzip  # pylint: disable=import-outside-toplevel
    bomb = gzip.compress(b"\n" * (1 << 26)) * 16

    def lie(handler):
        return handler.command == "GET" and handler.say(200, bomb, Content_Encoding="gzip")
    under_lie(home, lie)


def attack_deep_json(home):
    """Nest 1,000,000 arrays in lists and watch events: the agent refuses them by depth, and does not run out of stack."""
    deep = b"[" * 1_000_000

    def lie(handler):
        if handler.watching():
            return handler.raw(b'{"type":"ADDED","object":' + deep + b"\n")
        return handler.listing() and handler.say(200, b'{"kind":"EdgeUpdateList","items":' + deep)
    under_lie(home, lie)


def attack_header_bomb(home):
    """Answer with 64 MiB of headers, one line of 1 MiB and many short ones: the agent ends the exchange, and heals."""
    def lie(handler):
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * (1 << 20) + b"\r\n")
        for _ in range(64):
            handler.wfile.write(b"X-B: b\r\n" * (1 << 17))
        handler.wfile.write(b"\r\n")
        return True
    under_lie(home, lie)


def attack_slow_answers(home):
    """Send an answer at one byte each second: the agent's pages answer, its connections stay few, and it heals."""
    def lie(handler):
        handler.close_connection = True
        end = time.monotonic() + 15
        while time.monotonic() < end and not handler.server.over:
            handler.wfile.write(b"H")
            time.sleep(1)
        return True
    under_lie(home, lie, fds=60)


def attack_closed_connections(home):
    """Close every connection at once: the agent connects at a bounded rate, and heals."""
    def lie(handler):
        handler.close_connection = True
        return True
    with besieged(home) as site:
        site.api.lie = lie
        site.start()
        asked = site.requests(10)
        assert asked <= 150, f"{asked} requests in 10 s"
        site.installs(1)
        site.bounded()


def attack_token_by_redirect(home):
    """Redirect lists, watches and writes to another server, by TLS and without: the token does not follow, nor do answers count."""
    with besieged(home, tls=True) as site:
        others = [ApiServer(), ApiServer(site.authority.issue("other", -1, 300))]
        taken, followed = [], []

        def take(handler):
            followed.append(handler.path)
            taken.extend(value for value in handler.headers.values() if "secret" in value)
            return False
        for other in others:
            other.lie, other.applied, other.RequestHandlerClass = take, [], LyingHandler
        count = [0]

        def lie(handler):
            count[0] += 1
            code = (301, 302, 307, 308)[count[0] % 4]
            return handler.say(code, b"", Location=others[count[0] // 4 % 2].url + handler.path)
        site.api.lie = lie
        site.start()
        wait("redirects", lambda: count[0] >= 24, PATIENCE_S)
        assert not taken, taken
        site.installs(1)
        for other in others:
            other.end()
        print(f"{count[0]} redirects, {len(followed)} followed without the token")


class Signer:
    """The attacker's answers to certificate requests: each gets a certificate with this subject, whatever it asks for."""

    def __init__(self, site, subject):
        self.authority, self.subject, self.requests = site.authority, subject, {}

    def lie(self, handler):
        folder, _, name = urllib.parse.urlparse(handler.path).path.rpartition("/")
        if handler.command == "POST" and name == "certificatesigningrequests":
            request = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
            self.requests[request["metadata"]["name"]] = request | {"status": {"certificate": self.sign(request)}}
            handler.answer(201, request)
            return True
        if handler.command == "GET" and folder.endswith("/certificatesigningrequests") and name in self.requests:
            handler.answer(200, self.requests[name])
            return True
        return False

    def sign(self, request):
        folder = self.authority.folder
        with open(os.path.join(folder, "asked.csr"), "wb") as file:
            file.write(base64.b64decode(request["spec"]["request"]))
        subject = ["-subj", self.subject] if self.subject else []
        self.authority.openssl("req", "-x509", "-in", "asked.csr", *subject, "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "1", "-addext",
                               "extendedKeyUsage=clientAuth", "-out", "signed.pem")
        with open(os.path.join(folder, "signed.pem"), "rb") as file:
            return base64.b64encode(file.read()).decode()


def under_signer(home, subject):
    """A node that asks this attacker for a certificate: the site, its signer and the folder of the certificate."""
    site = Site(home, tls=True)
    site.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": site.node.name, "uid": "uid-1", "labels": {}}})
    signer = Signer(site, subject and subject.replace("NODE", site.node.name))
    site.api.lie = signer.lie
    folder = site.node.place("certificate")
    site.start("--client-certificate-dir", folder)
    return site, signer, os.path.join(folder, "client.pem")


def attack_certificates_of_others(home):
    """Issue certificates for another node, for an earlier Node of the name, without the Node's uid, and with groups of the attacker's choice: the
    agent uses and stores none of them, and works on with its own credential."""
    for number, subject in enumerate((
            "/O=holdfast:agents/O=holdfast:node-uid:uid-1/CN=holdfast:agent:other", "/O=holdfast:agents/O=holdfast:node-uid:uid-0/CN=holdfast:agent:NODE",
            "/O=holdfast:agents/CN=holdfast:agent:NODE", "/O=holdfast:agents/O=holdfast:node-uid:/CN=holdfast:agent:NODE",
            "/O=holdfast:agents/O=system:masters/CN=holdfast:agent:NODE", "/O=system:masters/O=holdfast:node-uid:uid-1/CN=holdfast:agent:NODE",
            "/O=holdfast:agents/O=holdfast:node-uid:uid-1/O=system:masters/CN=holdfast:agent:NODE")):
        site, _, stored = under_signer(os.path.join(home, str(number)), subject)
        try:
            wait("the agent to refuse the certificate", lambda site=site: any(b"certificate.not_saved" in line for line in site.log_lines()), PATIENCE_S)
            assert not any(b"certificate.used" in line for line in site.log_lines()), subject
            assert not os.path.exists(stored), subject
            site.installs(1)
            site.bounded()
        finally:
            site.end()


def attack_node_of_many_uids(home):
    """Give the Node another uid a hundred times in a second, and sign each request at once: the agent asks for few certificates."""
    site, signer, stored = under_signer(home, None)
    try:
        wait("the certificate", lambda: os.path.exists(stored), PATIENCE_S)
        end, number = time.monotonic() + 12, 1
        while time.monotonic() < end:
            number += 1
            site.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": site.node.name, "uid": f"uid-{number}", "labels": {}}})
            time.sleep(0.01)
        assert any(b"certificate.node_replaced" in line for line in site.log_lines())
        assert len(signer.requests) <= 3, f"{len(signer.requests)} requests for certificates"
        site.installs(1)
        site.bounded()
    finally:
        site.end()


def attack_certificates_by_refusals(home):
    """Sign each request of a node, and answer 401 to each certificate as soon as it is used: the agent asks for few certificates."""
    site, signer, stored = under_signer(home, None)
    refused = []

    def lie(handler):
        if "Authorization" in handler.headers:     # the credential of its kubeconfig, not the certificate
            return signer.lie(handler)
        refused.append(handler.path)
        handler.answer(401, {"kind": "Status", "code": 401, "message": "Unauthorized"})
        return True
    try:
        wait("the certificate", lambda: os.path.exists(stored), PATIENCE_S)
        site.api.lie = lie
        site.api.end_watches()
        wait("refused certificates", lambda: refused, PATIENCE_S)
        time.sleep(25)
        assert len(signer.requests) <= 2, f"{len(signer.requests)} requests for certificates"
        site.api.lie = signer.lie
        site.installs(1)
        site.bounded()
    finally:
        site.end()


def attack_redirect_to_a_file(home):
    """Redirect the agent to file:///etc/shadow, gopher: and the node's own pages: it follows none of them."""
    with besieged(home) as site:
        urls = ["file:///etc/shadow", "gopher://127.0.0.1:1/x", f"http://127.0.0.1:{site.health_port}/healthz", "dict://127.0.0.1:11211/stat"]
        count = [0]

        def lie(handler):
            count[0] += 1
            return handler.say(302, b"", Location=urls[count[0] % len(urls)])
        site.api.lie = lie
        site.start()
        wait("redirects", lambda: count[0] >= 12, PATIENCE_S)
        log = b"\n".join(site.log_lines())
        assert b"root:" not in log
        site.installs(1)
        site.bounded()


def attack_refused_writes(home):
    """Answer each status with 409, garbage, 5 MiB and a status of the attacker's own: bounded writes, and the report comes in the end."""
    count = [0]

    def lie(handler):
        if handler.command != "PATCH":
            return False
        count[0] += 1
        answers = [(409, {"kind": "Status"}), (200, b"\x00" * 5000), (200, b'"' + b"x" * (5 << 20) + b'"'), (422, {"message": "\x1b[31m\n" * 99}),
                   (200, {"kind": "EdgeNode", "metadata": {"name": "node-1"}, "status": {"sequence": 2**63 - 1}})]
        return handler.say(*answers[count[0] % len(answers)])
    with besieged(home) as site:
        site.api.lie = lie
        site.start()
        site.put(site.update(1))
        asked = site.requests(8, "PATCH")
        assert asked <= 60, f"{asked} writes in 8 s"
        site.installs(2)
        site.bounded()


def attack_status_of_the_attackers_own(home):
    """Write the node's EdgeNode: sequence 2^63-1, turns, holds, phases: the agent takes no order from it, and its report comes back."""
    with besieged(home) as site:
        site.start()
        site.installs(1)
        for sequence in (2**63 - 1, -1, 2**53, "x", None, 1e308):
            site.put({"apiVersion": GROUP, "kind": "EdgeNode", "metadata": {"name": site.node.name, "finalizers": ["x/y"]}, "spec": {"turn": 1, "hold": True},
                      "status": {"sequence": sequence, "observedTime": "9999-12-31T23:59:59Z", "turns": [{"granted": True}] * 99,
                                 "updates": [{"name": "app", "phase": "Rejected", "sequence": 9}]}})
            time.sleep(0.3)
        site.installs(2)
        row = wait("the agent's own report", lambda: site.row() if site.row().get("phase") == "Committed" else None, PATIENCE_S)
        assert row["installedVersion"] == "2.0", row
        site.bounded()


def attack_everything_deleted(home):
    """Delete every object of the cluster: what is installed stays, and the next signed release comes."""
    with besieged(home) as site:
        site.start()
        site.installs(1)
        with site.api.changed:
            for key in [key for key in site.api.objects if key[0] in ("EdgeUpdate", "SyncPolicy", "Node", "EdgeNode")]:
                item = site.api.objects.pop(key)
                site.api.version += 1
                site.api.history.append((site.api.version, "DELETED", {**item, "metadata": {**item["metadata"], "resourceVersion": str(site.api.version)}}))
            site.api.changed.notify_all()
        time.sleep(2)
        assert sha256(site.target) == sha256(site.program)
        site.installs(2)
        site.bounded()


# ---- objects with hostile values -------------------------------------------------------------------------------------------


def unsigned(name, release=None, **spec):
    """An EdgeUpdate that nobody signed."""
    return {"apiVersion": GROUP, "kind": "EdgeUpdate", "metadata": {"name": name}, "spec": {"release": release or {
        "name": name, "version": "9", "sequence": 9, "expires": "2099-01-01T00:00:00Z", "install": {"path": "/etc/passwd"},
        "artifacts": [{"arch": "amd64", "url": "http://127.0.0.1:1/x", "sha256": "0" * 64, "size": 1}]}, **spec}}


def attack_10000_updates(home):
    """Send 10,000 EdgeUpdates that all select the node: the agent refuses those above its bound by name, and goes on healing."""
    with besieged(home) as site:
        site.start()
        site.installs(1)
        with site.api.changed:
            for number in range(10_000):
                site.put(unsigned(f"flood-{number}"))
        wait("the refusal", lambda: site.metric("holdfast_objects_no_room") >= 1, PATIENCE_S)
        site.repairs()
        assert site.healthy() and b"no room for" in b"".join(site.log_lines())
        site.bounded(rss_mib=LIMIT_MIB)
        assert tree_bytes(site.node.place("state")) < 32 << 20


def file_bytes(path):
    try:
        return os.lstat(path).st_blocks * 512
    except FileNotFoundError:                  # replaced meanwhile
        return 0


def tree_bytes(folder):
    return sum(file_bytes(os.path.join(where, name)) for where, _, names in os.walk(folder) for name in names)


def attack_objects_of_1_mib(home):
    """Send 40 objects of 1.4 MiB, in annotations and unknown fields: what does not fit is refused by name, and the next release comes."""
    with besieged(home) as site:
        site.start()
        for number in range(40):
            item = unsigned(f"big-{number}", junk=["x" * 1000] * 700)
            item["metadata"]["annotations"] = {f"a{i}": "y" * 1000 for i in range(700)}
            site.put(item)
            site.policy({"junk": "z" * (1 << 20)}, name=f"policy-{number}", priority=-number)
        site.installs(1)
        site.repairs()
        site.bounded(rss_mib=LIMIT_MIB)
        assert tree_bytes(site.node.place("state")) < 32 << 20


def unreadable(site, prefix):
    """Objects that no node can parse: nested too deeply, or with U+0000; kept by the server, because the CRDs keep unknown fields."""
    deep = {}
    for _ in range(400):
        deep = {"a": deep}
    site.put(unsigned(prefix + "deep", deep=deep))
    site.put(unsigned(prefix + "deeper", release={"name": "deeper", "version": "1", "sequence": 1, "install": deep}))
    site.put(unsigned(prefix + "zero", release={"name": "zero", "version": "1\0", "sequence": 1}))
    for number in range(40):
        site.put(unsigned(f"{prefix}zero-{number}", zero="\0"))
    site.policy({"telemetry": deep}, name=prefix + "deep", priority=9)
    site.policy({"interval": "\0"}, name=prefix + "zero", priority=9)


def attack_deep_objects(home):
    """Nest 400 levels, and put U+0000, into unknown fields of objects: in lists and in watches each is refused alone, and releases come."""
    with besieged(home) as site:
        unreadable(site, "listed-")
        site.start()  # without a cache: the node lists these objects
        site.installs(1)
        wait("the reason in the status", lambda: site.row("listed-deep").get("reason") == "ObjectRefused", PATIENCE_S)
        refused = {event.get("name") for event in map(json.loads, site.log_lines()) if event["event"] == "object.refused"}
        assert {"listed-deep", "listed-deeper", "listed-zero"} <= refused, refused
        unreadable(site, "watched-")
        site.installs(2)
        wait("the end of the reason", lambda: drop(site, "listed-deep") and not site.row("listed-deep"), PATIENCE_S)
        assert not any(json.loads(line)["event"] == "kube.lost" for line in site.log_lines()[:-1] if b"nested" in line)
        site.repairs()
        site.bounded()


def drop(site, name):
    """Delete an EdgeUpdate, if it is still there."""
    with site.api.changed:
        item = site.api.objects.pop(("EdgeUpdate", name), None)
        if item:
            site.api.version += 1
            site.api.history.append((site.api.version, "DELETED", {**item, "metadata": {**item["metadata"], "resourceVersion": str(site.api.version)}}))
            site.api.changed.notify_all()
    return True


def attack_names(home):
    """Give objects and releases names with dots, slashes, line ends and terminal escapes: no path, log line or terminal suffers."""
    names = ["../../../../escape", "a/b", "/escape", "x\n{\"level\":\"error\",\"event\":\"forged\"}", "\x1b]0;owned\x07\x1b[2J", "a" * 5000, ".", "..", "%2e%2e",
             "\u202egnp", "caf\u00e9", "-rf", "\u009b31m", "agent.lock", "journal", "zero\0byte"]

    def publish(site, suffix):
        for index, name in enumerate(names):
            site.put(unsigned(name + suffix))
            site.put(unsigned(f"release-{index}{suffix}", release={**unsigned(name)["spec"]["release"], "version": name}))
            site.policy({"interval": name, "telemetry": {"sink": {"url": name}, "sources": {"files": [{"path": name}]}}}, name=name + suffix, priority=-5)

    with besieged(home) as site:
        before = {os.path.join(folder, one) for folder, _, found in os.walk(site.home) for one in found}
        publish(site, "")
        site.start()  # without a cache: the node lists these objects
        site.installs(1)
        publish(site, "-again")
        time.sleep(3)
        site.installs(2)
        printable(site)
        new = {os.path.join(folder, one) for folder, _, found in os.walk(site.home) for one in found} - before
        assert not [path for path in new if "escape" in path and not path.startswith(site.node.place("state", "cache"))], new
        assert not os.path.exists("/escape")
        site.bounded()


def printable(site):
    """Every log line is JSON of known form, and `holdfast status` prints no control characters."""
    for line in site.log_lines():
        event = json.loads(line)
        assert event["event"] != "forged" and "time" in event, line
    assert not any(byte < 0x20 and byte != 0x0a or byte == 0x7f for byte in open(site.node.place("agent.log"), "rb").read())
    for words in ((), ("--help",)):
        text = site.node.holdfast("status", "--state-dir", site.node.place("state"), "--run-dir", site.node.place("run"), *words, good=False)
        bad = [c for c in text if (ord(c) < 32 and c not in "\n\t") or 0x7f <= ord(c) < 0xa0 or c in "\u202e\u2028\u2029"]
        assert not bad, (words, bad, text)


def attack_terminal_escapes_in_messages(home):
    """Put terminal escapes into every text of an update that the status shows: `holdfast status` prints none of them."""
    evil = "\x1b]52;c;cm0gLXJm\x07\x1b[2J\u009b31m\u202e"
    with besieged(home) as site:
        site.start()
        item = unsigned("show", windows=[{"start": evil, "duration": evil, "timeZone": evil}], bandwidthLimit=evil, nodeSelector={"matchLabels": {evil: evil}})
        site.put(item)
        site.put(unsigned("show-2", release={"name": evil, "version": evil, "sequence": evil, "expires": evil, "install": {"path": evil, "mode": evil},
                                             "artifacts": [{"arch": evil, "url": evil, "sha256": evil, "size": evil}]}))
        site.put(unsigned("show-3", release={"name": "show-3", "version": "1", "sequence": 3, "install": {"path": "/opt/" + evil}, "expires": "2099-01-01T00:00:00Z",
                                             "artifacts": [{"arch": "amd64", "url": "https://h/" + evil, "sha256": "0" * 64, "size": 9}]}))
        site.policy({"labels": {"static": {"edge.codcompass.io/" + evil: evil}}, "interval": evil}, name="evil", priority=9)
        wait("verdicts", lambda: len(site.status().get("conditions", [])) and b"show-3" in b"".join(site.log_lines()), PATIENCE_S)
        time.sleep(2)
        printable(site)
        site.bounded()


def attack_same_release_name(home):
    """Send an unsigned EdgeUpdate for the same release name with sequence 2^53-1: the status names it, and the node goes on with the signed one: it repairs, and installs the next."""
    with besieged(home) as site:
        site.start()
        site.installs(1)
        item = unsigned("evil")
        item["spec"]["release"].update(name="app", sequence=2**53 - 1, install={"path": site.target})
        site.put(item)
        wait("the refusal", lambda: "Unsigned" in json.dumps(site.status()), PATIENCE_S)
        assert "evil" in json.dumps(site.status()["conditions"]), site.status()["conditions"]
        assert site.row()["phase"] == "Committed" and sha256(site.target) == sha256(site.program)
        site.repairs()
        site.installs(2)
        site.bounded()


def attack_fields_beside_the_release(home):
    """Add artifacts, install, hooks and annotations beside and around a signed release: they change nothing of what runs."""
    with besieged(home) as site:
        ran = os.path.join(site.home, "ran")
        hook = {"exec": ["/bin/sh", "-c", f"touch {ran}"]}
        site.start()
        extra = {"install": {"path": "/etc/holdfast-owned", "restart": hook}, "artifacts": [{"arch": "amd64", "url": "file:///bin/sh"}], "hooks": [hook], "health": {"checks": [hook]},
                 "restart": hook, "exec": hook["exec"], "trust": {"threshold": 0}, "keys": ["k"], "insecure": True, "template": {"spec": hook}}
        item = site.update(1, **extra)
        item["metadata"]["annotations"] = {"edge.codcompass.io/restart": f"touch {ran}", "edge.codcompass.io/skip-verify": "true"}
        item["install"] = extra["install"]
        site.put(item)
        site.ends("Committed", sequence=1)
        assert sha256(site.target) == sha256(site.program) and not os.path.exists(ran) and not os.path.exists("/etc/holdfast-owned")
        site.installs(2)
        site.bounded()


def attack_fields_inside_the_release(home):
    """Add any field inside the signed release, down to its artifacts and checks: SignatureInvalid, and the old version stays."""
    with besieged(home) as site:
        site.start()
        site.installs(1)
        old = sha256(site.target)
        site.write("program", b"#!/bin/false\n" * 99)
        for index, (path, value) in enumerate((((), {"x": 1}), (("install",), {"mode": "4777"}), (("artifacts", 0), {"x": True}), ((), {"downgradeFrom": [1]}),
                                               ((), {"health": {"checks": []}}), ((), {"sequence": 99}))):
            item = site.update(10 + index)
            place = item["spec"]["release"]
            for step in path:
                place = place[step]
            place.update(value)
            site.put(item)
            row = site.ends("Rejected", "Committed", sequence=item["spec"]["release"]["sequence"])
            assert row["phase"] == "Rejected" and sha256(site.target) == old, (value, row)
        site.installs(30)
        site.bounded()


def attack_selectors(home):
    """Send nodeSelectors of 20,000 labels, of wrong types and with hostile keys: each is refused by name, and the next release comes."""
    with besieged(home) as site:
        site.start()
        selectors = [{"matchLabels": {f"k{i}": "v" for i in range(20_000)}}, {"matchLabels": []}, {"matchExpressions": [{"key": "a", "operator": "In"}] * 5000},
                     [], "x", {"matchLabels": {"../a": "\n"}}, {"matchExpressions": [{"key": None, "operator": {}, "values": "x"}]}, {"matchLabels": {"a": {"b": "c"}}}]
        for index, selector in enumerate(selectors):
            site.put(unsigned(f"selector-{index}", nodeSelector=selector))
            site.put({"apiVersion": GROUP, "kind": "SyncPolicy", "metadata": {"name": f"selector-{index}"}, "spec": {"nodeSelector": selector, "priority": 99, "interval": "24h"}})
        site.installs(1)
        site.repairs()
        site.bounded()


def hostile_field(home, specs, seconds=2):
    """Each of these fields beside a signed release is refused by name, delays it, or counts for nothing; afterwards, the release comes."""
    with besieged(home) as site:
        site.start()
        for index, spec in enumerate(specs):
            site.put(site.update(index + 1, **spec))
            time.sleep(seconds)
            assert site.healthy(), spec
            print(spec if len(str(spec)) < 200 else list(spec), site.row(), site.condition("Ready").get("message", "")[:200])
        printable(site)
        site.installs(len(specs) + 1)
        site.bounded()


def attack_windows(home):
    """Send windows that never open, 50,000 of them, with paths as time zones: the release waits or is refused by name, and comes later."""
    one = {"start": "03:00", "duration": "1m", "days": ["Mon"]}
    hostile_field(home, [{"windows": [one] * 50_000}, {"windows": [{**one, "timeZone": "../../../../dev/zero"}]}, {"windows": [{**one, "timeZone": "/dev/random"}]},
                         {"windows": [{**one, "start": "99:99"}]}, {"windows": [{**one, "duration": "1000000h"}]}, {"windows": [{**one, "days": ["Mon"] * 9999}]},
                         {"windows": [{**one, "duration": "0s"}]}, {"windows": "x"}, {"windows": [None] * 99}, {"windows": []}])


def attack_bandwidth_limits(home):
    """Limit the bandwidth to 0, -1, 1, 10^300, text and 1Ei bytes: refused by name or slow, and the release comes when the limit goes."""
    hostile_field(home, [{"bandwidthLimit": value} for value in (0, -1, 1, 1e300, "1Ei", "99999999999999999999Gi", "x", "", [], 2**63)], 1)


def attack_strategies(home):
    """Send strategies and admissions with cutoffs of -1, 2^63 and no numbers: refused by name or a delay, and the release comes later."""
    values = (-1, 2**63, 1e9, "all", [], {}, None)
    hostile_field(home, [{"strategy": {"waves": value, "canary": value, "maxUnavailable": value}} for value in values] + [{"strategy": {"waves": [{"percent": 0}] * 9999}}], 1)


def attack_suspend(home):
    """Suspend a release for ever: the status says so, the node goes on repairing the one before, and the next release comes."""
    with besieged(home) as site:
        site.start()
        site.installs(1)
        site.write("program", b"two")
        site.put(site.update(2, suspend=True))
        wait("the word Suspended", lambda: "uspended" in json.dumps(site.status()), PATIENCE_S)
        assert site.row()["installedVersion"] == "1.0"
        site.repairs()
        wait("the word Suspended again", lambda: site.row().get("reason") == "Suspended", PATIENCE_S)
        site.installs(3)


# ---- policies with hostile values ------------------------------------------------------------------------------------------


class Sink(http.server.ThreadingHTTPServer):
    """The attacker's receiver of telemetry: `reply(handler)` answers, and counts what comes."""
    daemon_threads = True

    def __init__(self, reply=None):
        class SinkHandler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.server.taken.append((self.path, list(self.headers.items()), body))
                if reply is not None:
                    reply(self)
                else:
                    self.done(200)

            do_GET = do_POST

            def done(self, code, body=b"", **headers):
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), SinkHandler)
        self.taken = []
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        pass  # agents disconnect


def telemetry(receiver, **more):
    return {"buffer": {"maxBytes": "16Mi"}, "batch": {"timeout": "100ms", "compression": "none"}, "retry": {"base": "10ms"},
            "sources": {"http": True}, "sink": {"url": receiver.url + "/take", "format": "ndjson"}, **more}


def post(site, body, kind="application/json"):
    """POST /ingest; the status, or 0 without an answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{site.ingest_port}/ingest", body if isinstance(body, bytes) else body.encode(), {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0


def attack_policy_that_flips(home):
    """Replace the policy every 50 ms, with other sources, sinks and sizes each time: memory, descriptors and disk stay bounded."""
    with besieged(home) as site:
        sinks = [Sink(), Sink()]
        site.start()
        end, number = time.monotonic() + 12, 0
        while time.monotonic() < end:
            number += 1
            more = {"filter": {"minSeverity": ("info", "error")[number % 2]}, "aggregate": {"window": f"{1 + number % 9}s"},
                    "sink": {"url": f"{sinks[number % 2].url}/{number}", "format": ("json", "ndjson", "otlp")[number % 3]}}
            site.policy({"interval": f"{10 + number % 7}s", "telemetry": telemetry(sinks[0], **more) if number % 5 else None}, priority=1)
            time.sleep(0.05)
        assert site.healthy()
        site.installs(1)
        site.bounded(cpu_s=30)
        assert tree_bytes(site.node.place("storage")) < 32 << 20
        print(f"{number} policies, {site.meter.written_bytes() >> 20} MiB written, {tree_bytes(site.node.place('storage')) >> 10} KiB spool")


def attack_1000_policies(home):
    """Send 1,000 policies that contradict each other: the first name goes first, what was in effect stays, PolicyConflict says so, and memory stays bounded."""
    with besieged(home) as site:
        site.start()
        with site.api.changed:
            for number in range(1000):
                site.policy({"interval": f"{10 + number % 50}s", "staleOk": {"window": "1m", "onExpiry": ("Hold", "Continue")[number % 2]}}, name=f"p{number:04}", priority=7)
        site.installs(1)
        wait("the first name of the highest priority", lambda: site.status().get("policy", {}).get("name") == "p0000", PATIENCE_S)
        wait("the conflict", lambda: any(row["type"] == "PolicyConflict" and "of the same priority differ" in row["message"]
                                         for row in site.status().get("conditions", [])), PATIENCE_S)
        wait("as many policies as a status names", lambda: len(site.status()["policy"]["policies"]) == 16, PATIENCE_S)
        site.repairs()
        site.bounded()


def attack_intervals(home):
    """Set intervals, windows and timeouts to 0, -1, 10^18 hours and 10^400: the field is refused by name, and drift is still repaired."""
    with besieged(home) as site:
        site.start()
        site.installs(1)
        for field in ("interval", "retryInterval", "timeout", "staleOk", "clock"):
            for value in ("0s", "-1s", "1000000000000000000h", "9" * 400 + "s", 5, None, "1ns"):
                site.policy({field: {"window": value, "maxSkew": value, "onExpiry": value} if field in ("staleOk", "clock") else value}, name="fast")
                time.sleep(0.1)
        assert site.healthy()
        site.repairs()
        site.policy({})
        site.installs(2)
        site.bounded(cpu_s=10)


def attack_sinks_of_new_names(home):
    """Name four new sinks in each of 100 policies: the folders and the series that the old sinks leave stay bounded."""
    with besieged(home) as site:
        sink = Sink()
        site.start()
        for number in range(100):
            value = telemetry(sink)
            del value["sink"]
            value["sinks"] = [{"name": f"s{number}-{i}", "url": sink.url, "format": "ndjson"} for i in range(4)]
            site.policy({"telemetry": value}, priority=1)
            time.sleep(0.1)
        storage = site.node.place("storage")
        wait("the sinks of the last policy", lambda: os.path.isdir(os.path.join(storage, "s99-0")), PATIENCE_S)
        with urllib.request.urlopen(f"http://127.0.0.1:{site.node.metrics_port}/metrics", timeout=10) as answer:
            size = len(answer.read())
        names = [name for name in os.listdir(storage) if os.path.isdir(os.path.join(storage, name))]
        print(f"/metrics has {size} bytes, the storage folder {len(names)} folders, {tree_bytes(storage) >> 10} KiB")
        assert size < 1 << 20 and len(names) <= 4 + 16 + 1 and tree_bytes(storage) < 17 << 20
        site.installs(1)
        site.bounded()


def attack_events_of_former_sinks(home):
    """Have events wait for sinks that do not answer, and name new sinks in each of 40 policies: what waits stays below buffer.maxBytes."""
    with besieged(home) as site:
        sink = Sink(lambda handler: handler.done(503))
        site.start()
        for number in range(40):
            value = telemetry(sink, buffer={"maxBytes": "16Mi", "whenFull": "DropOldest"})
            del value["sink"]
            value["sinks"] = [{"name": f"s{number}-{i}", "url": sink.url, "format": "ndjson"} for i in range(4)]
            site.policy({"telemetry": value}, priority=1)
            storage = site.node.place("storage")
            wait("the sinks of the policy", lambda n=number: os.path.isdir(os.path.join(storage, f"s{n}-3", "bulk")), PATIENCE_S)
            body = json.dumps([{"id": f"e{number}-{i}", "sensorData": "x" * 4000} for i in range(200)])
            wait("the agent to take events", lambda b=body: post(site, b) in (200, 202), PATIENCE_S)
        used = tree_bytes(storage)
        dropped = sum(b'"telemetry.former_dropped"' in line for line in site.log_lines())
        print(f"{used >> 10} KiB of 16384, {len(os.listdir(storage))} folders, {dropped} dropped")
        assert used < 17 << 20 and dropped > 0 and site.metric("holdfast_telemetry_former_dropped_events_total") > 0
        site.installs(1)


def attack_foreign_labels(home):
    """Ask for labels of other owners, by static labels and odd keys: the agent applies none outside edge.codcompass.io/."""
    keys = ["node-role.kubernetes.io/control-plane", "kubernetes.io/hostname", "edge.codcompass.io.evil/x", "edge.codcompass.io/../kubernetes.io/x", "EDGE.codcompass.io/x",
            "edge.codcompass.io/a\nb", "edge.codcompass.io//x", "edge.codcompass.io/", "x"]
    with besieged(home) as site:
        site.start()
        for number, key in enumerate(keys):
            site.policy({"labels": {"static": {key: "x", "edge.codcompass.io/honest": str(number)}}})
            time.sleep(0.3)
        site.policy({"labels": {"static": {"edge.codcompass.io/honest": "last", "edge.codcompass.io/bad": "a\nb"}}})
        time.sleep(0.3)
        site.policy({"labels": {"static": {"edge.codcompass.io/honest": "true"}}})
        wait("an honest label", lambda: any(one.get("edge.codcompass.io/honest") == "true" for one in site.api.applied), PATIENCE_S)
        seen = {key for labels in site.api.applied for key in labels}
        assert all(key.startswith("edge.codcompass.io/") and key.count("/") == 1 and "\n" not in key for key in seen), seen
        assert not any("\n" in value for labels in site.api.applied for value in labels.values())
        site.installs(1)


class Ghosts:
    """A server with server-side apply: what `thief` wrote into the node's status stays under every apply of the agent, until the status is
    emptied as a whole."""

    def __init__(self, site):
        self.site, self.ghost, self.applies, self.empties = site, None, 0, 0
        site.api.lie = self.serve

    def haunt(self):
        self.ghost = {"hold": {"reason": "thief"}, "updates": [{"name": "ghost", "phase": "Committed", "version": "6.6.6"}]}

    def serve(self, handler):
        name = self.site.node.name
        if handler.command != "PATCH" or urllib.parse.urlparse(handler.path).path != f"/apis/{GROUP}/edgenodes/{name}/status":
            return False
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        item = copy.deepcopy(self.site.api.objects["EdgeNode", name])
        if handler.headers["Content-Type"] == "application/merge-patch+json":
            assert body == {"status": None}, body
            self.ghost, self.empties = None, self.empties + 1
            item.pop("status", None)
        else:
            self.applies += 1
            item["status"] = body["status"] | ({} if self.ghost is None else {
                "hold": self.ghost["hold"], "updates": body["status"].get("updates", []) + self.ghost["updates"]})
        item["metadata"]["managedFields"] = [{"manager": who, "operation": "Apply", "subresource": "status"}
                                             for who in ("holdfast-agent", "thief")[:2 if self.ghost else 1]]
        self.site.api.put(item)
        handler.answer(200, item)
        return True


def attack_ghosts_in_the_status(home):
    """Write a hold and an update into the node's status that the agent's applies leave in place: its next report ends them."""
    with besieged(home) as site:
        ghosts = Ghosts(site)
        site.start()
        wait("a report", lambda: ghosts.applies > 0, PATIENCE_S)
        ghosts.haunt()
        site.put(site.update())
        site.ends("Committed", sequence=1)
        wait("the end of the ghosts", lambda: "hold" not in site.status() and site.row("ghost") == {} and site.row() != {}, PATIENCE_S)
        assert ghosts.empties == 1, ghosts.empties
        site.bounded()


def attack_ghosts_that_come_back(home):
    """Write ghosts into the status again after each report: the agent empties it once in ten minutes, and reports at its usual rate."""
    with besieged(home) as site:
        ghosts = Ghosts(site)
        site.start()
        for sequence in range(1, 4):
            ghosts.haunt()
            site.write("program", b"#!/bin/true\n# version %d\n" % sequence * 64)
            site.put(site.update(sequence))
            site.ends("Committed", sequence=sequence)
        assert ghosts.empties <= 1 and ghosts.applies <= 40, (ghosts.empties, ghosts.applies)
        site.bounded()


def attack_headers_by_line_end(home):
    """Put CR LF into sink and scrape URLs, labels of enrichment and boundaries: no request of the agent has a header of the attacker."""
    with besieged(home) as site:
        sink = Sink()
        evil = "x\r\nX-Evil: 1\r\n\r\nPOST /evil HTTP/1.1\r\n"
        site.start()
        for more in ({"sink": {"url": f"{sink.url}/{evil}", "format": "ndjson"}}, {"sink": {"url": sink.url, "format": evil}}, {"boundary": evil},
                     {"enrich": {"attributes": {evil: evil}}}, {"sources": {"http": True, "scrape": [{"url": f"{sink.url}/{evil}", "period": "1s"}]}}):
            site.policy({"telemetry": telemetry(sink, **more)})
            time.sleep(0.5)
            post(site, '{"sensorData": 1}')
            time.sleep(0.5)
        site.policy({"telemetry": telemetry(sink)})
        wait("honest telemetry", lambda: post(site, '{"sensorData": "honest"}') and any(b"honest" in body for _, _, body in sink.taken), PATIENCE_S)
        bad = [one for one in sink.taken if "evil" in one[0].lower() and "%0d" not in one[0].lower() or any("evil" in name.lower() for name, _ in one[1])]
        assert not bad, bad
        site.installs(1)


def attack_hammering_a_sink(home):
    """Have nodes hammer a server: base 10ms, 100 attempts, answers 500: the requests of one node stay few."""
    with besieged(home) as site:
        sink = Sink(lambda handler: handler.done(500))
        site.start()
        site.policy({"telemetry": telemetry(sink, retry={"base": "10ms", "maxAttempts": 100, "maxDuration": "24h"})})
        wait("a place for telemetry", lambda: post(site, '{"sensorData": 1}') in (200, 202), PATIENCE_S)
        before = len(sink.taken)
        for number in range(100):
            post(site, json.dumps({"sensorData": number}))
            time.sleep(0.1)
        asked = len(sink.taken) - before
        assert asked <= 300, f"{asked} requests in about 10 s"
        print(f"{asked} requests in about 10 s")
        site.bounded()


def attack_sink_that_answers_badly(home):
    """Answer telemetry with 256 MiB of body, a redirect to another server, and deep JSON: bounded, and no data goes elsewhere."""
    other = Sink()
    count = [0]

    def reply(handler):
        count[0] += 1
        if count[0] % 3 == 0:
            handler.done(307, Location=other.url + "/stolen")
        elif count[0] % 3 == 1:
            handler.close_connection = True
            handler.send_response(400)
            handler.end_headers()
            for _ in range(256):
                handler.wfile.write(b"\x1b[2J" * (1 << 18))
        else:
            handler.done(200, b"[" * 100_000, Content_Type="application/json")
    with besieged(home) as site:
        sink = Sink(reply)
        site.start()
        site.policy({"telemetry": telemetry(sink)})
        end = time.monotonic() + 8
        while time.monotonic() < end:
            post(site, '{"sensorData": "secret"}')
            time.sleep(0.1)
        assert count[0] >= 2 and site.healthy()
        printable(site)
        assert not other.taken, "data went to another server"
        site.installs(1)
        site.bounded()


def attack_series_without_end(home):
    """Allow 100,000 series with 32 rules over each and post 100,000 names: the agent's memory stays below the pod's limit."""
    with besieged(home) as site:
        sink = Sink()
        rules = [{"name": f"r{i}", "metric": "*", "zScore": {"window": "24h"}, "context": {"before": 64, "after": 64}} for i in range(32)]
        site.start()
        site.policy({"telemetry": telemetry(sink, aggregate={"window": "1h", "maxSeries": 100_000, "topK": 100, "top": [{"attribute": f"a{i}"} for i in range(8)]}, anomalies=rules)})
        wait("a place for telemetry", lambda: post(site, '{"sensorData": 1}') in (200, 202), PATIENCE_S)
        made = 0
        for block in range(100):
            made += post(site, json.dumps({"sensorData": {f"name-{block}-{i}": i for i in range(1000)}})) == 202
            made += post(site, json.dumps([{"time": "2026-11-22T18:00:00Z", "source": "x", "severity": "info", "kind": "metric", "type": "gauge",
                                            "name": f"m-{block}-{i}", "value": i, "attributes": {f"a{k}": f"{block}-{i}-{k}" for k in range(8)}} for i in range(1000)])) == 202
        print(f"{made} of 200 posts taken, {len(sink.taken)} batches sent")
        assert made >= 150 and site.healthy()
        site.installs(1)
        site.bounded(rss_mib=LIMIT_MIB)


def attack_findings_dropped(home):
    """Drop and sample away every event by policy: what the agent itself found wrong stays in its status and on /metrics."""
    with besieged(home) as site:
        sink = Sink()
        site.start()
        site.policy({"telemetry": telemetry(sink, filter={"minSeverity": "emergency", "drop": [{"match": {"source": "*"}}, {"match": {"name": "*"}}, {"match": {"contains": " "}}],
                                                          "sample": [{"keep": 0}], "rateLimit": [{"perSecond": 1}]})})
        site.put(unsigned("evil"))
        wait("the reason in the status", lambda: site.row("evil").get("reason") == "Unsigned", PATIENCE_S)
        wait("the count on /metrics", lambda: site.metric("holdfast_update_outcomes_total") >= 1, PATIENCE_S)
        site.installs(1)


def attack_scrape_without_end(home):
    """Scrape a page of 1 GiB and of 200,000 series each second: the agent reads a bounded part, and stays within its memory."""
    def reply(handler):
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("Content-Type", "text/plain")
        handler.end_headers()
        for block in range(2000):
            handler.wfile.write("".join(f'm{{a="{block}-{i}"}} 1\n' for i in range(100)).encode())
        for _ in range(1 << 10):
            handler.wfile.write(b"x" * (1 << 20))
    with besieged(home) as site:
        sink, page = Sink(), Sink(reply)
        site.start()
        site.policy({"telemetry": telemetry(sink, sources={"http": True, "scrape": [{"url": f"{page.url}/{i}", "period": "1s"} for i in range(16)]})})
        wait("scrapes", lambda: len(page.taken) >= 16, PATIENCE_S)
        time.sleep(4)
        assert site.healthy()
        site.installs(1)
        site.bounded(rss_mib=LIMIT_MIB)


def attack_broker_message_of_256_mib(home):
    """Answer as an MQTT broker with a message of 256 MiB, and with garbage: the agent ends the connection, and its memory stays bounded."""
    listener = socket.create_server(("127.0.0.1", 0))
    count = [0]

    def broker():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            count[0] += 1
            try:
                with peer:
                    peer.recv(4096)
                    peer.sendall(b"\x20\x02\x00\x00")
                    peer.recv(4096)
                    peer.sendall(b"\x90\x03\x00\x01\x00")
                    peer.sendall(os.urandom(999) if count[0] % 2 == 0 else b"\x30\xff\xff\xff\x7f\x00\x01a" + b"x" * (1 << 27))
            except OSError:
                pass
    threading.Thread(target=broker, daemon=True).start()
    with besieged(home) as site:
        sink = Sink()
        site.start()
        site.policy({"telemetry": telemetry(sink, sources={"mqtt": {"host": "127.0.0.1", "port": listener.getsockname()[1], "topics": ["#"]}})})
        wait("connections to the broker", lambda: count[0] >= 2, PATIENCE_S)
        time.sleep(5)
        assert count[0] < 60 and site.healthy()
        site.installs(1)
        site.bounded()
        listener.close()


def attack_sink_paths(home):
    """Name sinks with dots and slashes: the node writes nothing outside its storage folder."""
    with besieged(home) as site:
        sink = Sink()
        site.start()
        for name in ("..", ".", "/etc", "a/../../b", "", "A\n", "x" * 300, "dead", "storage.lock"):
            value = telemetry(sink)
            del value["sink"]
            value["sinks"] = [{"name": name, "url": sink.url, "format": "ndjson"}]
            site.policy({"telemetry": value})
            time.sleep(0.3)
        printable(site)
        made = {os.path.relpath(os.path.join(folder, one), site.node.home).split("/")[0] for folder, dirs, files in os.walk(site.node.home)
                for one in dirs + files if one in ("bulk", "urgent")}
        assert made <= {"storage"} and not os.path.exists("/etc/bulk"), made
        site.installs(1)
        site.bounded()


def attack_contact_withheld(home):
    """Withhold the contact longer than the shortest staleOk.window: nothing new starts, the node goes on repairing, and the next contact heals all."""
    with besieged(home) as site:
        site.start()
        site.installs(1)
        site.policy({"staleOk": {"window": "1m", "onExpiry": "Hold"}})
        wait("the policy", lambda: any(json.loads(line).get("event") == "policy.chosen" for line in site.log_lines()), PATIENCE_S)
        time.sleep(1)
        site.api.lie = lambda h: h.say(500, {"kind": "Status", "code": 500})
        site.api.end_watches()
        time.sleep(65)
        assert site.healthy() and sha256(site.target) == sha256(site.program)
        site.repairs()
        site.installs(2)
        site.repairs()
        site.bounded()
