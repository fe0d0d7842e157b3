# SPDX-License-Identifier: Apache-2.0
"""The processors that images exist for, and the names that each tool has for them."""

import dataclasses
import os
import platform


class Error(Exception):
    """What a person can act on; shown without a trace."""


class Cannot(Error):
    """This machine lacks something: a compiler, a source of packages."""


@dataclasses.dataclass(frozen=True)
class Machine:
    """One processor. `name` is the word of our file names and options."""

    name: str
    debian: str                            # as dpkg spells it
    triplet: str                           # of the compiler, and of the folders of libraries
    qemu: str                              # the emulator of qemu-user
    architecture: str                      # as the OCI image specification spells it
    variant: str = ""

    def platform(self):
        """The `platform` of an OCI descriptor."""
        plain = {"architecture": self.architecture, "os": "linux"}
        return {**plain, "variant": self.variant} if self.variant else plain

    def tool(self, name):
        """A program of the cross toolchain, such as gcc or strip."""
        return f"{self.triplet}-{name}"


MACHINES = {m.name: m for m in (
    Machine("amd64", "amd64", "x86_64-linux-gnu", "qemu-x86_64", "amd64"),
    Machine("arm64", "arm64", "aarch64-linux-gnu", "qemu-aarch64", "arm64"),
    Machine("armv7", "armhf", "arm-linux-gnueabihf", "qemu-arm", "arm", "v7"),
)}


def native():
    """The processor of this machine."""
    known = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armv7"}
    if platform.machine() not in known:
        raise Error(f"no images exist for this processor ({platform.machine()}); known: {', '.join(MACHINES)}")
    return MACHINES[known[platform.machine()]]


def chosen(names):
    """The machines of the comma-separated `names`; `all` means every one."""
    words = list(MACHINES) if names == "all" else names.split(",")
    unknown = [word for word in words if word not in MACHINES]
    if unknown:
        raise Error(f"unknown processor '{unknown[0]}'; known: {', '.join(MACHINES)}, all")
    return [MACHINES[word] for word in dict.fromkeys(words)]


def cache(*parts):
    """A path below the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "holdfast", *parts)
