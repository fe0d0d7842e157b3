# SPDX-License-Identifier: Apache-2.0
"""OCI layouts whose layers GNU tar, gzip and zstd made; the JSON around them is ours."""
import hashlib
import json
import os
import subprocess

MANIFEST, INDEX = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"
LAYER, CONFIG = "application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.config.v1+json"
PACKERS = {"": ["cat"], "+gzip": ["gzip", "-n"], "+zstd": ["zstd", "-q", "-c", "-T2", "-9"]}


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Layout:
    def __init__(self, folder):
        self.folder, self.manifests = folder, []
        os.makedirs(os.path.join(folder, "blobs", "sha256"), exist_ok=True)
        with open(os.path.join(folder, "oci-layout"), "w", encoding="ascii") as file:
            file.write('{"imageLayoutVersion":"1.0.0"}')

    def path(self, digest):
        return os.path.join(self.folder, "blobs", "sha256", digest[7:])

    def add(self, kind, data):
        digest = digest_of(data)
        with open(self.path(digest), "wb") as file:
            file.write(data)
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    def layer(self, tree, packer):
        """The folder `tree` as a layer that the named packer compresses."""
        tar = ["tar", "-C", tree, "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@1700000000", "-cf", "-", "."]
        with subprocess.Popen(tar, stdout=subprocess.PIPE) as made:
            data = subprocess.run(PACKERS[packer], stdin=made.stdout, stdout=subprocess.PIPE, check=True).stdout
        if made.returncode != 0:
            raise AssertionError("tar failed")
        return self.add(LAYER + packer, data)

    def image(self, architecture, layers):
        config = {"architecture": architecture, "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}, "config": {}}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.add(CONFIG, json.dumps(config).encode()), "layers": layers}
        at = self.add(MANIFEST, json.dumps(manifest).encode())
        self.manifests.append(dict(at, platform={"os": "linux", "architecture": architecture}))
        return at

    def finish(self, tag):
        """An index over all images, named `tag` in index.json; its descriptor."""
        at = self.add(INDEX, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": self.manifests}).encode())
        named = dict(at, annotations={"org.opencontainers.image.ref.name": tag})
        with open(os.path.join(self.folder, "index.json"), "w", encoding="ascii") as file:
            json.dump({"schemaVersion": 2, "manifests": [named]}, file)
        return at

    def text(self, digest):
        with open(self.path(digest), "rb") as file:
            return json.load(file)
