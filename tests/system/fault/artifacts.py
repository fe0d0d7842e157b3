#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`artifacts` and `mirrors` of agent.yaml with the real agent and real HTTPS servers: credentials, certificates, redirects, mirrors that are
down, slow or lie, and presigned URLs that end. After each case no secret is in what the agent wrote.

    tests/system/fault/artifacts.py [WORD...]      only the cases whose name contains one of the words

Loopback only. Prints "N passed, N failed, N skipped" last."""
import base64
import contextlib
import functools
import hashlib
import hmac
import http.server
import io
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tarfile
import threading
import time
import types
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from node import PROGRAMS, TOP, Node, free_port, sha256, wait  # noqa: E402

import suite  # noqa: E402

HOME = os.path.join(TOP, "build", "fault", "artifacts")
SIZE = 1 << 20
SECRET, OTHER = "tok-Sesam-4711", "tok-Rotated-0815"
HEAD = "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"


def certificate(folder, name, issuer=None):
    """Makes NAME.pem and NAME.key for 127.0.0.1, or an authority if it has no issuer."""
    path = os.path.join(folder, name)
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             f"/CN={name}", "-keyout", path + ".key", "-out", path + ".pem"]
    if issuer:
        words += ["-CA", issuer + ".pem", "-CAkey", issuer + ".key", "-addext", "subjectAltName=IP:127.0.0.1",
                  "-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        store = self.server
        store.seen.append((self.path, dict(self.headers.items())))
        if store.answer is not None and store.answer(self):
            return
        if store.wants is not None and self.headers.get(store.wants[0]) != store.wants[1]:
            self.send_error(401)
            return
        self.serve(store.files.get(self.path.partition("?")[0].rpartition("/")[2]))

    def serve(self, body, until=None, rate=0):
        if body is None:
            self.send_error(404)
            return
        etag = f'"{hash(body)}-{self.server.server_address[1]}"'
        words = self.headers.get("Range", "")
        start = int(words[6:].rstrip("-")) if words and self.headers.get("If-Range", etag) == etag else 0
        self.send_response(206 if start else 200)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(body) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        end = len(body) if until is None else until
        with contextlib.suppress(OSError):
            for at in range(start, end, 16384):
                piece = body[at:min(at + 16384, end)]
                self.wfile.write(piece)
                self.server.sent += len(piece)
                if rate:
                    time.sleep(len(piece) / rate)
        self.close_connection = self.close_connection or end < len(body)

    def redirect(self, url):
        self.send_response(307)
        self.send_header("Location", url)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return True

    def log_message(self, *_):
        pass


class Store(http.server.ThreadingHTTPServer):
    """A server of artifacts. `wants`: the header (name, value) without which it answers 401; `answer`: may answer instead."""
    daemon_threads = True

    def __init__(self, certificate_path=None, client_ca=None, files=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.seen, self.wants, self.answer, self.sent = {} if files is None else files, [], None, None, 0
        self.context = None
        if certificate_path:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.use(certificate_path)
            if client_ca:
                self.context.verify_mode = ssl.CERT_REQUIRED
                self.context.load_verify_locations(client_ca + ".pem")
        self.url = f"http{'s' if certificate_path else ''}://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def use(self, certificate_path):
        self.context.load_cert_chain(certificate_path + ".pem", certificate_path + ".key")

    def finish_request(self, request, client_address):
        if self.context is not None:
            with contextlib.suppress(OSError):
                request.settimeout(30)
                request = self.context.wrap_socket(request, server_side=True)
                super().finish_request(request, client_address)
                request.close()
        else:
            super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass  # the cases make clients disconnect

    def values(self):
        """All values of all headers that were sent here."""
        return " ".join(value for _, headers in self.seen for value in headers.values())


class World:
    """A node with one release, its origin, and files of secrets."""

    def __init__(self, name, tls=True):
        self.name = name
        self.home = os.path.join(HOME, name.replace(" ", "-"))
        shutil.rmtree(self.home, ignore_errors=True)
        os.makedirs(self.home)
        self.ca = certificate(self.home, "ca")
        self.leaf = certificate(self.home, "leaf", self.ca)
        self.stores = []
        self.origin = self.store() if tls else self.store(tls=False)
        self.node = Node(os.path.join(self.home, "node"), self.origin)
        os.makedirs(self.node.place("secrets"), mode=0o755)
        self.made = self.node.place("versions", "v1")
        with open(self.made, "wb") as file:
            file.write(os.urandom(SIZE))
        self.node.apply("update", self.node.create("app", "1.0.0", 1, self.made, service=False))
        self.secrets = {SECRET, OTHER, base64.b64encode(f"edge:{SECRET}".encode()).decode()}
        self.ca_file = f"caFile: {self.ca}.pem"

    def store(self, tls=True, leaf=None, files=None, client_ca=None):
        self.stores.append(Store((leaf or self.leaf) if tls else None, client_ca, files))
        return self.stores[-1]

    def mirror(self):
        """A server with the same files."""
        return self.store(files=self.origin.files)

    def secret(self, content, name="token", mode=0o600):
        path = self.node.place("secrets", name)
        with open(path + ".new", "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path + ".new", mode)
        os.rename(path + ".new", path)
        return path

    def configure(self, *artifacts, mirrors=(), more=""):
        """Writes agent.yaml: items of `artifacts` as (store, fields...), and URLs of mirrors of the origin."""
        lines = [f"- {{url: '{store.url}', {', '.join(fields)}}}\n" for store, *fields in artifacts]
        text = HEAD + more + ("artifacts:\n" + "".join(lines) if lines else "")
        if mirrors:
            text += f"mirrors: [{{prefix: '{self.origin.url}', to: {json.dumps(list(mirrors))}}}]\n"
        with open(self.node.place("agent.yaml"), "w", encoding="utf-8") as file:
            file.write(text)

    def start(self):
        self.node.start_agent("--config", self.node.place("agent.yaml"), "--run-dir", self.node.place("run"))

    def row(self):
        self.node.alive()
        try:
            with open(self.node.place("run", "status.json"), encoding="utf-8") as file:
                return (json.load(file)["status"].get("updates") or [{}])[0]
        except (OSError, ValueError):
            return {}

    def committed(self, patience=60):
        wait(f"a commit ({self.row()})", lambda: self.row().get("phase") == "Committed", patience)
        assert sha256(self.node.path) == sha256(self.made), "the installed file is another one"

    def healed(self, *artifacts):
        """Commits once agent.yaml is another one."""
        self.configure(*artifacts)
        os.kill(self.node.agent.pid, signal.SIGHUP)
        self.committed()

    def says(self, *words):
        """Waits for a message of the status that has all the words; returns it."""
        wait(f"{words} ({self.row()})", lambda: all(word in self.row().get("message", "") for word in words), 60)
        return self.row()["message"]

    def log(self):
        with open(self.node.place("agent.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def no_leak(self):
        """No secret is in any file that the agent wrote, nor in the file for helpers."""
        bundle = self.node.place("temp", "support.txt")
        self.node.holdfast("support", "--state-dir", self.node.place("state"), "--run-dir", self.node.place("run"), "--config",
                           self.node.place("agent.yaml"), "--out", bundle, good=False)
        with open(bundle, "rb") as file:
            texts = [("support", file.read())]
        assert b"artifacts:" in texts[0][1] or b"mirrors:" in texts[0][1], "the file for helpers has no agent.yaml"
        for place in ("state", "run", "agent.log"):
            path = self.node.place(place)
            for folder, _, files in os.walk(path) if os.path.isdir(path) else [(self.node.home, [], ["agent.log"])]:
                for name in files:
                    with contextlib.suppress(OSError):
                        with open(os.path.join(folder, name), "rb") as file:
                            texts.append((name, file.read()))
        for name, text in texts:
            found = [secret for secret in self.secrets if secret.encode() in text]
            assert not found, f"{name} has a secret"

    def end(self):
        self.node.end()
        for store in self.stores:
            store.shutdown()
            store.server_close()


def bearer(store, value=SECRET):
    store.wants = ("Authorization", "Bearer " + value)


# ---- credentials -------------------------------------------------------------------------------------------------------

def token(world):
    bearer(world.origin)
    world.configure((world.origin, world.ca_file, f"tokenFile: {world.secret(SECRET + chr(10))}"))
    world.start()
    world.committed()


def crlf(world):
    bearer(world.origin)
    world.configure((world.origin, world.ca_file, f"tokenFile: {world.secret('  ' + SECRET + chr(13) + chr(10))}"))
    world.start()
    world.committed()


def basic(world):
    world.origin.wants = ("Authorization", "Basic " + base64.b64encode(f"edge:{SECRET}".encode()).decode())
    world.configure((world.origin, world.ca_file, "user: edge", f"passwordFile: {world.secret(SECRET)}"))
    world.start()
    world.committed()


def header(world):
    world.origin.wants = ("Private-Token", SECRET)
    world.configure((world.origin, world.ca_file, "header: PRIVATE-TOKEN", f"valueFile: {world.secret(SECRET)}"))
    world.start()
    world.committed()


def wrong_then_rotated(world):
    bearer(world.origin, OTHER)
    path = world.secret(SECRET)
    world.configure((world.origin, world.ca_file, f"tokenFile: {path}"))
    world.start()
    text = world.says("HTTP status 401 from " + world.origin.url, f"artifacts[0] (tokenFile {path}", "was refused")
    world.secret(OTHER)
    world.committed()
    return text


def none_at_all(world):
    """Then one by a new agent.yaml and SIGHUP."""
    bearer(world.origin)
    world.configure((world.origin, world.ca_file))
    world.start()
    text = world.says("HTTP status 401", "agent.yaml artifacts has none")
    world.healed((world.origin, world.ca_file, f"tokenFile: {world.secret(SECRET)}"))
    return text


def other_origin(world):
    """The origin is not in the list: it gets no credential of another one."""
    other = world.store()
    world.configure((other, world.ca_file, f"tokenFile: {world.secret(SECRET)}"), (world.origin, world.ca_file))
    world.start()
    world.committed()
    assert "Authorization" not in str(world.origin.seen) and other.seen == [], "a credential went to another origin"


def bad_file(content, mode, *words):
    def case(world):
        path = world.secret(content, mode=mode)
        world.configure((world.origin, world.ca_file, f"tokenFile: {path}"))
        world.start()
        text = world.says("artifacts[0]", "tokenFile", *words)
        assert world.origin.seen == [], "a request went out"
        bearer(world.origin)
        world.secret(SECRET)
        world.committed()
        return text
    return case


def missing_file(world):
    path = world.secret(SECRET)
    os.unlink(path)
    bearer(world.origin)
    world.configure((world.origin, world.ca_file, f"tokenFile: {path}"))
    world.start()
    world.says("artifacts[0]", "No such file")
    world.secret(SECRET)
    world.committed()


def mounted_secret(world):
    """Links as the kubelet makes them in the volume of a Secret; a rotation replaces one link."""
    folder = world.node.place("secrets")
    for generation, value in (("..1", SECRET), ("..2", OTHER)):
        os.makedirs(os.path.join(folder, generation), mode=0o755)
        with open(os.path.join(folder, generation, "token"), "w", encoding="utf-8") as file:
            file.write(value)
    os.symlink("..1", os.path.join(folder, "..data"))
    os.symlink("..data/token", os.path.join(folder, "token"))
    os.chmod(folder, 0o1777)
    bearer(world.origin, OTHER)
    world.configure((world.origin, world.ca_file, f"tokenFile: {folder}/token"))
    world.start()
    world.says("401", "was refused")
    os.symlink("..2", os.path.join(folder, "..tmp"))
    os.rename(os.path.join(folder, "..tmp"), os.path.join(folder, "..data"))
    world.committed()


def plain_http(world):
    """A credential for http:// needs allowPlainHttp: without it, the item is a fault and nothing is sent."""
    plain = World(world.name + " plain", tls=False)
    try:
        bearer(plain.origin)
        fields = [plain.origin, f"tokenFile: {plain.secret(SECRET)}"]
        plain.configure(fields)
        plain.start()
        plain.says("401")
        assert "plain text" in plain.log() and "Authorization" not in str(plain.origin.seen), "the credential went out"
        plain.healed([*fields, "allowPlainHttp: true"])
        plain.no_leak()
    finally:
        plain.end()


# ---- redirects ---------------------------------------------------------------------------------------------------------

def foreign_redirect(world):
    """No credential follows a redirect, not even one of the server that it leads to."""
    bearer(world.origin)
    other = world.mirror()
    third = world.mirror()
    own = [world.secret(SECRET), world.secret(OTHER, "other")]
    world.configure((world.origin, world.ca_file, f"tokenFile: {own[0]}"), (other, world.ca_file, "header: X-Key", f"valueFile: {own[1]}"),
                    (third, world.ca_file))
    wanted = world.origin.wants
    world.origin.answer = lambda h: h.headers.get(wanted[0]) == wanted[1] and h.redirect(other.url + h.path)
    other.answer = lambda h: h.redirect(third.url + h.path)
    world.start()
    world.committed()
    for store in (other, third):
        assert store.seen and SECRET not in store.values() and OTHER not in store.values(), "a credential followed the redirect"


def redirect_refused(world):
    other = world.mirror()
    bearer(other)
    world.configure((world.origin, world.ca_file, f"tokenFile: {world.secret(SECRET)}"), (other, world.ca_file))
    world.origin.answer = lambda h: h.redirect(other.url + h.path)
    world.start()
    text = world.says("401", "no credential follows a redirect")
    other.wants = None
    world.committed()
    return text


def redirect_to_other_ca(world):
    authority = certificate(world.home, "ca2")
    other = world.store(leaf=certificate(world.home, "leaf2", authority), files=world.origin.files)
    world.origin.answer = lambda h: h.redirect(other.url + h.path)
    world.configure((world.origin, world.ca_file))
    world.start()
    world.says("certificate")
    world.healed((world.origin, world.ca_file), (other, f"caFile: {authority}.pem"))


def presigned(world):
    """A redirect leads to a URL that ends in the middle of the download. The next one, still kept by a cache, has ended too."""
    bearer(world.origin)
    store = world.mirror()
    world.configure((world.origin, world.ca_file, f"tokenFile: {world.secret(SECRET)}"), (store, world.ca_file))
    signed = {"n": 1, "asked": 0}

    def origin(handler):
        signed["asked"] += 1
        if signed["asked"] >= 4:
            signed["n"] = 2
        return handler.redirect(f"{store.url}{handler.path}?sig={signed['n']}")

    def answer(handler):
        body = world.origin.files[handler.path.partition("?")[0].rpartition("/")[2]]
        if handler.path.endswith("sig=1") and store.sent > 0:
            handler.send_error(403)
        elif handler.path.endswith("sig=1"):
            handler.serve(body, until=SIZE // 2)
        else:
            handler.serve(body)
        return True

    world.origin.answer, store.answer = origin, answer
    world.start()
    world.committed()
    codes = [headers.get("Range") for path, headers in store.seen if path.endswith("sig=2")]
    assert codes == [f"bytes={SIZE // 2}-"] and store.sent == SIZE, f"{codes}, {store.sent} bytes for {SIZE}"
    return f"{signed['asked']} questions, {store.sent} bytes for {SIZE}"


def presigned_delta(good_at, method):
    """The redirects lead to URLs that have ended before the first byte of the delta; question `good_at` gets one that has not."""
    def case(world):
        store, asked = world.mirror(), []
        world.configure((world.origin, world.ca_file), (store, world.ca_file))
        world.start()
        world.committed()
        old, world.made = world.made, world.node.place("versions", "v2")
        with open(old, "rb") as before, open(world.made, "wb") as after:
            after.write(before.read()[:-4096] + os.urandom(4096))

        def origin(handler):
            delta = handler.path.endswith(".delta")
            asked.extend([handler.headers.get("Cache-Control")] if delta else [])
            return handler.redirect(f"{store.url}{handler.path}?sig={'ended' if delta and len(asked) < good_at else 'good'}")
        world.origin.answer = origin
        store.answer = lambda h: h.path.endswith("ended") and (h.send_error(403) or True)
        world.node.apply("update", world.node.create("app", "1.1.0", 2, world.made, old=old, service=False))
        wait(f"the second release ({world.row()})", lambda: world.row().get("sequence") == 2, 60)
        world.committed()
        assert (world.row()["method"], asked) == (method, [None, *["no-cache"] * (min(good_at, 4) - 1)]), f"{world.row()}, {asked}"
        assert (method == "Full") == ("HTTP status 403" in world.log() and "no credential follows a redirect" in world.log()), "the log"
        return f"{len(asked)} questions, {store.sent} bytes"
    return case


# ---- a store that does not keep to Range and If-Range --------------------------------------------------------------------

def resumed(then, *words):
    """The first answer ends halfway, and `then(handler, body)` gives the later ones. What it may not cost: another file, or no end."""
    def case(world):
        def answer(handler):
            body = world.origin.files[handler.path.rpartition("/")[2]]
            if len(world.origin.seen) == 1:
                handler.serve(bytes(SIZE) if words else body, until=SIZE // 2)
            else:
                then(handler, body)
            return True
        world.origin.answer = answer
        world.configure((world.origin, world.ca_file))
        world.start()
        world.committed()
        assert "Range" in world.origin.seen[1][1] and all(word in world.log() for word in words), f"{world.origin.seen}: {world.log()}"
        assert len(world.origin.seen) == (3 if words else 2), world.origin.seen
        return f"{world.origin.sent} bytes for {SIZE}"
    return case


def without(*names):
    def serve(handler, body):
        for name in names:
            del handler.headers[name]
        handler.serve(body)
    return serve


# ---- certificates ------------------------------------------------------------------------------------------------------

def no_ca(world):
    world.configure()
    world.start()
    text = world.says("certificate")
    world.healed((world.origin, world.ca_file))
    return text


def ca_changes(world):
    authority = certificate(world.home, "ca2")
    leaf = certificate(world.home, "leaf2", authority)
    world.origin.use(leaf)
    path = world.secret(open(world.ca + ".pem", "rb").read(), "ca.pem")
    world.configure((world.origin, f"caFile: {path}"))
    world.start()
    world.says("certificate")
    world.secret(open(authority + ".pem", "rb").read(), "ca.pem")
    world.committed()


def bad_ca(world):
    path = world.secret("no certificate", "ca.pem")
    world.configure((world.origin, f"caFile: {path}"))
    world.start()
    text = world.says(world.origin.url)
    world.secret(open(world.ca + ".pem", "rb").read(), "ca.pem")
    world.committed()
    return text


def client_certificate(world):
    store = world.store(client_ca=world.ca, files=world.origin.files)
    other = world.store(client_ca=world.ca, files=world.origin.files)
    world.origin.answer = lambda h: h.redirect(store.url + h.path)
    own = certificate(world.home, "client", world.ca)
    world.configure((world.origin, world.ca_file), (other, world.ca_file, f"certFile: {own}.pem", f"keyFile: {own}.key"), (store, world.ca_file))
    world.start()
    world.says("certificate")
    assert store.seen == [], "a client certificate of another origin was accepted"
    world.healed((world.origin, world.ca_file), (store, world.ca_file, f"certFile: {own}.pem", f"keyFile: {own}.key"))


# ---- mirrors -----------------------------------------------------------------------------------------------------------

def mirrored(world, *stores, **more):
    world.configure((world.origin, world.ca_file), *[(store, world.ca_file) for store in stores],
                    mirrors=[store.url for store in stores], **more)


def mirror(world):
    store = world.mirror()
    mirrored(world, store)
    world.start()
    world.committed()
    assert world.origin.seen == [] and store.seen, "the origin was asked"


def mirror_with_token(world):
    """The credential is of the mirror, or of the origin: never of the other one."""
    store = world.mirror()
    bearer(world.origin)
    bearer(store, OTHER)
    world.configure((world.origin, world.ca_file, f"tokenFile: {world.secret(SECRET)}"),
                    (store, world.ca_file, f"tokenFile: {world.secret(OTHER, 'other')}"), mirrors=[store.url])
    world.start()
    world.committed()
    assert SECRET not in store.values(), "the origin's credential went to its mirror"


def mirror_down(world):
    gone = f"https://127.0.0.1:{free_port()}"
    store = world.mirror()
    world.configure((world.origin, world.ca_file), (store, world.ca_file), mirrors=[gone, store.url])
    world.start()
    world.committed()
    assert world.origin.seen == [], "the origin was asked before the second mirror"
    assert world.log().count("mirror.failed") == 1, "the mirror that is down was tried again"


def mirror_silent(world):
    listener = socket.create_server(("127.0.0.1", 0))
    world.configure((world.origin, world.ca_file), mirrors=[f"https://127.0.0.1:{listener.getsockname()[1]}"])
    world.start()
    began = time.monotonic()
    world.committed()
    listener.close()
    return f"{time.monotonic() - began:.0f} s"


def mirror_cold(world):
    """A cache that another node fills answers late: that is no failure."""
    store = world.mirror()

    def answer(_):
        time.sleep(20)
        return False
    store.answer = answer
    mirrored(world, store)
    world.start()
    world.committed()
    assert world.origin.seen == [], "the mirror was left"


def mirror_slow(world):
    store = world.mirror()
    store.answer = lambda h: h.serve(world.origin.files[h.path.rpartition("/")[2]], rate=2048) or True
    mirrored(world, store)
    world.start()
    began = time.monotonic()
    world.committed()
    assert "Range" in str(world.origin.seen), "the download began anew"
    return f"{time.monotonic() - began:.0f} s"


def mirror_missing(world):
    store = world.store()
    mirrored(world, store)
    world.start()
    world.committed()
    assert len(store.seen) == 1


def mirror_lies(change):
    def case(world):
        store = world.mirror()
        store.answer = lambda h: h.serve(change(world.origin.files[h.path.rpartition("/")[2]])) or True
        mirrored(world, store)
        world.start()
        world.committed()
        assert len(store.seen) == 1, "the mirror that lies was asked again"
    return case


def mirror_breaks(world):
    """It breaks in the middle; the origin sends the rest."""
    store = world.mirror()
    store.answer = lambda h: h.serve(world.origin.files[h.path.rpartition("/")[2]], until=SIZE // 2) or True
    mirrored(world, store)
    world.start()
    world.committed()
    assert world.origin.sent + store.sent == SIZE, f"{world.origin.sent} and {store.sent} bytes for {SIZE}"


def all_fail(world):
    bearer(world.origin)
    gone = f"https://127.0.0.1:{free_port()}"
    world.configure((world.origin, world.ca_file, f"tokenFile: {world.secret(OTHER)}"), mirrors=[gone])
    world.start()
    text = world.says("401", "artifacts[0]", "after its mirror https://127")
    world.secret(SECRET)
    world.committed()
    return text


def archive_of_manifests(world):
    """from.url of an entry goes by the same rules."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        info = tarfile.TarInfo("site/a")
        info.size = 5
        tar.addfile(info, io.BytesIO(b"hello"))
    lying, store = world.mirror(), world.mirror()
    world.node.remove("update")
    world.origin.files["site.tar.gz"] = out.getvalue()
    bearer(store)
    lying.answer = lambda h: h.serve(bytes(len(out.getvalue()))) or True
    world.origin.answer = lambda h: h.send_error(500) or True
    os.makedirs(world.node.place("managed"), mode=0o755)
    with open(world.node.place("temp", "a"), "wb") as file:
        file.write(out.getvalue())
    world.configure((world.origin, world.ca_file), (lying, world.ca_file),
                    (store, world.ca_file, f"tokenFile: {world.secret(SECRET)}"), mirrors=[lying.url, store.url],
                    more=f"manifests:\n  files: [\"{world.node.place('managed')}/**\"]\n  origins: [\"https://127.0.0.1:*\"]\n")
    entry = {"name": "site", "from": {"url": world.origin.url + "/site.tar.gz", "digest": "sha256:" + sha256(world.node.place("temp", "a"))},
             "to": "Files", "path": world.node.place("managed", "app") + "/"}
    world.node.apply("policy", json.dumps({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "site"},
                                           "spec": {"interval": "10s", "manifests": [entry]}}))
    world.start()
    wait("the file", lambda: os.path.exists(world.node.place("managed", "app", "site", "a")), 60)
    assert len(lying.seen) == 1 and len(store.seen) == 1, f"{len(lying.seen)} and {len(store.seen)} requests"


def nginx(world):
    """nginx with a password, TLS and ranges, as docs/how-to/artifacts.md has it."""
    if not shutil.which("nginx"):
        raise suite.Skip("no nginx")
    port, folder = free_port(), world.node.place("temp")
    files = os.path.join(world.home, "files")
    os.makedirs(files)
    for name, content in world.origin.files.items():
        with open(os.path.join(files, name), "wb") as file:
            file.write(content)
    hashed = subprocess.run(["openssl", "passwd", "-apr1", SECRET], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    with open(os.path.join(world.home, "users"), "w", encoding="utf-8") as file:
        file.write(f"edge:{hashed}\n")
    config = os.path.join(world.home, "nginx.conf")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; events {{}}\n"
                   f"{'user root; ' if os.geteuid() == 0 else ''}"
                   f"http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;\n"
                   f"uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; server {{ listen 127.0.0.1:{port} ssl;\n"
                   f"ssl_certificate {world.leaf}.pem; ssl_certificate_key {world.leaf}.key; root {files};\n"
                   f"auth_basic releases; auth_basic_user_file {world.home}/users; }} }}\n")
    server = world.node.child(["nginx", "-c", config])
    try:
        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        wait("nginx", listens, 20)

        class Url:
            url = f"https://127.0.0.1:{port}"
        world.origin.answer = lambda h: h.send_error(503) or True
        world.configure((world.origin, world.ca_file), (Url, world.ca_file, "user: edge", f"passwordFile: {world.secret(OTHER)}"),
                        mirrors=[Url.url])
        world.start()
        world.says("after its mirror", "503")
        assert "HTTP status 401" in world.log() and "artifacts[1]" in world.log(), "the log does not say why the mirror failed"
        world.secret(SECRET)
        world.committed()
    finally:
        server.terminate()
        server.wait()


class S3:
    """A real S3 server with TLS on loopback, built by tests/system/s3, and a private bucket with the files of the world's origin."""
    BUCKET, USER, REGION = "releases", "edge", "us-east-1"

    def __init__(self, world):
        built = subprocess.run([os.path.join(TOP, "tests", "system", "s3", "build"), *([] if "s3" in sys.argv else ["--where"])], stdout=subprocess.PIPE,
                               text=True, check=False)
        if built.returncode != 0:
            raise suite.Skip("no S3 server is built: `tests/system/fault/artifacts.py s3` builds it")
        self.world, self.port = world, free_port()
        self.log_path = os.path.join(world.home, "s3.log")
        os.makedirs(os.path.join(world.home, "s3"))
        self.child = world.node.child([built.stdout.strip(), f"127.0.0.1:{self.port}", os.path.join(world.home, "s3"), world.leaf + ".pem",
                                       world.leaf + ".key", self.log_path], env={**os.environ, "S3_ACCESS": self.USER, "S3_SECRET": SECRET})
        self.context = ssl.create_default_context(cafile=world.ca + ".pem")
        wait("the S3 server", lambda: self.put(""), 60)
        for name, body in world.origin.files.items():
            assert self.put("/" + name, body), f"no {name} in the bucket"

    def signed(self, path, port=None, method="GET", lasts_s=600, age_s=0):
        """The presigned URL (Signature Version 4) of `path` in the bucket, made `age_s` seconds ago, at the server or at a relay to it."""
        when = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() - age_s))
        scope, host, path = f"{when[:8]}/{self.REGION}/s3/aws4_request", f"127.0.0.1:{port or self.port}", f"/{self.BUCKET}{path}"
        query = urllib.parse.urlencode({"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{self.USER}/{scope}", "X-Amz-Date": when,
                                        "X-Amz-Expires": lasts_s, "X-Amz-SignedHeaders": "host"})
        asked = "\n".join((method, path, query, f"host:{host}\n", "host", "UNSIGNED-PAYLOAD"))
        text = "\n".join(("AWS4-HMAC-SHA256", when, scope, hashlib.sha256(asked.encode()).hexdigest()))
        key = f"AWS4{SECRET}".encode()
        for word in (*scope.split("/"), text):
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        self.world.secrets.add(key.hex())
        return f"https://{host}{path}?{query}&X-Amz-Signature={key.hex()}"

    def put(self, path, body=b""):
        request = urllib.request.Request(self.signed(path, method="PUT"), data=body, method="PUT")
        with contextlib.suppress(OSError), urllib.request.urlopen(request, context=self.context, timeout=10) as answer:
            return answer.status == 200
        return False

    def answers(self):
        """(status, error) of each GET so far."""
        with open(self.log_path, encoding="utf-8") as file:
            return re.findall(r" s3_GetObject \S+ \S+ (\d+) (\S+) ", file.read())


class Relay(threading.Thread):
    """Passes bytes on to a port; the first connection that has brought `cut` bytes back is cut."""

    def __init__(self, port, cut):
        super().__init__(daemon=True)
        self.to, self.cut, self.back, self.listener = port, cut, 0, socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", self.to))
                for pair in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self.pump, args=pair, daemon=True).start()

    def pump(self, source, target, counts):
        with contextlib.suppress(OSError):
            while data := source.recv(16384):
                target.sendall(data)
                self.back += len(data) if counts else 0
                if counts and self.cut and self.back >= self.cut:
                    self.cut = 0
                    break
        for side in (source, target):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


def s3(world):
    """A private bucket answers 403 and XML to a URL without a signature and to one that has ended, in the middle of a download, too."""
    store = S3(world)
    relay = Relay(store.port, SIZE // 2)
    places = {"n": 0, "now": lambda path: f"https://127.0.0.1:{store.port}/{store.BUCKET}{path}"}

    def redirect(handler):
        places["n"] += 1
        return handler.redirect(places["now"](handler.path))

    world.origin.answer = redirect
    world.configure((world.origin, world.ca_file), (store_of(relay.port), world.ca_file), (store_of(store.port), world.ca_file))
    world.start()
    world.says("HTTP status 403", "no credential follows a redirect")
    places["now"] = lambda path: store.signed(path, age_s=900, lasts_s=600)
    asked = places["n"]
    wait("another question", lambda: places["n"] > asked + 1, 60)
    assert "AccessDenied" in str(store.answers()) and {status for status, _ in store.answers()} == {"403"}, store.answers()
    old = {}

    def ending(path):
        """One URL, good for the first half; twice more when it has ended; then another one."""
        old.setdefault("url", store.signed(path, relay.port))
        old["n"] = old.get("n", 0) + 1
        if old["n"] == 1:
            return old["url"]
        return store.signed(path, relay.port, age_s=900) if old["n"] <= 3 else store.signed(path, relay.port)

    places["now"] = ending
    world.committed()
    assert relay.cut == 0 and relay.back < SIZE + SIZE // 8, f"{relay.back} bytes for {SIZE}"
    codes = [status for status, _ in store.answers()]
    assert codes[-4:] == ["200", "403", "403", "200"], codes         # its log has 200 for a part, too
    return f"{old['n']} URLs, {relay.back} bytes for {SIZE}, {len(codes)} answers"


def store_of(port):
    return types.SimpleNamespace(url=f"https://127.0.0.1:{port}")


CASES = {
    "token": token, "basic": basic, "header": header, "wrong then rotated": wrong_then_rotated, "no credential": none_at_all,
    "other origin": other_origin, "token file with crlf": crlf,
    "token file with newline": bad_file(SECRET + "\r\nX-Evil: 1", 0o600, "line break"),
    "token file with nul": bad_file(SECRET.encode() + b"\0x", 0o600, "control character"),
    "token file empty": bad_file("", 0o600, "empty"), "token file blank": bad_file(" \r\n", 0o600, "empty"),
    "token file huge": bad_file("x" * (1 << 20), 0o600, "larger than"),
    "token file writable": bad_file(SECRET, 0o666, "writable"), "token file missing": missing_file,
    "mounted secret": mounted_secret, "plain http": plain_http,
    "foreign redirect": foreign_redirect, "redirect refused": redirect_refused, "redirect to other ca": redirect_to_other_ca,
    "presigned": presigned, "presigned delta": presigned_delta(3, "Delta"), "presigned delta that stays away": presigned_delta(99, "Full"),
    "range ignored": resumed(without("Range")), "if-range ignored": resumed(without("If-Range"), "its file has changed"), "no ca": no_ca, "ca changes": ca_changes, "bad ca": bad_ca, "client certificate": client_certificate,
    "mirror": mirror, "mirror with token": mirror_with_token, "mirror down": mirror_down, "mirror silent": mirror_silent,
    "mirror slow": mirror_slow, "mirror cold": mirror_cold, "mirror missing": mirror_missing, "mirror breaks": mirror_breaks,
    "mirror lies": mirror_lies(lambda body: body[:-1] + bytes([body[-1] ^ 1])), "mirror lies short": mirror_lies(lambda body: body[:-7]),
    "mirror lies long": mirror_lies(lambda body: body + b"x"), "mirror is a login page": mirror_lies(lambda body: b"<html>login</html>"),
    "all fail": all_fail, "archive of manifests": archive_of_manifests, "nginx": nginx, "s3": s3,
}
LONG = ("mirror silent", "mirror cold", "mirror slow")  # first: they wait for a minute, and others run meanwhile
BESIDE = 3  # cases at a time


def run(name):
    world = World(name)
    try:
        text = CASES[name](world)
        if world.node.agent is not None:
            world.no_leak()
        return text
    finally:
        world.end()


def main():
    chosen = [name for name in CASES if not sys.argv[1:] or any(word in name for word in sys.argv[1:])]
    return suite.run([(name, functools.partial(run, name)) for name in sorted(chosen, key=lambda name: name not in LONG)], BESIDE)


if __name__ == "__main__":
    sys.exit(main())
