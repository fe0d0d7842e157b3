# SPDX-License-Identifier: Apache-2.0
"""Write container images: layers, manifests and indexes of the OCI image format, and docker-archives.

The same input gives the same bytes: files are sorted, belong to root, and carry no time of their own; zlib compresses.
"""

import dataclasses
import hashlib
import io
import json
import os
import tarfile
import zlib

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def pretty(value):
    """The one way in which JSON is written."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode()


def layer(entries):
    """The tar of `entries` (tree.Entry), in their order."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for entry in entries:
            member = tarfile.TarInfo(entry.path)
            member.mode, member.uname, member.gname = entry.mode, "", ""
            if entry.link is not None:
                member.type, member.linkname = tarfile.SYMTYPE, entry.link
            elif entry.data is None:
                member.type = tarfile.DIRTYPE
            else:
                member.size = len(entry.data)
            archive.addfile(member, None if entry.data is None else io.BytesIO(entry.data))
    return out.getvalue()


def squeeze(data):
    """`data` in the gzip format, without a name and a time."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


@dataclasses.dataclass
class Image:
    """One image of one machine. `layers`: [(what it holds, tar)]; `notes`: annotations, written as labels too."""

    machine: object
    entrypoint: list
    user: str
    created: str
    layers: list
    notes: dict

    def config(self):
        """The bytes of the image's configuration: a container engine's name for the image is their digest."""
        return pretty({
            **self.machine.platform(), "created": self.created,
            "config": {"Entrypoint": self.entrypoint, "User": self.user, "WorkingDir": "/", "Labels": self.notes},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha256(tar) for _, tar in self.layers]},
            "history": [{"created": self.created, "created_by": what} for what, _ in self.layers],
        })


class Layout:
    """An OCI image layout of one name and many machines."""

    def __init__(self):
        self._blobs, self._manifests, self._referrers = {}, [], []

    def _add(self, kind, data, **more):
        digest = sha256(data)
        self._blobs[digest] = data
        return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(data), **more}

    def add(self, image):
        """Add an Image; its descriptor, and the bytes of its compressed layers."""
        layers = [self._add(LAYER, squeeze(tar)) for _, tar in image.layers]
        manifest = pretty({"schemaVersion": 2, "mediaType": MANIFEST, "config": self._add(CONFIG, image.config()), "layers": layers,
                           "annotations": image.notes})
        descriptor = self._add(MANIFEST, manifest, platform=image.machine.platform())
        self._manifests.append(descriptor)
        return descriptor, sum(layer["size"] for layer in layers)

    def attach(self, subject, kind, data):
        """Attach `data` of the media type `kind` to the image of the descriptor `subject`: registries list it as its referrer."""
        manifest = pretty({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind, "config": self._add(EMPTY, b"{}"),
                           "layers": [self._add(kind, data)], "subject": {key: subject[key] for key in ("mediaType", "digest", "size")}})
        self._referrers.append(self._add(MANIFEST, manifest, artifactType=kind))

    def copy(self, path, machine):
        """Add the image of `machine` from the layout in the tar `path`."""
        with tarfile.open(path) as archive:
            def read(descriptor):
                return archive.extractfile("blobs/sha256/" + descriptor["digest"].removeprefix("sha256:")).read()
            index = json.loads(read(json.load(archive.extractfile("index.json"))["manifests"][0]))
            found = next(entry for entry in index["manifests"] if entry["platform"] == machine.platform())
            manifest = json.loads(read(found))
            for part in (found, manifest["config"], *manifest["layers"]):
                self._add(part["mediaType"], read(part))
        self._manifests.append(found)

    def write(self, path, tag, notes):
        """Write the layout as a tar under the tag `tag`; the digest of its image index. Who pushes or imports it says the name."""
        index = self._add(INDEX, pretty({"schemaVersion": 2, "mediaType": INDEX, "manifests": self._manifests, "annotations": notes}),
                          annotations={"org.opencontainers.image.ref.name": tag})
        files = {"oci-layout": pretty({"imageLayoutVersion": "1.0.0"}),
                 "index.json": pretty({"schemaVersion": 2, "mediaType": INDEX, "manifests": [index, *self._referrers]})}
        files.update((f"blobs/sha256/{digest}", data) for digest, data in self._blobs.items())
        write_tar(path, files)
        return index["digest"]


def write_archive(path, name, image):
    """Write `image` as a docker-archive that is imported under `name`."""
    config = image.config()
    layers = {sha256(tar) + ".tar": tar for _, tar in image.layers}
    about = [{"Config": sha256(config) + ".json", "RepoTags": [name], "Layers": list(layers)}]
    write_tar(path, {**layers, sha256(config) + ".json": config, "manifest.json": pretty(about)})


def write_tar(path, files):
    """Write a tar of `files` {name: bytes} to `path`, which then is whole or as before."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tarfile.open(path + ".new", mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(files[name]), 0o444
            archive.addfile(member, io.BytesIO(files[name]))
    os.rename(path + ".new", path)
