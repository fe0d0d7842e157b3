#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pulls through a real containerd 2.1 that asks holdfast-verify, by the CRI as a kubelet does.

    tests/system/verifier/run.py

containerd is built from Go modules (build); the registry is this process. The agent gets signed policies from a folder. Needs root and
Go, else it is skipped with the reason. Ends with the plain line "N passed, N failed, N skipped".
"""
import contextlib
import gzip
import hashlib
import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.realpath(os.path.join(HERE, "..", "..", ".."))
WORK = os.path.join(TOP, "build", "verifier-test")
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(TOP, "tests", "support"), os.path.join(TOP, "tests", "system", "fault"), os.path.join(TOP, "tests", "attack")]

import images  # noqa: E402
import suite  # noqa: E402
from lab import PROGRAMS, die_with_parent, wait  # noqa: E402
from node import ARCH, Node  # noqa: E402
from suite import Skip  # noqa: E402

CONFIG = """version = 3
root = "{work}/root"
state = "{work}/run"
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt"]
[grpc]
address = "{work}/socket"
[ttrpc]
address = "{work}/ttrpc"
[plugins."io.containerd.image-verifier.v1.bindir"]
bin_dir = "{work}/verifiers"
[plugins."io.containerd.cri.v1.images"]
snapshotter = "native"
[plugins."io.containerd.cri.v1.images".registry]
config_path = "{work}/certs.d"
[plugins."io.containerd.transfer.v1.local"]
[[plugins."io.containerd.transfer.v1.local".unpack_config]]
platform = "linux/{arch}"
snapshotter = "native"
"""


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Registry(http.server.ThreadingHTTPServer):
    """The pull half of a registry: blobs by digest, manifests by digest and tag."""
    daemon_threads = True

    def __init__(self):
        self.blobs, self.tags = {}, {}
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.host = f"127.0.0.1:{self.server_address[1]}"

    def put(self, text):
        """An image of one file; returns the digest of its manifest."""
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as tar:
            member = tarfile.TarInfo("file")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
        layer = gzip.compress(plain.getvalue(), mtime=0)
        config = json.dumps({"architecture": ARCH, "os": "linux", "config": {}, "rootfs": {
            "type": "layers", "diff_ids": [digest_of(plain.getvalue())]}}).encode()
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(config), "size": len(config)},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest_of(layer), "size": len(layer)}]}).encode()
        for blob in (layer, config, manifest):
            self.blobs[digest_of(blob)] = blob
        return digest_of(manifest)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = self.path.split("?")[0].rsplit("/", 1)[-1]
        name = self.server.tags.get(name, name)
        blob = b"{}" if self.path == "/v2/" else self.server.blobs.get(name)
        self.send_response(200 if blob is not None else 404)
        self.send_header("Content-Type", "application/vnd.oci.image.manifest.v1+json" if "/manifests/" in self.path else "application/octet-stream")
        if name.startswith("sha256:"):
            self.send_header("Docker-Content-Digest", name)
        self.send_header("Content-Length", str(len(blob or b"")))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(blob or b"")

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class Site:
    """A registry, an agent with a signed list of one image, and a containerd with the verifier."""

    def __init__(self):
        if os.geteuid() != 0:
            raise Skip("containerd needs root")
        if shutil.which("go") is None:
            raise Skip("Go is not installed: nothing builds containerd 2")
        shutil.rmtree(WORK, ignore_errors=True)
        for folder in ("verifiers", "certs.d"):
            os.makedirs(os.path.join(WORK, folder))
        self.programs = subprocess.run([os.path.join(HERE, "build")], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        crictl = os.path.join(TOP, "tests", "system", "cluster", "build-crictl")
        self.crictl = os.path.join(subprocess.run([crictl], stdout=subprocess.PIPE, text=True, check=True).stdout.strip(), "crictl")
        self.registry = Registry()
        self.good, self.bad = self.registry.put(b"good"), self.registry.put(b"bad")
        self.registry.tags = {"good": self.good, "bad": self.bad, "moving": self.good}
        os.makedirs(os.path.join(WORK, "certs.d", self.registry.host))
        with open(os.path.join(WORK, "certs.d", self.registry.host, "hosts.toml"), "w", encoding="utf-8") as file:
            file.write(f'server = "http://{self.registry.host}"\n')
        self.node = Node(os.path.join(WORK, "node"), None)
        self.verifier = os.path.join(WORK, "verifiers", "holdfast-verify")
        shutil.copy2(os.path.join(PROGRAMS, "holdfast-verify"), self.verifier)
        with open(os.path.join(WORK, "config.toml"), "w", encoding="utf-8") as file:
            file.write(CONFIG.format(work=WORK, arch=ARCH))
        self.log = open(os.path.join(WORK, "containerd.log"), "wb")
        self.containerd = subprocess.Popen(
            [os.path.join(self.programs, "containerd"), "--config", os.path.join(WORK, "config.toml"), "--log-level", "debug"], stdout=self.log,
            stderr=self.log, preexec_fn=die_with_parent,
            env={"PATH": self.programs + ":" + os.environ["PATH"], "HOLDFAST_STATE_DIR": self.node.place("state"), "HOLDFAST_RUN_DIR": self.node.place("run")})
        wait("containerd to answer", lambda: self.answers(), 60)

    def end(self):
        self.containerd.terminate()
        self.containerd.wait(30)
        self.node.end()
        self.registry.shutdown()
        self.log.close()

    def cri(self, *words):
        done = subprocess.run([self.crictl, "--runtime-endpoint", f"unix://{WORK}/socket", "--image-endpoint", f"unix://{WORK}/socket", *words],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120)
        return done.returncode, done.stdout

    def answers(self):
        code, self.said = self.cri("version")
        return code == 0

    def pull(self, name):
        return self.cri("pull", f"{self.registry.host}/app{name}")

    def pulls(self, name):
        code, said = self.pull(name)
        assert code == 0, f"{name}: {said}"
        assert self.cri("rmi", f"{self.registry.host}/app{name}")[0] == 0

    def refuses(self, name, reason):
        code, said = self.pull(name)
        assert code != 0 and reason in said, f"{name}: {code}: {said}"


SITE = []


def before_a_list():
    """Nothing is pulled before a list is there."""
    SITE.append(Site())
    SITE[0].refuses(":good", "ListMissing")


def with_a_list():
    """The signed list lets its image in, by tag and digest, and no other, under any name."""
    site = SITE[0]
    site.node.apply("site", images.sign(site.node, images.policy([site.good], sequence=5)))
    site.node.start_agent("--run-dir", site.node.place("run"))
    wait("the list to be in place", lambda: images.ask(site.node, site.good) == 0, 60)
    for name in (":good", ":moving", f"@{site.good}"):
        site.pulls(name)
    for name in (":bad", f"@{site.bad}"):
        site.refuses(name, "NotListed")
    site.registry.tags["moving"] = site.registry.tags["good"] = site.bad
    site.refuses(":moving", "NotListed")
    site.refuses(":good", "NotListed")
    site.registry.tags["good"] = site.good
    wait("the refusals in the log", lambda: b"images.refused" in open(site.node.place("agent.log"), "rb").read(), 60)


def with_a_list_gone_or_old():
    """A damaged and an expired list let nothing in; a newer list does at once."""
    site = SITE[0]
    site.node.apply("site", images.sign(site.node, images.policy([site.good], sequence=6, expires=5)))
    wait("the list to expire", lambda: images.ask(site.node, site.good) != 0, 60)
    site.refuses(":good", "ListExpired")
    site.node.apply("site", images.sign(site.node, images.policy([site.good, site.bad], sequence=7)))
    wait("the newer list", lambda: images.ask(site.node, site.bad) == 0, 60)
    site.pulls(":bad")
    site.node.kill_agent()
    with open(images.listed(site.node), "r+b") as file:
        file.truncate(30)
    site.refuses(":good", "ListDamaged")


def with_a_dead_verifier():
    """A verifier that is killed, cannot run or never answers lets nothing in."""
    site = SITE[0]
    for text in ("#!/bin/sh\nkill -9 $$\n", "no program", "#!/bin/sh\nsleep 60\n"):
        with open(site.verifier + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(site.verifier + ".new", 0o755)
        os.rename(site.verifier + ".new", site.verifier)
        site.refuses(":good", "verifier")
    site.end()
    SITE.clear()


def main():
    return suite.run([(each.__doc__, each) for each in (before_a_list, with_a_list, with_a_list_gone_or_old, with_a_dead_verifier)])


if __name__ == "__main__":
    code = main()
    if SITE:
        SITE[0].end()
    sys.exit(code)
