#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/how-to/telemetry.md and docs/reference/telemetry.md, run: its policy, its commands and what they print, and each body and header it shows against what the agent sends.

    tests/system/telemetry/docs.py [--home DIR]

A comment before each block says what it is: <!-- policy -->, <!-- run: NAME -->, <!-- output: NAME -->, <!-- body: FORMAT -->,
<!-- headers: FORMAT -->, <!-- metric: FORMAT -->, <!-- trouble: NAME -->, <!-- configuration -->,
<!-- sink: NAME -->. Numbers that differ from run to run (streams, sequences, times, versions) are
not compared; of a metric the members are, not their values. Loopback only."""
import argparse
import contextlib
import http.server
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from node import PROGRAMS, TOP, Node, fresh, wait  # noqa: E402
from sink import make_certificates, unpack  # noqa: E402

PAGES = [os.path.join(TOP, "docs", kind, "telemetry.md") for kind in ("how-to", "reference")]
BLOCK = re.compile(r"<!-- ([a-z]+)(?:: ([a-z]+))? -->\n```[a-z]+\n(.*?)```\n", re.S)
URL = "https://telemetry.example.com/take"
STORAGE = "/var/edge/data"
SINKS = {"json": "format: json", "ndjson": "format: ndjson", "seed": "format: seed", "otlp": "format: otlp, encoding: json"}
TARGETS = {"json": "/take", "ndjson": "/take", "seed": "/take/ingest", "otlp": "/take/v1/logs"}
VARYING = [(r'"originSequence":\d+', '"originSequence":N'), (r'"peerUid":\d+', '"peerUid":N'),
           (r'("holdfast.peer.uid","value":{"stringValue":)"\d+"', r'\1"N"'), (r'"observedTimeUnixNano":"\d+"', '"observedTimeUnixNano":"N"'),
           (r'"version":"[^"]*"', '"version":"V"'), (r"holdfast-agent/\S+", "holdfast-agent/V"), (r"\b[0-9a-f]{32}\b", "STREAM"),
           (r"(?<=\"reason\":\"http_422\",\"time\":\")[^\"]+", "T"), (r"(?<=  time      ).*", "T to T"),
           (r"\d[\d.]* [kM]?B in", "N B in")]


def blocks():
    text = ""
    for name in PAGES:
        with open(name, encoding="utf-8") as page:
            text += page.read()
    found = {(kind, name): body for kind, name, body in BLOCK.findall(text)}
    fenced = text.count("\n```") // 2
    assert len(found) == fenced, f"{fenced} blocks of code, {len(found)} of them marked: each must be"
    return found


def without_varying(text):
    for pattern, instead in VARYING:
        text = re.sub(pattern, instead, text)
    return text.strip()


def same(what, shown, real):
    shown, real = without_varying(shown), without_varying(real)
    assert shown == real, f"{what}:\n  the page shows {shown}\n  it is          {real}"


def shape(value):
    """The members of a JSON value and the types of their values."""
    if isinstance(value, dict):
        return {name: value[name] if name in ("name", "type", "kind", "mode", "key") else shape(value[name]) for name in value}
    if isinstance(value, list):
        return [shape(element) for element in value]
    return "number" if isinstance(value, (int, float)) else type(value).__name__


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps all events. `refuse` returns the status and text for an event that must not pass."""

    daemon_threads = True

    def __init__(self, refuse=lambda body: None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests, self.refuse = [], refuse
        self.url = f"http://127.0.0.1:{self.server_address[1]}/take"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # an agent that is killed at the end

    def end(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        plain = unpack(body, self.headers.get("Content-Encoding", "")).decode()
        status, text = self.server.refuse(plain) or (200, "")
        if status == 200:
            self.server.requests.append((self.path, dict(self.headers), plain))
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if self.path.startswith("/take/v1/") else "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


class Site:
    """A node with the page's policy, but with another address, format and batch timeout; and a receiver."""

    def __init__(self, home, page, sink, refuse=lambda body: None, metrics=False):
        self.node, self.page, self.receiver = Node(home), page, Receiver(refuse)
        text = page["policy", ""].replace(f"url: {URL}", f'url: "{self.receiver.url}"').replace("format: ndjson", sink)
        assert self.receiver.url in text and sink in text, "the page's policy is not as this test knows it"
        text += "    batch: {timeout: 100ms}\n    retry: {base: 20ms}\n"
        if metrics:
            text = text.replace("{http: true}", "{http: true, node: {period: 1s}}") + "    aggregate: {window: 2s}\n"
        self.policy = os.path.join(self.node.home, "objects", "policy.yaml")
        with open(self.policy, "w", encoding="utf-8") as file:
            file.write(text)
        self.node.start("--node-name", "edge-7")

    def run(self, name):
        """Runs a command of the page and returns its output."""
        command = self.page["run", name].replace("127.0.0.1:9091", f"127.0.0.1:{self.node.port}").replace(STORAGE, self.node.storage)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", command.replace("curl ", "curl -sS ")], stdout=subprocess.PIPE, text=True, check=False,
                              timeout=60, env=dict(os.environ, PATH=PROGRAMS + ":" + os.environ["PATH"]))
        assert done.returncode == 0, f"{command.strip()}: exit code {done.returncode}"
        return done.stdout.replace(self.node.storage, STORAGE)

    def shows(self, name):
        same(f"what `{name}` prints", self.page["output", name], self.run(name))

    def end(self):
        self.node.end()
        self.receiver.end()


def bodies(home, page, format):
    site = Site(home, page, SINKS[format])
    try:
        site.shows("post")
        if format == "ndjson":
            site.shows("flat")
        target, headers, body = wait("the payload at the receiver", lambda: site.receiver.requests)[0]
        assert target == TARGETS[format], f"{format} was posted to {target}"
        same(f"the body of {format}", page["body", format], body)
        if ("headers", format) in page:
            first, *shown = page["headers", format].strip().split("\n")
            assert first == f"POST {target} HTTP/1.1", first
            for line in shown:
                name = line.split(":")[0]
                same(f"the header {name}", line, f"{name}: {headers.get(name)}")
        if format == "seed":
            assert headers["X-Payload-Checksum"] == json.loads(body)["checksum"]
    finally:
        site.end()


def metrics_of(format, requests):
    for _, _, body in list(requests):
        if format == "otlp":
            for resource in json.loads(body).get("resourceMetrics", []):
                for scope in resource["scopeMetrics"]:
                    yield from scope["metrics"]
        else:
            for line in body.splitlines():
                if json.loads(line)["kind"] == "metric":
                    yield json.loads(line)


def metric(home, page, format):
    site, shown = Site(home, page, SINKS[format], metrics=True), json.loads(page["metric", format])
    try:
        real = wait(f"a window of {shown['name']}", lambda: next((m for m in metrics_of(format, site.receiver.requests) if m["name"] == shown["name"]), None))
        assert shape(real) == shape(shown), f"a metric as {format}:\n  the page shows {shape(shown)}\n  it is          {shape(real)}"
    finally:
        site.end()


def waiting_and_refused(home, page):
    """Sends an event that the receiver refuses for good, then one while the receiver is down."""
    def refuse(body):
        return (422, "unit unknown") if "warm" in body else (503, "") if "1044" in body else None

    site = Site(home, page, "format: json", refuse)

    def post(body):
        assert site.node.get("/ingest", "POST", body)[0] == 202, body

    try:
        post(b'{"id": "press-7/1043", "timestamp": "2026-11-20T08:00:02Z", "sensorData": {"celsius": "warm"}}')
        wait("the dead letter", lambda: site.node.metrics().get("holdfast_telemetry_dead_letter_events_total", 0) == 1)
        post(b'{"id": "press-7/1044", "timestamp": "2026-11-20T08:00:03Z", "sensorData": {"celsius": 70}}')
        wait("an attempt", lambda: site.node.reasons().get("http_503", 0) > 0)
        wait("the cursor on disk", lambda: "delivered to 1" in site.run("stat"))
        for name in ("stat", "dead", "verify"):
            site.shows(name)
        said = site.run("lost")
        assert said.count("  damage    none\n") == 3 and "1 waiting of 1" in said.split("/dead\n")[1].split("/urgent\n")[0], said
    finally:
        site.end()


def private_authority(home, page):
    """The page's sink with a CA of its own: refused without caFile, while the event waits; delivered with it."""
    certificates, receiver, node = os.path.join(home, "credentials.d"), Receiver(), Node(os.path.join(home, "node"))
    make_certificates(certificates)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(certificates, "server.pem"), os.path.join(certificates, "server.key"))
    receiver.socket = context.wrap_socket(receiver.socket, server_side=True, do_handshake_on_connect=False)
    plain = re.search(r"^ *sink: .*\n", page["policy", ""], re.M).group()
    named = page["sink", "ca"].replace("/etc/holdfast/credentials.d/telemetry-ca.pem", os.path.join(certificates, "ca.pem"))

    def apply(sink):
        text = page["policy", ""].replace(plain, sink).replace(URL, receiver.url.replace("http:", "https:"))
        with open(os.path.join(node.home, "policy.new"), "w", encoding="utf-8") as file:
            file.write(text + "    batch: {timeout: 100ms}\n    retry: {base: 20ms}\n")
        os.rename(os.path.join(node.home, "policy.new"), os.path.join(node.home, "objects", "policy.yaml"))

    try:
        apply(plain)
        node.start("--node-name", "edge-7")
        assert node.get("/ingest", "POST", b'{"sensorData": {"celsius": 70}}')[0] == 202
        wait("a refused certificate", lambda: node.reasons().get("tls", 0) > 0)
        assert not receiver.requests, receiver.requests
        apply(named)
        wait("the event at the receiver", lambda: receiver.requests)
        assert '"celsius": 70' in receiver.requests[0][2], receiver.requests[0]
    finally:
        node.end()
        receiver.end()


def troubles(node):
    """What the node's status says of telemetry; None before there is a status."""
    try:
        with open(os.path.join(node.home, "state", "status", "EdgeNode-edge-7.json"), encoding="utf-8") as file:
            telemetry = json.load(file)["status"].get("telemetry")
    except FileNotFoundError:
        return None
    return None if telemetry is None else [text.replace(node.configuration, "/etc/holdfast/agent.yaml") for text in telemetry.get("troubles", [])]


def bounds(home, page):
    """A field that the node does not allow, then the page's agent.yaml, which allows a file beside it and the page's sink."""
    for path, more in (("/srv/app/x.log", ""), ("/srv/app/log/x.log", page["configuration", ""])):
        node = Node(os.path.join(home, os.path.basename(os.path.dirname(path))))
        if more:
            with open(node.configuration, "w", encoding="utf-8") as file:
                file.write("apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n" + more)
        with open(os.path.join(node.home, "objects", "policy.yaml"), "w", encoding="utf-8") as file:
            file.write(page["policy", ""].replace("{http: true}", f"{{http: true, files: [{{path: {path}}}]}}"))
        try:
            node.start("--node-name", "edge-7")
            told = wait("a status", lambda n=node: troubles(n) is not None) and troubles(node)
            if more:
                assert not told, told
            else:
                same("the refusal", page["trouble", "refused"], "\n".join(told))
        finally:
            node.end()


def lint(home, page):
    path = os.path.join(home, "policy.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(page["policy", ""])
    done = subprocess.run([os.path.join(PROGRAMS, "holdfast"), "lint", "--strict", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--home")
    options = parser.parse_args()
    page, failed = blocks(), 0
    checks = [("the policy passes lint", lint, ())]
    checks += [(f"what a receiver sees as {format}", bodies, (format,)) for format in SINKS]
    checks += [(f"a metric as {format}", metric, (format,)) for format in ("ndjson", "otlp")]
    checks += [("a receiver with a certificate of an authority of its own", private_authority, ())]
    checks += [("what a node allows", bounds, ())]
    checks += [("what waits, and what was refused", waiting_and_refused, ())]
    for number, (name, check, words) in enumerate(checks):
        with contextlib.nullcontext(os.path.join(options.home, str(number))) if options.home else tempfile.TemporaryDirectory(prefix="holdfast-docs-") as home:
            try:
                check(fresh(home), page, *words)
                print(f"  ok    {name}", flush=True)
            except AssertionError as error:
                failed += 1
                print(f"  FAIL  {name}: {error}", flush=True)
    print(f"{len(checks) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
