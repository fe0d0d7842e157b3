# SPDX-License-Identifier: Apache-2.0
"""Tests that are functions: run them, tell how each went, and end with the plain line that make and CI read."""

import collections
import concurrent.futures
import time
import traceback


class Skip(Exception):
    """This machine cannot run the test; the reason."""


def equal(what, got, want):
    if got != want:
        raise AssertionError(f"{what}: {got!r}, not {want!r}")


def outcome(name, function):
    """Run one test: how it ended, and what there is to say."""
    start = time.monotonic()
    try:
        note = function()
        return "passed", f"  ok    {name}{': ' + note if isinstance(note, str) else ''} ({time.monotonic() - start:.1f} s)"
    except Skip as reason:
        return "skipped", f"SKIP: {name}: {reason}"
    except Exception as error:  # pylint: disable=broad-exception-caught
        trace = "" if isinstance(error, AssertionError) else traceback.format_exc()
        return "failed", f"{trace}  FAIL  {name}: {error}"


def run(tests, beside=1, last=()):
    """Run (name, function without arguments), each after the other, or up to `beside` of them at the same time, where they mostly wait;
    then those of `last`; the exit code. A text that a function returns is shown."""
    count = collections.Counter()

    def tell(end, line):
        count[end] += 1
        print(line, flush=True)
    if beside > 1:
        with concurrent.futures.ThreadPoolExecutor(beside) as pool:
            for end in concurrent.futures.as_completed([pool.submit(outcome, *test) for test in tests]):
                tell(*end.result())
    for test in [*([] if beside > 1 else tests), *last]:
        tell(*outcome(*test))
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] else 0
