# SPDX-License-Identifier: Apache-2.0
"""The control plane: kine on SQLite (what K3s stores in), kube-apiserver, controller manager, scheduler."""

import signal

from . import place, pki
from .process import run, start, stop, wait_for

AUDIT_POLICY = """apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
"""


def start_kine(where, parts):
    store = f"sqlite://{where.path('plane', 'state.db')}?_journal=WAL&cache=shared&_busy_timeout=30000"
    start(where, "kine", [f"{parts}/kine", "--endpoint", store, "--listen-address", "tcp://127.0.0.1:2379",
                          "--metrics-bind-address=0"], netns=where.plane_netns)


def start_api(where, parts):
    """Start kube-apiserver; returns at once, wait_api() waits until it serves."""
    p = where.path
    place.write(p("plane", "audit-policy.yaml"), AUDIT_POLICY)
    start(where, "kube-apiserver", [
        f"{parts}/kube-apiserver",
        "--etcd-servers=http://127.0.0.1:2379",
        "--bind-address=0.0.0.0", "--secure-port=443", f"--advertise-address={place.API_IP}",
        f"--service-cluster-ip-range={place.SERVICE_NET}",
        f"--tls-cert-file={p('pki', 'apiserver.crt')}", f"--tls-private-key-file={p('pki', 'apiserver.key')}",
        f"--client-ca-file={p('pki', 'ca.crt')}",
        f"--kubelet-client-certificate={p('pki', 'kubelet-client.crt')}",
        f"--kubelet-client-key={p('pki', 'kubelet-client.key')}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-key-file={p('pki', 'sa.pub')}", f"--service-account-signing-key-file={p('pki', 'sa.key')}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged",
        f"--audit-policy-file={p('plane', 'audit-policy.yaml')}", f"--audit-log-path={p('plane', 'audit.log')}",
        "--profiling=false",
    ], netns=where.plane_netns)


def stop_api(where, how=signal.SIGTERM):
    stop(where, "kube-apiserver", how)


def wait_api(where, parts, timeout_s=60):
    wait_for("kube-apiserver to be ready", lambda: kubectl(where, parts, "get", "--raw", "/readyz", check=False) == "ok", timeout_s)


def start_all(where, parts):
    """Start all parts of the control plane; those that come early wait for the others."""
    start_kine(where, parts)
    start_api(where, parts)
    start_managers(where, parts)


def start_managers(where, parts):
    """Start the controller manager and the scheduler, or what of them does not run.

    While it begins, the controller manager ends itself when an API server that begins too refuses it something.
    """
    pair = ["--leader-elect=false", "--profiling=false"]
    start(where, "kube-controller-manager", [
        f"{parts}/kube-controller-manager", "--kubeconfig", where.path("pki", "controller-manager.kubeconfig"),
        "--use-service-account-credentials", f"--root-ca-file={where.path('pki', 'ca.crt')}",
        f"--service-account-private-key-file={where.path('pki', 'sa.key')}",
        f"--cluster-signing-cert-file={where.path('pki', 'ca.crt')}",
        f"--cluster-signing-key-file={where.path('pki', 'ca.key')}",
        "--cluster-signing-duration=80s",      # tests of a renewal cannot wait for longer; agents take none of a minute
        "--bind-address=127.0.0.1", *pair,
    ], netns=where.plane_netns)
    start(where, "kube-scheduler", [
        f"{parts}/kube-scheduler", "--kubeconfig", where.path("pki", "scheduler.kubeconfig"), "--bind-address=127.0.0.1", *pair,
    ], netns=where.plane_netns)


def stop_all(where):
    for name in ("kube-scheduler", "kube-controller-manager", "kube-apiserver", "kine"):
        stop(where, name)


def inside(where, argv):
    """`argv` as it is to be called from outside, so that it runs in the control plane's network."""
    return ["nsenter", f"--net=/run/netns/{where.plane_netns}", "--"] + argv


def kubectl_argv(where, parts, *words):
    return inside(where, [f"{parts}/kubectl", "--kubeconfig", where.path("pki", "admin.kubeconfig"),
                          "--cache-dir", where.path("kubectl"), *words])


def kubectl(where, parts, *words, check=True, text=None):
    """Run kubectl as administrator and return what it prints; `text` is its standard input."""
    return run(kubectl_argv(where, parts, *words), check=check, input=text)
