# SPDX-License-Identifier: Apache-2.0
"""The target Cluster of spec.manifests against a real API server: who owns a field, what is immutable, kinds made on the way, removal."""

import json
import os
import tempfile
import unittest

from holdcluster import place
from lib import api, case, wait, world

NAMESPACE = "manifests"
ENTRY = "site"


def deployment(**changes):
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}},
                         "spec": {"nodeName": "nowhere", "containers": [{"name": "web", "image": "web:1", "ports": [{"containerPort": 80}],
                                                                        "resources": {"requests": {"cpu": "1000m", "memory": "1024Ki"}}}]}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": NAMESPACE}, "spec": spec | changes}


def config_map(name, value="1", **metadata):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": NAMESPACE} | metadata, "data": {"k": value}}


NAMESPACE_OBJECT = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
WEB = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/web"
MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps/"


class TestClusterTarget(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        case.deploy()
        cls.program = os.path.join(place.TOP, "build", "release", "support", "manifest-apply")
        if not os.path.exists(cls.program):
            raise AssertionError(f"{cls.program} is not built: make build/release/support/programs")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.inventory = os.path.join(self.folder, "inventory.json")
        self.addCleanup(world.cluster.kubectl, "delete", "namespace", NAMESPACE, "--ignore-not-found", check=False)

    def run_target(self, *objects, options=()):
        """The outcome of one run; without objects it removes the entry, or looks with the option --check."""
        files = []
        if objects:
            files = [os.path.join(self.folder, "objects.json")]
            place.write(files[0], json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))
        said = world.cluster.run_in_plane(self.program, world.cluster.where.path("pki", "admin.kubeconfig"), ENTRY, self.inventory, *options, *files)
        return json.loads(said)

    def expect(self, outcome, **wanted):
        self.assertEqual({name: outcome[name] for name in wanted}, wanted, outcome)

    def items(self):
        with open(self.inventory, encoding="utf-8") as file:
            return json.load(file)

    @staticmethod
    def await_last_status():
        """Of the Deployment: a status that its controller writes between look and apply counts as a change of ours."""
        def is_last():
            live = api.get(WEB)
            return live["status"].get("updatedReplicas") == 1 and live["status"]["observedGeneration"] == live["metadata"]["generation"]
        wait.until("the Deployment's last status", is_last, 60)

    def test_life_of_an_entry(self):
        objects = [deployment(), config_map("a"), config_map("b"), config_map("c"), NAMESPACE_OBJECT]
        self.expect(self.run_target(*objects), r=0, reason="Applied", applied=5, changed=5, drifted=0, journals=1)
        self.assertEqual([one["kind"] for one in self.items()], ["Namespace", "ConfigMap", "ConfigMap", "ConfigMap", "Deployment"])
        self.assertEqual(api.get(WEB)["metadata"]["labels"]["edge.codcompass.io/manifest"], ENTRY)
        self.await_last_status()
        # Once more: the server normalises quantities and adds defaults, and nothing is written.
        version = api.get(MAPS + "a")["metadata"]["resourceVersion"]
        self.expect(self.run_target(*objects), r=0, reason="Applied", applied=5, changed=0, drifted=0)
        self.assertEqual(api.get(MAPS + "a")["metadata"]["resourceVersion"], version)
        self.expect(self.run_target(options=["--check"]), r=0, drifted=0, healthy=False, reason="NotReady")
        # A status, an annotation of somebody else, and scaling back to the same number are no drift.
        world.cluster.kubectl("annotate", "configmap", "a", "-n", NAMESPACE, "theirs=1")
        world.cluster.kubectl("scale", "deployment", "web", "-n", NAMESPACE, "--replicas=1")
        self.expect(self.run_target(options=["--check"]), drifted=0)
        # A change and a removal are.
        world.cluster.kubectl("scale", "deployment", "web", "-n", NAMESPACE, "--replicas=0")
        world.cluster.kubectl("delete", "configmap", "b", "-n", NAMESPACE)
        world.cluster.kubectl("patch", "configmap", "c", "-n", NAMESPACE, "--type=merge", "-p", '{"data":{"k":"theirs"}}')
        found = self.run_target(options=["--check"])
        self.expect(found, r=0, drifted=3, healthy=False)
        for words in ("Deployment manifests/web (content)", "ConfigMap manifests/b (missing)", "ConfigMap manifests/c (content)"):
            self.assertIn(words, found["message"])
        # kubectl-patch owns .data.k now: without force the entry says so, and repairs the rest. Nobody owns replicas that were scaled to 0.
        refused = self.run_target(*objects)
        self.expect(refused, reason="Conflict", applied=4, changed=2, drifted=3)
        self.await_last_status()
        self.assertRegex(refused["message"], r'^ConfigMap manifests/c: \.data\.k belongs to the manager "kubectl-patch"; `force: true`')
        self.expect(self.run_target(*objects, options=["--force"]), r=0, reason="DriftRepaired", applied=5, changed=1, drifted=1)
        self.assertEqual((api.get(WEB)["spec"]["replicas"], api.get(MAPS + "c")["data"]["k"]), (1, "1"))
        self.expect(self.run_target(options=["--check"]), drifted=0)
        # One object fewer goes, more wait for a word.
        self.expect(self.run_target(*objects[:1], *objects[2:], options=["--prune"]), r=0, reason="Applied", pruned=1)
        self.assertEqual(api.get(MAPS + "a"), {})
        self.expect(self.run_target(*objects[:1], objects[4], options=["--prune"]), reason="PruneLimit", pruned=0)
        self.assertIn("uid", api.get(MAPS + "b")["metadata"])
        world.cluster.kubectl("annotate", "configmap", "b", "-n", NAMESPACE, "edge.codcompass.io/prune=disabled")
        self.expect(self.run_target(*objects[:1], objects[4], options=["--prune", "--beyond"]), r=0, pruned=1)
        self.assertIn("uid", api.get(MAPS + "b")["metadata"])
        self.expect(self.run_target(options=["--prune", "--beyond"]), r=0, pruned=2)
        self.assertEqual(self.items(), [])
        # Kubernetes removes the pods of a node that does not exist after 40 to 60 s, and then tries the namespace again, up to 20 s later.
        wait.until("the namespace to go", lambda: api.get(f"/api/v1/namespaces/{NAMESPACE}") == {}, 180)

    def test_a_field_that_cannot_change(self):
        self.expect(self.run_target(NAMESPACE_OBJECT, deployment()), r=0)
        uid = api.get(WEB)["metadata"]["uid"]
        other = deployment(selector={"matchLabels": {"app": "shop"}})
        other["spec"]["template"]["metadata"]["labels"] = {"app": "shop"}
        refused = self.run_target(NAMESPACE_OBJECT, other)
        self.expect(refused, reason="Immutable")
        self.assertIn("field is immutable", refused["message"])
        self.assertEqual(api.get(WEB)["metadata"]["uid"], uid)
        # The server would not take the new object: the old one stays.
        wrong = json.loads(json.dumps(other))
        wrong["spec"]["template"]["spec"]["containers"][0]["image"] = ""
        refused = self.run_target(NAMESPACE_OBJECT, wrong, options=["--force"])
        self.assertIn(refused["reason"], ("ApiRefused", "Immutable"), refused)
        self.assertIn("image", refused["message"])
        self.assertEqual(api.get(WEB)["metadata"]["uid"], uid)
        self.expect(self.run_target(NAMESPACE_OBJECT, other, options=["--force"]), r=0, reason="Applied", applied=2, changed=1)
        self.assertNotEqual(api.get(WEB)["metadata"]["uid"], uid)
        self.assertEqual(api.get(WEB)["spec"]["selector"]["matchLabels"], {"app": "shop"})

    def test_a_kind_and_its_object_in_one_source(self):
        crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.site.example.com"},
               "spec": {"group": "site.example.com", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
                        "versions": [{"name": "v1", "served": True, "storage": True,
                                      "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}
        thing = {"apiVersion": "site.example.com/v1", "kind": "Thing", "metadata": {"name": "t", "namespace": NAMESPACE}, "spec": {"a": 1}}
        self.addCleanup(world.cluster.kubectl, "delete", "crd", "things.site.example.com", "--ignore-not-found", check=False)
        missing = self.run_target(NAMESPACE_OBJECT, thing)
        self.expect(missing, reason="ApiRefused", applied=1)
        self.assertIn("Thing manifests/t: the API server has no kind Thing in site.example.com/v1", missing["message"])
        self.expect(self.run_target(NAMESPACE_OBJECT, thing, crd), r=0, reason="Applied", applied=3, changed=2)
        self.expect(self.run_target(options=["--check"]), drifted=0, healthy=True, reason="HealthPassed")

    def test_an_object_that_the_server_refuses_costs_itself(self):
        wrong = config_map("wrong")
        wrong["data"]["k"] = {"not": "a text"}
        outcome = self.run_target(NAMESPACE_OBJECT, wrong, config_map("good"))
        self.expect(outcome, reason="ApiRefused", applied=2)
        self.assertIn("ConfigMap manifests/wrong: the server answered", outcome["message"])
        self.assertEqual(len(self.items()), 2)
