# SPDX-License-Identifier: Apache-2.0
"""The pages' commands for a cluster and for a host with systemd, as they stand in README.md and docs/, on the real ones.

tests/system/docs runs the same pages in `make test`, with stand-ins for kubectl and systemctl; here those are the real programs, and what
needs neither is left out. The pages' node is edge-7 and their site releases.example.com: n1 or n2 and the tests' site are put in."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from holdcluster import image, place
from lib import agent, case, identity, release, service, site, wait, world

sys.path.insert(1, os.path.join(place.TOP, "tests", "system", "docs"))

import pages  # noqa: E402

# Where a command is run: as the operator, on the node, by test_helm.py, or (None) by tests/system/docs alone. The first pattern that fits decides.
WHERE = [
    (r"(sudo )?make image", "operator"),
    (r"sudo k3s ctr images import .*", "operator"),
    (r"(sudo )?make .*|hack/.*|sudo apt-get .*|(sudo )?tar .*|holdfast --version|cmp .*|holdfast delta .*", None),
    (r"curl .*|holdfast node enrol .*", None),
    (r"helm .*|kubectl (create|label) namespace holdfast-system.*|kubectl -n holdfast-system rollout status .*", "helm"),
    (r"kubectl delete -f .*", "server"),                   # asked for, not done: the other tests need what it removes
    (r"holdfast .* --trust-dir /etc/.*", "node"),
    (r"kubectl .*|holdfast (key|release|lint) .*|openssl .*", "operator"),
    (r"sudo holdfast (status|hold)( .*)?|holdfast status( .*)?", "node"),
    (r"sudo (install|mkdir|cp|rm|systemctl) .*|echo .* \| sudo tee .*", "node"),
]
PORT = 8080                                                # of the pages' service
FILES = "/srv/pages"                                       # on the node: what the operator has made


def where(command):
    for pattern, place_of in WHERE:
        if re.fullmatch(pattern, command, re.S):
            return place_of
    raise AssertionError(f"no test runs this command: give it a row in {os.path.basename(__file__)}: {command}")


class Desk:
    """The operator's folder and programs: kubectl is the cluster's administrator, sudo runs what it is given."""

    def __init__(self, node):
        self.node, self.folder = node, tempfile.mkdtemp(prefix="holdfast-docs-")
        for name in {*os.listdir(place.TOP)} - {".git", "1.4.1", "new", "broken", "out", "deploy"}:
            os.symlink(os.path.join(place.TOP, name), os.path.join(self.folder, name))
        os.mkdir(os.path.join(self.folder, "deploy"))
        for name in {*os.listdir(os.path.join(place.TOP, "deploy"))} - {"holdfast.yaml"}:
            os.symlink(os.path.join(place.TOP, "deploy", name), os.path.join(self.folder, "deploy", name))
        place.write(os.path.join(self.folder, "deploy", "holdfast.yaml"), agent.deployed())
        for folder, version, revision, broken in (("1.4.1", "1.4.1", 2, False), ("new", "1.4.2", 3, False), ("broken", "1.5.0", 4, True)):
            for arch in ("amd64", "arm64"):
                self.build(folder, arch, release.sample(version, revision, broken))
        kubectl = " ".join(f"'{word}'" for word in world.cluster.kubectl_argv())
        # K3s itself is not there: the image is imported by the node's own containerd, see test_readme.
        # make works in the checkout: the name of the folder is among its flags, so from here it would build everything again,
        # while other tests run those programs.
        programs = {"kubectl": f'exec {kubectl} "$@"', "sudo": 'exec "$@"', "holdfast": f'exec {world.built("holdfast")} "$@"',
                    "k3s": "exit 0", "make": f"exec '{shutil.which('make')}' -C '{place.TOP}' \"$@\""}
        for name, text in programs.items():
            place.write(os.path.join(self.folder, "bin", name), f"#!/bin/sh\n{text}\n", 0o755)

    def build(self, folder, arch, content):
        """A program for this architecture; of another one only its header is."""
        if arch != image.architecture():
            content = bytearray(content)
            content[18:20] = {"arm64": 183, "amd64": 62}[arch].to_bytes(2, "little")
        place.write(os.path.join(self.folder, folder, arch), bytes(content))

    def put(self, text):
        return text.replace("edge-7", self.node).replace("https://releases.example.com", site.URL)

    def run(self, text, codes=(0,)):
        done = subprocess.run(["bash", "-c", self.put(text)], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, timeout=400,
                              env={**os.environ, "PATH": os.path.join(self.folder, "bin") + ":" + os.environ["PATH"]})
        if done.returncode not in codes:
            raise AssertionError(f"{text}: exit code {done.returncode}: {done.stdout.strip()[-1500:]}")
        return done.stdout

    def upload(self):
        """What the pages say to upload."""
        for folder in ("out", "out-1.5.0"):
            for name in os.listdir(os.path.join(self.folder, folder)) if os.path.isdir(os.path.join(self.folder, folder)) else ():
                with open(os.path.join(self.folder, folder, name), "rb") as file:
                    site.put(name, file.read())

    def on_node(self, text, codes=(0,)):
        """In the node, in a folder with the operator's files."""
        tree = world.cluster.root(self.node) + FILES
        shutil.rmtree(tree, ignore_errors=True)
        shutil.copytree(self.folder, tree, symlinks=True, ignore=lambda _, names: [
            name for name in names if name == "bin" or os.path.exists(os.path.join(place.TOP, name))])
        place.write(os.path.join(tree, "bin", "sudo"), '#!/bin/sh\nexec "$@"\n', 0o755)
        script = f"cd {FILES} && PATH={FILES}/bin:/usr/local/bin:$PATH; {self.put(text)}\ncode=$?; echo; echo code=$code"
        said = world.cluster.run(self.node, "bash", "-c", script)
        if int(said.rsplit("code=", 1)[1]) not in codes:
            raise AssertionError(f"on {self.node}: {text}: {said.strip()[-1500:]}")
        return said

    def end(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Docs(case.Case):
    alone = True                                           # the pages' selectors and folders are everybody's

    def setUp(self):
        super().setUp()
        tree = world.cluster.root(self.node)
        self.service = service.Service(self.node, "edge-inference", PORT)
        self.service.remove()
        self.service.install(release.sample("1.4.1", 2))
        self.addCleanup(self.service.remove)
        place.write(os.path.join(tree, "usr/local/bin/holdfast"), open(world.built("holdfast"), "rb").read(), 0o755)
        self.desk = Desk(self.node)
        self.addCleanup(self.desk.end)
        self.addCleanup(case.settle)           # pages apply deploy/holdfast.yaml anew
        self.addCleanup(self.forget)

    def forget(self):
        world.cluster.kubectl("delete", "edgeupdate", "edge-inference", "--ignore-not-found", check=False)
        world.cluster.kubectl("label", "node", self.node, "edge.codcompass.io/canary-", check=False)
        for name in ("release-2026.pem", "release-2027.pem", "threshold"):
            path = os.path.join(world.cluster.root(self.node), "etc/holdfast/trust.d", name)
            if os.path.exists(path):
                os.unlink(path)
        self.forget_history()

    def forget_history(self):
        """The pages make the same release of the same sequence, and a node takes one release of a sequence only."""
        tree = world.cluster.root(self.node)
        self.agent.stop()
        for folder in ("var/lib/holdfast/updates", *(root + "/.holdfast-floors" for root in ("opt", "usr/local", "var/lib/holdfast/payload"))):
            shutil.rmtree(os.path.join(tree, folder, "edge-inference"), ignore_errors=True)
            if os.path.isfile(os.path.join(tree, folder, "edge-inference")):
                os.unlink(os.path.join(tree, folder, "edge-inference"))
        self.agent.start()
        self.agent.wait_ready(60)

    def page(self, name, codes=None, after=None, only=None):
        """Every command of a page, or those of `only`. `codes` and `after`: what is right, and done, after which pattern."""
        ran = 0
        for block in [one for one in pages.read(place.TOP, name) if one.kind == "sh"]:
            for command in block.commands():
                line = pages.one_line(command.text)
                if only and not re.search(only, line):
                    continue
                place_of = where(line)
                if place_of is None:
                    continue
                good = next((code for pattern, code in (codes or {}).items() if re.search(pattern, line)), (0,))
                try:
                    {"helm": lambda *_: None, "operator": self.desk.run, "node": self.desk.on_node,
                     "server": lambda text, codes: self.desk.run(text + " --dry-run=server", codes)}[place_of](command.text, good)
                    for pattern, act in (after or {}).items():
                        if re.search(pattern, line):
                            act()
                except AssertionError as error:
                    raise AssertionError(f"{command.place()}: {error}") from None
                ran += 1
        return ran

    def trust(self):
        """What the chart's firstInstall does on a node that has no keys."""
        with open(os.path.join(self.desk.folder, "release-2026.pem"), encoding="ascii") as file:
            place.write(os.path.join(world.cluster.root(self.node), "etc/holdfast/trust.d/release-2026.pem"), file.read())

    def runs(self, version):
        return lambda: wait.until(f"the service to be {version}", lambda: self.service.version() == version, 20)


class TestPod(Docs):
    life = "pod"

    def test_readme_from_image_to_first_update(self):
        after = {r"helm install": self.trust, r"k3s ctr": lambda: world.cluster.load_image(self.node, agent.image(agent.PROGRAM)), r"release create": self.desk.upload,
                 r"kubectl wait": self.runs("1.4.2")}
        self.assertGreater(self.page("README.md", after=after), 8)
        self.assertIn(self.node, self.desk.run("kubectl get edgenodes"))

    def test_updates_pages_to_a_release_that_comes_back(self):
        self.page("README.md", only=r"key generate|install -D|helm install", after={r"helm install": self.trust})
        after = {r"release create": self.desk.upload, r"kubectl wait": self.runs("1.4.2")}
        ran = [self.page(f"docs/how-to/{name}.md", codes={r"^sudo holdfast status": (0, 4)}, after=after) for name in ("release", "hold", "failed-update", "keys")]
        self.assertGreater(sum(ran), 15)
        self.assertEqual(self.page("docs/how-to/remove.md", only=r"delete -f out/"), 1)


class TestUnit(Docs):
    life = "unit"

    def setUp(self):
        super().setUp()
        tree = world.cluster.root(self.node)
        self.agent.stop()
        for folder in ("etc/holdfast", "var/lib/holdfast"):
            shutil.move(os.path.join(tree, folder), os.path.join(tree, folder + ".kept"))
        self.addCleanup(self.give_back)

    def give_back(self):
        tree = world.cluster.root(self.node)
        self.agent.stop()
        for folder in ("etc/holdfast", "var/lib/holdfast"):
            shutil.rmtree(os.path.join(tree, folder), ignore_errors=True)
            shutil.move(os.path.join(tree, folder + ".kept"), os.path.join(tree, folder))
        world.cluster.run(self.node, "systemctl", "-q", "enable", "--now", agent.PROGRAM)
        self.agent.wait_ready()

    def speaks(self):
        """What the agent before this one said last is still there for a moment."""
        def said():
            text = world.cluster.run(self.node, "holdfast", "status", check=False)
            return text and "Stopped" not in text
        wait.until("the agent's first status", said, 20)

    def give_back_pods(self):
        """The page keeps the DaemonSet off this node; other tests want it there."""
        patch = '{"spec": {"template": {"spec": {"affinity": null}}}}'
        world.cluster.kubectl("patch", "daemonset", agent.PROGRAM, "-n", identity.NAMESPACE, "--type=merge", "-p", patch)
        world.cluster.kubectl("rollout", "status", "daemonset", agent.PROGRAM, "-n", identity.NAMESPACE, "--timeout=60s")
        case.agent_of("pod").wait_ready(60)

    def test_install_page_on_a_host(self):
        self.addCleanup(self.give_back_pods)
        self.addCleanup(world.cluster.kubectl, "delete", "csr", f"holdfast-{self.node}", "--ignore-not-found", check=False)
        after = {r"cp out/edge-inference": self.runs("1.4.2"), r"enable --now": self.speaks}
        ran = [self.page(f"docs/how-to/{name}.md", codes={r"holdfast status": (0, 1)}, after=after) for name in ("install-host", "host-credentials")]
        ran += [self.page("docs/how-to/remove.md", only=r"systemctl|make|delete -f (deploy|crds)/")]
        self.assertGreater(sum(ran), 15)
        subject = self.desk.run("openssl x509 -in edge-7.crt -noout -subject")
        self.assertRegex(subject, rf"O ?= ?holdfast:agents(,| \+) O ?= ?holdfast:node-uid:[-0-9a-f]+, CN ?= ?holdfast:agent:{self.node}")


class TestOtherPages(Docs):
    life = "pod"

    def test_kubectl_commands_of_the_other_pages(self):
        done = {"README.md", *(f"docs/how-to/{name}.md" for name in (
            "release", "hold", "failed-update", "keys", "install-host", "host-credentials", "remove",      # above
            "install", "rollouts", "upgrade-k3s", "one-cluster-per-site", "teams"))}                      # test_helm.py, test_kubelet.py, test_flux.py, helm/chart.py, test_teams.py
        self.addCleanup(world.cluster.kubectl, "delete", "clusterrolebinding/holdfast-cloudcore", "clusterrole/holdfast-cloudcore",
                        "--ignore-not-found", check=False)
        for name in pages.tracked(place.TOP):
            if pages.for_users(name) and name not in done:
                with self.subTest(name):
                    self.page(name, codes={r"auth can-i": (0, 1)}, only=r"^kubectl (get (?!.*-w$)|explain|describe|auth|apply -f (crds|deploy)/|wait (?!csr)|create)")
