#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real supervisor with the real agent, and with builds that are broken in each way there is: offline, time measured.

    tests/system/fault/supervisor.py [--kills N] [--seed S] [NAME ...]      default: all, 30 kills

A is the build that was healthy last, P the one before, B is on trial. Each test has folders of its own, so they run at the same time.
The kills and power cuts ask for one thing: one of two whole agents runs afterwards.
"""
import argparse
import concurrent.futures
import http.server
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
import suite
from lab import PROGRAMS, TOP, die_with_parent, wait

SUPERVISOR = os.path.join(TOP, "build", "release", "holdfast-supervisor")
AGENT = os.path.join(PROGRAMS, "holdfast-agent")
HOME = os.path.join(TOP, "build", "fault", "supervisor")
SAYS = 'say() { printf "%s\\n" "$1" >&"$HOLDFAST_SUPERVISOR_FD"; }\n'
# What stands in for a build in tests of the supervisor alone.
WELL = SAYS + "say ready; while say healthy; do sleep 0.2; done"
CRASHES = "exit 1"
MEASURED = {}


class Host:
    """A state folder with the host folder in it, and what systemd does: starts the supervisor, hears it."""

    def __init__(self, name, *flags):
        self.home = os.path.join(HOME, name)
        shutil.rmtree(self.home, ignore_errors=True)
        self.state, self.objects = os.path.join(self.home, "state"), os.path.join(self.home, "objects")
        self.dir = os.path.join(self.state, "host")
        for folder in (self.dir, self.objects, os.path.join(self.home, "trust")):
            os.makedirs(folder, mode=0o700)
        self.flags, self.process, self.log = flags, None, os.path.join(self.home, "log")
        self.source = ["--source", self.objects]
        self.heard = []
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(os.path.relpath(os.path.join(self.home, "notify")))
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            self.heard.append(self.notify.recv(4096).decode())

    # ---- the folder ---------------------------------------------------------------------------------------------------------

    def build(self, slot, script=None, mode=0o755):
        """A slot with the real agent, or a script of sh in its place."""
        folder = os.path.join(self.dir, "slots", slot)
        os.makedirs(folder, exist_ok=True)
        program = os.path.join(folder, "holdfast-agent")
        if script is None:
            os.link(AGENT, program)
        else:
            with open(program, "w", encoding="ascii") as file:
                file.write(f"#!/bin/sh\nAGENT={AGENT}\n{script}\n")
            os.chmod(program, mode)
        return program

    def link(self, **links):
        for name, slot in links.items():
            path = os.path.join(self.dir, name)
            if slot is None:
                if os.path.lexists(path):
                    os.unlink(path)
                continue
            os.symlink(f"slots/{slot}", path + ".test")
            os.rename(path + ".test", path)

    def slot(self, name):
        try:
            return os.readlink(os.path.join(self.dir, name)).replace("slots/", "", 1)
        except OSError:
            return None

    def note(self, name):
        """(word, slot) of verdict or trial; "damaged"."""
        try:
            text = os.readlink(os.path.join(self.dir, name))
        except FileNotFoundError:
            return None
        except OSError:
            return "damaged"
        found = re.fullmatch("([A-Za-z0-9]+) slots/(.*)", text)
        return found.groups() if found else "damaged"

    # ---- the process --------------------------------------------------------------------------------------------------------

    def start(self, *before, wait_ready=False):
        argv = [*before, SUPERVISOR, "--dir", self.dir, *self.flags, "--", *self.source, "--state-dir", self.state, "--trust-dir",
                os.path.join(self.home, "trust"), "--node-name", "node-1", "--metrics-port", "0", "--probation", "1s",
                "--storage-dir", os.path.join(self.home, "spool"), "--ingest-socket", "off", "--config", os.path.join(self.home, "agent.yaml")]
        if not os.path.exists(os.path.join(self.home, "agent.yaml")):
            self.configure("apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(argv, stderr=log, stdout=log, preexec_fn=die_with_parent, env=dict(
                os.environ, NOTIFY_SOCKET=os.path.join(self.home, "notify"), WATCHDOG_USEC="1000000"))
        if wait_ready:
            wait("ready", lambda: "READY=1" in self.heard)

    def configure(self, text):
        with open(os.path.join(self.home, "agent.yaml"), "w", encoding="ascii") as file:
            file.write(text)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def agent_pid(self):
        """The child of the supervisor, if it has one."""
        try:
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
                return int(file.read().split()[0])
        except (OSError, IndexError):
            return None

    def agent(self):
        """(pid, slot) of the agent that runs."""
        pid = self.agent_pid()
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                slot = re.search(rb"HOLDFAST_SUPERVISOR_SLOT=slots/([^\0]*)", file.read())
        except OSError:
            return None
        return (pid, slot[1].decode()) if slot else None

    def runs(self, slot):
        return (self.agent() or (0, None))[1] == slot


def trial(name, script=None, *flags, good=None):
    """B on trial after A, which is the real agent unless `good`."""
    host = Host(name, *flags)
    host.build("A", good)
    if script is not None:
        host.build("B", script)
    host.link(current="B", good="A")
    return host


def rolled_back(host, reason, limit_s):
    """A runs and is healthy, the verdict on B says why."""
    began = time.monotonic()
    host.start()
    wait(f"the verdict {reason}", lambda: host.note("verdict") == (reason, "B"), limit_s)
    wait("A runs", lambda: host.runs("A"), 5)
    MEASURED[host.home.rsplit("/", 1)[1]] = time.monotonic() - began
    suite.equal("current", host.slot("current"), "A")
    suite.equal("good", host.slot("good"), "A")
    wait("A is ready", lambda: "READY=1" in host.heard, 20)
    time.sleep(1.5)
    suite.equal("A still runs", host.runs("A"), True)
    suite.equal("trial", host.note("trial"), None)
    suite.equal("exit code", host.stop(), 0)
    wait("systemd hears of the end", lambda: "STOPPING=1" in host.heard, 5)


def kept(host, slot="B"):
    host.start()
    wait(f"{slot} is healthy", lambda: host.slot("good") == slot, 30)
    suite.equal("current", host.slot("current"), slot)
    suite.equal("verdict", host.note("verdict"), None)
    suite.equal("it runs", host.runs(slot), True)


# ---- a build on trial that is broken --------------------------------------------------------------------------------------------

def not_executable():
    host = trial("not_executable")
    host.build("B", CRASHES, mode=0o644)
    rolled_back(host, "NotExecutable", 5)


def missing():
    rolled_back(trial("missing"), "NotExecutable", 5)


def wrong_architecture():
    host = trial("wrong_architecture", CRASHES)
    with open(AGENT, "rb") as file:
        program = bytearray(file.read())
    program[18:20] = (0xF3 if program[18] != 0xF3 else 0x3E, 0)  # e_machine: RISC-V
    with open(os.path.join(host.dir, "slots", "B", "holdfast-agent"), "wb") as file:
        file.write(program)
    rolled_back(host, "NotExecutable", 5)


def crashes_at_once():
    rolled_back(trial("crashes_at_once", CRASHES), "Crashed", 10)


def lacks_a_library():
    host = trial("lacks_a_library", "echo 'libfoo.so.1: cannot open shared object file' >&2; exit 127")
    rolled_back(host, "Crashed", 10)


def hangs_at_start():
    rolled_back(trial("hangs_at_start", "exec sleep 1000", "--hang", "1", good=WELL), "Hung", 10)


def stops_turning():
    host = trial("stops_turning", '(sleep 2; kill -STOP $$) & exec "$AGENT" "$@" --probation 30s', "--hang", "6")
    rolled_back(host, "Hung", 25)


def lives_shortly():
    host = trial("lives_shortly", '(sleep 1.5; kill -SEGV $$) & exec "$AGENT" "$@" --probation 30s')
    rolled_back(host, "Crashed", 20)


def cannot_read_the_state():
    rolled_back(trial("cannot_read_the_state", SAYS + "say ready; while say alive; do sleep 0.3; done", "--deadline", "4"), "Late", 10)


def ignores_the_end():
    host = trial("ignores_the_end", SAYS + "trap '' TERM; say ready; while say alive; do sleep 0.3; done", "--deadline", "2")
    rolled_back(host, "Late", 20)


def floods():
    """A line without end, and garbage, are lines like others: alive, not healthy."""
    rolled_back(trial("floods", 'while :; do head -c 100000 /dev/urandom >&"$HOLDFAST_SUPERVISOR_FD"; sleep 0.1; done', "--deadline", "3"),
                "Late", 10)


# ---- a build on trial that is not broken ----------------------------------------------------------------------------------------

def whole():
    host = trial("whole")
    host.build("B")
    kept(host)
    suite.equal("previous", host.slot("previous"), "A")
    pid = host.agent()[0]
    os.kill(host.process.pid, signal.SIGHUP)
    wait("the agent reads its configuration again", lambda: "config.kept" in host.text(), 10)
    suite.equal("the same process", host.agent()[0], pid)
    with open(f"/proc/{pid}/environ", "rb") as file:
        suite.equal("systemd's variables", b"NOTIFY_SOCKET" in file.read(), False)
    suite.equal("exit code", host.stop(), 0)
    suite.equal("to systemd", (host.heard[0], "WATCHDOG=1" in host.heard, host.heard.count("READY=1")), ("READY=1", True, 1)
                if host.heard[0] == "READY=1" else ("WATCHDOG=1", True, 1))


class Refuses(http.server.BaseHTTPRequestHandler):
    code = 401

    def do_GET(self):
        self.server.asked += 1
        self.send_response(self.code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_PATCH = do_PUT = do_GET

    def log_message(self, *_):
        pass


def refused(code):
    def test():
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Refuses,), {"code": code}))
        server.asked = 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = trial(f"refused_{code}")
        host.build("B")
        host.source = ["--server", f"http://127.0.0.1:{server.server_port}"]
        kept(host)
        wait("the server was asked", lambda: server.asked > 0, 20)
        suite.equal("exit code", host.stop(), 0)
        server.shutdown()
    return test


def bad_configuration():
    """A first start without a copy of a good one goes on with the strict defaults; a later one with the copy. Neither is B's fault."""
    host = trial("bad_configuration")
    host.build("B")
    host.configure("}{ not yaml")
    kept(host)
    host.configure("apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nexec: [/bin/true]\n")
    os.kill(host.process.pid, signal.SIGHUP)
    wait("the good one is kept", lambda: os.path.exists(os.path.join(host.state, "configuration")), 20)
    suite.equal("exit code", host.stop(), 0)
    host.build("C")
    host.link(current="C")
    host.configure("}{ not yaml")
    suite.equal("the last one is not used yet", "config.last_used" in host.text(), False)
    kept(host, "C")
    suite.equal("the last one is used", "config.last_used" in host.text(), True)

    def shown():
        status = subprocess.run([os.path.join(PROGRAMS, "holdfast"), "status", "--state-dir", host.state], check=False, capture_output=True,
                                text=True).stdout
        return "ConfigurationValid" in status and "worked last is in effect" in re.sub(r"\s+", " ", status)
    wait("holdfast status shows it", shown, 20)
    suite.equal("exit code", host.stop(), 0)


def no_link_to_the_server():
    host = trial("no_link_to_the_server")
    host.build("B")
    host.source = ["--server", "http://127.0.0.1:9"]
    kept(host)
    suite.equal("exit code", host.stop(), 0)


def locked():
    """Another agent has the state folder: this is not the build's fault, for however long."""
    host = trial("locked")
    host.build("B")
    other = Host("locked_other")
    other.state = host.state
    other.build("O")
    other.link(current="O")
    other.start(wait_ready=True)
    host.start()
    wait("B has ended five times", lambda: host.text().count("exit code 3") >= 5, 60)
    suite.equal("verdict", host.note("verdict"), None)
    suite.equal("the other ends", other.stop(), 0)
    wait("B is healthy", lambda: host.slot("good") == "B", 30)
    suite.equal("exit code", host.stop(), 0)


# ---- swaps, and builds that were healthy ----------------------------------------------------------------------------------------

def swapped_on_purpose():
    """A swaps `current` and says so: B starts at once; A's verdict of long ago is forgotten."""
    host = trial("swapped", WELL, good=SAYS + f"say ready; say healthy; sleep 0.3; ln -s slots/B {HOME}/swapped/state/host/new; "
                 f"mv -T {HOME}/swapped/state/host/new {HOME}/swapped/state/host/current; say restart; exit 0")
    host.link(current="A")
    os.symlink("Late slots/B", os.path.join(host.dir, "verdict"))
    host.start()
    wait("B runs", lambda: host.runs("B"), 2)
    wait("B is healthy", lambda: host.slot("good") == "B", 5)
    suite.equal("the links", (host.slot("current"), host.slot("previous"), host.note("verdict"), host.note("trial")), ("B", "A", None, None))
    suite.equal("exit code", host.stop(), 0)


def healthy_once():
    """A was healthy once and ends soon after each start: back to P, once."""
    host = Host("healthy_once")
    host.build("A", CRASHES)
    host.build("P")
    host.link(current="A", good="A", previous="P")
    began = time.monotonic()
    host.start()
    wait("the verdict", lambda: host.note("verdict") == ("Crashed", "A"), 30)
    wait("P is healthy", lambda: host.slot("good") == "P", 20)
    MEASURED["healthy_once"] = time.monotonic() - began
    suite.equal("the links", (host.slot("current"), host.slot("previous")), ("P", "P"))
    suite.equal("exit code", host.stop(), 0)


def all_bad():
    """Of bad builds the one that was healthy last is started again and again."""
    host = trial("all_bad", CRASHES, good=CRASHES)
    host.build("P", CRASHES)
    host.link(previous="P")
    host.start()
    wait("each was given up", lambda: host.text().count("gives up") >= 3, 60)
    wait("A again", lambda: host.slot("current") == "A" and host.text().count("slots/A has ended") >= 7, 40)
    suite.equal("given up, in order", re.findall(r"gives up slots/(\w): (\w+)", host.text()), [("B", "Crashed"), ("A", "Crashed"), ("P", "Crashed")])
    suite.equal("exit code", host.stop(), 0)


def first_one():
    """The first build of a node has nothing to go back to."""
    host = Host("first_one", "--deadline", "2")
    host.build("A", SAYS + "say ready; while say alive; do sleep 0.2; done")
    host.link(current="A")
    host.start(wait_ready=True)
    time.sleep(4)
    suite.equal("it runs", host.runs("A"), True)
    suite.equal("verdict", host.note("verdict"), None)
    suite.equal("exit code", host.stop(), 0)


# ---- what cannot be read, what cannot be written --------------------------------------------------------------------------------

def damaged_files():
    def a_file(path):
        with open(path, "wb") as file:
            file.write(os.urandom(5000))
    damages = [a_file] + [lambda path, text=text: os.symlink(text, path) for text in ("x", "Late ../A", "2  slots/B", "y" * 4000)]
    for number, damage in enumerate(damages):
        host = trial(f"damaged_{number}", CRASHES, good=WELL)
        for name in ("verdict", "trial"):
            damage(os.path.join(host.dir, name))
        rolled_back(host, "Crashed", 10)
    host = trial("damaged_folders", CRASHES, good=WELL)
    os.mkdir(os.path.join(host.dir, "trial"))
    os.mkdir(os.path.join(host.dir, ".current.new"))
    os.mkfifo(os.path.join(host.dir, "verdict"))
    host.start()
    wait("A runs", lambda: host.runs("A"), 10)
    suite.equal("exit code", host.stop(), 0)


def damaged_links():
    for number, current in enumerate((None, "../../../bin", "x" * 300, "gone")):
        host = trial(f"links_{number}", good=WELL)
        host.link(current=None)
        if current is not None:
            os.symlink(current if current == "../../../bin" else f"slots/{current}"[:255 if number != 2 else 400], os.path.join(host.dir, "current"))
        host.start()
        wait("A runs", lambda: host.runs("A"), 5)  # pylint: disable=cell-var-from-loop
        wait("current", lambda: host.slot("current") == "A", 5)  # pylint: disable=cell-var-from-loop
        suite.equal("exit code", host.stop(), 0)


def on_a_mount(name, mount, prepare):
    host = trial(name, CRASHES, good=WELL)
    shutil.move(host.dir, host.dir + ".full")
    os.mkdir(host.dir)
    if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode != 0:
        raise suite.Skip("no mount namespaces here")
    script = (f'mount -t tmpfs -o size=64k,nr_inodes=64 none "{host.dir}" && cp -a "{host.dir}.full/." "{host.dir}/" && {prepare} && {mount} && exec "$@"')
    host.start("unshare", "-m", "sh", "-c", script, "-")
    wait("A runs", lambda: host.runs("A"), 15)
    time.sleep(1)
    suite.equal("A still runs", host.runs("A"), True)
    suite.equal("it says so", "goes on from memory" in host.text(), True)
    suite.equal("exit code", host.stop(), 0)


def read_only():
    on_a_mount("read_only", f'mount -o remount,ro "{HOME}/read_only/state/host"', "true")


def full_disk():
    """Neither a block nor an inode is left."""
    fill = 'dd if=/dev/zero of=fill bs=4k; for i in $(seq 64); do mkdir "fill$i"; done'
    on_a_mount("full_disk", "true", f'(cd "{HOME}/full_disk/state/host" && {{ {fill}; }} 2>/dev/null || true)')


def small():
    """The bounds of the program: size, and lines of code. No library of the host, if musl's compiler is there."""
    suite.equal("below 100 kB", os.path.getsize(SUPERVISOR) < 100000, True)
    text = ""
    for folder in ("cmd/holdfast-supervisor", "pkg/supervisor"):
        for name in sorted(os.listdir(os.path.join(TOP, folder))):
            if name.endswith(".c"):
                with open(os.path.join(TOP, folder, name), encoding="ascii") as file:
                    text += re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    lines = sum(line.strip() != "" for line in text.split("\n"))
    suite.equal(f"{lines} lines of code, below 500", lines < 500, True)
    MEASURED["small"] = f"{os.path.getsize(SUPERVISOR)} bytes, {lines} lines"


# ---- kill -9 and power cuts -----------------------------------------------------------------------------------------------------

def kills(number, seed):
    """Builds are swapped all the time, as an update engine does; supervisor or agent is killed at a random moment; systemd starts the
    supervisor again. After each kill a whole agent runs, of one of the two builds; in the end the one of `current` is healthy."""
    rng = random.Random(seed)
    host = Host("kills")
    for slot in "AB":
        host.build(slot)
    host.link(current="A", good="A")
    host.start()
    seen = {"A": 0, "B": 0}
    for _ in range(number):
        if rng.random() < 0.7:
            host.link(current=rng.choice("AB"))
        time.sleep(rng.choice((0, rng.random() * 0.05, rng.random())))
        victim = host.process.pid if rng.random() < 0.5 else (host.agent() or (host.process.pid,))[0]
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if victim == host.process.pid:
            host.process.wait()
            host.start()
        wait("an agent runs", host.agent, 10)
        found = host.agent() or wait("an agent runs", host.agent, 10)
        seen[found[1]] += 1
        suite.equal("links name whole builds", all(host.slot(name) in ("A", "B", None) for name in ("current", "good", "previous")), True)
        suite.equal("the files are whole", "damaged" in (host.note("verdict"), host.note("trial")), False)
    wait("the build of `current` is healthy", lambda: host.slot("good") == host.slot("current"), 60)

    def one_agent():
        """Beside its supervisor; none for a moment where one ends and the next starts, and never two."""
        found = subprocess.run(["pgrep", "-f", f"state-dir {host.state} "], check=False, capture_output=True, text=True).stdout.split()
        agents = [pid for pid in found if int(pid) != host.process.pid]
        assert len(agents) <= 1, f"{len(agents)} agents run"
        return len(agents) == 1
    wait("one agent", one_agent, 70)
    suite.equal("exit code", host.stop(), 0)
    MEASURED["kills"] = f"{number}, A ran after {seen['A']}, B after {seen['B']}"


class Disk:
    """The links of the host folder as the medium has them: they change in their order, and are there after the folder's fsync. From a
    trace of the supervisor's system calls, every state that a power cut could leave."""

    def __init__(self, trace):
        self.states, self.durable, self.pending, self.synced = [], {}, [], 0
        for line in trace.splitlines():
            call = re.match(r"(\w+)\((.*)\)\s+= 0", line)
            if call:
                self.play(call[1], re.findall(r'"((?:[^"\\]|\\.)*)"', call[2]))

    def play(self, call, text):
        if call == "fsync":
            self.durable, self.pending = self.apply(len(self.pending)), []
            self.synced += 1
        elif call.startswith("symlink"):
            self.pending.append({text[1]: text[0]})
        elif call.startswith("rename"):
            self.pending.append({text[1]: self.apply(len(self.pending))[text[0]], text[0]: None})
        else:
            self.pending.append({text[0]: None})
        for n in range(len(self.pending) + 1):
            if self.apply(n) not in self.states:
                self.states.append(self.apply(n))

    def apply(self, n):
        return {name: text for change in (self.durable, *self.pending[:n]) for name, text in change.items()}

    @staticmethod
    def lay(state, folder):
        for name, text in state.items():
            path = os.path.join(folder, name)
            if os.path.lexists(path):
                os.unlink(path)
            if text is not None:
                os.symlink(text, path)


def power_cuts():
    """B is given up, under strace; then a node that comes back with each state of the disk ends with A, or tries B once more first."""
    if shutil.which("strace") is None:
        raise suite.Skip("no strace")
    host = trial("power_cuts", CRASHES, good=WELL)
    trace = os.path.join(host.home, "trace")
    host.start("strace", "-s", "4096", "-o", trace, "-e", "trace=symlink,symlinkat,rename,renameat,unlink,unlinkat,fsync")
    wait("the verdict", lambda: host.note("verdict") is not None and host.slot("current") == "A", 20)
    time.sleep(0.5)
    with open(f"/proc/{host.process.pid}/task/{host.process.pid}/children", encoding="ascii") as file:
        os.kill(int(file.read().split()[0]), signal.SIGTERM)
    suite.equal("exit code", host.process.wait(20), 0)
    with open(trace, encoding="utf-8") as file:
        disk = Disk(file.read())
    suite.equal("states of the disk, of three ends, the verdict, `current` and the end of the trial", len(disk.states) >= 12, True)
    suite.equal("each change is synced", (disk.synced >= 6, disk.pending), (True, []))

    def comes_back(number, state):
        node = trial(f"power_cuts_{number}", CRASHES, good=WELL)
        Disk.lay(state, node.dir)
        if node.slot("current") == "A":
            suite.equal("`current` changes after the verdict", node.note("verdict"), ("Crashed", "B"))
        suite.equal("`current`", node.slot("current") in ("A", "B"), True)
        suite.equal("the files are whole", "damaged" in (node.note("verdict"), node.note("trial")), False)
        node.start()
        wait("A runs", lambda: node.runs("A") and node.slot("current") == "A", 20)
        suite.equal("the verdict", node.note("verdict"), ("Crashed", "B"))
        suite.equal("exit code", node.stop(), 0)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(comes_back, *one) for one in enumerate(disk.states)]:
            done.result()
    MEASURED["power_cuts"] = f"{len(disk.states)} states"


TESTS = [not_executable, missing, wrong_architecture, crashes_at_once, lacks_a_library, hangs_at_start, stops_turning, lives_shortly,
         cannot_read_the_state, ignores_the_end, floods, whole, bad_configuration, no_link_to_the_server, locked, swapped_on_purpose,
         healthy_once, all_bad, first_one, damaged_files, damaged_links, read_only, full_disk, small, power_cuts]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("names", nargs="*", metavar="NAME")
    words = parser.parse_args()
    tests = [(test.__name__, test) for test in TESTS] + [(f"refused_{code}", refused(code)) for code in (401, 403, 429)]
    tests.append(("kills", lambda: kills(words.kills, words.seed)))
    chosen = [one for one in tests if not words.names or one[0] in words.names]
    with concurrent.futures.ThreadPoolExecutor(len(chosen) or 1) as pool:
        begun = {name: pool.submit(test) for name, test in chosen}
        code = suite.run([(name, begun[name].result) for name, _ in chosen])
    print("measured: " + ", ".join(f"{name} {value if isinstance(value, str) else f'{value:.1f} s'}" for name, value in sorted(MEASURED.items())))
    return code if chosen else 2


if __name__ == "__main__":
    os.chdir(TOP)
    sys.exit(main())
