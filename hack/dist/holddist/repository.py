# SPDX-License-Identifier: Apache-2.0
"""An apt repository: one folder of packages with its index, signed by OpenPGP."""

import email.utils
import glob
import hashlib
import lzma
import os
import shutil
import tempfile
import time

from holdimage.machine import Error

from .commit import run, write

PUBLIC = "holdfast.asc"                    # the public half, for Signed-By


def index(folder, seconds, key=None):
    """Make the folder of .deb files an apt repository of the time `seconds`; `key`: a file with a secret OpenPGP key, without a passphrase."""
    names = sorted(os.path.basename(path) for path in glob.glob(os.path.join(folder, "*.deb")))
    if not names:
        raise Error(f"no .deb file in {folder}")
    described = [_describe(folder, name) for name in names]
    packages = "\n".join(text for text, _ in described).encode()
    files = {"Packages": packages, "Packages.xz": lzma.compress(packages, preset=9)}
    for name, data in files.items():
        write(os.path.join(folder, name), data)
    sums = [f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}" for name, data in files.items()]
    machines = sorted({machine for _, machine in described} - {"all"})
    release = "\n".join(["Origin: holdfast", "Label: holdfast", "Suite: stable", f"Architectures: {' '.join(machines)}",
                         "Description: packages of holdfast for Debian 12", f"Date: {email.utils.formatdate(seconds, usegmt=True)}",
                         "SHA256:", *sums]) + "\n"
    for old in ("InRelease", "Release.gpg", PUBLIC):
        if os.path.exists(os.path.join(folder, old)):
            os.unlink(os.path.join(folder, old))
    write(os.path.join(folder, "Release"), release)
    if key:
        _sign(folder, seconds, key)


def _describe(folder, name):
    """(paragraph of the index, architecture) of a package."""
    path = os.path.join(folder, name)
    with open(path, "rb") as file:
        data = file.read()
    control = run("dpkg-deb", "--field", path).decode().rstrip("\n")
    return (f"{control}\nFilename: ./{name}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n",
            run("dpkg-deb", "--field", path, "Architecture").decode().strip())


def _unless_gone(_function, _path, failure):
    """For rmtree(): the gpg-agent that ends removes its sockets at the same time."""
    if not issubclass(failure[0], FileNotFoundError):
        raise failure[1]


def _sign(folder, seconds, key):
    """Sign as at the time `seconds`, so that the same release has the same signature."""
    home = tempfile.mkdtemp(prefix="holdfast-gpg-")
    try:
        gpg = ["gpg", "--homedir", home, "--batch", "--quiet", "--no-tty"]
        run(*gpg, "--import", key)
        write(os.path.join(folder, PUBLIC), run(*gpg, "--armor", "--export", "--export-options", "export-minimal", "--no-emit-version"))
        when = ["--faked-system-time", time.strftime("%Y%m%dT%H%M%S!", time.gmtime(seconds)), "--digest-algo", "SHA512", "--armor"]
        run(*gpg, *when, "--output", os.path.join(folder, "InRelease"), "--clear-sign", os.path.join(folder, "Release"))
        run(*gpg, *when, "--output", os.path.join(folder, "Release.gpg"), "--detach-sign", os.path.join(folder, "Release"))
    except Error as error:
        raise Error(f"APT_KEY={key}: {error} (it has to be a secret key without a passphrase, older than the commit)") from error
    finally:
        run("gpgconf", "--homedir", home, "--kill", "all")
        shutil.rmtree(home, onerror=_unless_gone)
