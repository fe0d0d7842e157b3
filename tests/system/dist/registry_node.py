# SPDX-License-Identifier: Apache-2.0
"""A real registry, and a cluster of one node that pulls from it.

The registry's address is of the loopback device: it is started in the network of whoever asks it, each time with the same files.
"""
import contextlib
import json
import os
import socket
import subprocess
import sys
import time

from holdcluster.cluster import Cluster

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", ".."))
LIMIT_S = 60


def program(script):
    return subprocess.run([os.path.join(TOP, script)], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[-1]


@contextlib.contextmanager
def serving(argv, net, port, log):
    """A server, in the network namespace `net` or here, which has answered at `port`."""
    inside = ["nsenter", f"--net=/run/netns/{net}", "--"] if net else []
    with open(log, "a", encoding="utf-8") as said, subprocess.Popen([*inside, *argv], stdin=subprocess.DEVNULL, stdout=said, stderr=said) as server:
        try:
            end = time.monotonic() + LIMIT_S
            while subprocess.run([*inside, "curl", "-s", "-o", os.devnull, f"http://127.0.0.1:{port}/"], check=False).returncode != 0:
                if time.monotonic() > end or server.poll() is not None:
                    raise AssertionError(f"no answer at port {port}: see {log}")
                time.sleep(0.1)
            yield
        finally:
            server.terminate()


class Registry:
    def __init__(self, work):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.place, self.log, self.config = f"127.0.0.1:{self.port}/edge", os.path.join(work, "registry.log"), os.path.join(work, "registry.yaml")
        self.program, self.helm = program("tests/system/dist/registry/build"), program("tests/system/helm/build")
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump({"version": 0.1, "storage": {"filesystem": {"rootdirectory": os.path.join(work, "registry")}}, "http": {"addr": f"127.0.0.1:{self.port}"}}, file)

    def serving(self, net=None):
        return serving([self.program, "serve", self.config], net, self.port, self.log)


class Node:
    """The one node of a cluster of its own, and a person's shell in its network, in the folder `work`."""

    NAME = "h1"

    def __init__(self, folder):
        self.cluster, self.work, self.tools = Cluster(folder), folder + ".work", folder + ".tools"

    def __enter__(self):
        for path in (self.work, self.tools):
            os.makedirs(path)
        try:
            self.cluster.up((self.NAME,))
        except BaseException:
            self.cluster.down()
            raise
        return self

    def __exit__(self, *_):
        self.cluster.down()

    @property
    def net(self):
        return self.cluster.where.netns(self.NAME)

    def web(self, port, folder):
        return serving([sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", folder], self.net, port, self.tools + ".log")

    def sh(self, script):
        """What the commands print; AssertionError when one fails."""
        done = subprocess.run(["nsenter", f"--net=/run/netns/{self.net}", "--", "bash", "-ec", script], cwd=self.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, env={**os.environ, "PATH": f"{self.tools}:{os.environ['PATH']}", "HOME": self.work,
                                                                                     "KUBECONFIG": self.cluster.where.path("pki", "admin.kubeconfig")})
        if done.returncode != 0:
            raise AssertionError(f"{script[:300]}: {done.returncode}: {done.stdout[-1500:]}")
        return done.stdout
