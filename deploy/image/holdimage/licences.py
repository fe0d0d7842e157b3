# SPDX-License-Identifier: Apache-2.0
"""The licence texts of what static programs contain: Debian's records of the packages whose archives hack/make/static.mk links."""

import os
import re

from . import debian, machine
from .machine import Error

OWN = """holdfast
Copyright 2026 The holdfast authors
License: Apache-2.0. On Debian systems, /usr/share/common-licenses/Apache-2.0 has the full text.

The programs contain parts of the libraries below. What Debian's records say of these follows, one after the other.
"""
COMMON = "usr/share/common-licenses"
LINKED = re.compile(r"^STATIC_LIBS := (.*)$", re.M)


def referred(text):
    """Names of the common licences that a record refers to."""
    return sorted({name.rstrip(".") for name in re.findall(rf"/{COMMON}/([\w.+-]+)", text)})


def _packages(one, root, top):
    """(known, {Debian package: Package}) of all that the static programs of the machine `one` are linked with."""
    known, found = debian.Packages(root), {}
    with open(os.path.join(top, "hack/make/static.mk"), encoding="utf-8") as rules:
        names = [word.removeprefix("-l") for word in LINKED.search(rules.read())[1].split()]
    for name in names:
        owners = [known.owner(f"/usr/lib/{one.triplet}/lib{name}.{kind}", one.debian) for kind in ("a", "so")]
        owner = next((each for each in owners if each), None)
        if owner is None:
            raise Error(f"{one.name}: no Debian package below {root} has lib{name}, which static programs contain")
        found[owner.name] = owner
    return known, found


def document(one, root, top, whole=False):
    """The bytes of the text. `root`: the Debian files that the programs were linked with. `whole`: with the common licences, for other systems."""
    known, found = _packages(one, root, top)
    records = [(known, found[name]) for name in sorted(found)]
    native = debian.Packages("/")
    musl = native.named("musl-dev", machine.native().debian)
    if musl and one == machine.native():           # musl-gcc links holdfast-verify and holdfast-supervisor then
        records.append((native, musl))
    text = OWN
    for packages, each in records:
        path = packages.copyright(each.name)
        if path is None:
            raise Error(f"{one.name}: {each.name} has no record of its licences below {packages.root}")
        with open(os.path.join(packages.root, path), encoding="utf-8", errors="replace") as file:
            text += f"\n==== {each.source} {each.source_version} ====\n\n{file.read().rstrip()}\n"
    for name in referred(text) if whole else ():
        with open(os.path.join(root, COMMON, name), encoding="utf-8") as file:
            text += f"\n==== /{COMMON}/{name} ====\n\n{file.read().rstrip()}\n"
    return text.encode()
