# SPDX-License-Identifier: Apache-2.0
"""Entries of spec.manifests that follow Flux's own objects: revision, digest and address of an artifact, served at the ClusterIP of a Service.

source-controller cannot be built here: the test publishes what it would, and serves it where it would.
"""

import json
import time
import unittest

from lib import api, case, managed, wait, world

NODE, SITE = "n3", "fluxed"
FILE = "/opt/site/flux/web.conf"
WEB = f"/apis/apps/v1/namespaces/{SITE}/deployments/web"
CONFIG = """manifests: {files: [/opt/site/**], cluster: true, origins: ["http://*.svc.cluster.local:*"]}
"""
RIGHTS = {
    "fluxSources": [{"kind": kind, "namespace": managed.FLUX, "names": [name]} for kind, name in (
        ("GitRepository", "files"), ("OCIRepository", "objects"), ("Bucket", "bucket"), ("ExternalArtifact", "composed"))],
    "cluster": {"rules": [{"reason": "The site's workloads.", "namespaces": [SITE], "apiGroups": ["apps"], "resources": ["deployments"],
                           "verbs": ["get", "create", "patch", "delete"]}]}}


def source(kind, name, **more):
    return {"fluxSource": {"kind": kind, "namespace": managed.FLUX, "name": name}} | more


class TestFluxSource(unittest.TestCase):
    """One node in order: each test goes on from the one before."""

    @classmethod
    def setUpClass(cls):
        case.deploy()
        cls.artifacts = managed.Artifacts(cls)
        cls.node = managed.Node(cls, NODE, SITE, CONFIG, RIGHTS)
        cls.node.policy([
            {"name": "files", "from": source("GitRepository", "files", subPath="site"), "to": "Files", "path": "/opt/site/flux/"},
            {"name": "objects", "from": source("OCIRepository", "objects"), "to": "Cluster"},
            {"name": "bucket", "from": source("Bucket", "bucket"), "to": "Files", "path": "/opt/site/bucket/"},
            {"name": "composed", "from": source("ExternalArtifact", "composed"), "to": "Files", "path": "/opt/site/composed/"},
        ], interval="30s", retryInterval="5s")

    def publish(self, version, digest=None):
        """One version of the files and of the Deployment; their revisions."""
        return (self.artifacts.publish("GitRepository", "files", {"site/web.conf": f"version = {version}\n", "README.md": "not of the site\n"}, digest),
                self.artifacts.publish("OCIRepository", "objects", {"web.yaml": json.dumps(managed.deployment(SITE, "web", version, NODE))}))

    def arrives(self, version, revisions):
        wait.until(f"version {version} of the files", lambda: self.node.read(FILE) == f"version = {version}\n", 60)
        wait.until(f"version {version} of the Deployment",
                   lambda: api.get(WEB).get("metadata", {}).get("annotations", {}).get("version") == version, 60)
        for name, (revision, _) in zip(("files", "objects"), revisions):
            self.node.await_entry(name, f"to be Applied in {revision}",
                                  lambda entry, revision=revision: (entry.get("phase"), entry.get("revision")) == ("Applied", revision))

    def test_1_entries_follow_revisions(self):
        """Objects that are not there yet; then the first revision, and a newer one."""
        self.node.await_entry("files", "to say that there is no source", lambda entry: entry.get("phase") == "Fetching", 60)
        bucket = self.artifacts.publish("Bucket", "bucket", {"one.conf": "from a bucket\n"})
        self.arrives("1", self.publish("1"))
        self.node.await_entry("bucket", "to be Applied", lambda entry: (entry.get("phase"), entry.get("revision")) == ("Applied", bucket[0]))
        self.assertEqual(self.node.read("/opt/site/bucket/one.conf"), "from a bucket\n")
        composed = self.artifacts.publish("ExternalArtifact", "composed", {"two.conf": "from two sources\n"})
        self.node.await_entry("composed", "to be Applied", lambda entry: (entry.get("phase"), entry.get("revision")) == ("Applied", composed[0]))
        self.assertEqual(self.node.read("/opt/site/composed/two.conf"), "from two sources\n")
        self.assertEqual(self.node.read("/opt/site/flux/README.md"), "")
        begun = time.monotonic()
        self.arrives("2", self.publish("2"))
        print(f"        a new revision of both: {time.monotonic() - begun:.1f} s")
        answers = self.artifacts.answers()
        self.assertEqual({one["host"] for one in answers if one["from"].startswith("10.213.")}, {f"source-controller.{managed.FLUX}.svc.cluster.local"})
        paths = [one["path"] for one in answers if one["from"].startswith("10.213.")]
        self.assertEqual(len(paths), len(set(paths)), f"an archive was fetched twice: {paths}")

    def test_2_an_artifact_with_another_digest(self):
        self.publish("3", digest="5e" * 32)
        entry = self.node.await_entry("files", "to say DigestMismatch", lambda entry: entry.get("reason") == "DigestMismatch")
        print(f"        {entry['message']}")
        self.assertEqual(entry["phase"], "Applied")
        self.assertIn("5e5e5e", entry["message"])
        self.assertEqual(self.node.read(FILE), "version = 2\n")
        wait.until("the other entry to go on", lambda: api.get(WEB)["metadata"]["annotations"]["version"] == "3", 60)
        self.arrives("4", self.publish("4"))
        self.assertNotIn("reason", self.node.entry("files"))

    def failed_fetches(self):
        return [event for event in self.node.agent.events("manifest.source") if event["entry"] == "files"]

    def test_3_the_server_of_artifacts_is_down(self):
        """What is in place stays and is repaired; what came meanwhile follows when the server is back."""
        self.artifacts.stop()
        self.addCleanup(self.artifacts.start)
        before = len(self.failed_fetches())
        revisions = self.publish("5")
        wait.until("the node to have asked in vain", lambda: len(self.failed_fetches()) > before, 90)
        self.assertEqual(self.node.read(FILE), "version = 4\n")
        self.node.put(FILE, "broken\n")
        wait.until("the file to be put back", lambda: self.node.read(FILE) == "version = 4\n", 10, 0.02)
        world.cluster.kubectl("scale", "deployment", "web", "-n", SITE, "--replicas=0")
        wait.until("the Deployment to be put back", lambda: api.get(WEB)["spec"]["replicas"] == 1, 60)
        self.assertEqual({self.node.entry(name)["phase"] for name in ("files", "objects", "bucket")}, {"Applied"})
        self.artifacts.start()
        self.arrives("5", revisions)

    def test_4_the_object_is_deleted(self):
        world.cluster.kubectl("delete", "bucket", "bucket", "-n", managed.FLUX)
        entry = self.node.await_entry("bucket", "to say SourceGone", lambda entry: entry.get("reason") == "SourceGone")
        self.assertEqual(entry["phase"], "Applied")
        self.assertEqual(self.node.read("/opt/site/bucket/one.conf"), "from a bucket\n")

    def test_5_a_right_that_is_missing(self):
        world.cluster.kubectl("delete", "rolebinding", "holdfast-agent-manifests", "-n", managed.FLUX)
        self.addCleanup(self.node.set_rights, RIGHTS)
        self.node.restart()                    # a watch that is open goes on
        entry = self.node.await_entry("files", "to say ApiRefused", lambda entry: entry.get("reason") == "ApiRefused", 90)
        print(f"        {entry['message']}")
        self.assertIn("get, list and watch", entry["message"])
        self.node.set_rights(RIGHTS)
        self.arrives("6", self.publish("6"))
