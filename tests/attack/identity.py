# SPDX-License-Identifier: Apache-2.0
"""Attacks on what a node proves itself by at servers of artifacts and telemetry: its client certificate (`clientCertificate: node`) and the
tokens that its key signs (`tokenFrom: node`). Servers verify tokens with deploy/verify-node-token."""
import base64
import contextlib
import http.client
import http.server
import importlib.machinery
import importlib.util
import json
import os
import shutil
import ssl
import threading
import time

from cluster import PATIENCE_S, Signer, Site, post, telemetry
from lab import TOP, wait
from node_token import Forger, url64
from swtpm import Tpm

from run import Skip

LOADER = importlib.machinery.SourceFileLoader("verify_node_token", os.path.join(TOP, "deploy", "verify-node-token"))
VERIFIER = importlib.util.module_from_spec(importlib.util.spec_from_loader(LOADER.name, LOADER))
LOADER.exec_module(VERIFIER)


class Server(http.server.ThreadingHTTPServer):
    """A server of artifacts and telemetry over TLS. It asks for a client certificate, and notes (certificate's subject or None, bearer token
    or "") of each request. `demands`: it takes no connection without. `redirect`: it answers with 307 to there."""
    daemon_threads = True

    def __init__(self, site, demands=True):
        class ServerHandler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                subject = self.connection.getpeercert()
                self.server.seen.append((dict(pair[0] for pair in subject["subject"]) if subject else None,
                                         self.headers.get("Authorization", "").removeprefix("Bearer ")))
                if self.server.redirect:
                    self.done(307, Location=self.server.redirect + self.path)
                elif self.command == "POST":
                    self.server.bodies.append(body)
                    self.done(200)
                else:
                    content = site.artifacts.files.get(self.path.lstrip("/"))
                    self.done(404 if content is None else 200, content or b"")

            do_GET = do_POST

            def done(self, code, body=b"", **headers):
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), ServerHandler)
        self.seen, self.bodies, self.redirect = [], [], None
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*site.server_pair)
        self.context.load_verify_locations(site.authority.ca)
        self.context.verify_mode = ssl.CERT_REQUIRED if demands else ssl.CERT_OPTIONAL
        self.url = f"https://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, client_address):
        with contextlib.suppress(OSError):
            request.settimeout(30)
            request = self.context.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)
            request.close()

    def handle_error(self, request, client_address):
        pass  # agents disconnect


@contextlib.contextmanager
def node_with_identity(home, tpm=None):
    """A node whose agent gets a certificate from the site's API server, and a configuration that lists what `site.artifact` holds."""
    site = Site(home, tls=True)
    site.server_pair = site.authority.issue("server", -1, 30)
    site.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": site.node.name, "uid": "uid-1", "labels": {}}})
    site.signer = Signer(site, None)
    site.api.lie = site.signer.lie
    site.folder, site.configuration = site.node.place("certificate"), os.path.join(os.path.realpath(home), "agent.yaml")
    site.servers = []
    try:
        yield site
    finally:
        site.end()
        for server in site.servers:
            server.shutdown()
            server.server_close()
        if tpm is not None:
            tpm.stop()


def server_of(site, **more):
    site.servers.append(Server(site, **more))
    return site.servers[-1]


def start(site, *artifacts, tpm=None):
    """Starts the agent, and waits for its certificate; `artifacts`: items of agent.yaml."""
    with open(site.configuration, "w", encoding="utf-8") as file:
        json.dump({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "AgentConfiguration", "artifacts": list(artifacts),
                   "telemetry": {"credentialFolders": [os.path.realpath(site.authority.folder)]}, **({"tpm": {"tcti": tpm.tcti()}} if tpm else {})}, file)
    os.chmod(site.configuration, 0o644)
    site.start("--client-certificate-dir", site.folder, "--client-key", "tpm" if tpm else "file", "--config", site.configuration)


def has_certificate(site):
    wait("the node's certificate", lambda: any(b"certificate.used" in line for line in site.log_lines()), PATIENCE_S)


def of_the_node(server, site, **more):
    return {"url": server.url, "caFile": os.path.realpath(site.authority.ca), "clientCertificate": "node", "tokenFrom": "node", **more}


def sends_to(server, site):
    """A policy with this sink, which gets the node's certificate and a token."""
    sink = {"url": server.url + "/take", "format": "ndjson", "caFile": os.path.realpath(site.authority.ca), "clientCertificate": "node", "tokenFrom": "node"}
    site.policy({"telemetry": {**telemetry(server), "sink": sink}})
    wait("a place for telemetry", lambda: post(site, '{"sensorData": 1}') in (200, 202), PATIENCE_S)


def telemetry_arrives(site):
    """A sink that has got telemetry under the node's certificate."""
    sink = server_of(site)
    start(site)
    has_certificate(site)
    sends_to(sink, site)
    wait("telemetry", lambda: sink.bodies, PATIENCE_S)
    return sink


def judge(site, token, audience, now=None):
    return VERIFIER.verify(token, site.authority.ca, audience, time.time() if now is None else now)


def is_the_node(site, server, uid="uid-1"):
    """Every request had the node's certificate and a token for this server."""
    assert server.seen, "no request came"
    for subject, _ in list(server.seen):
        assert subject and subject["commonName"] == f"holdfast:agent:{site.node.name}", subject
    for token in {token for _, token in list(server.seen)}:
        assert judge(site, token, server.url)[0] == site.node.name
    assert judge(site, server.seen[-1][1], server.url)[1] == uid


def a_tpm(home):
    if shutil.which("swtpm") is None:
        raise Skip("swtpm is not installed")
    return Tpm(os.path.join(home, "tpm." + os.path.basename(home)))


def redirects(home, tpm=None):
    with node_with_identity(home, tpm) as site:
        store, sink, thief = server_of(site), server_of(site), server_of(site, demands=False)
        site.artifacts.url, store.redirect, sink.redirect = store.url, thief.url, thief.url
        start(site, of_the_node(store, site), {"url": thief.url, "caFile": os.path.realpath(site.authority.ca)}, tpm=tpm)
        has_certificate(site)
        site.put(site.update(1))
        site.ends("Committed", sequence=1)  # the file itself may come from anywhere
        is_the_node(site, store)
        assert thief.seen and all(proof == (None, "") for proof in thief.seen), thief.seen
        sends_to(sink, site)
        wait("attempts at the sink", lambda: len(sink.seen) >= 2, PATIENCE_S)
        is_the_node(site, sink)
        assert not thief.bodies and all(proof == (None, "") for proof in thief.seen), thief.seen
        sink.redirect = None
        wait("telemetry at its sink", lambda: sink.bodies, PATIENCE_S)
        site.bounded()
        return site, sink.seen[-1][1]


def attack_redirect_with_the_key_in_a_file(home):
    """Redirect downloads and telemetry to a server that asks for a client certificate: it gets neither certificate nor token, and of
    telemetry nothing; the servers that the node means get both."""
    redirects(home)


def attack_redirect_with_the_key_in_the_tpm(home):
    """The same from a node whose key is in its TPM."""
    redirects(home, a_tpm(home))


def attack_certificate_of_an_earlier_node(home):
    """Have a node go on under the certificate of an earlier Node of its name: its servers get the new one, and until then nothing."""
    with node_with_identity(home) as site:
        sink = telemetry_arrives(site)
        is_the_node(site, sink)
        site.api.lie = lambda handler: handler.path.startswith("/apis/certificates") and bool(handler.say(503, {"kind": "Status", "code": 503}) or True)
        site.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": site.node.name, "uid": "uid-2", "labels": {}}})
        wait("the old certificate to be set aside", lambda: any(b"certificate.set_aside" in line for line in site.log_lines()), PATIENCE_S)
        time.sleep(1)
        before = len(sink.seen)
        assert post(site, '{"sensorData": 2}') in (200, 202)
        time.sleep(3)
        assert len(sink.seen) == before, "telemetry went out without a certificate in use"
        site.api.lie = site.signer.lie
        wait("telemetry under the new certificate", lambda: len(sink.seen) > before, PATIENCE_S)
        assert all(judge(site, token, sink.url)[1] == "uid-2" for token in {token for _, token in sink.seen[before:]})
        site.bounded()


def attack_cloned_disk_without_its_tpm(home):
    """Start a copy of the node's disk in another machine: its certificate opens no server, it signs no token, and no file has a key."""
    tpm = a_tpm(home)
    with node_with_identity(home, tpm) as site:
        sink, store = server_of(site), server_of(site)
        site.artifacts.url = store.url
        start(site, of_the_node(store, site), tpm=tpm)
        has_certificate(site)
        sends_to(sink, site)
        wait("telemetry of the node itself", lambda: sink.bodies, PATIENCE_S)
        is_the_node(site, sink)
        site.node.stop_agent()
        for folder, _, files in os.walk(site.node.home):
            for name in files:
                path = os.path.join(folder, name)
                if os.path.isfile(path) and path != site.node.key:
                    with open(path, "rb") as file:
                        assert b"PRIVATE KEY" not in file.read(), path
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(os.path.join(site.folder, "client.pem"))
            raise AssertionError("client.pem has a key that a thief can use")
        except ssl.SSLError:
            pass
        # The cluster gives the copy nothing: the token on the disk has ended.
        site.api.lie = lambda handler: handler.path.startswith("/apis/certificates") and bool(handler.say(401, {"kind": "Status", "code": 401}) or True)
        other = Tpm(os.path.join(home, "tpm.other"))
        try:
            before = len(sink.seen)
            start(site, of_the_node(store, site), tpm=other)
            wait("a place for telemetry", lambda: post(site, '{"sensorData": 2}') in (200, 202), PATIENCE_S)
            site.put(site.update(1))
            wait("the release to fail", lambda: "client certificate" in site.row().get("message", ""), PATIENCE_S)
            time.sleep(3)
            assert len(sink.seen) == before and not store.seen, "a copy of the disk was taken for the node"
        finally:
            site.node.stop_agent()
            other.stop()


def attack_copied_key_file(home):
    """Use a copy of client.pem elsewhere: with the key in a file, the copy is the node at its servers (nothing can tell them apart); it is no other
    node, and nothing after the certificate's end."""
    with node_with_identity(home) as site:
        sink = server_of(site)
        start(site)
        has_certificate(site)
        with open(os.path.join(site.folder, "client.pem"), encoding="ascii") as file:
            certificate, _, key = file.read().partition("-----BEGIN PRIVATE KEY-----")
        stolen = forger(site, "-----BEGIN PRIVATE KEY-----" + key, certificate)
        assert judge(site, stolen.token(sink.url, site.node.name), sink.url)[0] == site.node.name  # what the page says
        refused(site, stolen.token(sink.url, "other"), sink.url, "another node")
        # openssl judges the certificate's dates by the present: one that has ended takes the place of the copy
        ended = stolen.certified(until_days=-1)
        refused(site, ended.token(sink.url, site.node.name), sink.url, "not valid now")


# ---- tokens -------------------------------------------------------------------------------------------------------------------

def forger(site, *pair):
    return Forger(site.home, site.authority.folder, site.node.name, *pair)


def refused(site, token, audience, *words, now=None):
    try:
        judge(site, token, audience, now)
    except VERIFIER.Refused as why:
        assert not words or any(word in str(why) for word in words), f"{why} is not {words}"
        return
    raise AssertionError(f"a token was taken: {words}")


def attack_tokens(home):
    """Show a server tokens of another audience, expired, of the future, too long, with alg none or HS256, changed, of another client of the
    cluster, of another authority, for servers, or signed by another key than their certificate's: it takes none."""
    with node_with_identity(home) as site:
        sink, other = telemetry_arrives(site), server_of(site)
        is_the_node(site, sink)
        real, now, name = sink.seen[-1][1], time.time(), site.node.name
        head, claims, signature = real.split(".")
        refused(site, real, other.url, "another server")
        refused(site, real, sink.url, "expired", now=now + 3600)
        refused(site, real, sink.url, "future", now=now - 3600)
        refused(site, f"{head}.{claims}.", sink.url, "base64url")
        refused(site, f"{head}.{claims}.{url64(bytes(64))}", sink.url, "did not sign")
        changed = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"sub": "holdfast:agent:other", "iss": "holdfast:agent:other"}
        refused(site, f"{head}.{url64(json.dumps(changed).encode())}.{signature}", sink.url, "did not sign")
        thief = forger(site)
        mine = thief.certified()
        assert judge(site, mine.token(sink.url, name), sink.url)[0] == name  # the forger can make good ones
        as_kubernetes_does = thief.certified(subject=f"/O=holdfast:agents+O=holdfast:node-uid:uid-1/CN=holdfast:agent:{name}")
        assert judge(site, as_kubernetes_does.token(sink.url, name), sink.url)[:2] == (name, "uid-1")
        refused(site, mine.token(sink.url, name, {"alg": "none"}, signature=b""), sink.url, "algorithm", "base64url")
        refused(site, mine.token(sink.url, name, {"alg": "none"}), sink.url, "algorithm")
        refused(site, mine.token(sink.url, name, {"alg": "HS256"}), sink.url, "algorithm")
        refused(site, mine.token(sink.url, name, {"crit": ["exp"]}), sink.url, "algorithm")
        refused(site, mine.token(sink.url, name, {"x5c": []}), sink.url, "no certificate")
        refused(site, mine.token(sink.url, name, claims={"exp": int(now) + 86400}), sink.url, "too long")
        refused(site, mine.token(sink.url, name, claims={"exp": True}), sink.url, "expired")
        refused(site, mine.token([sink.url], name), sink.url, "another server")
        refused(site, mine.token(sink.url, "other"), sink.url, "another node")
        refused(site, thief.with_certificate(real_certificate(head)).token(sink.url, name), sink.url, "did not sign")
        for subject in (f"/O=system:nodes/CN=system:node:{name}", "/O=system:masters/CN=admin", f"/O=x/CN=holdfast:agent:{name}",
                        f"/O=holdfast:agents,CN=holdfast:agent:{name}", f"/CN=holdfast:agent:{name},O=holdfast:agents", f"/O=holdfast:agents/CN=x/CN=holdfast:agent:{name}"):
            refused(site, thief.certified(subject=subject).token(sink.url, name), sink.url, "not an agent's")
        refused(site, thief.certified(usage="serverAuth").token(sink.url, name), sink.url, "not for clients")
        site.authority.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "own.key", "-out", "own.pem", "-subj", "/CN=test authority")
        refused(site, thief.certified(issuer="own").token(sink.url, name), sink.url, "not of this cluster")
        door = VERIFIER.Server(("127.0.0.1", 0), site.authority.ca, sink.url)
        threading.Thread(target=door.serve_forever, daemon=True).start()
        for token, status in ((real, 204), (real, 204), (real[:-9] + "AAAAAAAAA", 401), ("", 401)):
            line = http.client.HTTPConnection("127.0.0.1", door.server_address[1], timeout=30)
            line.request("GET", "/", headers={"Authorization": "Bearer " + token} if token else {})
            answer = line.getresponse()
            assert answer.status == status and answer.getheader("X-Node") == (name if status == 204 else None), (token, answer.status)
            line.close()
        door.shutdown()
        door.server_close()
        for text in ("", ".", "..", "a.b.c", "e30.e30.e30", real + ".x", "x" * 20000, "W10.W10.W10", url64(b"[" * 9000) + ".e30.e30"):
            refused(site, text, sink.url)
        site.bounded()


def real_certificate(head):
    body = json.loads(base64.urlsafe_b64decode(head + "=="))["x5c"][0]
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


def attack_token_of_the_future(home):
    """Lie about the time by a month, as the cluster: the node signs no token for then, keeps its telemetry, says why, and sends it when the
    witnesses agree."""
    with node_with_identity(home) as site:
        sink = telemetry_arrives(site)
        site.api.ahead_s = 30 * 86400
        site.api.end_watches()
        wait("a sink that waits", lambda: post(site, '{"sensorData": 2}') and "ClockUnsure" in json.dumps(site.status().get("telemetry", {})), PATIENCE_S)
        before, month = len(sink.seen), time.time() + 20 * 86400
        time.sleep(3)
        assert len(sink.seen) == before, "a token was signed while nobody knows the time"
        site.api.ahead_s = 0
        site.api.end_watches()
        wait("telemetry again", lambda: len(sink.seen) > before, PATIENCE_S)
        is_the_node(site, sink)
        for _, token in sink.seen:
            refused(site, token, sink.url, "expired", now=month)
