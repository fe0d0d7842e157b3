# SPDX-License-Identifier: Apache-2.0
"""NOTICE: it names the libraries that the release programs load and the images hold, all of them and no others, each with a licence.
Each check returns None or what is wrong."""
import fnmatch
import os
import re
import subprocess
import sys

ROW = re.compile(r"^(\S+) +(\S+(?: OR \S+)*) +((?:(?:lib|ld-)\S+\s*)+)$", re.M)
LOADER = "ld-linux*"


def text_of(top):
    with open(os.path.join(top, "NOTICE"), encoding="utf-8") as notice:
        return notice.read()


def loads(program):
    """Names of the libraries that a program loads; none if it is static."""
    said = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    return {os.path.basename(name) for name in re.findall(r"^\s+(\S+)(?: =>| \(0x)", said, re.M)} - {"linux-vdso.so.1"}


def programs(top):
    folder = os.path.join(top, "build", "release")
    return {name: os.path.join(folder, name) for name in sorted(os.listdir(os.path.join(top, "cmd")))}


def in_images(top):
    """Names of the libraries that deploy/image puts into the images of this machine."""
    sys.path.insert(0, os.path.join(top, "deploy", "image"))
    from holdimage import builder, debian, machine, tree  # pylint: disable=import-outside-toplevel
    names = set()
    for starts, _, _ in builder.IMAGES.values():
        files = tree.Tree(machine.native(), "/", debian.Packages("/"))
        contents = {}
        for name in starts:
            with open(programs(top)[name], "rb") as file:
                contents[name] = file.read()
        files.furnish(contents)
        names |= {os.path.basename(path) for path in files.system if re.search(r"\.so(\.\d+)*$", path)}
    return names


def check_libraries(top):
    """NOTICE has a row for each library that the programs load and the images hold, and no other row."""
    named = {name for _, _, files in ROW.findall(text_of(top)) for name in files.split()}
    present = {LOADER if fnmatch.fnmatch(name, LOADER) else name for name in set().union(in_images(top), *map(loads, programs(top).values()))}
    missing, idle = sorted(present - named), sorted(named - present)
    return "NOTICE: " + "; ".join(([f"no row has {', '.join(missing)}"] if missing else []) +
                                  ([f"nothing loads {', '.join(idle)}"] if idle else [])) if missing or idle else None


def check_static(top):
    """NOTICE names the static programs, and what the Makefile links into them: musl into those of APART, where musl-gcc is there."""
    with open(os.path.join(top, "Makefile"), encoding="utf-8") as makefile:
        rules = makefile.read()
    linked = re.findall(r"^\$\(B\)/release/holdfast-delta: PKG_LIBS := (.*)$", rules, re.M)
    musl = re.search(r"^APART := (.*)$", rules, re.M)[1].split()
    static = [name for name, path in programs(top).items() if not loads(path) and name not in musl]
    wanted = f"{' and '.join(static)} loads nothing: it contains glibc, xz and zstd."
    said = wanted in text_of(top) and f"{' and '.join(musl)} contain musl (MIT)" in text_of(top)
    return None if said and linked == ["-lzstd -llzma"] else f"NOTICE: it has to say '{wanted}', and musl; the Makefile links {linked}"


CONTAINED = {"cap": "libcap", "crypto": "openssl", "lz4": "lz4", "lzma": "xz", "m": "glibc", "ssl": "openssl", "uv_a": "libuv", "websockets": "libwebsockets",
             "yaml": "libyaml", "z": "zlib"}           # names of archives that are not those of their projects


def check_archives(top):
    """NOTICE names what hack/make/static.mk links into the static programs."""
    with open(os.path.join(top, "hack", "make", "static.mk"), encoding="utf-8") as rules:
        linked = re.search(r"^STATIC_LIBS := (.*)$", rules.read(), re.M)[1].split()
    linked = {CONTAINED.get(name.removeprefix("-l"), name.removeprefix("-l")) for name in linked}
    found = re.search(r"`make static` load nothing: they contain (.*?)\.", text_of(top), re.S)
    named = set(re.split(r",\s+|\s+and\s+", found[1])) if found else set()
    return None if named == linked else f"NOTICE: the static programs contain {sorted(linked)}, and it names {sorted(named)}"


DEBIAN = {"libcap": "libcap2", "libuv": "libuv1", "xz": "xz-utils", "zstd": "libzstd"}             # names of sources that are not those of their projects


def check_records(top, text):
    """The licence texts of packages and images (deploy/image/holdimage/licences.py): each library of the static programs has its record in `text`."""
    found = re.search(r"`make static` load nothing: they contain (.*?)\.", text_of(top), re.S)
    records = {head.split()[0]: body for head, body in re.findall(r"^==== ([^\n]*) ====$\n(.*?)(?=^==== |\Z)", text, re.S | re.M)}
    named = [DEBIAN.get(name, name) for name in re.split(r",\s+|\s+and\s+", found[1])]
    return [name for name in named if len(records.get(name, "")) < 1000 or "opyright" not in records[name]]


CHECKS = (check_libraries, check_static, check_archives)
