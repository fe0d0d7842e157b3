# SPDX-License-Identifier: Apache-2.0
"""Tests that are functions: run them, tell how each went, and end with the plain line that make and CI read."""

import time
import traceback


class Skip(Exception):
    """This machine cannot run the test; the reason."""


def equal(what, got, want):
    if got != want:
        raise AssertionError(f"{what}: {got!r}, not {want!r}")


def run(tests):
    """Run (name, function without arguments) one after the other; the exit code."""
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for name, function in tests:
        start = time.monotonic()
        try:
            function()
            count["passed"] += 1
            print(f"  ok    {name} ({time.monotonic() - start:.1f} s)", flush=True)
        except Skip as reason:
            count["skipped"] += 1
            print(f"SKIP: {name}: {reason}", flush=True)
        except Exception as error:  # pylint: disable=broad-exception-caught
            count["failed"] += 1
            if not isinstance(error, AssertionError):
                traceback.print_exc()
            print(f"  FAIL  {name}: {error}", flush=True)
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] else 0
