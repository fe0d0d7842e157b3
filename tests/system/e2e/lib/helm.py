# SPDX-License-Identifier: Apache-2.0
"""Helm (tests/system/helm/build) as the cluster's administrator, and the chart."""

import json
import os
import subprocess
import time

import yaml

from holdcluster import place, plane, process

from . import world

CHART = os.path.join(place.TOP, "charts", "holdfast")
NAMESPACE = "holdfast-system"
RELEASE = "holdfast"
BUILD = os.path.join(place.TOP, "tests", "system", "helm", "build")


def program():
    """The path of a Helm; an AssertionError with the reason if none can be built."""
    done = subprocess.run([BUILD], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"no Helm can be built: {done.stderr.strip()[-500:]}")
    return done.stdout.strip()


def argv(*words):
    """helm with these words, as it is to be called from outside."""
    where = world.cluster.where
    homes = [f"HELM_{name}_HOME={where.path('helm', name.lower())}" for name in ("CACHE", "CONFIG", "DATA")]
    return plane.inside(where, ["env", *homes, program(), "--kubeconfig", where.path("pki", "admin.kubeconfig"), *words])


def helm(*words, check=True):
    """What helm prints."""
    return process.run(argv(*words), check=check)


def values_file(values):
    """The path of a file with these values."""
    path = world.cluster.where.path("helm", "values.json")
    place.write(path, json.dumps(values))
    return path


def older_chart():
    """A copy of the chart as the version before it: another version of the chart, and kinds that lack a column."""
    folder = world.cluster.where.path("helm", "older")
    process.run(["rm", "-rf", folder])
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    process.run(["cp", "-r", CHART, folder])
    with open(os.path.join(folder, "Chart.yaml"), encoding="utf-8") as file:
        chart = yaml.safe_load(file)
    chart["version"] = "0.0.9"
    place.write(os.path.join(folder, "Chart.yaml"), json.dumps(chart))
    kind = os.path.join(folder, "files", "crds", "edgeupdates.yaml")
    with open(kind, encoding="utf-8") as file:
        lines = file.read().split("\n")
    place.write(kind, "\n".join(line for line in lines if "name: Updated," not in line))
    return folder


def nodes(names, say):
    """Boot these nodes beside those of the run, and wait until they are ready; how long that took, in seconds."""
    begin = time.monotonic()
    for name in names:
        world.cluster.add_node(name)
        say(f"        node {name} ready after {time.monotonic() - begin:.1f} s")
    return time.monotonic() - begin
