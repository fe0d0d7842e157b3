# SPDX-License-Identifier: Apache-2.0
"""The Debian packages: files as `hack/install` lays them out, control data of hack/dist/debian, dpkg-deb."""

import email.utils
import fnmatch
import gzip
import hashlib
import os
import shutil
import textwrap

from holdimage import builder, elf, licences
from holdimage.machine import Error

from .commit import DATA, TOP, read, run, same_times, write

# What hack/install put where, by package; the first pattern that fits counts.
FILES = [
    ("holdfast", "usr/bin/holdfast usr/bin/holdfast-delta usr/bin/kubectl* usr/share/man/man1/* usr/share/bash-completion/* "
                 "usr/share/zsh/* usr/share/fish/*"),
    ("holdfast-controller", "usr/bin/holdfast-controller usr/share/man/man8/holdfast-controller.8"),
    (None, "usr/share/doc/holdfast/LICENSE usr/share/man/man8/holdfast-supervisor.8 usr/share/man/man8/holdfast-units.8"),  # Debian has the one; no programs of the others
    ("holdfast-agent", "usr/bin/holdfast-agent usr/bin/holdfast-tpm usr/bin/holdfast-verify usr/share/man/* lib/systemd/* etc/holdfast* usr/share/doc/holdfast/agent.*"),
    ("holdfast holdfast-agent holdfast-controller", "usr/share/doc/holdfast/NOTICE"),
]
STATIC = (*builder.STATIC, "holdfast-controller")      # need no library, so one package is for every Debian
LATER = "holdfast-tpm"                     # what it loads is only suggested: the agent starts it where there is a TPM


def owners(path):
    for names, patterns in FILES:
        if any(fnmatch.fnmatch(path, pattern) for pattern in patterns.split()):
            return names.split() if names else []
    raise Error(f"hack/install made {path}, and no Debian package of hack/dist has it")


def data(path):
    with open(path, "rb") as file:
        return file.read()


def zipped(content):
    return gzip.compress(content, 9, mtime=0)


class Packager:
    """Makes the packages of one commit into the folder `out`; `native` is the folder of programs that run here."""

    def __init__(self, commit, work, out, native):
        self.commit, self.work, self.out, self.native = commit, work, out, native

    def all(self, one, programs, root):
        """The packages of the machine `one` from the folder `programs`, beside which is `static`; linked with the Debian files below `root`.
        The folders of what is in them."""
        stage = os.path.join(self.work, f"stage-{one.name}")
        os.makedirs(stage)
        run(os.path.join(TOP, "hack", "install"), "install", stage, "/usr", self.commit.version,
            env={**os.environ, "PROGRAMS": programs, "NATIVE": self.native})
        for name in STATIC:
            shutil.copy(os.path.join(os.path.dirname(programs), "static", name), os.path.join(stage, "usr/bin", name))
        shutil.move(os.path.join(stage, "usr/lib/systemd"), os.path.join(stage, "lib/systemd"))      # where Debian 12 has units
        os.rmdir(os.path.join(stage, "usr/lib"))
        self._files(stage, one)
        made = []
        for paragraph in read("hack/dist/debian/control").split("\n\n"):
            name = paragraph.split()[1]
            folder = self._folder(name, one)
            made.append(folder)
            self._papers(name, folder, licences.document(one, root, TOP))
            self._control(paragraph.strip(), name, folder, one)
            same_times(folder, self.commit.seconds)
            target = os.path.join(self.out, f"{name}_{self.commit.version}_{one.debian}.deb")
            run("dpkg-deb", "--root-owner-group", "-Zxz", "--threads-max=1", "--build", folder, target,
                env={**os.environ, "SOURCE_DATE_EPOCH": str(self.commit.seconds)})
        return made

    def _folder(self, name, one):
        return os.path.join(self.work, f"{name}-{one.name}")

    def _files(self, stage, one):
        """Lay all files and empty folders of `stage` into the folders of their packages."""
        for path, folders, names in list(os.walk(stage)):
            for each in names + [each for each in folders if not os.listdir(os.path.join(path, each))]:
                full = os.path.join(path, each)
                inside = os.path.relpath(full, stage)
                for name in owners(inside):
                    self._file(full, inside, name, one)

    def _file(self, full, inside, name, one):
        inside = inside.replace("usr/share/zsh/site-functions", "usr/share/zsh/vendor-completions")
        target = os.path.join(self._folder(name, one), inside.replace("doc/holdfast/", f"doc/{name}/" + ("examples/" if "/agent." in inside else "")))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.islink(full):
            os.symlink(os.readlink(full), target)
        elif os.path.isdir(full):
            os.makedirs(target, os.stat(full).st_mode & 0o777)
        elif "/man/" in inside:
            write(target + ".gz", zipped(data(full)))
        elif elf.is_elf(data(full)):
            write(target, builder.stripped(full, one.tool("strip")), 0o755)
        else:
            shutil.copy(full, target)

    def _papers(self, name, folder, licence):
        doc = os.path.join(folder, "usr/share/doc", name)
        write(os.path.join(doc, "copyright"), licence)
        items = [textwrap.fill(text, 78, initial_indent="  * ", subsequent_indent="    ") for _, text in self.commit.changes()]
        write(os.path.join(doc, "changelog.gz"), zipped((f"{name} ({self.commit.version}) stable; urgency=medium\n\n" + "\n".join(items) +
              f"\n\n -- {self.commit.author}  {email.utils.formatdate(self.commit.seconds)}\n").encode()))
        overrides = os.path.join(DATA, "debian", name + ".lintian-overrides")
        if os.path.exists(overrides):
            write(os.path.join(folder, "usr/share/lintian/overrides", name), data(overrides))
        if name == "holdfast":
            for plugin in ("kubectl-holdfast", "kubectl_complete-holdfast"):
                os.symlink("holdfast.1.gz", os.path.join(folder, f"usr/share/man/man1/{plugin}.1.gz"))
        if name == "holdfast-agent":
            shutil.copy(os.path.join(DATA, "debian", "agent.env"), os.path.join(folder, "etc/holdfast/agent.env"))

    def _control(self, paragraph, name, folder, one):
        sums, size = [], 0
        for path, _, names in sorted(os.walk(folder)):
            for each in sorted(names):
                full = os.path.join(path, each)
                size += 1 if os.path.islink(full) else -(-os.path.getsize(full) // 1024)
                if os.path.islink(full):
                    continue
                content = data(full)
                sums.append(f"{hashlib.md5(content, usedforsecurity=False).hexdigest()}  {os.path.relpath(full, folder)}\n")
                if elf.is_elf(content) and each != LATER and elf.needs(content, full).libraries:
                    raise Error(f"{one.name}: {full} loads libraries, and the package depends on none")
        first, rest = paragraph.split("\n", 1)
        lines = [first, f"Version: {self.commit.version}", f"Architecture: {one.debian}", f"Maintainer: {self.commit.author}",
                 f"Installed-Size: {size}", rest]
        control = os.path.join(folder, "DEBIAN")
        write(os.path.join(control, "control"), "\n".join(lines) + "\n")
        write(os.path.join(control, "md5sums"), "".join(sums))
        conffiles = [f"/{line.split()[1]}\n" for line in sums if line.split()[1].startswith("etc/")]
        if conffiles:
            write(os.path.join(control, "conffiles"), "".join(conffiles))
        for script in ("postinst", "prerm", "postrm"):
            source = os.path.join(DATA, "debian", f"{name}.{script}")
            if os.path.exists(source):
                write(os.path.join(control, script), read(source), 0o755)
