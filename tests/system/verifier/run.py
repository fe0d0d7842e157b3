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
[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.images"]
snapshotter = "native"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{sandbox}"
[plugins."io.containerd.cri.v1.images".registry]
config_path = "{work}/certs.d"
[plugins."io.containerd.transfer.v1.local"]
[[plugins."io.containerd.transfer.v1.local".unpack_config]]
platform = "linux/{arch}"
snapshotter = "native"
"""

# What the agent sees as the node's: WORK CONTAINERD CRICTL COMMAND...
PLACE = """
work=$1 containerd=$2 crictl=$3; shift 3
mkdir -p $work/over
mount -t tmpfs none $work/over
for folder in etc usr/bin; do
  mkdir -p $work/over/$folder.up $work/over/$folder.work
  mount -t overlay overlay -o lowerdir=/$folder,upperdir=$work/over/$folder.up,workdir=$work/over/$folder.work /$folder
done
ln -sf $containerd /usr/bin/containerd
ln -sf $crictl /usr/bin/crictl
mkdir -p /etc/containerd
cp $work/config.toml /etc/containerd/
exec "$@"
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
        """An image of one file, which it runs; returns the digest of its manifest."""
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as tar:
            member = tarfile.TarInfo("file")
            member.size, member.mode = len(text), 0o755
            tar.addfile(member, io.BytesIO(text))
        layer = gzip.compress(plain.getvalue(), mtime=0)
        config = json.dumps({"architecture": ARCH, "os": "linux", "config": {"Entrypoint": ["/file"]}, "rootfs": {
            "type": "layers", "diff_ids": [digest_of(plain.getvalue())]}}).encode()
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(config), "size": len(config)},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest_of(layer), "size": len(layer)}]}).encode()
        for blob in (layer, config, manifest):
            self.blobs[digest_of(blob)] = blob
        return digest_of(manifest)

    def save(self, digest, name, path):
        """The image as an OCI layout in a tar, as `ctr images import` takes it."""
        files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": json.dumps({"schemaVersion": 2, "manifests": [
            {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": len(self.blobs[digest]),
             "annotations": {"io.containerd.image.name": name}}]}).encode()}
        manifest = json.loads(self.blobs[digest])
        for one in (digest, manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])):
            files["blobs/" + one.replace(":", "/")] = self.blobs[one]
        with tarfile.open(path, "w") as tar:
            for where, content in files.items():
                member = tarfile.TarInfo(where)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


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
    """A registry, an agent with a signed list of one image, and a containerd with the verifier. A finding of the agent's needs one that
    sees this containerd as the node's (PLACE)."""

    def __init__(self):
        shutil.rmtree(WORK, ignore_errors=True)
        for folder in ("verifiers", "certs.d"):
            os.makedirs(os.path.join(WORK, folder))
        self.programs = subprocess.run([os.path.join(HERE, "build")], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        crictl = os.path.join(TOP, "tests", "system", "cluster", "build-crictl")
        self.crictl = os.path.join(subprocess.run([crictl], stdout=subprocess.PIPE, text=True, check=True).stdout.strip(), "crictl")
        self.registry = Registry()
        self.good, self.bad = self.registry.put(b"good"), self.registry.put(b"bad")
        self.registry.tags = {"good": self.good, "bad": self.bad, "moving": self.good}
        program = os.path.join(WORK, "waits")
        subprocess.run(["cc", "-static", "-xc", "-o", program, "-"], input=b"#include <unistd.h>\nint main(void) { return pause(); }\n", check=True)
        with open(program, "rb") as file:
            self.program = file.read()
        self.registry.tags["runs"] = self.registry.put(self.program)
        os.makedirs(os.path.join(WORK, "certs.d", self.registry.host))
        with open(os.path.join(WORK, "certs.d", self.registry.host, "hosts.toml"), "w", encoding="utf-8") as file:
            file.write(f'server = "http://{self.registry.host}"\n')
        self.node = Node(os.path.join(WORK, "node"), None)
        self.verifier = os.path.join(WORK, "verifiers", "holdfast-verify")
        shutil.copy2(os.path.join(PROGRAMS, "holdfast-verify"), self.verifier)
        self.log = open(os.path.join(WORK, "containerd.log"), "wb")
        self.start_containerd()

    def start_containerd(self, change=lambda text: text):
        with open(os.path.join(WORK, "config.toml"), "w", encoding="utf-8") as file:
            file.write(change(CONFIG.format(work=WORK, arch=ARCH, sandbox=f"{self.registry.host}/app:runs")))
        self.containerd = subprocess.Popen(
            [os.path.join(self.programs, "containerd"), "--config", os.path.join(WORK, "config.toml"), "--log-level", "debug"], stdout=self.log,
            stderr=self.log, preexec_fn=die_with_parent,
            env={"PATH": self.programs + ":" + os.environ["PATH"], "HOLDFAST_STATE_DIR": self.node.place("state"), "HOLDFAST_RUN_DIR": self.node.place("run")})
        wait("containerd to answer", lambda: self.answers(), 60)

    def stop_containerd(self):
        self.containerd.terminate()
        self.containerd.wait(30)

    def end(self):
        self.stop_containerd()
        self.node.end()
        self.registry.shutdown()
        self.log.close()

    def ctr(self, *words):
        return subprocess.run([os.path.join(self.programs, "ctr"), "-a", f"{WORK}/socket", "-n", "k8s.io", *words], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=True, timeout=120).stdout

    def says(self, reason, containerd=None):
        """The agent, with this containerd in the place of the node's and new eyes, finds this."""
        if self.node.agent is not None:
            self.node.kill_agent()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.node.place("run", "status.json"))
        self.node.start_agent("--run-dir", self.node.place("run"), wrapper=["unshare", "-m", "sh", "-ec", PLACE, "sh", WORK, containerd or
                                                                            os.path.join(self.programs, "containerd"), self.crictl])
        images.reason_is(self.node, "ImagesVerified", reason)
        return images.condition(self.node, "ImagesVerified")["message"]

    def run_pod(self, name, image):
        """A pod without network of its own; returns its id."""
        path = os.path.join(WORK, name + ".json")
        pod = {"metadata": {"name": name, "namespace": "default", "uid": name, "attempt": 0}, "linux": {"security_context": {"namespace_options": {"network": 2}}}}
        with open(path, "w", encoding="utf-8") as file:
            json.dump(pod, file)
        with open(path + "c", "w", encoding="utf-8") as file:
            json.dump({"metadata": {"name": name}, "image": {"image": image}, "linux": {}}, file)
        made = []
        for words in (["runp", path], ["create", None, path + "c", path], ["start", None]):
            code, said = self.cri(*(word or made[-1] for word in words))
            assert code == 0, f"{words}: {said}"
            made.append(said.strip().splitlines()[-1])
        return made[0]

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


def the_site(make=False):
    """The one of all tests; without what it needs each of them is skipped."""
    if os.geteuid() != 0:
        raise Skip("containerd needs root")
    if shutil.which("go") is None:
        raise Skip("Go is not installed: nothing builds containerd 2")
    if make:
        SITE.append(Site())
    return SITE[0]


def before_a_list():
    """Nothing is pulled before a list is there."""
    the_site(make=True).refuses(":good", "ListMissing")


def with_a_list():
    """The signed list lets its image in, by tag and digest, and no other, under any name."""
    site = the_site()
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
    site = the_site()
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


def what_it_cannot_see():
    """What gets past the verifier gets past it here, too, and the condition names it: a tar, and settings of containerd."""
    site = the_site()
    runs, unlisted = site.registry.tags["runs"], site.registry.put(site.program + b"another")
    site.node.apply("site", images.sign(site.node, images.policy([site.good, runs], sequence=8)))
    site.says("Verified")
    wait("the newer list", lambda: images.ask(site.node, runs) == 0, 60)
    site.refuses(f"@{unlisted}", "NotListed")
    site.pulls(":runs")
    assert site.pull(":runs")[0] == 0
    listed = site.run_pod("listed", f"{site.registry.host}/app:runs")
    site.says("Verified")

    # a tar, as in K3s' agent/images, or by ctr
    tar = os.path.join(WORK, "preloaded.tar")
    site.registry.save(unlisted, "preloaded.example/app:1", tar)
    site.ctr("images", "import", "--snapshotter", "native", tar)
    site.says("Verified")  # it is there, and nothing runs it
    pod = site.run_pod("preloaded", "preloaded.example/app:1")
    said = site.says("UnlistedRunning")
    assert "preloaded" in said and "1 container" in said, said
    # under a listed name
    lie = f"lying.example/app@{runs}"
    site.registry.save(unlisted, lie, tar)
    site.ctr("images", "import", "--snapshotter", "native", tar)
    for each in (pod, listed):
        assert site.cri("rmp", "-f", each)[0] == 0
    site.says("Verified")
    pod = site.run_pod("lying", lie)
    site.says("UnlistedRunning")
    assert site.cri("rmp", "-f", pod)[0] == 0
    site.ctr("images", "tag", "--force", "preloaded.example/app:1", f"{site.registry.host}/app:runs")
    pod = site.run_pod("retagged", f"{site.registry.host}/app:runs")
    site.says("UnlistedRunning")
    assert site.cri("rmp", "-f", pod)[0] == 0
    for name in (lie, "preloaded.example/app:1", f"{site.registry.host}/app:runs"):
        site.ctr("images", "rm", name)
    site.says("Verified")

    # settings by which containerd asks nobody
    pulls = '[plugins."io.containerd.cri.v1.images"]\n'
    for reason, change in (("LocalPull", lambda text: text.replace(pulls, pulls + "use_local_image_pull = true\n")),
                           ("LocalPull", lambda text: text.replace(pulls, pulls + "max_concurrent_downloads = 2\n")),
                           ("LocalPull", lambda text: text.replace(pulls, pulls + "discard_unpacked_layers = true\n")),
                           ("VerifierDisabled", lambda text: text.replace("bin_dir =", "max_verifiers = 0\nbin_dir =")),
                           ("VerifierMissing", lambda text: text.replace("/verifiers", "/none"))):
        site.stop_containerd()
        site.start_containerd(change)
        site.pulls(f"@{unlisted}")
        site.says(reason)
    site.stop_containerd()

    # K3s' own configuration pulls so; a file that it imports takes that back, and nothing else
    os.mkdir(os.path.join(WORK, "config-v3.toml.d"))
    with open(os.path.join(WORK, "config-v3.toml.d", "verify.toml"), "w", encoding="utf-8") as file:
        file.write("version = 3\n[plugins.'io.containerd.cri.v1.images']\nuse_local_image_pull = false\n")
    site.start_containerd(lambda text: text.replace("version = 3\n", f'version = 3\nimports = ["{WORK}/config-v3.toml.d/*.toml"]\n')
                          .replace(pulls, pulls + "disable_snapshot_annotations = true\nuse_local_image_pull = true\n"))
    site.refuses(f"@{unlisted}", "NotListed")
    site.pulls(f"@{site.good}")
    site.says("Verified")
    site.stop_containerd()
    site.says("ListingFailed")
    site.start_containerd()
    older = os.path.join(WORK, "older")
    with contextlib.suppress(FileNotFoundError):
        shutil.copy2("/usr/bin/containerd", older)
        site.says("RuntimeTooOld", older)
    site.says("Verified")


def with_a_dead_verifier():
    """A verifier that is killed, cannot run or never answers lets nothing in."""
    site = the_site()
    for text in ("#!/bin/sh\nkill -9 $$\n", "no program", "#!/bin/sh\nsleep 60\n"):
        with open(site.verifier + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(site.verifier + ".new", 0o755)
        os.rename(site.verifier + ".new", site.verifier)
        site.refuses(":good", "blocking pull of")
    site.end()
    SITE.clear()


def main():
    return suite.run([(each.__doc__, each) for each in (before_a_list, with_a_list, with_a_list_gone_or_old, what_it_cannot_see, with_a_dead_verifier)])


if __name__ == "__main__":
    code = main()
    if SITE:
        SITE[0].end()
    sys.exit(code)
