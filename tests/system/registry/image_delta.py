#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`holdfast image delta` between images whose layers real tools made, applied by `holdfast delta apply`, and pushed to a real registry
(distribution, from Go modules) that wants a password over TLS, or tokens.

    tests/system/registry/image_delta.py [WORD...]      only the tests whose name contains one of the words

Prints "N passed, N failed, N skipped" last."""
import base64
import contextlib
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tarfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path[:0] = [HERE, os.path.join(TOP, "tests", "support")]
import suite  # noqa: E402
from layouts import INDEX, MANIFEST, Layout, digest_of  # noqa: E402
from suite import Skip, equal  # noqa: E402

HOLDFAST = os.path.join(TOP, "build", "release", "holdfast")
WORK = os.path.join(TOP, "build", "system", "image-delta")
NOTE = "edge.codcompass.io/"
DELTA, ARTIFACT = "application/vnd.holdfast.layer.delta.v1", "application/vnd.holdfast.image.delta.v1"
LOGIN = "pusher:correct horse"
HTPASSWD = "pusher:$2b$04$L.5ZVMSfFzDTj3gztrdhk.P7ozvJ3WrnhYc0m8gJYU8HtQVUOgyaa\n"  # of LOGIN


def holdfast(*words, code=0, **more):
    done = subprocess.run([HOLDFAST, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, cwd=WORK, **more)
    if done.returncode != code:
        raise AssertionError(f"holdfast {' '.join(words)}: exit code {done.returncode}, not {code}: {done.stdout}")
    return done.stdout


def tree(name, files):
    for path, data in files.items():
        place = os.path.join(WORK, name, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as file:
            file.write(data)
    return os.path.join(WORK, name)


def sources():
    """Python's own modules: text that is everywhere."""
    folder = os.path.dirname(os.__file__)
    found = {}
    for name in sorted(os.listdir(folder))[:60]:
        if name.endswith(".py"):
            with open(os.path.join(folder, name), "rb") as file:
                found["lib/" + name] = file.read()
    return found


def make_images():
    """v1 and v2 for two processors: one layer stays, one changes in gzip or zstd, one changes and is not compressed, one is new."""
    shutil.rmtree(WORK, ignore_errors=True)
    old = sources()
    new = {path: data.replace(b"self", b"this") if i % 40 == 0 else data for i, (path, data) in enumerate(old.items())}
    noise, layouts = os.urandom(9 << 20), []  # more than one piece of an upload
    for tag, lib in (("1", old), ("2", new)):
        layout = Layout(os.path.join(WORK, "v" + tag))
        for architecture, packer in (("amd64", "+gzip"), ("arm64", "+zstd")):
            layers = [layout.layer(tree("base", {"etc/os": b"x" * 5000}), "+gzip"),
                      layout.layer(tree("lib" + tag, lib), packer),
                      layout.layer(tree("app" + tag, {"app": tag.encode() + old["lib/argparse.py"]}), "")]
            if tag == "2":
                layers.append(layout.layer(tree("more", {"noise": os.urandom(3000)}), "+gzip"))
            if tag == "2" and architecture == "arm64":
                layers.append(layout.layer(tree("large", {"noise": noise, "lib": old["lib/argparse.py"]}), ""))
            layout.image(architecture, layers)
        layout.finish(tag)
        layouts.append(layout)
    return layouts


def read_json(*path):
    with open(os.path.join(WORK, *path), encoding="utf-8") as file:
        return json.load(file)


def content(path):
    with open(path, "rb") as file:
        return file.read()


class Tests:
    def __init__(self):
        self.old, self.new = make_images()
        self.said = None

    # ---- layouts ------------------------------------------------------------------------------------------------------

    def test_a_stick_makes_the_new_image_from_the_old_one(self):
        said = self.stick()
        images = self.new.text(self.new.manifests[0]["digest"]), self.new.text(self.new.manifests[1]["digest"])
        olds = self.old.text(self.old.manifests[0]["digest"]), self.old.text(self.old.manifests[1]["digest"])
        offers = read_json("stick", "index.json")["manifests"]
        equal("offers", [(one["artifactType"], one["annotations"][NOTE + "to"], one["annotations"][NOTE + "from"]) for one in offers],
              [(ARTIFACT, to["digest"], of["digest"]) for to, of in zip(self.new_manifests(), self.old_manifests())])
        stick = Layout(os.path.join(WORK, "stick"))
        for offer, image, old, to in zip(offers, images, olds, self.new_manifests()):
            artifact = stick.text(offer["digest"])
            equal("subject", artifact["subject"], to)
            equal("bytes", offer["annotations"][NOTE + "bytes"], str(sum(layer["size"] for layer in artifact["layers"])))
            self.rebuild(stick, artifact, image, old)
            if "by delta" not in said or f"{len(content(stick.path(offer['digest'])))}" == "0":
                raise AssertionError(said)
        holdfast("image", "delta", "v1", "v2", "-o", "stick", "--fast", "--platform", "linux/amd64")
        equal("a second run", sorted(one["digest"] for one in read_json("stick", "index.json")["manifests"]), sorted(one["digest"] for one in offers))

    def stick(self):
        """The layout that the other tests compare with; what the command said."""
        if self.said is None:
            self.said = holdfast("image", "delta", "v1", "v2", "-o", "stick", "--fast")
        return self.said

    def new_manifests(self):
        return [{key: one[key] for key in ("mediaType", "digest", "size")} for one in self.new.manifests]

    def old_manifests(self):
        return [{key: one[key] for key in ("mediaType", "digest", "size")} for one in self.old.manifests]

    def rebuild(self, stick, artifact, image, old):
        """A node with the old layers and the stick, and nothing else."""
        node = Layout(os.path.join(WORK, "node"))
        for layer in old["layers"]:
            shutil.copy(self.old.path(layer["digest"]), node.path(layer["digest"]))
        kinds = []
        for blob in artifact["layers"]:
            notes = blob.get("annotations", {})
            equal("blob", digest_of(content(stick.path(blob["digest"]))), blob["digest"])
            if blob["mediaType"] != DELTA:
                shutil.copy(stick.path(blob["digest"]), node.path(blob["digest"]))
                continue
            made = os.path.join(WORK, "made")
            equal("base", set(notes[NOTE + "from"].split(",")) <= {layer["digest"] for layer in old["layers"]}, True)
            holdfast("delta", "apply", node.folder, stick.path(blob["digest"]), made)
            equal("layer", (digest_of(content(made)), str(os.path.getsize(made))), (notes[NOTE + "to"], notes[NOTE + "to.size"]))
            if blob["size"] >= os.path.getsize(made):
                raise AssertionError("a delta as large as its layer")
            shutil.move(made, node.path(notes[NOTE + "to"]))
            kinds.append(notes[NOTE + "to"])
        for layer in [*image["layers"], image["config"], artifact["subject"]]:
            equal("on the node", digest_of(content(node.path(layer["digest"]))), layer["digest"])
        if image["layers"][0]["digest"] in [blob["digest"] for blob in artifact["layers"]] or image["layers"][1]["digest"] not in kinds:
            raise AssertionError("which layers are by delta")
        shutil.rmtree(node.folder)

    def test_dry_run_keeps_nothing(self):
        before = sorted(os.listdir(WORK))
        said = holdfast("image", "delta", "v1:1", "v2@" + digest_of(content(self.index_path())), "--dry-run", "--fast", "--platform", "linux/amd64")
        equal("files", sorted(os.listdir(WORK)), before)
        for words in ("linux/amd64  a node with v1:1 fetches ", " by delta (", " without), a new node "):
            if words not in said or "arm64" in said:
                raise AssertionError(said)

    def index_path(self):
        return self.new.path(read_json("v2", "index.json")["manifests"][0]["digest"])

    # ---- archives -----------------------------------------------------------------------------------------------------

    def test_archives(self):
        for tag, layout in (("1", self.old), ("2", self.new)):
            image = layout.text(layout.manifests[0]["digest"])
            with tarfile.open(os.path.join(WORK, f"saved{tag}.tar"), "w") as tar:
                names = []
                for number, layer in enumerate(image["layers"]):
                    names.append(f"{number}/layer.tar")
                    tar.add(layout.path(layer["digest"]), names[-1])
                tar.add(layout.path(image["config"]["digest"]), "config.json")
                listed = os.path.join(WORK, "manifest.json")
                with open(listed, "w", encoding="ascii") as file:
                    json.dump([{"Config": "config.json", "RepoTags": ["app:" + tag], "Layers": names}], file)
                tar.add(listed, "manifest.json")
            subprocess.run(["tar", "-C", layout.folder, "-cf", os.path.join(WORK, f"oci{tag}.tar"), "."], check=True)
        holdfast("image", "delta", "saved1.tar", "saved2.tar", "-o", "saved", "--fast")
        stick, offer = Layout(os.path.join(WORK, "saved")), read_json("saved", "index.json")["manifests"]
        artifact = stick.text(offer[0]["digest"])
        image = stick.text(artifact["subject"]["digest"])
        equal("layers", [layer["digest"] for layer in image["layers"]],
              [layer["digest"] for layer in self.new.text(self.new.manifests[0]["digest"])["layers"]])
        self.rebuild(stick, artifact, image, self.old.text(self.old.manifests[0]["digest"]))
        one = holdfast("image", "delta", "oci1.tar", "oci2.tar", "--dry-run", "--fast", "--platform", "linux/amd64")
        equal("an OCI layout as an archive", one.replace("oci1.tar", "v1"),
              holdfast("image", "delta", "v1", "v2", "--dry-run", "--fast", "--platform", "linux/amd64"))

    # ---- what is refused ----------------------------------------------------------------------------------------------

    def test_layers_that_unpack_to_much_more_go_in_whole(self):
        bomb, names = b"\0" * (48 << 20), []
        for tag in "12":
            layout = Layout(os.path.join(WORK, "bomb" + tag))
            layout.image("amd64", [layout.layer(tree("zeros" + tag, {"zeros": tag.encode() + bomb}), "+gzip")])
            layout.finish(tag)
            names.append("bomb" + tag)
        limit = 80 << 20  # of ru_maxrss; unpacked, both layers have 96 MiB
        for memory, whole in (("16Mi", True), ("2Gi", False)):
            code = "import resource, subprocess, sys; r = subprocess.run(sys.argv[1:]).returncode; " \
                   "print('kB', resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(r)"
            done = subprocess.run([sys.executable, "-c", code, HOLDFAST, "image", "delta", *names, "--dry-run", "--fast", "--memory", memory],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True, cwd=WORK)
            equal(f"{memory}: says so", "goes in whole: unpacked, it is larger than the memory for it; --memory SIZE allows more" in done.stdout, whole)
            equal(f"{memory}: in bounds", int(done.stdout.split()[-1]) << 10 < limit, whole)

    def test_damage_and_mistakes(self):
        shutil.copytree(self.new.folder, os.path.join(WORK, "bad"))
        layer = self.new.text(self.new.manifests[0]["digest"])["layers"][1]["digest"]
        path = Layout(os.path.join(WORK, "bad")).path(layer)
        data = bytearray(content(path))
        data[len(data) // 2] ^= 1
        with open(path, "wb") as file:
            file.write(data)
        os.makedirs(os.path.join(WORK, "odd", "index.json"))
        for words, code, text in (
                (("v1", "bad", "-o", "none"), 3, f"blob '{layer}' is damaged"),
                (("v1", "v2:9", "-o", "none"), 1, "no image '9'"),
                (("v1", "nothing", "-o", "none"), 1, "no such file or folder"),
                (("v1", "v1", "-o", "none"), 1, "no platform"),
                (("v1", "docker://app:1", "--dry-run"), 2, "HOST/REPOSITORY"),
                (("v1", "docker://r.example/app", "--dry-run"), 2, "neither a tag nor a digest"),
                (("v1", "docker://127.0.0.1:1/app:1", "--dry-run"), 1, "127.0.0.1:1"),
                (("v1", "v2"), 2, "--dry-run"),
                (("v1", "v2", "--push"), 2, "docker://"),
                (("v1", os.path.join(TOP, "Makefile"), "-o", "none"), 3, "tar"),
                (("v2", "-o", "none"), 2, "OLD... NEW"),
                (("v2", "-o", "none", "--from-last", "3"), 2, "docker://HOST/REPOSITORY:TAG"),
                (("v2", "-o", "none", "--from-last", "0"), 2, "--from-last"),
                (("v1", "odd", "-o", "none"), 3, "odd/index.json': not a regular file"),
                (("v1", "v2", "-o", "none", "--authfile", WORK), 1, "is a folder: name a file"),
                (("v1", "v2", "-o", "none", "--ca-file", WORK), 1, "is a folder: name a file"),
                (("v1", "v2", "-o", os.path.join(TOP, "Makefile")), 1, "Makefile' is not a folder"),
                (("v1", "v2", "-o", "none", "--memory", "x"), 2, "--memory"),
                (("v1", "v2", "-o", "none", "--memory", "0"), 2, "--memory"),
                (("v1", "v2", "-o", "none", "--threads", "x"), 2, "--threads")):
            said = holdfast("image", "delta", "--fast", *words, code=code)
            if text not in said:
                raise AssertionError(f"{words}: {said}")
        equal("nothing is left", os.path.exists(os.path.join(WORK, "none")), False)

    # ---- registries ---------------------------------------------------------------------------------------------------

    def test_a_registry_behind_tls_and_a_password(self):
        cert, key = certificate("registry")
        auth = {"htpasswd": {"realm": "edge", "path": write("htpasswd", HTPASSWD)}}
        with registry("basic", auth, {"certificate": cert, "key": key}) as port:
            site = Site(f"https://127.0.0.1:{port}", "Basic " + base64.b64encode(LOGIN.encode()).decode(), cert)
            self.push_and_compare(port, site, ["--ca-file", cert])
            images = f"docker://127.0.0.1:{port}/edge/app:1", f"docker://127.0.0.1:{port}/edge/app:2"
            for login, text in (("{}", "the file of logins has none"), (logins(port, "pusher:wrong"), "answers 401")):
                said = holdfast("image", "delta", *images, "--dry-run", "--ca-file", cert, "--authfile", write("none.json", login), code=1)
                if text not in said or "wrong" in said:
                    raise AssertionError(said)
            said = holdfast("image", "delta", *images, "--dry-run", "--authfile", write("login.json", logins(port, LOGIN)), code=1)
            if "127.0.0.1" not in said or "horse" in said:
                raise AssertionError(said)

    def test_a_registry_with_tokens(self):
        cert, key = certificate("tokens")
        with Tokens(cert, key) as tokens:
            auth = {"token": {"realm": f"http://127.0.0.1:{tokens.port}/token", "service": "edge", "issuer": "tests", "rootcertbundle": cert}}
            with registry("token", auth, None) as port:
                site = Site(f"http://127.0.0.1:{port}", "Bearer " + tokens.make("repository:edge/app:pull,push"), None)
                self.push_and_compare(port, site, [])
        equal("scopes", {",".join(sorted(scope.split(":")[2].split(","))) for scope in tokens.asked}, {"pull", "pull,push"})

    def push_and_compare(self, port, site, options):
        """Pushes the deltas; the referrers list them, and they are those of the stick."""
        for tag, layout in (("1", self.old), ("2", self.new)):
            site.push("edge/app", layout, tag)
        names = [f"docker://127.0.0.1:{port}/edge/app:{tag}" for tag in ("1", "2")]
        options = [*options, "--authfile", write("login.json", logins(port, LOGIN)), "--fast"]
        said = holdfast("image", "delta", *names, "--push", *options)
        self.stick()
        local = Layout(os.path.join(WORK, "stick"))
        offers = {offer["annotations"][NOTE + "to"]: offer for offer in read_json("stick", "index.json")["manifests"]}
        for to in self.new.manifests:
            offer = offers[to["digest"]]
            listed = json.loads(site.get(f"/v2/edge/app/manifests/sha256-{to['digest'][7:]}"))
            equal("referrers", (listed["mediaType"], listed["manifests"]), (INDEX, [offer]))
            pushed = site.get(f"/v2/edge/app/manifests/{offer['digest']}")
            equal("artifact", pushed, content(local.path(offer["digest"])))
            for blob in json.loads(pushed)["layers"]:
                equal("blob", digest_of(site.get(f"/v2/edge/app/blobs/{blob['digest']}")), blob["digest"])
            if f"{offer['digest']} pushed to 127.0.0.1:{port}/edge/app" not in said:
                raise AssertionError(said)
        equal("the last versions", holdfast("image", "delta", names[1], "--from-last", "3", "--dry-run", "--platform", "linux/amd64", *options),
              holdfast("image", "delta", *names, "--dry-run", "--platform", "linux/amd64", *options))
        said = holdfast("image", "delta", names[0], "--from-last", "3", "--dry-run", *options, code=1)
        if "no platform" not in said:
            raise AssertionError(said)
        self.signed_meanwhile(site, names, options)

    def signed_meanwhile(self, site, names, options):
        """By cosign's tag of the index, and by a referrer of the manifest: these are inside then. An attestation stays where it is."""
        index, manifest = digest_of(content(self.index_path())), self.new.manifests[0]
        tag, inside = f"/v2/edge/app/manifests/sha256-{manifest['digest'][7:]}", []
        for kind, name in (("dev.cosign.simplesigning.v1+json", f"sha256-{index[7:]}.sig"), ("cncf.notary.signature", None), ("in-toto+json", None)):
            blobs = [b"{}", kind.encode()]
            for blob in blobs:
                site.push_blob("edge/app", blob)
            config, payload = ({"mediaType": "application/vnd." + kind, "digest": digest_of(blob), "size": len(blob)} for blob in blobs)
            text = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd." + kind, "config": config,
                               "layers": [payload], **({} if name else {"subject": manifest})}).encode()
            site.ask("PUT", f"/v2/edge/app/manifests/{name or digest_of(text)}", text, MANIFEST).close()
            if name is None:
                listed = json.loads(site.get(tag))
                listed["manifests"].append({"mediaType": MANIFEST, "digest": digest_of(text), "size": len(text), "artifactType": "application/vnd." + kind})
                site.ask("PUT", tag, json.dumps(listed).encode(), INDEX).close()
            if kind != "in-toto+json":
                inside += [text, *blobs]
        holdfast("image", "delta", *names, "--push", "-o", "signed", "--platform", "linux/amd64", *options)
        equal("listed once", [one["artifactType"] for one in json.loads(site.get(tag))["manifests"]].count(ARTIFACT), 1)
        stick = Layout(os.path.join(WORK, "signed"))
        artifact = stick.text(read_json("signed", "index.json")["manifests"][0]["digest"])
        equal("signatures", [blob["digest"] for blob in artifact["layers"] if blob["digest"] in {digest_of(one) for one in inside}],
              [digest_of(one) for one in dict.fromkeys(inside)])
        equal("payloads", [content(stick.path(digest_of(one))) for one in inside], inside)
        equal("attestations", digest_of(b"in-toto+json") in {blob["digest"] for blob in artifact["layers"]}, False)
        shutil.rmtree(stick.folder)


def write(name, text):
    path = os.path.join(WORK, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def logins(port, login):
    return json.dumps({"auths": {f"127.0.0.1:{port}": {"auth": base64.b64encode(login.encode()).decode()}}})


def certificate(name):
    cert, key = os.path.join(WORK, name + ".crt"), os.path.join(WORK, name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + name, "-addext",
                    "subjectAltName=IP:127.0.0.1", "-out", cert, "-keyout", key], check=True, stderr=subprocess.DEVNULL)
    return cert, key


@contextlib.contextmanager
def registry(name, auth, tls):
    """A registry on a port of its own, until the end of the block."""
    if shutil.which("go") is None:
        raise Skip("no Go")
    built = subprocess.run([os.path.join(TOP, "tests/system/dist/registry/build")], stdout=subprocess.PIPE, text=True, check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": os.path.join(WORK, "registry-" + name)}}, "auth": auth,
              "http": {"addr": f"127.0.0.1:{port}", **({"tls": tls} if tls else {})}}
    path = write(f"registry-{name}.yaml", json.dumps(config))
    with open(os.path.join(WORK, f"registry-{name}.log"), "w", encoding="utf-8") as said:
        with subprocess.Popen([built.stdout.split()[-1], "serve", path], stdout=said, stderr=said) as server:
            try:
                for _ in range(600):
                    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                        break
                    time.sleep(0.1)
                yield port
            finally:
                server.terminate()


class Site:
    """A registry as another client sees it."""

    def __init__(self, origin, authorization, ca):
        self.origin, self.authorization = origin, authorization
        self.context = ssl.create_default_context(cafile=ca) if ca else None

    def ask(self, method, path, data=None, kind="application/octet-stream"):
        url = path if "://" in path else self.origin + path
        head = {"Authorization": self.authorization, "Content-Type": kind, "Accept": f"{INDEX}, {MANIFEST}, */*"}
        return urllib.request.urlopen(urllib.request.Request(url, data, head, method=method), timeout=60, context=self.context)

    def get(self, path):
        with self.ask("GET", path) as answer:
            return answer.read()

    def push_blob(self, repository, blob):
        with self.ask("POST", f"/v2/{repository}/blobs/uploads/") as begun:
            place = begun.headers["Location"]
        mark = "&" if "?" in place else "?"
        self.ask("PUT", place + mark + urllib.parse.urlencode({"digest": digest_of(blob)}), blob).close()

    def push(self, repository, layout, tag):
        folder = os.path.join(layout.folder, "blobs", "sha256")
        manifests = [one["digest"] for one in layout.manifests]
        index = read_json(os.path.basename(layout.folder), "index.json")["manifests"][0]["digest"]
        for digest in ("sha256:" + name for name in sorted(os.listdir(folder))):
            if digest in (*manifests, index):
                continue
            self.push_blob(repository, content(layout.path(digest)))
        for digest in manifests:
            self.ask("PUT", f"/v2/{repository}/manifests/{digest}", content(layout.path(digest)), MANIFEST).close()
        self.ask("PUT", f"/v2/{repository}/manifests/{tag}", content(layout.path(index)), INDEX).close()


class Tokens:
    """A service for tokens: JSON web tokens that the registry's own code verifies, for who knows the password."""

    def __init__(self, cert, key):
        self.key, self.asked = key, []
        self.x5c = base64.b64encode(ssl.PEM_cert_to_DER_cert(content(cert).decode())).decode()

    def make(self, scope):
        def part(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=")
        kind, name, actions = scope.split(":")
        now = int(time.time())
        claims = {"iss": "tests", "sub": "pusher", "aud": "edge", "iat": now, "nbf": now - 10, "exp": now + 600, "jti": "1",
                  "access": [{"type": kind, "name": name, "actions": actions.split(",")}]}
        text = part(json.dumps({"typ": "JWT", "alg": "RS256", "x5c": [self.x5c]}).encode()) + b"." + part(json.dumps(claims).encode())
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=text, stdout=subprocess.PIPE, check=True).stdout
        return (text + b"." + part(signed)).decode()

    def __enter__(self):
        tokens = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                known = self.headers["Authorization"] == "Basic " + base64.b64encode(LOGIN.encode()).decode()
                scope = query.get("scope", [""])[0]
                if known and query.get("service") == ["edge"]:
                    tokens.asked.append(scope)
                    body = json.dumps({"token": tokens.make(scope)}).encode()
                self.send_response(200 if known else 401)
                self.end_headers()
                if known:
                    self.wfile.write(body)

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def main():
    tests, words = Tests(), sys.argv[1:]
    names = [name for name in dir(tests) if name.startswith("test_")]
    return suite.run([(name[5:], getattr(tests, name)) for name in names if not words or any(word in name for word in words)])


if __name__ == "__main__":
    sys.exit(main())
