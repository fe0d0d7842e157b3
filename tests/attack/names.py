# SPDX-License-Identifier: Apache-2.0
"""Attacks through other names of folders: an unsigned entry that may write below /data, where root has mounted what no entry may
write, once more or below something else; and names that belong to holdfast alone."""
import contextlib
import ctypes
import os
import subprocess

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
