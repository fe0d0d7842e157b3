# SPDX-License-Identifier: Apache-2.0
"""Container images by delta: what containerd has of the old image, and the delta, give the new one with its digest."""

import json
import os
import random
import shutil
import subprocess
import tarfile
import tempfile
import unittest

from lib import wait, world

PROGRAM = "#include <stdio.h>\nint main(void){puts(\"hello \" VERSION);return 0;}\n"


def run(*argv, **more):
    """What `argv` prints; its error text is in the exception."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)}: {done.returncode}: {done.stderr.decode(errors='replace')[-600:]}")
    return done.stdout


class TestImages(unittest.TestCase):
    """A containerd of its own: nothing of it is seen by the cluster."""

    @classmethod
    def setUpClass(cls):
        if os.getuid() != 0:
            raise unittest.SkipTest("needs root: containerd and runc")
        missing = [name for name in ("containerd", "ctr", "runc", "buildah", "gcc") if shutil.which(name) is None]
        if missing:
            raise unittest.SkipTest(f"not installed: {', '.join(missing)} (hack/setup.sh e2e)")
        cls.top = tempfile.mkdtemp(prefix="holdfast-images-")
        cls.addClassCleanup(shutil.rmtree, cls.top, ignore_errors=True)
        cls.holdfast = world.built("holdfast")
        cls.make_images()
        cls.start_containerd()

    @classmethod
    def path(cls, *names):
        return os.path.join(cls.top, *names)

    @classmethod
    def buildah(cls, *argv):
        stores = ["--root", cls.path("storage"), "--runroot", cls.path("storage-run"), "--storage-driver", "vfs"]
        return run("buildah", *stores, *argv).decode().strip()

    @classmethod
    def make_images(cls):
        """Two versions: a layer that stays, one with a static program and data of which a few words change."""
        dice = random.Random(1)
        words = [f"{dice.randrange(1 << 28):x}" for _ in range(4000)]
        data = " ".join(dice.choice(words) for _ in range(300000))
        texts = {"common": " ".join(dice.choice(words) for _ in range(100000)), "data1": data,
                 "data2": data[:1000000] + " changed here " + data[1000000:], "hello.c": PROGRAM}
        for name, text in texts.items():
            with open(cls.path(name), "w", encoding="ascii") as f:
                f.write(text)
        for version, word in ((1, "one"), (2, "two and more")):
            run("gcc", "-static", "-O1", f"-DVERSION=\"{word}\"", "-o", cls.path(f"hello{version}"), cls.path("hello.c"))
            box = cls.buildah("from", "scratch")
            cls.buildah("copy", box, cls.path("common"), "/common")
            cls.buildah("commit", "-q", box, f"base{version}")
            cls.buildah("copy", box, cls.path(f"hello{version}"), "/hello")
            cls.buildah("copy", box, cls.path(f"data{version}"), "/data")
            cls.buildah("config", "--cmd", "/hello", box)
            cls.buildah("commit", "-q", box, f"localhost/app:v{version}")
            for kind in ("oci", "docker"):
                cls.buildah("push", "-q", f"localhost/app:v{version}",
                            f"{kind}-archive:{cls.path(f'{kind}{version}.tar')}:localhost/app:v{version}")
            cls.buildah("rm", box)

    @classmethod
    def start_containerd(cls):
        with open(cls.path("config.toml"), "w", encoding="ascii") as f:
            f.write(f'version = 2\nroot = "{cls.path("root")}"\nstate = "{cls.path("state")}"\n'
                    f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "{cls.path("socket")}"\n')
        log = open(cls.path("containerd.log"), "wb")
        cls.addClassCleanup(log.close)
        daemon = subprocess.Popen(["containerd", "-c", cls.path("config.toml")], stdout=log, stderr=log)
        cls.addClassCleanup(daemon.wait)
        cls.addClassCleanup(daemon.terminate)
        wait.until("containerd to answer", lambda: subprocess.run(["ctr", "-a", cls.path("socket"), "version"],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0, 20)

    def ctr(self, *argv, space="k8s.io", **more):
        return run("ctr", "-a", self.path("socket"), "-n", space, *argv, **more).decode()

    def digest(self, name, space="k8s.io"):
        lines = [line.split() for line in self.ctr("images", "ls", f"name=={name}", space=space).splitlines()[1:]]
        self.assertEqual(len(lines), 1, lines)
        return lines[0][2]

    def say(self, space):
        """What a container of the new image prints."""
        try:
            return self.ctr("run", "--rm", "--snapshotter", "native", "--runtime", "io.containerd.runc.v2", "localhost/app:v2",
                            f"hello-{space}", space=space)
        finally:
            self.ctr("images", "rm", "localhost/app:v1", "localhost/app:v2", space=space)

    def update(self, kind):
        """Old image imported, delta applied to the content store, what comes out imported: its digest."""
        patch, store = self.path(f"{kind}.delta"), self.path("root", "io.containerd.content.v1.content")
        run(self.holdfast, "delta", "create", "--image", self.path(f"{kind}1.tar"), self.path(f"{kind}2.tar"), patch)
        whole, small = os.path.getsize(self.path(f"{kind}2.tar")), os.path.getsize(patch)
        self.assertLess(small, whole / 50)
        self.ctr("images", "import", self.path(f"{kind}1.tar"), space=kind)
        applied = run(self.holdfast, "delta", "apply", store, patch, "-")
        with open(self.path(f"{kind}2.tar"), "rb") as f:
            self.assertEqual(applied, f.read())
        self.ctr("images", "import", "-", space=kind, input=applied)
        return self.digest("localhost/app:v2", kind)

    def test_oci_layout(self):
        digest = self.update("oci")
        with tarfile.open(self.path("oci2.tar")) as tar:
            self.assertEqual(digest, json.load(tar.extractfile("index.json"))["manifests"][0]["digest"])
        self.assertEqual(self.say("oci"), "hello two and more\n")

    def test_docker_archive(self):
        digest = self.update("docker")
        self.ctr("images", "import", self.path("docker2.tar"), space="direct")
        self.assertEqual(digest, self.digest("localhost/app:v2", "direct"))
        self.assertEqual(self.say("docker"), "hello two and more\n")

    def test_a_blob_that_is_gone_is_named(self):
        patch = self.path("gone.delta")
        run(self.holdfast, "delta", "create", "--image", self.path("oci1.tar"), self.path("oci2.tar"), patch)
        os.makedirs(self.path("empty", "blobs", "sha256"), exist_ok=True)
        done = subprocess.run([self.holdfast, "delta", "apply", self.path("empty"), patch, "-"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, b"")
        self.assertRegex(done.stderr.decode(), r"blob sha256:[0-9a-f]{64} of the old image is missing")
