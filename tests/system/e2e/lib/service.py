# SPDX-License-Identifier: Apache-2.0
"""A program on a node that releases bring from version to version: the sample service, as a systemd unit."""

import hashlib
import os

from holdcluster import place

from . import release, wait, world

UNIT = """[Unit]
Description=sample service {name}
[Service]
ExecStart={path} --port {port}
Restart=on-failure
RestartSec=100ms
[Install]
WantedBy=multi-user.target
"""


class Service:
    """The service `name` on `node`, listening on `port` of the node's loopback device."""

    def __init__(self, node, name, port):
        self.node, self.name, self.port = node, name, port
        self.path = f"/opt/{name}/bin/current"
        self.unit = f"{name}.service"

    def install(self, data):
        """Lay down the first version by hand, as a factory would, and start it."""
        place.write(self._file(), data, 0o755)
        place.write(os.path.join(world.cluster.root(self.node), "etc/systemd/system", self.unit),
                    UNIT.format(name=self.name, path=self.path, port=self.port))
        world.cluster.run(self.node, "systemctl", "daemon-reload")
        world.cluster.run(self.node, "systemctl", "-q", "enable", "--now", self.unit)
        wait.until(f"{self.name} to answer", self.version, 10)
        world.cluster.run(self.node, "sync")

    def remove(self):
        world.cluster.run(self.node, "systemctl", "-q", "disable", "--now", self.unit, check=False)

    def _file(self):
        return world.cluster.root(self.node) + self.path

    def version(self):
        """The version that the running service says it is; empty while it does not answer."""
        words = self.ask("/version").split()           # its name, version, hash of its data
        return words[1] if len(words) > 1 else ""

    def healthy(self):
        return self.ask("/healthz").strip() == "ok"

    def ask(self, path):
        return world.cluster.run(self.node, "curl", "-s", "-m", "2", f"http://127.0.0.1:{self.port}{path}", check=False)

    def sha256(self):
        """The hash of the file that is installed."""
        with open(self._file(), "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()

    def await_tidy(self):
        """Wait until nothing but the installed file, and whole files to repair it from, is in its folder: the agent tidies up right after
        an outcome."""
        folder, kept = os.path.dirname(self._file()), f".holdfast-{self.name}.kept"

        def tidy():
            names = set(os.listdir(folder))
            parts = [name for name in os.listdir(os.path.join(folder, kept)) if name.endswith(".new")] if kept in names else []
            return names - {kept} == {os.path.basename(self.path)} and not parts
        wait.until(f"nothing but the installed file beside {self.path}", tidy, 5)

    def partly_fetched(self):
        """Whether the node has a part of a new version for sure, so that it goes on from there whatever happens."""
        return os.path.exists(os.path.join(world.cluster.root(self.node), "var/lib/holdfast/updates", self.name, "fetch"))

    def start_count(self):
        """How many times systemd has started the service in this boot."""
        said = world.cluster.run(self.node, "journalctl", "-b", "-o", "cat", "-u", self.unit, "--no-pager")
        return said.count("Started " + self.unit)

    def release(self, version, sequence, new, old=None, checks=None, **changes):
        """A release of this service; see release.make()."""
        health = {"http": {"url": f"http://127.0.0.1:{self.port}/healthz", "status": 200}, "period": "200ms", "successThreshold": 2}
        install = {"path": self.path, "mode": "0755", "restart": {"systemdUnit": self.unit}}
        return release.make(version, sequence, new, old, name=self.name, checks=checks or [health], **({"install": install} | changes))
