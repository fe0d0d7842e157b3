# SPDX-License-Identifier: Apache-2.0
"""The agent on a node in its two lives: a systemd unit of the host (Unit), a pod of the DaemonSet (Pod)."""

import fcntl
import json
import os
import re
import shutil
import signal

from holdcluster import place
from holdcluster.process import end, run

from . import identity, release, wait, world

PROGRAM = "holdfast-agent"
METRICS = "http://127.0.0.1:9090"
HEALTH = "http://127.0.0.1:9092"
DEPLOY = os.path.join(place.TOP, "deploy", "holdfast.yaml")
# After the API server was away, kube-controller-manager, kube-scheduler and kubelet connect to it again only after a pause
# of up to 60 s (30 s of client-go's reflector, doubled by its jitter).
POD_S = 90
PROBATION_S = 5                                # then an agent keeps a copy of its agent.yaml: one write


def select(node):
    """Let the DaemonSet have a pod on the node of this name only."""
    world.cluster.kubectl("patch", "daemonset", PROGRAM, "-n", identity.NAMESPACE, "--type=merge", "-p", json.dumps(
        {"spec": {"template": {"spec": {"nodeSelector": {"kubernetes.io/hostname": node}}}}}))


def deployed():
    """The text of DEPLOY with agents that stay in their pods: test_hostmode.py alone is about those on hosts."""
    with open(DEPLOY, encoding="utf-8") as file:
        text = file.read().replace("HOLDFAST_HOST_LIFE, value: auto", "HOLDFAST_HOST_LIFE, value: pod")
    return text.replace("        - --mode=pod\n", f"        - --mode=pod\n        - --probation={PROBATION_S}s\n")


def url_of(path):
    return (HEALTH if path in ("/healthz", "/readyz") else METRICS) + path


def image(program):
    """The docker-archive of a program, made if it is not there or older than the program."""
    folder = os.path.join(place.TOP, "build", "image", "e2e")      # not that of `make image`, whose hosts may get nothing
    archive = os.path.join(folder, program + ".tar")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)                           # tests on the other cluster want it, too
        if not os.path.exists(archive) or os.path.getmtime(archive) < os.path.getmtime(world.built(program)):
            run([os.path.join(place.TOP, "deploy", "image", "build"), "--dynamic-hosts", "--out", folder, program])
    return archive


class _Agent:
    """What both lives share. `node` is the name of the node."""

    def __init__(self, node):
        self.node = node

    def trust(self, *keys):
        """Let the node trust these keys too."""
        folder = os.path.join(world.cluster.root(self.node), "etc/holdfast/trust.d")
        for key in keys:
            place.write(os.path.join(folder, key + ".pem"), release.make_key(key))

    def pid(self):
        """The number of its process as this machine sees it; None if it does not run."""
        found = world.cluster.find(self.node, PROGRAM)
        return found[0] if found else None

    def get(self, path):
        """What its HTTP server of that page answers; empty if nothing."""
        return world.cluster.run(self.node, "curl", "-s", "-m", "2", url_of(path), check=False)

    def says_ok(self, path):
        """Whether its HTTP server answers with 200."""
        return world.cluster.run(self.node, "curl", "-s", "-m", "2", "-o", "/dev/null", "-w", "%{http_code}", url_of(path), check=False) == "200"

    def metric(self, name):
        """The sum over all labels of a metric, None if it is not there."""
        values = re.findall(rf"^{name}(?:{{[^}}]*}})? ([0-9.e+-]+)$", self.get("/metrics"), re.M)
        return sum(map(float, values)) if values else None

    def wait_ready(self, timeout_s=30):
        wait.until(f"the agent on {self.node} to be ready", lambda: self.says_ok("/readyz"), timeout_s)

    def events(self, name=None):
        """The lines of its log in this boot, each a JSON object; only those with this event if given."""
        lines = []
        for line in self.journal().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and (name is None or event.get("event") == name):
                lines.append(event)
        return lines

    def phases(self, name):
        """The phases that the release `name` went through in this boot, as its log tells them, oldest first."""
        return [event["phase"] for event in self.events("update.phase") if event["release"] == name]

    def await_phase(self, name, phase, timeout_s=30, times=1):
        """Wait until its log has told of this phase so many times: at once, where the status is written once in 10 s."""
        try:
            wait.until(f"{name} to be {phase} ({times})", lambda: self.phases(name).count(phase) >= times, timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; it was {self.phases(name)}") from None

    def threads(self):
        """What each thread of its process does: name, state, place in the kernel, system call, ticks of processor time."""
        def read(task, name):
            with open(f"/proc/{pid}/task/{task}/{name}", encoding="utf-8", errors="replace") as file:
                return file.read().strip()

        pid, found = self.pid(), []
        try:
            for task in sorted(os.listdir(f"/proc/{pid}/task")):
                fields = read(task, "stat").rpartition(")")[2].split()
                found.append(f"{read(task, 'comm')} {fields[0]} {read(task, 'wchan')} {read(task, 'syscall').split(' ')[0]} "
                             f"{int(fields[11]) + int(fields[12])}")
        except OSError as error:
            return f"no threads: {error}"
        return "; ".join(found)

    def freeze(self):
        """Let its process do nothing more."""
        os.kill(self.pid(), signal.SIGSTOP)

    def kill(self):
        """kill -9; whoever watches over it starts it again."""
        pid = self.pid()
        if pid:
            end([pid], signal.SIGKILL)


class Unit(_Agent):
    """As a systemd unit, with a client certificate."""

    life = "Host"

    def install(self):
        tree = world.cluster.root(self.node)
        os.makedirs(os.path.join(tree, "usr/local/bin"), exist_ok=True)
        place_program = os.path.join(tree, "usr/local/bin", PROGRAM)
        shutil.copy(world.built(PROGRAM), place_program + ".new")
        os.replace(place_program + ".new", place_program)          # one may be running
        shutil.copy(os.path.join(place.TOP, "deploy", "systemd", PROGRAM + ".service"), os.path.join(tree, "etc/systemd/system"))
        place.write(os.path.join(tree, "etc/holdfast/kubeconfig"), identity.host_kubeconfig(self.node), 0o600)
        place.write(os.path.join(tree, "etc/holdfast/agent.env"),
                    f"NODE_NAME={self.node}\nHOLDFAST_ARGS=--kubeconfig=/etc/holdfast/kubeconfig --probation={PROBATION_S}s\n")
        self.trust(release.KEY)
        world.cluster.run(self.node, "systemctl", "daemon-reload")
        world.cluster.run(self.node, "systemctl", "-q", "enable", PROGRAM)
        world.cluster.run(self.node, "systemctl", "restart", PROGRAM)
        self.wait_ready()
        world.cluster.run(self.node, "sync")

    def renew(self):
        """Nothing to do: systemd starts it again a second after each of its ends."""

    def start(self):
        world.cluster.run(self.node, "systemctl", "start", PROGRAM)

    def stop(self):
        world.cluster.run(self.node, "systemctl", "stop", PROGRAM)

    def journal(self):
        # In the first moments of a boot journalctl does not know the boot's number, and fails: nothing has been logged.
        return world.cluster.run(self.node, "journalctl", "--no-pager", "-b", "-o", "cat", "-u", PROGRAM, check=False)


class Pod(_Agent):
    """As the DaemonSet's pod on this one node."""

    life = "Pod"

    def install(self):
        self.trust(release.KEY)
        world.cluster.load_image(self.node, image(PROGRAM))
        self.stop()                            # a pod of an earlier run would go on with the image of that run
        self.start()
        self.wait_ready(POD_S)
        world.cluster.run(self.node, "sync")

    def renew(self):
        """Give it a new pod: the second time that one dies kubelet waits 10 s, then 20, ..."""
        try:
            self.stop()
        finally:
            self.start()                       # for the tests that follow, too
        self.wait_ready(POD_S)

    def start(self):
        """Let it run on its node again."""
        select(self.node)

    def stop(self):
        """Take its pod away."""
        select("nowhere")
        wait.until("the agent's pod to be gone", lambda: self.pid() is None, POD_S)

    def journal(self):
        folder = os.path.join(world.cluster.root(self.node), "var/log/pods")
        lines = []
        for path, _, files in sorted(os.walk(folder)):
            if f"{identity.NAMESPACE}_{PROGRAM}-" in path:
                for name in sorted(files):
                    with open(os.path.join(path, name), encoding="utf-8", errors="replace") as f:
                        lines += [line.split(" ", 3)[3] for line in f if line.count(" ") >= 3]
        return "".join(lines)
