# SPDX-License-Identifier: Apache-2.0
"""Tokens as a node signs them (tokenFrom: node), and certificates for their keys, made with openssl: for tests of servers."""
import base64
import json
import os
import subprocess
import time


def stamp(days):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() - 60 + days * 86400))


def url64(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class Forger:
    """Who has a key and a certificate (PEM), and makes tokens with them. `folder` takes the files; `authority`: the folder of ca.pem and ca.key."""

    def __init__(self, folder, authority, node, key=None, certificate=""):
        self.folder, self.authority, self.node, self.certificate = folder, authority, node, certificate
        self.key = os.path.join(folder, f"forger-{time.monotonic_ns()}.key")
        if key is None:
            key = subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, check=True, text=True).stdout
        with open(self.key, "w", encoding="ascii") as file:
            file.write(key)

    def with_certificate(self, certificate):
        with open(self.key, encoding="ascii") as key:
            return Forger(self.folder, self.authority, self.node, key.read(), certificate)

    def certified(self, subject=None, usage="clientAuth", issuer="ca", until_days=1):
        """The same key under another certificate of the site's authority."""
        folder = f"{os.path.abspath(self.key)}.{time.monotonic_ns()}"
        os.makedirs(folder)
        subject = subject or f"/O=holdfast:agents/O=holdfast:node-uid:uid-1/CN=holdfast:agent:{self.node}"
        with open(os.path.join(folder, "cnf"), "w", encoding="ascii") as file:
            file.write("[ca]\ndefault_ca=d\n[d]\ndatabase=index\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nx509_extensions=x\n"
                       f"preserve=yes\n[p]\norganizationName=optional\ncommonName=optional\n[x]\nextendedKeyUsage={usage}\n")
        with open(os.path.join(folder, "index"), "w", encoding="ascii"):
            pass
        place = os.path.join(os.path.abspath(self.authority), issuer)
        for words in (["req", "-new", "-key", os.path.abspath(self.key), "-subj", subject, "-out", "csr"],
                      ["ca", "-batch", "-config", "cnf", "-cert", place + ".pem", "-keyfile", place + ".key", "-in", "csr", "-out", "pem", "-notext",
                       "-startdate", stamp(until_days - 1), "-enddate", stamp(until_days)]):
            done = subprocess.run(["openssl", *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            assert done.returncode == 0, done.stdout
        with open(os.path.join(folder, "pem"), encoding="ascii") as certificate:
            return self.with_certificate(certificate.read())

    def sign(self, signed):
        der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=signed, stdout=subprocess.PIPE, check=True).stdout
        at, both = 2, b""
        for _ in range(2):
            both += der[at + 2:at + 2 + der[at + 1]].lstrip(b"\0").rjust(32, b"\0")
            at += 2 + der[at + 1]
        return both

    def token(self, audience, name, header=None, claims=None, signature=None):
        now, subject = int(time.time()), "holdfast:agent:" + name
        body = self.certificate.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END")[0].replace("\n", "")
        parts = [{"alg": "ES256", "typ": "JWT", "x5c": [body], **(header or {})}, {"iss": subject, "sub": subject, "aud": audience, "iat": now, "exp": now + 300, **(claims or {})}]
        signed = ".".join(url64(json.dumps(part).encode()) for part in parts)
        return signed + "." + url64(self.sign(signed.encode()) if signature is None else signature)
