# SPDX-License-Identifier: Apache-2.0
"""The tests on two clusters side by side: one process for each, and one closing line for both."""

import collections
import os
import re
import signal
import subprocess
import sys
import threading
import time

SHARES = ("fleet", "agents")
# What is about the controller, the operator and the installation. The two shares take about the same time.
FLEET = ("admission", "certificate", "cli", "cluster", "controller", "docs", "flux", "guard", "helm", "hostmode", "images", "kubeedge", "kubelet",
         "node_labels", "schema")
CLOSING = re.compile(r"^(?:end to end: (?P<took>\d+ s)|(?P<passed>\d+) passed, (?P<failed>\d+) failed, (?P<skipped>\d+) skipped)$")


def share_of(test):
    """The share that `test` belongs to."""
    return SHARES[type(test).__module__.removeprefix("test_") not in FLEET]


def run(program, keep, words):
    """Run both shares, show what they say as they say it, and add their closing lines; the exit code."""
    began = time.monotonic()
    children = {share: _start(program, share, keep, words) for share in SHARES}
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda number, _frame: [child.send_signal(number) for child in children.values()])
    sums, took, lock = collections.Counter(), {}, threading.Lock()
    readers = [threading.Thread(target=_follow, args=(share, child, sums, took, lock)) for share, child in children.items()]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    print(", ".join([f"end to end: {time.monotonic() - began:.0f} s", *(f"{share} {seconds}" for share, seconds in sorted(took.items()))]))
    print(f"{sums['passed']} passed, {sums['failed']} failed, {sums['skipped']} skipped", flush=True)
    return 1 if sums["failed"] else 0


def _start(program, share, keep, words):
    """A session of its own, so that Ctrl-C reaches it through us alone, and once."""
    environment = dict(os.environ)
    if share != SHARES[0]:
        environment["HF_E2E_FOLDER"] = f"e2e-{share}"
    argv = [sys.executable, program, "--share", share] + (["--keep"] if keep else []) + words
    return subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                            start_new_session=True)


def _follow(share, child, sums, took, lock):
    closed = False
    for line in child.stdout:
        closing = CLOSING.match(line.rstrip("\n"))
        if closing is None:
            print(line, end="", flush=True)
        elif closing["took"] is not None:
            took[share] = closing["took"]
        else:
            closed = True
            with lock:
                sums.update({end: int(closing[end]) for end in ("passed", "failed", "skipped")})
    if child.wait() < 0 or not closed:
        with lock:
            sums["failed"] += 1
        print(f"  FAIL  the tests of share '{share}' ended without their closing line (status {child.returncode})", flush=True)
