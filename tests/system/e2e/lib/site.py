# SPDX-License-Identifier: Apache-2.0
"""The site that artifacts are fetched from: a server in the control plane's network, apart from the API server."""

import hashlib
import json
import os
import sys

from holdcluster import place

from . import wait, world

PORT = 8000
URL = f"http://{place.API_IP}:{PORT}"
SERVER = os.path.join(os.path.dirname(__file__), "site_server.py")


def _folder():
    return world.cluster.where.path("site")


def start():
    os.makedirs(_folder(), exist_ok=True)
    serve("site", _folder(), place.API_IP, PORT)


def serve(name, folder, address, port):
    """Start a server of the files in `folder`, as the process `name` in the control plane's network."""
    world.cluster.start_in_plane(name, [sys.executable, SERVER, folder, address, str(port)])
    wait.until(f"the server {name} to serve", lambda: world.cluster.run_in_plane(
        "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://{address}:{port}/", check=False) == "404", 10)


def stop():
    world.cluster.stop_in_plane("site")


def put(name, data):
    """Serve `data` as `name`; what an artifact says of it: url, sha256, size."""
    place.write(os.path.join(_folder(), name), data)
    return {"url": f"{URL}/{name}", "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def names():
    """All that is served."""
    return sorted(os.listdir(_folder()))


def take_away(name):
    os.unlink(os.path.join(_folder(), name))


def set_rate(name, bytes_per_second):
    """How fast answers for the file `name` are from now on; 0: as fast as it can."""
    place.write(os.path.join(_folder() + ".rates", name), str(bytes_per_second))


def asked(name):
    """When the file `name` was asked for, in seconds of the wall clock, oldest first; answers that are not over count too."""
    try:
        with open(_folder() + ".asked", encoding="utf-8") as f:
            return [float(line.split()[0]) for line in f if line.split()[1] == "/" + name]
    except FileNotFoundError:
        return []


def answers_of(folder):
    """What the server of `folder` answered so far, oldest first."""
    try:
        with open(folder + ".log", encoding="utf-8") as f:
            return [json.loads(line) for line in f]
    except FileNotFoundError:
        return []


def answers(name=None):
    """What was answered so far, oldest first; only for the file `name` if given."""
    return [line for line in answers_of(_folder()) if name is None or line["path"] == "/" + name]
