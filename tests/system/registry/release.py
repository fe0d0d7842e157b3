#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`holdfast release push` to a real registry (distribution, from Go modules) that wants tokens, and the real agent, which fetches the
release from it by its oci:// URLs, whole and by delta.

    tests/system/registry/release.py [WORD...]      only the tests whose name contains one of the words

Prints "N passed, N failed, N skipped" last."""
import json
import os
import shutil
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path[:0] = [HERE, os.path.join(TOP, "tests", "support"), os.path.join(TOP, "tests", "system", "fault")]
import image_delta as lab  # noqa: E402
import suite  # noqa: E402
from node import ARCH, Node, sha256, wait  # noqa: E402
from suite import equal  # noqa: E402

lab.WORK = os.path.join(TOP, "build", "system", "release-push")
LOGIN, SIZE = lab.LOGIN, 1 << 20


class Tests:
    def test_a_release_from_a_registry_with_tokens(self):
        cert, key = lab.certificate("tokens")
        with lab.Tokens(cert, key) as tokens:
            auth = {"token": {"realm": f"http://127.0.0.1:{tokens.port}/token", "service": "edge", "issuer": "tests", "rootcertbundle": cert}}
            with lab.registry("token", auth, None) as port:
                node = Node(os.path.join(lab.WORK, "node"), None)
                try:
                    self.release(node, port, tokens)
                finally:
                    node.end()

    def release(self, node, port, tokens):
        base = f"oci://127.0.0.1:{port}/edge/app"
        self.options = ["--authfile", lab.write("login.json", lab.logins(port, LOGIN))]
        old, new = self.versions(node)
        whole = self.create(node, base, 1, old)
        said = node.holdfast("release", "push", whole, "--authfile", lab.write("none.json", "{}"), good=False)
        if "the file of logins has none" not in said:
            raise AssertionError(said)
        said = node.holdfast("release", "push", whole, *self.options)
        if f"2 files (1.0 MB) pushed to 127.0.0.1:{port}/edge/app:app-1.0.1" not in said:
            raise AssertionError(said)
        node.holdfast("release", "verify", whole, "--artifacts", os.path.dirname(whole), "--trust-dir", node.place("trust.d"))
        self.artifact(port, tokens, "app-1.0.1", whole)

        self.configure(node, port, "wrong")
        self.apply(node, whole)
        node.start_agent("--config", node.place("agent.yaml"))
        wait("the refusal", lambda: "token from http://127.0.0.1" in node.update("app").get("message", ""), 60)
        asked = len(tokens.asked)
        self.password(node, LOGIN.partition(":")[2])
        equal("the first", node.wait_end("app", 1)["phase"], "Committed")
        equal("content", sha256(node.path), sha256(old))
        equal("scopes of the agent", set(tokens.asked[asked:]), {"repository:edge/app:pull"})

        delta = self.create(node, base, 2, new, old)
        node.holdfast("release", "push", os.path.relpath(delta), *self.options)
        self.artifact(port, tokens, "app-1.0.2", delta)
        said = node.holdfast("release", "verify", delta, "--artifacts", os.path.dirname(whole), "--trust-dir", node.place("trust.d"), good=False)
        if "no file has this digest" not in said:
            raise AssertionError(said)
        before = node.update("app").get("bytesFetched", 0)
        self.apply(node, delta)
        equal("the second", node.wait_end("app", 2)["phase"], "Committed")
        equal("content", sha256(node.path), sha256(new))
        if node.update("app").get("bytesFetched", before) > SIZE // 4:
            raise AssertionError(f"no delta: {node.update('app')}")
        with open(node.place("agent.log"), encoding="utf-8", errors="replace") as log:
            if "correct horse" in log.read():
                raise AssertionError("the password is in the log")

        os.truncate(next(entry.path for entry in os.scandir(os.path.dirname(delta)) if entry.name.endswith(".delta")), 10)
        said = node.holdfast("release", "push", delta, *self.options, good=False)
        if "it is missing, or has changed" not in said:
            raise AssertionError(said)

    def versions(self, node):
        old, new = node.place("versions", "1"), node.place("versions", "2")
        content = bytearray(os.urandom(SIZE))
        for path in (old, new):
            with open(path, "wb") as file:
                file.write(content)
            content[SIZE // 2:SIZE // 2 + 1000] = os.urandom(1000)
        return old, new

    def create(self, node, base, number, new, old=None):
        out = node.place("releases", str(number))
        node.holdfast("release", "create", "--name", "app", "--version", f"1.0.{number}", "--sequence", str(number), "--path", node.path,
                      "--update-root", node.place("root"), "--everywhere", "--artifact", f"{ARCH}={new}" + (f",old={old}" if old else ""),
                      "--url-base", base, "--no-health-check", "--key", node.key, "--key-id", "k1", "--fast", "--expires", "1d", "--out", out)
        return os.path.join(out, f"app-1.0.{number}.yaml")

    def artifact(self, port, tokens, tag, path):
        """What the registry lists under the tag is what the folder has."""
        site = lab.Site(f"http://127.0.0.1:{port}", "Bearer " + tokens.make("repository:edge/app:pull"), None)
        manifest = json.loads(site.get(f"/v2/edge/app/manifests/{tag}"))
        equal("type", manifest["artifactType"], "application/vnd.holdfast.release.v1")
        folder = os.path.dirname(path)
        listed = {layer["annotations"]["org.opencontainers.image.title"]: layer["digest"] for layer in manifest["layers"]}
        equal("layers", listed, {name: "sha256:" + sha256(os.path.join(folder, name)) for name in os.listdir(folder)})
        for digest in listed.values():
            equal("blob", lab.digest_of(site.get(f"/v2/edge/app/blobs/{digest}")), digest)

    def password(self, node, text):
        with open(node.place("password"), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(node.place("password"), 0o600)

    def configure(self, node, port, password):
        self.password(node, password)
        with open(node.place("agent.yaml"), "w", encoding="utf-8") as file:
            json.dump({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "AgentConfiguration", "artifacts": [
                {"url": f"http://127.0.0.1:{port}", "user": LOGIN.partition(":")[0], "passwordFile": node.place("password"),
                 "allowPlainHttp": True}]}, file)

    def apply(self, node, path):
        with open(path, encoding="utf-8") as file:
            node.apply("update", file.read())

    def test_what_is_refused(self):
        folder = os.path.join(lab.WORK, "refused")
        os.makedirs(folder)
        artifact = os.path.join(folder, "new")
        with open(artifact, "wb") as file:
            file.write(b"x" * 1000)
        for base, text in (("https://releases.example.com", "no URL of the release is oci://"), ("oci://127.0.0.1:1/edge/app", "127.0.0.1:1"),
                           ("oci://registry/app", "https://registry")):
            out = os.path.join(folder, "out")
            lab.holdfast("release", "create", "--name", "app", "--version", "1", "--sequence", "1", "--path", "/opt/app", "--everywhere",
                         "--artifact", f"amd64={artifact}", "--url-base", base, "--no-health-check", "--out", out)
            said = lab.holdfast("release", "push", os.path.join(out, "app-1.yaml"), code=2 if base.startswith("https") else 1)
            if text not in said:
                raise AssertionError(said)
            shutil.rmtree(out)
        said = lab.holdfast("release", "create", "--name", "app", "--version", "1", "--sequence", "1", "--path", "/opt/app", "--everywhere",
                            "--artifact", f"amd64={artifact}", "--url-base", "oci://Registry/App", "--no-health-check", "--out", folder + "/out", code=2)
        if "--url-base 'oci://Registry/App': expected" not in said:
            raise AssertionError(said)


def main():
    shutil.rmtree(lab.WORK, ignore_errors=True)
    os.makedirs(lab.WORK)
    tests, words = Tests(), sys.argv[1:]
    names = [name for name in dir(tests) if name.startswith("test_")]
    return suite.run([(name[5:], getattr(tests, name)) for name in names if not words or any(word in name for word in words)])


if __name__ == "__main__":
    sys.exit(main())
