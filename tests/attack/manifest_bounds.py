# SPDX-License-Identifier: Apache-2.0
"""Attacks on what the node's configuration lets entries of manifests do: content or files of one entry under the rights of another,
programs of a local user that pretend to be a kubelet, folders of the agent under other names,
files that were there before, files whose owner makes them endless or changes them without a trace."""
import ctypes
import mmap
import os
import random
import shutil
import signal
import time

import run
from config import configure
from lab import wait
from manifests import archive, entry, from_url, machine, policy, refused, targets


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def root_only():
    if os.geteuid() != 0:
        raise run.Skip("it needs root to run a process of another user")


def signed_policy(node, source, to, sequence, *more):
    """A policy with one signed entry that writes to `to`, which only signed entries may."""
    path = node.place("temp", "signed.yaml")
    write(path, policy(node, source).replace(f"path: {node.place('target')}/", f"path: {to}/"))
    node.holdfast("manifest", "sign", path, "--entry", "conf", "--sequence", str(sequence), "--key", node.key, "--key-id", "k1", *more)
    return read(path)


def attack_content_of_an_unsigned_entry(home):
    """Bring content by an unsigned entry, then replay a signed entry of the same name whose source cannot be reached: the signed
    rights never apply to the unsigned content, neither at once nor after a restart."""
    with machine(home, f"signedPolicies: {{manifests: {{files: [{os.path.join(home, 'node', 'vault')}/*]}}}}\n") as node:
        vault = node.place("vault")
        os.makedirs(vault)
        write(node.place("stick", "app.conf"), "evil")
        source = from_url(node, archive([("app.conf", b"good")]))
        good = node.server.files.pop("site.tar.gz")
        text = signed_policy(node, source, vault, 1)
        node.apply("policy", policy(node, "{path: %s}" % node.place("stick")))
        node.start_agent()
        wait(f"the unsigned content ({entry(node)})", lambda: node.alive() or targets(node) == ["app.conf"], 60)
        for restart in (False, True):
            if restart:
                node.kill_agent()
                node.start_agent()
            else:
                node.apply("policy", text)
            time.sleep(12)  # more than an interval
            node.alive()
            assert os.listdir(vault) == [], (os.listdir(vault), entry(node))
        node.server.files["site.tar.gz"] = good
        wait(f"the signed content ({entry(node)})", lambda: node.alive() or os.listdir(vault) == ["app.conf"], 120)
        assert read(os.path.join(vault, "app.conf")) == "good"


def attack_unsigned_entry_of_a_signed_name(home):
    """Replace a signed entry by an unsigned one of the same name with `prune` and another path: NotAllowed, and the file that only
    signed entries may write stays, and is repaired."""
    with machine(home, f"signedPolicies: {{manifests: {{files: [{os.path.join(home, 'node', 'vault')}/*]}}}}\n") as node:
        stick, vault = "{path: %s}" % node.place("stick"), node.place("vault")
        os.makedirs(vault)
        write(node.place("stick", "app.conf"), "rule")
        node.apply("policy", signed_policy(node, stick, vault, 1, "--content", node.place("stick")))
        node.start_agent()
        wait(f"the signed content ({entry(node)})", lambda: node.alive() or entry(node).get("phase") == "Applied", 60)
        node.apply("policy", policy(node, stick, ", prune: true"))
        refused(node, "NotAllowed")
        assert "app.conf" in entry(node)["message"] and "signed version" in entry(node)["message"], entry(node)
        write(os.path.join(vault, "app.conf"), "evil")
        wait("the signed content again", lambda: node.alive() or read(os.path.join(vault, "app.conf")) == "rule", 60)
        assert os.listdir(vault) == ["app.conf"] and targets(node) == [], (os.listdir(vault), targets(node))


def fake_kubelet(node, uid):
    """Start a process of a user whose command line is that of a kubelet, and return its number."""
    child = os.fork()
    if child == 0:
        os.setsid()
        if uid != 0:
            os.setgid(uid)
            os.setuid(uid)
        null = os.open(os.devnull, os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        # `tail -f` takes any text as the name of one more file, and keeps following the first one.
        os.execv(shutil.which("tail"), ["kubelet", "-f", "/dev/null", "--", f"--pod-manifest-path={node.place('target')}"])
    return child


def attack_kubelet_of_a_local_user(home):
    """Run a process with the command line of a kubelet, as a user and by the name alone: it moves no static pods, and closes no
    folder to the entries that may write there."""
    root_only()
    with machine(home, "") as node:
        for uid in (65534, 0):
            configure(node, "manifests: {files: [%s/*], paths: [%s], staticPods: true}\n"
                      % (node.place("target"), node.place("stick")))
            os.chmod(home, 0o755)
            child = fake_kubelet(node, uid)
            try:
                write(node.place("stick", "app.conf"), f"for {uid}")
                if node.agent is None:
                    node.apply("policy", policy(node, "{path: %s}" % node.place("stick")))
                    node.start_agent()
                wait(f"the file ({entry(node)})", lambda: node.alive() or targets(node) == ["app.conf"]
                     and read(node.place("target", "app.conf")) == f"for {uid}", 60)
            finally:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)


def attack_state_under_another_name(home):
    """Name the agent's own folders by their real paths, where a link of root leads and which the configuration allows: no entry
    writes into the state or the trust folder."""
    with machine(home) as node:
        configure(node, "manifests: {files: [%s/**], paths: [%s]}\n" % (node.home, node.place("stick")))
        write(node.place("stick", "k2.pem"), "evil")
        for number, folder in enumerate(("state", "trust.d")):
            real, link = node.place(folder + "-real"), node.place(folder)
            os.rename(link, real)
            os.symlink(real, link)
            node.apply("policy", policy(node, "{path: %s}" % node.place("stick")).replace(node.place("target"), real))
            if number == 0:
                node.start_agent()
            wait(f"a refusal that names {real}", lambda: node.alive() or real in entry(node).get("message", ""), 60)
            refused(node, "NotAllowed")
            assert not os.path.exists(os.path.join(real, "k2.pem"))


def attack_files_that_were_there(home):
    """Deliver what is already in a folder, and one file more with a health check that fails: the rollback removes only what the
    entry brought."""
    with machine(home) as node:
        write(node.place("target", "theirs.conf"), "of the package")
        for name, text in (("theirs.conf", "of the package"), ("more.conf", "more")):
            write(node.place("stick", name), text)
        for folder in ("target", "stick"):
            os.chmod(node.place(folder, "theirs.conf"), 0o644)
        checks = ", healthChecks: [{tcp: {port: 1}}], healthDeadline: 2s}"
        node.apply("policy", policy(node, "{path: %s}" % node.place("stick")).replace("/}\n", "/" + checks + "\n"))
        node.start_agent()
        wait(f"RolledBack ({entry(node)})", lambda: node.alive() or entry(node).get("phase") == "RolledBack", 60)
        assert targets(node) == ["theirs.conf"], targets(node)
        assert read(node.place("target", "theirs.conf")) == "of the package"


def owner_of(path, uid):
    """Start a process of a user that makes this file, its own, grow to a terabyte of holes when somebody opens it."""
    IN_OPEN = 0x20
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open(path, os.O_RDWR)
    watch = libc.inotify_init1(os.O_CLOEXEC)
    assert libc.inotify_add_watch(watch, path.encode(), IN_OPEN) >= 0, ctypes.get_errno()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.setgid(uid)
        os.setuid(uid)
        os.read(watch, 4096)
        os.ftruncate(fd, 1 << 40)
        os._exit(0)
    os.close(fd)
    os.close(watch)
    return child


def attack_owner_makes_a_file_endless(home):
    """Own a managed file, and make it grow to a terabyte of holes when the agent opens it at its start, and again while it runs: the
    agent starts, reports, and puts the file back."""
    root_only()
    content = random.Random(1).randbytes(3 << 20)
    with machine(home) as node:
        node.apply("policy", policy(node, from_url(node, archive([("app.conf", content)])), ", owner: '65534:65534', fileMode: '0600'"))
        node.start_agent()
        path = node.place("target", "app.conf")
        wait(f"the file ({entry(node)})", lambda: node.alive() or entry(node).get("phase") == "Applied", 60)
        for restart in (True, False):
            if restart:
                node.kill_agent()
            child = owner_of(path, 65534)
            began = time.time()
            if restart:
                node.start_agent()
            else:
                os.utime(path)
            try:
                wait("a status after the attack", lambda: node.alive() or os.stat(node.place("state", "status", f"EdgeNode-{node.name}.json"))  # pylint: disable=cell-var-from-loop
                     .st_mtime > began, 90)
                wait("the file as it was", lambda: node.alive() or os.path.getsize(path) == len(content), 90)
            finally:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
        with open(path, "rb") as file:
            assert file.read() == content


def maps(path, uid):
    """Start a process of a user that maps this file, its own, dirties the page with what it has, and changes it 15 s later."""
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.setgid(uid)
        os.setuid(uid)
        with open(path, "r+b") as file:
            page = mmap.mmap(file.fileno(), 0)
        page[0:4] = page[0:4]
        os.write(tell, b"x")
        time.sleep(15)
        page[0:4] = b"EVIL"
        os._exit(0)
    assert os.read(ready, 1) == b"x"
    os.close(ready)
    os.close(tell)
    return child


def attack_owner_writes_through_a_mapping(home):
    """Own a managed file, map it into memory, and change it when its page is dirty already, so that no time of the file changes: the
    next interval puts it back."""
    root_only()
    with machine(home) as node:
        write(node.place("stick", "app.conf"), "GOOD content")
        node.apply("policy", policy(node, "{path: %s}" % node.place("stick"), ", owner: '65534:65534', fileMode: '0644'"))
        folder = node.place("target")
        while folder != "/":
            os.chmod(folder, os.stat(folder).st_mode | 0o011)
            folder = os.path.dirname(folder)
        node.start_agent()
        path = node.place("target", "app.conf")
        wait(f"the file ({entry(node)})", lambda: node.alive() or entry(node).get("phase") == "Applied", 60)
        child = maps(path, 65534)
        changed = os.stat(path).st_ctime_ns
        assert os.waitpid(child, 0)[1] == 0
        if os.stat(path).st_ctime_ns != changed:
            raise run.Skip("the kernel has written the page back meanwhile, so the times of the file have changed")
        assert read(path) == "EVIL content"
        wait("the file as it was", lambda: node.alive() or read(path) == "GOOD content", 30)
