# SPDX-License-Identifier: Apache-2.0
"""Debian packages of any processor, downloaded by apt from the sources that this machine's apt has for Debian.

apt works in a root of its own, so the machine's configuration, its lists and its packages are left alone, and no right of
root is needed.
"""

import glob
import os
import shutil
import subprocess

from .machine import Error


class Root:
    """A folder in which apt keeps its lists. `architecture` is Debian's name; `sources`: ask for source packages instead."""

    def __init__(self, folder, architecture=None, sources=False):
        self.folder = folder
        for name in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "var/lib/apt/lists/partial",
                     "var/cache/apt/archives/partial", "var/lib/dpkg"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        self._write("var/lib/dpkg/status", "")
        self._copy_sources(sources)
        lines = [f'Dir "{folder}";', f'Dir::State::status "{folder}/var/lib/dpkg/status";',
                 'Dir::Etc::trustedparts "/etc/apt/trusted.gpg.d";', 'APT::Sandbox::User "root";', 'Acquire::Languages "none";',
                 'APT::Install-Recommends "false";', 'Acquire::Retries "2";']
        if architecture:
            lines += [f'APT::Architecture "{architecture}";', f'APT::Architectures {{ "{architecture}"; }};']
        self._write("apt.conf", "\n".join(lines) + "\n")

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as out:
            out.write(text)

    def _copy_sources(self, sources):
        paths = glob.glob("/etc/apt/sources.list.d/debian.sources") + glob.glob("/etc/apt/sources.list")
        if not paths:
            raise Error("this machine's apt has no sources of Debian: neither /etc/apt/sources.list nor sources.list.d/debian.sources")
        for path in paths:
            with open(path, encoding="utf-8") as source:
                lines = source.read().splitlines()
            if sources:
                lines = [line.replace("deb ", "deb-src ", 1) if line.startswith("deb ") else
                         "Types: deb-src" if line.startswith("Types:") else line for line in lines]
            self._write(path.lstrip("/"), "\n".join(lines) + "\n")

    def run(self, *argv, cwd=None):
        """What apt-get prints; raises Error with its last words."""
        environment = dict(os.environ, APT_CONFIG=os.path.join(self.folder, "apt.conf"), LC_ALL="C")
        if shutil.which("apt-get") is None:
            raise Error("no apt-get: this is not a Debian system")
        done = subprocess.run(["apt-get", "-q", *argv], env=environment, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
        if done.returncode != 0:
            raise Error(f"apt-get {argv[0]}: {' / '.join(done.stdout.strip().splitlines()[-2:])}")
        return done.stdout

    def update(self):
        """Fetch the lists of packages; what went wrong, or None. A mirror amid a sync may fail for one list of many."""
        for _ in range(3):
            try:
                self.run("update", "--error-on=any")
                return None
            except Error as error:
                wrong = str(error)
        return wrong

    def wanted(self, packages):
        """The files that `packages` and all they depend on come in, as name_version_architecture.deb, sorted."""
        said = self.run("install", "--print-uris", "-y", *packages)
        return sorted(line.split()[1] for line in said.splitlines() if line.startswith("'"))

    def download(self, packages):
        """The paths of the .deb files of `packages` and of all they depend on, sorted."""
        self.run("install", "--download-only", "-y", *packages)
        return sorted(glob.glob(os.path.join(self.folder, "var/cache/apt/archives/*.deb")))
