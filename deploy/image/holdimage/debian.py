# SPDX-License-Identifier: Apache-2.0
"""What dpkg knows of the files below a root: which package a file is from, its version and its licence."""

import dataclasses
import glob
import os
import re

# Debian's short names of licences, as SPDX spells them. What is not here is not asserted.
SPDX = {
    "Apache-2.0": "Apache-2.0", "BSD-2-clause": "BSD-2-Clause", "BSD-3-clause": "BSD-3-Clause", "CC0-1.0": "CC0-1.0",
    "curl": "curl", "Expat": "MIT", "GPL-2": "GPL-2.0-only", "GPL-2+": "GPL-2.0-or-later", "GPL-3": "GPL-3.0-only",
    "GPL-3+": "GPL-3.0-or-later", "ISC": "ISC", "LGPL-2": "LGPL-2.0-only", "LGPL-2+": "LGPL-2.0-or-later",
    "LGPL-2.1": "LGPL-2.1-only", "LGPL-2.1+": "LGPL-2.1-or-later", "LGPL-3": "LGPL-3.0-only",
    "LGPL-3+": "LGPL-3.0-or-later", "MIT": "MIT", "MPL-2.0": "MPL-2.0", "OpenLDAP-2.8": "OLDAP-2.8", "Zlib": "Zlib", "zlib": "Zlib",
}
MERGED = re.compile(r"^/(bin|sbin|lib|lib64)/")


@dataclasses.dataclass(frozen=True)
class Package:
    name: str
    version: str
    architecture: str
    source: str
    source_version: str
    homepage: str
    licence: str | None                    # SPDX expression of the package's own files, if Debian says it in words we know


def canonical(path):
    """The path of a file with Debian's merged /usr."""
    return MERGED.sub(r"/usr/\1/", path)


class Packages:
    """The packages below `root`; `owner` finds the one that a file is from."""

    def __init__(self, root):
        self.root = root
        self._fields = {}
        self._owners = None
        with open(os.path.join(root, "var/lib/dpkg/status"), encoding="utf-8") as status:
            for paragraph in status.read().split("\n\n"):
                fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if re.match(r"[A-Z][A-Za-z-]*: ", line))
                if "Package" in fields and "Version" in fields:
                    self._fields.setdefault(fields["Package"], []).append(fields)

    def owner(self, path, architecture):
        """The Package that the absolute `path` is from, of `architecture` or of all; None if no package has it."""
        if self._owners is None:
            self._owners = {}
            for name in sorted(glob.glob(os.path.join(self.root, "var/lib/dpkg/info/*.list"))):
                label = os.path.basename(name).removesuffix(".list").split(":")
                if len(label) == 1 or label[1] in (architecture, "all"):
                    with open(name, encoding="utf-8") as lines:
                        self._owners.update((canonical(line), label[0]) for line in lines.read().splitlines())
        name = self._owners.get(canonical(path))
        return None if name is None else self.named(name, architecture)

    def named(self, name, architecture):
        """The Package `name`; None if it is not there."""
        for fields in self._fields.get(name, []):
            if fields["Architecture"] in (architecture, "all"):
                source = re.fullmatch(r"(\S+)(?: \((\S+)\))?", fields.get("Source", name))
                return Package(name, fields["Version"], fields["Architecture"], source[1], source[2] or fields["Version"],
                               fields.get("Homepage", ""), self._licence(name))
        return None

    def copyright(self, name):
        """The path, below the root, of the package's copyright file; None if it has none."""
        path = f"usr/share/doc/{name}/copyright"
        return path if os.path.isfile(os.path.join(self.root, path)) else None

    def _licence(self, name):
        path = self.copyright(name)
        if path is None:
            return None
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as text:
            paragraphs = re.split(r"\n\s*\n", text.read())
        if not paragraphs[0].startswith("Format:"):
            return None
        for paragraph in paragraphs:
            if re.search(r"^Files:\s*\*\s*$", paragraph, re.MULTILINE):
                found = re.search(r"^License:\s*(.+?)\s*$", paragraph, re.MULTILINE)
                return expression(found[1]) if found else None
        return None


def expression(words):
    """Debian's licence words as an SPDX expression; None where one of them is unknown."""
    parts = re.split(r"\s+(or|and)\s+", words)
    if len(set(parts[1::2])) > 1:              # a mixture needs brackets that Debian's words do not give
        return None
    known = [SPDX.get(part) for part in parts[::2]]
    return None if None in known else f" {parts[1].upper()} ".join(known) if len(known) > 1 else known[0]
