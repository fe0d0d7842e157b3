# SPDX-License-Identifier: Apache-2.0
"""Where a cluster keeps its files, and what its parts are called.

Everything a cluster owns on the machine is found again from its folder alone: names of network namespaces and control
groups are derived from it, and each process carries it in its environment. So `down` works after any crash.
"""

import hashlib
import json
import os
import subprocess

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", "..", ".."))
MARK = "HOLDFAST_CLUSTER"                  # environment variable of each process of a cluster: the cluster's folder

# Addresses. Each cluster lives in network namespaces of its own, so all clusters use the same ones.
API_IP = "10.213.0.1"                      # of the control plane, on its loopback device
SERVICE_IP = "10.96.0.1"                   # of the service `kubernetes`; the control plane owns that address too
SERVICE_NET = "10.96.0.0/16"


class Error(Exception):
    """Something a person can act on; shown without a trace."""


class Place:
    """The folder of one cluster and the names derived from it."""

    def __init__(self, folder):
        self.folder = os.path.realpath(folder)
        self.id = hashlib.sha256(self.folder.encode()).hexdigest()[:8]
        self.prefix = f"hf-{self.id}-"
        self.plane_netns = self.prefix + "plane"
        self.cgroup = f"hf-{self.id}"

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def netns(self, node):
        return self.prefix + node

    def nodes(self):
        """The names of the nodes, each with its number, which gives its addresses."""
        try:
            with open(self.path("nodes.json"), encoding="utf-8") as f:
                return json.load(f)
        except FileNotFoundError:
            return {}

    def add_node(self, name):
        """Give `name` the lowest free number and remember it; its number if it is known already."""
        nodes = self.nodes()
        if name not in nodes:
            nodes[name] = min(set(range(1, 250)) - set(nodes.values()))
            write(self.path("nodes.json"), json.dumps(nodes) + "\n")
        return nodes[name]


def node_ip(number):
    return f"10.213.{number}.2"


def gateway_ip(number):
    return f"10.213.{number}.1"


def pod_net(number):
    return f"10.244.{number}.0/24"


def write(path, text, mode=0o644):
    """Make the file `path` hold `text` (str or bytes), with the folders above it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = path + ".new"
    with open(temporary, "wb") as f:
        f.write(text.encode() if isinstance(text, str) else text)
    os.chmod(temporary, mode)
    os.rename(temporary, path)


def built(script, only_look=False):
    """The folder that tests/system/cluster/`script` makes; None if it is not there and `only_look`."""
    argv = [os.path.join(TOP, "tests", "system", "cluster", script)] + (["--where"] if only_look else [])
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        if only_look:
            return None
        raise Error(f"tests/system/cluster/{script} failed")
    return done.stdout.strip()
