# SPDX-License-Identifier: Apache-2.0
"""A node whose containerd and kubelet do not start, as on a K3s agent without its server, and the pod that it runs nevertheless."""

import json
import os
import shutil
import time

from holdcluster import image, node, place, process

from . import wait, world

PORT = 8085
SETTLE_S, ANSWER_S, GAP_S = 5, 15, 5           # a new agent looks for so long; the bars
UNITS = ("kubelet.service", "containerd.service")
FOLDER = "/etc/systemd/system"
CGROUP = "/sys/fs/cgroup/systemd/system.slice/holdfast-alone-runtime.service"
OURS = "edge.codcompass.io/alone"
PROGRAM = """
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(%d)};
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 8) < 0)
        return 1;
    for (;;)
        close(accept(fd, NULL, NULL));
}
""" % PORT
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "beacon", "namespace": "site"},
       "spec": {"hostNetwork": True, "terminationGracePeriodSeconds": 1, "volumes": [{"name": "scratch", "emptyDir": {}}],
                "containers": [{"name": "beacon", "image": "site-beacon:1", "imagePullPolicy": "Never",
                                "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}]}]}}
CGROUPS = """[Unit]
Before=holdfast-agent.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'for c in /sys/fs/cgroup/*; do mount -o remount,rw,bind "$c" || true; done'
"""


class Lone:
    """The node `name`, which runs, and its pod."""

    def __init__(self, name):
        self.name = name

    def run(self, *argv, check=True):
        return world.cluster.run(self.name, *argv, check=check)

    def furnish(self):
        """Give the node crictl, the pod's image, and what else its kubelet's unit does: at first systemd-nspawn's control groups are read-only."""
        shutil.copy(os.path.join(place.built("build-crictl"), "crictl"), os.path.join(world.cluster.root(self.name), "usr/local/bin/crictl"))
        wait.until("containerd", lambda: self.run("systemctl", "is-active", "containerd", check=False).strip() == "active", 60)
        world.cluster.load_image(self.name, _image())
        node.put_unit(world.cluster.where, self.name, "cgroups.service", CGROUPS)

    def mask(self):
        for unit in UNITS:
            path = world.cluster.root(self.name) + f"{FOLDER}/{unit}"
            os.rename(path, path + ".real")
            os.symlink("/dev/null", path)

    def unmask(self):
        for unit in UNITS:
            path = world.cluster.root(self.name) + f"{FOLDER}/{unit}"
            os.unlink(path)
            os.rename(path + ".real", path)
        self.run("systemctl", "daemon-reload")

    def pids(self):
        return world.cluster.find(self.name, "beacon")

    def answers(self):
        """Whether the pod's server takes connections."""
        return self.run("bash", "-c", f"exec 2>&-; : </dev/tcp/127.0.0.1/{PORT} && echo yes", check=False) != ""

    def ours(self):
        """Sandboxes with our label, ready or not."""
        said = self.run("crictl", "--runtime-endpoint", "unix://" + node.CONTAINERD_SOCKET, "pods", "--label", OURS + "=pods", "-o", "json")
        return json.loads(said).get("items") or []

    def status(self):
        """What the agent says of the node."""
        text = self.run("cat", "/run/holdfast/status.json", check=False)
        return json.loads(text).get("status", {}) if text else {}

    def entry(self, name="pods"):
        """What it says of its entry `name` of spec.manifests."""
        return next((one for one in self.status().get("manifests", []) if one["name"] == name), {})

    def alone(self):
        """What it says of the pods of its entry."""
        return self.entry().get("alone", {})

    def one_answers(self, what, bound_s, begun=None):
        """Wait until exactly one instance answers: within `bound_s` of now, or of `begun`."""
        begun = begun or time.monotonic()
        try:
            wait.until(what, lambda: len(self.pids()) == 1 and self.answers(), bound_s + 30, 0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}; it says {self.alone()}\n"
                                 f"{self.run('journalctl', '--no-pager', '-b', '-n', '40', check=False)}") from None
        took = time.monotonic() - begun
        print(f"        {what}: {took:.2f} s (bar: {bound_s} s)")
        if took >= bound_s:
            raise AssertionError(f"{what}: {took:.2f} s are more than {bound_s} s")

    def hand_over(self):
        """Let the kubelet start, and wait until the one instance is its own; the gap in seconds, and how many there were at most."""
        ours, gone, most = set(self.pids()), None, 0
        self.unmask()
        self.run("systemctl", "start", "--no-block", "kubelet")
        begun = time.monotonic()
        while time.monotonic() - begun < 90:
            now = self.pids()
            most = max(most, len(now))
            gone = gone or (time.monotonic() if not ours & set(now) else None)
            if now and not ours & set(now):
                break
            time.sleep(0.02)
        gap = time.monotonic() - (gone or begun)
        print(f"        handed over {time.monotonic() - begun:.1f} s after the kubelet was started, gap {gap:.2f} s, at most {most} at once")
        return gap, most


def _image():
    source, binary = (world.cluster.where.path("site-beacon" + end) for end in (".c", ""))
    if not os.path.exists(binary + ".tar"):
        place.write(source, PROGRAM)
        process.run(["gcc", "-static", "-O", "-o", binary, source])
        with open(binary, "rb") as file:
            image.archive(binary + ".tar", "site-beacon:1", {"/beacon": file.read()}, ["/beacon"])
    return binary + ".tar"
