# SPDX-License-Identifier: Apache-2.0
"""The one cluster of a run, and the built programs that are tested in it."""

import os

from holdcluster import place
from holdcluster.cluster import Cluster

FOLDER = os.path.join(place.TOP, "build", os.environ.get("HF_E2E_FOLDER", "e2e"))
CRDS = os.path.join(place.TOP, "crds")
NODES = ("n1", "n2")

cluster = Cluster(FOLDER)


def built(name):
    """The path of a program that `make` built; a failure if it did not."""
    path = os.path.join(place.TOP, "build", "release", name)
    if not os.path.exists(path):
        raise AssertionError(f"{path} is not built")
    return path


def start(say):
    cluster.up(NODES, say)


def stop():
    cluster.down()
