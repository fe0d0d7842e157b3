# SPDX-License-Identifier: Apache-2.0
"""Choosing tests, running them, and telling how each went as it ends."""

import signal
import sys
import threading
import time
import traceback
import unittest

from . import evidence


LONGEST = 3000                                 # characters of one failure that are shown


def choose(suite, words):
    """All tests of `suite`, flat and in order, whose name holds one of `words` (or all without words)."""
    flat = []
    for item in suite:
        flat += choose(item, words) if isinstance(item, unittest.TestSuite) else [item]
    return [test for test in flat if not words or any(word in test.id() for word in words)]


def run(tests, result):
    """Run `tests`: those of the two lives side by side, one after the other within a life, and all others for themselves."""
    lives = {life: [test for test in tests if lane(test) == life] for life in ("unit", "pod")}
    unittest.TestSuite(test for test in tests if lane(test) is None).run(result)
    lanes = [threading.Thread(target=unittest.TestSuite(members).run, args=(result.beside(),), daemon=True)
             for members in lives.values()]
    for thread in lanes:
        thread.start()
    for thread in lanes:
        thread.join()


def lane(test):
    """The life in whose lane the test runs; None if it runs for itself. A module's own set-up and its end change the whole
    cluster, so all tests of such a module run for themselves."""
    module = sys.modules[type(test).__module__]
    changes_all = any(hasattr(module, name) for name in ("setUpModule", "tearDownModule"))
    return None if changes_all or getattr(test, "alone", True) else test.life


class Ended(KeyboardInterrupt):
    """A signal asks the run to end; derived so that unittest does not take it for a test's failure."""


def heed_signals():
    """Let whoever ends the run, as CI does when its time is up, end it in order: once, for the end may not be cut short."""
    ending = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)

    def end(number, _frame):
        for each in ending:
            signal.signal(each, signal.SIG_IGN)
        raise Ended(f"ended by {signal.Signals(number).name}")

    for each in ending:
        signal.signal(each, end)


class Tally:
    """What several results count together."""

    def __init__(self):
        self.counts = {"ok": 0, "FAIL": 0, "skip": 0}
        self.lock = threading.Lock()
        self.over = False
        self.began = time.monotonic()


class Result(unittest.TestResult):
    """One line per test as it ends; the closing line is the one that make and CI read."""

    def __init__(self, tally=None):
        super().__init__()
        self._tally = tally or Tally()
        self._start = time.monotonic()
        self._sub_failed = False

    def beside(self):
        """A result for tests that run at the same time; what it counts is counted here too."""
        return Result(self._tally)

    def _tell(self, word, test, text="", more=()):
        spent = time.monotonic() - self._start
        with self._tally.lock:
            if self._tally.over:
                return
            self._tally.counts[word] += 1
            print(f"  {word:5} {test.id()} ({spent:.1f} s){': ' + text if text else ''}", *more, sep="\n        ", flush=True)

    def startTest(self, test):  # noqa: N802 (unittest's name)
        super().startTest(test)
        self._start, self._sub_failed = time.monotonic(), False

    def addSuccess(self, test):  # noqa: N802
        if not self._sub_failed:
            self._tell("ok", test)

    def addSkip(self, test, reason):  # noqa: N802
        self._tell("skip", test, reason)

    def addSubTest(self, test, subtest, err):  # noqa: N802
        if err is not None:
            self._bad(subtest, err)
            self._sub_failed = True

    def addFailure(self, test, err):  # noqa: N802
        self._bad(test, err)

    def addError(self, test, err):  # noqa: N802
        self._bad(test, err)

    def _bad(self, test, err):
        trace = "".join(traceback.format_exception(*err)) if not issubclass(err[0], AssertionError) else str(err[1])
        trace = trace if len(trace) <= LONGEST else trace[:LONGEST] + " ..."
        more = trace.strip().splitlines()
        where = [frame for frame in traceback.extract_tb(err[2]) if "/e2e/test_" in frame.filename]
        if where:
            more.append(f"at {where[-1].filename}:{where[-1].lineno}: {where[-1].line}")
        folder = evidence.collect(test.id())
        self._tell("FAIL", test, more=[*more, f"what was left: {folder}", *evidence.told(folder)])

    def broken(self, text):
        """The run itself went wrong: counts as one failure."""
        self._tally.counts["FAIL"] += 1
        print(f"  FAIL  {text}", flush=True)

    def cut_short(self, text):
        """The run ends here; tests that still run beside are not told of."""
        with self._tally.lock:
            self._tally.over = True
        self.broken(text)

    def close(self):
        """Print the closing line; the exit code."""
        counts = self._tally.counts
        print(f"end to end: {time.monotonic() - self._tally.began:.0f} s")
        print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped")
        sys.stdout.flush()
        return 1 if counts["FAIL"] else 0
