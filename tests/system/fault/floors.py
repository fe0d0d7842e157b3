#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The floors of releases under a counter in a TPM 2 (swtpm), with the real agent: older floors in every place, with and without the
records that belong to them, forged records, power cuts between the writes, a TPM that is away, cleared, another one, locked or full.

    tests/system/fault/floors.py [WORD...]      only the cases whose name contains one of the words

Prints "N passed, N failed, N skipped" last."""
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from node import ENDS, PLAIN, TOP, Artifacts, Node, say, sha256, wait  # noqa: E402
from swtpm import Tpm  # noqa: E402

from lab import PROGRAMS  # noqa: E402

HOME = os.path.join(TOP, "build", "fault", "floors")
COUNTER = 0x01A1F100
PATIENCE_S = float(os.environ.get("HF_PATIENCE_S", "60"))
RECORDS = ("state/floor-record.0", "state/floor-record.1", "root/.holdfast-floors/FloorRecord")


class Site:
    """A node with a TPM, and the programs "3", "4", ... in releases with these sequences."""

    def __init__(self, name, programs, on=True):
        self.home = os.path.join(HOME, name)
        self.node = Node(os.path.join(self.home, "node"), Artifacts())
        self.tpms, self.programs = [Tpm(self.node.place("tpm.a"))], programs
        self.configure(on=on)

    def configure(self, tpm=0, on=True):
        with open(self.node.place("agent.yaml"), "w", encoding="utf-8") as file:
            file.write(f"""apiVersion: edge.codcompass.io/v1alpha1
kind: AgentConfiguration
updateRoots: [{self.node.place("root")}]
tpm: {{floors: {"true" if on else "false"}, tcti: "{self.tpms[tpm].tcti()}"}}
""")

    def start(self, *more):
        shutil.rmtree(self.node.place("state", "status"), ignore_errors=True)  # what an earlier life said
        self.node.start_agent("--config", self.node.place("agent.yaml"), *more, program=os.path.join(self.programs, "holdfast-agent"))

    def stop(self):
        self.node.stop_agent()

    def program(self, sequence):
        path = self.node.place("versions", str(sequence))
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n# {sequence}\n")
        return path

    def create(self, sequence):
        return self.node.create("app", f"{sequence}.0", sequence, self.program(sequence), service=False)

    def install(self, sequence):
        """Installs the release, and waits until the TPM has counted it."""
        self.node.apply("app", self.create(sequence))
        row = self.node.wait_end("app", sequence, PATIENCE_S)
        assert row["phase"] == "Committed", row
        self.settled(sequence)

    def settled(self, sequence):
        wait(f"a record of {sequence}", lambda: f" {sequence} " in self.record() and self.value() == self.counter(), PATIENCE_S)

    def waits(self, reason, *words, sequence=None):
        """The wanted release, of this sequence if one is given, waits for this reason, and the message has the words."""
        def says():
            self.node.alive()
            row = self.node.update("app")
            return (row.get("phase") == "Waiting" and row.get("reason") == reason and sequence in (None, row.get("sequence")) and
                    all(word in row.get("message", "") for word in words))
        try:
            wait(reason, says, PATIENCE_S)
        except AssertionError:
            raise AssertionError(f"not {reason} {words}: {self.node.update('app')}") from None
        time.sleep(0.3)
        assert says(), self.node.update("app")

    def refuses(self, sequence, reason, *words):
        """The wanted release of this sequence waits and is not installed."""
        self.waits(reason, *words, sequence=sequence)
        assert sha256(self.node.path) != sha256(self.program(sequence)), "it is installed"

    def installed(self, sequence):
        def ended():
            row = self.node.update("app")
            return row if row.get("sequence") == sequence and row.get("phase") in ENDS else None
        row = wait(f"{sequence} is committed", ended, PATIENCE_S)
        assert row["phase"] == "Committed", row
        assert sha256(self.node.path) == sha256(self.program(sequence)), "another program is installed"

    def record(self):
        try:
            with open(self.node.place(*RECORDS[0].split("/")), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def value(self):
        lines = self.record().split("\n")
        return int(lines[1].split(" ")[1]) if len(lines) > 1 else 0

    def helper(self, *words):
        return subprocess.run([os.path.join(PROGRAMS, "holdfast-tpm"), *words, "--tcti", self.tpms[-1].tcti()], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)

    def counter(self):
        """What `holdfast-tpm counter-read` prints, without a process for each time that a test asks."""
        value = self.tpms[-1].counter(COUNTER)
        return "absent" if value is None else value

    def accept(self):
        return self.helper("accept-floors", "--state-dir", self.node.place("state"))

    # ---- the disk as it was ------------------------------------------------------------------------------------------------

    def photograph(self, name):
        """Keep all that an image of the disk has: state and update root."""
        for folder in ("state", "root"):
            shutil.copytree(self.node.place(folder), os.path.join(self.home, name, folder), symlinks=True)

    def put_back(self, name):
        for folder in ("state", "root"):
            shutil.rmtree(self.node.place(folder))
            shutil.copytree(os.path.join(self.home, name, folder), self.node.place(folder), symlinks=True)

    def keep_records(self):
        return {path: self.bytes_of(path) for path in RECORDS}

    def bytes_of(self, path):
        with open(self.node.place(*path.split("/")), "rb") as file:
            return file.read()

    def put_records(self, records):
        for path, content in records.items():
            with open(self.node.place(*path.split("/")), "wb") as file:
                file.write(content)

    def end(self):
        self.node.end()
        for tpm in self.tpms:
            tpm.stop()


def with_image(site):
    """Sequence 3, then a photograph of the disk, then 5; the agent is stopped."""
    site.start()
    site.install(3)
    site.stop()
    site.photograph("image")
    site.start()
    site.install(5)
    site.stop()


# ---- cases ----------------------------------------------------------------------------------------------------------------------

def one_increment_for_each_floor(site):
    site.start()
    first = wait("a counter", lambda: site.counter() if site.counter() != "absent" else 0, PATIENCE_S)
    site.install(3)
    assert site.counter() == first + 1, (first, site.counter())
    site.install(4)
    assert site.counter() == first + 2
    site.stop()
    kept = site.keep_records()
    assert len(set(kept.values())) == 1, "the places differ"
    for path in RECORDS:
        assert stat.S_IMODE(os.stat(site.node.place(*path.split("/"))).st_mode) & 0o022 == 0
    for _ in range(3):
        site.start()
        time.sleep(1)
        site.stop()
    assert site.counter() == first + 2 and site.keep_records() == kept, "a start costs a write"


def older_floors_in_every_place(site):
    with_image(site)
    counter = site.counter()
    site.put_back("image")
    site.node.apply("app", site.create(4))
    site.start()
    site.refuses(4, "FloorsReplaced", "accept-floors", str(counter))
    assert sha256(site.node.path) == sha256(site.program(3))
    os.chmod(site.node.path, 0o600)
    site.stop()
    site.start()  # a restart changes nothing
    site.refuses(4, "FloorsReplaced")
    assert site.counter() == counter
    condition = [one for one in site.node.status()["conditions"] if one["type"] == "FloorsKnown"]
    assert len(condition) == 1 and condition[0]["status"] == "False" and condition[0]["reason"] == "FloorsReplaced", condition
    done = site.accept()
    assert done.returncode == 0, done
    site.stop()
    site.start()
    site.installed(4)
    site.settled(4)
    assert not [one for one in site.node.status()["conditions"] if one["type"] == "FloorsKnown"]
    done = site.accept()
    assert done.returncode == 1 and "nothing to accept" in done.stderr, done


def older_floors_beside_the_new_record(site):
    with_image(site)
    records = site.keep_records()
    site.put_back("image")
    site.put_records(records)
    site.node.apply("app", site.create(4))
    site.start()
    row = site.node.wait_end("app", 4, PATIENCE_S)
    assert row["phase"] == "Rejected" and row["reason"] == "SequenceTooLow", row
    assert "floors.restored" in open(site.node.place("agent.log"), encoding="utf-8").read()
    site.install(6)


def older_floors_without_record(site):
    with_image(site)
    site.put_back("image")
    for path in RECORDS:
        os.unlink(site.node.place(*path.split("/")))
    site.node.apply("app", site.create(4))
    site.start()
    site.refuses(4, "FloorsReplaced", "is gone")


def older_policies(site):
    """Sequences of signed SyncPolicies go back with the disk, too, and come back with the newest record."""
    def policy(sequence):
        path = site.node.place("temp", "policy.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("apiVersion: edge.codcompass.io/v1alpha1\nkind: SyncPolicy\nmetadata: {name: site}\n"
                       f"spec:\n  sequence: {sequence}\n  interval: 1{sequence}s\n")
        site.node.holdfast("policy", "sign", path, "--key", site.node.key, "--key-id", "k1")
        with open(path, encoding="utf-8") as file:
            return file.read()

    def condition(kind):
        return next((one for one in site.node.status().get("conditions", []) if one["type"] == kind), {})

    def counted(sequence):
        wait(f"a record of policy {sequence}", lambda: f"SyncPolicies/site {sequence} " in site.record() and site.value() == site.counter(), PATIENCE_S)
    with open(site.node.place("agent.yaml"), "a", encoding="utf-8") as file:
        file.write("requireSigned: [SyncPolicy]\n")
    old, new = policy(4), policy(5)
    site.node.apply("policy", policy(3))
    site.start()
    counted(3)
    site.stop()
    site.photograph("image")
    site.node.apply("policy", new)
    site.start()
    counted(5)
    site.stop()
    records = site.keep_records()
    site.put_back("image")
    site.node.apply("policy", old)
    site.start()
    wait("FloorsKnown is False", lambda: condition("FloorsKnown").get("reason") == "FloorsReplaced", PATIENCE_S)
    site.stop()
    site.put_back("image")
    site.put_records(records)
    site.start()
    wait("the old policy is refused", lambda: condition("PolicyTrusted").get("reason") == "SequenceTooLow", PATIENCE_S)
    site.node.apply("policy", new)
    wait("the new policy is in effect", lambda: site.node.status().get("policy", {}).get("interval") == "15s", PATIENCE_S)
    assert not condition("FloorsKnown")


def forged_records(site):
    """Older floors with a record that names the present value: the TPM has not sealed it."""
    with_image(site)
    counter, new = site.counter(), site.bytes_of(RECORDS[0])
    site.put_back("image")
    old = site.bytes_of(RECORDS[0])

    def lines(record):
        value, blob, floors = record.split(b"\n", 1)[1].split(b"\n", 2)
        return value, blob, floors

    def made(value, blob, floors):
        body = b"\n".join((value, blob, floors))
        return b"holdfast-floor-record 1 " + hashlib.sha256(body).hexdigest().encode() + b"\n" + body
    assert made(*lines(old)) == old, "the test does not know the format"
    forged = {"the new value": made(b"value %d" % counter, lines(old)[1], lines(old)[2]),
              "the new value and blob": made(lines(new)[0], lines(new)[1], lines(old)[2]),
              "no floors": made(lines(new)[0], lines(new)[1], b""),
              "a value ahead": made(b"value %d" % (counter + 1), lines(new)[1], lines(old)[2]),
              "junk": made(lines(new)[0], b"blob zz", lines(old)[2]), "no blob": made(lines(new)[0], b"blob ", lines(old)[2])}
    site.node.apply("app", site.create(4))
    for what, record in forged.items():
        site.put_back("image")
        site.put_records({path: record for path in RECORDS})
        site.start()
        try:
            site.refuses(4, "FloorsReplaced", "not one that this TPM has sealed")
        except AssertionError as late:
            raise AssertionError(f"{what}: {late}") from None
        site.stop()


def damaged_places_do_not_add_up(site):
    """Each place in turn is damaged or lost: the agent takes the record from another one, and writes it again."""
    site.start()
    site.install(3)
    site.stop()
    whole, counter = site.bytes_of(RECORDS[0]), site.counter()
    for damage in (whole[:-5] + b"xxxxx", None):
        for path in RECORDS:
            if damage is None:
                os.unlink(site.node.place(*path.split("/")))
            else:
                site.put_records({path: damage})
            site.start()
            wait(f"{path} is whole again", lambda: os.path.exists(site.node.place(*path.split("/"))) and site.bytes_of(path) == whole, PATIENCE_S)
            assert "Replaced" not in str(site.node.status()), site.node.status()
            site.stop()
    assert site.counter() == counter
    site.start()
    site.install(4)


def the_whole_state_folder_is_lost(site):
    """The copy below the update root has the record, and the TPM knows it."""
    with_image(site)
    shutil.rmtree(site.node.place("state"))
    os.makedirs(site.node.place("state"))
    site.node.apply("app", site.create(4))
    site.start()
    row = site.node.wait_end("app", 4, PATIENCE_S)
    assert row["phase"] == "Rejected" and row["reason"] == "SequenceTooLow", row
    site.install(6)


def installed_anew(site):
    """No state folder and no copy is left, and the TPM still has its counter. accept-floors works before the first start of the new agent,
    and after it."""
    with_image(site)
    for early in (True, False):
        counter = site.counter()
        for folder in ("state", "root/.holdfast-floors"):
            shutil.rmtree(site.node.place(*folder.split("/")))
        site.node.remove("app")
        done = site.accept()
        assert done.returncode == 1 and "not the state folder" in done.stderr and "start the agent" in done.stderr, done
        if early:
            os.makedirs(site.node.place("state", "lost+found"))
        else:
            site.start()
            wait("FloorsReplaced", lambda: "FloorsReplaced" in str(site.node.status()), PATIENCE_S)
        done = site.accept()
        assert done.returncode == 0, done
        assert site.value() == site.counter() == counter + 1, (site.value(), site.counter(), counter)
        if not early:
            site.stop()
        site.start()
        site.install(6 if early else 7)
        assert "FloorsReplaced" not in str(site.node.status())
        site.stop()


def installed_anew_without_the_counter(site):
    """Somebody has removed the counter from the TPM: the new agent makes it."""
    with_image(site)
    for folder in ("state", "root/.holdfast-floors"):
        shutil.rmtree(site.node.place(*folder.split("/")))
    site.tpms[0].empty([COUNTER])
    site.start()
    site.install(6)
    with open(site.node.place("agent.log"), encoding="utf-8") as log:
        assert "FloorsReplaced" not in log.read()


def accept_keeps_what_it_cannot_read(site):
    """A file of the record that cannot be read may be the newest one."""
    with_image(site)
    site.put_back("image")
    os.unlink(site.node.place("state", "floor-record.1"))
    os.symlink("/proc/self/mem", site.node.place("state", "floor-record.1"))  # a read gives an error
    site.node.apply("app", site.create(4))
    site.start()
    site.refuses(4, "IoError", "floor-record.1")
    done = site.accept()
    assert done.returncode == 1 and "floor-record.1" in done.stderr and "remove the file" in done.stderr, done
    site.stop()
    os.unlink(site.node.place("state", "floor-record.1"))
    site.start()
    site.refuses(4, "FloorsReplaced")
    assert site.accept().returncode == 0


# In place of holdfast-tpm: at the call that the file `cut` names, it kills the agent before or after the real program runs. After the cut
# "orphan VERB", the call waits until the next agent begins the same call, which then waits until the first one has ended.
HELPER = """#!/bin/sh
here=$(dirname "$0")
cut=$(cat "$here/cut" 2>/dev/null)
if [ "$cut" = "orphan $1" ]; then
    rm "$here/cut"
    mkfifo "$here/go" "$here/done"
    kill -9 $PPID
    read -r line <"$here/go"
    "{program}" "$@"
    echo >"$here/done"
    exit
fi
if [ "$1" = counter-step ] && [ -p "$here/go" ]; then
    echo >"$here/go"
    read -r line <"$here/done"
    rm "$here/go" "$here/done"
fi
if [ "$cut" = "before $1" ]; then rm "$here/cut"; kill -9 $PPID; exit 1; fi
sleep {seconds}
"{program}" "$@"
code=$?
if [ "$cut" = "after $1" ]; then rm "$here/cut"; kill -9 $PPID; fi
exit $code
"""


def with_helper(site, seconds=0):
    """The site's agent asks a holdfast-tpm that takes so much longer for each answer, and that can be told to cut."""
    program, site.programs = os.path.join(site.programs, "holdfast-tpm"), os.path.join(site.home, "bin")
    os.makedirs(site.programs)
    shutil.copy(os.path.join(PROGRAMS, "holdfast-agent"), site.programs)
    path = os.path.join(site.programs, "holdfast-tpm")
    with open(path, "w", encoding="utf-8") as file:
        file.write(HELPER.replace("{program}", program).replace("{seconds}", str(seconds)))
    os.chmod(path, 0o755)
    return os.path.join(site.programs, "cut")


def cut_at(site, cut, where):
    """Waits until the helper has killed the agent at this call, and starts the agent again."""
    wait(f"a cut {where}", lambda: not os.path.exists(cut) and site.node.agent.poll() is not None, PATIENCE_S)
    site.start()


def power_cuts_lock_no_node_out(site):
    """The first start, and the commit of a release, with a cut before and after each call of the TPM."""
    cut, sequence = with_helper(site), 3
    for where in ("before counter-read", "after counter-read", "before counter-next", "after counter-next", "before seal", "after seal",
                  "before counter-step", "after counter-step"):
        with open(cut, "w", encoding="utf-8") as file:
            file.write(where)
        site.start()
        cut_at(site, cut, where)
        site.install(sequence)
        if where.split()[1] not in ("counter-next",):  # which belongs to the first start only
            with open(cut, "w", encoding="utf-8") as file:
                file.write(where)
            site.node.apply("app", site.create(sequence + 1))
            cut_at(site, cut, where)
            site.installed(sequence + 1)
            site.settled(sequence + 1)
        sequence += 2
        site.stop()
        assert "Replaced" not in open(site.node.place("agent.log"), encoding="utf-8").read(), where
        for path in RECORDS:  # as if the option were new
            os.unlink(site.node.place(*path.split("/")))
        site.tpms[0].clear()


def orphaned_increment(site):
    """The agent is killed while its child increments the counter. The child lives on, and increments after the next agent has read the
    counter and before that one's child does."""
    cut, sequence = with_helper(site), 3
    site.start()
    site.install(sequence)
    for sequence in (4, 5):
        before = site.counter()
        with open(cut, "w", encoding="utf-8") as file:
            file.write("orphan counter-step")
        site.node.apply("app", site.create(sequence))
        cut_at(site, cut, "orphan counter-step")
        site.installed(sequence)
        site.settled(sequence)
        assert site.counter() == before + 1, (before, site.counter())
        # The second child removes the file after the first one has incremented the counter.
        wait("an orphan and another child", lambda: not os.path.exists(os.path.join(site.programs, "go")), PATIENCE_S)
    assert "Replaced" not in open(site.node.place("agent.log"), encoding="utf-8").read()


def killed_at_any_time(site):
    sequence = 3
    site.start()
    for i in range(12):
        site.node.apply("app", site.create(sequence + i))
        time.sleep(0.05 + 0.05 * i)
        site.node.kill_agent()
        site.start()
        site.installed(sequence + i)
    site.settled(sequence + 11)
    assert "Replaced" not in open(site.node.place("agent.log"), encoding="utf-8").read()


def tpm_is_away(site):
    site.start()
    site.install(3)
    site.stop()
    site.tpms[0].stop()
    site.node.apply("app", site.create(4))
    site.start()
    site.refuses(4, "TpmMissing", "no TPM answers")
    os.unlink(site.node.path)
    site.node.remove("app")
    site.node.apply("app", site.create(3))
    wait("the agent to take 3", lambda: site.node.alive() or site.node.update("app").get("sequence") == 3, PATIENCE_S)
    site.node.apply("app", site.create(4))
    site.refuses(4, "TpmMissing")
    site.tpms[0].start()
    site.installed(4)  # by itself
    site.settled(4)


def tpm_hangs(site):
    site.start()
    site.install(3)
    site.stop()
    site.tpms[0].process.send_signal(signal.SIGSTOP)
    site.node.apply("app", site.create(4))
    site.start()
    site.waits("FloorsPending")
    site.node.alive()
    site.tpms[0].process.send_signal(signal.SIGCONT)
    site.installed(4)


def tpm_was_cleared(site):
    with_image(site)
    site.tpms[0].clear()
    site.node.apply("app", site.create(6))
    site.start()
    site.refuses(6, "TpmReplaced")
    done = site.accept()
    assert done.returncode == 0, done
    site.stop()
    site.start()
    site.installed(6)
    site.settled(6)


def another_tpm(site):
    with_image(site)
    site.tpms.append(Tpm(site.node.place("tpm.b")))
    site.configure(tpm=1)
    site.node.apply("app", site.create(6))
    site.start()
    site.refuses(6, "TpmReplaced")
    # The counter of this TPM begins lower, and the copy below the update root still has the record of the other TPM.
    assert site.value() > 2, site.value()
    done = site.helper("accept-floors", "--state-dir", site.node.place("nowhere"))
    assert done.returncode == 1 and "not the state folder" in done.stderr, done
    done = site.accept()
    assert done.returncode == 0, done
    site.stop()
    site.start()
    site.installed(6)
    site.settled(6)
    assert len({site.bytes_of(path) for path in RECORDS}) == 1


def forged_record_beside_a_good_one(site):
    """A record with a higher value in one place, which this TPM has not sealed, costs nothing."""
    site.start()
    site.install(3)
    site.stop()
    good = site.bytes_of(RECORDS[0])
    _, value, blob, floors = good.split(b"\n", 3)
    body = b"\n".join((b"value 999", blob, floors))
    forged = b"holdfast-floor-record 1 " + hashlib.sha256(body).hexdigest().encode() + b"\n" + body
    for path in RECORDS:
        site.put_records({path: forged})
        site.start()
        wait("it is written over", lambda: site.bytes_of(path) == good, PATIENCE_S)
        site.stop()
    site.start()
    site.install(4)


def counter_was_removed(site):
    """The counter begins above all values that it has had: an old record does not become new."""
    with_image(site)
    site.put_back("image")
    site.tpms[0].empty([COUNTER])
    assert site.counter() == "absent"
    site.node.apply("app", site.create(4))
    site.start()
    site.refuses(4, "FloorsReplaced")


def owner_password(site):
    site.tpms[0].set_owner_password(b"secret")
    site.node.apply("app", site.create(3))
    site.start()
    site.refuses(3, "TpmLocked", "password")
    site.tpms[0].set_owner_password(b"", before=b"secret")
    site.installed(3)


def tpm_is_full(site):
    made = site.tpms[0].fill()
    site.node.apply("app", site.create(3))
    site.start()
    site.refuses(3, "TpmFull", "no room")
    site.tpms[0].empty(made)
    site.installed(3)


def no_program(site):
    site.programs = os.path.join(site.home, "bin")
    os.makedirs(site.programs)
    shutil.copy(os.path.join(PROGRAMS, "holdfast-agent"), site.programs)
    site.node.apply("app", site.create(3))
    site.start()
    site.refuses(3, "TpmMissing")


def once(site):
    """With --once the agent ends only after the TPM has counted, or after it knows that there is none. The TPM's answers come last."""
    with_helper(site, 0.2)

    def run():
        site.start("--once")
        return site.node.agent.wait(PATIENCE_S)
    site.node.apply("app", site.create(3))
    assert run() == 0
    site.installed(3)
    assert " 3 " in site.record() and site.value() == site.counter(), (site.record(), site.counter())
    site.tpms[0].stop()
    site.node.apply("web", site.node.create("web", "5.0", 5, site.program(5), path=site.node.path + "-web", service=False))
    assert run() == 1
    assert site.node.update("web")["reason"] == "TpmMissing", site.node.update("web")
    site.tpms[0].start()
    assert run() == 0
    assert site.node.update("web")["phase"] == "Committed" and " 5 " in site.record() and site.value() == site.counter(), site.record()


def switched_on_later(site):
    site.start()
    site.node.apply("app", site.create(3))
    site.installed(3)
    assert site.counter() == "absent" and not site.record()
    site.configure(on=True)
    site.node.agent.send_signal(signal.SIGHUP)
    site.settled(3)
    site.install(4)
    site.configure(on=False)
    site.node.agent.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    before = site.counter()
    site.node.apply("app", site.create(5))
    site.installed(5)
    assert site.counter() == before
    site.configure(on=True)
    site.node.agent.send_signal(signal.SIGHUP)
    site.settled(5)


def record_cannot_be_written(site):
    """The disk refuses the record: no further release starts, and the node heals."""
    site.start()
    site.install(3)
    site.stop()
    for name in ("floor-record.0.new", "floor-record.1.new"):
        os.makedirs(site.node.place("state", name, "x"))
    site.start()
    site.node.apply("app", site.create(4))
    site.installed(4)
    site.node.apply("app", site.create(5))
    site.refuses(5, "StateNotWritable")
    for name in ("floor-record.0.new", "floor-record.1.new"):
        shutil.rmtree(site.node.place("state", name))
    site.installed(5)
    site.settled(5)


CASES = [one_increment_for_each_floor, older_policies, older_floors_in_every_place, older_floors_beside_the_new_record, older_floors_without_record,
         forged_records, damaged_places_do_not_add_up, the_whole_state_folder_is_lost, installed_anew, installed_anew_without_the_counter,
         accept_keeps_what_it_cannot_read, power_cuts_lock_no_node_out, orphaned_increment, killed_at_any_time,
         tpm_is_away, tpm_hangs, tpm_was_cleared, another_tpm, forged_record_beside_a_good_one, counter_was_removed, owner_password, tpm_is_full,
         no_program, once, switched_on_later, record_cannot_be_written]
# What the chip says differs here, so the agent runs the holdfast-tpm of its own build. The other cases start it hundreds of times for the
# same answers: the released one, which takes a quarter of the time.
OF_THE_CHIP = [one_increment_for_each_floor, older_floors_without_record, tpm_is_away, tpm_hangs, tpm_was_cleared, another_tpm, counter_was_removed,
               owner_password, tpm_is_full, once]


def with_released_helper():
    """A folder with the agent, and with the released holdfast-tpm beside it."""
    folder = os.path.join(HOME, "bin")
    os.makedirs(folder)
    shutil.copy(os.path.join(PROGRAMS, "holdfast-agent"), folder)
    shutil.copy(os.path.join(PLAIN, "holdfast-tpm"), folder)
    return folder


def main():
    words, failed, passed = sys.argv[1:], 0, 0
    if shutil.which("swtpm") is None:
        say("swtpm is not installed")
        print(f"0 passed, 0 failed, {len(CASES)} skipped")
        return 0
    shutil.rmtree(HOME, ignore_errors=True)
    released = with_released_helper()
    for case in CASES:
        if words and not any(word in case.__name__ for word in words):
            continue
        site = None
        try:
            site = Site(case.__name__, PROGRAMS if case in OF_THE_CHIP else released, on=case is not switched_on_later)
            case(site)
            say(f"ok   {case.__name__}")
            passed += 1
        except (AssertionError, OSError, subprocess.SubprocessError) as why:
            say(f"FAIL {case.__name__}: {why}")
            failed += 1
        finally:
            if site is not None:
                site.end()
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
