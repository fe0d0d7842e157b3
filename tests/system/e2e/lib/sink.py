# SPDX-License-Identifier: Apache-2.0
"""A telemetry sink (tests/system/telemetry/sink.py) in the control plane's network, over mutual TLS, and what it received."""

import json
import os
import sys

from holdcluster import place

from . import wait, world

PROGRAM = os.path.join(place.TOP, "tests", "system", "telemetry", "sink.py")
ON_NODE = "etc/holdfast/credentials.d"         # where a policy may name files, and which both lives of the agent see
FILES = {"caFile": "ca.pem", "certFile": "client.pem", "keyFile": "client.key"}


class Sink:
    """One server of its own; `spec` is what a policy of this node says."""

    def __init__(self, name, node, port):
        self._name, self._file = f"sink-{name}", world.cluster.where.path(f"sink-{name}")
        self._url, self._tls = f"https://{place.API_IP}:{port}", self._file + "-tls"
        if os.path.exists(self._file):
            os.unlink(self._file)
        world.cluster.start_in_plane(self._name, [sys.executable, PROGRAM, "--host", place.API_IP, "--port", str(port), "--record", self._file,
                                                  "--events", "--tls", self._tls])
        wait.until("the sink to answer", lambda: self._tell({}), 20)
        for file in FILES.values():
            with open(os.path.join(self._tls, file), encoding="ascii") as f:
                place.write(os.path.join(world.cluster.root(node), ON_NODE, file), f.read(), 0o600)
        self.spec = {"url": self._url + "/v1/events"} | {field: f"/{ON_NODE}/{file}" for field, file in FILES.items()}

    def stop(self):
        world.cluster.stop_in_plane(self._name)

    def _tell(self, mode):
        """Behave so from now on; False: it does not answer."""
        keys = [word for option, file in (("--cacert", "ca.pem"), ("--cert", "client.pem"), ("--key", "client.key"))
                for word in (option, os.path.join(self._tls, file))]
        return world.cluster.run_in_plane("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *keys, "-d", json.dumps(mode),
                                          self._url + "/ctl", check=False) == "204"

    def refuse(self, away, status=503):
        """Answer with this status from now on, or no longer."""
        assert self._tell({"refuse": status} if away else {}), "the sink does not answer"

    def events(self):
        """What an idempotent receiver has: of the requests with one key the first, in order."""
        keys, events = set(), []
        if not os.path.exists(self._file):
            return events
        with open(self._file, encoding="utf-8") as f:
            for line in f:
                if not line.endswith("\n"):
                    break
                batch = json.loads(line)
                if batch["key"] not in keys:
                    events += batch["events"]
                keys.add(batch["key"])
        return events
