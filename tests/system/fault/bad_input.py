#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input of every kind for the real agent: the status must name each one, and nothing else may be affected.

    tests/system/fault/bad_input.py [--home DIR] [--list] [NAME ...]      default: all

The cases run eight at a time. Each batch includes a new version of a good release, which must be committed meanwhile; a healthy
service beside it must not change; the agent must be the same process at the end. Prints "N passed, N failed, N skipped" last.
"""
import argparse
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request

import node as fault
from node import sha256, say, wait

BATCH = 8
CONTENT = random.Random(7).randbytes(30000)
FILE_LIMIT = 8 << 20  # largest file that the agent may write
CASES = []


def content_of(name):
    """Content that no other release has: what is on the disk by its hash is not downloaded."""
    return random.Random(name).randbytes(len(CONTENT))


def in_a_day():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))


def hex_of(content):
    return hashlib.sha256(content).hexdigest()


class Case:
    """One bad input: how the agent gets it, and the status that it must produce."""

    def __init__(self, name, make, phase, reason, message, alone):
        self.name, self.make, self.phase, self.reason, self.message, self.alone = name, make, phase, reason, message, alone


def case(name, phase, reason, message="", alone=False):
    """Register make(lab, name), which returns an object to sign, the raw bytes of a file, or None if it has done everything itself."""
    def keep(make):
        CASES.append(Case(name, make, phase, reason, message, alone))
        return make
    return keep


class Lab:
    """The node, a good release, a service, and a folder that must not change."""

    def __init__(self, home):
        self.node = fault.Node(home, fault.Artifacts())
        self.good, self.extra = 0, []
        self.precious = self.node.place("precious", "file")
        os.makedirs(os.path.dirname(self.precious))
        with open(self.precious, "w", encoding="utf-8") as file:
            file.write("untouched\n")
        shutil.copy(self.node.build("1.0.0", 1), self.node.path)
        self.other_key = self.node.place("other.key")
        self.node.holdfast("key", "generate", self.other_key)
        self.small = self.mounts()

    def mounts(self):
        """A wrapper for the agent with a full and a read-only file system below the install root, or None."""
        script = (f"mkdir -p {self.node.place('root', 'small')} {self.node.place('root', 'readonly')} && "
                  f"mount -t tmpfs -o size=64k,mode=755 tmpfs {self.node.place('root', 'small')} && "
                  f"mount -t tmpfs -o ro,mode=755 tmpfs {self.node.place('root', 'readonly')}")
        for unshare in (["unshare", "-m"], ["unshare", "-Urm"]):
            wrapper = [*unshare, "sh", "-c", script + ' && exec "$@"', "sh"]
            if subprocess.run([*wrapper, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
                return wrapper
        return None

    def start(self):
        def limits():
            fault.die_with_parent()
            resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))
        plain, fault.die_with_parent = fault.die_with_parent, lambda: None
        child = self.node.child
        self.node.child = lambda argv, **more: subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.node.log,
                                                                stderr=self.node.log, start_new_session=True, preexec_fn=limits, **more)
        fault.die_with_parent = plain
        self.node.start_agent(wrapper=self.small or ())
        self.node.child = child
        self.node.start_service()
        wait("the service", lambda: self.service() == "1.0.0")
        with open(self.node.place("service.pid"), encoding="utf-8") as file:
            self.starts = file.read()

    def service(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.node.port}/version", timeout=2) as answer:
                return answer.read().decode().split()[1]
        except OSError:
            return None

    # ---- objects ---------------------------------------------------------------------------------------------------------

    def path(self, name):
        return self.node.place("root", "cases", name, "app")

    def serve(self, name, content=CONTENT):
        self.node.server.files[name] = content
        return f"{self.node.server.url}/{name}"

    def object(self, name, content=CONTENT, **release):
        """A good object for a release of this name; keywords replace parts of spec.release."""
        spec = {"name": name, "version": "1.0.0", "sequence": 1, "expires": in_a_day(),
                "artifacts": [{"arch": fault.ARCH, "url": self.serve(name + ".bin", content), "sha256": hex_of(content), "size": len(content)}],
                "install": {"path": self.path(name)}}
        spec.update(release)
        return {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "EdgeUpdate", "metadata": {"name": name}, "spec": {"release": spec}}

    def installed(self, name, content=b"the old version\n"):
        """Put something at the path first."""
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(content)
        return content

    def signed(self, what, *keys):
        text = json.dumps(what)
        for key_id, key in keys or (("k1", self.node.key),):
            text = self.node.sign(text, key, key_id)
        return text

    def commit(self, name, what):
        """Commit a release first."""
        self.node.apply(name, self.signed(what))
        row = self.node.wait_end(name, what["spec"]["release"]["sequence"])
        assert row["phase"] == "Committed", row

    def listen(self):
        """A port that accepts connections and sends nothing."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.extra.append(listener)
        return listener.getsockname()[1]

    def script(self, name, text):
        path = self.node.place("temp", name + ".sh")
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + text)
        os.chmod(path, 0o755)
        return path

    # ---- a batch ---------------------------------------------------------------------------------------------------------

    def give_good(self):
        self.good += 1
        content = b"good %d\n" % self.good
        what = self.object("good", content, version=f"{self.good}.0.0", sequence=self.good)
        self.node.apply("good", self.signed(what))
        return content

    def undisturbed(self, content):
        """Problems outside the cases, as texts."""
        problems = []
        row = self.node.wait_end("good", self.good)
        if row["phase"] != "Committed" or sha256(self.path("good")) != hex_of(content):
            problems.append(f"the good release {self.good} is {row['phase']} {row['reason']}")
        with open(self.precious, encoding="utf-8") as file:
            if file.read() != "untouched\n" or os.listdir(os.path.dirname(self.precious)) != ["file"]:
                problems.append("the precious folder was touched")
        with open(self.node.place("service.pid"), encoding="utf-8") as file:
            if file.read() != self.starts or self.service() != "1.0.0":
                problems.append("the service was disturbed")
        self.node.alive()
        return problems

    def look(self, one):
        """Wait for the status of this case; return "" or the status found instead."""
        def right():
            self.node.alive()
            row = self.find(one.name)
            return row.get("phase") == one.phase and re.fullmatch(one.reason, row.get("reason", "")) and \
                re.search(one.message, row.get("message", ""))
        try:
            wait(one.name, right, 60)
            return ""
        except AssertionError as why:
            return f"{self.find(one.name) or self.node.status().get('conditions')} ({why})"

    def find(self, name):
        """Row of the case in the status; a file without an object has a row with the file's name."""
        return self.node.update(name) or self.node.update(name + ".yaml")

    def end(self):
        self.node.end()
        for listener in self.extra:
            listener.close()


# ---- signatures ------------------------------------------------------------------------------------------------------------

@case("wrong-signature", "Rejected", "SignatureInvalid")
def _(lab, name):
    text = json.loads(to_json(lab, lab.signed(lab.object(name))))
    text["spec"]["release"]["version"] = "6.6.6"
    return json.dumps(text).encode()


def to_json(lab, text):
    """Convert the YAML of `holdfast release sign` to JSON, with the parser that the agent uses."""
    import yaml
    return json.dumps(yaml.safe_load(text))


@case("signature-of-another", "Rejected", "SignatureInvalid")
def _(lab, name):
    other = json.loads(to_json(lab, lab.signed(lab.object("somebody"))))
    what = lab.object(name)
    what["spec"]["signatures"] = other["spec"]["signatures"]
    return json.dumps(what).encode()


@case("unknown-key", "Rejected", "UnknownKey")
def _(lab, name):
    return lab.signed(lab.object(name), ("stranger", lab.other_key)).encode()


@case("known-name-other-key", "Rejected", "SignatureInvalid")
def _(lab, name):
    return lab.signed(lab.object(name), ("k1", lab.other_key)).encode()


@case("unsigned", "Rejected", "Unsigned")
def _(lab, name):
    return json.dumps(lab.object(name)).encode()


@case("key-id-that-is-a-path", "Rejected", "ObjectRefused", "keyId")
def _(lab, name):
    what = lab.object(name)
    what["spec"]["signatures"] = [{"keyId": "../k1", "signature": "A" * 86 + "=="}]
    return json.dumps(what).encode()


@case("lower-sequence", "Rejected", "SequenceTooLow")
def _(lab, name):
    lab.commit(name, lab.object(name, sequence=7))
    return lab.object(name, b"older", sequence=6, version="0.9.0")


@case("equal-sequence", "Rejected", "SequenceReused")
def _(lab, name):
    lab.commit(name, lab.object(name, sequence=7))
    return lab.object(name, b"another", sequence=7, version="0.9.0")


@case("no-end", "Rejected", "OldFormat", "expires")
def _(lab, name):
    what = lab.object(name)
    del what["spec"]["release"]["expires"]
    return what


@case("allow-downgrade", "Rejected", "OldFormat", "downgradeFrom")
def _(lab, name):
    return lab.object(name, allowDowngrade=True)


@case("expired", "Rejected", "Expired")
def _(lab, name):
    return lab.object(name, expires="2026-01-01T00:00:00Z")


# ---- requirements ----------------------------------------------------------------------------------------------------------

def with_artifact(lab, name, **more):
    what = lab.object(name, content_of(name))
    what["spec"]["release"]["artifacts"][0].update(more)
    return what


@case("wrong-arch", "Incompatible", "NoArtifactForArch")
def _(lab, name):
    return with_artifact(lab, name, arch="s390x")


@case("device-missing", "Incompatible", "RequirementsNotMet", "nonesuch")
def _(lab, name):
    return with_artifact(lab, name, requires={"devices": ["/dev/nonesuch0"]})


@case("too-little-memory", "Incompatible", "RequirementsNotMet", "memory")
def _(lab, name):
    return with_artifact(lab, name, requires={"memory": "900Ti"})


@case("kernel-too-old", "Incompatible", "RequirementsNotMet", "kernel")
def _(lab, name):
    return with_artifact(lab, name, requires={"kernel": ">=99.0"})


# ---- answers of the server --------------------------------------------------------------------------------------------------

@case("hash-mismatch", "Waiting", "HashMismatch")
def _(lab, name):
    what = lab.object(name)
    lab.serve(name + ".bin", bytes(len(CONTENT)))
    return what


@case("longer-than-size", "Waiting", "ArtifactTooLong", "signed 30000 bytes")
def _(lab, name):
    what = lab.object(name)
    lab.serve(name + ".bin", CONTENT + b"x")
    return what


@case("shorter-than-size", "Waiting", "ArtifactTooShort")
def _(lab, name):
    what = lab.object(name)
    lab.serve(name + ".bin", CONTENT[:-1])
    return what


@case("endless-download", "Waiting", "ArtifactTooLong", "more than the signed")
def _(lab, name):
    def endless(request):
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(bytes(4096))
    what = lab.object(name)
    lab.serve(name + ".bin", endless)
    return what


@case("not-found", "Waiting", "DownloadRefused", "404")
def _(lab, name):
    what = lab.object(name)
    del lab.node.server.files[name + ".bin"]
    return what


@case("server-error", "Waiting", "DownloadRefused", "503")
def _(lab, name):
    what = lab.object(name)
    lab.serve(name + ".bin", lambda request: request.send_error(503))
    return what


@case("nobody-listens", "Waiting", "DownloadFailed")
def _(lab, name):
    return with_artifact(lab, name, url=f"http://127.0.0.1:{fault.free_port()}/x")


@case("no-http", "Waiting", "DownloadFailed")
def _(lab, name):
    what = lab.object(name)
    lab.serve(name + ".bin", lambda request: request.wfile.write(b"SSH-2.0-nothing\r\n" * 10))
    return what


@case("redirects-for-ever", "Waiting", "DownloadFailed|DownloadRefused")
def _(lab, name):
    def again(request):
        request.send_response(302)
        request.send_header("Location", request.path)
        request.send_header("Content-Length", "0")
        request.end_headers()
    what = lab.object(name)
    lab.serve(name + ".bin", again)
    return what


@case("cut-connection", "Waiting", "DownloadFailed")
def _(lab, name):
    def cut(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(CONTENT)))
        request.end_headers()
        request.wfile.write(b"")
    what = lab.object(name)
    lab.serve(name + ".bin", cut)
    return what


def packed_object(lab, name, content, packed):
    """A good object for `content`, and the packed file that the release states for it, whatever is in that file."""
    what = lab.object(name, content)
    what["spec"]["release"]["artifacts"][0]["download"] = {"sha256": hex_of(packed), "size": len(packed)}
    lab.serve(name + ".bin", packed)
    return what


def zstd(content):
    return subprocess.run(["zstd", "-q", "-c"], input=content, stdout=subprocess.PIPE, check=True).stdout


@case("damaged-zst", "Waiting", "ArtifactDamaged|HashMismatch|ArtifactTooShort")
def _(lab, name):
    packed = bytearray(zstd(b"compressible " * 3000))
    packed[len(packed) // 2] ^= 0x10
    return packed_object(lab, name, b"compressible " * 3000, bytes(packed))


@case("another-zst", "Waiting", "HashMismatch", "the download is")
def _(lab, name):
    content = b"compressible " * 3000
    good = zstd(content)
    what = packed_object(lab, name, content, good)
    lab.serve(name + ".bin", good[:-1] + bytes([good[-1] ^ 1]))
    return what


@case("zst-that-is-not-stated", "Waiting", "ArtifactTooShort")
def _(lab, name):
    content = b"compressible " * 3000
    what = lab.object(name, content)
    lab.serve(name + ".bin", zstd(content))
    return what


@case("zst-in-the-url-that-is-not-stated", "Rejected", "OldFormat", "download")
def _(lab, name):
    what = lab.object(name)
    what["spec"]["release"]["artifacts"][0]["url"] += ".zst"
    return what


@case("zst-bomb", "Waiting", "ArtifactTooLong")
def _(lab, name):
    return packed_object(lab, name, CONTENT, zstd(bytes(64 << 20)))


@case("zst-wide-window", "Waiting", "ArtifactDamaged")
def _(lab, name):
    wide = subprocess.run(["zstd", "-q", "-c", "--ultra", "--long=31", "-22"], input=CONTENT * 2, stdout=subprocess.PIPE, check=True)
    return packed_object(lab, name, CONTENT, wide.stdout[:4] + b"\x00\xa8" + bytes(60))


def with_delta(lab, name, delta, **more):
    old = lab.installed(name)
    return with_artifact(lab, name, deltas=[{"from": hex_of(old), "url": lab.serve(name + ".delta", delta), "sha256": hex_of(delta),
                                             "size": len(delta), **more}])


@case("damaged-delta", "Committed", "NoHealthChecks|HealthPassed")
def _(lab, name):
    what = with_delta(lab, name, b"the signed delta")
    lab.serve(name + ".delta", b"another delta   ")
    return what


@case("hostile-delta", "Committed", "NoHealthChecks|HealthPassed")
def _(lab, name):
    return with_delta(lab, name, random.Random(3).randbytes(4000))


@case("delta-of-zeros", "Committed", "NoHealthChecks|HealthPassed")
def _(lab, name):
    return with_delta(lab, name, bytes(5000))


@case("a-pipe-as-artifact", "Waiting", "DownloadFailed")
def _(lab, name):
    pipe = lab.node.place("temp", name)
    os.mkfifo(pipe)
    return with_artifact(lab, name, url=f"file://{pipe}")


@case("a-device-as-artifact", "Waiting", "DownloadFailed")
def _(lab, name):
    return with_artifact(lab, name, url="file:///dev/zero")


# ---- install paths -----------------------------------------------------------------------------------------------------------

def to_path(lab, name, path):
    return lab.object(name, install={"path": path})


@case("escaping-path", "Rejected", "PathNotAllowed")
def _(lab, name):
    return to_path(lab, name, lab.precious)


@case("path-with-dots", "Rejected", "ObjectRefused", "install.path")
def _(lab, name):
    return json.dumps(to_path(lab, name, lab.node.place("root", "..", "precious", "file"))).encode()


@case("path-of-another", "Rejected", "PathTaken")
def _(lab, name):
    return to_path(lab, name, lab.path("good"))


@case("target-is-a-link", "Waiting", "TargetIsLink")
def _(lab, name):
    os.makedirs(os.path.dirname(lab.path(name)))
    os.symlink(lab.precious, lab.path(name))
    return lab.object(name)


@case("link-on-the-way", "Waiting", "PathEscapes")
def _(lab, name):
    os.makedirs(lab.node.place("root", "cases"), exist_ok=True)
    os.symlink(os.path.dirname(lab.precious), os.path.dirname(lab.path(name)))
    return lab.object(name)


@case("link-swapped-in", "Waiting", "PathEscapes")
def _(lab, name):
    folder = os.path.dirname(lab.path(name))
    lab.installed(name)
    content = content_of(name)

    def swap(request):
        """Act in the middle of the download."""
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content[:20000])
        request.wfile.flush()
        if not os.path.islink(folder):
            os.rename(folder, folder + ".was")
            os.symlink(os.path.dirname(lab.precious), folder)
        request.wfile.write(content[20000:])
    what = lab.object(name, content)
    lab.serve(name + ".bin", swap)
    return what


@case("target-is-a-folder", "Waiting", "TargetIsFolder")
def _(lab, name):
    os.makedirs(lab.path(name))
    return lab.object(name)


@case("target-is-a-pipe", "Waiting", "TargetIsSpecial")
def _(lab, name):
    os.makedirs(os.path.dirname(lab.path(name)))
    os.mkfifo(lab.path(name))
    return lab.object(name)


@case("target-is-a-file-for-a-tree", "Waiting", "TargetIsFile")
def _(lab, name):
    lab.installed(name)
    return lab.object(name, install={"path": lab.path(name), "kind": "Tree"})


@case("read-only-target", "Waiting", "ReadOnly")
def _(lab, name):
    return to_path(lab, name, lab.node.place("root", "readonly", "app")) if lab.small else "no private mounts here"


@case("disk-too-small", "Waiting", "DiskSpaceLow")
def _(lab, name):
    content = bytes(200000)
    what = lab.object(name, content)
    what["spec"]["release"]["install"]["path"] = lab.node.place("root", "small", "app")
    return what if lab.small else "no private mounts here"


@case("disk-full-in-the-middle", "Waiting", "DiskFull")
def _(lab, name):
    """Larger than the process may write, but smaller when compressed: the agent notices only while it unpacks."""
    content = bytes(FILE_LIMIT + 4096)
    return packed_object(lab, name, content, zstd(content))


def archive(add):
    import io
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        add(tar)
    return out.getvalue()


def member(tar, name, kind=tarfile.REGTYPE, link="", content=b"x"):
    import io
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = len(content) if kind == tarfile.REGTYPE else 0
    tar.addfile(info, io.BytesIO(content) if kind == tarfile.REGTYPE else None)


def as_tree(lab, name, add):
    return lab.object(name, archive(add), install={"path": lab.path(name), "kind": "Tree"})


@case("archive-that-escapes", "Waiting", "ArchiveInvalid")
def _(lab, name):
    return as_tree(lab, name, lambda tar: member(tar, "../../../../precious/new"))


@case("archive-through-a-link", "Waiting", "ArchiveInvalid")
def _(lab, name):
    def add(tar):
        member(tar, "out", tarfile.SYMTYPE, os.path.dirname(lab.precious))
        member(tar, "out/new")
    return as_tree(lab, name, add)


@case("archive-with-a-device", "Waiting", "ArchiveInvalid")
def _(lab, name):
    return as_tree(lab, name, lambda tar: member(tar, "null", tarfile.CHRTYPE))


@case("archive-that-is-none", "Waiting", "ArchiveInvalid")
def _(lab, name):
    return lab.object(name, install={"path": lab.path(name), "kind": "Tree"})


# ---- services ----------------------------------------------------------------------------------------------------------------

def checked(lab, name, check, deadline="1s", **more):
    lab.installed(name)
    return lab.object(name, health={"deadline": deadline, "checks": [check]}, **more)


@case("health-check-hangs", "RolledBack", "HealthDeadline", "before the deadline|[Tt]imed? ?out")
def _(lab, name):
    return checked(lab, name, {"http": {"url": f"http://127.0.0.1:{lab.listen()}/"}})


@case("health-status-wrong", "RolledBack", "HealthDeadline", "status 404, expected 200")
def _(lab, name):
    return checked(lab, name, {"http": {"url": f"{lab.node.server.url}/nothing-here"}, "period": "200ms"})


@case("health-without-end", "Committed", "HealthPassed")
def _(lab, name):
    def endless(request):
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(bytes(4096))
    return checked(lab, name, {"http": {"url": lab.serve(name + ".health", endless)}}, "10s")


@case("health-flaps", "RolledBack", "HealthDeadline")
def _(lab, name):
    turns = iter(range(1000000))

    def flap(request):
        request.send_error(500) if next(turns) % 3 == 2 else (request.send_response(200), request.end_headers())
    return checked(lab, name, {"http": {"url": lab.serve(name + ".health", flap)}, "period": "100ms", "successThreshold": 3}, "2s")


@case("nothing-listens", "RolledBack", "HealthDeadline", "refused")
def _(lab, name):
    return checked(lab, name, {"tcp": {"port": fault.free_port()}, "period": "200ms"})


@case("exec-check-hangs", "RolledBack", "HealthDeadline")
def _(lab, name):
    return checked(lab, name, {"exec": {"command": ["/bin/sleep", "86399"]}, "timeout": "500ms", "period": "100ms"}, "2s")


@case("exec-check-talks-without-end", "RolledBack", "HealthDeadline")
def _(lab, name):
    return checked(lab, name, {"exec": {"command": ["/usr/bin/yes"]}, "timeout": "500ms", "period": "100ms"}, "2s")


@case("exec-check-is-not-there", "RolledBack", "HealthDeadline", "[Nn]o such file")
def _(lab, name):
    return checked(lab, name, {"exec": {"command": ["/nonesuch/check"]}, "period": "100ms"})


def restarted(lab, name, *command):
    lab.installed(name)
    return lab.object(name, install={"path": lab.path(name), "restart": {"exec": list(command)}})


@case("hook-fails", "RolledBack", "RestartFailed", "exit code 3")
def _(lab, name):
    return restarted(lab, name, lab.script(name, "echo no; exit 3\n"))


@case("hook-dies", "RolledBack", "RestartFailed", "exit code 137")
def _(lab, name):
    return restarted(lab, name, lab.script(name, "kill -9 $$\n"))


@case("hook-is-no-program", "RolledBack", "RestartFailed")
def _(lab, name):
    return restarted(lab, name, lab.precious)


@case("hook-daemonises", "Committed", "NoHealthChecks|HealthPassed")
def _(lab, name):
    """The hook leaves a process that holds all its descriptors, and itself ends with exit code 0."""
    pid = lab.node.place("temp", name + ".pid")
    return restarted(lab, name, lab.script(name, f"setsid sh -c 'echo $$ >{pid}; exec sleep 86399' &\nexit 0\n"))


@case("unit-is-not-there", "Waiting", "UnitNotFound|SystemdUnavailable")
def _(lab, name):
    return lab.object(name, install={"path": lab.path(name), "restart": {"systemdUnit": "nonesuch-holdfast.service"}})


# ---- invalid objects -----------------------------------------------------------------------------------------------------------

@case("wrong-types", "Rejected", "ObjectRefused", r"spec\.release\.\S+: .*spec\.release\.\S+: ")
def _(lab, name):
    what = lab.object(name)

    def spoil(value):
        if isinstance(value, dict):
            return {key: spoil(item) if isinstance(item, (dict, list)) else ([] if isinstance(item, str) else "x")
                    for key, item in value.items()}
        return [spoil(item) for item in value]
    what["spec"] = spoil(what["spec"])
    return json.dumps(what).encode()


@case("a-fraction", "Rejected", "ObjectRefused", "sequence")
def _(lab, name):
    return json.dumps(lab.object(name, sequence=1.5)).encode()


@case("a-huge-number", "Rejected", "ObjectRefused", "size")
def _(lab, name):
    what = lab.object(name)
    what["spec"]["release"]["artifacts"][0]["size"] = 1 << 62
    return json.dumps(what).encode()


@case("a-name-that-is-a-path", "Rejected", "ObjectRefused", r"release\.name")
def _(lab, name):
    what = lab.object(name)
    what["spec"]["release"]["name"] = "../../precious"
    return json.dumps(what).encode()


@case("no-spec", "Rejected", "ObjectRefused", "spec")
def _(lab, name):
    what = lab.object(name)
    del what["spec"]
    return json.dumps(what).encode()


@case("null-inside", "Rejected", "ObjectRefused", "null")
def _(lab, name):
    return json.dumps(lab.object(name, notes={"a": None})).encode()


@case("too-many-artifacts", "Rejected", "ObjectRefused", "artifacts")
def _(lab, name):
    what = lab.object(name)
    what["spec"]["release"]["artifacts"] *= 200
    return json.dumps(what).encode()


@case("relative-command", "Rejected", "ObjectRefused", "absolute path")
def _(lab, name):
    return json.dumps(restarted(lab, name, "sh", "-c", "true")).encode()


@case("a-shell-url", "Rejected", "ObjectRefused", "url")
def _(lab, name):
    return json.dumps(with_artifact(lab, name, url="ftp://127.0.0.1/x; rm -rf /")).encode()


@case("unknown-time-zone", "Rejected", "ObjectRefused", "timeZone")
def _(lab, name):
    what = lab.object(name)
    what["spec"]["windows"] = [{"start": "02:00", "duration": "1h", "timeZone": "Mars/Olympus"}]
    return json.dumps(what).encode()


# A file without an object is reported under the name of the file.

@case("ten-megabytes", "Rejected", "ObjectRefused", "")
def _(lab, name):
    what = lab.object(name)
    what["metadata"]["annotations"] = {"a": "x" * (10 << 20)}
    return json.dumps(what).encode()


@case("two-megabytes", "Rejected", "ObjectRefused", "larger than 1048576 bytes")
def _(lab, name):
    what = lab.object(name)
    what["metadata"]["annotations"] = {"a": "x" * (2 << 20)}
    return json.dumps(what).encode()


@case("deep-yaml", "Rejected", "ObjectRefused", "nested")
def _(_lab, _name):
    return b"a: " + b"[" * 100000 + b"]" * 100000


@case("alias-bomb", "Rejected", "ObjectRefused", "")
def _(_lab, _name):
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"] + [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    return "\n".join(lines).encode()


@case("binary-garbage", "Rejected", "ObjectRefused", "")
def _(_lab, _name):
    return random.Random(5).randbytes(50000)


@case("unknown-version", "Rejected", "ObjectRefused", "v9")
def _(lab, name):
    return json.dumps(lab.object(name)).encode().replace(b"v1alpha1", b"v9")


@case("duplicate-keys", "Rejected", "ObjectRefused", "[Dd]uplicate|twice|already")
def _(lab, name):
    text = json.dumps(lab.object(name))
    return text.replace('"kind":', '"kind": "EdgeUpdate", "kind":', 1).encode()


@case("bad-utf8", "Rejected", "ObjectRefused", "")
def _(lab, name):
    return json.dumps(lab.object(name)).encode().replace(b"1.0.0", b"1.\xff\xfe0")


@case("cut-yaml", "Rejected", "ObjectRefused", "")
def _(lab, name):
    return json.dumps(lab.object(name)).encode()[:-20]


# ---- running them ------------------------------------------------------------------------------------------------------------

def give(lab, one):
    """Give the case to the agent; return None, or the reason why this machine cannot run it."""
    what = one.make(lab, one.name)
    if isinstance(what, str):
        return what
    if isinstance(what, dict):
        what = lab.signed(what)
    lab.node.apply(one.name, what)
    return None


def run_batch(lab, batch, totals):
    given = []
    for one in batch:
        why = give(lab, one)
        if why is not None:
            say(f"SKIP: {one.name}: {why}")
            totals["skipped"] += 1
        else:
            given.append(one)
    content = lab.give_good()
    for one in given:
        wrong = lab.look(one)
        totals["failed" if wrong else "passed"] += 1
        row = lab.find(one.name)
        say(f"  {'FAIL' if wrong else 'ok  '}  {one.name}: {wrong or row.get('phase', '') + ' ' + row.get('reason', '')}")
        if not wrong and row.get("message") and "-v" in sys.argv:
            say(f"        {row['message']}")
    problems = lab.undisturbed(content)
    totals["failed" if problems else "passed"] += 1
    for problem in problems:
        say(f"  FAIL  while {', '.join(one.name for one in given)}: {problem}")
    for one in given:
        lab.node.remove(one.name)


def left_in_proc(lab):
    """Children of hooks: those that must be gone, and the one that may remain."""
    pid_file = lab.node.place("temp", "hook-daemonises.pid")
    if os.path.exists(pid_file):
        with open(pid_file, encoding="utf-8") as file:
            os.kill(int(file.read()), signal.SIGKILL)
    time.sleep(0.2)
    sleepers = subprocess.run(["pgrep", "-f", "sleep 86399", "-s", str(os.getsid(lab.node.agent.pid))], stdout=subprocess.PIPE,
                              text=True, check=False).stdout.split()
    return [f"a hook's child {pid} is still there" for pid in sleepers]


def back_to_normal(lab):
    """Without the bad input the node becomes ready again; rolled-back and committed releases stay in the status."""
    def rest():
        return sorted({row["phase"] for row in lab.node.status()["updates"]} - {"Committed", "RolledBack"})
    try:
        wait("normal", lambda: not rest(), 30)
        return []
    except AssertionError:
        return [f"with everything taken away there is still {rest()}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--home", default=os.path.join(fault.TOP, "build", "fault", "bad_input"))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("-v", action="store_true", help="the messages too")
    parser.add_argument("names", nargs="*")
    words = parser.parse_args()
    chosen = [one for one in CASES if not words.names or one.name in words.names]
    if words.list:
        say("\n".join(f"{one.name:32} {one.phase:14} {one.reason}" for one in chosen))
        return 0
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    lab = Lab(words.home)
    try:
        lab.start()
        pid = lab.node.agent.pid
        for at in range(0, len(chosen), BATCH):
            run_batch(lab, chosen[at:at + BATCH], totals)
        problems = left_in_proc(lab) + back_to_normal(lab)
        if lab.node.agent.pid != pid:
            problems.append("the agent is another process")
        lab.node.stop_agent()
        totals["failed" if problems else "passed"] += 1
        for problem in problems:
            say(f"  FAIL  {problem}")
    finally:
        lab.end()
    say(f"{totals['passed']} passed, {totals['failed']} failed, {totals['skipped']} skipped")
    return 1 if totals["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
