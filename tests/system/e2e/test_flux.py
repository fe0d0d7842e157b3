# SPDX-License-Identifier: Apache-2.0
"""Flux's kustomize-controller on the real cluster: deploy/flux/fleet.yaml from an artifact, and what Flux makes of an EdgeUpdate's conditions."""

import hashlib
import io
import json
import os
import subprocess
import tarfile
import time
import unittest

import yaml

import test_guard
from holdcluster import place
from lib import api, case, site, wait, world

BUILD = os.path.join(place.TOP, "tests", "system", "flux", "build")
EXAMPLE = os.path.join(place.TOP, "deploy", "flux")
GROUP = "/apis/edge.codcompass.io/v1alpha1"
FLUX = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/fleet"
SOURCES = {"GitRepository": "gitrepositories", "OCIRepository": "ocirepositories", "Bucket": "buckets", "ExternalArtifact": "externalartifacts"}
CONTROLLER = "system:serviceaccount:holdfast-system:holdfast-controller"


def source_kind(kind, plural):
    """Of source-controller, which is not there: the test says what it would have fetched."""
    version = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
               "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"{plural}.source.toolkit.fluxcd.io"},
            "spec": {"group": "source.toolkit.fluxcd.io", "scope": "Namespaced", "versions": [version],
                     "names": {"kind": kind, "listKind": kind + "List", "plural": plural, "singular": kind.lower()}}}


def condition(kind, status, reason):
    return {"type": kind, "status": status, "reason": reason, "message": "as the test says", "lastTransitionTime": "2026-01-01T00:00:00Z"}


class TestFlux(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        case.deploy()
        done = subprocess.run([BUILD], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise unittest.SkipTest(f"no kustomize-controller can be built: {done.stderr.strip()[-300:]}")
        folder = done.stdout.strip()
        world.cluster.kubectl("apply", "-f", os.path.join(folder, "kustomizations.yaml"))
        for kind, plural in SOURCES.items():
            world.cluster.kubectl("apply", "-f", "-", text=json.dumps(source_kind(kind, plural)))
        world.cluster.kubectl("wait", "crd", *(f"{plural}.source.toolkit.fluxcd.io" for plural in SOURCES.values()), "--for=condition=Established")
        world.cluster.kubectl("create", "namespace", "flux-system")
        cls.addClassCleanup(world.cluster.kubectl, "delete", "namespace", "flux-system", "--ignore-not-found", check=False)
        where = world.cluster.where
        world.cluster.start_in_plane("kustomize-controller", [
            "env", f"KUBECONFIG={where.path('pki', 'admin.kubeconfig')}", "RUNTIME_NAMESPACE=flux-system", f"TMPDIR={where.folder}",
            os.path.join(folder, "kustomize-controller"), "--enable-leader-election=false", "--metrics-addr=127.0.0.1:18080",
            "--health-addr=127.0.0.1:19440", "--log-level=debug", "--interval-jitter-percentage=0"])
        cls.addClassCleanup(world.cluster.stop_in_plane, "kustomize-controller")

    def publish(self, changes=None):
        """The folder deploy/flux as the artifact of the example's GitRepository; `changes` replaces texts in it."""
        files = {}
        for name in sorted(os.listdir(os.path.join(EXAMPLE, "fleet"))):
            with open(os.path.join(EXAMPLE, "fleet", name), encoding="utf-8") as file:
                files[f"fleet/{name}"] = file.read()
            for old, new in (changes or {}).items():
                files[f"fleet/{name}"] = files[f"fleet/{name}"].replace(old, new)
        self.serve(files)

    @staticmethod
    def serve(files):
        """{path: text} as the artifact of the example's GitRepository."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as tar:
            for name, text in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(text.encode())
                tar.addfile(entry, io.BytesIO(text.encode()))
        data = out.getvalue()
        digest = hashlib.sha256(data).hexdigest()
        served = site.put(f"fleet-{digest[:12]}.tar.gz", data)
        artifact = {"url": served["url"], "digest": f"sha256:{digest}", "revision": f"main@sha1:{digest[:40]}", "path": f"fleet-{digest[:12]}.tar.gz",
                    "size": len(data), "lastUpdateTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        status = {"status": {"observedGeneration": 1, "artifact": artifact, "conditions": [condition("Ready", "True", "Succeeded")]}}
        world.cluster.kubectl("patch", "gitrepository", "fleet", "-n", "flux-system", "--subresource=status", "--type=merge", "-p", json.dumps(status))

    def told(self):
        """(Ready of the Kustomization, its reason)"""
        conditions = api.get(FLUX).get("status", {}).get("conditions", [])
        ready = next((one for one in conditions if one["type"] == "Ready"), {})
        return ready.get("status"), ready.get("reason")

    @staticmethod
    def looks():
        """Flux's reads of EdgeUpdates so far."""
        return [event for event in world.cluster.audit() if event["verb"] in ("get", "list") and "kustomize-controller" in event.get("userAgent", "")
                and event.get("objectRef", {}).get("resource") == "edgeupdates"]

    def await_told(self, status, reason, timeout_s=60):
        try:
            wait.until(f"Flux to say Ready={status} {reason}", lambda: self.told() == (status, reason), timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; it says {json.dumps(api.get(FLUX).get('status', {}).get('conditions'))}") from None

    def rollout(self, *conditions, generation=None):
        """The EdgeUpdate's conditions, as the controller writes them."""
        update = api.get(f"{GROUP}/edgeupdates/edge-inference")
        status = {"observedGeneration": generation or update["metadata"]["generation"], "conditions": [condition(*one) for one in conditions]}
        world.cluster.kubectl("patch", "edgeupdate", "edge-inference", "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}),
                              f"--as={CONTROLLER}", "--as-group=system:masters")

    def test_what_flux_makes_of_each_step(self):
        with open(os.path.join(EXAMPLE, "fleet.yaml"), encoding="utf-8") as file:
            objects = list(yaml.safe_load_all(file))
        kustomization = next(one for one in objects if one["kind"] == "Kustomization")
        kustomization["spec"].update({"timeout": "40s", "retryInterval": "2s"})
        for one in objects:
            world.cluster.kubectl("apply", "-f", "-", text=json.dumps(one))
        self.addCleanup(world.cluster.kubectl, "delete", "syncpolicy/edge-prod-01", "edgeupdate/edge-inference", "--ignore-not-found", check=False)
        self.addCleanup(world.cluster.kubectl, "delete", "configmap", "site-config", "-n", "holdfast-system", "--ignore-not-found", check=False)
        self.addCleanup(world.cluster.kubectl, "delete", "kustomization", "fleet", "-n", "flux-system", "--ignore-not-found", check=False)
        self.publish()
        # Applied, and filled in.
        policy = wait.until("the policy to be applied", lambda: api.get(f"{GROUP}/syncpolicies/edge-prod-01"), 180)       # it starts first
        self.assertEqual(policy["spec"]["labels"]["static"], {"edge.codcompass.io/cluster": "edge-prod-01", "edge.codcompass.io/region": "eu-west-1"})
        update = wait.until("the update to be applied", lambda: api.get(f"{GROUP}/edgeupdates/edge-inference"), 20)
        self.assertEqual(update["spec"]["nodeSelector"]["matchLabels"], {"edge.codcompass.io/region": "eu-west-1"})
        config = api.get("/api/v1/namespaces/holdfast-system/configmaps/site-config")
        self.assertEqual(config["data"]["site.conf"], "node = ${HOLDFAST_NODE}\nzone = ${zone:=none}\n")
        # Nobody has seen it yet, then it spreads: in progress.
        self.await_told("Unknown", "Progressing")
        self.rollout(("Ready", "False", "Progressing"), ("Reconciling", "True", "Progressing"))
        before = len(self.looks())
        wait.until("Flux to look twice more", lambda: len(self.looks()) >= before + 2, 60)
        self.assertEqual(self.told(), ("Unknown", "Progressing"))
        # Complete: ready.
        self.rollout(("Ready", "True", "RolledOut"))
        self.await_told("True", "ReconciliationSucceeded")
        # A newer text in Git: what the old generation's conditions say counts no more. It halts: failed.
        self.publish({"maxFailures: 2%": "maxFailures: 3%"})
        wait.until("the new text to be applied", lambda: api.get(f"{GROUP}/edgeupdates/edge-inference")["spec"]["strategy"]["maxFailures"] == "3%", 30)
        self.await_told("Unknown", "Progressing")
        self.rollout(("Ready", "False", "TooManyFailures"), ("Stalled", "True", "TooManyFailures"))
        self.await_told("False", "HealthCheckFailed")
        # The signed part is as it was in Git.
        with open(os.path.join(EXAMPLE, "fleet", "edge-inference.yaml"), encoding="utf-8") as file:
            self.assertEqual(api.get(f"{GROUP}/edgeupdates/edge-inference")["spec"]["release"], yaml.safe_load(file)["spec"]["release"])

    def test_the_guard_by_flux(self):
        """Each object of the guard by a Kustomization of its own: one that is refused makes it fail, with the line to add; the others are applied."""
        with open(os.path.join(place.TOP, "tests/unit/cli/unstaged.json"), encoding="utf-8") as file:
            cases = json.load(file)
        with open(os.path.join(EXAMPLE, "fleet.yaml"), encoding="utf-8") as file:
            example = {one["kind"]: one for one in yaml.safe_load_all(file)}
        bodies = [test_guard.update(one["spec"], annotations=one.get("annotations")) for one in cases]
        wait.until("the policy to be in force", lambda: test_guard.ask("POST", "", test_guard.update({}), test_guard.CREATE, "?dryRun=All")[0] == 403, 30)
        world.cluster.kubectl("apply", "-f", "-", text=json.dumps(example["GitRepository"]))
        self.addCleanup(world.cluster.kubectl, "delete", "gitrepository", "fleet", "-n", "flux-system", "--ignore-not-found", check=False)
        self.serve({f"guard/{number}/update.yaml": json.dumps(body) for number, body in enumerate(bodies)})
        names = [f"guard-{number}" for number in range(len(cases))]
        self.addCleanup(world.cluster.kubectl, "delete", "edgeupdate", *(body["metadata"]["name"] for body in bodies), "--ignore-not-found", check=False)
        self.addCleanup(world.cluster.kubectl, "delete", "kustomization", *names, "-n", "flux-system", "--ignore-not-found", check=False)
        each = [example["Kustomization"] | {"metadata": {"name": name, "namespace": "flux-system"},
                                 "spec": {"interval": "1h", "retryInterval": "1h", "path": f"./guard/{number}", "prune": False, "wait": False,
                                          "sourceRef": example["Kustomization"]["spec"]["sourceRef"]}} for number, name in enumerate(names)]
        world.cluster.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": each}))

        def told(name):
            conditions = api.get(FLUX.replace("/fleet", f"/{name}")).get("status", {}).get("conditions", [])
            return next((one for one in conditions if one["type"] == "Ready" and one["status"] != "Unknown"), None)
        for name, body, one in zip(names, bodies, cases):
            with self.subTest(one["name"]):
                ready = wait.until(f"Flux to be through with {name}", lambda name=name: told(name), 180)
                if "refused" in one:
                    self.assertEqual((ready["status"], ready["reason"]), ("False", "ReconciliationFailed"), ready)
                    self.assertIn(test_guard.WHY + one["refused"], ready["message"])
                    self.assertIn(f'below metadata.annotations the line {test_guard.EVERYWHERE}: "true"', ready["message"])
                else:
                    self.assertEqual((ready["status"], ready["reason"]), ("True", "ReconciliationSucceeded"), ready)
                there = world.cluster.kubectl("get", "edgeupdate", body["metadata"]["name"], "-o", "name", "--ignore-not-found").strip()
                self.assertEqual(bool(there), "refused" not in one, there)
