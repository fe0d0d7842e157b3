# SPDX-License-Identifier: Apache-2.0
"""Attacks on the mirror of images: another user of the node, a registry that lies, an image that nobody signed."""
import base64
import contextlib
import hashlib
import http.server
import json
import os
import socket
import subprocess
import threading
import time

from lab import die_with_parent, free_port, wait
from node import Node
from run import Skip

MANIFEST, INDEX, CONFIG, LAYER = ("application/vnd.oci.image." + end for end in (
    "manifest.v1+json", "index.v1+json", "config.v1+json", "layer.v1.tar"))
DELTA = "application/vnd.holdfast.image.delta.v1"


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def described(kind, content, **more):
    return {"mediaType": kind, "digest": digest(content), "size": len(content), **more}


class Registry(http.server.ThreadingHTTPServer):
    """Answers from `answers`, which has bytes, or functions that get the handler, by path; notes the requests."""
    daemon_threads, request_queue_size = True, 64

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.seen.append((self.command, self.path, self.headers.get("Authorization")))
            answer = self.server.answers.get(self.path.split("?")[0])
            with contextlib.suppress(OSError):
                if callable(answer):
                    answer(self)
                elif answer is None:
                    self.say(404, b"")
                else:
                    self.say(200, answer)

        do_HEAD = do_GET

        def say(self, status, body, length=None, **fields):
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name.replace("_", "-"), value)
            if "Content_Type" not in fields and "/manifests/" in self.path:
                self.send_header("Content-Type", MANIFEST)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Registry.Handler)
        self.answers, self.seen = {}, []
        self.name = f"127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass

    def put_blob(self, content, name="team/app"):
        self.answers[f"/v2/{name}/blobs/{digest(content)}"] = content

    def put_manifest(self, content, name="team/app", tag=None):
        for reference in (digest(content), tag or digest(content)):
            self.answers[f"/v2/{name}/manifests/{reference}"] = content

    def put_image(self, layers, name="team/app", tag=None, **more):
        """Returns the manifest's bytes."""
        config = json.dumps({"architecture": "amd64", "os": "linux", "of": name}).encode()
        manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": described(CONFIG, config),
                               "layers": [described(LAYER, layer) for layer in layers], **more}).encode()
        for blob in (config, *layers):
            self.put_blob(blob, name)
        self.put_manifest(manifest, name, tag)
        return manifest


class Scene:
    """A node with a mirror for a registry."""

    def __init__(self, home, images=None, config=None, **mirror):
        self.registry, self.port = Registry(), free_port()
        self.node = Node(os.path.join(home, "node"), None)
        self.fields = {"registries": [self.registry.name], "port": self.port, **mirror}
        self.configure(config or {})
        self.policy(images or {})

    def __enter__(self):
        self.node.start_agent("--config", self.node.place("agent.yaml"), "--run-dir", self.node.place("run"), "--host-root", self.node.place("host"))
        wait("the mirror", lambda: self.ask("/v2/", secret=None)[0] == 200)
        return self

    def __exit__(self, *_):
        self.node.end()
        self.registry.shutdown()
        self.registry.server_close()

    def configure(self, fields):
        with open(self.node.place("agent.yaml"), "w", encoding="utf-8") as file:
            json.dump({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "AgentConfiguration", **fields}, file)

    def policy(self, images, **spec):
        self.node.apply("images", json.dumps({
            "apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "images"},
            "spec": {"nodeSelector": {}, "interval": "10s", **spec, "images": {"mirror": self.fields, **images}}}))

    def secret(self):
        with open(self.node.place("state", "mirror", "hosts.toml"), encoding="utf-8") as file:
            return file.read().split('authorization = "')[1].split('"')[0]

    def send(self, request, timeout=20.0):
        """What comes back for these bytes, until the mirror ends the connection."""
        got = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
            with contextlib.suppress(ConnectionError):
                connection.sendall(request)
                while piece := connection.recv(65536):
                    got += piece
        return got

    def ask(self, path, secret="", method="GET", ns=None, fields=()):
        """(status, body); status 0: none. `secret`: None for none, "" for the right one."""
        lines = [f"{method} {path}?ns={self.registry.name if ns is None else ns} HTTP/1.1", "Host: x", *fields]
        if secret is not None:
            lines.append(f"Authorization: {secret or self.secret()}")
        try:
            got = self.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        except OSError:
            return 0, b""
        head, _, body = got.partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]) if head else 0, body

    def log(self):
        with open(self.node.place("agent.log"), encoding="utf-8") as file:
            return file.read()

    def condition(self, kind="ImagesReady"):
        return next(((one["status"], one["reason"], one.get("message", "")) for one in (self.node.status() or {}).get("conditions", [])
                     if one["type"] == kind), ("", "", ""))


def another_user(argv):
    """The program as user 12345, who owns nothing."""
    if os.geteuid() != 0:
        raise Skip("another user needs root")

    def become():
        die_with_parent()
        os.setgroups([])
        os.setgid(12345)
        os.setuid(12345)
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=become, cwd="/")


HOLD = """import socket, sys, time
held = []
while True:
    fresh = []
    for _ in range(200):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(('127.0.0.1', int(sys.argv[1])))
        fresh.append(one)
    time.sleep(0.05)
    for one in fresh:
        try:
            one.send(b'GET /v2/ HTTP/1.1\\r\\n')
            held.append(one)
        except OSError:
            one.close()
    if not fresh or len(held) > 600:
        for one in held[:400]:
            one.close()
        del held[:400]
    print(len(held), flush=True)
"""


def attack_all_connections(home):
    """As another user, keeps as many connections open as the mirror takes, and more each moment: root's pull is answered."""
    with Scene(home) as scene:
        layer = os.urandom(200000)
        manifest = scene.registry.put_image([layer])
        child = another_user(["/usr/bin/python3", "-c", HOLD, str(scene.port)])
        try:
            for _ in range(4):
                child.stdout.readline()
            answers = []
            for path, content in (("manifests/" + digest(manifest), manifest), ("blobs/" + digest(layer), layer)) * 10:
                began = time.monotonic()
                status, body = scene.ask("/v2/team/app/" + path)
                answers.append((status, body == content, time.monotonic() - began < 5))
            assert child.poll() is None
            assert answers == [(200, True, True)] * len(answers), answers
        finally:
            child.kill()
            child.communicate()


def busy_ms(scene, ended):
    """The longest time that an answer of the agent took until ended() is true."""
    longest = 0
    while not ended():
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", scene.node.metrics_port), timeout=60) as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            while connection.recv(65536):
                pass
        longest = max(longest, time.monotonic() - began)
        time.sleep(0.01)
    return longest * 1000


def attack_many_offers(home):
    """Offers deltas from as many old images as an index may have, each with the largest manifest: the agent goes on meanwhile."""
    with Scene(home, maxBytes="256Mi") as scene:
        registry = scene.registry
        old, new = registry.put_image([b"gone"], annotations={"x": "[" * 4000000}), registry.put_image([os.urandom(1000)])
        del registry.answers["/v2/team/app/blobs/" + digest(b"gone")]
        offers = [described(MANIFEST, new, artifactType=DELTA, annotations={
            "edge.codcompass.io/to": digest(new), "edge.codcompass.io/from": digest(old), "edge.codcompass.io/bytes": str(i)}) for i in range(256)]
        registry.answers["/v2/team/app/referrers/" + digest(new)] = json.dumps(
            {"schemaVersion": 2, "mediaType": INDEX, "manifests": offers}).encode()
        status, body = scene.ask("/v2/team/app/manifests/" + digest(old))
        assert (status, len(body)) == (200, len(old)), status
        kept = scene.node.place("state", "mirror", "cache", "blobs", "sha256", digest(old)[7:])
        wait("the old manifest in the cache", lambda: os.path.exists(kept))
        thread = threading.Thread(target=scene.ask, args=("/v2/team/app/manifests/" + digest(new),))
        thread.start()
        longest = busy_ms(scene, lambda: not thread.is_alive())
        thread.join()
        assert longest < 1000, longest


def attack_large_manifests(home):
    """Has images fetched ahead that all have the largest manifest: the agent goes on meanwhile."""
    with Scene(home, maxBytes="512Mi") as scene:
        registry, images = scene.registry, []
        for i in range(32):
            manifest = registry.put_image([b"layer %d" % i, b"more %d" % i], f"evil/{i}", annotations={"x": "[" * 4000000})
            images.append(f"{registry.name}/evil/{i}@{digest(manifest)}")
        scene.policy({"prefetch": images})
        longest = busy_ms(scene, lambda: scene.condition()[1] == "Ready")
        assert longest < 1000, longest


def attack_guess_the_secret(home):
    """Asks without the secret of the mirror, with parts of it and with look-alikes, also as a rebound web page: nothing is told or fetched."""
    with Scene(home) as scene:
        layer = os.urandom(1000)
        scene.registry.put_image([layer])
        path, secret = "/v2/team/app/blobs/" + digest(layer), scene.secret()
        for wrong in (None, "Basic x", secret[:-1], secret + "=", secret + "\0", secret.lower(), "basic" + secret[5:], "Basic  " + secret[6:],
                      "Bearer " + secret[6:], secret[:10]):
            for method in ("GET", "HEAD"):
                status, body = scene.ask(path, secret=wrong, method=method, fields=["Origin: http://evil.example"])
                assert status in (400, 401, 403) and layer not in body, (wrong, status)
        assert scene.ask(path, secret="Basic x", fields=["Authorization: " + secret])[0] == 403
        assert scene.ask("/v2/", secret=None) == (200, b"{}")
        assert not scene.registry.seen, scene.registry.seen
        assert secret[6:] not in scene.log() and secret[6:] not in json.dumps(scene.node.status() or {})


def attack_smuggled_requests(home):
    """Hides a second request, or the first one's end, in lengths, line ends, folded fields and bytes of zero: one answer, nothing is fetched."""
    with Scene(home) as scene:
        layer, registry = os.urandom(1000), scene.registry
        registry.put_image([layer])
        get, secret = f"GET /v2/team/app/blobs/{digest(layer)}?ns={registry.name}", f"Authorization: {scene.secret()}\r\n\r\n"
        for text in (f"GET /v2/ HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{get} HTTP/1.1\r\n{secret}",
                     f"GET /v2/ HTTP/1.1\r\n\r\n{get} HTTP/1.1\r\n{secret}", f"{get} HTTP/1.1\r\nX: a\r\n {secret}",
                     f"{get} HTTP/1.1\n{secret}".replace("\r\n", "\n"), f"{get} HTTP/1.1\r\nX: a\r{secret}", f"{get}\0 HTTP/1.1\r\n{secret}",
                     f"{get} HTTP/1.1\r\nX: \0\r\n{secret}", f"{get}\r\n{secret}", f"{get} HTTP/2\r\n{secret}", f"{get} HTTP/1.1\r\nContent-Length: -1\r\n{secret}",
                     f"{get} HTTP/1.1\r\nContent-Length: 10\r\n{secret}", f"{get} HTTP/1.1\r\nAccept: a\rX: b\r\n{secret}",
                     "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /v2/ HTTP/1.1\r\nX: " + "a" * 16384 + "\r\n\r\n"):
            got = b""
            with contextlib.suppress(OSError):
                got = scene.send(text.encode())
            assert got.count(b"HTTP/1.1 ") <= 1 and layer not in got and not registry.seen, (text[:200], got[:200])


def attack_other_registries_and_names(home):
    """Asks for a foreign registry by ns, for paths in names, tags and digests, and for odd algorithms: refused, and nobody is asked."""
    foreign = Registry()
    with Scene(home) as scene:
        layer, good = os.urandom(1000), scene.registry.name
        for registry in (foreign, scene.registry):
            registry.put_image([layer])
        for ns in (foreign.name, good + "%0d%0aX:1", "u:p%40" + good, good + "%40" + foreign.name, good + "/..", good + "%23", good + "%00", "127.0.0.1",
                   "", good + "&ns=" + foreign.name, f"[{good}]", "x" * 3000):
            status, body = scene.ask("/v2/team/app/blobs/" + digest(layer), ns=ns)
            assert status in (400, 404) and layer not in body, (ns, status)
        for reference in ("sha512:" + "a" * 128, "md5:" + "a" * 32, "sha256:" + "A" * 64, "sha256:" + "a" * 63, "sha256:" + "a" * 65,
                          "sha256:../../../../etc/passwd", "sha256%3a..%2f..%2fsecret", "..", "%2e%2e%2fsecret", ".hidden", "a" * 129, "a%00b", "a%0d%0aX:1"):
            for kind in ("blobs", "manifests", "referrers"):
                status, _ = scene.ask(f"/v2/team/app/{kind}/{reference}")
                assert status in (400, 404), (kind, reference, status)
        for name in ("..", "a/../b", "a//b", "-a", "a-", "%2e%2e", "A", "a/./b", "a\\b", "a%2fb", "x" * 300):
            assert scene.ask(f"/v2/{name}/blobs/{digest(layer)}")[0] in (400, 404), name
        assert not scene.registry.seen and not foreign.seen, (scene.registry.seen, foreign.seen)
    foreign.shutdown()
    foreign.server_close()


def attack_lying_registry(home):
    """Sends other content, other lengths, parts that nobody asked for and lengths without end: no wrong blob is whole, none is kept."""
    with Scene(home, maxBytes="64Mi") as scene:
        registry, right = scene.registry, os.urandom(5000)
        path, other = "/v2/team/app/blobs/" + digest(right), os.urandom(5000)

        def no_length(handler):
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(right)
        for lie in (other, other[:100], right + b"x", lambda handler: handler.say(206, right[:50], Content_Range="bytes 0-49/5000"),
                    lambda handler: handler.say(200, right, 1 << 62), lambda handler: handler.say(200, right, -5), no_length,
                    *(lambda handler, to=to: handler.say(307, b"", Location=to) for to in (
                        "file:///etc/passwd", "ftp://127.0.0.1/x", f"http://{registry.name}{path}", f"http://127.0.0.1:{scene.port}{path}?ns={registry.name}"))):
            registry.answers[path] = lie
            status, body = scene.ask(path)
            assert status != 200 or len(body) < 5000, (status, len(body))
        manifest = registry.put_image([right])
        registry.answers["/v2/team/app/manifests/" + digest(other)] = manifest
        assert scene.ask("/v2/team/app/manifests/" + digest(other))[0] == 502
        registry.answers["/v2/team/app/manifests/big"] = b" " * (5 << 20)
        assert scene.ask("/v2/team/app/manifests/big")[0] == 502
        cache = scene.node.place("state", "mirror", "cache")
        assert os.listdir(os.path.join(cache, "blobs", "sha256")) == [], os.listdir(os.path.join(cache, "blobs", "sha256"))
        registry.put_blob(right)
        assert scene.ask(path) == (200, right)


def attack_login_of_another_registry(home):
    """As a registry on the list, asks for a login, leads elsewhere or names a service for tokens elsewhere: no other registry's login comes."""
    secret, layer = "Basic " + base64.b64encode(b"edge:s3cretpw").decode(), b"layer"
    good, foreign = Registry(), Registry()
    scene = Scene(home)
    with open(scene.node.place("password"), "w", encoding="ascii") as file:
        file.write("s3cretpw")
    os.chmod(scene.node.place("password"), 0o600)
    scene.configure({"artifacts": [{"url": "http://" + good.name, "user": "edge", "passwordFile": scene.node.place("password"), "allowPlainHttp": True}]})
    scene.fields["registries"].append(good.name)
    scene.policy({})
    with scene:
        path = "/v2/team/app/blobs/" + digest(layer)
        for server in (good, foreign):
            server.put_blob(layer)
        foreign.answers["/token"] = b'{"token": "x"}'
        for lie in (lambda handler: handler.say(401, b"", WWW_Authenticate='Basic realm="x"'),
                    lambda handler: handler.say(401, b"", WWW_Authenticate=f'Bearer realm="http://{foreign.name}/token",service="x"'),
                    lambda handler: handler.say(401, b"", WWW_Authenticate=f'Bearer realm="http://{good.name}/token",service="x"'),
                    lambda handler: handler.say(401, b"", WWW_Authenticate='Bearer realm="file:///etc/passwd",service="x"'),
                    lambda handler: handler.say(307, b"", Location=f"http://{foreign.name}{path}")):
            scene.registry.answers[path] = lie
            scene.ask(path)
        good.answers[path] = lambda handler: handler.say(307, b"", Location=f"http://{foreign.name}{path}")
        assert scene.ask(path, ns=good.name) == (200, layer)
        assert (good.seen[-1][2], foreign.seen[-1][2]) == (secret, None), (good.seen, foreign.seen)
        shown = {shown for _, _, shown in scene.registry.seen + foreign.seen + good.seen[:-1]}
        assert shown <= {None, "Bearer x"}, shown
        assert "s3cretpw" not in scene.log() and secret[6:] not in scene.log()
    for server in (good, foreign):
        server.shutdown()
        server.server_close()
