# SPDX-License-Identifier: Apache-2.0
"""Make the images of one commit: programs, Debian files, layers, bills of materials."""

import os
import re
import subprocess
import tempfile
import time

from . import compile as cross, debian, licences, machine, oci, spdx, sysroot, tree

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", ".."))

# The programs of each image, the one that it starts first, and whom it runs as. Other containers of the agent's pod start
# holdfast-units from the same image; the agent starts holdfast-tpm; people start holdfast.
IMAGES = {"holdfast-agent": (("holdfast-agent", "holdfast-units", "holdfast-tpm", "holdfast"), "0:0", "The holdfast node agent"),
          "holdfast-controller": (("holdfast-controller",), "65532:65532", "The holdfast fleet controller")}
# What the agent's pod installs on its host.
HOST, HOST_FOLDER, HOST_PROGRAMS, SUPERVISOR = ("holdfast-agent",), "usr/lib/holdfast", ("holdfast-agent", "holdfast", "holdfast-tpm"), "holdfast-supervisor"
VERIFY = "holdfast-verify"                 # static by itself, as the supervisor; containerd of the host starts it
STATIC = ("holdfast-agent", "holdfast")    # of these, the ones that need no library of the host: hack/make/static.mk
PAPERS = ("LICENSE", "NOTICE")
ABOUT = "org.opencontainers.image."


def git(*argv):
    """What git prints; None where this is no clone."""
    done = subprocess.run(["git", "-C", TOP, *argv], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def origin():
    """(version, commit or None, its time as text). SOURCE_DATE_EPOCH and HOLDFAST_REVISION replace what git says."""
    with open(os.path.join(TOP, "Makefile"), encoding="utf-8") as text:
        version = re.search(r"^VERSION := (\S+)$", text.read(), re.MULTILINE)[1]
    revision = os.environ.get("HOLDFAST_REVISION") or git("rev-parse", "HEAD")
    if revision and "HOLDFAST_REVISION" not in os.environ and git("status", "--porcelain", "--untracked-files=no"):
        revision += "-modified"
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct") or "0"
    if not seconds.isdigit():
        raise machine.Error(f"SOURCE_DATE_EPOCH is '{seconds}': a number of seconds since 1970 is needed")
    return version, revision, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(seconds)))


def shown(path):
    """`path` as it is printed: relative to the top of the sources if it is below."""
    return os.path.relpath(path, TOP) if path.startswith(TOP + os.sep) else path


def stripped(path, strip):
    """The bytes of the program `path` without symbols; what was taken off is kept beside it, for debuggers."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as own:        # two builders may read one program
        debug, bare = os.path.join(own, "debug"), os.path.join(own, "bare")
        for argv in ([strip.replace("strip", "objcopy"), "--only-keep-debug", path, debug],
                     [strip, "--strip-all", "-o", bare, path]):
            done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            if done.returncode != 0:
                raise machine.Error(f"{' '.join(argv)}: {done.stdout.strip()}")
        os.replace(debug, path + ".debug")
        with open(bare, "rb") as file:
            return file.read()


def objects(static):
    """The objects that the programs of the folder `static` are linked of (hack/make/static.mk lists them)."""
    try:
        with open(os.path.join(static, "flags"), encoding="utf-8") as file:
            paths = [os.path.join(TOP, line.strip()) for line in file if line.endswith(".o\n")]
    except FileNotFoundError:
        return []
    return [path for path in paths if os.path.exists(path)]


class Builder:
    """Makes the images of one commit."""

    def __init__(self, out, say, dynamic_hosts=False):
        """`dynamic_hosts`: without a static build, hosts get the programs of the image."""
        self.version, self.revision, self.created = origin()
        self.out, self.say, self.dynamic_hosts = out, say, dynamic_hosts

    def notes(self, name):
        """The annotations and labels of the image `name`."""
        notes = {ABOUT + "title": name, ABOUT + "description": IMAGES[name][2], ABOUT + "version": self.version,
                 ABOUT + "created": self.created, ABOUT + "vendor": "holdfast", ABOUT + "licenses": spdx.LICENCE}
        return {**notes, ABOUT + "revision": self.revision} if self.revision else notes

    def image(self, name, one, programs, root, strip):
        """The image `name` of the machine `one` from the folder `programs` and the Debian files below `root`, and its SBOM."""
        packages = debian.Packages(root)
        files = tree.Tree(one, root, packages)
        files.furnish({program: stripped(os.path.join(programs, program), strip) for program in IMAGES[name][0]})
        if name in HOST:
            self.host(files, programs, strip, root == "/")
        for paper in PAPERS:
            with open(os.path.join(TOP, paper), "rb") as file:
                files.add(f"usr/share/doc/holdfast/{paper}", file.read())
        system, own = tree.entries(files.system), tree.entries(files.own)
        image = oci.Image(one, [f"/usr/bin/{name}"], IMAGES[name][1], self.created,
                          [("Debian's libraries and data", oci.layer(system)), (f"{name} {self.version}", oci.layer(own))],
                          self.notes(name))
        bill = spdx.document(name, self.version, one, self.created, oci.sha256(image.config()), system + own, packages, "holdfast")
        return image, bill

    def host(self, files, programs, strip, native):
        """What the pod installs on its host (pkg/host): the static build. `native`: programs of this machine, whose objects tell their age."""
        unit = os.path.join(TOP, "deploy", "systemd", "holdfast-host.service")
        static = os.path.join(os.path.dirname(programs), "static")
        newest = max((os.path.getmtime(path) for path in objects(static)), default=0) if native else 0
        # A static program that is older than an object of it is another version's.
        ours = [each for each in STATIC if os.path.exists(os.path.join(static, each)) and os.path.getmtime(os.path.join(static, each)) >= newest]
        whole = len(ours) == len(STATIC) or (native and self.dynamic_hosts)
        if not whole or not all(os.path.exists(os.path.join(programs, each)) for each in (SUPERVISOR, VERIFY)):
            self.say(f"image: no static build of these programs in {shown(static)} (make static): agents stay in their pods (NoHostBuild)")
            return
        for program in HOST_PROGRAMS:
            if program in ours:
                files.program(f"{HOST_FOLDER}/host/{program}", stripped(os.path.join(static, program), strip))
                if program not in HOST:        # one copy of the command is enough
                    files.link(f"usr/bin/{program}", os.path.relpath(f"{HOST_FOLDER}/host/{program}", "usr/bin"))
            else:
                files.link(f"{HOST_FOLDER}/host/{program}", f"/usr/bin/{program}")
        if ours:
            files.add("usr/share/doc/holdfast/copyright", licences.document(files.machine, files.root, TOP))
        files.program(f"{HOST_FOLDER}/host/{VERIFY}", stripped(os.path.join(programs, VERIFY), strip))
        files.program(f"{HOST_FOLDER}/supervisor/{SUPERVISOR}", stripped(os.path.join(programs, SUPERVISOR), strip))
        with open(unit, "rb") as file:
            files.add(f"{HOST_FOLDER}/holdfast-host.service", file.read())

    @staticmethod
    def apart(name):
        return tuple(each for each in (SUPERVISOR, VERIFY) if name in HOST and os.path.exists(os.path.join(TOP, "cmd", each)))

    def reference(self, name):
        return f"{name}:{self.version}"

    def write(self, name, image, bill, suffix=""):
        path = os.path.join(self.out, name + suffix)
        oci.write_archive(path + ".tar", self.reference(name), image)
        with open(path + ".spdx.json", "wb") as file:
            file.write(bill)
        self.say(f"{shown(path)}.tar: {name}:{self.version}, {os.path.getsize(path + '.tar') >> 10} KiB")

    def native(self, names):
        """The images of this machine, from its own packages and build/release."""
        for name in names:
            image, bill = self.image(name, machine.native(), os.path.join(TOP, "build", "release"), "/", "strip")
            self.write(name, image, bill)

    def all(self, names, machines, jobs, offline):
        """The images of `machines`, built against Debian trees of them."""
        goals = [program for name in names for program in IMAGES[name][0] + self.apart(name)]
        roots = {one.name: sysroot.tree(one, self.say, offline) for one in machines}
        static = STATIC if any(name in HOST for name in names) else ()
        programs = {one.name: cross.programs(one, roots[one.name], TOP, goals, jobs, self.say, static, offline) for one in machines}
        for name in names:
            layout = oci.Layout()
            for one in machines:
                image, bill = self.image(name, one, programs[one.name], roots[one.name], one.tool("strip"))
                self.write(name, image, bill, f"-{one.name}")
                descriptor, size = layout.add(image)
                self.say(f"  {one.name}: {descriptor['digest']}, {size >> 10} KiB compressed")
            path = os.path.join(self.out, name + ".oci.tar")
            digest = layout.write(path, self.version, self.notes(name))
            self.say(f"{shown(path)}: {name}:{self.version}, {digest}")
