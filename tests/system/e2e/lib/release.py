# SPDX-License-Identifier: Apache-2.0
"""Keys, releases and EdgeUpdates, made without the product's own tools: a second opinion on what they make.

Only deltas are the product's: `holdfast delta create`.
"""

import base64
import hashlib
import json
import os
import subprocess
import tempfile
import threading
import time

from holdcluster import image, place
from holdcluster.process import run

from . import site, world

KEY = "release-test"
SIGNED = time.time()                           # of every release of this run: the same fields make the same release
_making = threading.Lock()


def moment(seconds):
    """So many seconds after the signature, as releases write a time."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(SIGNED + seconds))


def canonical(value):
    """RFC 8785 for what releases hold: integers, strings of characters beyond the surrogates' range, booleans."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(release):
    return hashlib.sha256(canonical(release)).hexdigest()


def _key_path(name):
    return world.cluster.where.path("keys", name + ".key")


def make_key(name=KEY):
    """A signing key; the PEM text of its public half."""
    path = _key_path(name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with _making:
        if not os.path.exists(path):
            run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path])
    return run(["openssl", "pkey", "-in", path, "-pubout"])


def sign(release, key=KEY):
    """One entry of `signatures` for a release."""
    with tempfile.NamedTemporaryFile() as message:
        message.write(canonical(release))
        message.flush()
        done = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", _key_path(key), "-in", message.name],
                              capture_output=True, check=True)
    return {"keyId": key, "signature": base64.b64encode(done.stdout).decode()}


def sample_path(version, revision=1, broken=False):
    """The sample service, built as this version."""
    path = world.cluster.where.path("samples", f"{version}-{revision}-{broken}")
    with _making:
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            flags = [f'-DVERSION="{version}"', f"-DREVISION={revision}"] + (["-DBROKEN"] if broken else [])
            run(["gcc", "-std=gnu17", "-O2", *flags, "-o", path, os.path.join(place.TOP, "tests", "support", "programs", "edge-sample.c")])
    return path


def sample(version, revision=1, broken=False):
    """The bytes of that program."""
    with open(sample_path(version, revision, broken), "rb") as f:
        return f.read()


def delta(old, new, name):
    """Serve a delta from the bytes `old` to `new` as `name`; an entry of `deltas`."""
    with tempfile.TemporaryDirectory() as folder:
        old_path, new_path, patch = (os.path.join(folder, which) for which in ("old", "new", "patch"))
        place.write(old_path, old)
        place.write(new_path, new)
        run([world.built("holdfast"), "delta", "create", old_path, new_path, patch])
        with open(patch, "rb") as f:
            return {"from": hashlib.sha256(old).hexdigest(), **site.put(name, f.read())}


def make(version, sequence, new, old=None, *, name, install, checks, deadline="30s", **changes):
    """A release that installs the bytes `new`, with a delta from `old` if given. `changes` replace whole fields."""
    artifact = {"arch": image.architecture(), **site.put(f"{name}-{version}", new)}
    if old is not None:
        artifact["deltas"] = [delta(old, new, f"{name}-{version}.delta")]
    return {
        "name": name, "version": version, "sequence": sequence, "signedAt": moment(0), "expires": moment(86400), "artifacts": [artifact],
        "install": install, "health": {"deadline": deadline, "checks": checks},
    } | changes


def update(release, node=None, signatures=None, name=None, **changes):
    """An EdgeUpdate of `release` for the Node `node` (all without), signed unless `signatures` are given."""
    spec = {"release": release, "signatures": [sign(release)] if signatures is None else signatures} | changes
    if node:
        spec["nodeSelector"] = {"matchLabels": {"kubernetes.io/hostname": node}}
    return {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "EdgeUpdate",
            "metadata": {"name": name or release["name"]}, "spec": spec}


def create(service, version, sequence, new, old, key_id, node):
    """An EdgeUpdate made by `holdfast release create` from two files, its artifacts served, and the public key to trust."""
    with tempfile.TemporaryDirectory() as folder:
        def at(name):
            return os.path.join(folder, name)
        run([world.built("holdfast"), "key", "generate", at("key")])
        place.write(at("template.yaml"), json.dumps({
            "apiVersion": "edge.codcompass.io/v1alpha1", "kind": "EdgeUpdate", "metadata": {"name": service.name},
            "spec": {"nodeSelector": {"matchLabels": {"kubernetes.io/hostname": node}}}}))
        run([world.built("holdfast"), "release", "create", "--template", at("template.yaml"), "--name", service.name,
             "--version", version, "--sequence", str(sequence), "--path", service.path, "--restart-unit", service.unit,
             "--artifact", f"{image.architecture()}={new},old={old}", "--health-http", f"http://127.0.0.1:{service.port}/healthz",
             "--health-unit", service.unit, "--url-base", site.URL, "--key", at("key"), "--key-id", key_id, "--out", at("out")])
        manifest = None
        for name in sorted(os.listdir(at("out"))):
            with open(os.path.join(at("out"), name), "rb") as f:
                data = f.read()
            if name.endswith(".yaml"):
                manifest = data.decode()
            else:
                site.put(name, data)
        with open(at("key.pem"), encoding="ascii") as f:
            return manifest, f.read()
