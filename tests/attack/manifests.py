"""Attacks through the sources of manifests: archives that climb out, grow or change, links on a stick, entries from the past."""
import contextlib
import gzip
import hashlib
import io
import os
import tarfile
import time

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
        with open(f"/proc/{node.agent.pid}/status", encoding="ascii") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        assert peak < 64 << 10, f"the agent had {peak} KiB at its peak"
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
