# SPDX-License-Identifier: Apache-2.0
"""The commit that a release is made from, and what all parts need of it."""

import os
import re
import subprocess

from holdimage.machine import Cannot, Error

from . import TOP

DATA = os.path.join(TOP, "hack", "dist")


def run(*argv, cannot=False, **more):
    """What a program prints, as bytes; Error with its last words when it fails."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **({"stdin": subprocess.DEVNULL} | more))
    if done.returncode != 0:
        last = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[-3:]
        raise (Cannot if cannot else Error)(f"{argv[0]}: {' / '.join(last)}")
    return done.stdout


def git(*argv):
    return run("git", "-C", TOP, *argv).decode().strip()


def read(*parts):
    with open(os.path.join(TOP, *parts), encoding="utf-8") as text:
        return text.read()


def write(path, data, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(data if isinstance(data, bytes) else data.encode())
    os.chmod(path, mode)


def same_times(folder, seconds):
    """Give all below `folder` one time, and modes that no umask has a part in."""
    for path, folders, names in os.walk(folder, topdown=False):
        for name in names + folders:
            os.utime(os.path.join(path, name), (seconds, seconds), follow_symlinks=False)
    os.utime(folder, (seconds, seconds))


class Commit:
    """HEAD. Its tree must be unchanged, for its name to say what was published."""

    def __init__(self):
        changed = git("status", "--porcelain", "--untracked-files=no")
        if changed:
            raise Error(f"a release is made from a commit; these files differ from it: {', '.join(line[2:].strip() for line in changed.splitlines())}")
        self.revision = git("rev-parse", "HEAD")
        self.seconds = int(git("log", "-1", "--format=%ct"))
        self.author = git("log", "-1", "--format=%an <%ae>")
        self.version = re.search(r"^VERSION := (\S+)$", read("Makefile"), re.MULTILINE)[1]

    def changes(self):
        """[(kind, text)] of this version: CHANGELOG.md's words for it."""
        part = re.search(rf"^## \[{re.escape(self.version)}\].*?\n(.*?)(?=^## |\Z)", read("CHANGELOG.md"), re.MULTILINE | re.DOTALL)
        if part is None:
            raise Error(f"CHANGELOG.md has no part '## [{self.version}]'")
        found = []
        for kind, text in re.findall(r"^### (\w+)\n(.*?)(?=^### |\Z)", part[1], re.MULTILINE | re.DOTALL):
            found += [(kind.lower(), " ".join(item.split()).replace("`", "")) for item in re.split(r"^- ", text, flags=re.MULTILINE) if item.strip()]
        return found
