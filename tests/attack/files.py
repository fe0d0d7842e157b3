# SPDX-License-Identifier: Apache-2.0
"""Attacks through files: changed trees, modes and owners, names planted beside the target, writable folders, a disk that fills up."""
import contextlib
import ctypes
import http.client
import os
import shutil
import subprocess

from lab import free_port, wait
from node import Artifacts, Node, sha256
from run import Skip

libc = ctypes.CDLL(None, use_errno=True)


INTERVAL = """apiVersion: edge.codcompass.io/v1alpha1
kind: SyncPolicy
metadata: {name: often}
spec: {nodeSelector: {}, interval: 10s}
"""


@contextlib.contextmanager
def machine(home, policy=INTERVAL):
    """A node without a service that looks for drift often, and the server of its artifacts."""
    server = Artifacts()
    node = Node(os.path.join(home, "node"), server)
    node.apply("policy", policy)
    try:
        yield node
    finally:
        node.end()
        server.shutdown()


def version(node, name, text):
    """A program of some KiB whose content depends on `text`; returns its path."""
    path = node.place("versions", name)
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n" + f"# {text}\n" * 400)
    os.chmod(path, 0o755)
    return path


def install(node, sequence, artifact, path=None, name="app"):
    """Installs a release and waits for its end."""
    node.apply(name, node.create(name, f"{sequence}.0", sequence, artifact, path=path, service=False))
    if node.agent is None:
        node.start_agent()
    row = node.wait_end(name, sequence, 60)
    assert row["phase"] == "Committed", row
    return row


def tree(node, text, name="tree"):
    """A folder to install as a tree; returns its path."""
    top = node.place("versions", name)
    os.makedirs(os.path.join(top, "bin"))
    shutil.copy2(version(node, name + ".tool", text), os.path.join(top, "bin", "tool"))
    with open(os.path.join(top, "settings"), "w", encoding="utf-8") as file:
        file.write("safe=yes\n")
    return top


def overwrite(path):
    """Other content with the same size and mtime, as a careful attacker leaves it."""
    before = os.stat(path)
    with open(path, "r+b") as file:
        file.write(b"#!/bin/evil")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def repaired(node, path, want):
    wait(f"the signed content at {path}", lambda: sha256(path) == want, 60)
    wait("the end of the repair", lambda: node.update("app").get("phase") == "Committed", 60)


def attack_tree_content(home):
    """Change a program inside an installed tree, with size and mtime kept: the agent sees it and installs the signed tree again."""
    with machine(home) as node:
        current = node.place("root", "app", "current")
        install(node, 1, tree(node, "first"), current)
        tool = os.path.join(current, "bin", "tool")
        want = sha256(tool)
        overwrite(tool)
        assert sha256(tool) != want
        repaired(node, tool, want)


def attack_tree_extra_file(home):
    """Add a plug-in to an installed tree: the agent sees it and installs the signed tree again, without the plug-in."""
    with machine(home) as node:
        current = node.place("root", "app", "current")
        install(node, 1, tree(node, "first"), current)
        plugin = os.path.join(current, "bin", "plugin.so")
        with open(plugin, "wb") as file:
            file.write(b"evil")
        wait("the plug-in to go", lambda: not os.path.exists(plugin) and os.path.exists(current), 60)
        wait("the end of the repair", lambda: node.update("app").get("phase") == "Committed", 60)


def attack_tree_retaken(home):
    """Change a tree and remove its link: the repair does not take the changed folder again, it installs the signed tree."""
    with machine(home) as node:
        current = node.place("root", "app", "current")
        install(node, 1, tree(node, "first"), current)
        tool = os.path.join(current, "bin", "tool")
        want = sha256(tool)
        overwrite(tool)
        os.unlink(current)
        wait("a repair", lambda: os.path.lexists(current), 60)
        assert sha256(tool) == want, "the repair took the changed folder"


def attack_tree_rollback(home):
    """Change the tree before while an update that fails is judged: the agent does not roll back to the changed tree, says why, and installs the signed one."""
    with machine(home) as node:
        current = node.place("root", "app", "current")
        install(node, 1, tree(node, "first"), current)
        tool = os.path.join(current, "bin", "tool")
        want, before = sha256(tool), os.path.realpath(tool)
        more = ("--health-exec", "/bin/false", "--health-threshold", "1", "--health-deadline", "5s")
        node.apply("app", node.create("app", "2.0", 2, tree(node, "second", "tree2"), path=current, service=False, more=more))
        wait("the update to be judged", lambda: node.update("app").get("phase") == "Probation", 60)
        overwrite(before)
        node.wait_end("app", 2, 60)
        wait("the signed tree", lambda: os.path.exists(tool) and sha256(tool) == want, 60)
        with open(os.path.join(node.home, "agent.log"), encoding="utf-8") as log:
            said = [line for line in log if '"reason":"RollbackFailed"' in line]
        assert len(said) == 1 and "has changed since it was installed" in said[0], said


def attack_mode(home):
    """Give the installed program mode 04777: the agent restores the mode, reports it, and the next version does not inherit it."""
    with machine(home) as node:
        install(node, 1, version(node, "v1", "first"))
        mode = os.stat(node.path).st_mode
        os.chmod(node.path, 0o4777)
        wait("the mode", lambda: os.stat(node.path).st_mode == mode, 30)
        wait("the reason", lambda: node.update("app").get("reason") == "RightsRestored", 30)
        node.stop_agent()
        os.chmod(node.path, 0o4777)
        node.agent = None
        install(node, 2, version(node, "v2", "second"))
        assert os.stat(node.path).st_mode == mode, oct(os.stat(node.path).st_mode)


def attack_owner(home):
    """Give the installed program to another user: the agent takes it back, and a repair does not inherit the owner."""
    if os.geteuid() != 0:
        raise Skip("only root can change owners")
    with machine(home) as node:
        install(node, 1, version(node, "v1", "first"))
        want = sha256(node.path)
        os.chown(node.path, 12345, 12345)
        wait("the owner", lambda: os.stat(node.path).st_uid == 0, 30)
        node.stop_agent()
        overwrite(node.path)
        os.chown(node.path, 12345, 12345)
        node.start_agent()
        repaired(node, node.path, want)
        assert os.stat(node.path).st_uid == 0 and os.stat(node.path).st_gid == 0


def plant(home, suffix, how):
    """Plants a name beside the target before an update; the file behind it must not change, nor get into place."""
    with machine(home) as node:
        install(node, 1, version(node, "v1", "first"))
        precious = node.place("precious")
        with open(precious, "w", encoding="utf-8") as file:
            file.write("precious\n" * 2000)
        before, inode = sha256(precious), os.stat(precious).st_ino
        how(precious, os.path.join(os.path.dirname(node.path), ".holdfast-app." + suffix))
        install(node, 2, version(node, "v2", "second"))
        assert sha256(precious) == before, f"the agent wrote through the name at .{suffix}"
        assert os.stat(node.path).st_ino != inode


def attack_part_hard_link(home):
    """Make a hard link to a precious file at .part before a download: the agent does not write through it."""
    plant(home, "part", os.link)


def attack_new_symlink(home):
    """Make a symbolic link to a precious file at .new before an update: the agent does not write through it."""
    plant(home, "new", os.symlink)


def attack_new_hard_link(home):
    """Make a hard link to a precious file at .new before an update: the agent does not write through it."""
    plant(home, "new", os.link)


def attack_old_planted(home):
    """Put a file of another user at .old before an update: the agent does not put it into place as the old version."""
    if os.geteuid() != 0:
        raise Skip("only root can make a file of another user")

    def evil(_, path):
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/evil\n")
        os.chown(path, 12345, 12345)
    with machine(home) as node:
        install(node, 1, version(node, "v1", "first"))
        want = sha256(node.path)
        evil(None, os.path.join(os.path.dirname(node.path), ".holdfast-app.old"))
        more = ("--health-exec", "/bin/false", "--health-threshold", "1", "--health-deadline", "1s")
        node.apply("app", node.create("app", "2.0", 2, version(node, "v2", "second"), service=False, more=more))
        assert node.wait_end("app", 2, 60)["phase"] == "RolledBack"
        assert sha256(node.path) == want, "the planted file is the installed version now"


def refused_folder(home, spoil):
    if os.geteuid() != 0:
        raise Skip("the agent checks folders only as root, for whom other users are dangerous")
    with machine(home) as node:
        install(node, 1, version(node, "v1", "first"))
        want = sha256(node.path)
        spoil(node)
        node.apply("app", node.create("app", "2.0", 2, version(node, "v2", "second"), service=False))
        row = wait("a refusal", lambda: node.update("app") if node.update("app").get("sequence") == 2
                   and node.update("app").get("reason") not in ("Queued", "", None) else None, 60)
        assert row["reason"] == "TargetUnsafe", row
        assert sha256(node.path) == want


def attack_writable_folder(home):
    """Let others write the folder of an installed program, to swap files during an update: nothing is installed, TargetUnsafe."""
    refused_folder(home, lambda node: os.chmod(os.path.dirname(node.path), 0o777))


def attack_writable_root(home):
    """Let others write the update root: nothing is installed below it, TargetUnsafe."""
    refused_folder(home, lambda node: os.chmod(node.place("root"), 0o777))


def attack_foreign_folder(home):
    """Give the folder of an installed program to another user: nothing is installed there, TargetUnsafe."""
    refused_folder(home, lambda node: os.chown(os.path.dirname(node.path), 12345, 12345))


POLICY = """apiVersion: edge.codcompass.io/v1alpha1
kind: SyncPolicy
metadata: {name: site}
spec:
  nodeSelector: {}
  interval: 10m
  telemetry:
    sources: {http: true}
    buffer: {maxBytes: %d, whenFull: %s}
    retry: {maxAttempts: 3, base: 1s, maxDuration: 60s}
    sink: {url: "http://127.0.0.1:9/take", format: json}
"""


def small_disk(home, mib):
    """A small file system of this process and its children; returns its folder."""
    if os.geteuid() != 0:
        raise Skip("only root can mount a small file system")
    if libc.unshare(0x00020000) != 0:  # CLONE_NEWNS
        raise Skip("this machine gives no mount namespace: " + os.strerror(ctypes.get_errno()))
    libc.mount(b"none", b"/", None, 0x44000, None)  # MS_REC | MS_PRIVATE
    disk = os.path.join(home, "disk")
    os.makedirs(disk)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", disk], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Skip("this machine mounts no tmpfs: " + done.stderr.strip())
    return disk


def post(port, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=40)
    try:
        connection.request("POST", "/ingest", body, {"Content-Type": "application/json"})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def fill(home, when_full):
    disk = small_disk(home, 58)
    with machine(home, POLICY % (1 << 30, when_full)) as node:
        port = free_port()
        os.environ["EDGE_STORAGE_DIR"] = os.path.join(disk, "telemetry")
        words = node.place("state")
        shutil.rmtree(words)
        os.symlink(os.path.join(disk, "state"), words)
        os.makedirs(os.path.join(disk, "state"))
        node.start_agent("--ingest-port", str(port))
        wait("ingest", lambda: post(port, b'[{"sensorData": 1}]') == 202, 60)
        line = '{"sensorData": "%s"}' % os.urandom(15000).hex()
        body = ("[" + ",".join([line] * 8) + "]").encode()
        answers, low = [], 1 << 40
        for _ in range(600):
            answers.append(post(port, body))
            state = os.statvfs(disk)
            low = min(low, state.f_bavail * state.f_frsize)
            if when_full == "Block" and answers[-4:] == [429] * 4:
                break
        reserve = state.f_blocks * state.f_frsize // 20
        assert low >= reserve, f"only {low} bytes were left, and {reserve} are the reserve; answers {sorted(set(answers))}"
        assert answers.count(202) > 20, f"the attack did not reach the spool: {answers[:5]}"
        if when_full == "Block":
            assert answers[-1] == 429, answers[-5:]
        node.alive()


def attack_disk_filled(home):
    """Post until the spool has filled its disk: 5 % of the disk stay free, the agent answers 429 (whenFull: Block)."""
    fill(home, "Block")


def attack_disk_filled_dropping(home):
    """Post without end to a spool that drops the oldest events: 5 % of its disk stay free."""
    fill(home, "DropOldest")
