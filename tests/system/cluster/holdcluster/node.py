# SPDX-License-Identifier: Apache-2.0
"""A node: a systemd booted as PID 1 by systemd-nspawn in its own network namespace, with containerd and kubelet.

Paths are those of a K3s node: containerd's socket, its data and the folder of static pods.
"""

import hashlib
import json
import os
import shutil
import signal

from . import disk, image, net, pki, place
from .process import children, end, pid_of, run, start, stop, wait_for

CONTAINERD_SOCKET = "/run/k3s/containerd/containerd.sock"
STATIC_PODS = "/var/lib/rancher/k3s/agent/pod-manifests"
CERTS = "/var/lib/rancher/k3s/agent/etc/containerd/certs.d"          # what containerd reads of each registry
IMAGES = "/var/lib/rancher/images"          # docker-archives here are imported when containerd starts

WATCHERS, WATCHERS_WANTED = "/proc/sys/fs/inotify/max_user_instances", 1024

CONTAINERD_CONFIG = f"""version = 2
root = "/var/lib/rancher/k3s/agent/containerd"
state = "/run/k3s/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{image.PAUSE}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "/etc/cni/net.d"
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{CERTS}"
"""

CONTAINERD_UNIT = """[Unit]
Description=containerd
[Service]
Type=notify
ExecStart=/usr/bin/containerd
ExecStartPost=/usr/local/bin/import-images
Delegate=yes
KillMode=process
Restart=always
RestartSec=1
LimitNOFILE=infinity
[Install]
WantedBy=multi-user.target
"""

IMPORT_IMAGES = f"""#!/bin/sh
# Import the docker-archives of {IMAGES} that are new or newer than what was imported of them.
set -eu
for archive in {IMAGES}/*.tar; do
  if [ -e "$archive.imported" ] && ! [ "$archive" -nt "$archive.imported" ]; then
    continue
  fi
  ctr --address {CONTAINERD_SOCKET} -n k8s.io images import "$archive"
  touch "$archive.imported"
done
"""

KUBELET_UNIT = """[Unit]
Description=kubelet
After=containerd.service
Wants=containerd.service
StartLimitIntervalSec=0
[Service]
ExecStartPre=/bin/sh -c 'for c in /sys/fs/cgroup/*; do mount -o remount,rw,bind "$c" || true; done'
ExecStart=/usr/local/bin/kubelet --config=/etc/kubernetes/kubelet.json --kubeconfig=/etc/kubernetes/kubelet.kubeconfig \\
  --hostname-override={name} --node-ip={ip} --root-dir=/var/lib/kubelet
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
"""

# A node whose kubelet is its own program, as K3s is: one file on the node's disk, one unit. The settings are those of K3s' installer.
OWN_PROGRAM, OWN_UNIT = "/usr/local/bin/k3s", "k3s-agent.service"
OWN_SETTINGS = """Type=notify
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
RestartSec=5s
"""

KUBELET_CONFIG = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True},
                       "x509": {"clientCAFile": "/etc/kubernetes/ca.crt"}},
    "authorization": {"mode": "Webhook"},
    # Files of our own: a kubelet does not sync the ones it makes, and does not start on what a power cut leaves of them.
    "tlsCertFile": "/etc/kubernetes/serving.crt",
    "tlsPrivateKeyFile": "/etc/kubernetes/serving.key",
    "containerRuntimeEndpoint": "unix://" + CONTAINERD_SOCKET,
    "staticPodPath": STATIC_PODS,
    "cgroupDriver": "cgroupfs",
    "failCgroupV1": False,
    "failSwapOn": False,
    "enforceNodeAllocatable": [],
    "resolvConf": "",
    # The machine's disk is not the node's: its fill level may neither evict pods nor delete images.
    "evictionHard": {"memory.available": "10Mi"},
    "imageGCHighThresholdPercent": 100,
    "makeIPTablesUtilChains": False,
    "serializeImagePulls": True,
    "shutdownGracePeriod": "0s",
}


def _cni(number):
    return json.dumps({
        "cniVersion": "0.4.0", "name": "test",
        "plugins": [{"type": "ptp", "ipMasq": False,
                     "ipam": {"type": "host-local", "subnet": place.pod_net(number), "routes": [{"dst": "0.0.0.0/0"}]}}],
    })


def _kubelet_unit(name, number, own):
    """The unit that runs the kubelet, and its text; `own`: as K3s does."""
    text = KUBELET_UNIT.format(name=name, ip=place.node_ip(number))
    if not own:
        return "kubelet.service", text
    return OWN_UNIT, text.replace("ExecStart=/usr/local/bin/kubelet", "ExecStart=" + OWN_PROGRAM).replace("RestartSec=1\n", OWN_SETTINGS)


def _furnish(where, name, number, kubelet):
    """Write what makes the tree this node's; only at its first start. `kubelet`: a program to be the node's own, or None."""
    tree = disk.root(where, name)
    if os.path.exists(os.path.join(tree, "etc/kubernetes/kubelet.kubeconfig")):
        return

    def put(path, text, mode=0o644):
        place.write(os.path.join(tree, path), text, mode)

    crt, key = pki.make_certificate(where, "node-" + name, "system:node:" + name, "system:nodes")
    serving = pki.make_certificate(where, "serving-" + name, name, names=f"DNS:{name},IP:{place.node_ip(number)}")
    put("etc/machine-id", hashlib.sha256((where.id + name).encode()).hexdigest()[:32] + "\n")
    put("etc/hostname", name + "\n")
    put("etc/hosts", f"127.0.0.1 localhost\n{place.node_ip(number)} {name}\n")
    put("etc/resolv.conf", "")
    put("etc/containerd/config.toml", CONTAINERD_CONFIG)
    put("etc/cni/net.d/10-test.conflist", _cni(number))
    put("etc/kubernetes/kubelet.json", json.dumps(KUBELET_CONFIG, indent=1))
    for source, target in ((where.path("pki", "ca.crt"), "ca.crt"), (serving[0], "serving.crt"), (serving[1], "serving.key")):
        shutil.copy(source, os.path.join(tree, "etc/kubernetes", target))
    put("usr/local/bin/import-images", IMPORT_IMAGES, 0o755)
    put("etc/systemd/journald.conf.d/test.conf", "[Journal]\nStorage=persistent\nSystemMaxUse=64M\nRateLimitIntervalSec=0\n")
    # A pod's first process that does not heed SIGTERM may not hold up a reboot for 90 s.
    put("etc/systemd/system.conf.d/test.conf", "[Manager]\nDefaultTimeoutStopSec=3s\n")
    put_unit(where, name, "containerd.service", CONTAINERD_UNIT)
    put_unit(where, name, *_kubelet_unit(name, number, kubelet))
    if kubelet:
        os.makedirs(os.path.dirname(tree + OWN_PROGRAM), exist_ok=True)
        shutil.copy(kubelet, tree + OWN_PROGRAM)
    rancher = disk.own(where, name, "rancher")
    for folder in (STATIC_PODS, IMAGES):
        os.makedirs(rancher + folder.removeprefix("/var/lib/rancher"), exist_ok=True)
    add_image(where, name, image.make_pause(where))
    put("etc/kubernetes/kubelet.kubeconfig", pki.kubeconfig(where, crt, key), 0o600)
    disk.sync(where, name)


def put_unit(where, name, unit, text):
    """Write and enable a systemd unit in the node's tree."""
    folder = os.path.join(disk.root(where, name), "etc/systemd/system")
    if os.path.islink(os.path.join(folder, unit)):
        os.unlink(os.path.join(folder, unit))
    place.write(os.path.join(folder, unit), text)
    wants = os.path.join(folder, "multi-user.target.wants", unit)
    if not os.path.lexists(wants):
        os.makedirs(os.path.dirname(wants), exist_ok=True)
        os.symlink("/etc/systemd/system/" + unit, wants)


def add_image(where, name, archive):
    """Lay a docker-archive where the node imports it when containerd starts; a running node imports it at once."""
    folder = disk.own(where, name, "rancher", "images")
    os.makedirs(folder, exist_ok=True)
    shutil.copy(archive, os.path.join(folder, os.path.basename(archive)))
    if leader(where, name):
        run(enter(where, name, ["/usr/local/bin/import-images"]))
        disk.sync(where, name)


def _cgroups(where, name):
    """A control group of its own in each hierarchy, so that the node's kubelet sees no other node's pods."""
    folders = []
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        mounts = [line.split() for line in f]
    for words in mounts:
        kind, point = words[words.index("-") + 1], words[4]
        if kind not in ("cgroup", "cgroup2"):
            continue
        folder = point
        for part in (where.cgroup, name):
            above, folder = folder, os.path.join(folder, part)
            os.makedirs(folder, exist_ok=True)
            for file in ("cpuset.cpus", "cpuset.mems"):
                if os.path.exists(os.path.join(folder, file)) and kind == "cgroup":
                    _copy_setting(os.path.join(above, file), os.path.join(folder, file))
        folders.append(folder)
    return folders


def _copy_setting(source, target):
    with open(source, encoding="ascii") as f, open(target, "w", encoding="ascii") as g:
        g.write(f.read().strip())


def remove_cgroups(where):
    for controller in os.listdir("/sys/fs/cgroup"):
        for folder, _, _ in os.walk(os.path.join("/sys/fs/cgroup", controller, where.cgroup), topdown=False):
            wait_for(f"{folder} to be empty", lambda f=folder: _remove_folder(f), 10)


def _remove_folder(folder):
    try:
        os.rmdir(folder)
    except OSError:
        return not os.path.exists(folder)
    return True


def allow_watchers():
    """Let root have more inotify instances if the limit is the kernel's small default: a node needs 15 of them, whose kubelet or
    containerd does not start without, and all clusters of a machine share the limit."""
    with open(WATCHERS, encoding="ascii") as f:
        if int(f.read()) >= WATCHERS_WANTED:
            return
    try:
        with open(WATCHERS, "w", encoding="ascii") as f:
            f.write(str(WATCHERS_WANTED))
    except OSError:
        pass                                   # two small clusters still fit into the default


def start_node(where, name, parts, tree, kubelet=None):
    """Boot the node `name`; returns when its PID 1 is there. At its first start it may be given a kubelet of its own: a program, which
    is copied."""
    number = where.add_node(name)
    net.make_node(where, name, number)
    disk.make_node(where, name, tree)
    _furnish(where, name, number, kubelet)
    own = os.path.exists(disk.root(where, name) + OWN_PROGRAM)
    argv = [
        "systemd-nspawn", "-q", "-D", disk.root(where, name), "-b", "--register=no", "--keep-unit",
        f"--machine={where.prefix}{name}", f"--hostname={name}",
        f"--network-namespace-path=/run/netns/{where.netns(name)}", "--capability=all",
        "--system-call-filter=add_key keyctl bpf @keyring", "--bind=/dev/kmsg", "--resolv-conf=off", "--timezone=off",
        "--link-journal=no", *([] if own else [f"--bind-ro={parts}/kubelet:/usr/local/bin/kubelet"]),
        f"--bind={disk.own(where, name, 'rancher')}:/var/lib/rancher",
        f"--bind={disk.own(where, name, 'kubelet')}:/var/lib/kubelet",
    ]
    environment = {"SYSTEMD_NSPAWN_API_VFS_WRITABLE": "1", "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "0"}
    start(where, "node-" + name, argv, cgroup=_cgroups(where, name), env=environment)
    wait_for(f"PID 1 of node '{name}'", lambda: _has_own_processes(leader(where, name)), 60, 0.01)


def _has_own_processes(pid):
    """Whether this is the PID 1 of a node, and no step of systemd-nspawn on the way there."""
    try:
        return pid is not None and os.readlink(f"/proc/{pid}/ns/pid") != os.readlink("/proc/self/ns/pid")
    except OSError:
        return False


def leader(where, name):
    """The number of the node's PID 1 as this machine sees it; None while the node is off."""
    parent = pid_of(where, "node-" + name)
    if parent is None:
        return None
    found = children(parent)
    return found[0] if found else None


def enter(where, name, argv):
    """`argv` as it is to be called from outside, so that it runs in the node."""
    pid = leader(where, name)
    if pid is None:
        raise place.Error(f"node '{name}' is off")
    clean = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
             f"TERM={os.environ.get('TERM', 'dumb')}"]
    return ["nsenter", "-t", str(pid), "-a", "--"] + clean + argv


def find(where, name, program):
    """The numbers of the processes in the node, its pods included, whose command is `program`."""
    found, left = [], [leader(where, name)]
    while left:
        pid = left.pop()
        if pid is None:
            continue
        left += children(pid)
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                command = f.read().split(b"\0")[0].decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if os.path.basename(command) == program:
            found.append(pid)
    return sorted(found)


def shut_down(where, name):
    """Switch the node off as `poweroff` does."""
    stop(where, "node-" + name, signal.SIGTERM, patience_s=30)


def power_cut(where, name):
    """Cut the node's power: it runs no further instruction, and what it had not sent to its disk is lost."""
    pids = [pid for pid in (pid_of(where, "node-" + name), leader(where, name)) if pid]
    end(pids, signal.SIGKILL)
    disk.freeze_copy(where, name)
    disk.use_copy(where, name)
