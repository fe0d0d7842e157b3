#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The container images: that they are what they say, that they are the same in every folder, and that they work.

    tests/system/image/run.py [WORD ...]      default: all tests; with words: those whose name has one of them

The images for 64-bit and 32-bit ARM are built against Debian trees, one of them twice, in two folders. Read again by
code that shares nothing with the writer: layout, layers, labels, bill of materials, size. Then each runs under qemu-user: the
agent of the image makes an update by delta. A containerd of its own takes the image of its processor out of the layout and
runs it. Where this machine cannot, a test is skipped with the reason. Ends with the plain line
"N passed, N failed, N skipped".
"""
import concurrent.futures
import functools
import gzip
import hashlib
import inspect
import io
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", ".."))
WORK = os.path.join(TOP, "build", "image-test")
HERE = os.path.dirname(os.path.realpath(__file__))
sys.dont_write_bytecode = True
for folder in ("deploy/image", "tests/system/docs", "tests/system/fault", "tests/support"):
    sys.path.insert(0, os.path.join(TOP, folder))

import node as fault  # noqa: E402
import notice  # noqa: E402
import suite  # noqa: E402
from holdimage import builder, elf, licences, machine, oci  # noqa: E402
from suite import Skip, equal  # noqa: E402

NAME, CONTROLLER = "holdfast-agent", "holdfast-controller"
PROGRAMS = {NAME: ["holdfast", NAME, "holdfast-tpm", "holdfast-units"], CONTROLLER: [CONTROLLER]}
COMMAND = "holdfast"                       # of the agent's image: the one that hosts get
USERS = {NAME: "0:0", CONTROLLER: "65532:65532"}
MACHINES = ("arm64", "armv7")
TWICE = "arm64"                            # the one that is built in two folders
# Bytes that a node fetches at first, and when only holdfast has changed: those of the agent hold what it installs on hosts, too.
LIMIT = {NAME: 21_000_000, CONTROLLER: 15_000_000}
UPDATE_LIMIT = {NAME: 10_000_000, CONTROLLER: 1_500_000}
HOST = ["holdfast-host.service", "host/holdfast", "host/holdfast-agent", "host/holdfast-verify", "supervisor/holdfast-supervisor"]   # below usr/lib/holdfast
STATIC = HOST[1:]                          # needs no library of the host
NODE_ARCH = {"arm64": "arm64", "armv7": "arm"}   # kubernetes.io/arch
CANNOT = 3                                 # exit code of deploy/image/build


def run(*argv, **more):
    """What a program prints; AssertionError with its last words when it fails."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)[:200]}: {done.returncode}: {done.stderr.decode(errors='replace')[-800:]}")
    return done.stdout


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# ---- building ----------------------------------------------------------------------------------------------------------


def build(top, out, machines, names, **environment):
    done = subprocess.run([os.path.join(top, "deploy", "image", "build"), "--arch", ",".join(machines), "--out", out, *names], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env={**os.environ, **environment})
    print("    " + done.stdout.strip().replace("\n", "\n    "), flush=True)
    if done.returncode == CANNOT:
        raise Skip(done.stdout.strip().splitlines()[-1])
    equal("exit code of deploy/image/build", done.returncode, 0)


def copy_of_sources():
    """A folder with the sources and nothing else, at a path of another length."""
    there = os.path.join(WORK, "another", "folder", "of", "the", "same", "sources")
    names = run("git", "-C", TOP, "ls-files", "-co", "--exclude-standard", "-z").decode().split("\0")
    for name in names:
        if name and os.path.isfile(os.path.join(TOP, name)):
            os.makedirs(os.path.dirname(os.path.join(there, name)), exist_ok=True)
            shutil.copy(os.path.join(TOP, name), os.path.join(there, name), follow_symlinks=False)
    return there


# ---- reading -----------------------------------------------------------------------------------------------------------


class Layout:
    """An OCI layout, read from its tar; each blob is checked against its digest."""

    def __init__(self, path):
        with tarfile.open(path) as archive:
            self.files = {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}
        equal("imageLayoutVersion", json.loads(self.files["oci-layout"])["imageLayoutVersion"], "1.0.0")
        for name, data in self.files.items():
            if name.startswith("blobs/sha256/"):
                equal("digest of " + name, sha256(data), name.rpartition("/")[2])
        entry = json.loads(self.files["index.json"])["manifests"][0]
        self.tag = entry["annotations"]["org.opencontainers.image.ref.name"]
        self.index = json.loads(self.blob(entry))

    def blob(self, descriptor):
        data = self.files["blobs/sha256/" + descriptor["digest"].removeprefix("sha256:")]
        equal("size of " + descriptor["digest"], len(data), descriptor["size"])
        return data

    def image(self, one):
        """(descriptor, manifest, configuration, layers as compressed bytes) of a machine."""
        found = [d for d in self.index["manifests"] if d["platform"] == one.platform()]
        equal(f"images of {one.name}", len(found), 1)
        manifest = json.loads(self.blob(found[0]))
        return found[0], manifest, json.loads(self.blob(manifest["config"])), [self.blob(layer) for layer in manifest["layers"]]


def files_of(layers):
    """{path: bytes} of the regular files of uncompressed layers."""
    found = {}
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
            found.update((member.name, archive.extractfile(member).read()) for member in archive if member.isfile())
    return found


class Suite:
    """Builds once. A test_ method is one test for each value of the arguments that it takes: a machine, an image's name."""

    def __init__(self):
        self.first, self.second = os.path.join(WORK, "first"), os.path.join(WORK, "second")
        self.cannot = None                 # why nothing could be built
        self._layouts = {}

    def built(self, name=NAME):
        """The layout of the first build."""
        if self.cannot:
            raise Skip(self.cannot)
        if not self._layouts:
            try:
                build(TOP, self.first, MACHINES, PROGRAMS)
            except Skip as reason:
                self.cannot = str(reason)
                raise
            except AssertionError as error:
                self.cannot = f"the build failed: {error}"
                raise
            self._layouts = {each: Layout(os.path.join(self.first, each + ".oci.tar")) for each in PROGRAMS}
        return self._layouts[name]

    # ---- what they are ---------------------------------------------------------------------------------------------------

    def test_same_in_another_folder(self):
        layout = self.built()
        version, revision, _ = builder.origin()
        seconds = builder.git("log", "-1", "--format=%ct") or "0"
        del version
        build(copy_of_sources(), self.second, [TWICE], [NAME], HOLDFAST_REVISION=revision or "", SOURCE_DATE_EPOCH=seconds, CCACHE_DISABLE="1")
        again = Layout(os.path.join(self.second, NAME + ".oci.tar"))
        one = machine.MACHINES[TWICE]
        equal("digest", again.image(one)[0]["digest"], layout.image(one)[0]["digest"])
        for name in (f"{NAME}-{TWICE}.tar", f"{NAME}-{TWICE}.spdx.json"):
            with open(os.path.join(self.first, name), "rb") as one_file, open(os.path.join(self.second, name), "rb") as other:
                equal(name + " is the same", one_file.read() == other.read(), True)

    def test_hosts_get_no_dynamic_program(self):
        """Without a static build the image has nothing for hosts, and says so, unless somebody asks for it."""
        programs = os.path.join(WORK, "no static build", "release")
        os.makedirs(os.path.dirname(programs))
        os.symlink(os.path.join(TOP, "build", "release"), programs)
        for wanted in (False, True):
            said = []
            image, _ = builder.Builder(WORK, said.append, wanted).image(NAME, machine.native(), programs, "/", "strip")
            oci.write_archive(os.path.join(WORK, "hosts.tar"), NAME, image)
            with tarfile.open(os.path.join(WORK, "hosts.tar")) as archive:
                layers = [archive.extractfile(member).read() for member in archive if member.name.endswith(".tar")]
            names = [member.name for layer in layers for member in tarfile.open(fileobj=io.BytesIO(layer))]
            equal("the command is there", "usr/bin/holdfast" in names, True)
            equal("programs for hosts", "usr/lib/holdfast/host/holdfast-agent" in names, wanted)
            equal("it says so", any("NoHostBuild" in line for line in said), not wanted)

    def test_two_builders_read_one_program(self):
        folder = os.path.join(TOP, "build", "release")
        before, program = set(os.listdir(folder)), os.path.join(folder, COMMAND)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            contents = list(pool.map(lambda _: builder.stripped(program, "strip"), range(12)))
        equal("contents", len(set(contents)), 1)
        equal("left beside it", set(os.listdir(folder)) - before - {COMMAND + ".debug"}, set())

    def test_size(self, one, name):
        _, manifest, _, _ = self.built(name).image(one)
        sizes = [layer["size"] for layer in manifest["layers"]]
        print(f"    {name} {one.name}: {sum(sizes)} bytes to fetch at first, {sizes[-1]} when only holdfast changed", flush=True)
        if sum(sizes) > LIMIT[name] or sizes[-1] > UPDATE_LIMIT[name]:
            raise AssertionError(f"layers of {sizes} bytes; at most {LIMIT[name]} together, and {UPDATE_LIMIT[name]} the last one")

    def test_labels(self, one, name):
        descriptor, manifest, config, _ = self.built(name).image(one)
        about = "org.opencontainers.image."
        equal("platform", {k: config.get(k) for k in ("architecture", "os", "variant") if k in config}, one.platform())
        with open(os.path.join(TOP, "Makefile"), encoding="utf-8") as text:
            version = re.search(r"^VERSION := (\S+)$", text.read(), re.MULTILINE)[1]
        commit = run("git", "-C", TOP, "rev-parse", "HEAD").decode().strip()
        when = run("git", "-C", TOP, "log", "-1", "--format=%ct").decode().strip()
        labels = config["config"]["Labels"]
        equal("labels are the manifest's annotations", labels, manifest["annotations"])
        equal("title", labels[about + "title"], name)
        equal("version", labels[about + "version"], version)
        equal("revision", labels[about + "revision"].removesuffix("-modified"), commit)
        equal("created", labels[about + "created"], time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(when))))
        equal("created of the configuration", config["created"], labels[about + "created"])
        equal("tag", self.built(name).tag, version)
        equal("entry point", config["config"]["Entrypoint"], [f"/usr/bin/{name}"])
        equal("user", config["config"]["User"], USERS[name])
        equal("media type", descriptor["mediaType"], oci.MANIFEST)

    def test_layers(self, one, name):
        _, _, config, layers = self.built(name).image(one)
        plain = [gzip.decompress(layer) for layer in layers]
        equal("diff_ids", config["rootfs"]["diff_ids"], ["sha256:" + sha256(layer) for layer in plain])
        for layer in layers:
            equal("name and time in the head of gzip", (layer[3], layer[4:8]), (0, bytes(4)))
        for layer in plain:
            with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
                for member in archive:
                    odd = member.uid or member.gid or member.mtime or (member.mode & 0o6000) or ".." in member.name.split("/")
                    equal(f"odd: {member.name}", bool(odd), False)
        equal("files of holdfast", list(files_of(plain[-1:])),
              [f"usr/bin/{program}" for program in PROGRAMS[name] if program != COMMAND] + [f"usr/lib/holdfast/{file}" for file in HOST if name == NAME] + ["usr/share/doc/holdfast/" + paper for paper in ("LICENSE", "NOTICE", "copyright") if paper != "copyright" or name == NAME])
        equal("programs of others", [path for path in files_of(plain[:1]) if "/bin/" in path or "/sbin/" in path], [])
        with tarfile.open(os.path.join(self.first, f"{name}-{one.name}.tar")) as archive:
            about = json.load(archive.extractfile("manifest.json"))[0]
            equal("docker-archive's layers", [archive.extractfile(layer).read() for layer in about["Layers"]] == plain, True)
            equal("docker-archive's configuration", json.load(archive.extractfile(about["Config"])), config)
            equal("docker-archive's name", about["RepoTags"], [f"{name}:{self.built(name).tag}"])

    def test_what_hosts_get_needs_nothing(self, one):
        _, _, _, layers = self.built().image(one)
        files = files_of([gzip.decompress(layers[-1])])
        for path in STATIC:
            needs = elf.needs(files["usr/lib/holdfast/" + path], path)
            equal(f"loader and libraries of {path}", (needs.interpreter, needs.libraries), (None, ()))

    def test_no_path_of_this_machine(self, one, name):
        _, _, _, layers = self.built(name).image(one)
        for path, data in files_of([gzip.decompress(layers[-1])]).items():
            for word in (TOP, machine.cache()):
                equal(f"{path} names {word}", word.encode() in data, False)

    def test_bill_of_materials(self, one, name):
        _, _, config, layers = self.built(name).image(one)
        files = files_of([gzip.decompress(layer) for layer in layers])
        with open(os.path.join(self.first, f"{name}-{one.name}.spdx.json"), encoding="utf-8") as text:
            bill = json.load(text)
        equal("version of SPDX", (bill["spdxVersion"], bill["dataLicense"], bill["SPDXID"]), ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"))
        listed = {entry["fileName"].removeprefix("./"): entry for entry in bill["files"]}
        equal("number of names", len(listed), len(bill["files"]))
        equal("files", sorted(listed), sorted(files))
        for path, data in files.items():
            sums = {c["algorithm"]: c["checksumValue"] for c in listed[path]["checksums"]}
            equal("sums of " + path, sums, {"SHA1": hashlib.sha1(data).hexdigest(), "SHA256": sha256(data)})
        self.check_relations(bill, listed)
        packages = {p["name"]: p for p in bill["packages"]}
        for package in ("libssl3", "libcurl4", "libwebsockets17", "libc6", "ca-certificates", "tzdata", "holdfast"):
            equal(f"version of {package}", bool(re.match(r"\d", packages[package]["versionInfo"])), True)
        equal("licence of holdfast", packages["holdfast"]["licenseDeclared"], "Apache-2.0")
        equal("licence of zlib1g", packages["zlib1g"]["licenseDeclared"], "Zlib")
        equal("licence of libssl3", packages["libssl3"]["licenseDeclared"], "Apache-2.0")
        purl = packages["libssl3"]["externalRefs"][0]["referenceLocator"]
        equal(f"purl {purl}", bool(re.fullmatch(rf"pkg:deb/debian/libssl3@[^@?]+\?arch={one.debian}", purl)), True)
        equal("created", bill["creationInfo"]["created"], config["created"])

    def test_licence_texts(self, one, name):
        """Each Debian package of which a file is there has its record there, and the licences that the records refer to; static programs have theirs."""
        _, _, _, layers = self.built(name).image(one)
        files = files_of([gzip.decompress(layer) for layer in layers])
        with open(os.path.join(self.first, f"{name}-{one.name}.spdx.json"), encoding="utf-8") as text:
            owners = [package["name"] for package in json.load(text)["packages"] if package.get("supplier") == "Organization: Debian"]
        equal("more than a few packages", len(owners) > 10, True)
        equal("packages without a record", [owner for owner in owners if f"usr/share/doc/{owner}/copyright" not in files], [])
        records = {path: data.decode(errors="replace") for path, data in files.items() if path.endswith("/copyright")}
        wanted = licences.referred("".join(records.values()))
        equal("licences that are not there", [word for word in wanted if len(files.get(f"{licences.COMMON}/{word}", b"")) < 1000], [])
        equal("the LGPL is there", "LGPL-2.1" in wanted, True)
        if name == NAME:
            equal("libraries without a record", notice.check_records(TOP, records["usr/share/doc/holdfast/copyright"]), [])

    def check_relations(self, bill, listed):
        """Each file is in exactly one package, each package in the image, and each identifier exists once."""
        ids = [entry["SPDXID"] for part in ("packages", "files") for entry in bill[part]] + ["SPDXRef-DOCUMENT"]
        equal("identifiers", len(set(ids)), len(ids))
        holders = {}
        for relation in bill["relationships"]:
            equal("ends of a relation", {relation["spdxElementId"], relation["relatedSpdxElement"]} <= set(ids), True)
            if relation["relationshipType"] == "CONTAINS":
                holders.setdefault(relation["relatedSpdxElement"], []).append(relation["spdxElementId"])
        described = [r["relatedSpdxElement"] for r in bill["relationships"] if r["relationshipType"] == "DESCRIBES"]
        equal("what is described", len(described), 1)
        for package in bill["packages"]:
            inside = [entry for entry in listed.values() if holders[entry["SPDXID"]] == [package["SPDXID"]]]
            if package["SPDXID"] == described[0]:
                continue
            equal(f"what holds {package['name']}", holders[package["SPDXID"]], described)
            sums = sorted(c["checksumValue"] for e in inside for c in e["checksums"] if c["algorithm"] == "SHA1")
            equal(f"verification code of {package['name']}", package["packageVerificationCode"]["packageVerificationCodeValue"],
                  hashlib.sha1("".join(sums).encode()).hexdigest())
        equal("packages that hold a file", {len(holders[entry["SPDXID"]]) for entry in listed.values()}, {1})

    # ---- that they work --------------------------------------------------------------------------------------------------

    def root(self, one, name=NAME):
        """A folder with the image's file system, and the words that start a program of it under the emulator."""
        _, _, _, layers = self.built(name).image(one)
        if shutil.which(one.qemu) is None:
            raise Skip(f"no {one.qemu} (package qemu-user)")
        root = os.path.join(WORK, f"root-{name}-{one.name}")
        shutil.rmtree(root, ignore_errors=True)
        for layer in layers:
            with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer))) as archive:
                archive.extractall(root)
        return root, [one.qemu, "-L", root]

    def test_starts(self, one, name):
        root, emulator = self.root(one, name)
        with open(os.path.join(TOP, "Makefile"), encoding="utf-8") as text:
            version = re.search(r"^VERSION := (\S+)$", text.read(), re.MULTILINE)[1]
        for program in PROGRAMS[name]:
            said = run(*emulator, os.path.join(root, "usr/bin", program), "--version").decode().strip()
            equal("what it says", said, f"{program} {version}")

    def test_hold(self, one):
        """The command of the image on a node's folders."""
        root, emulator = self.root(one)
        state = os.path.join(WORK, "state-" + one.name)
        os.makedirs(state, exist_ok=True)
        command = [*emulator, os.path.join(root, "usr/bin/holdfast")]
        said = run(*command, "hold", "--state-dir", state, "--reason", "line 3 is running", "--for", "8h").decode()
        equal("names its reason", "line 3 is running" in said, True)
        equal("the hold that is there", json.loads(run(*command, "hold", "--state-dir", state, "--json"))["active"], True)

    def test_update_by_delta(self, one):
        root, emulator = self.root(one)
        lacks = os.path.join(WORK, f"emulated-{one.name}.so")
        run(one.tool("gcc"), "-D_GNU_SOURCE", "-Wall", "-Werror", "-O1", "-shared", "-fPIC", "-o", lacks, os.path.join(HERE, "emulated.c"))
        fault.ARCH = NODE_ARCH[one.name]
        place = fault.Node(os.path.join(WORK, "node-" + one.name), fault.Artifacts())
        try:
            old, new = place.build("1.0.0", 1), place.build("2.0.0", 2)
            shutil.copy(old, place.path)
            place.start_service()
            place.start_agent(program=os.path.join(root, "usr/bin", NAME), wrapper=[*emulator, "-E", f"LD_PRELOAD={lacks}"])
            place.apply("app", place.create("app", "2.0.0", 1, new, old=old))
            row = place.wait_end("app", 1, 60)
            equal("end", (row["phase"], row["reason"], row["method"]), ("Committed", "HealthPassed", "Delta"))
            equal("file", fault.sha256(place.path), fault.sha256(new))
            if row["bytesFetched"] > os.path.getsize(new) / 20:
                raise AssertionError(f"{row['bytesFetched']} bytes fetched for a file of {os.path.getsize(new)}")
        finally:
            place.end()

    def test_containerd_takes_its_own(self):
        """A layout of this machine's image and the two others: containerd takes the right one and runs it."""
        self.built()
        if os.geteuid() != 0:
            raise Skip("needs root: containerd and runc")
        missing = [name for name in ("containerd", "ctr", "runc") if shutil.which(name) is None]
        if missing:
            raise Skip(f"not installed: {', '.join(missing)} (hack/setup.sh e2e)")
        own = machine.native()
        maker = builder.Builder(WORK, print)
        layout = oci.Layout()
        for name in MACHINES:
            if name != own.name:
                layout.copy(os.path.join(self.first, NAME + ".oci.tar"), machine.MACHINES[name])
        image, _ = maker.image(NAME, own, os.path.join(TOP, "build", "release"), "/", "strip")
        layout.add(image)
        path = os.path.join(WORK, "three.oci.tar")
        digest = layout.write(path, maker.version, maker.notes(NAME))
        with Containerd(os.path.join(WORK, "containerd")) as engine:
            engine.ctr("images", "import", "--base-name", NAME, path)
            listed = engine.ctr("images", "ls", f"name=={maker.reference(NAME)}").splitlines()[1].split()
            equal("digest of the import", listed[2], digest)
            said = engine.ctr("run", "--rm", "--snapshotter", "native", maker.reference(NAME), "native", f"/usr/bin/{NAME}", "--version")
            equal("what it says", said.strip(), f"{NAME} {maker.version}")


class Containerd:
    """A containerd of its own, with nothing but what is imported."""

    def __init__(self, folder):
        self.folder, self.daemon, self.log = folder, None, None
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)

    def __enter__(self):
        with open(os.path.join(self.folder, "config.toml"), "w", encoding="ascii") as f:
            f.write(f'version = 2\nroot = "{self.folder}/root"\nstate = "{self.folder}/state"\n'
                    f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "{self.folder}/socket"\n')
        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.daemon = subprocess.Popen(["containerd", "-c", os.path.join(self.folder, "config.toml")], stdout=self.log, stderr=self.log)
        end = time.monotonic() + 30
        while subprocess.run(["ctr", "-a", f"{self.folder}/socket", "version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             check=False).returncode != 0:
            if time.monotonic() > end or self.daemon.poll() is not None:
                self.__exit__()
                raise AssertionError(f"containerd does not answer: see {self.folder}/log")
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.daemon.terminate()
        self.daemon.wait()
        self.log.close()

    def ctr(self, *argv):
        return run("ctr", "-a", f"{self.folder}/socket", "-n", "holdfast", *argv).decode()


# ---- running -----------------------------------------------------------------------------------------------------------


def tests(of, words):
    """(name, function without arguments) of each test."""
    values = {"one": [machine.MACHINES[name] for name in MACHINES], "name": list(PROGRAMS)}
    for method in [getattr(of, n) for n in vars(Suite) if n.startswith("test_")]:
        takes = list(inspect.signature(method).parameters)
        for chosen in itertools.product(*(values[argument] for argument in takes)):
            said = [getattr(value, "name", value) for value in chosen]
            full = " ".join([method.__name__.removeprefix("test_"), *said])
            if not words or any(word in full for word in words):
                yield full, functools.partial(method, *chosen)


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    return suite.run(tests(Suite(), sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
