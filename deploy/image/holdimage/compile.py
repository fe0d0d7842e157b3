# SPDX-License-Identifier: Apache-2.0
"""Build the programs for another processor with Debian's cross compilers, against a tree of sysroot.py."""

import os
import shutil
import subprocess
import sys

from . import archives
from .machine import Cannot, Error


def programs(machine, path, top, goals, jobs, say=print, static=(), offline=False):
    """Build `goals` (names of programs) for `machine` against the tree `path`; the folder of the programs. Those of `static`, which need no
    library, are in the folder `static` beside it."""
    missing = [tool for tool in (machine.tool("gcc"), machine.tool("strip"), "make", "pkg-config") if shutil.which(tool) is None]
    if missing:
        raise Cannot(f"{machine.name}: {', '.join(missing)} not installed (hack/setup.sh build images)")
    build = os.path.join("build", "cross", machine.name)
    more = [f"STATIC={archives.folder(machine, path, say, offline, jobs)}", *(f"{build}/static/{goal}" for goal in static)] if static else []
    say(f"image: {machine.name}: building {', '.join(goals)} in {build}")
    done = subprocess.run(["make", "--no-print-directory", "-s", f"-j{jobs}", f"B={build}", f"CC={machine.tool('gcc')}",
                           f"SYSROOT={path}", *(f"{build}/release/{goal}" for goal in goals), *more], cwd=top, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if done.returncode != 0:
        sys.stderr.write("\n".join(done.stdout.splitlines()[-30:]) + "\n")
        raise Error(f"{machine.name}: the build failed")
    return os.path.join(top, build, "release")
