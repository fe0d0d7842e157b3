#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images through the mirror of a real agent, from the registry of distribution (Go modules), to a real containerd and to a bare client:
the hosts.toml that the agent writes, the secret, a private registry, a registry or an agent that is away, frozen or killed in the middle.

    tests/system/fault/image_mirror.py [WORD...]

Only the cases whose name has one of the words. Prints "N passed, N failed, N skipped" last."""
import base64
import contextlib
import hashlib
import http.client
import http.server
import io
import json
import os
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tarfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from node import TOP, Artifacts, Node, die_with_parent, free_port, wait  # noqa: E402
from suite import Skip, equal, run  # noqa: E402

HOME = os.path.join(TOP, "build", "fault", "image_mirror")
MANIFEST, LAYER, CONFIG = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.layer.v1.tar",
                           "application/vnd.oci.image.config.v1+json")
SIZE = 3 << 20


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Door(http.server.ThreadingHTTPServer):
    """A registry's service for tokens, and what checks them before the registry; with `wants` "basic" the password itself opens it, with
    "nothing" it is open."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            door, shown = self.server, self.headers.get("Authorization", "")
            if self.path.startswith("/token?"):
                good = shown == door.password and "scope=repository%3Ateam%2Fapp%3Apull" in self.path
                self.answer(200 if good else 401, {}, json.dumps({"token": door.token, "expires_in": 300}).encode() if good else b"")
            elif door.wants == "basic" and shown != door.password:
                self.answer(401, {"WWW-Authenticate": 'Basic realm="edge"'}, b"")
            elif door.wants == "token" and shown != "Bearer " + door.token:
                here = f"http://127.0.0.1:{door.server_address[1]}"
                self.answer(401, {"WWW-Authenticate": f'Bearer realm="{here}/token",service="edge",scope="repository:team/app:pull"'}, b"")
            else:
                self.answer(*door.registry.ask(self.command, self.path, None, {name: value for name, value in self.headers.items()
                                                                               if name in ("Accept", "Range")}))

        do_HEAD = do_DELETE = do_GET

        def answer(self, status, headers, body):
            self.send_response(status)
            for name, value in headers.items():
                if name not in ("Content-Length", "Date", "Connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", headers["Content-Length"] if self.command == "HEAD" and "Content-Length" in headers else str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    def __init__(self, registry, password):
        super().__init__(("127.0.0.1", 0), Door.Handler)
        self.registry, self.token, self.wants = registry, os.urandom(16).hex(), "token"
        self.password = "Basic " + base64.b64encode(f"edge:{password}".encode()).decode()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Link(socketserver.ThreadingTCPServer):
    """What carries all connections to a port, with at most `rate` bytes a second back; 0: as it is. `carried`: bytes back."""
    daemon_threads, allow_reuse_address = True, True

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.server.to_port)) as far:
                threading.Thread(target=self.carry, args=(self.request, far, False), daemon=True).start()
                self.carry(far, self.request, True)

        def carry(self, source, sink, back):
            with contextlib.suppress(OSError):
                while piece := source.recv(self.server.piece):
                    if back:
                        self.server.wait(len(piece))
                    sink.sendall(piece)
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)

    def __init__(self, to_port, piece=2048):
        super().__init__(("127.0.0.1", 0), Link.Handler)
        self.to_port, self.piece, self.rate, self.carried, self.free_at, self.lock = to_port, piece, 0, 0, 0.0, threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def wait(self, n):
        with self.lock:
            now, self.carried = time.monotonic(), self.carried + n
            self.free_at = max(now, self.free_at) + (n / self.rate if self.rate else 0)
            until = self.free_at
        time.sleep(until - now)


class Registry:
    """Distribution, with an image in it; with a password, behind a door that wants tokens."""

    def __init__(self, home, password=None):
        if shutil.which("go") is None:
            raise Skip("no Go to build the registry")
        self.home, self.port, self.process = home, free_port(), None
        self.program = subprocess.run([os.path.join(TOP, "tests/system/dist/registry/build")], check=True, stdout=subprocess.PIPE,
                                      text=True).stdout.split()[-1]
        settings = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": os.path.join(home, "registry")}},
                    "http": {"addr": f"127.0.0.1:{self.port}"}}
        with open(os.path.join(home, "registry.json"), "w", encoding="utf-8") as file:
            json.dump(settings, file)
        self.start()
        self.layers = [os.urandom(SIZE), os.urandom(1000)]
        self.manifest, self.bytes = self.put_image("1", self.layers)
        self.door = Door(self, password) if password else None
        self.name = f"127.0.0.1:{self.door.server_address[1] if password else self.port}"

    def start(self):
        with open(os.path.join(self.home, "registry.log"), "ab") as log:
            self.process = subprocess.Popen([self.program, "serve", os.path.join(self.home, "registry.json")], stdout=log, stderr=log,
                                            preexec_fn=die_with_parent)
        wait("the registry", lambda: self.ask("GET", "/v2/")[0] == 200)

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            try:
                connection.request(method, path, body, headers or {})
                answer = connection.getresponse()
                return answer.status, answer.headers, answer.read()
            except ConnectionRefusedError:
                return 0, {}, b""

    def put_image(self, tag, layers, kind=LAYER, unpacked=None):
        """Its manifest, and how many bytes it has in all."""
        config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [digest(one) for one in unpacked or layers]}}).encode()
        blobs = [(CONFIG, config), *((kind, one) for one in layers)]
        described = [{"mediaType": kind, "digest": digest(blob), "size": len(blob)} for kind, blob in blobs]
        manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": described[1:]}).encode()
        for _, blob in blobs:
            self.put_blob(blob)
        equal("the manifest", self.ask("PUT", f"/v2/team/app/manifests/{tag}", manifest, {"Content-Type": MANIFEST})[0], 201)
        return manifest, len(manifest) + sum(len(blob) for _, blob in blobs)

    def put_blob(self, blob):
        where = self.ask("POST", "/v2/team/app/blobs/uploads/")[1]["Location"]
        where = where[where.index("/v2/"):]
        status = self.ask("PUT", where + ("&" if "?" in where else "?") + "digest=" + digest(blob), blob)[0]
        equal("a blob of the image", status, 201)

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Scene:
    """A node whose policy has a mirror, a registry, and, for who asks, a containerd with the mirror's hosts.toml."""

    def __init__(self, name, password=None, listed=None, plugin=False):
        home = os.path.join(HOME, name)
        self.node = Node(home, None)
        self.port, self.content, self.files = free_port(), None, 0
        self.credentials = {"config": self.node.place("providers.yaml"), "binDir": self.node.place("plugins")}
        self.stack = contextlib.ExitStack()
        self.stack.callback(self.node.end)
        self.registry = Registry(home, password)
        self.stack.callback(self.registry.stop)
        with open(self.node.place("password"), "w", encoding="utf-8") as file:
            file.write(password or "")
        os.chmod(self.node.place("password"), 0o600)
        item = {"url": f"http://{self.registry.name}", "user": "edge", "passwordFile": self.node.place("password"), "allowPlainHttp": True}
        self.configure({"artifacts": [item] if password and not plugin else [],
                        **({"imageCredentialProvider": self.credentials} if plugin else {})})
        self.policy({"registries": [listed or self.registry.name], "port": self.port})
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def configure(self, fields):
        with open(self.node.place("agent.yaml"), "w", encoding="utf-8") as file:
            json.dump({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "AgentConfiguration", **fields}, file)

    def policy(self, mirror, prefetch=None, workloads=False, **spec):
        with open(self.node.place("objects", "policy.yaml"), "w", encoding="utf-8") as file:
            json.dump({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "images"},
                       "spec": {"nodeSelector": {}, "interval": "10s", **spec,
                                **({"images": {"mirror": mirror, **({"prefetch": prefetch} if prefetch else {}),
                                               **({"prefetchFrom": {"workloads": True}} if workloads else {})}} if mirror else {})}}, file)

    def start(self):
        self.node.start_agent("--config", self.node.place("agent.yaml"), "--run-dir", self.node.place("run"), "--host-root", self.node.place("host"))
        wait("the mirror", lambda: self.ask("/v2/", secret=False)[0] == 200)

    def hosts(self):
        with open(self.node.place("state", "mirror", "hosts.toml"), encoding="utf-8") as file:
            return file.read()

    def put_plugin(self, script, match=None):
        """The kubelet's plugin, and its file under a new name: with the reload, what was known is forgotten."""
        self.files += 1
        self.credentials["config"] = self.node.place(f"providers-{self.files}.yaml")
        os.makedirs(self.node.place("plugins"), exist_ok=True)
        files = ((self.credentials["config"], 0o600, json.dumps({"apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig", "providers": [
            {"name": "plugin", "apiVersion": "credentialprovider.kubelet.k8s.io/v1", "defaultCacheDuration": "1h", "matchImages": [match or "127.0.0.1:" + self.registry.name.split(":")[1] + "/team"],
             "args": ["get"], "env": [{"name": "RUNS", "value": self.node.place("runs")}]}]})),
                 ("plugins/plugin", 0o700, "#!/usr/bin/python3\nimport json, os, sys, time\nopen(os.environ['RUNS'], 'a').write('x')\n"
                  "asked = json.load(sys.stdin)\n" + script))
        for name, mode, text in files:
            with open(self.node.place(name), "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(self.node.place(name), mode)
        if self.node.agent is not None and self.node.agent.poll() is None:
            self.configure({"imageCredentialProvider": self.credentials})
            before = self.log().count('"config.read"')
            self.node.agent.send_signal(signal.SIGHUP)
            wait("the reload", lambda: self.log().count('"config.read"') > before)

    def runs(self):
        with contextlib.suppress(FileNotFoundError):
            return os.path.getsize(self.node.place("runs"))
        return 0

    def log(self):
        with open(self.node.place("agent.log"), encoding="utf-8") as file:
            return file.read()

    def ask(self, path, secret=True, method="GET", **headers):
        if secret:
            headers["Authorization"] = self.hosts().split('authorization = "')[1].split('"')[0]
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=45)
        with contextlib.closing(connection):
            try:
                connection.request(method, f"{path}?ns={self.registry.name}", headers=headers)
                answer = connection.getresponse()
                return answer.status, answer.headers, answer.read()
            except (ConnectionRefusedError, ConnectionResetError):
                return 0, {}, b""

    def images_ready(self):
        status = self.node.status() or {}
        return next(((one["status"], one["reason"]) for one in status.get("conditions", []) if one["type"] == "ImagesReady"), None)

    def blob(self, i=0, **more):
        return self.ask(f"/v2/team/app/blobs/{digest(self.registry.layers[i])}", **more)

    def metric(self, name):
        connection = http.client.HTTPConnection("127.0.0.1", self.node.metrics_port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", "/metrics")
            lines = connection.getresponse().read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    def start_containerd(self, cri='disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'):
        if os.geteuid() != 0 or shutil.which("containerd") is None:
            raise Skip("no root, or no containerd")
        root = self.node.place("host", "var", "lib", "containerd")
        self.content = os.path.join(root, "io.containerd.content.v1.content")
        folder = self.node.place("certs.d", "_default")
        os.makedirs(folder)
        shutil.copy(self.node.place("state", "mirror", "hosts.toml"), folder)
        with open(self.node.place("containerd.toml"), "w", encoding="utf-8") as file:
            file.write(f'version = 2\nroot = "{root}"\nstate = "{self.node.place("containerd-state")}"\n'
                       f'{cri}[grpc]\naddress = "{self.node.place("c.sock")}"\n[ttrpc]\naddress = "{self.node.place("t.sock")}"\n')
        child = self.node.child(["containerd", "-c", self.node.place("containerd.toml")], log=open(self.node.place("containerd.log"), "ab"))
        self.stack.callback(child.wait)
        self.stack.callback(child.terminate)
        wait("containerd", lambda: self.ctr("version").returncode == 0)

    def ctr(self, *words):
        return subprocess.run(["ctr", "-a", self.node.place("c.sock"), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)

    def pull(self, tag="1"):
        return self.ctr("content", "fetch", "--hosts-dir", self.node.place("certs.d"), f"{self.registry.name}/team/app:{tag}")


def containerd_pulls():
    """By the hosts.toml that the agent wrote; all bytes went through the mirror, and none twice."""
    with Scene("containerd") as scene:
        scene.start_containerd()
        done = scene.pull()
        equal(f"the pull ({done.stdout[-500:]})", done.returncode, 0)
        equal("bytes through the mirror", scene.metric("holdfast_mirror_sent_bytes_total"), scene.registry.bytes)
        fetched = scene.metric("holdfast_mirror_fetched_bytes_total")
        if not 0 <= fetched - scene.registry.bytes < 500:  # and that there are no deltas
            raise AssertionError(f"{fetched} bytes from the registry, of {scene.registry.bytes}")
        # what containerd has needs no registry
        scene.registry.stop()
        status, _, body = scene.blob()
        equal("a blob of the content store", (status, digest(body)), (200, digest(scene.registry.layers[0])))
        equal("bytes from the registry", scene.metric("holdfast_mirror_fetched_bytes_total"), fetched)
        wait("the file of tags", lambda: os.path.exists(scene.node.place("state", "mirror", "tags")))
        scene.node.kill_agent()
        scene.start()
        start, done = time.monotonic(), scene.pull()
        equal(f"a pull by tag without the registry ({done.stdout[-500:]})", done.returncode, 0)
        if time.monotonic() - start > 5:
            raise AssertionError(f"it took {time.monotonic() - start:.1f} s")
        scene.registry.start()


def containerd_configured_by_the_agent():
    """The agent writes hosts.toml where agent.yaml lets it, beside a person's; containerd pulls by it; it goes with the policy's wish."""
    with Scene("configured") as scene:
        if os.geteuid() != 0:
            raise Skip("not root")
        folder = scene.node.place("host", "etc", "containerd", "certs.d")
        ours, other = (os.path.join(folder, name, "hosts.toml") for name in (scene.registry.name, "other.example"))
        os.makedirs(os.path.dirname(other))
        with open(other, "w", encoding="utf-8") as file:
            file.write("# a person's\n")
        with open(os.path.join(folder, "..", "config.toml"), "w", encoding="utf-8") as file:
            file.write('version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/etc/containerd/certs.d"\n')
        wish = {"registries": [scene.registry.name, "other.example"], "port": scene.port, "configure": True}

        def reason(field="reason"):
            status = scene.node.status() or {}
            return next((one[field] for one in status.get("conditions", []) if one["type"] == "MirrorConfigured"), None)
        scene.policy(wish)
        wait("a refusal", lambda: reason() == "NotAllowed")
        equal("files", os.listdir(folder), ["other.example"])
        scene.configure({"manifests": {"files": ["/etc/containerd/certs.d/**"]}})
        scene.node.kill_agent()
        scene.start()
        wait("the other's file to be named", lambda: reason() == "ForeignFile")
        equal("the message", reason("message").partition(" settings")[0], "1 registry has")
        equal("mode", os.stat(ours).st_mode & 0o777, 0o600)
        scene.start_containerd()
        shutil.rmtree(scene.node.place("certs.d"))
        os.symlink(folder, scene.node.place("certs.d"))
        done = scene.pull()
        equal(f"the pull ({done.stdout[-500:]})", done.returncode, 0)
        equal("bytes through the mirror", scene.metric("holdfast_mirror_sent_bytes_total"), scene.registry.bytes)
        scene.policy({**wish, "configure": False})
        wait("the file to go, and what it was renamed to", lambda: os.listdir(folder) == ["other.example"])


def sources(changed):
    """A layer: Python's own modules, of which some have changed, as tar and gzip pack them."""
    folder, out = os.path.dirname(os.__file__), io.BytesIO()
    names = [name for name in sorted(os.listdir(folder)) if name.endswith(".py")][:90]
    with tarfile.open(fileobj=out, mode="w") as tar:
        for i, name in enumerate(names):
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            if changed and i % 30 == 0:
                data = data.replace(b"self", b"this")
            info = tarfile.TarInfo("lib/" + name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return subprocess.run(["gzip", "-n"], input=out.getvalue(), stdout=subprocess.PIPE, check=True).stdout


def containerd_by_delta():
    """v1 is on the node, `holdfast image delta --push` has run: of v2 the link carries little more than the delta."""
    with Scene("delta") as scene:
        scene.start_containerd()
        registry, old, new = scene.registry, sources(False), sources(True)
        registry.put_image("v1", [old, registry.layers[1]], LAYER + "+gzip")
        registry.put_image("v2", [new, registry.layers[1]], LAYER + "+gzip")
        names = [f"docker://{registry.name}/team/app:{tag}" for tag in ("v1", "v2")]
        subprocess.run([os.path.join(TOP, "build/release/holdfast"), "image", "delta", *names, "--push"], check=True, stdout=subprocess.DEVNULL)
        done = scene.pull("v1")
        equal(f"the pull of v1 ({done.stdout[-500:]})", done.returncode, 0)
        before = scene.metric("holdfast_mirror_fetched_bytes_total")
        done = scene.pull("v2")
        equal(f"the pull of v2 ({done.stdout[-500:]})", done.returncode, 0)
        fetched = scene.metric("holdfast_mirror_fetched_bytes_total") - before
        with open(os.path.join(scene.content, "blobs/sha256", digest(new).split(":")[1]), "rb") as file:
            equal("the layer", digest(file.read()), digest(new))
        equal("bytes made here", scene.metric('holdfast_mirror_sent_bytes_total{from="delta"}'), len(new))
        print(f"      a layer of {len(new)} bytes: {fetched:.0f} over the link")
        told = subprocess.run([os.path.join(TOP, "build/release/holdfast"), "image", "stats", "-o", "json", "--url",
                               f"http://127.0.0.1:{scene.node.metrics_port}/metrics"], check=True, stdout=subprocess.PIPE).stdout
        equal("image stats", json.loads(told),
              [{"image": f"{registry.name}/team/app", "askedBytes": scene.metric("holdfast_mirror_sent_bytes_total"),
                "fetchedBytes": scene.metric("holdfast_mirror_fetched_bytes_total")}])
        if fetched > len(new) * 0.15:
            raise AssertionError(f"{fetched} of {len(new)} bytes came over the link")
        # killed while it makes a layer: no scratch file stays, and the next pull has the whole
        os.remove(os.path.join(scene.content, "blobs/sha256", digest(new).split(":")[1]))
        connection = http.client.HTTPConnection("127.0.0.1", scene.port, timeout=20)
        connection.request("GET", f"/v2/team/app/blobs/{digest(new)}?ns={registry.name}",
                           headers={"Authorization": scene.hosts().split('authorization = "')[1].split('"')[0]})
        connection.getresponse().read(1000)
        scene.node.kill_agent()
        connection.close()
        equal("files", set(os.listdir(scene.node.place("state", "mirror"))) - {"tags"}, {"secret", "hosts.toml"})
        scene.start()
        equal("the layer after it", digest(scene.ask(f"/v2/team/app/blobs/{digest(new)}")[2]), digest(new))


SLOW_LAYER, SLOW_CHANGE, SLOW_RATE = 12 << 20, 30000, 45000  # a byte that changes costs the delta one


def on_a_slow_link():
    """A layer leaves while its delta arrives; a kill -9 in the middle leaves nothing; the pull costs the link the delta."""
    with Scene("slow") as scene:
        registry, link = scene.registry, Link(scene.registry.port)
        scene.stack.callback(link.shutdown)
        registry.name = f"127.0.0.1:{link.server_address[1]}"
        scene.policy({"registries": [registry.name], "port": scene.port})
        scene.start_containerd()
        old = os.urandom(SLOW_LAYER)
        new = b"".join(os.urandom(SLOW_CHANGE) + old[at + SLOW_CHANGE:at + (1 << 20)] for at in range(0, SLOW_LAYER, 1 << 20))
        registry.put_image("v1", [old, registry.layers[1]])
        manifest = "/v2/team/app/manifests/" + digest(registry.put_image("v2", [new, registry.layers[1]])[0])
        names = [f"docker://127.0.0.1:{registry.port}/team/app:{tag}" for tag in ("v1", "v2")]
        subprocess.run([os.path.join(TOP, "build/release/holdfast"), "image", "delta", *names, "--push"], check=True, stdout=subprocess.DEVNULL)
        wait("the registry by its name", lambda: scene.ask(manifest, Accept=MANIFEST)[0] == 200)
        done = scene.pull("v1")
        equal(f"the pull of v1 ({done.stdout[-500:]})", done.returncode, 0)
        link.rate = SLOW_RATE
        delta = SLOW_LAYER // (1 << 20) * SLOW_CHANGE

        def fetched():
            return scene.metric("holdfast_mirror_fetched_bytes_total") - before
        scene.ask(manifest, Accept=MANIFEST)
        connection = http.client.HTTPConnection("127.0.0.1", scene.port, timeout=60)
        connection.request("GET", f"/v2/team/app/blobs/{digest(new)}?ns={registry.name}",
                           headers={"Authorization": scene.hosts().split('authorization = "')[1].split('"')[0]})
        connection.getresponse().read(1000)
        scene.node.kill_agent()
        connection.close()
        equal("files", set(os.listdir(scene.node.place("state", "mirror"))) - {"tags"}, {"secret", "hosts.toml"})
        scene.start()
        before, began, result = scene.metric("holdfast_mirror_fetched_bytes_total"), time.monotonic(), []
        pull = threading.Thread(target=lambda: result.append(scene.pull("v2")))
        pull.start()
        wait("the first bytes", lambda: scene.metric('holdfast_mirror_sent_bytes_total{from="delta"}') > 64000)
        first, arrived = time.monotonic() - began, fetched()
        if arrived >= delta:
            raise AssertionError(f"nothing left before all {arrived} bytes had arrived")
        pull.join()
        took = time.monotonic() - began
        equal(f"the pull of v2 ({result[0].stdout[-500:]})", result[0].returncode, 0)
        with open(os.path.join(scene.content, "blobs/sha256", digest(new).split(":")[1]), "rb") as file:
            equal("the layer", digest(file.read()), digest(new))
        print(f"      a layer of {len(new)} bytes at {SLOW_RATE} bytes/s: first bytes after {first:.1f} s, with {arrived:.0f} here, all after {took:.0f} s, "
              f"with {fetched():.0f}")
        if fetched() > delta * 1.2 + 64000:
            raise AssertionError(f"{fetched()} bytes came over the link for a delta of {delta}")


def ready_before_a_pod():
    """An image comes in its window, over a kill -9 in the middle of it, and is there when the registry is not. So long a release waits."""
    with Scene("prefetch") as scene:
        scene.node.server = Artifacts()
        scene.stack.callback(scene.node.server.end)
        release = scene.node.create("app", "v1", 1, __file__, service=False).replace("\nspec:\n", "\nspec:\n  waitForImages: true\n")
        registry = scene.registry
        image = f"{registry.name}/team/app:1@{digest(registry.manifest)}"
        mirror = {"registries": [registry.name], "port": scene.port, "maxBytes": "64Mi"}
        condition = scene.images_ready
        now = time.gmtime()
        later = f"{(now.tm_hour + 12) % 24:02d}:00"
        scene.policy(mirror, [image], connectivity={"windows": [{"start": later, "duration": "1h", "timeZone": "UTC"}]})
        wait("the window to be waited for", lambda: condition() == ("False", "LinkWindowClosed"))
        equal("bytes outside of the window", scene.metric("holdfast_mirror_fetched_bytes_total"), 0)
        scene.node.apply("app", release)
        wait("the release to wait", lambda: scene.node.update("app").get("reason") == "ImagesPending")
        scene.policy(mirror, [image])
        partial = scene.node.place("state", "mirror", "cache", "partial")
        wait("the first bytes", lambda: scene.metric("holdfast_mirror_fetched_bytes_total") > 0)
        scene.node.kill_agent()
        scene.start()
        wait("the image", lambda: condition() == ("True", "Ready"))
        equal("the release", scene.node.wait_end("app", 1)["phase"], "Committed")
        equal("what is half there", os.listdir(partial), [])
        registry.stop()
        for path, content in (("manifests/" + digest(registry.manifest), registry.manifest), ("blobs/" + digest(registry.layers[0]), registry.layers[0])):
            status, _, body = scene.ask("/v2/team/app/" + path)
            equal("without the registry: " + path[:9], (status, digest(body)), (200, digest(content)))
        registry.start()
        scene.policy(None)
        wait("the cache to go", lambda: not os.path.exists(scene.node.place("state", "mirror", "cache")))


def begin_a_slow_pull(scene, blob):
    """An answer whose body waits in the mirror: the client reads only what it asks for, and the kernel keeps little."""
    connection = http.client.HTTPConnection("127.0.0.1", scene.port, timeout=45)
    connection.sock = socket.socket()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    connection.sock.connect(("127.0.0.1", scene.port))
    connection.request("GET", f"/v2/team/app/blobs/{digest(blob)}?ns={scene.registry.name}",
                       headers={"Authorization": scene.hosts().split('authorization = "')[1].split('"')[0]})
    answer = connection.getresponse()
    equal("a slow pull", answer.status, 200)
    return answer


def ready_before_a_static_pod():
    """The image that a pod names is there before its manifest is placed, and when the registry is not. A pull goes on when the images change."""
    with Scene("workloads") as scene:
        registry, large, host = scene.registry, os.urandom(24 << 20), scene.node.place("host")
        registry.put_image("large", [large])
        scene.node.kill_agent()
        scene.configure({"staticPodFolder": "/etc/pods", "manifests": {"staticPods": True, "files": ["/etc/first/**"], "paths": ["/sets/**"]}})
        for folder in ("etc/pods", "etc/first", "sets/pods"):
            os.makedirs(os.path.join(host, folder))
        mirror = {"registries": [registry.name], "port": scene.port, "maxBytes": "64Mi"}
        scene.policy(mirror, workloads=True, manifests=[
            {"name": "pods", "to": "StaticPods", "from": {"path": "/sets/pods"}, "dependsOn": ["first"]},
            {"name": "first", "to": "Files", "path": "/etc/first/", "from": {"path": "/sets/first"}}])
        scene.start()

        def put(name, image):
            path = os.path.join(host, "sets", name)
            with open(path + ".part", "w", encoding="utf-8") as file:
                json.dump({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"}, "spec": {"containers": [{"name": "c", "image": image}]}}, file)
            os.rename(path + ".part", path + "/app.yaml")
        wait("the content to be waited for", lambda: scene.images_ready() == ("False", "ContentPending"))
        put("pods", f"{registry.name}/team/app:1")
        wait("the tag to be named", lambda: scene.images_ready() == ("False", "NameIncomplete"))
        equal("bytes for a tag", scene.metric("holdfast_mirror_fetched_bytes_total"), 0)
        pull = begin_a_slow_pull(scene, large)
        put("pods", f"{registry.name}/team/app:1@{digest(registry.manifest)}")
        wait("the image", lambda: scene.images_ready() == ("True", "Ready"))
        equal("manifests in place", os.listdir(host + "/etc/pods"), [])
        equal("the slow pull", digest(pull.read()), digest(large))
        registry.stop()
        os.makedirs(host + "/sets/first")
        with open(host + "/sets/first/a", "w", encoding="utf-8") as file:
            file.write("first\n")
        wait("the manifest", lambda: os.listdir(host + "/etc/pods"))
        for path, content in (("manifests/" + digest(registry.manifest), registry.manifest), ("blobs/" + digest(registry.layers[0]), registry.layers[0])):
            status, _, body = scene.ask("/v2/team/app/" + path)
            equal("without the registry: " + path[:9], (status, digest(body)), (200, digest(content)))


def containerd_without_the_agent():
    """A mirror that is away costs a pull next to nothing."""
    with Scene("away") as scene:
        scene.start_containerd()
        scene.node.kill_agent()
        start = time.monotonic()
        done = scene.pull()
        equal(f"the pull ({done.stdout[-500:]})", done.returncode, 0)
        if time.monotonic() - start > 10:
            raise AssertionError(f"the pull took {time.monotonic() - start:.1f} s")


def no_open_door():
    """Nobody without the secret gets anything; the files with it are root's alone, and stay over a restart."""
    with Scene("door") as scene:
        equal("without the secret", scene.blob(secret=False)[0], 401)
        equal("with another", scene.blob(secret=False, Authorization="Basic aG9sZGZhc3Q6eA==")[0], 403)
        equal("with it", scene.blob()[0], 200)
        for name in ("secret", "hosts.toml"):
            equal(name, os.stat(scene.node.place("state", "mirror", name)).st_mode & 0o777, 0o600)
        before = scene.hosts()
        scene.node.stop_agent()
        scene.start()
        equal("hosts.toml after a restart", scene.hosts(), before)
        scene.policy({"registries": ["other.example"], "port": scene.port})

        def is_unknown():
            try:
                return scene.blob()[0] == 404
            except http.client.IncompleteRead:     # the new list ends what goes on under the old one
                return False
        wait("another list", is_unknown)
        scene.policy(None)
        wait("the mirror to end", lambda: scene.ask("/v2/", secret=False)[0] == 0)


def private():
    """The node's credential opens what the client has none for, by a token; Range and HEAD as for others."""
    with Scene("private", password="p4ss") as scene:
        status, headers, body = scene.ask("/v2/team/app/manifests/1", Accept=MANIFEST)
        equal("the manifest", (status, body, headers["Content-Type"], headers["Docker-Content-Digest"]),
              (200, scene.registry.manifest, MANIFEST, digest(scene.registry.manifest)))
        equal("a part", scene.blob(Range="bytes=100-199")[::2], (206, scene.registry.layers[0][100:200]))
        status, headers, body = scene.blob(method="HEAD")
        equal("its length", (status, headers["Content-Length"], body), (200, str(SIZE), b""))
        equal("a push", scene.blob(method="DELETE")[0], 405)
        with open(scene.node.place("password"), "w", encoding="utf-8") as file:
            file.write("wrong")
        equal("the token that is there", scene.blob()[0], 200)
        scene.registry.door.token = "another"
        equal("a wrong password", scene.blob()[0], 403)


ANSWER = """
def answer(password, keep="1h", scope="Registry"):
    print(json.dumps({"apiVersion": asked["apiVersion"], "kind": "CredentialProviderResponse", "cacheKeyType": scope, "cacheDuration": keep,
                      "auth": {asked["image"].split("/")[0]: {"username": "edge", "password": password}}}))
"""


def by_a_plugin_of_the_kubelet():
    """The kubelet's credential provider opens a private registry, by token and by password; whatever is wrong with it, the registry is asked
    without a login, and the log and ImagesReady say why. No secret is in the log."""
    with Scene("plugin", password="p4ss", plugin=True) as scene:
        door, layer = scene.registry.door, digest(scene.registry.layers[0])

        def opens():
            return (scene.blob()[0], scene.blob(1)[0])
        door.wants = "basic"
        scene.put_plugin(ANSWER + "sys.stderr.write('p4ss'); answer('p4ss')")
        pulls = [threading.Thread(target=scene.blob) for _ in range(4)]
        for pull in pulls:
            pull.start()
        for pull in pulls:
            pull.join()
        equal("by the password", opens(), (200, 200))
        equal("runs of the plugin", scene.runs(), 1)
        rows = [("another password", ANSWER + "answer('wr0ng')", None),
                ("another image's", ANSWER.replace('asked["image"]', '"elsewhere"') + "answer('p4ss')", None),
                ("a wrong answer", "print('p4ss')", "its answer is not JSON"),
                ("a crash", "print('p4ss'); os.abort()", "signal 6 ended it"),
                ("a failure", "print('p4ss', file=sys.stderr); sys.exit(2)", "it ended with exit code 2"),
                ("an endless answer", "while True: print('p4ss' * 1000)", "its answer has more than 64 KiB"),
                ("a slow one", "time.sleep(100)", "it did not answer within 30 seconds")]
        for what, script, reason in rows:
            if "endless" in what:
                script = "import resource\nfor _ in range(10000): print('p4ss' * 1000)"
            before = scene.log().count('"image.login_failed"')
            scene.put_plugin(script)
            start = time.monotonic()
            equal(what, opens(), (403, 403))
            if time.monotonic() - start > 40:
                raise AssertionError(f"{what}: {time.monotonic() - start:.1f} s for two layers")
            equal(f"{what}: lines in the log", scene.log().count('"image.login_failed"') - before, 1 if reason else 0)
            if reason and reason not in scene.log().rsplit('"image.login_failed"', 1)[1]:
                raise AssertionError(f"{what}: {scene.log()[-600:]}")
        door.wants = "nothing"
        equal("a public registry beside it", opens(), (200, 200))
        # what was good for a second, of a plugin that is gone then
        door.wants = "basic"
        scene.put_plugin(ANSWER + "answer('p4ss', '1s')")
        equal("the plugin", opens(), (200, 200))
        os.remove(scene.node.place("plugins", "plugin"))
        wait("the login to expire", lambda: opens() == (403, 403))
        # an image to prefetch says so, and comes when the plugin is there again
        image = f"{scene.registry.name}/team/app:1@{digest(scene.registry.manifest)}"
        scene.policy({"registries": [scene.registry.name], "port": scene.port, "maxBytes": "64Mi"}, [image])

        def condition():
            return next(((one["reason"], one["message"]) for one in (scene.node.status() or {}).get("conditions", []) if one["type"] == "ImagesReady"), ("", ""))
        wait("the condition", lambda: condition()[0] == "LoginFailed")
        if "credential provider 'plugin'" not in condition()[1]:
            raise AssertionError(condition()[1])
        scene.put_plugin(ANSWER + "answer('p4ss')")
        scene.node.kill_agent()
        scene.start()
        wait("the image", lambda: condition()[0] == "Ready")
        scene.policy({"registries": [scene.registry.name], "port": scene.port})     # without what is kept
        wait("the cache to go", lambda: not os.path.exists(scene.node.place("state", "mirror", "cache")))
        door.wants = "token"
        status, _, body = scene.blob()
        equal("by a token", (status, digest(body)), (200, layer))
        for secret in ("p4ss", base64.b64encode(b"edge:p4ss").decode()):
            if secret in scene.log():
                raise AssertionError("the log has a secret")


def damaged_registry():
    """A blob that changed on the registry's disk is never a whole one here."""
    with Scene("damaged") as scene:
        name = digest(scene.registry.layers[0]).split(":")[1]
        path = os.path.join(scene.registry.home, "registry", "docker/registry/v2/blobs/sha256", name[:2], name, "data")
        with open(path, "r+b") as file:
            file.seek(SIZE // 2)
            file.write(b"damaged")
        try:
            _, _, body = scene.blob()
        except http.client.IncompleteRead as error:
            body = error.partial
        if len(body) >= SIZE:
            raise AssertionError("all bytes of a wrong blob")
        wait("a word about it", lambda: '"image.wrong"' in open(scene.node.place("agent.log"), encoding="utf-8").read())


class Split(http.server.ThreadingHTTPServer):
    """What pulls goes to the mirror, as containerd asks it; what pushes or lists goes to the registry itself."""
    daemon_threads = True

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version, wbufsize = "HTTP/1.1", -1

        def do_GET(self):
            scene, (path, _, query) = self.server.scene, self.path.partition("?")
            pulls = self.command in ("GET", "HEAD") and "/uploads/" not in path and any(f"/{kind}/" in path for kind in ("manifests", "blobs"))
            fields = {name: value for name, value in self.headers.items() if name not in ("Host", "Connection", "Transfer-Encoding")}
            if pulls:
                self.server.pulls += 1
                fields["Authorization"] = self.server.secret
                query = f"ns={scene.registry.name}"
            body = b"".join(self.chunks()) if "Transfer-Encoding" in self.headers else self.rfile.read(int(self.headers.get("Content-Length") or 0))
            connection = http.client.HTTPConnection("127.0.0.1", scene.port if pulls else scene.registry.port, timeout=60)
            with contextlib.closing(connection):
                connection.request(self.command, path + ("?" + query if query else ""), body, fields)
                answer = connection.getresponse()
                content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name not in ("Connection", "Date", "Server", "Transfer-Encoding"):
                    self.send_header(name, value)
            if "Content-Length" not in answer.headers and answer.status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def chunks(self):
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()

        def log_message(self, *_):
            pass

    def __init__(self, scene):
        super().__init__(("127.0.0.1", 0), Split.Handler)
        self.scene, self.pulls, self.secret = scene, 0, scene.hosts().split('authorization = "')[1].split('"')[0]
        threading.Thread(target=self.serve_forever, daemon=True).start()


def conformance():
    """The conformance tests of the OCI distribution specification: what they push, they pull through the mirror and its cache. The
    registry itself has no referrers, no SHA-512 and no layers that are elsewhere."""
    with Scene("conformance") as scene:
        scene.policy({"registries": [scene.registry.name], "port": scene.port, "maxBytes": "64Mi"})
        wait("the cache", lambda: os.path.exists(scene.node.place("state", "mirror", "cache")))
        split = Split(scene)
        done = subprocess.run([os.path.join(os.path.dirname(scene.registry.program), "conformance")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False, timeout=300, cwd=scene.node.home,
                              env={"OCI_REGISTRY": f"127.0.0.1:{split.server_address[1]}", "OCI_TLS": "disabled", "OCI_RESULTS_DIR": scene.node.place("results"),
                                   "OCI_DATA_SHA512": "false", "OCI_API_REFERRER": "false", "OCI_DATA_NONDISTRIBUTABLE": "false"})
        split.shutdown()
        equal(f"conformance ({done.stdout[-3000:]})", done.returncode, 0)
        counts = {line.split(".")[0].strip(): line.split()[-1] for line in done.stdout.splitlines() if "..." in line}
        print(f"      {counts['Pass']} checks, {split.pulls} pulls")
        for what in ("Blob get", "Blob get range", "Blob head", "Manifest get by digest", "Manifest get by tag", "Manifest head by digest", "Manifest head by tag"):
            equal(what, counts[what], "Pass")
        if split.pulls < 200:
            raise AssertionError(f"only {split.pulls} pulls went through the mirror")


def stopped_in_the_middle():
    """A client, an agent and a registry that end in the middle leave nothing behind, and the next pull works."""
    with Scene("middle") as scene:
        for victim in ("client", "registry", "agent"):
            connection = http.client.HTTPConnection("127.0.0.1", scene.port, timeout=20)
            authorization = scene.hosts().split('authorization = "')[1].split('"')[0]
            connection.request("GET", f"/v2/team/app/blobs/{digest(scene.registry.layers[0])}?ns={scene.registry.name}",
                               headers={"Authorization": authorization})
            answer = connection.getresponse()
            answer.read(1000)
            if victim == "registry":
                scene.registry.process.send_signal(signal.SIGKILL)
                scene.registry.process.wait()
                scene.registry.start()
            elif victim == "agent":
                scene.node.kill_agent()
            connection.close()
            if victim == "agent":
                scene.start()
            status, _, body = scene.blob()
            equal(f"the next pull after the {victim}", (status, digest(body)), (200, digest(scene.registry.layers[0])))


def files_of(scene):
    """What is below the mirror's folder."""
    return {os.path.join(folder, name) for folder, _, names in os.walk(scene.node.place("state", "mirror")) for name in names}


def containerd_in_the_middle():
    """The agent is frozen, or killed, or the registry is, while containerd pulls: the pull ends right, the next one does, and nothing stays."""
    with Scene("frozen") as scene:
        scene.start_containerd()
        registry, ingest = scene.registry, os.path.join(scene.content, "ingest")

        def begun():
            with contextlib.suppress(FileNotFoundError):  # each goes when it is whole
                return any(os.path.getsize(os.path.join(ingest, one, "data")) > 100000 for one in os.listdir(ingest))
        tags = iter(range(2, 20))
        for victim in ("agent frozen", "registry frozen", "agent killed"):
            before, pull = files_of(scene), None
            while pull is None:
                tag, layer = next(tags), os.urandom(24 << 20)
                registry.put_image(str(tag), [layer])
                pull = subprocess.Popen(["ctr", "-a", scene.node.place("c.sock"), "content", "fetch", "--hosts-dir", scene.node.place("certs.d"),
                                         f"{registry.name}/team/app:{tag}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                until = time.monotonic() + 60
                while not begun() and pull.poll() is None and time.monotonic() < until:
                    pass
                process = registry.process if "registry" in victim else scene.node.agent
                process.send_signal(signal.SIGSTOP)
                time.sleep(0.5)
                if pull.poll() is not None:  # it was over before that
                    process.send_signal(signal.SIGCONT)
                    pull = None
            if "killed" in victim:
                scene.node.kill_agent()
            process.send_signal(signal.SIGCONT)
            said = pull.communicate(timeout=60)[0]
            equal(f"{victim}: the pull ({said[-500:]})", pull.returncode, 0)
            with open(os.path.join(scene.content, "blobs/sha256", digest(layer).split(":")[1]), "rb") as file:
                equal("the layer", digest(file.read()), digest(layer))
            if "killed" in victim:
                scene.start()
            wait("nothing new below the mirror's folder", lambda: files_of(scene) - {scene.node.place("state", "mirror", "tags")} <= before)
            equal("the next pull", scene.pull().returncode, 0)


def port_taken():
    """Another process has the mirror's port: no hosts.toml leads there, and a free port serves."""
    with Scene("port") as scene, socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        hosts = scene.node.place("state", "mirror", "hosts.toml")
        scene.policy({"registries": [scene.registry.name], "port": other.getsockname()[1]})
        wait("hosts.toml to go", lambda: not os.path.exists(hosts))
        equal("the old port", scene.ask("/v2/", secret=False)[0], 0)
        scene.policy({"registries": [scene.registry.name], "port": scene.port})
        wait("hosts.toml", lambda: os.path.exists(hosts))
        equal("a blob", scene.blob()[0], 200)


CASES = [containerd_pulls, containerd_configured_by_the_agent, containerd_by_delta, on_a_slow_link, ready_before_a_pod, ready_before_a_static_pod, containerd_without_the_agent, no_open_door, private, by_a_plugin_of_the_kubelet, damaged_registry, conformance, stopped_in_the_middle, containerd_in_the_middle, port_taken]

if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    sys.exit(run([(case.__name__, case) for case in CASES if not words or any(word in case.__name__ for word in words)]))
