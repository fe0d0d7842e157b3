# SPDX-License-Identifier: Apache-2.0
"""What deploy/kubeedge.yaml and deploy/kubeedge-strict.yaml give CloudCore's account, once the cluster has aggregated it."""

import itertools
import json
import os
import unittest

from holdcluster import place
from lib import api, wait, world

ACCOUNT = "system:serviceaccount:kubeedge:cloudcore"
GROUP = "edge.codcompass.io"
READ = {("edgeupdates", "", verb) for verb in ("get", "list", "watch")} | {("syncpolicies", "", verb) for verb in ("get", "list", "watch")}
WRITE = {("edgenodes", "", verb) for verb in ("get", "list", "watch", "create", "patch")} | {("edgenodes", "status", "patch")}
KEPT = {("edgenodes", "", verb) for verb in ("get", "list", "watch")}     # strict: without them a restarted CloudCore waits for good

# As CloudCore's chart has it: a role that is what others with this label are.
CLOUDCORE = {"apiVersion": "v1", "kind": "List", "items": [
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "cloudcore"}, "rules": [],
     "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"rbac/aggregate-to-cloudcore": "true"}}]}},
    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "cloudcore"},
     "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cloudcore"},
     "subjects": [{"kind": "ServiceAccount", "name": "cloudcore", "namespace": "kubeedge"}]}]}


def setUpModule():  # noqa: N802 (unittest's name)
    world.cluster.kubectl("apply", "-f", "-", text=json.dumps(CLOUDCORE))


def tearDownModule():  # noqa: N802
    world.cluster.kubectl("delete", "clusterrole/cloudcore", "clusterrole/holdfast-cloudcore", "clusterrolebinding/cloudcore", "--ignore-not-found")


def may(resource, subresource, verb):
    """What the agent asks through the MetaServer, asked of the API server about CloudCore's account."""
    asked = {"verb": verb, "group": GROUP, "resource": resource, "subresource": subresource}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {"user": ACCOUNT, "resourceAttributes": asked}}
    _, answer = api.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", json.dumps(review).encode(), "application/json")
    return answer["status"]["allowed"]


def granted():
    verbs = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
    resources = itertools.product(("edgeupdates", "syncpolicies", "edgenodes"), ("", "status"), verbs)
    return {(resource, sub, verb) for resource, sub, verb in resources if may(resource, sub, verb)}


class TestCloudCore(unittest.TestCase):
    def apply(self, name):
        world.cluster.kubectl("apply", "-f", os.path.join(place.TOP, "deploy", name))

    def test_what_is_given_and_no_more(self):
        self.assertEqual(granted(), set())
        self.apply("kubeedge.yaml")
        wait.until("the role to be aggregated", lambda: may("edgeupdates", "", "list"), 20)
        self.assertEqual(granted(), READ | WRITE)
        self.apply("kubeedge-strict.yaml")
        wait.until("the right to write EdgeNodes to be taken", lambda: not may("edgenodes", "", "patch"), 20)
        self.assertEqual(granted(), READ | KEPT)
