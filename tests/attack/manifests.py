# SPDX-License-Identifier: Apache-2.0
"""Attacks through the sources of manifests: archives that climb out, grow or change, links on a stick, entries from the past."""
import contextlib
import gzip
import hashlib
import io
import os
import subprocess
import tarfile
import time

import run
from config import configure
from lab import wait
from node import Artifacts, Node


@contextlib.contextmanager
def machine(home, more=""):
    """A node whose configuration lets manifests write to one folder, and read from one and from the test's server."""
    server = Artifacts()
    node = Node(os.path.join(home, "node"), server)
    for folder in ("target", "stick"):
        os.makedirs(node.place(folder))
    bounds = "files: [%s/*], paths: [%s], origins: ['http://127.0.0.1:*']" % (node.place("target"), node.place("stick"))
    configure(node, "manifests: {%s}\n%s" % (bounds, more))
    try:
        yield node
    finally:
        node.end()
        server.shutdown()


def archive(members):
    """A .tar.gz of names and contents; a content that is a string is the target of a symbolic link."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return gzip.compress(packed.getvalue())


def policy(node, source, more=""):
    return ("apiVersion: edge.codcompass.io/v1alpha1\nkind: SyncPolicy\nmetadata: {name: site}\nspec:\n  interval: 10s\n"
            "  nodeSelector: {}\n  manifests:\n  - {name: conf, from: %s, to: Files, path: %s/%s}\n"
            % (source, node.place("target"), more))


def from_url(node, content, digest=None):
    node.server.files["site.tar.gz"] = content
    return "{url: '%s/site.tar.gz', digest: 'sha256:%s'}" % (node.server.url, digest or hashlib.sha256(content).hexdigest())


def entry(node):
    rows = node.status().get("manifests", [])
    return rows[0] if rows else {}


def refused(node, reason, seconds=60):
    wait(f"{reason} ({entry(node)})", lambda: node.alive() or entry(node).get("reason") == reason, seconds)


def targets(node):
    return sorted(os.listdir(node.place("target")))


def small(node, most_mib):
    """The agent has never had more memory than this."""
    node.alive()
    with open(f"/proc/{node.agent.pid}/status", encoding="ascii") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    assert peak < most_mib << 10, f"the agent had {peak} KiB at its peak"


def many(node, sources):
    """A policy with an entry for each source; the node allows none of their targets."""
    lines = ("  - {name: e%d, from: %s, to: Files, path: /srv/none/%d/}\n" % (i, source, i) for i, source in enumerate(sources))
    return policy(node, "{}").rsplit("  - ", 1)[0] + "".join(lines)


def rows_of(node, reason):
    return sum(row.get("reason") == reason for row in node.status().get("manifests", []))


def revisions(node):
    return {row["revision"] for row in node.status().get("manifests", []) if row.get("revision")}


def attack_many_contents_at_once(home):
    """64 entries with archives of 16 KiB that unpack to 16 MiB, then with as many folders: the agent reads one after the other, and its
    memory stays below the pod's limit."""
    archives = [archive([(f"f{i}", bytes([number]) * ((4 << 20) - 1)) for i in range(4)]) for number in range(8)]
    with machine(home) as node:
        sources = []
        for number, content in enumerate(archives):
            node.server.files[f"z{number}.tar.gz"] = content
            sources.append("{url: '%s/z%d.tar.gz', digest: 'sha256:%s'}" % (node.server.url, number, hashlib.sha256(content).hexdigest()))
        node.apply("policy", many(node, sources * 8))
        node.start_agent()
        wait(f"64 refusals ({entry(node)})", lambda: node.alive() or rows_of(node, "NotAllowed") + rows_of(node, "SourceTooLarge") == 64, 120)
        small(node, 96)
        for i in range(4):
            with open(node.place("stick", f"f{i}"), "wb") as file:
                file.write(os.urandom((4 << 20) - 1))
        before = revisions(node)
        node.apply("policy", many(node, ["{path: %s}" % node.place("stick")] * 64))
        wait(f"another content ({entry(node)})", lambda: node.alive() or revisions(node) - before, 60)
        time.sleep(20)
        small(node, 96)


def attack_downloads_that_break_off(home):
    """Break 64 downloads of 32 MiB off near their ends, each time: the disk keeps its reserve, the agent soon pauses, and what is
    unfinished goes with its entry, while the site holds changes back."""
    def break_off(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(32 << 20))
        handler.end_headers()
        try:
            for _ in range(31):
                handler.wfile.write(bytes(1 << 20))
        except OSError:
            pass
        handler.close_connection = True

    if os.geteuid() != 0:
        raise run.Skip("it needs root to mount a small disk")
    with machine(home) as node:
        state = node.place("state")
        os.makedirs(state, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600m,mode=0700", "tmpfs", state], check=True)
        try:
            configure(node, "manifests: {origins: ['http://127.0.0.1:*']}\ndiskReserve: 40%\n")
            sources = []
            for i in range(64):
                node.server.files[f"z{i}.tar.gz"] = break_off
                sources.append("{url: '%s/z%d.tar.gz', digest: 'sha256:%064x'}" % (node.server.url, i, i))
            node.apply("policy", many(node, sources))
            node.start_agent()
            for _ in range(60):
                time.sleep(0.5)
                node.alive()
                room = os.statvfs(state)
                assert room.f_bavail * 100 > room.f_blocks * 35, "the downloads took the reserve of the disk"
            assert rows_of(node, "NoSpace") > 0, node.status().get("manifests")
            node.holdfast("hold", "--reason", "lunch", "--state-dir", state)
            node.apply("policy", policy(node, "{path: %s}" % node.place("stick")))
            wait("an empty disk", lambda: node.alive() or os.statvfs(state).f_bavail * 100 > os.statvfs(state).f_blocks * 95, 60)
        finally:
            node.end()
            subprocess.run(["umount", "-l", state], check=False)


def attack_archive_climbs_out(home):
    """A signed digest of an archive with '../', an absolute name, a link out: SourceInvalid, and nothing is written anywhere."""
    for members in ([("good", b"x"), ("../../root/evil", b"evil")], [("/tmp/holdfast-evil", b"evil")], [("good", b"x"), ("link", "/etc")]):
        with machine(home) as node:
            node.apply("policy", policy(node, from_url(node, archive(members))))
            node.start_agent()
            refused(node, "SourceInvalid")
            assert targets(node) == [] and not os.path.exists(node.place("root", "evil")), targets(node)
            assert not os.path.exists("/tmp/holdfast-evil")


def attack_archive_bomb(home):
    """An archive of 1 MB that holds 1 GB of zeros, with its right digest: refused at a bound, and the agent stays small."""
    tar = tarfile.TarInfo("zeros")
    tar.size = 1 << 30
    packer, packed = __import__("zlib").compressobj(9, wbits=31), []
    packed.append(packer.compress(tar.tobuf()))
    for _ in range(1024):
        packed.append(packer.compress(bytes(1 << 20)))
    packed.append(packer.compress(bytes(1024)) + packer.flush())
    with machine(home) as node:
        node.apply("policy", policy(node, from_url(node, b"".join(packed))))
        node.start_agent()
        refused(node, "SourceTooLarge")
        small(node, 64)
        assert targets(node) == []


def attack_archive_swapped(home):
    """The server sends another archive than the digest names: nothing is applied, and it is not downloaded again and again."""
    asked = []
    evil = archive([("app.conf", b"evil")])

    def answer(handler):
        asked.append(handler.path)
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(evil)))
        handler.end_headers()
        handler.wfile.write(evil)

    with machine(home) as node:
        source = from_url(node, archive([("app.conf", b"good")]))
        node.server.files["site.tar.gz"] = answer
        node.apply("policy", policy(node, source))
        node.start_agent()
        refused(node, "DigestMismatch")
        time.sleep(15)  # more than an interval
        node.alive()
        assert targets(node) == [] and len(asked) == 1, (targets(node), asked)


def attack_link_on_a_stick(home):
    """Whoever prepares the stick links to a file of root's: SourceInvalid, and its content is nowhere."""
    with machine(home) as node:
        secret = node.place("secret")
        with open(secret, "w", encoding="utf-8") as file:
            file.write("top secret")
        with open(node.place("stick", "app.conf"), "w", encoding="utf-8") as file:
            file.write("good")
        os.symlink(secret, node.place("stick", "more.conf"))
        node.apply("policy", policy(node, "{path: %s}" % node.place("stick")))
        node.start_agent()
        refused(node, "SourceInvalid")
        assert targets(node) == [], targets(node)
        os.unlink(node.place("stick", "more.conf"))
        wait(f"the good file ({entry(node)})", lambda: node.alive() or targets(node) == ["app.conf"], 60)


def attack_read_elsewhere(home):
    """A policy names a folder that the node's configuration does not let manifests read: NotAllowed, and nothing is copied."""
    with machine(home) as node:
        node.apply("policy", policy(node, "{path: %s}" % node.place("trust.d")))
        node.start_agent()
        refused(node, "NotAllowed")
        assert targets(node) == [], targets(node)


def attack_read_from_above(home):
    """Where manifests may read a folder above the agent's own, name these by subPath, as a part of the whole, and by a link beside them:
    NotAllowed, and no key or state of the agent is copied."""
    with machine(home) as node:
        bounds = "files: [%s/*], paths: [%s]" % (node.place("target"), node.home)
        configure(node, "manifests: {%s}\n" % bounds)
        os.chmod(node.home, 0o755)
        os.symlink("../trust.d/" + sorted(os.listdir(node.place("trust.d")))[0], node.place("stick", "app.conf"))
        for number, more in enumerate((", subPath: trust.d", ", subPath: state", "", ", subPath: stick")):
            node.apply("policy", policy(node, "{path: %s%s}" % (node.home, more)))
            if number == 0:
                node.start_agent()
            named = node.place("state" if more == ", subPath: state" else "trust.d")
            if more == "":
                time.sleep(12)  # more than an interval; the folder that the message names is the one of the turn before
            wait(f"a refusal that names {named} ({entry(node)})",
                 lambda: node.alive() or named in entry(node).get("message", "") or more == "", 60)
            refused(node, "NotAllowed")
            assert targets(node) == [], (more, targets(node))
        os.unlink(node.place("stick", "app.conf"))
        with open(node.place("stick", "app.conf"), "w", encoding="utf-8") as file:
            file.write("good")
        wait(f"the good file ({entry(node)})", lambda: node.alive() or targets(node) == ["app.conf"], 60)


def attack_entry_from_the_past(home):
    """Replay an entry that was signed before: SequenceTooLow or SignatureInvalid, and the newer content stays."""
    with machine(home, "requireSigned: [Manifests]\n") as node:
        texts = {}
        for sequence, content in ((1, "old"), (2, "new")):
            with open(node.place("stick", "app.conf"), "w", encoding="utf-8") as file:
                file.write(content)
            path = node.place("temp", "policy.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(policy(node, "{path: %s}" % node.place("stick")))
            node.holdfast("manifest", "sign", path, "--entry", "conf", "--sequence", str(sequence), "--content",
                          node.place("stick"), "--key", node.key, "--key-id", "k1")
            with open(path, encoding="utf-8") as file:
                texts[sequence] = file.read()
        node.apply("policy", texts[2])
        node.start_agent()
        target = node.place("target", "app.conf")
        wait(f"the new content ({entry(node)})", lambda: node.alive() or os.path.exists(target), 60)
        with open(node.place("stick", "app.conf"), "w", encoding="utf-8") as file:
            file.write("old")
        node.apply("policy", texts[1])
        refused(node, "SequenceTooLow")
        with open(target, encoding="utf-8") as file:
            assert file.read() == "new"
        node.apply("policy", texts[1].replace("sequence: 1", "sequence: 3"))
        refused(node, "SignatureInvalid")
        with open(target, encoding="utf-8") as file:
            assert file.read() == "new"
