# SPDX-License-Identifier: Apache-2.0
"""What this machine lacks for a cluster, each thing by name with the true reason."""

import os
import re
import shutil
import subprocess

from . import place

GO_NEEDED = (1, 26)
PROGRAMS = {
    "ip": "iproute2",
    "iptables": "iptables",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "systemd-nspawn": "systemd-container",
    "mkfs.xfs": "xfsprogs",
    "mkfs.ext4": "e2fsprogs",
}


def missing():
    """The reasons why no cluster can run here; empty if it can."""
    reasons = []
    if os.geteuid() != 0:
        reasons.append("not root: namespaces, mounts and booted nodes need it")
    for program, package in PROGRAMS.items():
        if not shutil.which(program):
            reasons.append(f"no '{program}' (package {package})")
    reasons += _missing_kernel()
    if os.geteuid() == 0 and shutil.which("ip"):
        reasons += _missing_right()
    if not place.built("build-parts", only_look=True):
        reasons += _missing_go()
    if not place.built("build-tree", only_look=True) and not shutil.which("debootstrap"):
        reasons.append("no 'debootstrap' (package debootstrap), and no node tree was built before")
    return reasons


def _missing_kernel():
    reasons = []
    with open("/proc/filesystems", encoding="ascii") as f:
        known = f.read().split()
    for name in ("overlay", "xfs", "ext4"):
        if name not in known:
            reasons.append(f"this kernel has no {name} file system")
    if not os.path.isdir("/sys/fs/cgroup/memory"):
        reasons.append("no control groups of version 1 with 'memory' under /sys/fs/cgroup, which the nodes are made for")
    for device in ("/dev/kmsg", "/dev/loop-control"):
        if not os.path.exists(device):
            reasons.append(f"no {device}")
    return reasons


def _missing_right():
    name = f"hf-probe-{os.getpid()}"
    done = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return [f"may not make a network namespace ({done.stderr.strip()})"]
    subprocess.run(["ip", "netns", "del", name], check=False)
    return []


def _missing_go():
    if not shutil.which("go"):
        return ["no Go, and no Kubernetes was built before"]
    said = subprocess.run(["go", "version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"go(\d+)\.(\d+)", said)
    if not found or tuple(map(int, found.groups())) < GO_NEEDED:
        return [f"Go {GO_NEEDED[0]}.{GO_NEEDED[1]} or newer is needed to build Kubernetes, here is: {said.strip() or 'none'}"]
    return []
