# SPDX-License-Identifier: Apache-2.0
"""docs/how-to/container-images.md, command by command: a Deployment's image is changed with kubectl, its pod runs the new one, and the link
carried the delta. Registry, containerd, kubelet and the agent on the host are the real ones."""

import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

from holdcluster import node as nodes_of, place
from lib import case, wait, world

sys.path.insert(0, os.path.join(place.TOP, "tests", "system", "docs"))
import pages  # noqa: E402

PAGE = "docs/how-to/container-images.md"
NAME, PORT = "images.example.com", 5000
REGISTRY = f"{place.API_IP}:{PORT}"
VERSIONS = ("1.4.1", "1.4.2")


class TestPage(case.Case):
    life = "unit"

    def setUp(self):
        missing = [name for name in ("buildah", "go") if shutil.which(name) is None]
        if missing:
            raise unittest.SkipTest(f"not installed: {', '.join(missing)} (hack/setup.sh e2e)")
        super().setUp()
        self.folder = tempfile.mkdtemp(prefix="holdfast-container-images-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        place.write(os.path.join(world.cluster.root(self.node), "usr/local/bin/holdfast"), open(world.built("holdfast"), "rb").read(), 0o755)
        self.start_registry()
        for version in VERSIONS:
            self.push(version)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def start_registry(self):
        built = subprocess.run([os.path.join(place.TOP, "tests/system/dist/registry/build")], stdout=subprocess.PIPE, text=True, check=True)
        place.write(self.path("registry.json"), json.dumps({"version": 0.1, "http": {"addr": f"0.0.0.0:{PORT}"},
                                                             "storage": {"filesystem": {"rootdirectory": self.path("registry")}}}))
        world.cluster.start_in_plane("registry", [built.stdout.split()[-1], "serve", self.path("registry.json")])
        self.addCleanup(world.cluster.stop_in_plane, "registry")
        wait.until("the registry", lambda: world.cluster.run_in_plane(
            "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://{REGISTRY}/v2/", check=False) == "200", 30)

    def push(self, version):
        """An image as a Dockerfile would make it: a program that stays, and text of which a few words differ by version."""
        dice = random.Random(7)
        words = [f"{dice.randrange(1 << 28):x}" for _ in range(4000)]
        text = [dice.choice(words) for _ in range(200000)]
        text[1000] = text[150000] = version
        place.write(self.path("context", "data"), " ".join(text))
        shutil.copy(world.cluster.where.path("images", "pause"), self.path("context", "app"))

        def buildah(*argv):
            stores = ["--root", self.path("storage"), "--runroot", self.path("storage-run"), "--storage-driver", "vfs"]
            return world.cluster.run_in_plane("buildah", *stores, *argv).strip()
        box = buildah("from", "scratch")
        buildah("copy", "-q", box, self.path("context"), "/")
        buildah("config", "--entrypoint", '["/app"]', box)
        buildah("commit", "-q", box, version)
        buildah("push", "-q", "--tls-verify=false", version, f"docker://127.0.0.1:{PORT}/team/app:{version}")

    def before_the_page(self):
        """The version that runs: a Deployment of one pod on this node."""
        labels = {"app": "app"}
        self.apply({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app", "namespace": "default"}, "spec": {
            "selector": {"matchLabels": labels}, "strategy": {"type": "Recreate"}, "template": {"metadata": {"labels": labels}, "spec": {
                "nodeSelector": {"kubernetes.io/hostname": self.node}, "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False,
                "containers": [{"name": "app", "image": f"{REGISTRY}/team/app:{VERSIONS[0]}"}]}}}})
        world.cluster.kubectl("rollout", "status", "deployment/app", "--timeout=120s")

    def run_command(self, line):
        """As the page has it, with the names of this place."""
        words = shlex.split(line)
        if words[0] == "kubectl":
            return world.cluster.kubectl(*(word.replace(NAME, REGISTRY).replace("images.yaml", self.path("images.yaml")) for word in words[1:]))
        if words[0] == "sudo":
            return world.cluster.run(self.node, *(word.replace(NAME, REGISTRY) for word in words[1:]))
        self.assertEqual(words[:3], ["holdfast", "image", "delta"])
        return world.cluster.run_in_plane(world.built("holdfast"), *(word.replace(NAME, f"127.0.0.1:{PORT}") for word in words[1:]))

    def test_the_page(self):
        root = world.cluster.root(self.node)
        hosts = os.path.join(root, "var/lib/holdfast/mirror/hosts.toml")
        blocks = pages.read(place.TOP, PAGE)
        policy = next(block.text for block in blocks if block.kind == "yaml")
        place.write(self.path("images.yaml"), policy.replace(NAME, "http://" + REGISTRY).replace(
            "spec:\n", f"spec:\n  nodeSelector: {{matchLabels: {{kubernetes.io/hostname: {self.node}}}}}\n"))
        self.addCleanup(world.cluster.kubectl, "delete", "syncpolicy", "images", "--ignore-not-found", check=False)
        self.addCleanup(shutil.rmtree, os.path.join(nodes_of.disk.own(world.cluster.where, self.node, "rancher"),
                                                    nodes_of.CERTS.removeprefix("/var/lib/rancher/")), ignore_errors=True)
        said = ""
        for command in [command for block in blocks if block.kind == "sh" for command in block.commands()]:
            line = pages.one_line(command.text)
            if line.startswith("sudo install"):
                wait.until("the mirror", lambda: os.path.exists(hosts), 60)
            elif line.startswith("holdfast image delta"):
                self.before_the_page()
            said = self.run_command(line)
        world.cluster.kubectl("rollout", "status", "deployment/app", "--timeout=120s")
        running = json.loads(world.cluster.kubectl("get", "pods", "-l", "app=app", "-o", "json"))["items"]
        self.assertEqual([one["status"]["containerStatuses"][0]["image"] for one in running if "deletionTimestamp" not in one["metadata"]],
                         [f"{REGISTRY}/team/app:{VERSIONS[1]}"])
        print(f"        {said.strip().splitlines()[-1]}")
        sent = self.agent.metric("holdfast_image_asked_bytes_total")
        fetched = self.agent.metric("holdfast_image_fetched_bytes_total")
        made = sum(float(line.split()[-1]) for line in self.agent.get("/metrics").splitlines() if line.startswith('holdfast_mirror_sent_bytes_total{from="delta"}'))
        self.assertGreater(made, 300000)                   # the second layer, made here
        self.assertIn("team/app", said)
        self.assertLess(fetched - (sent - made), 0.1 * made)
