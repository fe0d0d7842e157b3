#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The smallest agent: built for another processor with musl, run under qemu-user: a signed update from a folder, offline; the same in a root
with busybox alone.

    tests/system/static/small.py [MACHINE ...]      default: armv7

Where this machine cannot build or run it, the tests are skipped with the reason. Ends with the plain line "N passed, N failed, N skipped".
"""
import json
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", ".."))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(TOP, "deploy", "image"), os.path.join(TOP, "tests", "support")]

import suite  # noqa: E402
from holdimage import elf, machine, musl  # noqa: E402
from suite import Skip, equal  # noqa: E402

HOLDFAST = os.path.join(TOP, "build", "release", "holdfast")
CANNOT = 3                                 # exit code of deploy/image/small
MAX_BYTES = {"armv7": 800_000}             # without symbols
DIGEST = "0" * 64
ARCH = {"armv7": "arm", "riscv64": "riscv64", "amd64": "amd64", "arm64": "arm64"}
MAGIC = {name: rf"\x7fELF\x0{bits}\x01\x01" + r"\x00" * 9 + rf"\x02\x00\x{number}\x00" for name, bits, number in (("armv7", 1, "28"), ("riscv64", 2, "f3"),
         ("arm64", 2, "b7"), ("amd64", 2, "3e"))}
ENTER = """set -e
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
printf %s "$2" >/proc/sys/fs/binfmt_misc/register
mount -t proc proc "$1/proc"
touch "$1/dev/null" && mount --bind /dev/null "$1/dev/null"
exec chroot "$1" /bin/holdfast-agent --once --node-name n --source /etc/holdfast/objects"""
LEFT_OUT = sorted(name[:-2] for name in os.listdir(os.path.join(TOP, "pkg/agent/without")) if name.endswith(".c"))


def run(*argv, code=0):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, errors="replace", check=False, timeout=300)
    equal(f"exit code of {' '.join(argv)[:150]} ({done.stdout[-600:]})", done.returncode, code)
    return done.stdout


def script(path, body):
    with open(path, "w", encoding="ascii") as file:
        file.write(f"#!/bin/sh\n{body}\n")
    os.chmod(path, 0o755)


class Small:
    def __init__(self, name):
        self.one, self.home = musl.KNOWN[name], os.path.join(TOP, "build", "small", name)
        self.node = os.path.join(self.home, "node")
        self.built = False

    def test_size_and_features(self):
        done = subprocess.run([os.path.join(TOP, "deploy/image/small"), "--emulated", self.one.name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode == CANNOT:
            raise Skip(done.stdout.strip().splitlines()[-1])
        equal(f"exit code ({done.stdout[-600:]})", done.returncode, 0)
        self.built = True
        program = os.path.join(self.home, "holdfast-agent")
        with open(program, "rb") as file:
            needs = elf.needs(file.read(), "holdfast-agent")
        equal("loader and libraries", (needs.interpreter, needs.libraries), (None, ()))
        size, most = os.path.getsize(program), MAX_BYTES.get(self.one.name)
        print(f"    {self.one.name}: {size} bytes", flush=True)
        equal(f"{size} bytes, at most {most}", most is None or size <= most, True)
        said = run(self.emulator(), program, "--version").splitlines()
        equal("what is left out", said[1:], [f"without {name}" for name in LEFT_OUT])
        equal("names what it lacks", "without the feature 'cluster'" in self.agent(code=1), True)

    def emulator(self):
        if shutil.which(self.one.qemu) is None:
            raise Skip(f"no {self.one.qemu} (package qemu-user)")
        return self.one.qemu

    def agent(self, *words, code=0):
        """Runs until there is nothing to do; what it logs."""
        for folder in ("state", "run", "trust.d"):
            os.makedirs(os.path.join(self.node, folder), exist_ok=True)
        if not self.built:
            raise Skip("it is not built")
        program = os.path.join(self.home, "small", "emulated-agent")
        return run(self.emulator(), program, "--once", "--node-name", "n", "--state-dir", f"{self.node}/state", "--run-dir", f"{self.node}/run",
                   "--trust-dir", f"{self.node}/trust.d", *words, code=code)

    def test_a_signed_update_from_a_folder(self):
        shutil.rmtree(self.node, ignore_errors=True)
        for folder in ("objects", "root", "trust.d"):
            os.makedirs(os.path.join(self.node, folder))
        root, out, new = (os.path.join(self.node, name) for name in ("root", "out", "new"))
        run(HOLDFAST, "key", "generate", os.path.join(self.node, "k1"), "--public", os.path.join(self.node, "trust.d/k1.pem"))
        with open(new, "wb") as file:
            file.write(os.urandom(100_000))
        run(HOLDFAST, "release", "create", "--name", "app", "--version", "1.0.0", "--sequence", "1", "--path", f"{root}/app", "--update-root", root,
            "--everywhere", "--artifact", f"{ARCH[self.one.name]}={new}", "--no-health-check", "--url-base", f"file://{out}", "--key",
            f"{self.node}/k1.key", "--key-id", "k1", "--expires", "1d", "--out", out)
        with open(f"{out}/app-1.0.0.yaml", encoding="ascii") as file:
            text = file.read()
        self.apply("app", text.replace("version: 1.0.0", "version: 1.0.1"))
        self.agent("--source", f"{self.node}/objects", "--update-root", root, code=1)
        equal("a forged release is installed", os.path.exists(f"{root}/app"), False)
        self.apply("app", text)
        self.apply("policy", "apiVersion: edge.codcompass.io/v1alpha1\nkind: SyncPolicy\nmetadata: {name: all}\nspec:\n  nodeSelector: {}\n"
                   "  images: {mirror: {registries: [r.example]}}\n"
                   f"  manifests:\n    - {{name: hello, to: Files, path: {root}/hello, from: {{url: http://127.0.0.1/a.tar.gz, digest: sha256:{DIGEST}}}}}\n")
        said = self.agent("--source", f"{self.node}/objects", "--update-root", root)
        with open(f"{root}/app", "rb") as got, open(new, "rb") as want:
            equal("the file is the signed one", got.read() == want.read(), True)
        equal("committed", '"phase":"Committed"' in said, True)
        with open(f"{self.node}/run/status.json", encoding="utf-8") as file:
            conditions = {one["type"]: one for one in json.load(file)["status"]["conditions"]}
        equal("FeaturesPresent", (conditions["FeaturesPresent"]["status"], conditions["FeaturesPresent"]["message"].split(": ")[-1]), ("False", "images manifests"))

    def test_in_a_root_of_busybox(self):
        """As on a small router: no systemd, no other libc, and a shell that is busybox. A version that is ill and one that is well, started and
        judged by scripts; each process is emulated."""
        if not self.built:
            raise Skip("it is not built")
        probe = "mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc"
        if subprocess.run(["unshare", "-Urmpf", "sh", "-c", probe], check=False, capture_output=True).returncode != 0:
            raise Skip("no binfmt_misc in a user namespace (Linux 6.7)")
        home, app = os.path.join(self.home, "router"), "/opt/app"
        root = os.path.join(home, "root")
        shutil.rmtree(home, ignore_errors=True)
        for folder in ("bin", "dev", "proc", "tmp", "opt", "etc/init.d", "etc/holdfast/trust.d", "etc/holdfast/objects", "var/lib/holdfast", "run"):
            os.makedirs(os.path.join(root, folder))
        try:
            shutil.copy(musl.busybox(self.one, jobs=os.cpu_count()), f"{root}/bin/busybox")
        except machine.Cannot as error:
            raise Skip(str(error)) from error
        for name in ("sh", "test", "cat", "grep", "sleep", "touch"):
            os.symlink("busybox", f"{root}/bin/{name}")
        shutil.copy(os.path.join(self.home, "small", "emulated-agent"), f"{root}/bin/holdfast-agent")
        emulator = shutil.which(self.emulator())
        for path in [emulator, *re.findall(r"(/\S+) \(0x", run("ldd", emulator))]:
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            shutil.copy(path, root + path)
        run(HOLDFAST, "key", "generate", f"{home}/k2", "--public", f"{root}/etc/holdfast/trust.d/k2.pem")
        script(f"{root}/etc/init.d/app", f"case $1 in restart) exec {app} start ;; *) exec grep -qv ill /tmp/ran ;; esac")
        script(f"{root}{app}", "echo old >/tmp/ran")
        for number, (body, code, phase, ran) in enumerate((("echo ill >/tmp/ran", 1, "RolledBack", "old\n"),
                                                           ("cat /proc/self/comm >/tmp/ran", 0, "Committed", "cat\n")), 1):
            new, out = f"{home}/new-{number}", f"{root}/tmp/out-{number}"
            script(new, body)
            words = [part for flag, line in (("--hook-before-swap", "/bin/touch /tmp/hooked"), ("--restart-exec", "/etc/init.d/app restart"), ("--health-exec", "/etc/init.d/app status"))
                     for word in line.split() for part in (flag, word)]
            run(HOLDFAST, "release", "create", "--name", "app", "--version", f"1.{number}", "--sequence", str(number), "--path", app, "--everywhere",
                "--artifact", f"{ARCH[self.one.name]}={new}", "--url-base", f"file:///tmp/out-{number}", "--key", f"{home}/k2.key", "--key-id",
                "k2", "--expires", "1d", "--health-threshold", "1", "--health-deadline", "2s", "--out", out, *words)
            shutil.copy(f"{out}/app-1.{number}.yaml", f"{root}/etc/holdfast/objects/app.yaml")
            said = run("unshare", "-Urmpf", "--kill-child", "sh", "-c", ENTER, "sh", root, f":hf:M::{MAGIC[self.one.name]}::{emulator}:F", code=code)
            with open(f"{root}/tmp/ran", encoding="ascii") as file:
                equal(f"{number}: {said[-800:]}", (f'"phase":"{phase}"' in said, file.read(), os.path.exists(f"{root}/tmp/hooked")), (True, ran, True))

    def apply(self, name, text):
        with open(os.path.join(self.node, "objects", name + ".yaml"), "w", encoding="ascii") as file:
            file.write(text)


def each_can_be_left_out():
    """By itself, from the usual agent, with this machine's libraries; all but https, which most of the others need."""
    agent, make = os.path.join(TOP, "build", "small", "holdfast-agent"), ("flock", os.path.join(TOP, "Makefile"), "make", "-C", TOP, "--no-print-directory", "-s", "agent")
    for out in LEFT_OUT:
        if out != "https":
            run(*make, f"FEATURES={' '.join(name for name in LEFT_OUT if name != out)}")
            equal(f"what is left out without {out}", run(agent, "--version").splitlines()[1:], [f"without {out}"])
    equal("share alone is refused", "share needs https" in run(*make, "FEATURES=share", code=2), True)


def main():
    smalls = [Small(name) for name in sys.argv[1:] or ["armv7"]]
    return suite.run([("each feature can be left out", each_can_be_left_out)] + [(f"{one.one.name}: {name.removeprefix('test_')}", getattr(one, name)) for one in smalls for name in vars(Small) if name.startswith("test_")])


if __name__ == "__main__":
    sys.exit(main())
