# SPDX-License-Identifier: Apache-2.0
"""Waiting for what is to become true; a failure of the test when it does not."""

from holdcluster import place, process

PRESSURE = "/proc/pressure"


def _stalled_us():
    """For how long so far all tasks waited for the disk or for memory, and some for a processor; {} where the kernel does not say."""
    found = {}
    for name, line in (("io", "full"), ("memory", "full"), ("cpu", "some")):
        try:
            with open(f"{PRESSURE}/{name}", encoding="ascii") as file:
                found[name] = next(int(text.rpartition("=")[2]) for text in file if text.startswith(line))
        except (OSError, StopIteration):
            continue
    return found


def until(what, test, timeout_s, period_s=0.1):
    """Call `test` until it returns something true, and return that; an AssertionError naming `what` after `timeout_s`, and what the
    machine lacked."""
    before = _stalled_us()
    try:
        return process.wait_for(what, test, timeout_s, period_s)
    except place.Error as error:
        stalled = {name: f"{(now - before.get(name, now)) / 1e6:.1f} s" for name, now in _stalled_us().items()}
        raise AssertionError(f"{error} (its tasks waited meanwhile: {stalled})") from None
