# SPDX-License-Identifier: Apache-2.0
"""The command as a program that needs nothing of its Linux: an archive for each processor of a workstation, and krew's manifest of them."""

import hashlib
import os

import yaml

from holdimage import builder, licences, oci, tree

from .commit import TOP, read, write

MACHINES = ("amd64", "arm64")
COMMAND, PAPERS, RECORDS = "holdfast", ("LICENSE", "NOTICE"), "copyright"
MANIFEST = "krew.yaml"


def archive(commit, out, one, programs, root):
    """Write holdfast-VERSION-linux-ARCH.tar.gz of the machine `one`, whose static programs are in the folder `programs`, linked with the Debian
    files below `root`. (its name, its SHA-256)"""
    data = builder.stripped(os.path.join(programs, COMMAND), one.tool("strip"))
    entries = [tree.Entry(COMMAND, data, mode=0o755), *(tree.Entry(name, read(name).encode()) for name in PAPERS),
               tree.Entry(RECORDS, licences.document(one, root, TOP, whole=True))]
    name, packed = f"holdfast-{commit.version}-linux-{one.debian}.tar.gz", oci.squeeze(oci.layer(entries))
    write(os.path.join(out, name), packed)
    return name, hashlib.sha256(packed).hexdigest()


def _platform(one, url, name, digest):
    return {"selector": {"matchLabels": {"os": "linux", "arch": one.architecture}}, "uri": f"{url}/{name}", "sha256": digest, "bin": COMMAND,
            "files": [{"from": each, "to": "."} for each in (COMMAND, *PAPERS, RECORDS)]}


def krew(commit, out, url, archives):
    """Write the manifest of the plugin `kubectl holdfast`. `archives`: {machine: (name, SHA-256)}, which are below `url`."""
    spec = {"version": f"v{commit.version}", "homepage": url, "shortDescription": "Update programs on edge nodes, and see how far they are",
            "description": "Makes signed releases with binary deltas, rolls them out, and shows the status, policies and journals of holdfast's nodes.\n"
                           "The cluster needs holdfast's kinds: its Helm chart installs them.\n",
            "platforms": [_platform(one, url, *found) for one, found in archives.items()]}
    about = {"apiVersion": "krew.googlecontainertools.github.com/v1alpha2", "kind": "Plugin", "metadata": {"name": COMMAND}, "spec": spec}
    write(os.path.join(out, MANIFEST), yaml.safe_dump(about, sort_keys=False))
