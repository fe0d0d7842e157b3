# SPDX-License-Identifier: Apache-2.0
"""A whole cluster: what hack/cluster and the end-to-end tests call."""

import json
import os
import shutil
import signal
import subprocess
import time

from . import disk, image, need, net, node, pki, place, plane, process


class Cluster:
    """The cluster whose files are in `folder`. Nothing happens before up()."""

    def __init__(self, folder):
        self.where = place.Place(folder)
        self._parts = self._tree = None

    # --- what it is made from ---

    def parts(self):
        self._parts = self._parts or place.built("build-parts")
        return self._parts

    def tree(self):
        self._tree = self._tree or place.built("build-tree")
        return self._tree

    # --- life ---

    def up(self, nodes=("n1", "n2"), say=lambda text: None):
        """Start the control plane and `nodes`, or what of them does not run, and wait until all are ready."""
        reasons = need.missing()
        if reasons:
            raise place.Error("no cluster can run here:\n  " + "\n  ".join(reasons))
        parts, tree = self.parts(), self.tree()
        begin = time.monotonic()
        node.allow_watchers()
        pki.make_all(self.where)
        net.make_plane(self.where)
        disk.make_cluster(self.where)
        plane.start_all(self.where, parts)
        for name in nodes:
            node.start_node(self.where, name, parts, tree)
        plane.wait_api(self.where, parts)
        plane.start_managers(self.where, parts)
        say(f"API server ready after {time.monotonic() - begin:.1f} s")
        for name in nodes:
            self.wait_ready(name)
            disk.sync(self.where, name)
            say(f"node {name} ready after {time.monotonic() - begin:.1f} s")

    def add_node(self, name, kubelet=None):
        """Boot one more node and wait until it is ready; with `kubelet` as its own program, as node.OWN_PROGRAM run by node.OWN_UNIT."""
        self.add_nodes((name,), kubelet)

    def add_nodes(self, names, kubelet=None):
        """Boot these nodes side by side; see add_node()."""
        for name in names:
            node.start_node(self.where, name, self.parts(), self.tree(), kubelet)
        for name in names:
            self.wait_ready(name)
            disk.sync(self.where, name)

    def down(self, keep=False):
        """End everything of this cluster and remove its files, or with `keep` leave the disks for another up()."""
        for name in self.where.nodes():
            node.shut_down(self.where, name) if keep else None
        process.end(process.marked(self.where), signal.SIGTERM if keep else signal.SIGKILL)
        net.remove_all(self.where)
        disk.release(self.where.folder)
        node.remove_cgroups(self.where)
        if not keep:
            shutil.rmtree(self.where.folder, ignore_errors=True)

    # --- nodes ---

    def _number(self, name):
        nodes = self.where.nodes()
        if name not in nodes:
            raise place.Error(f"no node '{name}'; there are: {', '.join(nodes) or 'none'}")
        return nodes[name]

    def boot(self, name):
        self._number(name)
        node.start_node(self.where, name, self.parts(), self.tree())

    def shut_down(self, name):
        self._number(name)
        node.shut_down(self.where, name)

    def reboot(self, name):
        """Shut down in order and boot again on the same disk."""
        self.shut_down(name)
        self.boot(name)

    def power_cut(self, name, off=False):
        """Cut the power and, unless `off`, give it back: the node boots from what had reached its disk."""
        self._number(name)
        node.power_cut(self.where, name)
        if not off:
            self.boot(name)

    def cut(self, name, silent=False):
        number = self._number(name)
        net.set_silence(self.where, number, True) if silent else net.set_link(self.where, number, False)

    def heal(self, name):
        number = self._number(name)
        net.set_silence(self.where, number, False)
        net.set_link(self.where, number, True)

    def run(self, name, *argv, check=True, text=None):
        """Run `argv` in the node and return what it prints."""
        self._number(name)
        return process.run(node.enter(self.where, name, list(argv)), check=check, input=text)

    def find(self, name, program):
        """The numbers, as this machine sees them, of the processes in the node, its pods included, that run `program`."""
        self._number(name)
        return node.find(self.where, name, program)

    def root(self, name):
        """The node's file tree as a folder of this machine."""
        return disk.root(self.where, name)

    def load_image(self, name, archive):
        node.add_image(self.where, name, archive)

    def make_image(self, tag, program, *arguments):
        """A docker-archive with one static program, to be given to load_image()."""
        path = self.where.path("images", tag.replace("/", "_").replace(":", "_") + ".tar")
        with open(program, "rb") as f:
            image.archive(path, tag, {"/program": f.read()}, ["/program", *arguments])
        return path

    def wait_ready(self, name, timeout_s=90):
        """Wait until the API server calls the node ready in its present boot."""
        def ready():
            if node.leader(self.where, name) is None:
                return False
            boot = self.run(name, "cat", "/proc/sys/kernel/random/boot_id", check=False).strip()
            said = self.kubectl("get", "node", name, "-o", "json", check=False)
            if not said or not boot:
                return False
            status = json.loads(said)["status"]
            conditions = {c["type"]: c["status"] for c in status.get("conditions", [])}
            return conditions.get("Ready") == "True" and status["nodeInfo"]["bootID"] == boot
        process.wait_for(f"node '{name}' to be ready", ready, timeout_s, 0.2)

    # --- API server ---

    def kubectl(self, *words, check=True, text=None):
        return plane.kubectl(self.where, self.parts(), *words, check=check, text=text)

    def kubectl_argv(self, *words):
        return plane.kubectl_argv(self.where, self.parts(), *words)

    def stop_api(self, kill=False):
        plane.stop_api(self.where, signal.SIGKILL if kill else signal.SIGTERM)

    def start_api(self):
        plane.start_api(self.where, self.parts())
        plane.wait_api(self.where, self.parts())
        plane.start_managers(self.where, self.parts())

    def audit(self):
        """The requests the API server has answered, oldest first, each as its audit event."""
        with open(self.where.path("plane", "audit.log"), encoding="utf-8") as f:
            return [json.loads(line) for line in f if line.endswith("\n")]

    def run_in_plane(self, *argv, check=True, text=None):
        """Run `argv` in the control plane's network and return what it prints."""
        return process.run(plane.inside(self.where, list(argv)), check=check, input=text)

    def start_in_plane(self, name, argv):
        """Start a server in the control plane's network (nodes reach it at place.API_IP)."""
        return process.start(self.where, name, argv, netns=self.where.plane_netns)

    def stop_in_plane(self, name, how=signal.SIGTERM):
        process.stop(self.where, name, how)

    # --- looking ---

    def status(self):
        """Lines that say what runs."""
        lines = []
        for name in ("kine", "kube-apiserver", "kube-controller-manager", "kube-scheduler"):
            pid = process.pid_of(self.where, name)
            lines.append(f"{name:24} {'pid ' + str(pid) if pid else 'stopped'}")
        for name, number in self.where.nodes().items():
            pid = node.leader(self.where, name)
            link = net.link_state(self.where, number) if net.exists(self.where.netns(name)) else "none"
            lines.append(f"node {name:19} {'PID 1 is ' + str(pid) if pid else 'off':20} {place.node_ip(number):15} link {link}")
        return lines

    def access(self):
        """Lines that say how to point programs at the cluster. Its API server is in a network of its own, so they run there."""
        config, socket = self.where.path("pki", "admin.kubeconfig"), self.where.path("proxy.sock")
        there = f"sudo ip netns exec {self.where.plane_netns} env KUBECONFIG={config}"
        return ["",
                "kubectl:  hack/cluster kubectl get nodes, or your own one:",
                f"          {there} kubectl get nodes",
                f"helm:     {there} helm list -A",
                f"browser:  hack/cluster kubectl proxy --unix-socket={socket} &",
                f"          sudo socat TCP-LISTEN:8001,bind=127.0.0.1,fork,reuseaddr UNIX-CONNECT:{socket} &",
                "          then http://127.0.0.1:8001/apis/edge.codcompass.io/v1alpha1/edgenodes"]

    def log_files(self):
        folder = self.where.path("log")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def follow(self, argv):
        """Run `argv` on the caller's terminal; its exit code."""
        return subprocess.run(argv, check=False).returncode
