#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Secret as files below a tmpfs, with the real agent and an API server that goes away: content, rotation, failed checks, drift,
kill -9, reboot, deletion. After each case no byte of any secret may be in the state folder, in a log or in a status.

    tests/system/fault/secret.py [WORD...]      only the cases whose name contains one of the words

Prints "N passed, N failed, N skipped" last."""
import base64
import functools
import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from node import TOP, Artifacts, Node, wait  # noqa: E402

import suite  # noqa: E402
from apiserver import ApiServer, kubeconfig  # noqa: E402
from lab import PROGRAMS, free_port  # noqa: E402

HOME = os.path.join(TOP, "build", "fault", "secret")
MEMORY = os.path.join(TOP, "build", "fault", "secret.memory")  # a tmpfs, in a mount namespace of its own
PATIENCE_S = float(os.environ.get("HF_PATIENCE_S", "60"))
ENTRY = "login"
BESIDE = 3  # cases at a time: they mostly wait


def secret_text(number):
    """A text that occurs nowhere else, not even in this program's source."""
    return f"geheim-{number}-" + base64.b32encode(bytes([number] * 35)).decode()


def look_for(needles, home):
    """Looks into every regular file below `home`. Returns {"found": the paths that have a needle}, or None if a file or folder went away
    meanwhile: the agent still runs, and what was renamed may be under a name that this look did not see."""
    found, gone = [], []
    for folder, _, names in os.walk(home, onerror=gone.append):
        for name in names:
            path = os.path.join(folder, name)
            try:
                if not stat.S_ISREG(os.lstat(path).st_mode):
                    continue
                with open(path, "rb") as file:
                    content = file.read()
            except FileNotFoundError as why:
                gone.append(why)
                continue
            found += [path for needle in needles if needle in content]
    return {"found": found} if found or not gone else None


class Site:
    def __init__(self, name):
        self.home = os.path.join(HOME, name)
        self.node = Node(os.path.join(self.home, "node"), Artifacts())
        self.api, self.used, self.programs = ApiServer(port=free_port()), [], PROGRAMS  # it comes back there
        self.port = self.api.server_address[1]
        self.target = os.path.join(MEMORY, name, "files")      # the staging folder beside it is this agent's alone
        os.makedirs(os.path.dirname(self.target))
        self.config = self.node.place("agent.yaml")
        self.checker = self.node.place("checker")
        with open(self.checker, "w", encoding="utf-8") as file:
            file.write('#!/bin/sh\ncat "$1"/password 2>/dev/null\ntest ! -e "$1"/bad\n')
        os.chmod(self.checker, 0o755)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"""apiVersion: edge.codcompass.io/v1alpha1
kind: AgentConfiguration
manifests: {{secrets: ["{MEMORY}/**", "{self.home}/**"], exec: ["{self.checker}"]}}
""")
        self.api.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.node.name, "labels": {}}})

    def secret(self, number, **more):
        """Puts the Secret: `password` is text number N; `more` are further keys."""
        text = secret_text(number)
        self.used.append(text)
        data = {"password": text, **more}
        self.api.put({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": "site"},
                      "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}})
        return text

    def entry(self, **more):
        entry = {"name": ENTRY, "from": {"secret": {"namespace": "site", "name": "login"}}, "to": "Files", "path": self.target + "/", **more}
        self.api.put({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "site"},
                      "spec": {"interval": "10s", "retryInterval": "10s", "manifests": [entry]}})

    def start(self):
        node = self.node
        node.agent = node.child([os.path.join(self.programs, "holdfast-agent"), "--kubeconfig",
                                 kubeconfig(os.path.join(self.home, "kubeconfig"), self.api), "--node-name", node.name, "--state-dir",
                                 node.place("state"), "--trust-dir", node.place("trust.d"), "--update-root", node.place("root"),
                                 "--config", self.config, "--storage-dir", node.place("storage"), "--run-dir", node.place("run"),
                                 "--metrics-port", str(node.metrics_port), "--ingest-port", "off", "--health-port", "off",
                                 "--retry-base-ms", "50", "--log-level", "debug"], cwd=self.home)

    def server_away(self):
        self.api.end_watches()
        self.api.end()

    def server_back(self):
        before = self.api
        self.api = ApiServer(port=self.port)
        self.api.objects, self.api.version = before.objects, before.version + 1000

    def row(self):
        self.node.alive()
        return next((row for row in self.api.status(self.node.name).get("manifests", []) if row["name"] == ENTRY), {})

    def status_file(self):
        """What the agent says on the node itself, which needs no server."""
        done = subprocess.run([os.path.join(self.programs, "holdfast"), "status", "--run-dir", self.node.place("run"), "-o", "json"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.stdout

    def phase(self, phase, reason=None):
        def there():
            row = self.row()
            return row if row.get("phase") == phase and reason in (None, row.get("reason")) else None
        try:
            return wait(f"{phase} {reason or ''}", there, PATIENCE_S)
        except AssertionError as late:
            raise AssertionError(f"{late}: {self.row()}") from None

    def read(self, name="password"):
        try:
            with open(os.path.join(self.target, name), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def holds(self, text, name="password"):
        wait(f"{name} holds the content", lambda: self.read(name) == text, PATIENCE_S)

    def logged(self, word):
        with open(self.node.place("agent.log"), encoding="utf-8", errors="replace") as file:
            return word in file.read()

    def leaks(self):
        """Where a secret, or its Base64 form, lies that may not: files of the node, and every status that was sent."""
        needles = [form for text in self.used for form in (text.encode(), base64.b64encode(text.encode())[:-4])]
        found = wait("a look at all files", lambda: look_for(needles, self.home), PATIENCE_S)["found"]
        sent = json.dumps([item for _, _, item in self.api.history if item["kind"] != "Secret"]).encode()
        return found + ["a status" for needle in needles if needle in sent]

    def end(self):
        self.node.end()
        self.api.end()
        shutil.rmtree(self.target, ignore_errors=True)


# ---- cases ----------------------------------------------------------------------------------------------------------------------

def applies_and_rotates(site):
    first = site.secret(1)
    site.entry()
    site.start()
    site.holds(first)
    row = site.phase("Applied")
    assert stat.S_IMODE(os.stat(os.path.join(site.target, "password")).st_mode) == 0o400
    assert stat.S_IMODE(os.stat(site.target).st_mode) == 0o700
    assert not [name for name in os.listdir(site.node.place("state", "manifests", ENTRY)) if name.startswith("b-")]
    second = site.secret(2)
    site.holds(second)
    wait("another digest", lambda: site.row().get("digest") != row["digest"] and site.row().get("phase") == "Applied", PATIENCE_S)


def disk_is_refused(site):
    site.secret(1)
    site.target = os.path.join(site.home, "disk")
    site.entry()
    site.start()
    row = site.phase("Refused", "NotTmpfs")
    assert "tmpfs" in row["message"] and not os.path.exists(site.target), row


def substitute_is_refused(site):
    site.secret(1)
    site.entry(substitute={})
    site.start()
    site.phase("Refused", "Unsupported")
    assert site.read() is None


def failed_check_goes_back(site):
    first = site.secret(1)
    site.entry(healthChecks=[{"exec": {"command": [site.checker, site.target]}}], healthDeadline="2s")
    site.start()
    site.holds(first)
    site.phase("Applied")
    site.secret(2, bad="x")
    site.phase("RolledBack", "HealthFailed")
    site.holds(first)
    assert site.read("bad") is None
    third = site.secret(3)
    site.holds(third)
    site.phase("Applied")


def validate_keeps_quiet(site):
    site.secret(1, bad="x")
    site.entry(validate={"command": [site.checker, "{}"]})
    site.start()
    site.phase("Refused", "ValidateFailed")
    assert site.read() is None


def drift_comes_from_the_server(site):
    first = site.secret(1)
    site.entry()
    site.start()
    site.phase("Applied")
    os.remove(os.path.join(site.target, "password"))
    site.holds(first)
    site.phase("Applied")
    site.server_away()
    path = os.path.join(site.target, "password")
    os.remove(path)
    wait("the agent to notice", lambda: site.logged("manifest.secret_absent"), PATIENCE_S)
    time.sleep(2)
    assert site.read() is None
    site.server_back()
    site.holds(first)
    site.phase("Applied")


def paced_secret_comes_when_it_is_needed(site):
    """A Secret that changes too often is paced. The agent needs one of these versions after all, because a file is gone: it takes the one
    that it asked for, and does not ask again and again."""
    def asked():
        return sum(1 for path in site.api.seen if "/secrets" in path)
    text = site.secret(1)
    site.entry()
    site.start()
    number = 1
    while site.row().get("reason") != "ContentPaced":
        site.holds(text)
        site.phase("Applied")
        number += 1
        assert number < 12, "it is not paced"
        newest = site.secret(number)
        wait("it is taken up or not", lambda: site.read() == newest or site.row().get("reason") == "ContentPaced", PATIENCE_S)
        text = newest if site.read() == newest else text
    assert number > 4 and site.read() == text != newest, number
    before = asked()
    os.remove(os.path.join(site.target, "password"))
    site.holds(newest)
    site.phase("Applied")
    time.sleep(3)
    assert asked() - before <= 6, f"the agent has asked {asked() - before} times"
    paced = site.secret(number + 1)  # what it has not asked for waits as before
    time.sleep(12)  # more than an interval, which is 10 s with a tenth of jitter
    assert site.read() == newest != paced and asked() - before <= 12, asked() - before


def reboot_without_the_server(site):
    first = site.secret(1)
    site.entry()
    site.start()
    site.phase("Applied")
    site.node.kill_agent()
    site.server_away()
    shutil.rmtree(site.target)
    site.start()
    wait("the agent to notice", lambda: "SecretAbsent" in site.status_file(), PATIENCE_S)
    assert site.read() is None
    assert os.path.exists("/dev/tpmrm0") or "no sealed copy on this node: there is no TPM" in site.status_file(), site.status_file()
    site.server_back()
    site.holds(first)
    site.phase("Applied")


def restart_changes_nothing(site):
    first = site.secret(1)
    site.entry()
    site.start()
    site.phase("Applied")
    path = os.path.join(site.target, "password")
    before = os.stat(path)
    site.node.kill_agent()
    site.server_away()
    site.start()
    time.sleep(3)
    site.node.alive()
    assert os.stat(path).st_ino == before.st_ino and site.read() == first
    site.node.kill_agent()
    with open(path, "w", encoding="utf-8") as file:
        file.write("somebody else's")
    site.start()
    site.server_back()
    site.holds(first)


def deleted_secret_stays_without_prune(site):
    first = site.secret(1)
    site.entry()
    site.start()
    site.phase("Applied")
    site.api.remove("Secret", "login")
    site.phase("Applied", "SourceGone")
    assert site.read() == first


def deleted_secret_goes_with_prune(site):
    site.secret(1)
    site.entry(prune=True)
    site.start()
    site.phase("Applied")
    site.api.remove("Secret", "login")
    wait("the file to go", lambda: site.read() is None, PATIENCE_S)
    site.phase("Fetching", "SourceGone")
    again = site.secret(2)
    site.holds(again)
    site.phase("Applied")


def two_files_wait_for_the_annotation(site):
    first = site.secret(1, user="name")
    site.entry(prune=True)
    site.start()
    digest = site.phase("Applied")["digest"]
    site.api.remove("Secret", "login")
    site.phase("Waiting", "PruneLimit")
    assert site.read() == first
    policy = site.api.objects["SyncPolicy", "site"]
    policy["metadata"]["annotations"] = {"edge.codcompass.io/allow-prune": f"{ENTRY}:{digest}"}
    site.api.put(policy)
    wait("the files to go", lambda: site.read() is None and site.read("user") is None, PATIENCE_S)


def killed_during_the_checks(site):
    site.secret(1)
    site.entry(prune=True, healthChecks=[{"exec": {"command": [site.checker, site.target]}}], healthDeadline="3s")
    site.start()
    site.phase("Applied")
    second = site.secret(2, bad="x")
    site.holds(second)
    site.node.kill_agent()
    site.start()
    row = site.phase("RolledBack", "HealthFailed")
    assert "earlier files are no longer known" in row["message"] and site.read() == second, row
    site.holds(site.secret(3))
    site.phase("Applied")


def reboot_during_the_checks(site):
    """The reboot has emptied the memory, so the version on trial comes again before it is judged."""
    site.secret(1)
    with open(site.checker, "w", encoding="utf-8") as file:
        file.write('#!/bin/sh\nsleep 3\ntest -e "$1"/password\n')
    site.entry(healthChecks=[{"exec": {"command": [site.checker, site.target], "timeout": "5s"}}], healthDeadline="8s")
    site.start()
    site.phase("Applied")
    second = site.secret(2)
    site.holds(second)
    record = site.node.place("state", "manifests", ENTRY, "record")

    def on_trial():
        with open(record, encoding="utf-8") as file:
            return '"Probation"' in file.read()
    wait("the second version is on trial", on_trial, 3)
    site.node.kill_agent()
    shutil.rmtree(site.target)
    site.start()
    site.holds(second)
    site.phase("Applied")
    assert not site.logged("RollingBack") and site.read() == second


def resident_pieces(pid):
    """Yields the content of the agent's private writable memory in pieces of at most 1 MiB with 4 KiB of the next one, without pieces that
    have no page. The shadow of a sanitizer, terabytes wide, describes memory and holds no content."""
    piece, page = 1 << 20, os.sysconf("SC_PAGE_SIZE")
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory, \
            open(f"/proc/{pid}/pagemap", "rb", 0) as pages:
        for line in maps:
            words = line.split()
            begin, end = (int(part, 16) for part in words[0].split("-"))
            if words[1][:2] != "rw" or words[1][3] != "p" or end - begin > 1 << 40:
                continue
            for at in range(begin, end, piece):
                size = min(piece, end - at)
                pages.seek(at // page * 8)
                if not any(pages.read(size // page * 8)):
                    continue
                memory.seek(at)
                try:
                    yield memory.read(min(size + page, end - at))
                except OSError:
                    continue


def copies_in_memory(pid, texts):
    """How often the texts occur in the agent's private writable memory; a text at the edge of two pieces counts twice. None: nobody may
    read it."""
    forms = [form for text in texts for form in (text.encode(), base64.b64encode(text.encode())[:-4])]
    try:
        return sum(content.count(form) for content in resident_pieces(pid) for form in forms)
    except PermissionError:
        return None


def memory_forgets(site):
    first = site.secret(1)
    site.entry()
    site.start()
    site.holds(first)
    site.phase("Applied")
    time.sleep(1)
    found = copies_in_memory(site.node.agent.pid, site.used)
    assert found is None or copies_in_memory(site.node.agent.pid, [site.target]) > 0, "the search does not find what is there"
    assert found in (None, 0), f"{found} copies of the secret in memory"
    return "nobody may read the memory" if found is None else None


def dumps_core(pid):
    os.kill(pid, signal.SIGSEGV)
    _, status = os.waitpid(pid, 0)
    return os.WCOREDUMP(status)


def no_core_dump(site):
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    control = subprocess.Popen(["sleep", "600"], cwd=site.home)
    if not dumps_core(control.pid):
        return "this machine writes no core dumps"
    site.secret(1)
    site.entry()
    site.start()
    site.phase("Applied")
    assert not dumps_core(site.node.agent.pid), "the agent left a core dump"
    site.node.agent = None
    return None


CASES = [applies_and_rotates, disk_is_refused, substitute_is_refused, failed_check_goes_back, validate_keeps_quiet,
         drift_comes_from_the_server, paced_secret_comes_when_it_is_needed, reboot_without_the_server, restart_changes_nothing,
         deleted_secret_stays_without_prune, deleted_secret_goes_with_prune, two_files_wait_for_the_annotation, killed_during_the_checks,
         reboot_during_the_checks, memory_forgets, no_core_dump]


def mount():
    """Mounts the tmpfs. Returns False if nobody may, after starting this program again where it may."""
    os.makedirs(MEMORY, 0o700, exist_ok=True)
    if "HF_SECRET_MOUNTED" in os.environ:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700", "secret", MEMORY], check=True)
        return True
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    if subprocess.run(["unshare", "--mount", *user, "mount", "-t", "tmpfs", "secret", MEMORY], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        return False
    os.environ["HF_SECRET_MOUNTED"] = "1"
    os.execvp("unshare", ["unshare", "--mount", *user, sys.executable, *sys.argv])


def main(cases, make):
    """Runs `cases`, each with the site that make(case) returns."""
    if not mount():
        print("0 passed, 0 failed, 1 skipped")
        return 0
    shutil.rmtree(HOME, ignore_errors=True)

    def run(case):
        site = make(case)
        try:
            note = case(site)
            found = site.leaks()
            assert not found, f"a secret lies in {sorted(set(found))}"
            return note
        finally:
            site.end()
    words = sys.argv[1:]
    return suite.run([(case.__name__, functools.partial(run, case)) for case in cases
                      if not words or any(word in case.__name__ for word in words)], BESIDE)


if __name__ == "__main__":
    sys.exit(main(CASES, lambda case: Site(case.__name__)))
