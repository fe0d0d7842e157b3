#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A guest: a Linux kernel that runs as a process (User-Mode Linux, Debian's user-mode-linux), with systemd as its first process. A test
may set the guest's clock, and start and stop its services. The guest sees the files of the host; what it writes goes to its memory.

`layer`, a folder of the host, is copied over the guest's root, and /run is empty. The guest has one processor, and no network
but its loopback interface."""
import ctypes
import os
import platform
import re
import shutil
import subprocess
import sys
import threading

sys.path.insert(1, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "support"))

from lab import TOP, die_with_parent, preload  # noqa: E402

KERNEL = "/usr/bin/linux.uml"
# The kernel starts helpers in a process group of their own: in a PID namespace they end with it, however the test ends.
ALONE = ["unshare", "--pid", "--mount-proc", "--fork", "--kill-child"]
HOLDFAST = os.path.join(TOP, "build", "release", "holdfast")
BOOTS = "guest: the first process runs"
FINIT_MODULE = 313  # its number on x86-64
# What a machine with a disk and a screen needs, and whatever the host has enabled.
MASKED = ("timers.target", "getty.target", "systemd-tmpfiles-setup.service", "systemd-tmpfiles-setup-dev.service", "systemd-udevd.service",
          "systemd-udev-trigger.service", "systemd-udevd-control.socket", "systemd-udevd-kernel.socket", "systemd-update-utmp.service",
          "systemd-random-seed.service", "systemd-pstore.service", "remote-fs.target", "apparmor.service")
TARGET = """[Unit]
Requires=basic.target guest-test.service
After=basic.target
"""
SERVICE = """[Unit]
After=basic.target
SuccessAction=poweroff-immediate
FailureAction=poweroff-immediate
[Service]
Type=oneshot
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
Environment={environment}
ExecStart={command}
"""


class Skip(Exception):
    """No guest can run here, for the reason that the text says."""


def missing():
    """Why no guest can run here; None if nothing is known to prevent it."""
    if platform.machine() != "x86_64":
        return "Debian has user-mode-linux for amd64 and i386 only"
    if os.geteuid() != 0:
        return "needs root: the guest's root is who starts it, and has to own the host's files"
    absent = [path for path in (KERNEL, "/lib/systemd/systemd") if not os.path.exists(path)]
    return f"{' and '.join(absent)} not installed: hack/setup.sh test" if absent else None


def unpack(package, layer):
    """Put the files of a Debian package into the layer, without its scripts."""
    folder = os.path.join(TOP, "build", "packages", package)
    os.makedirs(folder, exist_ok=True)
    fetch = ["apt-get", "download", "-q", package]
    if not os.listdir(folder) and subprocess.run(fetch, cwd=folder, capture_output=True, check=False).returncode != 0:
        subprocess.run(["apt-get", "update", "-q"], capture_output=True, check=False)
        done = subprocess.run(fetch, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Skip(f"'{' '.join(fetch)}' failed: {done.stderr.strip()}")
    subprocess.run(["dpkg-deb", "-x", os.path.join(folder, os.listdir(folder)[0]), layer], check=True)
    if os.path.isdir(os.path.join(layer, "lib")):  # on the host, /lib is a link to usr/lib
        shutil.copytree(os.path.join(layer, "lib"), os.path.join(layer, "usr", "lib"), dirs_exist_ok=True)
        shutil.rmtree(os.path.join(layer, "lib"))


def install(layer):
    """Make the layer anew, with what `make install` installs."""
    shutil.rmtree(layer, ignore_errors=True)
    os.makedirs(layer)
    subprocess.run([os.path.join(TOP, "hack", "install"), "install", layer, "/usr/local", "0"], check=True, stdout=subprocess.DEVNULL)


def trust(layer, key):
    """Make a new private key, and let the guest's agent trust it."""
    if os.path.exists(key):
        os.unlink(key)
    subprocess.run([HOLDFAST, "key", "generate", key, "--public", os.path.join(layer, "etc", "holdfast", "trust.d", "k1.pem")],
                   check=True, stdout=subprocess.DEVNULL)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def run(layer, command, environment="", masked=(), timeout_s=600):
    """Boots the guest and runs `command` in it; returns the lines that it prints, once the guest has powered off."""
    units = os.path.join(layer, "etc", "systemd", "system")
    write(os.path.join(units, "guest-test.target"), TARGET)
    write(os.path.join(units, "guest-test.service"), SERVICE.format(environment=environment, command=command))
    write(os.path.join(layer, "etc", "fstab"), "")
    for unit in (*MASKED, *masked):
        os.symlink("/dev/null", os.path.join(units, unit))
    argv = [*ALONE, KERNEL, "mem=512M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "quiet", "selinux=0",
            "con=null", "con0=null,fd:1", f"init={os.path.abspath(__file__)}", f"GUEST_LAYER={layer}", "systemd.show_status=0"]
    registers, lines = layer + "-registers.so", []
    preload(os.path.join(os.path.dirname(os.path.abspath(__file__)), "guest-registers.c"), registers)
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          preexec_fn=die_with_parent, env=dict(os.environ, LD_PRELOAD=registers)) as kernel:
        limit = threading.Timer(timeout_s, kernel.kill)
        limit.start()
        for line in kernel.stdout:
            lines.append(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line).strip("\r\n"))
            if lines[-1].startswith("Kernel panic"):  # it would spin until the limit
                kernel.kill()
                break
        limit.cancel()
    if BOOTS not in lines:
        raise Skip(f"{KERNEL} does not boot here: {' / '.join(lines[-3:])}")
    return lines


# ---- in the guest ------------------------------------------------------------------------------------------------------

def call(*words):
    subprocess.run(words, check=True)


def boot():
    """The first process: an overlay of the host's files and of memory becomes the root, and systemd takes over."""
    print(BOOTS, flush=True)
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    call("mount", "-t", "tmpfs", "tmpfs", "/run")
    module = os.open(f"/usr/lib/uml/modules/{os.uname().release}/kernel/fs/overlayfs/overlay.ko", os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(FINIT_MODULE, module, b"", 0) != 0:
        raise OSError(ctypes.get_errno(), "overlay.ko")
    os.mkdir("/run/root")
    os.mkdir("/run/writes")
    call("mount", "-t", "tmpfs", "tmpfs", "/run/writes")
    os.mkdir("/run/writes/upper")
    os.mkdir("/run/writes/work")
    call("mount", "-t", "overlay", "-o", "lowerdir=/,upperdir=/run/writes/upper,workdir=/run/writes/work", "overlay", "/run/root")
    call("rm", "-f", "/run/root/.dockerenv")  # systemd-timesyncd does not start in a container
    call("cp", "-a", os.environ["GUEST_LAYER"] + "/.", "/run/root")
    os.execv("/sbin/switch_root", ["switch_root", "/run/root", "/lib/systemd/systemd", "--log-level=warning", "--unit=guest-test.target"])


if __name__ == "__main__":
    boot()
