"""What every test in Python that runs built programs needs: where they are, a free port, waiting, children that do not outlive it."""
import ctypes
import os
import re
import signal
import socket
import time
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = os.path.join(TOP, os.environ.get("HF_BUILD_DIR", "build/release"))
PATIENCE_S = float(os.environ.get("HF_PATIENCE_S", "300"))  # for anything to become true; a busy or slow machine is no failure


GIVEN = set()


def free_port():
    """One that nobody listens on, and that was not given before: two that are asked for in a row may not be the same."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in GIVEN:
            GIVEN.add(port)
            return port


def wait(what, condition, patience=PATIENCE_S, step=0.02):
    """Until condition() gives something true; returns that."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(step)
    raise AssertionError(f"{what}: not within {patience:.0f} s")


def metric(port, name):
    """The value of one series on an agent's page of metrics, such as 'a_total{result="asked"}'; None without it, or without a page."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            found = re.search(rf"^{re.escape(name)} (\S+)$", page.read().decode(), re.M)
    except OSError:
        return None
    return float(found[1]) if found else None


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
