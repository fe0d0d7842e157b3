# SPDX-License-Identifier: Apache-2.0
"""The agent as a system extension (systemd-sysext): a squashfs with /usr of its package, for hosts whose /usr is read-only."""

import os
import shutil

from holdimage import licences
from holdimage.machine import Cannot

from .commit import TOP, run, same_times, write

NAME = "holdfast-agent"                    # of the image on the host, too: systemd compares it with the file in extension-release.d
PROGRAMS = ("holdfast-agent", "holdfast-verify", "holdfast")   # holdfast-tpm loads libraries of Debian
SYSTEMD = {"amd64": "x86-64", "arm64": "arm64", "armv7": "arm"}   # its names of processors


def image(commit, work, out, one, packages, root):
    """Write holdfast-agent-VERSION-ARCH.raw of the machine `one`; `packages` are the folders of its Debian packages, linked with the
    Debian files below `root`."""
    if shutil.which("mksquashfs") is None:
        raise Cannot("mksquashfs is not installed (hack/setup.sh dist)")
    top = os.path.join(work, f"sysext-{one.name}")
    for folder in packages:
        for name in PROGRAMS:
            if os.path.exists(os.path.join(folder, "usr/bin", name)):
                os.makedirs(os.path.join(top, "usr/bin"), exist_ok=True)
                shutil.copy(os.path.join(folder, "usr/bin", name), os.path.join(top, "usr/bin", name))
        if os.path.exists(os.path.join(folder, "lib/systemd")):
            shutil.copytree(os.path.join(folder, "lib/systemd"), os.path.join(top, "usr/lib/systemd"))
    write(os.path.join(top, f"usr/share/doc/{NAME}/copyright"), licences.document(one, root, TOP, whole=True))
    write(os.path.join(top, "usr/lib/extension-release.d", f"extension-release.{NAME}"), f"ID=_any\nARCHITECTURE={SYSTEMD[one.name]}\n")
    for path, folders, _ in os.walk(top):
        for name in folders:
            os.chmod(os.path.join(path, name), 0o755)
    os.chmod(top, 0o755)
    same_times(top, commit.seconds)
    run("mksquashfs", top, os.path.join(out, f"{NAME}-{commit.version}-{one.debian}.raw"), "-noappend", "-all-root", "-no-xattrs", "-comp", "xz", "-quiet",
        "-no-progress", env={**os.environ, "SOURCE_DATE_EPOCH": str(commit.seconds)})
