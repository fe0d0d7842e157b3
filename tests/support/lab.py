# SPDX-License-Identifier: Apache-2.0
"""What every test in Python that runs built programs needs: where they are, a free port, waiting, children that do not outlive it."""
import ctypes
import os
import random
import re
import signal
import socket
import subprocess
import time
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = os.path.join(TOP, os.environ.get("HF_BUILD_DIR", "build/release"))
PATIENCE_S = float(os.environ.get("HF_PATIENCE_S", "300"))  # for anything to become true; a busy or slow machine is no failure
LEASES = []


def free_port():
    """A port of 127.0.0.1 for a program that this process starts.

    Nobody listens on it, and no other test gets it while this process lives: the lease is an abstract Unix socket with its
    number. Where the kernel's range leaves room below, the kernel gives it to no connection and to no listener for any port.
    """
    ports = range(10000, end_of_ports())
    while True:
        port = random.SystemRandom().choice(ports)
        lease = socket.socket(socket.AF_UNIX)
        try:
            lease.bind(f"\0holdfast-test-port-{port}")
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            lease.close()
            continue
        LEASES.append(lease)
        return port


def end_of_ports():
    """Where the kernel's own choice of ports begins; the first of Kubernetes' node ports (30000) if that is lower, or leaves too few."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        first = min(int(file.read().split()[0]), 30000)
    return first if first > 12000 else 30000


def wait(what, condition, patience=PATIENCE_S, step=0.02):
    """Until condition() gives something true; returns that. A condition that runs a program is asked less often: asking takes a fifth
    of the time at most."""
    end = time.monotonic() + patience
    while (began := time.monotonic()) < end:
        found = condition()
        if found:
            return found
        time.sleep(max(step, min(4 * (time.monotonic() - began), 1)))
    raise AssertionError(f"{what}: not within {patience:.0f} s")


def metric(port, name):
    """The value of one series on an agent's page of metrics, such as 'a_total{result="asked"}'; None without it, or without a page."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            found = re.search(rf"^{re.escape(name)} (\S+)$", page.read().decode(), re.M)
    except OSError:
        return None
    return float(found[1]) if found else None


def preload(source, library):
    """Compiles a C source to a library for LD_PRELOAD."""
    subprocess.run([os.environ.get("CC", "cc").split()[-1], "-shared", "-fPIC", "-o", library, source], check=True)


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
