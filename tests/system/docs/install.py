# SPDX-License-Identifier: Apache-2.0
"""`make install` and the packages its programs need: what hack/install says is what the programs load, what Debian calls it, and
what docs/how-to/install-host.md tells a reader to install. Each check returns None or what is wrong."""
import glob
import os
import re
import subprocess
import tempfile

INSTALL = os.path.join("hack", "install")
LOADED_BY_NAME = {"libwebsockets-evlib_uv.so"}


def run(top, *argv, **more):
    return subprocess.run(argv, cwd=top, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)


def libraries(top):
    """{library: package} as hack/install has them."""
    with open(os.path.join(top, INSTALL), encoding="utf-8") as script:
        return dict(re.findall(r"^(lib\S+\.so\S*) (\S+)$", script.read(), re.M))


def needed(top):
    names = set(LOADED_BY_NAME)
    for program in ("holdfast-agent", "holdfast"):
        names |= set(re.findall(r"NEEDED\s+(\S+)", run(top, "objdump", "-p", f"build/release/{program}").stdout))
    return {name for name in names if not name.startswith("ld-linux")}


def check_table(top):
    """Every library that a program loads has a row, and no row is of another."""
    wrong = needed(top) ^ set(libraries(top))
    return f"{INSTALL}: its libraries are not those that the programs load: {', '.join(sorted(wrong))}" if wrong else None


def check_debian(top):
    """Debian's own answer, where this is Debian 12."""
    with open("/etc/os-release", encoding="utf-8") as release:
        if "VERSION_CODENAME=bookworm" not in release.read():
            return None
    known = libraries(top)
    owners_of = {library: set() for library in known}
    for path in glob.glob("/var/lib/dpkg/info/*.list"):        # dpkg-query -S takes 20 times as long
        with open(path, encoding="utf-8", errors="replace") as files:
            for library in {line.rsplit("/", 1)[-1] for line in files.read().split("\n")} & set(known):
                owners_of[library].add(os.path.basename(path).removesuffix(".list").split(":")[0])
    for library, package in known.items():
        owners = owners_of[library]
        if owners and package not in owners:
            return f"{INSTALL}: {library} is in {' or '.join(sorted(owners))}, not in {package}"
    return None


def check_page(top):
    """docs/how-to/install-host.md names the same packages."""
    with open(os.path.join(top, "docs", "how-to", "install-host.md"), encoding="utf-8") as page:
        command = re.search(r"apt-get install --no-install-recommends ((?:[^\n\\]|\\\n)*)", page.read())
    told = set(command.group(1).replace("\\\n", " ").split()) if command else set()
    wanted = set(run(top, INSTALL, "packages").stdout.split())
    return f"docs/how-to/install-host.md: packages that it names and '{INSTALL} packages' does not, or the other way round: " \
           f"{', '.join(sorted(told ^ wanted))}" if told != wanted else None


def check_missing(top):
    """A library that is missing stops the installation before a file is written, with the name of its package."""
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "bin"))
        with open(os.path.join(folder, "bin", "ldd"), "w", encoding="utf-8") as ldd:
            ldd.write('#!/bin/sh\nprintf "\\tlibjansson.so.4 => not found\\n\\tlibwebsockets.so.17 => /nowhere/libwebsockets.so.17 (0x0)\\n"\n')
        os.chmod(os.path.join(folder, "bin", "ldd"), 0o755)
        prefix = os.path.join(folder, "prefix")
        done = run(top, INSTALL, "install", "", prefix, "0", env={**os.environ, "PATH": os.path.join(folder, "bin") + ":" + os.environ["PATH"]})
        wanted = "apt-get install --no-install-recommends libjansson4 libwebsockets-evlib-uv"
        if done.returncode == 0 or wanted not in done.stdout or os.path.exists(prefix):
            return f"{INSTALL}: two missing libraries: exit code {done.returncode}, {'files were written, ' if os.path.exists(prefix) else ''}" \
                   f"it says: {done.stdout.strip()[-400:]}"
    return None


CHECKS = (check_table, check_debian, check_page, check_missing)
