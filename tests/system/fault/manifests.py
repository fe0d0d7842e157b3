#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Entries of spec.manifests to Files with the real agent: applied, repaired, killed, refused, rolled back.

    tests/system/fault/manifests.py [--kills N] [--seed S] [--home DIR]      default: 25 kills

The source is a folder of the node. A watcher reads a file of the target all the time: it is one of the whole contents at every
moment. Needs no root; the cases with a full and a read-only file system need it for their mounts, and are skipped without.
Prints "N passed, N failed, N skipped" last.
"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import threading
import time

import node as fault
from node import say, wait

POLICY = """apiVersion: edge.codcompass.io/v1alpha1
kind: SyncPolicy
metadata: {{name: site, annotations: {{edge.codcompass.io/allow-prune: "{allow}"}}}}
spec:
  nodeSelector: {{}}
  interval: 10s
  manifests:
  - name: site
    from: {{path: {source}}}
    to: Files
    path: {target}
{more}"""


class Site:
    """A node with one entry."""

    def __init__(self, home):
        self.node = fault.Node(home, None)
        self.source, self.target = self.node.place("source"), self.node.place("managed", "app") + "/"
        os.makedirs(self.source)
        os.makedirs(os.path.dirname(self.target.rstrip("/")))
        os.chmod(self.node.place("managed"), 0o755)
        self.config = self.node.place("agent.yaml")
        self.write(self.config, f"""apiVersion: edge.codcompass.io/v1alpha1
kind: AgentConfiguration
manifests:
  files: ["{self.node.place('managed')}/**"]
  paths: ["{self.source}", "{self.source}/**"]
  exec: ["/bin/**", "/usr/bin/**"]
""")
        self.start()

    @staticmethod
    def write(path, text):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".part", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path + ".part", 0o644)
        os.rename(path + ".part", path)

    def start(self):
        self.node.start_agent("--config", self.config)

    def fill(self, files):
        """Replace the whole source by a rename, as a checkout does."""
        fresh, old = self.source + ".fresh", self.source + ".old"
        for folder in (fresh, old):
            shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(fresh)
        for name, text in files.items():
            self.write(os.path.join(fresh, name), text)
        if os.path.exists(self.source):
            os.rename(self.source, old)
        os.rename(fresh, self.source)

    def policy(self, more="", allow="", target=None):
        text = "".join(f"    {line}\n" for line in more.split("\n") if line)
        self.node.apply("site", POLICY.format(source=self.source, target=target or self.target, more=text, allow=allow))

    def row(self):
        return next((row for row in self.node.status().get("manifests", []) if row["name"] == "site"), {})

    def wait(self, phase, reason=None, patience=60):
        def there():
            self.node.alive()
            row = self.row()
            return row if row.get("phase") == phase and reason in (None, row.get("reason", "Applied")) else None
        try:
            return wait(f"{phase} {reason}", there, patience)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.row()}") from None

    def read(self, name=""):
        try:
            with open(os.path.join(self.target, name) if name else self.target, encoding="utf-8") as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def wait_file(self, name, text, patience=60):
        wait(f"'{name}' with its content", lambda: self.read(name) == text, patience)

    def leftovers(self):
        return [os.path.join(folder, name) for folder, dirs, files in os.walk(self.node.place("managed"))
                for name in dirs + files if name.startswith(".holdfast-")]


def apply_and_change(site):
    site.fill({"a.conf": "a1\n", "sub/b.conf": "b on ${HOLDFAST_NODE}\n"})
    site.policy("prune: true\nsubstitute: {}\nfileMode: \"0640\"")
    site.wait("Applied")
    assert site.read("a.conf") == "a1\n" and site.read("sub/b.conf") == "b on node-1\n"
    assert os.stat(site.target + "a.conf").st_mode & 0o7777 == 0o640
    site.fill({"a.conf": "a2\n", "c.conf": "c1\n"})
    site.wait_file("a.conf", "a2\n")
    wait("the removal of sub", lambda: not os.path.exists(site.target + "sub"))
    wait("no leftovers", lambda: not site.leftovers())


def drift_offline(site):
    site.write(site.target + "a.conf", "changed\n")
    wait("the diff", lambda: "a.conf (" in site.row().get("message", ""))  # before SourceGone takes its place
    shutil.move(site.source, site.source + ".away")  # no source any more
    for change in (lambda p: site.write(p, "changed\n"), os.unlink, lambda p: os.chmod(p, 0o600)):
        change(site.target + "a.conf")
        start = time.monotonic()
        wait("the repair", lambda: site.read("a.conf") == "a2\n" and os.stat(site.target + "a.conf").st_mode & 0o777 == 0o640)
        assert time.monotonic() - start < 2, f"a repair took {time.monotonic() - start:.1f} s"
    wait("the count", lambda: site.row().get("drifts", 0) >= 4)


def drift_while_down(site):
    site.node.kill_agent()
    site.write(site.target + "a.conf", "changed while the agent was away\n")
    os.unlink(site.target + "c.conf")
    site.start()
    site.wait_file("a.conf", "a2\n", 10)
    site.wait_file("c.conf", "c1\n", 10)
    row = site.wait("Applied")
    assert row["reason"] in ("SourceGone", "DriftRepaired"), row
    shutil.move(site.source + ".away", site.source)


def empty_source(site):
    site.fill({})
    wait("SourceEmpty", lambda: site.row().get("reason") == "SourceEmpty")
    assert site.read("a.conf") == "a2\n"
    site.fill({"a.conf": "a2\n", "c.conf": "c1\n"})
    wait("the source again", lambda: site.row().get("reason", "Applied") != "SourceEmpty")


def prune_limit(site):
    site.fill({f"f{i}": "x\n" for i in range(10)})
    site.policy("prune: true", allow="")
    site.wait("Waiting", "PruneLimit")  # a.conf and c.conf are all that is in place
    assert site.read("a.conf") is not None and site.read("f1") is None
    known = digest_of(site)
    site.policy("prune: true", allow=f"site:{known[:12]}")
    site.wait("Applied")
    assert site.read("a.conf") is None and site.read("f1") == "x\n"


def digest_of(site):
    """The row of the status has the first 12 digits of the newest content."""
    return site.row()["digest"]


def foreign_file(site):
    site.write(site.target + "theirs", "theirs\n")
    site.fill({**{f"f{i}": "x\n" for i in range(10)}, "theirs": "ours\n"})
    row = site.wait("Refused", "ForeignFile")
    assert "theirs" in row["message"], row
    assert site.read("theirs") == "theirs\n"
    site.policy("prune: true\nforce: true")
    site.wait_file("theirs", "ours\n")
    site.wait("Applied")


def link_in_the_way(site):
    outside = site.node.place("outside")
    site.write(outside, "outside\n")
    os.symlink(outside, site.target + "link")
    site.fill({**{f"f{i}": "x\n" for i in range(10)}, "link": "through the link?\n"})
    site.wait("Refused", "ForeignFile")
    with open(outside, encoding="utf-8") as file:
        assert file.read() == "outside\n"
    os.unlink(site.target + "link")
    site.wait_file("link", "through the link?\n")
    site.wait("Applied")


def validate_failed(site):
    site.fill({**{f"f{i}": "x\n" for i in range(10)}, "f1": "bad\n"})
    site.policy("prune: true\nvalidate: {command: [/bin/grep, -q, x, \"{}/f1\"]}")  # the word {} alone is replaced
    site.policy("prune: true\nvalidate: {command: [/usr/bin/test, -d, \"{}\"]}")
    site.wait_file("f1", "bad\n")
    site.fill({**{f"f{i}": "x\n" for i in range(10)}, "f1": "worse\n"})
    site.policy("prune: true\nvalidate: {command: [/usr/bin/test, -f, \"{}\"]}")
    site.wait("Refused", "ValidateFailed")
    assert site.read("f1") == "bad\n" and not site.leftovers()
    site.policy("prune: true")
    site.wait_file("f1", "worse\n")


def health_failed(site):
    check = f"healthChecks: [{{tcp: {{port: {fault.free_port()}}}}}]\nhealthDeadline: 5s"
    site.fill({**{f"f{i}": "x\n" for i in range(10)}, "f1": "unhealthy\n", "g": "new\n"})
    site.policy("prune: true\n" + check)
    site.wait("RolledBack", "HealthFailed")
    assert site.read("f1") == "worse\n" and site.read("g") is None
    time.sleep(3)
    assert site.row()["phase"] == "RolledBack"
    site.fill({f"f{i}": "y\n" for i in range(10)})
    site.policy("prune: true")
    site.wait_file("f1", "y\n")
    site.wait("Applied")


def not_allowed(site):
    site.policy("prune: true", target=site.node.place("elsewhere") + "/")
    row = site.wait("Refused", "NotAllowed")
    assert "manifests.files" in row["message"], row
    assert not os.path.exists(site.node.place("elsewhere"))
    site.policy("prune: true")
    site.wait("Applied")


class Watcher:
    """Reads one file all the time; records every content that is not whole."""

    def __init__(self, path):
        self.path, self.allowed, self.bad, self.stop = path, {"y\n" * 1}, [], False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stop:
            allowed = set(self.allowed)
            try:
                with open(self.path, encoding="utf-8") as file:
                    text = file.read()
            except FileNotFoundError:
                text = None
            if text not in allowed and text not in self.allowed:
                self.bad.append(text)
            time.sleep(0.002)


def killed(site, kills, rng):
    watcher = Watcher(site.target + "f1")
    for i in range(kills):
        text = f"{i}\n" * rng.randrange(1, 20000)
        watcher.allowed.add(text)
        site.fill({**{f"f{k}": text for k in range(10)}, f"only{i}": "x\n"})
        time.sleep(rng.random() * 3)
        site.node.kill_agent()
        site.start()
    site.fill({f"f{k}": "end\n" for k in range(10)})
    watcher.allowed.add("end\n")
    site.wait_file("f9", "end\n", 120)
    site.wait("Applied")
    wait("no leftovers", lambda: not site.leftovers())
    watcher.stop = True
    assert not watcher.bad, f"a content that is not whole: {watcher.bad[0]!r:.80}"
    assert not [name for name in os.listdir(site.target) if name.startswith("only")], os.listdir(site.target)


def mounted(site, options):
    folder = site.node.place("managed", "disk")
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    return folder


def full_disk(site):
    folder = mounted(site, "size=1m,mode=755")
    try:
        site.fill({"big": "z" * 3_000_000})
        site.policy("", target=folder + "/x/")
        site.wait("Waiting", "NoSpace")
        assert not os.path.exists(folder + "/x/big")
        subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True)
        site.wait("Applied", patience=120)
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        site.fill({"big": "y" * 1000})
        site.wait("Waiting", "ReadOnlyFileSystem")
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
        site.wait("Applied", patience=120)
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", default=os.path.join(fault.TOP, "build", "manifests-test"))
    args = parser.parse_args()
    site, results = Site(args.home), {"passed": 0, "failed": 0, "skipped": 0}
    rng = random.Random(args.seed)
    may_mount = os.geteuid() == 0 and shutil.which("mount") is not None
    cases = [apply_and_change, drift_offline, drift_while_down, empty_source, prune_limit, foreign_file, link_in_the_way,
             validate_failed, health_failed, not_allowed, lambda s: killed(s, args.kills, rng)]
    try:
        for case in cases + [full_disk]:
            name = "killed" if case.__name__ == "<lambda>" else case.__name__
            if case is full_disk and not may_mount:
                say(f"SKIP: {name}: needs root and mount")
                results["skipped"] += 1
                continue
            try:
                case(site)
                results["passed"] += 1
                say(f"  {name}: ok")
            except (AssertionError, OSError, subprocess.SubprocessError) as error:
                results["failed"] += 1
                say(f"  {name}: FAILED: {error}")
    finally:
        site.node.end()
    print(f"{results['passed']} passed, {results['failed']} failed, {results['skipped']} skipped")
    return 1 if results["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
