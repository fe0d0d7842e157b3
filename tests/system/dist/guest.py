# SPDX-License-Identifier: Apache-2.0
"""A Debian of its own, of the cluster's tree or of debootstrap's, booted by systemd-nspawn without a network; what it writes is in memory."""
import os
import shutil
import signal
import subprocess
import sys
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", ".."))
LIMIT_S = 90
FRESH = ("systemd", "systemd-sysv", "dbus", "curl", "ca-certificates", "openssl", "python3")     # of what a new machine has, what the pages use
PLACE = "https://releases.example.com/holdfast"     # of the pages; here it is a web server of the guest's network
PORT = 8090
SCRIPTS = {"noble": "jammy"}                        # Debian 12's debootstrap does not name it; Ubuntu's releases share a script
UBUNTU_KEYS = "/usr/share/keyrings/ubuntu-archive-keyring.gpg"
sys.path[:0] = [os.path.join(TOP, "tests", folder) for folder in ("system/docs", "support")]

import pages  # noqa: E402
from suite import Skip  # noqa: E402


def tree():
    """The folder of the Debian tree, made where it is missing."""
    if os.geteuid() != 0:
        raise Skip("needs root: systemd-nspawn")
    missing = [name for name in ("systemd-nspawn", "nsenter", "debootstrap") if shutil.which(name) is None]
    if missing:
        raise Skip(f"not installed: {', '.join(missing)} (hack/setup.sh e2e)")
    done = subprocess.run([os.path.join(TOP, "tests/system/cluster/build-tree")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Skip(f"no Debian tree: {done.stderr.strip()[-300:]}")
    return os.path.join(done.stdout.strip(), "root")


def origin(script):
    """(the option that says whose keys verify, the mirror) of the system of debootstrap's `script`."""
    with open(script, encoding="utf-8") as file:
        if UBUNTU_KEYS in file.read():     # the mirror is the script's own
            if not os.path.exists(UBUNTU_KEYS):
                raise Skip(f"no keys of Ubuntu here: {UBUNTU_KEYS} (Ubuntu's package ubuntu-keyring)")
            return f"--keyring={UBUNTU_KEYS}", ""
    said = subprocess.run(["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)", "Created-By: Packages", "Component: main"], stdout=subprocess.PIPE,
                          text=True, check=True).stdout.split("\n")
    found = [line.split()[1] for line in said if line.startswith("Debian ")]
    if not found:
        raise Skip("apt on this machine has no source of Debian")
    return "--force-check-gpg", found[0]


def other_tree(suite, packages=FRESH, name=None):
    """The folder of a tree of a Debian or Ubuntu with these packages, verified by the keys of this machine; made where it is missing. Kept by its name."""
    if os.geteuid() != 0:
        raise Skip("needs root: systemd-nspawn")
    script = f"/usr/share/debootstrap/scripts/{SCRIPTS.get(suite, suite)}"
    if shutil.which("debootstrap") is None or not os.path.exists(script):
        raise Skip(f"the debootstrap of this machine does not know '{suite}'")
    folder = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "holdfast", "dist", name or f"fresh-{suite}")
    root = os.path.join(folder, "root")
    if not os.path.exists(os.path.join(folder, "complete")):
        keys, mirror = origin(script)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        done = subprocess.run(["nice", "debootstrap", keys, "--variant=minbase", "--include=" + ",".join(packages), suite, root, mirror, script],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise Skip(f"no tree of {suite}: {done.stdout.strip()[-300:]}")
        with open(os.path.join(folder, "complete"), "w", encoding="ascii"):
            pass
    return root


class Guest:
    """`folders`: {folder here: folder there}. `root`: the tree, that of the cluster's nodes without one."""

    def __init__(self, folder, folders, root=None):
        self.folder, self.folders, self.root, self.boot, self.log, self.pid = folder, folders, root, None, None, None
        self.web = None

    def __enter__(self):
        root = self.root or tree()
        os.makedirs(self.folder)
        self.log = open(os.path.join(self.folder, "log"), "wb")
        binds = [f"--bind={here}:{there}" for here, there in self.folders.items()]
        self.boot = subprocess.Popen(
            ["systemd-nspawn", "-q", "-D", root, "--volatile=overlay", "-b", "--register=no", "--keep-unit", f"--machine=holdfast-{os.getpid()}-{os.path.basename(self.folder)}", "--private-network",
             "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--capability=all", *binds],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "0"})
        try:
            self._wait("PID 1", self._leader)
            self._wait("the start of its units", lambda: self._call("systemctl is-system-running").stdout.strip() in ("running", "degraded"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def _leader(self):
        with open(f"/proc/{self.boot.pid}/task/{self.boot.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        self.pid = children[0] if children and os.readlink(f"/proc/{children[0]}/ns/pid") != os.readlink("/proc/self/ns/pid") else None
        return self.pid

    def _wait(self, what, ready):
        end = time.monotonic() + LIMIT_S
        while not ready():
            if time.monotonic() > end or self.boot.poll() is not None:
                raise AssertionError(f"the guest does not come to {what}: see {self.folder}/log")
            time.sleep(0.1)

    def _call(self, script):
        return subprocess.run(["nsenter", "-t", self.pid, "-a", "--", "env", "-i", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8",
                               "DEBIAN_FRONTEND=noninteractive", "sh", "-c", "cd\n" + script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", check=False)

    def sh(self, script):
        """What the commands print; AssertionError when the last of them fails."""
        done = self._call(script)
        if done.returncode != 0:
            raise AssertionError(f"in the guest: {script[:300]}: {done.returncode}: {done.stdout[-1500:]}")
        return done.stdout

    def says(self, script):
        return self.sh(script).strip()

    def serve(self, folder):
        """A web server of this folder, where the pages have PLACE."""
        self.web = subprocess.Popen(["nsenter", "-t", self.pid, "-n", "--", sys.executable, "-m", "http.server", str(PORT), "--bind", "127.0.0.1", "--directory", folder],
                                    stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self._wait("its web server", lambda: self._call(f"curl -sf http://127.0.0.1:{PORT}/").returncode == 0)

    @staticmethod
    def commands(page, section):
        """The commands of a section of a page."""
        with open(os.path.join(TOP, page), encoding="utf-8") as file:
            shown = file.read().split(f"\n## {section}\n")[1].split("\n## ")[0]
        found = [command.text for block in pages.read(TOP, page) if block.kind == "sh" and block.text in shown for command in block.commands()]
        return [command.replace(PLACE, f"http://127.0.0.1:{PORT}") for command in found]

    def page(self, page, section):
        for command in self.commands(page, section):
            self.sh(command)

    def write(self, path, text):
        subprocess.run(["nsenter", "-t", self.pid, "-a", "--", "tee", path], input=text, text=True, stdout=subprocess.DEVNULL, check=True)

    def __exit__(self, *_):
        if self.web:
            self.web.kill()
            self.web.wait()
        if self.boot.poll() is None:
            self.boot.send_signal(signal.SIGTERM)
            try:
                self.boot.wait(30)
            except subprocess.TimeoutExpired:
                self.boot.kill()
                self.boot.wait()
        self.log.close()
