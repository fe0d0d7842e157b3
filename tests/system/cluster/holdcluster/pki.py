# SPDX-License-Identifier: Apache-2.0
"""Certificates and kubeconfigs of a cluster, made by openssl."""

import base64
import os

from . import place
from .process import run

DAYS = "3650"
SERVER = f"https://{place.API_IP}"


def _request(where, name, subject, extensions):
    """A settings file for openssl: a subject and its extensions."""
    text = "[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n[dn]\n"
    text += "".join(f"{key}={value}\n" for key, value in subject.items()) + "[ext]\n"
    text += "".join(f"{key}={value}\n" for key, value in extensions.items())
    path = where.path("pki", name + ".cnf")
    place.write(path, text)
    return path


def _paths(where, name):
    return where.path("pki", name + ".crt"), where.path("pki", name + ".key")


def make_authority(where):
    crt, key = _paths(where, "ca")
    if os.path.exists(crt):
        return
    settings = _request(where, "ca", {"CN": "holdfast-test-ca"}, {
        "basicConstraints": "critical,CA:true", "keyUsage": "critical,keyCertSign,cRLSign", "subjectKeyIdentifier": "hash"})
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", DAYS,
         "-config", settings, "-keyout", key, "-out", crt])
    # Tokens of service accounts are signed with RSA.
    run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", where.path("pki", "sa.key")])
    run(["openssl", "pkey", "-in", where.path("pki", "sa.key"), "-pubout", "-out", where.path("pki", "sa.pub")])


def make_certificate(where, name, common_name, organization="", names=""):
    """A certificate and key pki/`name`.crt, .key; with `names` (as in subjectAltName) for a server, else for a client. `organization` is
    one, or a tuple of several."""
    crt, key = _paths(where, name)
    if os.path.exists(crt):
        return crt, key
    organizations = (organization,) if isinstance(organization, str) else organization
    subject = {f"{number}.O": one for number, one in enumerate(organizations) if one} | {"CN": common_name}
    extensions = {"basicConstraints": "CA:false", "keyUsage": "critical,digitalSignature",
                  "extendedKeyUsage": "serverAuth" if names else "clientAuth"}
    if names:
        extensions["subjectAltName"] = names
    ca_crt, ca_key = _paths(where, "ca")
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", DAYS,
         "-CA", ca_crt, "-CAkey", ca_key, "-config", _request(where, name, subject, extensions), "-keyout", key, "-out", crt])
    return crt, key


def _inline(path):
    with open(path, "rb") as f:
        return base64.b64encode(f.read()).decode()


def kubeconfig(where, crt, key):
    """The text of a kubeconfig for the holder of a client certificate, with everything inside."""
    return f"""apiVersion: v1
kind: Config
clusters:
- name: test
  cluster:
    server: {SERVER}
    certificate-authority-data: {_inline(where.path("pki", "ca.crt"))}
users:
- name: me
  user:
    client-certificate-data: {_inline(crt)}
    client-key-data: {_inline(key)}
contexts:
- name: test
  context: {{cluster: test, user: me}}
current-context: test
"""


def make_all(where):
    """Everything the control plane needs; each file is made once."""
    make_authority(where)
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost"]
    addresses = [place.API_IP, place.SERVICE_IP, "127.0.0.1"]
    make_certificate(where, "apiserver", "kube-apiserver",
                     names=",".join([f"DNS:{n}" for n in names] + [f"IP:{a}" for a in addresses]))
    make_certificate(where, "kubelet-client", "kube-apiserver", "system:masters")
    for name, user, group in (("admin", "admin", "system:masters"),
                              ("controller-manager", "system:kube-controller-manager", ""),
                              ("scheduler", "system:kube-scheduler", "")):
        crt, key = make_certificate(where, name, user, group)
        place.write(where.path("pki", name + ".kubeconfig"), kubeconfig(where, crt, key), 0o600)
