# SPDX-License-Identifier: Apache-2.0
"""A Debian tree of another processor: headers and libraries to build against, and the files that images are made of.

Each tree is kept in the user's cache folder by the names and versions of its packages. A new version of one of them in
Debian (a security update) leads to a new tree; without a network the newest tree there is is used.
"""

import fcntl
import glob
import hashlib
import os
import shutil
import subprocess
import tarfile
import time

from . import apt
from .machine import Cannot, Error, cache

HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
KEEP_S = 30 * 86400                        # a tree that was not used for so long is removed


def packages():
    """The packages that deploy/image/packages names."""
    with open(os.path.join(HERE, "packages"), encoding="utf-8") as lines:
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def release():
    """The Debian release of this machine, such as bookworm."""
    with open("/etc/os-release", encoding="utf-8") as lines:
        named = [line.strip().split("=", 1)[1].strip('"') for line in lines if line.startswith("VERSION_CODENAME=")]
    if not named:
        raise Error("/etc/os-release names no release")
    return named[0]


def tree(machine, say=print, offline=False):
    """The folder of the tree of `machine`. `offline`: only a tree that is there already. Half a minute when cold."""
    folder = cache("sysroot")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, f"{machine.name}.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)           # of two callers, the second finds the work done
        return _tree(machine, folder, say, offline)


def _tree(machine, folder, say, offline):
    listed = hashlib.sha256("\n".join([release(), *packages()]).encode()).hexdigest()[:8]
    start = os.path.join(folder, f"{machine.name}-{listed}-")
    try:
        if offline:
            raise Error("no network was allowed")
        root = apt.Root(os.path.join(folder, f"{machine.name}.apt"), machine.debian)
        wrong = root.update()
        if wrong:
            say(f"image: {machine.name}: the lists of packages may be old: {wrong}")
        debs = root.wanted(packages())
    except Error as error:
        there = sorted(glob.glob(start + "*/complete"), key=os.path.getmtime)
        if not there:
            raise Cannot(f"no Debian tree for {machine.name}: {error}") from error
        if not offline:
            say(f"image: {machine.name}: the Debian tree may be old: {error}")
        return _use(os.path.dirname(there[-1]))
    path = start + hashlib.sha256("\n".join(debs).encode()).hexdigest()[:16]
    if not os.path.exists(os.path.join(path, "complete")):
        say(f"image: {machine.name}: making a Debian tree of {len(debs)} packages")
        shutil.rmtree(path, ignore_errors=True)
        unpack([deb for deb in root.download(packages()) if os.path.basename(deb) in debs], path)
        root.run("clean")
        open(os.path.join(path, "complete"), "w", encoding="ascii").close()
    _forget(folder, machine, path)
    return _use(path)


def _use(path):
    os.utime(os.path.join(path, "complete"))
    return path


def _forget(folder, machine, path):
    for old in glob.glob(os.path.join(folder, f"{machine.name}-*")):
        mark = os.path.join(old, "complete")
        if old != path and (not os.path.exists(mark) or os.path.getmtime(mark) < time.time() - KEEP_S):
            shutil.rmtree(old, ignore_errors=True)


def unpack(debs, path):
    """Unpack the .deb files below `path`, and write what dpkg knows about them where dpkg does."""
    info = os.path.join(path, "var/lib/dpkg/info")
    os.makedirs(info)
    for name in ("bin", "sbin", "lib", "lib64"):             # as on every Debian: what is below /lib is below /usr/lib
        os.makedirs(os.path.join(path, "usr", name))
        os.symlink(f"usr/{name}", os.path.join(path, name))
    with open(os.path.join(path, "var/lib/dpkg/status"), "w", encoding="utf-8") as status:
        for deb in debs:
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as content:
                with tarfile.open(fileobj=content.stdout, mode="r|") as archive:
                    names = [_extract(archive, member, path) for member in archive]
            control = _run("dpkg-deb", "--field", deb)
            fields = dict(line.split(": ", 1) for line in control.splitlines() if ": " in line and not line.startswith(" "))
            status.write(f"Status: install ok unpacked\n{control.rstrip()}\n\n")
            with open(os.path.join(info, f"{fields['Package']}:{fields['Architecture']}.list"), "w", encoding="utf-8") as out:
                out.writelines(name + "\n" for name in names)
    _link_within(path)


def _extract(archive, member, path):
    """Unpack one file, following the links of the tree's top folders; its absolute name."""
    name = "/" + member.name.removeprefix("./")
    target = os.path.join(path, name.lstrip("/"))
    if member.isdir():
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if member.islnk():
            os.link(os.path.join(path, member.linkname.removeprefix("./")), target)
        elif member.issym():
            os.symlink(member.linkname, target)
        elif member.isreg():
            with open(target, "wb") as out:
                shutil.copyfileobj(archive.extractfile(member), out)
            os.chmod(target, member.mode)
    return name


def _link_within(path):
    """Make absolute links between libraries relative, so that the linker does not follow them to this machine's libraries."""
    for link in glob.glob(os.path.join(path, "usr/lib*/**/*"), recursive=True):
        if os.path.islink(link) and os.readlink(link).startswith("/"):
            inside = os.path.join(path, os.readlink(link).lstrip("/"))
            os.unlink(link)
            os.symlink(os.path.relpath(inside, os.path.dirname(link)), link)


def _run(*argv):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Error(f"{' '.join(argv)[:200]}: {done.stderr.strip()}")
    return done.stdout
