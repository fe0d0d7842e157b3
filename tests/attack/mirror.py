# SPDX-License-Identifier: Apache-2.0
"""Attacks on the mirror of images: another user of the node, a registry that lies, an image that nobody signed."""
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
