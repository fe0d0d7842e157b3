# SPDX-License-Identifier: Apache-2.0
"""Container images of one static program, written as docker-archives without any daemon."""

import hashlib
import io
import json
import os
import platform
import tarfile

from . import place
from .process import run

PAUSE = "holdfast.test/pause:1"


def architecture():
    """This machine's architecture as Kubernetes spells it."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def _layer(files):
    """A tar of `files` {path: bytes}, the same bytes each time."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(name.lstrip("/"))
            entry.size, entry.mode = len(data), 0o755
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def archive(path, tag, files, entrypoint):
    """Write an image called `tag` with `files` {path: bytes} and `entrypoint` (a list) to the docker-archive `path`."""
    layer = _layer(files)
    config = json.dumps({
        "architecture": architecture(), "os": "linux",
        "config": {"Entrypoint": entrypoint},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
    }).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [tag], "Layers": ["layer.tar"]}]).encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in (("config.json", config), ("layer.tar", layer), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    place.write(path, out.getvalue())


def make_pause(where):
    """The pause image that every pod starts with; its docker-archive's path."""
    path = where.path("images", "pause.tar")
    if not os.path.exists(path):
        program = where.path("images", "pause")
        os.makedirs(os.path.dirname(program), exist_ok=True)
        run(["gcc", "-std=gnu17", "-O2", "-static", "-o", program, os.path.join(place.TOP, "tests", "system", "cluster", "pause.c")])
        with open(program, "rb") as f:
            archive(path, PAUSE, {"/pause": f.read()}, ["/pause"])
    return path
