# SPDX-License-Identifier: Apache-2.0
"""Attacks through other names of folders: an unsigned entry that may write below /data, where root has mounted what no entry may
write, once more or below something else; and names that belong to holdfast alone."""
import contextlib
import ctypes
import os
import subprocess
import threading
import time

import run
from config import configure
from lab import wait
from manifests import entry, machine, policy, refused

CLONE_NEWNS = 0x20000


def write(path, text="evil"):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def mount(*words):
    subprocess.run(["mount", *words], check=True)


@contextlib.contextmanager
def scene(home):
    """A node whose entries may write below `data`, in mounts of its own that end with this process."""
    if os.geteuid() != 0:
        raise run.Skip("it needs root to mount")
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) < 0:
        raise run.Skip("it needs a mount namespace of its own")
    mount("--make-rprivate", "/")
    with machine(home) as node:
        os.makedirs(node.place("data"))
        for folder in ("pods", "etc"):
            os.makedirs(node.place(folder))
        bounds = "manifests: {files: [%s/**, %s/**], paths: [%s]}\nstaticPodFolder: %s\n" % (
            node.place("data"), node.place("root"), node.place("stick"), node.place("pods"))
        configure(node, bounds, name="etc/agent.yaml")
        write(node.place("stick", "k2.pem"))
        yield node


def aim(node, folder, more=""):
    """The policy whose entry writes the file of the stick into this folder."""
    return policy(node, "{path: %s}" % node.place("stick"), more).replace(node.place("target"), folder)


def attempt(node, folder, real):
    """Let the entry write into `folder`, whose real name is `real`: refused by name, and nothing is there."""
    node.apply("policy", aim(node, folder))
    if node.agent is None:
        node.start_agent()
    wait(f"a refusal that names {folder} ({entry(node)})",
         lambda: node.alive() or folder + "/k2.pem" in entry(node).get("message", ""), 60)
    refused(node, "NotAllowed")
    assert not os.path.exists(os.path.join(real, "k2.pem")), os.listdir(real)


def bound(home, attempts):
    """Each attempt: what root has mounted, the folder in it that the entry names, the folder that would change."""
    with scene(home) as node:
        os.makedirs(node.place("state", "manifests"))
        os.makedirs(node.place("root", ".holdfast-floors"))
        for number, (source, below, real) in enumerate(attempts):
            data = node.place("data", str(number))
            os.makedirs(data)
            mount("--bind", node.place(source), data)
            attempt(node, os.path.join(data, below) if below else data, node.place(real))


def attack_bind_mount_of_a_folder(home):
    """Mount the trust folder, the state folder, the folder of static pods and that of the floors at /data: no entry writes there."""
    bound(home, [(name, "", name) for name in ("trust.d", "state", "pods", "root/.holdfast-floors")])


def attack_bind_mount_around_a_folder(home):
    """Mount a folder that has the trust folder, the state folder, agent.yaml or the floors in it: no entry writes into them there,
    nor makes a folder in them that is not there yet."""
    bound(home, [("", "trust.d", "trust.d"), ("", "state/new", "state/new"), ("root", ".holdfast-floors", "root/.holdfast-floors")])


def attack_bind_mount_inside_a_folder(home):
    """Mount a folder that lies inside the state folder, which no path there shows: no entry writes into it, nor reads from it. Into
    a folder of nobody that is mounted in the same way it does, and a file on which something is mounted has a message of its own."""
    with scene(home) as node:
        data, stick = node.place("data", "app"), node.place("stick", "more")
        for folder in (data, stick, node.place("state", "manifests", "old"), node.place("free")):
            os.makedirs(folder)
        mount("--bind", node.place("state", "manifests"), data)
        attempt(node, data, node.place("state", "manifests"))
        attempt(node, os.path.join(data, "old"), node.place("state", "manifests", "old"))
        mount("--bind", node.place("state", "manifests"), stick)
        node.apply("policy", aim(node, node.place("data", "read")))
        wait(f"a refusal to read ({entry(node)})", lambda: node.alive() or "may read" in entry(node).get("message", ""), 60)
        refused(node, "NotAllowed")
        subprocess.run(["umount", stick], check=True)
        mount("--bind", node.place("free"), data)
        node.apply("policy", aim(node, data))
        wait(f"the file ({entry(node)})", lambda: node.alive() or entry(node).get("phase") == "Applied", 60)
        assert os.listdir(node.place("free")) == ["k2.pem"], os.listdir(node.place("free"))
        mount("--bind", node.key, os.path.join(data, "k2.pem"))
        wait("a message about the mounted file", lambda: node.alive() or "mount point cannot be replaced" in entry(node).get("message", ""), 60)


def attack_configuration_under_another_name(home):
    """Mount the folder of an agent.yaml that lies elsewhere, and write a file of that name: the bounds stay as they are."""
    with scene(home) as node:
        path = node.place("etc", "agent.yaml")
        before = read(path)
        os.rename(node.place("stick", "k2.pem"), node.place("stick", "agent.yaml"))
        os.makedirs(node.place("data", "etc"))
        mount("--bind", node.place("etc"), node.place("data", "etc"))
        node.apply("policy", aim(node, node.place("data", "etc"), ", force: true"))
        node.start_agent()
        refused(node, "NotAllowed")
        assert "agent.yaml" in entry(node)["message"], entry(node)
        assert read(path) == before


def attack_second_mount_of_a_disk(home):
    """Mount the file system that has the state and the trust folder a second time, and that mount again: no entry writes into them."""
    with scene(home) as node:
        disk = node.place("disk")
        os.makedirs(disk)
        mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", disk)
        for name in ("state", "trust.d"):
            os.rename(node.place(name), node.place(name + ".old"))
            subprocess.run(["cp", "-a", node.place(name + ".old"), os.path.join(disk, name)], check=True)
            os.symlink(os.path.join(disk, name), node.place(name))
        for number in (1, 2):
            os.makedirs(node.place("data", str(number)))
        mount("--bind", disk, node.place("data", "1"))
        mount("--bind", node.place("data", "1"), node.place("data", "2"))
        attempt(node, node.place("data", "1", "trust.d"), node.place("trust.d"))
        attempt(node, node.place("data", "2", "state"), node.place("state"))


def attack_names_of_holdfast(home):
    """Name the folder of the floors below an update root, which the configuration allows: no entry writes a name .holdfast-*, so
    no release becomes SequenceTooLow."""
    with scene(home) as node:
        floors = node.place("root", ".holdfast-floors")
        os.makedirs(floors)
        attempt(node, floors, floors)
        attempt(node, os.path.join(floors, "new"), os.path.join(floors, "new"))


def attack_mount_over_what_an_entry_has_placed(home):
    """Mount the trust folder over a folder whose files the entry has placed, with the name of a key in it: neither a repair, nor a
    new content with `prune`, nor the removal of the entry touches the keys."""
    with scene(home) as node:
        data = node.place("data", "app")
        os.makedirs(data)
        os.rename(node.place("stick", "k2.pem"), node.place("stick", "k1.pem"))
        node.apply("policy", aim(node, data, ", prune: true"))
        node.start_agent()
        wait(f"the file ({entry(node)})", lambda: node.alive() or entry(node).get("phase") == "Applied", 60)
        key = read(node.place("trust.d", "k1.pem"))
        mount("--bind", node.place("trust.d"), data)
        node.kill_agent()
        node.start_agent()
        wait(f"the refused repair ({entry(node)})", lambda: node.alive() or data in entry(node).get("message", ""), 60)
        os.rename(node.place("stick", "k1.pem"), node.place("stick", "other"))
        refused(node, "NotAllowed")
        assert read(node.place("trust.d", "k1.pem")) == key
        node.apply("policy", aim(node, data).rsplit("  - ", 1)[0] + "  - {name: more, from: {path: %s}, to: Files, path: %s/}\n"
                   % (node.place("stick"), node.place("data", "more")))
        wait("the other entry", lambda: node.alive() or os.path.exists(node.place("data", "more", "other")), 60)
        node.apply("policy", aim(node, data).rsplit("  manifests", 1)[0])
        wait("the end of the other entry", lambda: node.alive() or not any(
            row["name"] == "more" for row in node.status().get("manifests", [])), 60)
        assert read(node.place("trust.d", "k1.pem")) == key


def tree(*folders):
    """Each file and folder below these: name, inode and content."""
    found = set()
    for top in folders:
        for at, names, files in os.walk(top):
            found |= {os.path.join(at, name) for name in names}
            found |= {(os.path.join(at, name), os.stat(os.path.join(at, name)).st_ino, read(os.path.join(at, name))) for name in files}
    return found


def reason_of(node, name):
    return next((row.get("reason") for row in node.status().get("manifests", []) if row["name"] == name), None)


def not_through(node, folders, real, reasons=("NotAllowed",)):
    """Let an entry of its own write into each folder: each is refused for one of the reasons, and `real` stays as it was."""
    before = tree(real)
    for number, folder in enumerate(folders):
        name = f"e{number}-{time.monotonic_ns()}"
        node.apply("policy", aim(node, folder).replace("name: conf", "name: " + name))
        if node.agent is None:
            node.start_agent()
        wait(f"a refusal of {folder}", lambda name=name: node.alive() or reason_of(node, name) in reasons, 60)
        assert tree(real) == before, tree(real) ^ before


def attack_links_above_the_target(home):
    """Put links of root above the target, straight, over a second link and with `..`, and links in a folder of another user: neither
    leads an entry into the trust folder."""
    with scene(home) as node:
        trust, own = node.place("trust.d"), node.place("data", "own")
        os.mkdir(own)
        for name, target in (("one", trust), ("two", "one"), ("up", "../trust.d"), ("far", "../data/../trust.d/..")):
            os.symlink(target, node.place("data", name))
            os.symlink(target, os.path.join(own, name))
        os.chown(own, 65534, 65534)
        not_through(node, [node.place("data", name) for name in ("one", "two/new", "up", "far/trust.d")], trust)
        not_through(node, [node.place("data", "own", name) for name in ("one", "two/new", "up", "far/trust.d")], trust,
                    reasons=("NotAllowed", "PathUnsafe"))


def attack_links_of_proc(home):
    """Put links to /proc/self/root, to /proc/self/cwd and to the agent's open folders in /proc/self/fd and /dev/fd above the target: no
    entry follows them into the trust folder or the state folder."""
    with scene(home) as node:
        trust = node.place("trust.d")
        for name, target in (("root", "/proc/self/root"), ("cwd", "/proc/self/cwd"), ("fd", "/proc/self/fd"), ("dev", "/dev/fd")):
            os.symlink(target, node.place("data", name))
        not_through(node, [node.place("data", name) + trust for name in ("root", "cwd")], trust)
        folder = f"/proc/{node.agent.pid}/fd"
        opened = [fd for fd in os.listdir(folder) if os.path.isdir(os.path.join(folder, fd))] or ["5"]
        not_through(node, [node.place("data", name, opened[0]) for name in ("fd", "dev")], node.place("trust.d"))
        assert not [at for at, _, files in os.walk(node.place("state")) if "k2.pem" in files]


def attack_overlay_over_a_folder(home):
    """Mount an overlay at /data whose upper folder is the trust folder, and mount that overlay once more: a write would reach the trust
    folder, and none does. Over a folder of nobody the entry writes."""
    with scene(home) as node:
        disk = node.place("disk")
        os.mkdir(disk)
        mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", disk)
        for name in ("lower", "work", "work2", "work3", "data"):
            os.mkdir(os.path.join(disk, name))
        subprocess.run(["cp", "-a", node.place("trust.d"), os.path.join(disk, "keys")], check=True)
        os.rename(node.place("trust.d"), node.place("trust.old"))
        os.symlink(os.path.join(disk, "keys"), node.place("trust.d"))
        keys = os.path.join(disk, "keys")
        for name, upper, work in (("1", keys, "work"), ("2", disk + "/data", "work2")):
            os.mkdir(node.place("data", name))
            mount("-t", "overlay", "-o", f"lowerdir={disk}/lower,upperdir={upper},workdir={disk}/{work}", "overlay", node.place("data", name))
        os.mkdir(node.place("data", "3"))
        mount("--bind", node.place("data", "1"), node.place("data", "3"))
        not_through(node, [node.place("data", "1"), node.place("data", "1", "new"), node.place("data", "3")], keys)
        node.apply("policy", aim(node, node.place("data", "2")))
        wait(f"the file in nobody's folder ({entry(node)})", lambda: node.alive() or entry(node).get("phase") == "Applied", 60)
        assert os.listdir(os.path.join(disk, "data")) == ["k2.pem"], os.listdir(os.path.join(disk, "data"))


def attack_hard_link_to_a_key(home):
    """Lay hard links to a key and to agent.yaml where an entry places its files, with and without `force`, before and after it has placed
    them: the entry's file gets an inode of its own, and neither key nor configuration changes."""
    with scene(home) as node:
        data, key, config = node.place("data", "app"), node.place("trust.d", "k1.pem"), node.place("etc", "agent.yaml")
        before = tree(node.place("trust.d"), node.place("etc"))
        os.mkdir(data)
        write(node.place("stick", "agent.yaml"))

        def lay():
            for source, name in ((key, "k2.pem"), (config, "agent.yaml")):
                if os.path.exists(os.path.join(data, name)):
                    os.unlink(os.path.join(data, name))
                os.link(source, os.path.join(data, name))

        lay()
        for force in ("", ", force: true"):
            node.apply("policy", aim(node, data, force))
            if node.agent is None:
                node.start_agent()
            wait(f"an answer about the links ({entry(node)})", lambda: node.alive() or entry(node).get("phase") == "Applied"
                 or (force == "" and entry(node).get("reason", "") != ""), 60)
            assert tree(node.place("trust.d"), node.place("etc")) == before
        wait("the entry's own files", lambda: node.alive() or read(os.path.join(data, "k2.pem")) == "evil", 60)
        lay()
        wait("the repair", lambda: node.alive() or read(os.path.join(data, "k2.pem")) == read(os.path.join(data, "agent.yaml")) == "evil", 60)
        assert tree(node.place("trust.d"), node.place("etc")) == before


def attack_folder_swapped_for_a_link(home):
    """Exchange a folder above the target with a link to the trust folder, thousands of times while the entry writes, as its owner can: what is
    opened is what was checked, and no file comes into the trust folder."""
    with scene(home) as node:
        trust, data, libc = node.place("trust.d"), node.place("data", "app"), ctypes.CDLL(None, use_errno=True)
        os.makedirs(os.path.join(data, "sub"))
        os.symlink(trust, data + ".link")
        before, over = tree(trust), threading.Event()

        def swap():
            while not over.is_set():
                assert libc.renameat2(-100, data.encode(), -100, (data + ".link").encode(), 2) == 0, ctypes.get_errno()

        thread = threading.Thread(target=swap, daemon=True)
        thread.start()
        try:
            for number in range(12):
                write(node.place("stick", "k2.pem"), f"evil {number}")
                node.apply("policy", aim(node, os.path.join(data, str(number))).replace("name: conf", f"name: e{number}"))
                if node.agent is None:
                    node.start_agent()
                wait(f"an answer about {number}", lambda number=number: node.alive() or reason_of(node, f"e{number}"), 300)  # statuses are paced
        finally:
            over.set()
            thread.join()
        assert tree(trust) == before, tree(trust) ^ before
