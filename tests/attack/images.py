# SPDX-License-Identifier: Apache-2.0
"""Attacks on the list of images: a stolen cluster, a clock or a local user tries to have an image pulled that no signed list has.

containerd's question is asked as containerd asks it: by these arguments, with the descriptor on standard input; the exit code decides."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time

from lab import PROGRAMS, wait
from node import Node
from run import Skip

GOOD, BAD, OLD = ("sha256:" + letter * 64 for letter in "abc")
LATER = 7 * 24 * 3600


def day(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def policy(digests, name="site", sequence=1, expires=LATER, priority=0, more=""):
    return ("apiVersion: edge.codcompass.io/v1alpha1\nkind: SyncPolicy\nmetadata: {name: %s}\nspec:\n  nodeSelector: {}\n"
            "  interval: 10s\n  priority: %d\n  sequence: %d\n%s  images:\n    allow:\n      expires: %s\n      digests: %s\n"
            % (name, priority, sequence, more, day(expires), json.dumps(digests)))


def sign(node, text, key=None):
    """The policy with a signature by the node's key, or another one."""
    path = node.place("policy.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    node.holdfast("policy", "sign", path, "--key", key or node.key, "--key-id", "k1")
    with open(path, encoding="utf-8") as file:
        return file.read()


@contextlib.contextmanager
def machine(home, first=True):
    """A node whose agent knows a signed list with one image."""
    node = Node(os.path.join(home, "node"), None)
    if first:
        node.apply("site", sign(node, policy([GOOD], sequence=5)))
    node.start_agent("--run-dir", node.place("run"))
    try:
        if first:
            wait("the list to be in place", lambda: ask(node, GOOD) == 0, 60)
        yield node
    finally:
        node.end()


def ask(node, digest, name="registry.example/app:1", program=None, **more):
    """The exit code of the verifier; its reason is in node.reason."""
    descriptor = {"mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest, "size": 1234}
    done = subprocess.run([program or os.path.join(PROGRAMS, "holdfast-verify"), "-name", name, "-digest", digest, "-stdin-media-type",
                           "application/vnd.oci.descriptor.v1+json"], input=json.dumps(descriptor), text=True, capture_output=True,
                          check=False, env={"HOLDFAST_STATE_DIR": node.place("state"), "HOLDFAST_RUN_DIR": node.place("run"), **more})
    node.reason = done.stdout.strip()
    return done.returncode


def refused(node, digest, reason, **more):
    assert ask(node, digest, **more) != 0, f"{digest} is allowed: {node.reason}"
    assert node.reason.startswith(reason + ":"), node.reason


def listed(node):
    return node.place("state", "images", "allowed")


def condition(node, kind):
    try:
        with open(node.place("run", "status.json"), encoding="utf-8") as file:
            found = [one for one in json.load(file)["status"]["conditions"] if one["type"] == kind]
    except (FileNotFoundError, ValueError, KeyError):
        return {}
    return found[0] if found else {}


def reason_is(node, kind, reason):
    wait(f"{kind} to say {reason}, not {condition(node, kind)}", lambda: condition(node, kind).get("reason") == reason, 60)


def stays(node, seconds=3):
    """Nothing but the good image is allowed, now and after the agent has looked again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        refused(node, BAD, "NotListed")
        assert ask(node, GOOD) == 0, node.reason
        time.sleep(0.2)


def attack_unlisted_image(home):
    """Pulls an image of another digest under the name of a listed one (re-tag, Pod, DaemonSet, ephemeral container): the name counts for nothing."""
    with machine(home) as node:
        for name in ("registry.example/app:1", f"registry.example/app@{GOOD}", "-digest", GOOD, "", "x" * 5000, "a\nb\x1b[2J"):
            refused(node, BAD, "NotListed", name=name)


def attack_digest_forms(home):
    """Asks for a listed digest in other forms (upper case, sha512, cut, longer, none): only the exact SHA-256 is allowed."""
    with machine(home) as node:
        for digest in (GOOD.upper(), GOOD[:-1], GOOD + "a", GOOD.replace("sha256", "sha512"), GOOD[7:], " " + GOOD, GOOD + "\n", "sha256:"):
            refused(node, digest, "BadRequest")
        assert ask(node, "") == 2, "no digest at all is allowed"


def attack_unsigned_list(home):
    """Adds an unsigned policy with a list of a higher priority, sequence and expiry: it decides nothing."""
    with machine(home) as node:
        node.apply("evil", policy([BAD], "evil", sequence=900, priority=1000))
        stays(node)


def attack_unsigned_list_alone(home):
    """Deletes the signed policy and puts an unsigned list in its place: the signed list stays, and the condition names the other."""
    with machine(home) as node:
        node.apply("evil", policy([BAD], "evil", sequence=900))
        os.unlink(node.place("objects", "site.yaml"))
        reason_is(node, "PolicyConflict", "NeedsSignature")
        stays(node)


def attack_deleted_policy(home):
    """Deletes the signed policy, so that no list would be left: the list on the node stays, also over a restart."""
    with machine(home) as node:
        os.unlink(node.place("objects", "site.yaml"))
        stays(node, 12)
        node.kill_agent()
        node.start_agent("--run-dir", node.place("run"))
        stays(node)


def attack_foreign_key(home):
    """Signs a list with a key that the node does not trust, under the id of one that it does: refused as a whole."""
    with machine(home) as node:
        node.holdfast("key", "generate", node.place("other.key"), "--public", node.place("other.pem"))
        node.apply("site", sign(node, policy([BAD], sequence=9), node.place("other.key")))
        reason_is(node, "PolicyTrusted", "SignatureInvalid")
        stays(node)


def attack_changed_list(home):
    """Adds a digest to a signed list, or moves its expiry: the signature covers both."""
    with machine(home) as node:
        text = sign(node, policy([GOOD], sequence=6))
        node.apply("site", text.replace(GOOD, BAD))
        reason_is(node, "PolicyTrusted", "SignatureInvalid")
        stays(node)


def attack_older_list(home):
    """Puts the policy's own older list back: its sequence is below the one that the node has accepted."""
    with machine(home) as node:
        node.apply("site", sign(node, policy([OLD], sequence=4)))
        reason_is(node, "PolicyTrusted", "SequenceTooLow")
        refused(node, OLD, "NotListed")
        stays(node)


def attack_older_list_of_another_policy(home):
    """Puts an old signed list of another policy's name into effect, with the newer policy deleted: one count holds for all names."""
    with machine(home) as node:
        node.apply("earlier", sign(node, policy([OLD], "earlier", sequence=3, priority=1000)))
        os.unlink(node.place("objects", "site.yaml"))
        reason_is(node, "ImagesVerified", "ListOlder")
        refused(node, OLD, "NotListed")
        stays(node)


def attack_same_sequence_of_another_policy(home):
    """Puts a signed list of another policy's name with the same sequence into effect: it does not replace the one in place."""
    with machine(home) as node:
        node.apply("other", sign(node, policy([OLD], "other", sequence=5, priority=1000)))
        reason_is(node, "ImagesVerified", "ListOlder")
        refused(node, OLD, "NotListed")
        stays(node)


def attack_expired_list(home):
    """Holds newer lists back until the one in place has expired: then nothing is pulled, and the condition says so."""
    with machine(home, first=False) as node:
        node.apply("site", sign(node, policy([GOOD], sequence=5, expires=4)))
        wait("the list to be in place", lambda: ask(node, GOOD) == 0, 60)
        wait("the list to expire", lambda: ask(node, GOOD) != 0, 30)
        refused(node, GOOD, "ListExpired")


def attack_list_from_the_past(home):
    """Puts a list into effect that had expired before this agent was built: with a clock of 1970, too, nothing is pulled by it."""
    with machine(home, first=False) as node:
        node.apply("site", sign(node, policy([GOOD], sequence=5, expires=1790000000 - time.time())))
        wait("the list to be written", lambda: os.path.exists(listed(node)), 60)
        reason_is(node, "ImagesVerified", "ListExpired")
        refused(node, GOOD, "ListExpired")
        with open(listed(node), encoding="ascii") as file:
            lines = dict(line.split(" ", 1) for line in file.read().splitlines()[:6])
        # the verifier takes the later of this time and the clock's
        assert int(lines["since"]) >= int(lines["expires"]), lines


def attack_no_list(home):
    """Pulls before any list has come to the node, and after root's folder was lost: nothing is pulled."""
    with machine(home, first=False) as node:
        refused(node, GOOD, "ListMissing")
        node.apply("site", sign(node, policy([GOOD], sequence=5)))
        wait("the list to be in place", lambda: ask(node, GOOD) == 0, 60)
        node.kill_agent()
        shutil.rmtree(node.place("state", "images"))
        refused(node, GOOD, "ListMissing")


def attack_damaged_list(home):
    """Cuts or changes the file of the list: refused, and the agent puts the signed list back."""
    with machine(home) as node:
        with open(listed(node), "rb") as file:
            whole = file.read()
        node.agent.send_signal(signal.SIGSTOP)
        for damage in (b"", whole[:40], whole[:-1], whole + b"\n", whole.replace(b"sequence 5", b"sequence 6"),
                       whole.replace(b"expires 1", b"expires 9"), whole.replace(b"a" * 64, b"B" * 64)):
            with open(listed(node), "wb") as file:
                file.write(damage)
            refused(node, GOOD, "ListDamaged")
            refused(node, BAD, "ListDamaged")
        node.agent.send_signal(signal.SIGCONT)
        wait("the agent to put the list back", lambda: ask(node, GOOD) == 0, 60)


def attack_foreign_file(home):
    """Another user owns the list, may write it or its folder, or it is a link or a pipe: refused without waiting."""
    if os.geteuid() != 0:
        raise Skip("files of another user need root")
    with machine(home) as node:
        node.kill_agent()
        path, copy = listed(node), listed(node) + ".copy"
        os.chown(path, 12345, 12345)
        refused(node, GOOD, "ListUnsafe")
        os.chown(path, 0, 0)
        os.chmod(path, 0o606)
        refused(node, GOOD, "ListUnsafe")
        os.chmod(path, 0o600)
        os.chmod(os.path.dirname(path), 0o777)
        refused(node, GOOD, "ListUnsafe")
        os.chmod(os.path.dirname(path), 0o700)
        os.rename(path, copy)
        os.symlink(copy, path)
        refused(node, GOOD, "ListUnsafe")
        os.unlink(path)
        os.mkfifo(path)
        refused(node, GOOD, "ListUnsafe")
        os.unlink(path)
        os.mkdir(path)
        refused(node, GOOD, "ListUnsafe")


def attack_killed_verifier(home):
    """Kills, stops or starves the verifier: no exit code 0 comes of it, so containerd pulls nothing."""
    with machine(home) as node:
        argv = [os.path.join(PROGRAMS, "holdfast-verify"), "-name", "x", "-digest", BAD, "-stdin-media-type", "x"]
        env = {"HOLDFAST_STATE_DIR": node.place("state"), "HOLDFAST_RUN_DIR": node.place("run")}
        for end in (signal.SIGKILL, signal.SIGTERM, signal.SIGPIPE):
            child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
            child.send_signal(end)
            child.communicate()
            assert child.returncode != 0, end
        for limits in ("ulimit -n 3", "ulimit -v 1", "ulimit -t 0"):
            done = subprocess.run(["sh", "-c", f'{limits}; exec "$@"', "sh", *argv], stdin=subprocess.DEVNULL, capture_output=True, env=env,
                                  check=False)
            assert done.returncode != 0, limits
        with open("/dev/full", "wb") as full:
            good = [word if word != BAD else GOOD for word in argv]
            done = subprocess.run(good, stdin=subprocess.DEVNULL, stdout=full, env=env, check=False)
            assert done.returncode != 0, "an answer that nobody can read allowed an image"


def attack_flood_of_refusals(home):
    """Asks for foreign images all day, to fill memory with refusals or to hide one in many Events: the file has a bound, Events are few."""
    with machine(home) as node:
        node.agent.send_signal(signal.SIGSTOP)
        for _ in range(200):
            refused(node, BAD, "NotListed", name="x" * 300)
        size = os.path.getsize(node.place("run", "images", "refusals"))
        assert 0 < size <= 16384, size
        node.agent.send_signal(signal.SIGCONT)
        wait("the refusals in the log", lambda: "images.refused" in open(node.place("agent.log"), encoding="utf-8").read(), 60)
        with open(node.place("agent.log"), encoding="utf-8") as file:
            lines = [line for line in file if "images.refused" in line]
        assert len(lines) <= 2, lines


def attack_refusals_elsewhere(home):
    """Puts a link, a pipe or a folder where refusals are noted: nothing else is written, and the refusal counts all the same."""
    with machine(home) as node:
        wait("the folder of refusals", lambda: os.path.isdir(node.place("run", "images")), 60)
        node.kill_agent()
        path, target = node.place("run", "images", "refusals"), node.place("precious")
        with open(target, "w", encoding="ascii") as file:
            file.write("precious")
        for make in (lambda: os.symlink(target, path), lambda: os.mkfifo(path), lambda: os.mkdir(path)):
            make()
            refused(node, BAD, "NotListed")
            (os.rmdir if os.path.isdir(path) and not os.path.islink(path) else os.unlink)(path)
        with open(target, encoding="ascii") as file:
            assert file.read() == "precious"


def attack_list_too_long(home):
    """Signs a list of more digests than the bound, or none: the version is refused, the one in place stays."""
    with machine(home) as node:
        many = ["sha256:%064x" % i for i in range(10001)]
        with open(node.place("many.yaml"), "w", encoding="utf-8") as file:
            file.write(policy(many, sequence=8))
        said = node.holdfast("policy", "sign", node.place("many.yaml"), "--key", node.key, "--key-id", "k1", good=False)
        assert "1 to 10000 digests" in said, said
        node.apply("site", policy(many, sequence=8))
        stays(node)


def attack_ten_thousand_images(home):
    """Uses the whole list: the verifier answers in a moment, and the last digest counts as the first."""
    with machine(home, first=False) as node:
        many = ["sha256:%064x" % (3 * i) for i in range(10000)]
        node.apply("site", sign(node, policy(many[::-1], sequence=5)))
        wait("the list to be in place", lambda: ask(node, many[0]) == 0, 60)
        begin = time.monotonic()
        for i in (0, 5000, 9999):
            assert ask(node, many[i]) == 0, node.reason
            refused(node, "sha256:%064x" % (3 * i + 1), "NotListed")
        assert time.monotonic() - begin < 3, "six answers took more than 3 s"
