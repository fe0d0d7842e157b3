# SPDX-License-Identifier: Apache-2.0
"""The files of an image: the programs, the libraries they load, and the certificates and time zones they read."""

import dataclasses
import os

from . import elf, licences
from .debian import canonical
from .machine import Error

PLUGIN = "libwebsockets-evlib_uv.so"       # libwebsockets loads it by name
FOLDERS = ("dev", "etc", "proc", "run", "sys", "tmp", "usr", "usr/bin", "usr/lib", "usr/lib64", "var", "var/lib")
LINKS = {"lib": "usr/lib", "lib64": "usr/lib64"}
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
AUTHORITIES = "usr/share/ca-certificates/mozilla"
ZONES = "usr/share/zoneinfo"
PASSWD = "root:x:0:0:root:/:/sbin/nologin\nholdfast:x:65532:65532:holdfast:/:/sbin/nologin\n"


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file (`data`), a link (`link`) or a folder (neither). `package`: the name of the Debian package that it is from."""

    path: str                              # without the leading slash
    data: bytes | None = None
    link: str | None = None
    mode: int = 0o644
    package: str | None = None


class Tree:
    """Collects the entries of one image of `machine` from the Debian files below `root`."""

    def __init__(self, machine, root, packages):
        self.machine, self.root, self.packages = machine, root, packages
        self.system, self.own = {}, {}         # path -> Entry: from Debian; built here
        self._loaded = set()                   # names of libraries
        self._kind = None                      # the processor that the first program is for

    def furnish(self, programs):
        """Take `programs` {name: bytes} and all that they need."""
        for folder in FOLDERS:
            self._put(self.system, Entry(folder, mode=0o1777 if folder == "tmp" else 0o755))
        for path, target in LINKS.items():
            self._put(self.system, Entry(path, link=target, mode=0o777))
        for name, data in programs.items():
            self._put(self.own, Entry(f"usr/bin/{name}", data, mode=0o755))
            self._load(data, f"usr/bin/{name}")
        if any(name.startswith("libwebsockets.so") for name in self._loaded):
            self._library(PLUGIN, "libwebsockets")
        self._put(self.system, Entry("etc/passwd", PASSWD.encode()))
        self._put(self.system, Entry("etc/nsswitch.conf", b"hosts: files dns\n"))
        self._put(self.system, Entry(CERTIFICATES, self._certificates(), package="ca-certificates"))
        self._zones()
        for name in sorted({"base-files", *(entry.package for entry in self.system.values() if entry.package)}):
            self._copyright(name)
        records = [entry.data.decode(errors="replace") for entry in self.system.values() if entry.path.endswith("/copyright")]
        for name in licences.referred("\n".join(records)):
            self._take(f"{licences.COMMON}/{name}", 0o644)

    def add(self, path, data):
        """A file of ours that is no program."""
        self._put(self.own, Entry(path, data))

    def program(self, path, data):
        """A program of ours beside those that the image starts, with what it loads."""
        self._put(self.own, Entry(path, data, mode=0o755))
        self._load(data, path)

    def link(self, path, target):
        self._put(self.own, Entry(path, link=target, mode=0o777))

    # ---- taking files ------------------------------------------------------------------------------------------------

    def _put(self, into, entry):
        parent = os.path.dirname(entry.path)
        if parent and parent not in self.system and parent not in self.own:
            self._put(into, Entry(parent, mode=0o755))
        into[entry.path] = entry

    def _read(self, path):
        """The bytes of the file `path` below the root, links followed within the root."""
        for _ in range(40):
            full = os.path.join(self.root, path)
            if not os.path.islink(full):
                break
            path = os.path.normpath(os.path.join("/", os.path.dirname(path), os.readlink(full))).lstrip("/")
        with open(os.path.join(self.root, path), "rb") as file:
            return file.read()

    def _take(self, path, mode):
        """Take the file of a Debian package; its bytes."""
        owner = self.packages.owner("/" + path, self.machine.debian)
        if owner is None:
            raise Error(f"{self.machine.name}: no Debian package below {self.root} has /{path}")
        data = self._read(path)
        self._put(self.system, Entry(path, data, mode=mode, package=owner.name))
        return data

    # ---- libraries ---------------------------------------------------------------------------------------------------

    def _load(self, data, path):
        """Take what the ELF file needs to start."""
        wants = elf.needs(data, path)
        self._kind = self._kind or wants.kind
        if wants.kind != self._kind:
            raise Error(f"{self.machine.name}: {path} is for another processor than the program")
        if wants.interpreter is not None:
            self._loaded.add(os.path.basename(wants.interpreter))
            where = canonical(wants.interpreter).lstrip("/")
            if where not in self.system:
                self._take(where, 0o755)
        for name in wants.libraries:
            self._library(name, path)

    def _library(self, name, wanted_by):
        if name in self._loaded:
            return
        self._loaded.add(name)
        where = next((path for path in (f"usr/lib/{self.machine.triplet}/{name}", f"usr/lib/{name}")
                      if os.path.lexists(os.path.join(self.root, path))), None)
        if where is None:
            raise Error(f"{self.machine.name}: {wanted_by} needs {name}, which is not below {self.root}/usr/lib/{self.machine.triplet}")
        self._load(self._take(where, 0o644), where)

    # ---- data --------------------------------------------------------------------------------------------------------

    def _certificates(self):
        """All authorities of Debian's ca-certificates, never those that somebody added to this machine."""
        folder = os.path.join(self.root, AUTHORITIES)
        names = sorted(name for name in os.listdir(folder) if name.endswith(".crt")) if os.path.isdir(folder) else []
        if not names:
            raise Error(f"no certificates below {folder} (package ca-certificates)")
        texts = [self._read(f"{AUTHORITIES}/{name}") for name in names]
        return b"".join(text if text.endswith(b"\n") else text + b"\n" for text in texts)

    def _zones(self):
        top = os.path.join(self.root, ZONES)
        if not os.path.isdir(top):
            raise Error(f"no time zones below {top} (package tzdata)")
        for folder, folders, names in os.walk(top):
            if folder == top:
                folders[:] = [name for name in folders if name not in ("posix", "right")]   # the same zones again
            for name in sorted(names):
                full = os.path.join(folder, name)
                path = os.path.relpath(full, self.root)
                if not os.path.islink(full) and self.packages.owner("/" + path, self.machine.debian):
                    self._take(path, 0o644)
                elif os.path.islink(full) and not os.readlink(full).startswith("/"):
                    self._put(self.system, Entry(path, link=os.readlink(full), mode=0o777, package="tzdata"))

    def _copyright(self, name):
        path = self.packages.copyright(name)
        if path is not None:
            self._put(self.system, Entry(path, self._read(path), package=name))


def entries(files):
    """The entries sorted so that a folder comes before what is in it."""
    return [files[path] for path in sorted(files, key=lambda path: path.split("/"))]

