# SPDX-License-Identifier: Apache-2.0
"""Attacks of another user of the node on the agent that lives on the host: on its folder, its lock, its supervisor and the pipe between the two."""
import fcntl
import json
import os

import supervisor
from lab import wait
from run import Skip

NOBODY = 65534


def tries(folder, paths, pids):
    """In a process of its own, as nobody with the state folder as its own: what it sees there, and what works of all that it tries."""
    done = []

    def attempt(what, act, *words):
        try:
            act(*words)
            done.append(what)
        except OSError:
            pass

    def lock():
        fcntl.flock(os.open("agent.lock", os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)

    def speak(path):
        os.write(os.open(path, os.O_WRONLY | os.O_NONBLOCK), b"restart\n")

    os.chdir(folder)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    for path in paths:
        attempt(f"reads {path}", os.open, path, os.O_RDONLY)
        attempt(f"writes {path}", os.open, path, os.O_WRONLY)
        attempt(f"renames {path}", os.rename, path, path + ".gone")
    attempt("locks", lock)
    for name in ("x", "hold", "host/x", "status/x"):
        attempt(f"makes {name}", os.mkdir, name)
    for pid in pids:
        attempt(f"signals {pid}", os.kill, pid, 0)
        for name in ("environ", "mem", "maps", "fd"):
            attempt(f"opens {name} of {pid}", os.open, f"/proc/{pid}/{name}", os.O_RDONLY)
        for number in range(64):
            attempt(f"speaks through {number} of {pid}", speak, f"/proc/{pid}/fd/{number}")
    return os.listdir("."), done


def as_nobody(*words):
    end, begin = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(begin, json.dumps(tries(*words)).encode())
        finally:
            os._exit(0)
    os.close(begin)
    with os.fdopen(end, "rb") as file:
        said = file.read()
    os.waitpid(child, 0)
    return json.loads(said)


def attack_another_user(home):
    """Reach for the agent's folder, lock, pipe and processes where a kubelet has made the state folder for all to enter: the status can be read, and nothing else."""
    if os.geteuid() != 0:
        raise Skip("needs root, to be another user")
    host = supervisor.Host(os.path.join(home, "host"))
    os.chmod(host.state, 0o755)
    host.build("A")
    host.link(current="A", good="A", previous="A")
    host.start(wait_ready=True)
    try:
        wait("A runs", lambda: host.runs("A"), 20)
        before, status = host.agent(), os.path.join("status", "EdgeNode-node-1.json")
        wait("its status", lambda: os.path.exists(os.path.join(host.state, status)), 20)
        paths = [os.path.relpath(os.path.join(folder, name), host.state) for folder, folders, files in os.walk(host.state) for name in folders + files]
        assert {"host/slots/A/holdfast-agent", "host/current", "agent.lock"} <= set(paths), paths
        seen, done = as_nobody(host.state, paths, [host.process.pid, before[0]])
        assert {"host", "agent.lock"} <= set(seen), seen  # that user stands in the folder
        assert f"reads {status}" in done and set(done) <= {"reads status", f"reads {status}"}, done
        assert (host.agent(), host.slot("good"), host.note("verdict")) == (before, "A", None), host.text()
    finally:
        code = host.stop()
    assert code == 0, host.text()
