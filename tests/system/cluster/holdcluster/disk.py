# SPDX-License-Identifier: Apache-2.0
"""The disks of the nodes: each an ext4 image on one XFS of the cluster, whose files can be copied in an instant.

A node's file tree is an overlay: below, the tree all nodes share (build-tree), never written; above, the node's own disk.
A power cut keeps what the node's kernel had sent to the disk and loses what it had not: the image is copied at that
instant (a reflink: no time passes), and the node goes on from the copy, whose journal ext4 then has to replay.
"""

import os
import sys

from .place import Error
from .process import run, wait_for

CLUSTER_BYTES = 24 << 30                   # sizes of sparse files: what is not written takes no room
NODE_BYTES = 4 << 30


def _mounts(below):
    """Mount points at or below the folder `below`, the last mounted first."""
    found = []
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        for line in f:
            point = line.split()[4].encode().decode("unicode_escape")
            if point == below or point.startswith(below + "/"):
                found.append(point)
    return found[::-1]


def _mounted(point):
    return point in _mounts(point)


def _sparse(path, size_bytes):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.truncate(size_bytes)


def make_cluster(where):
    image, point = where.path("disk.xfs"), where.path("disk")
    if _mounted(point):
        return
    if not os.path.exists(image):
        _sparse(image + ".new", CLUSTER_BYTES)
        run(["mkfs.xfs", "-q", "-m", "reflink=1", image + ".new"])
        os.rename(image + ".new", image)
    os.makedirs(point, exist_ok=True)
    run(["mount", "-o", "loop", image, point])


def root(where, name):
    return where.path("nodes", name, "root")


def own(where, name, *parts):
    """A folder on the node's disk beside its file tree."""
    return where.path("nodes", name, "disk", *parts)


def make_node(where, name, tree):
    """Mount the node's disk and file tree; both are made at the first time."""
    image, disk = where.path("disk", name + ".img"), own(where, name)
    if not os.path.exists(image):
        _sparse(image + ".new", NODE_BYTES)
        run(["mkfs.ext4", "-q", "-F", "-E", "nodiscard", image + ".new"])
        os.rename(image + ".new", image)
    if not _mounted(disk):
        os.makedirs(disk, exist_ok=True)
        run(["mount", "-o", "loop", image, disk])
    for part in ("upper", "work", "rancher", "kubelet"):
        os.makedirs(own(where, name, part), exist_ok=True)
    point = root(where, name)
    if not _mounted(point):
        os.makedirs(point, exist_ok=True)
        layers = f"lowerdir={tree}/root,upperdir={own(where, name, 'upper')},workdir={own(where, name, 'work')}"
        run(["mount", "-t", "overlay", "overlay", "-o", layers, point])


def freeze_copy(where, name):
    """The instant of a power cut: keep what reached the disk until now. The node is to be dead already."""
    image = where.path("disk", name + ".img")
    run(["cp", "--reflink=always", image, image + ".cut"])


def use_copy(where, name):
    """Forget all that happened to the disk after freeze_copy()."""
    release(where.path("nodes", name))
    image = where.path("disk", name + ".img")
    os.rename(image + ".cut", image)


def sync(where, name):
    run(["sync", "-f", own(where, name)])


def release(folder):
    """Unmount everything at or below `folder`."""
    for point in _mounts(os.path.realpath(folder)):
        # The kernel gives a loop device back a moment after the file system on it is gone.
        try:
            wait_for(f"{point} to be unmounted", lambda p=point: _unmount(p), 10)
        except Error:
            print(f"{point} stays busy: it goes when its last user does", file=sys.stderr)
            run(["umount", "--lazy", point])


def _unmount(point):
    run(["umount", point], check=False)
    return not _mounted(point)


def remove_node(where, name):
    release(where.path("nodes", name))
    for end in (".img", ".img.cut"):
        if os.path.exists(where.path("disk", name + end)):
            os.unlink(where.path("disk", name + end))
