#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The copy of a Secret that is sealed to a TPM 2 (swtpm), with the real agent: reboot with the API server away, another TPM, a cleared
TPM, changed PCRs, tampered and foreign copies, rotation, removal, kill -9. After each case no byte of any secret may be in the state
folder, in a log or in a status.

    tests/system/fault/tpm.py [WORD...]      only the cases whose name contains one of the words

Prints "N passed, N failed, N skipped" last."""
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import secret  # noqa: E402
from node import say, wait  # noqa: E402
from swtpm import Tpm  # noqa: E402

from lab import PROGRAMS  # noqa: E402

secret.HOME = os.path.join(secret.TOP, "build", "fault", "tpm")
secret.MEMORY = os.path.join(secret.TOP, "build", "fault", "tpm.memory")
PATIENCE_S, ENTRY = secret.PATIENCE_S, secret.ENTRY


class Site(secret.Site):
    def __init__(self, name, pcrs=()):
        super().__init__(name)
        self.pcrs, self.tpms = list(pcrs), [Tpm(self.node.place("tpm.a"))]
        self.configure(self.tpms[0].tcti())

    def configure(self, tcti, seal="true"):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"""apiVersion: edge.codcompass.io/v1alpha1
kind: AgentConfiguration
manifests: {{secrets: ["{secret.MEMORY}/**"], exec: ["{self.checker}"]}}
tpm: {{sealSecrets: {seal}, tcti: "{tcti}", pcrs: {self.pcrs}}}
""")

    def folder(self):
        return self.node.place("state", "manifests", ENTRY)

    def copies(self):
        return [name for name in os.listdir(self.folder()) if name.startswith("sealed-")] if os.path.isdir(self.folder()) else []

    def copy(self):
        """The path of the one copy, once it is there and the entry rests."""
        wait("a sealed copy", lambda: len(self.copies()) == 1 and not self.copies()[0].endswith(".new"), PATIENCE_S)
        return os.path.join(self.folder(), self.copies()[0])

    def is_sealed(self):
        """What was applied last has the one copy: a killed agent may have made it without a word in the log."""
        lines = content(os.path.join(self.folder(), "record")).split(b"\n", 1)
        record = json.loads(lines[1]) if len(lines) == 2 else {}
        newest = record.get("next", {}).get("digest", "none")
        return record.get("phase") == "Applied" and record["good"]["digest"] == newest and self.copies() == ["sealed-" + newest]

    def notes_the_cause(self):
        """Why there is no copy is in the record of the entry."""
        wait("the record has the cause", lambda: b'"unsealed"' in content(os.path.join(self.folder(), "record")), PATIENCE_S)

    def apply(self, number, **more):
        text = self.secret(number)
        self.entry(**more)
        self.start()
        self.holds(text)
        self.phase("Applied")
        self.copy()
        return text

    def power_off(self):
        """What a reboot without network leaves: the disk, and a TPM."""
        self.node.kill_agent()
        self.server_away()
        shutil.rmtree(self.target, ignore_errors=True)

    def stays_absent(self, *words):
        """The file does not come, and the entry says why."""
        def says():
            status = self.status_file()
            return "SecretAbsent" in status and all(word in status for word in words)
        wait(f"SecretAbsent, {words}", says, PATIENCE_S)
        assert self.read() is None

    def comes_back(self, text):
        self.server_back()
        self.holds(text)
        self.phase("Applied")

    def end(self):
        super().end()
        for tpm in self.tpms:
            tpm.stop()


def content(path):
    with open(path, "rb") as file:
        return file.read()


# ---- cases ----------------------------------------------------------------------------------------------------------------------

def reboot_without_the_server(site):
    first = site.apply(1)
    assert os.stat(site.copy()).st_mode & 0o777 == 0o600
    site.power_off()
    began = time.monotonic()
    site.start()
    site.holds(first)
    took = time.monotonic() - began
    wait("the agent says so", lambda: site.logged("manifest.secret_restored"), PATIENCE_S)
    assert os.stat(os.path.join(site.target, "password")).st_mode & 0o777 == 0o400
    wait("it rests", lambda: '"DriftRepaired"' in site.status_file(), PATIENCE_S)
    assert "SecretAbsent" not in site.status_file()
    os.remove(os.path.join(site.target, "password"))  # drift is repaired in the same way
    site.holds(first)
    site.node.kill_agent()
    shutil.rmtree(site.target)
    site.start()
    site.holds(first)
    site.server_back()
    site.phase("Applied")
    return f"{took:.1f} s from the start to the file"


def another_tpm_does_not(site):
    first = site.apply(1)
    before = content(site.copy())
    site.power_off()
    site.tpms.append(Tpm(site.node.place("tpm.b")))
    site.configure(site.tpms[1].tcti())
    site.start()
    site.stays_absent("another TPM sealed it")
    time.sleep(3)
    with open(site.node.place("agent.log"), encoding="utf-8") as log:
        assert sum("manifest.secret_not_restored" in line for line in log) == 1, "it tries again and again"
    site.comes_back(first)
    wait("a new copy", lambda: content(site.copy()) != before, PATIENCE_S)
    site.power_off()
    site.start()
    site.holds(first)


def cleared_tpm_does_not(site):
    first = site.apply(1)
    site.power_off()
    site.tpms[0].clear()
    site.start()
    site.stays_absent("this TPM was cleared")
    site.comes_back(first)


def no_tpm_any_more(site):
    first = site.apply(1)
    site.power_off()
    site.tpms[0].stop()
    site.start()
    site.stays_absent("no TPM answers")
    site.comes_back(first)
    site.tpms[0].start()


def full_tpm_is_no_verdict(site):
    """Without a resource manager, other programs may have taken the TPM's places for objects. That passes: the copy stays."""
    first = site.apply(1)
    sealed = run_helper(site, "seal").stdout
    site.power_off()
    site.tpms[0].load_objects()
    for words, key in (("unseal", sealed), ("seal", "5a" * 32)):
        done = run_helper(site, words, key=key)
        assert done.returncode == 1 and "object contexts" in done.stderr, done  # may succeed later
    site.start()
    site.stays_absent("object contexts")
    site.copy()
    site.node.kill_agent()
    site.tpms[0].forget_dead_user()
    site.start()
    site.holds(first)


def hanging_tpm_does_not_stop_the_agent(site):
    first = site.apply(1)
    site.power_off()
    site.tpms[0].process.send_signal(19)  # SIGSTOP
    site.start()
    time.sleep(2)
    site.node.alive()
    assert site.read() is None
    site.server_back()
    wait("a status, while the TPM hangs", lambda: site.row() != {} and site.api.status(site.node.name), PATIENCE_S)
    site.tpms[0].process.send_signal(18)
    site.holds(first)


def tampered_copies_do_not(site):
    first = site.apply(1)
    path = site.copy()
    with open(path, "rb") as file:
        good = file.read()
    site.power_off()
    head, blob, body = (lambda a, b: (a[0], b[0], b[1]))((p := good.split(b"\n", 1)), p[1].split(b"\n", 1))

    def resealed(blob, body):
        import hashlib
        whole = blob + b"\n" + body
        return b" ".join(head.split(b" ")[:-1]) + b" " + hashlib.sha256(whole).hexdigest().encode() + b"\n" + whole
    assert resealed(blob, body) == good, "the test does not know the format"
    flipped = bytes([body[40] ^ 1])
    damaged = {"a flipped bit": good[:-9] + bytes([good[-9] ^ 1]) + good[-8:], "cut": good[:-20], "empty": b"",
               "a flipped bit with a right checksum": resealed(blob, body[:40] + flipped + body[41:]),
               "another blob": resealed(blob[:200] + (b"0" if blob[200:201] != b"0" else b"1") + blob[201:], body),
               "junk in place of the blob": resealed(b"--help", body), "no blob": resealed(b"", body)}
    for what, content in damaged.items():
        with open(path, "wb") as file:
            file.write(content)
        site.start()
        try:
            site.stays_absent("its sealed copy does not open")
        except AssertionError as late:
            raise AssertionError(f"{what}: {late}") from None
        site.node.kill_agent()
    with open(path, "wb") as file:
        file.write(good)
    site.start()
    site.holds(first)


def copy_of_another_entry_does_not(site):
    site.apply(1)
    path = site.copy()
    with open(path, "rb") as file:
        old = file.read()
    second = site.secret(2)
    site.holds(second)
    wait("the next copy", lambda: site.copies() and os.path.join(site.folder(), site.copies()[0]) != path and len(site.copies()) == 1, PATIENCE_S)
    new = site.copy()
    site.power_off()
    with open(new, "wb") as file:  # the old version under the name of the new one
        file.write(old)
    site.start()
    site.stays_absent("belongs to another node, entry or version")
    site.comes_back(second)


def rotated_secret(site):
    site.apply(1)
    before = site.copy()
    second = site.secret(2)
    site.holds(second)
    wait("the copy is of the second version", lambda: len(site.copies()) == 1 and site.copies()[0] != os.path.basename(before), PATIENCE_S)
    site.phase("Applied")
    site.power_off()
    site.start()
    site.holds(second)


def changed_pcrs_do_not(site):
    first = site.apply(1)
    site.power_off()
    site.start()
    site.holds(first)
    site.node.kill_agent()
    shutil.rmtree(site.target)
    site.tpms[0].extend(14)
    site.start()
    site.stays_absent("PCRs have other values")
    site.comes_back(first)


def copy_follows_the_setting(site):
    def bound_to():
        copies = site.copies()
        return content(os.path.join(site.folder(), copies[0])).split(b"\n")[1][2:10] if len(copies) == 1 and not copies[0].endswith(".new") else None
    first = site.apply(1)
    assert bound_to() == b"00000000", bound_to()
    site.power_off()
    site.pcrs = [7]
    site.configure(site.tpms[0].tcti())
    site.start()
    site.stays_absent("tpm.pcrs has changed")
    assert not site.copies() and site.logged("manifest.sealed_copy_removed")
    site.comes_back(first)
    wait("a copy that is bound to PCR 7", lambda: bound_to() == b"00000080", PATIENCE_S)
    site.power_off()
    site.pcrs = []
    site.configure(site.tpms[0].tcti())
    site.start()
    site.holds(first)  # a copy that opens on fewer boot chains serves until there is another
    site.server_back()
    wait("a copy that is bound to no PCR", lambda: bound_to() == b"00000000", PATIENCE_S)
    site.power_off()
    site.start()
    site.holds(first)


def run_helper(site, *words, key="5a" * 32):
    return subprocess.run([os.path.join(PROGRAMS, "holdfast-tpm"), *words, "--tcti", site.tpms[0].tcti()], input=key, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def pcrs_that_bind_to_nothing_are_refused(site):
    def setup(banks):
        site.tpms[0].stop()
        done = subprocess.run(["swtpm_setup", "--tpm2", "--tpmstate", site.tpms[0].folder, "--pcr-banks", banks, "--overwrite"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert done.returncode == 0, done.stdout
        site.tpms[0].start()
    setup("sha256,sha384")
    bound = run_helper(site, "seal", "--pcrs", "7")
    assert bound.returncode == 0 and run_helper(site, "unseal", key=bound.stdout).stdout.strip() == "5a" * 32, bound
    for weak in ("16", "7,23"):
        done = run_helper(site, "seal", "--pcrs", weak)
        assert done.returncode == 2 and not done.stdout and "any program can reset" in done.stderr, done
    for banks in ("sha1", "sha384"):
        setup(banks)
        done = run_helper(site, "seal", "--pcrs", "9,7")
        assert done.returncode == 2 and not done.stdout and "no PCR 7 in its SHA-256 bank" in done.stderr, (banks, done)
        done = run_helper(site, "seal")
        assert done.returncode == 0 and run_helper(site, "unseal", key=done.stdout).stdout.strip() == "5a" * 32, (banks, done)
        blob = done.stdout[:2] + "00000080" + done.stdout[10:]  # a key that names PCR 7, where there is none
        done = run_helper(site, "unseal", key=blob)
        assert done.returncode == 2 and "no PCR 7" in done.stderr, (banks, done)
    site.pcrs = [7]
    site.configure(site.tpms[0].tcti())
    first = site.secret(1)
    site.entry()
    site.start()
    site.holds(first)
    wait("a warning", lambda: site.logged("no PCR 7 in its SHA-256 bank"), PATIENCE_S)
    site.phase("Applied")
    assert not site.copies()


def removed_entry_removes_the_copy(site):
    site.apply(1)
    site.api.put({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "site"},
                  "spec": {"interval": "10s", "retryInterval": "10s", "manifests": []}})
    wait("the folder goes", lambda: not os.path.exists(site.folder()), PATIENCE_S)


def deleted_secret_removes_the_copy(site):
    first = site.apply(1)
    site.api.remove("Secret", "login")
    site.phase("Applied", "SourceGone")
    wait("the copy goes", lambda: not site.copies(), PATIENCE_S)
    assert site.read() == first
    site.power_off()
    site.start()
    site.stays_absent()


def deleted_secret_goes_with_prune(site):
    site.apply(1, prune=True)
    site.api.remove("Secret", "login")
    wait("file and copy go", lambda: site.read() is None and not site.copies(), PATIENCE_S)


def never_sealed(site):
    """No attempt was made before the reboot. The entry says so as soon as a copy is wanted."""
    first = site.secret(1)
    site.configure(site.tpms[0].tcti(), seal="false")
    site.entry()
    site.start()
    site.holds(first)
    site.phase("Applied")
    site.power_off()
    site.start()
    site.stays_absent()
    assert "no sealed copy" not in site.status_file(), "nobody wants one"
    site.node.kill_agent()
    site.configure(site.tpms[0].tcti())
    site.start()
    site.stays_absent("no sealed copy on this node: the agent has made none")
    site.comes_back(first)
    site.copy()
    site.power_off()
    site.start()
    site.holds(first)


def switched_off(site):
    site.apply(1)
    site.node.kill_agent()
    site.configure(site.tpms[0].tcti(), seal="false")
    site.start()
    wait("the copy goes", lambda: not site.copies(), PATIENCE_S)
    site.secret(2)
    wait("the second version", lambda: site.read() == secret.secret_text(2), PATIENCE_S)
    site.phase("Applied")
    time.sleep(1)
    assert not site.copies()


def failed_check_keeps_the_old_copy(site):
    first = site.apply(1, healthChecks=[{"exec": {"command": [site.checker, site.target]}}], healthDeadline="2s")
    before = site.copies()
    site.secret(2, bad="x")
    site.phase("RolledBack", "HealthFailed")
    assert site.copies() == before
    site.power_off()
    site.start()
    site.holds(first)


def killed_during_the_checks(site):
    """The old version was in the memory of a process that is no more. It comes back out of the copy, and is looked after again."""
    first = site.apply(1, healthChecks=[{"exec": {"command": [site.checker, site.target]}}], healthDeadline="3s")
    second = site.secret(2, bad="x")
    site.holds(second)
    site.node.kill_agent()
    site.start()
    site.phase("RolledBack", "HealthFailed")
    site.holds(first)
    assert site.read("bad") is None
    os.remove(os.path.join(site.target, "password"))
    site.holds(first)
    site.power_off()
    site.start()
    site.holds(first)


def reboot_during_the_checks(site):
    """The version on trial comes again, and fails. What was good before it comes out of the copy."""
    first = site.apply(1, healthChecks=[{"exec": {"command": [site.checker, site.target]}}], healthDeadline="3s")
    site.secret(2, bad="x")
    wait("the second version is on trial", lambda: site.read("bad") == "x", PATIENCE_S)
    site.node.kill_agent()
    shutil.rmtree(site.target)
    site.start()
    site.phase("RolledBack", "HealthFailed")
    site.holds(first)
    assert site.read("bad") is None


def no_program(site):
    bare = os.path.join(site.home, "bin")
    os.makedirs(bare)
    shutil.copy(os.path.join(PROGRAMS, "holdfast-agent"), bare)
    os.symlink(os.path.join(PROGRAMS, "holdfast"), os.path.join(bare, "holdfast"))
    site.programs = bare
    first = site.secret(1)
    site.entry()
    site.start()
    site.holds(first)
    wait("a warning", lambda: site.logged("manifest.secret_not_sealed"), PATIENCE_S)
    site.phase("Applied")
    assert not site.copies()
    site.notes_the_cause()
    site.power_off()
    site.start()
    site.stays_absent("no sealed copy on this node: ", "holdfast-tpm")
    site.comes_back(first)


# In place of holdfast-tpm. `seal` keeps the key in a file; `unseal` prints it, and then does what the file `mode` says.
HELPER = """#!/bin/sh
here=$(dirname "$0")
case $1 in
seal)
    tee "$here/key" >/dev/null
    echo >>"$here/calls"
    case $(cat "$here/seals" 2>/dev/null) in
    busy) echo "holdfast-tpm: the chip is busy" >&2; exit 1 ;;
    lacks) echo "holdfast-tpm: no PCR 7" >&2; exit 2 ;;
    warns) echo 00112233; echo "WARNING:esys:junk of a library" >&2 ;;
    *) echo 00112233 ;;
    esac ;;
unseal)
    cat >/dev/null
    case $(cat "$here/mode") in
    dies) cat "$here/key"; kill -SEGV $$ ;;
    dies-within) head -c 40 "$here/key"; kill -SEGV $$ ;;
    adds) cat "$here/key"; echo; echo "holdfast-tpm: the chip is gone" >&2; exit 1 ;;
    warns) cat "$here/key"; echo; echo "WARNING:esys:junk of a library" >&2 ;;
    fails) echo "ERROR:esys:junk of a library" >&2; echo "holdfast-tpm: the chip is busy" >&2; exit 1 ;;
    longer) cat "$here/key" "$here/key" ;;
    junk) sed s/./x/ "$here/key" ;;
    esac ;;
esac
"""


def with_helper(site):
    """Puts HELPER in place of holdfast-tpm, applies the first version, and returns it with the folder of the helper."""
    folder = os.path.join(site.home, "bin")
    os.makedirs(folder)
    shutil.copy(os.path.join(PROGRAMS, "holdfast-agent"), folder)
    os.symlink(os.path.join(PROGRAMS, "holdfast"), os.path.join(folder, "holdfast"))
    with open(os.path.join(folder, "holdfast-tpm"), "w", encoding="utf-8") as file:
        file.write(HELPER)
    os.chmod(os.path.join(folder, "holdfast-tpm"), 0o755)
    site.programs = folder
    return folder


def helper_that_dies_shows_no_key(site):
    folder = with_helper(site)
    try:
        first = site.apply(1)
        key = content(os.path.join(folder, "key")).decode().strip()
        assert len(key) == 64, key
        site.used += [key, key[:32], key[1:33]]
        site.power_off()
        for mode, says in {"dies": "ended with 139", "dies-within": "ended with 139", "adds": "the chip is gone", "fails": "the chip is busy",
                           "longer": "ended with 0", "warns": "ended with 0", "junk": "ended with 0"}.items():
            with open(os.path.join(folder, "mode"), "w", encoding="utf-8") as file:
                file.write(mode)
            site.start()
            site.stays_absent("its sealed copy does not open", says)
            for shown in (site.status_file(), content(site.node.place("agent.log")).decode()):
                assert key[:16] not in shown and key[1:17] not in shown and "junk of a library" not in shown, f"{mode}: {shown[-2000:]}"
            site.node.kill_agent()
        site.start()
        site.comes_back(first)
    finally:
        shutil.rmtree(folder)  # the key of the helper is a file there


def failed_seal_is_tried_again(site):
    folder = with_helper(site)

    def mode(text):
        with open(os.path.join(folder, "seals.new"), "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(os.path.join(folder, "seals.new"), os.path.join(folder, "seals"))  # the helper may read it now

    def calls():
        return len(content(os.path.join(folder, "calls")))
    try:
        mode("busy")
        first = site.secret(1)
        site.entry()
        site.start()
        site.holds(first)
        wait("a warning", lambda: site.logged("the chip is busy"), PATIENCE_S)
        began = time.monotonic()
        wait("another attempt", lambda: calls() >= 3, 60)
        assert time.monotonic() - began > 5, "it tries more often than once per interval"  # the interval is 10 s
        assert not site.copies()
        site.notes_the_cause()
        site.power_off()
        site.start()
        site.stays_absent("no sealed copy on this node: holdfast-tpm ended with 1: the chip is busy")
        site.comes_back(first)
        mode("warns")
        wait("another warning", lambda: site.logged("what it printed is malformed"), PATIENCE_S)
        assert not site.copies()
        mode("")
        site.copy()
        site.phase("Applied")
        mode("lacks")
        second = site.secret(2)
        site.holds(second)
        wait("a third warning", lambda: site.logged("no PCR 7"), PATIENCE_S)
        before = calls()
        time.sleep(12)  # more than an interval, which is 10 s with a tenth of jitter
        assert calls() == before, "it tries again what cannot succeed"
    finally:
        shutil.rmtree(folder)  # the key of the helper is a file there


def killed_at_any_time(site):
    """kill -9 while copies are made and opened: at the end, a reboot has the newest version or says that it has none."""
    text = site.apply(1)
    for i in range(8):
        text = site.secret(2 + i)
        time.sleep(0.05 + 0.06 * i)
        site.node.kill_agent()
        site.tpms[0].forget_dead_user()
        site.start()
        site.holds(text)
    site.phase("Applied")
    wait("the copy of the newest version", site.is_sealed, PATIENCE_S)
    assert len(site.copies()) == 1
    for i in range(6):
        site.power_off()
        site.start()
        time.sleep(0.1 * i)
        site.node.kill_agent()
        site.tpms[0].forget_dead_user()
        shutil.rmtree(site.target, ignore_errors=True)
        site.start()
        site.holds(text)
        site.server_back()


def memory_forgets(site):
    first = site.apply(1)
    site.power_off()
    site.start()
    site.holds(first)
    wait("it rests", lambda: '"DriftRepaired"' in site.status_file(), PATIENCE_S)
    time.sleep(1)
    found = secret.copies_in_memory(site.node.agent.pid, site.used)
    assert found in (None, 0), f"{found} copies of the secret in memory"
    return "nobody may read the memory" if found is None else None


CASES = [failed_seal_is_tried_again, reboot_without_the_server, another_tpm_does_not, cleared_tpm_does_not, no_tpm_any_more, full_tpm_is_no_verdict, hanging_tpm_does_not_stop_the_agent,
         tampered_copies_do_not, copy_of_another_entry_does_not, rotated_secret, changed_pcrs_do_not,
         pcrs_that_bind_to_nothing_are_refused, copy_follows_the_setting, removed_entry_removes_the_copy,
         deleted_secret_removes_the_copy, deleted_secret_goes_with_prune, never_sealed, switched_off, failed_check_keeps_the_old_copy,
         killed_during_the_checks, reboot_during_the_checks, no_program, helper_that_dies_shows_no_key, killed_at_any_time, memory_forgets]


def make(case):
    return Site(case.__name__, pcrs=[7, 14] if case is changed_pcrs_do_not else [])


if __name__ == "__main__":
    if shutil.which("swtpm") is None:
        say("swtpm is not installed")
        print(f"0 passed, 0 failed, {len(CASES)} skipped")
        sys.exit(0)
    sys.exit(secret.main(CASES, make))
