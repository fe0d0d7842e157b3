# SPDX-License-Identifier: Apache-2.0
"""Credentials for the agent: a token of the DaemonSet's service account, or a client certificate as on a host."""

import json
import urllib.parse

from holdcluster import pki

from . import world

AGENTS = "holdfast:agents"                  # organization of a host's certificate
NODE_UID = "holdfast:node-uid:"             # begins its second one; the uid of its Node follows
NAMESPACE = "holdfast-system"


def token(node):
    """What a pod of the DaemonSet on `node` is given: a token that names its node."""
    return world.cluster.kubectl("create", "token", "holdfast-agent", "-n", NAMESPACE,
                                 "--bound-object-kind=Node", f"--bound-object-name={node}").strip()


def host_kubeconfig(node):
    """The text of a kubeconfig with a host's client certificate for the agent on `node`."""
    crt, key = pki.make_certificate(world.cluster.where, f"agent-{node}", f"holdfast:agent:{node}", AGENTS)
    return pki.kubeconfig(world.cluster.where, crt, key)


def call(method, path, body=None, bearer=None, certificate=None, kind="application/merge-patch+json", headers=()):
    """One request to the API server with a token or a certificate's name in pki/; (HTTP status, answer)."""
    argv = ["curl", "-sS", "--cacert", world.cluster.where.path("pki", "ca.crt"), "-X", method, "-w", "\n%{http_code}",
            "-H", f"Content-Type: {kind}", pki.SERVER + urllib.parse.quote(path, safe="/?=&")]
    for header in headers:
        argv += ["-H", header]
    if bearer:
        argv += ["-H", f"Authorization: Bearer {bearer}"]
    if certificate:
        argv += ["--cert", world.cluster.where.path("pki", certificate + ".crt"),
                 "--key", world.cluster.where.path("pki", certificate + ".key")]
    if body is not None:
        argv += ["--data-binary", json.dumps(body)]
    answer, _, status = world.cluster.run_in_plane(*argv).rpartition("\n")
    return int(status), json.loads(answer) if answer.startswith("{") else answer
