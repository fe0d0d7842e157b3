# SPDX-License-Identifier: Apache-2.0
"""What is kept of a failed test, so that it can be understood after the cluster is gone."""

import collections
import os
import re
import shutil

from holdcluster import place

from . import world

FOLDER = os.path.join(place.TOP, "build", "e2e-failed")
SHOWN = 12                                      # last lines of each log that a failure prints
KINDS = "nodes,pods,events,edgeupdates,syncpolicies,edgenodes"


def _save(folder, name, produce):
    try:
        text = produce()
    except (place.Error, OSError) as error:
        text = f"could not be had: {error}\n"
    place.write(os.path.join(folder, name), text)


def collect(test):
    """Save logs, objects and requests as they are now; the folder they are in."""
    folder = os.path.join(FOLDER, re.sub(r"[^A-Za-z0-9_.-]+", "_", test))
    shutil.rmtree(folder, ignore_errors=True)
    cluster = world.cluster
    _save(folder, "status", lambda: "\n".join(cluster.status()) + "\n")
    _save(folder, "objects.yaml", lambda: cluster.kubectl("get", KINDS, "-A", "-o", "yaml", "--request-timeout=5s", check=False))
    _save(folder, "requests", lambda: "\n".join(_line(event) for event in cluster.audit()[-2000:]) + "\n")
    for name in cluster.log_files():           # API server, controllers, servers of artifacts
        _save(folder, f"log-{name}", lambda n=name: "".join(_last(cluster.where.path("log", n), 3000)))
    for node in cluster.where.nodes():
        _save(folder, f"agent-{node}", lambda n=node: cluster.run(
            n, "sh", "-c", "journalctl --no-pager -b -o cat -n 500 -u holdfast-agent; tail -qn 500 /var/log/pods/*holdfast*/*/*.log", check=False))
        _save(folder, f"journal-{node}", lambda n=node: cluster.run(n, "journalctl", "--no-pager", "-b", "-o", "short-precise", "-n", "3000"))
        _save(folder, f"pods-{node}", lambda n=node: cluster.run(n, "sh", "-c", "tail -n 500 /var/log/pods/*/*/*.log", check=False))
    return folder


def _last(path, count):
    with open(path, encoding="utf-8", errors="replace") as log:
        return collections.deque(log, count)


def told(folder):
    """The last lines of what the agents, the controllers and the API server said, for whoever has only the output of the run."""
    lines = []
    for name in sorted(os.listdir(folder)):
        if name.startswith(("agent-", "log-controller", "log-kube-apiserver")):
            lines += [f"-- {name}", *(line.rstrip("\n")[:400] for line in _last(os.path.join(folder, name), SHOWN))]
    return lines


def _line(event):
    who, where = event["user"].get("username", "nobody"), event.get("userAgent", "").split(" ")[0]
    return f"{event['requestReceivedTimestamp']} {event['verb']} {event['requestURI']} {event.get('responseStatus', {}).get('code')} {who} {where}"
