# SPDX-License-Identifier: Apache-2.0
"""The chart on a real cluster: from `helm install` to the first committed delta update, upgrade, test, removal."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from holdcluster import place
from lib import agent, api, case, helm, release, rollout_page, service, site, wait, world

sys.path.insert(1, os.path.join(place.TOP, "tests", "system", "docs"))

import pages  # noqa: E402

NODES = ("h1", "h2", "h3")                     # of this test alone: no other agent has been on them
LABEL = "test.holdfast/chart"
PROMISE_S = 60                                 # from helm install to the first committed update, images being there
PORT = 8070
GROUP = "/apis/edge.codcompass.io/v1alpha1"
CONFIG = "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nupdateRoots: [/opt]\n"


def values(**changes):
    """For the nodes of this test."""
    return {"agent": {"mode": "pod", "nodeSelector": {LABEL: "yes"}}, "controller": {"nodeSelector": {LABEL: "yes"}}, "policies": {"staticLabels": ["site", "tier"]},
            "firstInstall": {"trustedKeys": {release.KEY: release.make_key()}, "agentYaml": CONFIG}} | changes


def on(node, path):
    return os.path.join(world.cluster.root(node), path)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class TestHelm(unittest.TestCase):
    """One story, told in order: each test goes on where the one before it ended."""

    @classmethod
    def setUpClass(cls):
        cls.before = case.deploy.cache_info().currsize > 0     # other tests have objects that are not Helm's
        helm.program()
        site.stop()
        site.start()
        world.cluster.kubectl("delete", "-f", agent.DEPLOY, "--ignore-not-found")
        world.cluster.kubectl("delete", "-f", world.CRDS, "--ignore-not-found")
        helm.nodes(NODES, print)
        cls.addClassCleanup(cls.give_back)
        for node in NODES:
            for program in (agent.PROGRAM, "holdfast-controller"):
                world.cluster.load_image(node, agent.image(program))
        world.cluster.kubectl("create", "namespace", helm.NAMESPACE)
        world.cluster.kubectl("label", "node", *NODES, f"{LABEL}=yes")
        cls.service = service.Service("h1", "chart-sample", PORT)
        cls.first, cls.second = release.sample("1.0.0", 1), release.sample("1.1.0", 2)
        cls.service.install(cls.first)
        # What is there of an older holdfast is not Helm's to take: h2 has a trust folder of its owner's.
        place.write(on("h2", "etc/holdfast/trust.d/owner.pem"), release.make_key("owner"))

    @classmethod
    def give_back(cls):
        helm.helm("uninstall", helm.RELEASE, "-n", helm.NAMESPACE, "--ignore-not-found", check=False)
        world.cluster.kubectl("delete", "namespace", helm.NAMESPACE, "--ignore-not-found", check=False)
        world.cluster.kubectl("delete", "-f", world.CRDS, "--ignore-not-found", check=False)
        for node in NODES:
            world.cluster.shut_down(node)
            world.cluster.kubectl("delete", "node", node, "--ignore-not-found", check=False)
        if cls.before:
            case.redeploy()

    def pods(self, component="agent", every=False):
        """The agents' pods by node; or `every` pod of a component in a list."""
        items = api.get(f"/api/v1/namespaces/{helm.NAMESPACE}/pods?labelSelector=app.kubernetes.io/component={component}").get("items", [])
        return items if every else {pod["spec"].get("nodeName"): pod for pod in items}

    def ready(self):
        return {node for node, pod in self.pods().items()
                for one in pod["status"].get("conditions", []) if one["type"] == "Ready" and one["status"] == "True"}

    def test_1_server_takes_every_object(self):
        """Of each set of values, as the API server judges them (--dry-run=server)."""
        world.cluster.kubectl("apply", "-f", world.CRDS)
        for name, more in (("default", []), ("kubeedge", ["-f", f"{helm.CHART}/values-kubeedge.yaml"]),
                           ("openyurt", ["-f", f"{helm.CHART}/values-openyurt.yaml"])):
            for controller in (False, True):
                with self.subTest(name, controller=controller):
                    given = values(controller={"enabled": controller}, certificates={"enabled": controller}, edgeWorkloads={"enabled": True, "namespace": "default", "createNamespace": False})
                    text = helm.helm("template", helm.RELEASE, helm.CHART, "-n", helm.NAMESPACE, *more, "-f", helm.values_file(given))
                    said = world.cluster.kubectl("apply", "--dry-run=server", "-f", "-", text=text)
                    self.assertNotIn("Warning", said)
                    self.assertGreater(said.count("server dry run"), 20)
        world.cluster.kubectl("delete", "-f", world.CRDS)

    def test_2_install_to_first_delta_update(self):
        folder = helm.older_chart()
        path = helm.values_file(values())
        begin = time.monotonic()
        said = helm.helm("install", helm.RELEASE, folder, "-n", helm.NAMESPACE, "-f", path)
        installed = time.monotonic() - begin
        wanted = self.service.release("1.1.0", 1, self.second, old=self.first)
        world.cluster.kubectl("apply", "-f", "-", text=json.dumps(release.update(wanted, "h1")))
        wait.until("the update to be committed", lambda: self.entry("h1").get("phase") == "Committed", PROMISE_S)
        spent = time.monotonic() - begin
        print(f"        helm install {installed:.1f} s, to the first committed delta update {spent:.1f} s (promise: {PROMISE_S} s)")
        self.assertLess(spent, PROMISE_S)
        self.assertEqual(self.entry("h1")["method"], "Delta")
        self.assertEqual((self.service.version(), self.service.sha256()), ("1.1.0", hashlib.sha256(self.second).hexdigest()))
        self.assertIn(f"with 1 key(s): {release.KEY}", said)
        world.cluster.kubectl("wait", f"edgeupdate/{self.service.name}", "--for=condition=Ready", "--timeout=60s")
        print(f"        kubectl wait edgeupdate --for=condition=Ready: {time.monotonic() - begin:.1f} s after helm install")
        wait.until("all agents to be ready", lambda: self.ready() == set(NODES), 60)
        world.cluster.kubectl("rollout", "status", "deployment/holdfast-controller", "-n", helm.NAMESPACE, "--timeout=60s")
        self.assertEqual({pod["spec"]["nodeName"] for pod in self.pods("controller", every=True)} - set(NODES), set())

    def entry(self, node):
        status = api.get(f"{GROUP}/edgenodes/{node}").get("status", {})
        return next((one for one in status.get("updates", []) if one["name"] == self.service.name), {})

    def test_3_keys_are_written_once(self):
        for node in ("h1", "h3"):
            self.assertEqual(os.listdir(on(node, "etc/holdfast/trust.d")), [release.KEY + ".pem"])
            self.assertEqual(read(on(node, f"etc/holdfast/trust.d/{release.KEY}.pem")).strip(), release.make_key().strip())
            self.assertEqual(read(on(node, "etc/holdfast/agent.yaml")).strip(), CONFIG.strip())
        self.assertEqual(os.listdir(on("h2", "etc/holdfast/trust.d")), ["owner.pem"], "the owner's folder is the owner's")
        self.assertFalse(os.path.exists(on("h2", "etc/holdfast/agent.yaml")))

    def test_4_helm_test(self):
        said = helm.helm("test", helm.RELEASE, "-n", helm.NAMESPACE, "--timeout", "60s")
        self.assertIn("Succeeded", said)

    def test_4_the_command_is_in_the_pod(self):
        """As docs/how-to/command-in-pods.md has it: from afar, and on the node in the agent's mounts; the pod's root is read-only."""
        pod = self.pods()["h1"]["metadata"]["name"]

        def inside(*argv):
            return world.cluster.kubectl("exec", "-n", helm.NAMESPACE, pod, "--", "holdfast", *argv)
        self.assertIn(self.service.name, inside("status"))
        self.addCleanup(inside, "hold", "--release")
        self.assertIn("line 3 is running", inside("hold", "--reason", "line 3 is running", "--for", "8h"))
        wait.until("the EdgeNode to show the hold", lambda: "line 3 is running" in json.dumps(api.get(f"{GROUP}/edgenodes/h1")["status"]), 30)
        on_the_node = world.cluster.run("h1", "sh", "-c", 'nsenter --mount --target "$(pgrep --oldest --exact holdfast-agent)" holdfast hold')
        self.assertIn("line 3 is running", str(on_the_node))

    def test_5_upgrade(self):
        """From the version before, with another key and another configuration: pods are new, kinds are new, nodes keep their keys."""
        columns = [one["name"] for one in self.kind()["spec"]["versions"][0]["additionalPrinterColumns"]]
        self.assertNotIn("Updated", columns)
        generation, old = self.kind()["metadata"]["generation"], {node: pod["metadata"]["uid"] for node, pod in self.pods().items()}
        given = values(firstInstall={"trustedKeys": {"thief": release.make_key("thief")}, "agentYaml": CONFIG.replace("/opt", "/usr/local")},
                       environment={"LOG_LEVEL": "debug"})
        helm.helm("upgrade", helm.RELEASE, helm.CHART, "-n", helm.NAMESPACE, "-f", helm.values_file(given))
        wait.until("new pods to be ready", lambda: self.ready() == set(NODES) and not set(old.values()) & {
            pod["metadata"]["uid"] for pod in self.pods().values()}, 120)
        self.assertGreater(self.kind()["metadata"]["generation"], generation)
        self.assertIn("Updated", [one["name"] for one in self.kind()["spec"]["versions"][0]["additionalPrinterColumns"]])
        self.test_3_keys_are_written_once()
        self.assertEqual((self.service.version(), self.entry("h1")["phase"]), ("1.1.0", "Committed"))
        # And what the new key signs runs nowhere.
        third = self.service.release("1.2.0", 2, release.sample("1.2.0", 3))
        update = release.update(third, "h1", signatures=[release.sign(third, "thief")])
        world.cluster.kubectl("apply", "-f", "-", text=json.dumps(update))
        entry = wait.until("the release of the new key to be refused", lambda: self.entry("h1") if self.entry("h1").get("sequence") == 2 else None, 30)
        self.assertEqual((entry["phase"], entry["reason"]), ("Rejected", "UnknownKey"))
        self.assertEqual(self.service.version(), "1.1.0")
        world.cluster.kubectl("delete", "edgeupdate", self.service.name)

    @staticmethod
    def kind():
        return api.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/edgeupdates.edge.codcompass.io")

    def test_6_uninstall_leaves_nodes_as_they_are(self):
        helm.helm("uninstall", helm.RELEASE, "-n", helm.NAMESPACE, "--wait")
        wait.until("the pods to be gone", lambda: not self.pods(), 60)
        self.assertTrue(self.service.healthy())
        self.assertEqual((self.service.version(), self.service.sha256()), ("1.1.0", hashlib.sha256(self.second).hexdigest()))
        for node in NODES:
            self.assertTrue(os.listdir(on(node, "etc/holdfast/trust.d")) and os.listdir(on(node, "var/lib/holdfast")), node)
        self.assertTrue(os.path.isdir(on("h1", f"var/lib/holdfast/updates/{self.service.name}")))
        self.assertTrue(self.kind(), "helm uninstall took the kinds, and with them all objects")
        self.assertEqual({one["metadata"]["name"] for one in api.get(f"{GROUP}/edgenodes")["items"]} & set(NODES), set(NODES))
        left = world.cluster.kubectl("get", "clusterrole,clusterrolebinding,validatingadmissionpolicy,validatingadmissionpolicybinding", "-o", "name")
        self.assertEqual([line for line in left.splitlines() if "holdfast" in line], [])

    def test_7_installed_again_the_node_goes_on(self):
        """Keys, state and history are where they were: the next sequence is a delta from what runs."""
        helm.helm("install", helm.RELEASE, helm.CHART, "-n", helm.NAMESPACE, "-f", helm.values_file(values()))
        third = release.sample("1.2.0", 3)
        wanted = self.service.release("1.2.0", 2, third, old=self.second)
        world.cluster.kubectl("apply", "-f", "-", text=json.dumps(release.update(wanted, "h1")))
        wait.until("the next update to be committed", lambda: (self.entry("h1").get("phase"), self.entry("h1").get("sequence")) == ("Committed", 2), 60)
        self.assertEqual((self.entry("h1")["method"], self.service.version()), ("Delta", "1.2.0"))
        world.cluster.kubectl("delete", "edgeupdate", self.service.name)

    def test_7_the_page_of_rollouts(self):
        """docs/how-to/rollouts.md from canary to rollback, one node of the site at a time; one of them goes away while it is its turn."""
        for node in NODES:
            self.addCleanup(world.cluster.heal, node)
        rollout_page.Story(self, NODES, LABEL).run()
        helm.helm("uninstall", helm.RELEASE, "-n", helm.NAMESPACE, "--wait")

    def test_8_the_page_as_it_stands(self):
        """docs/how-to/install.md from its own namespace on, and what docs/how-to/remove.md says of the chart; its chart runs on this test's nodes only."""
        world.cluster.kubectl("delete", "namespace", helm.NAMESPACE, "--wait")
        desk = tempfile.mkdtemp(prefix="holdfast-helm-")
        self.addCleanup(shutil.rmtree, desk, ignore_errors=True)
        shutil.copytree(helm.CHART, os.path.join(desk, "charts", "holdfast"))
        defaults = os.path.join(desk, "charts", "holdfast", "values.yaml")
        place.write(defaults, read(defaults).replace("  nodeSelector:\n", f'  nodeSelector:\n    {LABEL}: "yes"\n'))
        programs = {"kubectl": world.cluster.kubectl_argv(), "helm": helm.argv()}
        place.write(os.path.join(desk, "release-2026.pem"), release.make_key("page"))
        for name, argv in programs.items():
            place.write(os.path.join(desk, "bin", name), "#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in argv) + ' "$@"\n', 0o755)
        commands = [command.text for name in ("install", "remove") for block in pages.read(place.TOP, f"docs/how-to/{name}.md") if block.kind == "sh"
                    for command in block.commands() if name == "install" or command.text.startswith("helm ")]
        self.assertGreater(len(commands), 7)
        for command in commands:
            with self.subTest(command):
                done = subprocess.run(["bash", "-c", command], cwd=desk, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                                      timeout=120, env={**os.environ, "PATH": os.path.join(desk, "bin") + ":" + os.environ["PATH"]})
                self.assertEqual(done.returncode, 0, done.stdout[-1500:])

    def test_9_from_plain_manifests_to_the_chart(self):
        world.cluster.kubectl("apply", "-f", world.CRDS, "-f", "-", text=agent.deployed())
        agent.select("nowhere")
        helm.helm("install", helm.RELEASE, helm.CHART, "-n", helm.NAMESPACE, "-f", helm.values_file(values()), "--take-ownership", "--force-conflicts")
        wait.until("the agents to be ready", lambda: self.ready() == set(NODES), 60)
        helm.helm("uninstall", helm.RELEASE, "-n", helm.NAMESPACE, "--wait")
