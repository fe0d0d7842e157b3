#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `make dist` makes: that it is the same in every folder, and that Debian takes it.

    tests/system/dist/run.py [WORD ...]      default: all tests; with words: those whose name has one of them

The release of HEAD is made here, and for this machine's processor once more in a clone. Then lintian reads the packages; a Debian 12, a Debian 13
and an Ubuntu 24.04 booted by systemd-nspawn install them from a web server by docs/how-to/packages.md, take the releases of the tutorial, upgrade,
go back and purge; and a real registry takes images and chart, by which Helm installs a cluster. Where this machine cannot, a test is skipped with the reason. Ends with the plain line "N passed, N failed, N skipped".
"""
import getpass
import glob
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request

import yaml

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", ".."))
WORK = os.path.join(TOP, "build", "dist-test")
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(TOP, "hack", "dist"), os.path.join(TOP, "tests", "support"), os.path.join(TOP, "tests", "system", "cluster"),
                os.path.join(TOP, "tests", "system", "docs")]
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from holddist import commit  # noqa: E402
from holdimage import elf, licences, machine  # noqa: E402
import guest  # noqa: E402
import notice  # noqa: E402
import registry_node as registry  # noqa: E402
import suite  # noqa: E402
from holdcluster import need  # noqa: E402
from suite import Skip, equal  # noqa: E402

CANNOT = 3                                 # exit code of hack/dist/make
IMAGES = ("holdfast-agent", "holdfast-controller")
COMMANDS = ("amd64", "arm64")              # processors of the command for any Linux
URL = "https://releases.example.com/holdfast"
HIGHER = "99.0.0"
PAGE, TUTORIAL, INSTALL = "docs/how-to/packages.md", "docs/tutorials/first-node.md", "docs/how-to/install.md"
PUBLISH = [os.path.join(TOP, "hack", "dist", "publish"), "--plain-http"]
PROMISE_S = 180                            # from the first command of the page to a committed delta


def run(*argv, **more):
    """What a program prints; AssertionError with its last words when it fails."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False, **({"stdin": subprocess.DEVNULL} | more))
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)[:200]}: {done.returncode}: {done.stdout[-1500:]}")
    return done.stdout


def content(path):
    with open(path, "rb") as file:
        return file.read()


def make(top, out, *options, **environment):
    done = subprocess.run([os.path.join(top, "hack", "dist", "make"), "--out", out, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, env={**os.environ, **environment})
    print("    " + done.stdout.strip().replace("\n", "\n    "), flush=True)
    if done.returncode == CANNOT:
        raise Skip(done.stdout.strip().splitlines()[-1])
    equal("exit code of hack/dist/make", done.returncode, 0)


class Suite:
    """Builds once; a test_ method is one test."""

    def __init__(self):
        self.out, self.apt = os.path.join(WORK, "dist"), os.path.join(WORK, "dist", "apt")
        self.key, self.public, self.apt_key = (os.path.join(WORK, name) for name in ("release.key", "release.pem", "apt.key"))
        self.cannot = None                 # why nothing could be made
        self.head = None
        self.pushed = None

    def built(self):
        if self.cannot:
            raise Skip(self.cannot)
        if self.head is None:
            try:
                self.head = commit.Commit()
                self.keys()
                make(TOP, self.out, "--key", self.key, "--apt-key", self.apt_key, "--url", URL)
            except (Skip, AssertionError, machine.Error) as reason:
                self.cannot = f"nothing was made: {reason}"
                raise
        return self.head

    def keys(self):
        """Keys that are older than the commit."""
        run("openssl", "genpkey", "-algorithm", "ed25519", "-out", self.key)
        run("openssl", "pkey", "-in", self.key, "-pubout", "-out", self.public)
        home = os.path.join(WORK, "gpg")
        os.makedirs(home, 0o700)
        gpg = ["gpg", "--homedir", home, "--batch", "--quiet", "--passphrase", ""]
        run(*gpg, "--faked-system-time", "20200101T000000", "--quick-generate-key", "A release <release@example.com>", "ed25519", "sign", "never")
        run(*gpg, "--armor", "--output", self.apt_key, "--export-secret-keys")
        run("gpgconf", "--homedir", home, "--kill", "all")

    def debs(self):
        self.built()
        return sorted(glob.glob(os.path.join(self.apt, "*.deb")))

    # ---- what they are ---------------------------------------------------------------------------------------------------

    def test_all_is_there(self):
        version = self.built().version
        debs = [f"apt/{name}_{version}_{one}.deb" for name in ("holdfast", "holdfast-agent", "holdfast-controller") for one in ("amd64", "arm64", "armhf")]
        index = [f"apt/{name}" for name in ("InRelease", "Packages", "Packages.xz", "Release", "Release.gpg", "holdfast.asc")]
        wanted = [*debs, *index, f"holdfast-{version}-source.tar.gz", f"holdfast-{version}.tgz", "krew.yaml",
                  *(f"holdfast-{version}-linux-{one}.tar.gz" for one in COMMANDS), *(f"holdfast-agent-{version}-{one}.raw" for one in ("amd64", "arm64", "armhf")), *(f"{name}-{version}.oci.tar" for name in IMAGES), "SHA256SUMS", "SHA256SUMS.sig"]
        equal("files", sorted(os.path.relpath(path, self.out) for path in glob.glob(os.path.join(self.out, "**"), recursive=True) if os.path.isfile(path)),
              sorted(wanted))
        sums = [line.split("  ") for line in content(os.path.join(self.out, "SHA256SUMS")).decode().splitlines()]
        equal("files with a sum", [name for _, name in sums], sorted({*wanted} - {*index[:5]} - {"SHA256SUMS", "SHA256SUMS.sig"}))
        for digest, name in sums:
            equal("sum of " + name, hashlib.sha256(content(os.path.join(self.out, name))).hexdigest(), digest)

    def test_bills_refer_to_images(self):
        version = self.built().version
        for name in IMAGES:
            files = dict(members(content(os.path.join(self.out, f"{name}-{version}.oci.tar"))))
            equal("digests", [path for path, data in files.items() if path.startswith("blobs/") and hashlib.sha256(data).hexdigest() not in path], [])

            def blob(descriptor, files=files):
                return json.loads(files["blobs/sha256/" + descriptor["digest"].removeprefix("sha256:")])
            index, *referrers = json.loads(files["index.json"])["manifests"]
            images = [entry["digest"] for entry in blob(index)["manifests"]]
            found = [blob(entry) for entry in referrers]
            equal("images and what refers to them", [one["subject"]["digest"] for one in found], images)
            equal("kinds", {one["artifactType"] for one in found}, {"application/spdx+json"})
            configs = [blob(entry)["config"]["digest"].removeprefix("sha256:") for entry in blob(index)["manifests"]]
            equal("configurations that the bills name", [blob(one["layers"][0])["documentNamespace"][-64:] for one in found], configs)

    def test_the_command_for_any_linux(self):
        """Each archive has one program that needs nothing, and krew's manifest names it by its sum; this machine's runs in a root of its own."""
        version, found = self.built().version, {}
        with open(os.path.join(self.out, "krew.yaml"), encoding="utf-8") as file:
            plugin = yaml.safe_load(file)
        equal("plugin", (plugin["metadata"]["name"], plugin["spec"]["version"]), ("holdfast", f"v{version}"))
        for platform in plugin["spec"]["platforms"]:
            name = platform["uri"].removeprefix(URL + "/")
            one = platform["selector"]["matchLabels"]["arch"]
            equal("name", name, f"holdfast-{version}-linux-{one}.tar.gz")
            equal("sum of " + name, platform["sha256"], hashlib.sha256(content(os.path.join(self.out, name))).hexdigest())
            found[one] = dict(members(gzip.decompress(content(os.path.join(self.out, name)))))
            equal("files of " + name, [*found[one]], ["holdfast", "LICENSE", "NOTICE", "copyright"])
            needs = elf.needs(found[one]["holdfast"], name)
            equal(f"loader and libraries of {name}", (needs.interpreter, needs.libraries), (None, ()))
        equal("processors", (*found,), COMMANDS)
        if os.geteuid() != 0:
            raise Skip("needs root: chroot")
        root = os.path.join(WORK, "command-root")
        commit.write(os.path.join(root, "kubectl-holdfast"), found[machine.native().name]["holdfast"], 0o755)
        equal("what it says", run("chroot", root, "/kubectl-holdfast", "--version").split()[-1], version)

    def test_the_agent_as_a_system_extension(self):
        """This systemd-sysext merges it with a /usr that is read-only; the programs run, the unit is whole, and nothing is left when it goes."""
        version = self.built().version
        if os.geteuid() != 0 or shutil.which("systemd-sysext") is None or not os.path.exists("/dev/loop-control"):
            raise Skip("needs root, systemd-sysext and loop devices")
        root, tree = os.path.join(WORK, "host"), guest.tree()
        for folder in ("etc", "usr", "var/lib/extensions", "proc", "run", "tmp"):
            os.makedirs(os.path.join(root, folder))
        for link in ("bin", "lib", "lib64", "sbin"):
            os.symlink("usr/" + link, os.path.join(root, link))
        shutil.copy(os.path.join(tree, "usr/lib/os-release"), os.path.join(root, "etc/os-release"))
        shutil.copy(os.path.join(self.out, f"holdfast-agent-{version}-{machine.native().debian}.raw"), os.path.join(root, "var/lib/extensions/holdfast-agent.raw"))
        said = run("unshare", "--mount", "sh", "-ec", f"""
            mount --make-rshared /
            mount -t tmpfs none /run
            mount --bind -o ro {tree}/usr {root}/usr
            systemd-sysext --root={root} merge
            chroot {root} holdfast-agent --version
            chroot {root} holdfast --version
            grep ExecStart= {root}/usr/lib/systemd/system/holdfast-agent.service
            ! touch {root}/usr/left 2>&1
            systemd-sysext --root={root} unmerge
            ! test -e {root}/usr/bin/holdfast-agent""")
        for part in (f"holdfast-agent {version}", f"holdfast {version}", "ExecStart=/usr/bin/holdfast-agent", "Read-only file system"):
            equal(f"'{part}' in {said}", part in said, True)

    def test_signature(self):
        self.built()
        sums, signature = os.path.join(self.out, "SHA256SUMS"), os.path.join(self.out, "SHA256SUMS.sig")
        verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", self.public, "-rawin", "-sigfile", signature, "-in"]
        run(*verify, sums)
        other = os.path.join(WORK, "changed")
        with open(other, "wb") as file:
            file.write(content(sums).replace(b"a", b"b", 1))
        equal("a changed file verifies", subprocess.run([*verify, other], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0, False)

    def test_same_in_another_folder(self):
        head = self.built()
        there, again, own = os.path.join(WORK, "another", "folder", "of", "the", "sources"), os.path.join(WORK, "again"), machine.native()
        run("git", "clone", "-q", "--shared", TOP, there)
        run("git", "-C", there, "checkout", "-q", head.revision)
        make(there, again, "--arch", own.name, "--offline", "--key", self.key, "--apt-key", self.apt_key, CCACHE_DISABLE="1")
        names = [os.path.relpath(path, again) for path in glob.glob(os.path.join(again, "**", "*"), recursive=True)]
        same = [name for name in names if name.endswith((".deb", ".tgz", ".gz", ".asc", ".raw"))]
        equal("number of files", len(same), 8)
        equal("files that differ", [name for name in same if content(os.path.join(again, name)) != content(os.path.join(self.out, name))], [])
        for name in IMAGES:                # the index names fewer processors
            here, before = ({path for path, _ in members(content(os.path.join(top, f"{name}-{head.version}.oci.tar"))) if path.startswith("blobs/")} for top in (again, self.out))
            equal(f"blobs of {name} that differ", len(here - before), 1)
        index = ("InRelease", "Release.gpg", "Release", "Packages.xz")
        before = {name: content(os.path.join(again, "apt", name)) for name in index}
        time.sleep(1.1)                    # a clock that a signature would hold has moved on
        run(os.path.join(there, "hack", "dist", "apt-repository"), os.path.join(again, "apt"), self.apt_key)
        equal("index that differs", [name for name in index if content(os.path.join(again, "apt", name)) != before[name]], [])

    def test_nothing_names_this_machine(self):
        self.built()
        words = [word.encode() for word in (TOP, os.path.expanduser("~"), machine.cache(), socket.gethostname()) if len(word) > 5]
        words += [f"{getpass.getuser()}@{socket.gethostname()}".encode()]
        found = []
        for path in self.debs():
            tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], stdout=subprocess.PIPE, check=True).stdout
            control = subprocess.run(["dpkg-deb", "--ctrl-tarfile", path], stdout=subprocess.PIPE, check=True).stdout
            found += [(os.path.basename(path), name, word) for data in (tar, control) for name, member in members(data) for word in words if word in member]
        for path in glob.glob(os.path.join(self.out, "*.t*gz")):
            found += [(os.path.basename(path), name, word) for name, member in members(gzip.decompress(content(path))) for word in words if word in member]
        for path in glob.glob(os.path.join(self.apt, "[A-Z]*")) + [os.path.join(self.out, "SHA256SUMS")]:
            found += [(path, "", word) for word in words if word in content(path)]
        equal("what names this machine", found, [])

    def test_lintian_is_quiet(self):
        if shutil.which("lintian") is None:
            raise Skip("no lintian (hack/setup.sh dist)")
        said = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", *self.debs()], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        equal("lintian", (said.returncode, said.stdout.strip()), (0, ""))

    def test_licence_texts(self):
        """Packages and the archives of the command hold the record of each library that NOTICE says they contain; the archives, all that these refer to."""
        self.built()
        for path in self.debs():
            tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], stdout=subprocess.PIPE, check=True).stdout
            (found,) = [data for name, data in members(tar) if name.endswith("/copyright")]
            equal(path, notice.check_records(TOP, found.decode()), [])
        for one in COMMANDS:
            text = dict(members(gzip.decompress(content(os.path.join(self.out, f"holdfast-{self.head.version}-linux-{one}.tar.gz")))))["copyright"].decode()
            extension = os.path.join(self.out, f"holdfast-agent-{self.head.version}-{one}.raw")
            equal("that of the system extension", run("unsquashfs", "-cat", extension, "usr/share/doc/holdfast-agent/copyright") == text, True)
            equal(one, (notice.check_records(TOP, text), [name for name in licences.referred(text) if f"==== /{licences.COMMON}/{name} ====" not in text]), ([], []))

    def test_a_changed_tree_is_refused(self):
        there = os.path.join(WORK, "changed-tree")
        run("git", "clone", "-q", "--shared", TOP, there)
        with open(os.path.join(there, "README.md"), "a", encoding="utf-8") as file:
            file.write("\n")
        done = subprocess.run([os.path.join(there, "hack", "dist", "make"), "--out", os.path.join(WORK, "never")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
        equal("exit code, and whether README.md is named", (done.returncode, "README.md" in done.stdout), (1, True))

    def test_install_without_a_compiler(self):
        """From the sources: what lacks is named, with the command that installs it."""
        tools = os.path.join(WORK, "tools")
        os.makedirs(tools)
        for name in ("make", "sh", "bash", "env", "nproc", "sed", "grep"):
            os.symlink(shutil.which(name), os.path.join(tools, name))
        done = subprocess.run(["make", "install", f"B={tools}/build"], cwd=TOP, env={"PATH": tools}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        said = [word for word in ("missing: cc pkg-config", "`hack/setup.sh build` installs") if word in done.stdout]
        equal(f"exit code and words of '{done.stdout.strip()[-300:]}'", (done.returncode, len(said)), (2, 2))

    # ---- that they work --------------------------------------------------------------------------------------------------

    def higher(self, folder):
        """Packages of a later version, which differ in nothing else, in the repository `folder`."""
        own, work = machine.native().debian, tempfile.mkdtemp(prefix="higher-", dir=WORK)
        for path in self.debs():
            if path.endswith(f"_{own}.deb"):
                tree = os.path.join(work, os.path.basename(path))
                run("dpkg-deb", "--raw-extract", path, tree)
                control = os.path.join(tree, "DEBIAN", "control")
                text = content(control).decode().replace(f"Version: {self.head.version}\n", f"Version: {HIGHER}\n")
                commit.write(control, text)
                run("dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, folder)
        run(os.path.join(TOP, "hack", "dist", "apt-repository"), folder, self.apt_key)

    def test_a_life_on_debian_12(self):
        self.life("bookworm")

    def test_a_life_on_debian_13(self):
        self.life("trixie")

    def test_a_life_on_ubuntu_24_04(self):
        self.life("noble")

    def life(self, suite):
        """The page, section by section, as it stands there but for the place of the files; and the tutorial, from its second section on, in the promised time."""
        root = guest.other_tree(suite)
        self.built()
        served = os.path.join(WORK, f"served-{suite}")
        shutil.copytree(self.out, served)
        shutil.copy(self.public, os.path.join(served, "holdfast-release.pem"))
        with guest.Guest(os.path.join(WORK, f"guest-{suite}"), {served: "/srv/holdfast"}, root) as node:
            node.serve(served)
            node.write("/usr/local/bin/sudo", '#!/bin/sh\nexec "$@"\n')
            node.sh("chmod +x /usr/local/bin/sudo; rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*")
            begin = time.monotonic()
            node.page(PAGE, "Add the repository")
            equal("an agent without a configuration", node.says("systemctl is-active holdfast-agent; systemctl is-enabled holdfast-agent; true").split(),
                  ["inactive", "disabled"])
            node.page(PAGE, "Start the agent")
            for section in ("2. Start a service", "3. Give the node its first release", "4. Replace it"):
                node.page(TUTORIAL, section)
            spent = time.monotonic() - begin
            print(f"    {suite}: from the first command to a committed delta {spent:.1f} s (promise: {PROMISE_S} s)", flush=True)
            equal("within the promise", spent < PROMISE_S, True)
            equal("what the program serves", node.says("curl -s http://127.0.0.1:8081/greeting | head -1"), "hello, second version")
            node.sh("apt-get -q -y install holdfast-controller")
            equal("failed units", node.says("systemctl list-units --failed --plain --no-legend 'holdfast*'"), "")
            equal("versions", node.says("holdfast --version; holdfast-agent --version; holdfast-controller --version").split(),
                  [word for name in ("holdfast", "holdfast-agent", "holdfast-controller") for word in (name, self.head.version)])
            self.upgrade(node, served)
            remove, purge = node.commands(PAGE, "Remove")
            node.sh(remove)
            equal("after removal", node.says("systemctl is-active holdfast-agent; ls /etc/holdfast/trust.d /var/lib/holdfast/agent.lock; true").split(),
                  ["inactive", "/var/lib/holdfast/agent.lock", "/etc/holdfast/trust.d:", "release-2026.pem"])
            self.purge(node, purge)
            self.any_linux(node)
            node.sh("cd /srv/holdfast && " + " && ".join(node.commands(PAGE, "Verify a download")))

    def any_linux(self, node):
        fetch, _ = node.commands(PAGE, "Any Linux")
        node.sh(fetch.replace("amd64", machine.native().debian).replace("0.1.0", self.head.version))
        equal("the command without a package", node.says("/usr/local/bin/holdfast --version").split()[-1], self.head.version)

    def upgrade(self, node, served):
        """To a later version and back: each time a new process of the installed program, with the settings as they were."""
        first = self.running(node)
        update, upgrade, back = node.commands(PAGE, "Upgrade and go back")
        self.higher(os.path.join(served, "apt"))
        node.sh(f"{update} && {upgrade}")
        second = self.running(node, HIGHER)
        equal("the same process after an upgrade", second == first, False)
        node.sh(back)
        equal("the same process after a downgrade", self.running(node, self.head.version) == second, False)
        equal("the setting after both", node.says("grep -c ^HOLDFAST_SOURCE= /etc/holdfast/agent.env"), "1")

    def running(self, node, version=None):
        """The number of the agent's process, which is the installed one."""
        equal("state of the agent", node.says("systemctl is-active holdfast-agent"), "active")
        if version:
            equal("installed", node.says("dpkg-query -W -f '${Version}' holdfast-agent"), version)
        return node.says("systemctl show -P MainPID holdfast-agent")

    def purge(self, node, purge):
        """Purging takes what the agent wrote, not what releases installed, nor what people put there, nor what another agent uses."""
        node.sh("mkdir -p /var/lib/holdfast/payload/app /var/edge/data; touch /var/edge/data/storage.lock; apt-get -q -y install holdfast-agent")
        node.sh("flock /var/lib/holdfast/agent.lock " + purge)
        equal("state that another agent uses", node.says("ls /var/lib/holdfast").split()[0], "agent.lock")
        node.sh("apt-get -q -y install holdfast-agent && " + purge)
        equal("what is left", node.says("cd / && find etc/holdfast etc/systemd/system/multi-user.target.wants/holdfast* var/lib/holdfast var/edge "
                                        "run/holdfast 2>/dev/null | sort; true").split(),
              ["etc/holdfast", "etc/holdfast/objects", "etc/holdfast/objects/hello-1.0.yaml", "etc/holdfast/objects/hello-2.0.yaml", "etc/holdfast/trust.d", "etc/holdfast/trust.d/release-2026.pem", "var/lib/holdfast",
               "var/lib/holdfast/payload", "var/lib/holdfast/payload/app"])

    def test_a_changed_index_is_refused(self):
        self.built()
        repository = os.path.join(WORK, "changed-repository")
        shutil.copytree(self.apt, repository)
        for name in ("InRelease", "Release"):
            path = os.path.join(repository, name)
            commit.write(path, content(path).replace(b"Label: holdfast", b"Label: holdfasT"))
        root = os.path.join(WORK, "apt-root")
        for folder in ("lists/partial", "archives/partial", "parts"):
            os.makedirs(os.path.join(root, folder))
        commit.write(os.path.join(root, "sources.list"), f"deb [signed-by={self.apt}/holdfast.asc] file://{repository} ./\n")
        options = [f"Dir::State={root}", f"Dir::State::lists={root}/lists", f"Dir::Cache={root}", f"Dir::Etc::sourcelist={root}/sources.list",
                   f"Dir::Etc::sourceparts={root}/parts", "Acquire::Languages=none", "APT::Sandbox::User=root"]
        done = subprocess.run(["apt-get", "-q", *(word for one in options for word in ("-o", one)), "update", "--error-on=any"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        equal(f"apt takes it ({done.stdout[-300:]})", (done.returncode == 0, "BADSIG" in done.stdout or "invalid" in done.stdout), (False, True))


    def test_a_registry_takes_images_and_chart(self):
        where, folder, said = self.registry()
        equal(f"another registry than the chart's ({said['other'].stdout})", (said["other"].returncode, "looks for its images elsewhere" in said["other"].stdout), (1, True))
        first, again = (next(line for line in said[time].splitlines() if line.startswith("pushed ")) for time in ("first", "again"))
        equal("what is pushed again", first, again)
        with where.serving():
            rendered = run(where.helm, "template", "holdfast", "oci://" + where.place + "/holdfast", "--version", self.head.version, "--plain-http", "-n", "holdfast-system")
            images = sorted(set(re.findall(r"image: \"?(127[^\s\"]+)", rendered)))
            equal("images of the chart", images, [f"{where.place}/{name}:{self.head.version}" for name in IMAGES])
            for name in IMAGES:
                self.pulled(where.port, f"edge/{name}")
            sums = os.path.join(folder, "SHA256SUMS")
            before = content(sums)
            commit.write(sums, before.decode().replace("a", "b", 1))
            equal("a changed folder", subprocess.run([*PUBLISH, where.place, folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode, 1)
            commit.write(sums, before)

    def registry(self):
        """(a Registry that has the images and the chart, the folder they come from, what the pushes said)"""
        self.built()
        if shutil.which("go") is None:
            raise Skip("no Go")
        if self.pushed is None:
            folder, where = os.path.join(WORK, "published"), registry.Registry(WORK)
            make(TOP, folder, "--arch", machine.native().name, "--offline", "--registry", where.place)
            with where.serving():
                other = subprocess.run([*PUBLISH, "127.0.0.1:1/other", folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
                self.pushed = where, folder, {"other": other, "first": run(*PUBLISH, where.place, folder), "again": run(*PUBLISH, where.place, folder)}
        return self.pushed

    def test_helm_from_a_registry(self):
        """A node of a new cluster pulls all of it; docs/how-to/install.md and README.md, from helm install to a committed delta in the promised time."""
        reasons = need.missing()
        if reasons:
            raise Skip(reasons[0])
        where, folder, _ = self.registry()
        with registry.Node(os.path.join(WORK, "cluster")) as node, where.serving(node.net):
            site = os.path.join(node.work, "site")
            program = os.path.join(node.cluster.root(node.NAME), "opt/hello")
            os.makedirs(site)
            os.makedirs(program)
            with tarfile.open(os.path.join(folder, f"holdfast-{self.head.version}-linux-{machine.native().debian}.tar.gz")) as archive:
                commit.write(os.path.join(node.tools, "holdfast"), archive.extractfile("holdfast").read(), 0o755)
            for name, path in (("helm", where.helm), ("kubectl", os.path.join(node.cluster.parts(), "kubectl"))):
                os.symlink(path, os.path.join(node.tools, name))
            with node.web(8081, program), node.web(8082, site):
                node.sh("holdfast key generate release-2026")
                chart = f"oci://{where.place}/holdfast --version {self.head.version} --plain-http"
                begin = time.monotonic()
                for command in guest.Guest.commands(INSTALL, "Install"):
                    node.sh(command.replace("charts/holdfast", chart))
                installed = time.monotonic() - begin
                self.release(node, 1)
                self.release(node, 2, "1")
                spent = time.monotonic() - begin
            print(f"    helm: installed and tested after {installed:.1f} s, a committed delta after {spent:.1f} s (promise: {PROMISE_S} s)", flush=True)
            found = json.loads(node.sh(f"kubectl get edgenode {node.NAME} -o json"))["status"]["updates"][0]
            equal("the last update", [found.get(key) for key in ("phase", "version", "method")], ["Committed", "2", "Delta"])
            equal("where the agent's image is from", node.sh("kubectl -n holdfast-system get pods -o jsonpath='{.items[*].spec.containers[0].image}'").count(where.place) > 1, True)
            equal("within the promise", spent < PROMISE_S, True)

    @staticmethod
    def release(node, version, old=None):
        """A release of 48 KB for the node, as README.md makes and applies one."""
        commit.write(os.path.join(node.work, f"hello-{version}"), f"hello, version {version}\n" + "".join(f"{number}\n" for number in range(9999)))
        node.sh(f"holdfast release create --name hello --version {version} --sequence {version} --path /opt/hello/greeting --mode 0644 "
                f"--artifact {machine.native().debian}=hello-{version}{',old=hello-' + old if old else ''} --health-http http://127.0.0.1:8081/greeting "
                f"--node-selector kubernetes.io/hostname={node.NAME} --url-base http://127.0.0.1:8082 --key release-2026 --out out-{version} && cp out-{version}/* site/")
        node.sh(f"kubectl apply -f site/hello-{version}.yaml && kubectl wait edgenode/{node.NAME} --timeout=2m "
                f"--for=jsonpath='{{.status.updates[?(@.version==\"{version}\")].phase}}'=Committed")

    def pulled(self, port, repository):
        """The image is there for this processor, with the bill of materials that refers to it."""
        def manifest(reference):
            request = urllib.request.Request(f"http://127.0.0.1:{port}/v2/{repository}/manifests/{reference}", headers={
                "Accept": "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"})
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.loads(answer.read())
        image = manifest(self.head.version)["manifests"][0]["digest"]
        for layer in manifest(image)["layers"]:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/{repository}/blobs/{layer['digest']}", timeout=10) as answer:
                equal("a layer", "sha256:" + hashlib.sha256(answer.read()).hexdigest(), layer["digest"])
        referrers = manifest(image.replace(":", "-"))["manifests"]
        equal("what refers to the image", [one["artifactType"] for one in referrers], ["application/spdx+json"])


def members(data):
    """(name, bytes) of the files of a tar; those that are compressed are unpacked, for words to be found in them."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            if member.isfile():
                inside = archive.extractfile(member).read()
                yield member.name, gzip.decompress(inside) if member.name.endswith(".gz") else inside


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    of, words = Suite(), sys.argv[1:]
    methods = [name for name in vars(Suite) if name.startswith("test_") and (not words or any(word in name for word in words))]
    return suite.run((name.removeprefix("test_").replace("_", " "), getattr(of, name)) for name in methods)


if __name__ == "__main__":
    sys.exit(main())
