# SPDX-License-Identifier: Apache-2.0
"""Attacks through releases: what runs without a signature, or after a change of what was signed."""
import gzip
import hashlib
import json
import os
import shutil
import subprocess

import run
from lab import PROGRAMS, wait
from node import ENDS, Artifacts, Node, sha256
from swtpm import Tpm


def attack_unsigned_change(home):
    """Change an artifact hash in a signed release: the node keeps its version and reports SignatureInvalid."""
    server = Artifacts()
    node = Node(os.path.join(home, "node"), server)
    try:
        old, new = node.build("1.0", 1), node.build("2.0", 2)
        with open(old, "rb") as source, open(node.path, "wb") as target:
            target.write(source.read())
        before = sha256(node.path)
        text = node.create("app", "2.0", 2, new, service=False)
        assert sha256(new) in text, "the test expects the hash of the artifact in the object"
        node.apply("app", text.replace(sha256(new), before))
        node.start_agent()
        row = wait("a verdict", lambda: node.update("app") if node.update("app").get("phase") == "Rejected" else None, 60)
        assert "SignatureInvalid" in str(row), row
        assert sha256(node.path) == before
    finally:
        node.end()


# ---- replays of old signed releases ------------------------------------------------------------------------------------

def node_with(home, *versions):
    """A node with an artifact server, and programs of these versions: (server, node, path of each version)."""
    server = Artifacts()
    node = Node(os.path.join(home, "node"), server)
    node.start_agent()
    return node, [program(node, version) for version in versions]


def program(node, version, size=4096):
    """A file that stands for a program; the releases of these attacks restart nothing."""
    path = node.place("versions", version)
    with open(path, "wb") as file:
        file.write(f"#!/bin/sh\n# {version}\n".encode().ljust(size, b"#"))
    return path


def going_down(sequence):
    """Flags of `release create` for a release that may follow a higher sequence: those of this CLI, or of an earlier one."""
    told = subprocess.run([os.path.join(PROGRAMS, "holdfast"), "help", "release", "create"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False).stdout
    return ("--downgrade-from", str(sequence)) if "downgrade-from" in told else ("--allow-downgrade",)


def install(node, text, sequence, name="app"):
    node.apply(name, text)
    row = node.wait_end(name, sequence, 60)
    assert row["phase"] == "Committed", row


def must_be_refused(node, text, sequence, kept, name="app"):
    """The release of this object must be Rejected, and the file at the path must stay `kept`."""
    node.apply(name, text)
    row = node.wait_end(name, sequence, 60)
    assert row["phase"] == "Rejected", f"installed: {row}"
    assert sha256(node.path) == sha256(kept), "the installed file changed"
    return row


def attack_replay_of_a_downgrade(home):
    """Replay a signed downgrade after the node has gone up again: it serves a node once."""
    node, (a, b, c) = node_with(home, "a", "b", "c")
    try:
        first = node.create("app", "5.0", 5, a, service=False)
        down = node.create("app", "3.0", 3, b, service=False, more=going_down(5))
        install(node, first, 5)
        install(node, down, 3)
        install(node, node.create("app", "6.0", 6, c, service=False), 6)
        must_be_refused(node, down, 3, c)
    finally:
        node.end()


def attack_replay_of_what_was_left(home):
    """Replay the release that the node left by a signed downgrade: it does not come back."""
    node, (a, b) = node_with(home, "a", "b")
    try:
        first = node.create("app", "5.0", 5, a, service=False)
        install(node, first, 5)
        install(node, node.create("app", "3.0", 3, b, service=False, more=going_down(5)), 3)
        must_be_refused(node, first, 5, b)
    finally:
        node.end()


def attack_equal_sequence(home):
    """Flip between two signed releases with the same sequence: the node keeps the one that it committed."""
    node, (a, b) = node_with(home, "a", "b")
    try:
        install(node, node.create("app", "5.0", 5, a, service=False), 5)
        node.apply("app", node.create("app", "5.0b", 5, b, service=False))
        row = wait("a verdict", lambda: node.update("app") if node.update("app").get("version") == "5.0b"
                   and node.update("app").get("phase") in ("Committed", "Rejected") else None, 60)
        assert row["phase"] == "Rejected" and row["reason"] == "SequenceReused", row
        assert sha256(node.path) == sha256(a)
    finally:
        node.end()


def attack_lost_state(home):
    """Replay an old signed release to an agent whose state folder was lost: a second place has the floor."""
    node, (a, b) = node_with(home, "a", "b")
    try:
        old = node.create("app", "4.0", 4, b, service=False)
        install(node, node.create("app", "5.0", 5, a, service=False), 5)
        node.stop_agent()
        shutil.rmtree(node.place("state"))
        os.makedirs(node.place("state"))
        node.apply("app", old)
        node.start_agent()
        must_be_refused(node, old, 4, a)
    finally:
        node.end()


def disk_of_last_month(home, spoil):
    """A node with tpm.floors gets the disk back that it had at sequence 3, after it has had 5; `spoil` changes the disk before. A replay of
    4 must wait with FloorsReplaced, for the agent and for the next."""
    if shutil.which("swtpm") is None:
        raise run.Skip("swtpm is not installed")
    node = Node(os.path.join(home, "node"), Artifacts())
    tpm = Tpm(node.place("tpm"))
    try:
        with open(node.place("agent.yaml"), "w", encoding="utf-8") as file:
            file.write("apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
                       f"updateRoots: [{node.place('root')}]\ntpm: {{floors: true, tcti: '{tpm.tcti()}'}}\n")
        a, b, c = (program(node, name) for name in "abc")
        replay = node.create("app", "4.0", 4, b, service=False)
        node.start_agent("--config", node.place("agent.yaml"))
        install(node, node.create("app", "3.0", 3, a, service=False), 3)
        counted(node, tpm, 3)
        for folder in ("state", "root"):
            shutil.copytree(node.place(folder), node.place("image", folder), symlinks=True)
        install(node, node.create("app", "5.0", 5, c, service=False), 5)
        counted(node, tpm, 5)
        node.stop_agent()
        spoil(node)
        for folder in ("state", "root"):
            shutil.rmtree(node.place(folder))
            shutil.copytree(node.place("image", folder), node.place(folder), symlinks=True)
        node.apply("app", replay)
        for _ in range(2):
            shutil.rmtree(node.place("state", "status"), ignore_errors=True)
            node.start_agent("--config", node.place("agent.yaml"))
            row = wait("an answer", lambda: node.update("app") if node.update("app").get("sequence") == 4
                       and node.update("app").get("reason") != "FloorsPending" else None, 120)
            assert (row["phase"], row["reason"]) == ("Waiting", "FloorsReplaced"), row
            assert sha256(node.path) == sha256(a), "the installed file changed"
            node.stop_agent()
    finally:
        node.end()
        tpm.stop()


def counted(node, tpm, sequence):
    """Waits until the floor record has the sequence, and the TPM has counted it."""
    def has():
        with open(node.place("state", "floor-record.0"), encoding="utf-8") as file:
            record = file.read()
        told = subprocess.run([os.path.join(PROGRAMS, "holdfast-tpm"), "counter-read", "--tcti", tpm.tcti()], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False).stdout
        return f" {sequence} " in record and f"\nvalue {told.strip()}\n" in record
    wait("the TPM has counted", has, 120)


def attack_older_disk(home):
    """Put last month's image of the disk, with all places of the floors, into a node with tpm.floors: no old release starts."""
    disk_of_last_month(home, lambda node: None)


def attack_forged_floor_record(home):
    """The same, with a floor record that was changed to the newest value of the counter: the TPM has not sealed it."""
    def spoil(node):
        with open(node.place("state", "floor-record.0"), "rb") as file:
            new = file.read().split(b"\n", 3)
        for folder, _, files in os.walk(node.place("image")):
            for name in files:
                if name in ("floor-record.0", "floor-record.1", "FloorRecord"):
                    with open(os.path.join(folder, name), "r+b") as file:
                        body = new[1] + b"\n" + new[2] + b"\n" + file.read().split(b"\n", 3)[3]
                        file.seek(0)
                        file.truncate()
                        file.write(b"holdfast-floor-record 1 " + hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    disk_of_last_month(home, spoil)


def attack_old_format(home):
    """Replay a signed release that has no end: a node starts no release without expires."""
    node, (a,) = node_with(home, "a")
    try:
        text = node.create("app", "5.0", 5, a, service=False)
        endless = "\n".join(line for line in text.split("\n") if not line.strip().startswith("expires:"))
        node.apply("app", node.sign(endless))
        row = node.wait_end("app", 5, 60)
        assert row["phase"] == "Rejected" and "expires" in row["message"], row
        assert not os.path.exists(node.path)
    finally:
        node.end()


# ---- the trust folder --------------------------------------------------------------------------------------------------

def refused_in_trust(home, spoil, foreign=False):
    """A release of a good key (or, `foreign`, of the attacker's) on a node whose trust folder was spoilt: must be refused."""
    server = Artifacts()
    node = Node(os.path.join(home, "node"), server)
    try:
        a = program(node, "a")
        text = node.create("app", "1.0", 1, a, service=False)
        spoil(node)
        if foreign:
            text = node.sign(text, node.place("attacker.key"), "attacker")
        node.apply("app", text)
        node.start_agent()
        row = wait("a verdict", lambda: node.update("app") if node.update("app").get("reason") == "TrustUnreadable"
                   or node.update("app").get("phase") in ENDS else None, 60)
        assert row["phase"] in ("Waiting", "Rejected") and row["reason"] == "TrustUnreadable", row
        assert not os.path.exists(node.path)
        return node.status(), row
    finally:
        node.end()


def attack_dangling_threshold(home):
    """Make `threshold` a link to nothing, so that one signature is enough: no release is accepted instead."""
    refused_in_trust(home, lambda node: os.symlink("nowhere", node.place("trust.d", "threshold")))


def attack_writable_trust_folder(home):
    """Put a key of one's own into a trust.d that everybody can write: no key in such a folder counts."""
    def spoil(node):
        node.holdfast("key", "generate", node.place("attacker.key"), "--public", node.place("trust.d", "attacker.pem"))
        os.chmod(node.place("trust.d"), 0o777)
    status, row = refused_in_trust(home, spoil, foreign=True)
    assert "trust.d" in row["message"] and "0777" in row["message"], row
    assert any(one["type"] == "TrustFolderSafe" and one["status"] == "False" for one in status["conditions"]), status["conditions"]


def attack_writable_key(home):
    """Write one's own key over a key file that everybody can write: such a file does not count."""
    def spoil(node):
        os.chmod(node.place("trust.d", "k1.pem"), 0o666)
    _, row = refused_in_trust(home, spoil)
    assert "k1.pem" in row["message"], row


def attack_foreign_key(home):
    """Own a key file in trust.d as another user, who can write it at any time: it does not count."""
    if os.geteuid() != 0:
        raise run.Skip("needs root: a file changes its owner")
    _, row = refused_in_trust(home, lambda node: os.chown(node.place("trust.d", "k1.pem"), 4321, 4321))
    assert "4321" in row["message"], row


def attack_private_key_on_the_node(home):
    """Take the signing key from a node's trust.d, where somebody left it: the node names the file until it is gone."""
    server = Artifacts()
    node = Node(os.path.join(home, "node"), server)
    try:
        shutil.copy(node.key, node.place("trust.d", "release.key"))
        node.start_agent()
        wait("the condition", lambda: any("release.key' holds a private key" in one.get("message", "")
                                          for one in node.status().get("conditions", [])), 30)
        os.unlink(node.place("trust.d", "release.key"))
        node.apply("other", node.create("other", "1.0", 1, program(node, "a"), service=False))  # the agent looks again
        wait("the condition goes", lambda: not any(one["type"] == "TrustFolderSafe" for one in node.status()["conditions"]), 60)
    finally:
        node.end()


# ---- the download ------------------------------------------------------------------------------------------------------

def written_by(pid):
    """Bytes that the process has given to write() so far."""
    with open(f"/proc/{pid}/io", encoding="utf-8") as file:
        return int(next(line for line in file if line.startswith("wchar:")).split()[1])


def attack_packed_bomb(home):
    """Serve another packed file of the same length, which unpacks to 64 MiB: nothing unpacks it before its hash is compared."""
    large = 64 << 20
    server = Artifacts()
    node = Node(os.path.join(home, "node"), server)
    try:
        good, bomb = program(node, "good", large), node.place("versions", "bomb")
        with open(bomb, "wb") as file:
            file.write(b"A" * large)
        with open(good, "r+b") as file:
            file.seek(large - 65536)
            file.write(os.urandom(65536))
        text = node.create("app", "1.0", 1, good, service=False, more=("--zst",))
        name = next(name for name in server.files if name.endswith(".zst"))
        wanted = len(server.files[name])
        node.create("bomb", "1.0", 1, bomb, service=False, more=("--zst",))
        packed = next(body for key, body in server.files.items() if key.startswith("bomb"))
        space = wanted - len(packed) - 8
        assert space >= 0, "the bomb is longer than the artifact"
        server.files[name] = packed + b"\x50\x2a\x4d\x18" + space.to_bytes(4, "little") + bytes(space)
        node.apply("app", text)
        node.start_agent()
        row = wait("a failure", lambda: node.update("app") if node.update("app").get("reason") in
                   ("HashMismatch", "ArtifactDamaged", "ArtifactTooLong", "ArtifactTooShort") else None, 120)
        wrote = written_by(node.agent.pid)
        assert wrote < large // 2, f"the agent wrote {wrote} bytes: {row}"
        assert not os.path.exists(node.path)
    finally:
        node.end()


# ---- one meaning -------------------------------------------------------------------------------------------------------

def attack_line_end(home):
    """Put U+0085, which YAML reads as a blank and JSON does not, for a blank in a signed text: no way of reading accepts it."""
    node, (a,) = node_with(home, "a")
    try:
        text = node.create("app", "1.0", 1, a, service=False, more=("--restart-exec", "/bin/true", "--restart-exec", "a blank"))
        assert "a blank" in text
        changed = "\n".join(line.replace("a blank", '"a\u0085blank"') for line in text.split("\n"))
        node.apply("app", changed)
        wait("a refusal", lambda: "U+0085" in json.dumps(node.status(), ensure_ascii=False) or node.update("app").get("phase"), 60)
        assert node.update("app").get("phase") != "Committed" and not os.path.exists(node.path), node.update("app")
        assert "U+0085" in json.dumps(node.status(), ensure_ascii=False), node.status()
    finally:
        node.end()


def attack_answer_that_is_not_the_artifact(home):
    """Answer for an artifact with a page that asks for a password, then with the artifact compressed: neither is installed, and the
    message says which of the two it was."""
    def answer(body, *headers):
        def send(handler):
            handler.send_response(200)
            for name, value in (*headers, ("Content-Length", str(len(body)))):
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(body)
        return send

    answers = {"page": (answer(b"<html>Who are you?</html>", ("Content-Type", "text/html; charset=utf-8")), "a login"),
               "packed": (answer(gzip.compress(b"x" * 999), ("Content-Encoding", "gzip")), "Content-Encoding: gzip")}
    node, (path,) = node_with(home, "1.0")
    try:
        for name, (body, says) in answers.items():
            target, before = node.place("root", name), set(node.server.files)
            text = node.create(name, "1.0", 1, path, path=target, service=False)
            node.server.files.update({file: body for file in set(node.server.files) - before})
            node.apply(name, text)
            wait(f"a message about {says} ({node.update(name)})",
                 lambda: node.alive() or says in node.update(name).get("message", ""), 60)  # pylint: disable=cell-var-from-loop
            assert not os.path.exists(target)
    finally:
        node.end()
        node.server.shutdown()
