# SPDX-License-Identifier: Apache-2.0
"""Start and end processes of a cluster.

Each one carries the cluster's folder in its environment (place.MARK), so that it is found and ended even when nothing
remembered its number. A number is only trusted together with the process's start time, since numbers are used again.
"""

import os
import signal
import subprocess
import time

from . import place


def _start_time(pid):
    """When `pid` started, in ticks since boot; None if it is gone or only waits to be reaped."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            fields = f.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def started_at(pid):
    """When `pid` was started, in seconds of the wall clock; exact to a hundredth."""
    ticks = _start_time(pid)
    if ticks is None:
        raise place.Error(f"process {pid} is gone")
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return booted + ticks / os.sysconf("SC_CLK_TCK")


def cpu_s(pid):
    """Processor time of all threads that `pid` has, in seconds."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1e9


def _file(where, name):
    return where.path("run", name + ".pid")


def pid_of(where, name):
    """The number of the running process `name`, or None."""
    try:
        with open(_file(where, name), encoding="ascii") as f:
            pid, started = map(int, f.read().split())
    except (FileNotFoundError, ValueError):
        return None
    return pid if _start_time(pid) == started else None


def start(where, name, argv, netns=None, cgroup=None, env=None):
    """Start `argv` in the background as `name`, output to log/`name`; nothing happens if it runs already."""
    pid = pid_of(where, name)
    if pid is not None:
        return pid
    os.makedirs(where.path("log"), exist_ok=True)
    if netns:
        argv = ["nsenter", f"--net=/run/netns/{netns}", "--"] + argv
    environment = {"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin"), "HOME": "/root", place.MARK: where.folder, **(env or {})}
    groups = cgroup or []

    def enter():
        for group in groups:
            with open(os.path.join(group, "cgroup.procs"), "w", encoding="ascii") as f:
                f.write("0")

    with open(where.path("log", name), "ab") as log:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                                 start_new_session=True, preexec_fn=enter if groups else None)
    place.write(_file(where, name), f"{child.pid} {_start_time(child.pid) or 0}\n")
    return child.pid


def stop(where, name, how=signal.SIGTERM, patience_s=10):
    """End the process `name` and wait until it is gone; by force when it does not go in `patience_s`."""
    pid = pid_of(where, name)
    if pid is not None:
        end([pid], how, patience_s)
    try:
        os.unlink(_file(where, name))
    except FileNotFoundError:
        pass


def end(pids, how=signal.SIGTERM, patience_s=10):
    """Send `how` to each of `pids`, wait for their end, and kill what is left after `patience_s`."""
    born = {pid: _start_time(pid) for pid in pids}
    left = [pid for pid in pids if born[pid] is not None]
    for sign, wait_s in ((how, patience_s), (signal.SIGKILL, 10)):
        for pid in left:
            try:
                os.kill(pid, sign)
            except ProcessLookupError:
                pass
        until = time.monotonic() + wait_s
        while left and time.monotonic() < until:
            _reap(left)
            left = [pid for pid in left if _start_time(pid) == born[pid]]
            if left:
                time.sleep(0.02)
        if not left:
            return
    raise place.Error(f"processes {left} do not end, not even by SIGKILL")


def _reap(pids):
    for pid in pids:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass                                   # not a child of ours: its own parent reaps it


def children(pid):
    """The numbers of the processes that `pid`, by any of its threads, started or adopted."""
    found = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as f:
                found += [int(word) for word in f.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def marked(where):
    """The numbers of all processes of this cluster: those that carry its mark, and those in its control groups.

    The latter are the nodes: their PID 1 has an environment of its own and outlives a killed systemd-nspawn.
    """
    mark = f"{place.MARK}={where.folder}".encode()
    found = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                with open(f"/proc/{entry}/environ", "rb") as f:
                    if mark in f.read().split(b"\0"):
                        found.add(int(entry))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                pass
    for folder, _, _ in os.walk(f"/sys/fs/cgroup/pids/{where.cgroup}"):
        try:
            with open(os.path.join(folder, "cgroup.procs"), encoding="ascii") as f:
                found.update(int(word) for word in f.read().split())
        except FileNotFoundError:
            pass                                   # its last process went
    return sorted(found - {0})


def run(argv, check=True, **more):
    """Run `argv` to its end and return its output; place.Error with what it said if it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **more)
    if check and done.returncode != 0:
        raise place.Error(f"{' '.join(argv)}: exit {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def wait_for(what, test, timeout_s, period_s=0.1):
    """Call `test` until it returns something true, and return that; place.Error naming `what` after `timeout_s`."""
    until = time.monotonic() + timeout_s
    while True:
        value = test()
        if value:
            return value
        if time.monotonic() > until:
            raise place.Error(f"waited {timeout_s} s in vain for {what}")
        time.sleep(period_s)
