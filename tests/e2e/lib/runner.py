"""Choosing tests, running them one after the other, and telling how each went as it ends."""

import sys
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
    """Run `tests`; fixtures of modules and classes are those of unittest."""
    unittest.TestSuite(tests).run(result)


class Result(unittest.TestResult):
    """One line per test as it ends; the closing line is the one that make and CI read."""

    def __init__(self):
        super().__init__()
        self.counts = {"ok": 0, "FAIL": 0, "skip": 0}
        self._began = self._start = time.monotonic()
        self._sub_failed = False

    def _tell(self, word, test, text=""):
        self.counts[word] += 1
        spent = time.monotonic() - self._start
        print(f"  {word:5} {test.id()} ({spent:.1f} s){': ' + text if text else ''}", flush=True)

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
        self._tell("FAIL", test)
        trace = "".join(traceback.format_exception(*err)) if not issubclass(err[0], AssertionError) else str(err[1])
        trace = trace if len(trace) <= LONGEST else trace[:LONGEST] + " ..."
        print("        " + trace.strip().replace("\n", "\n        "))
        where = [frame for frame in traceback.extract_tb(err[2]) if "/e2e/test_" in frame.filename]
        if where:
            print(f"        at {where[-1].filename}:{where[-1].lineno}: {where[-1].line}")
        print(f"        what was left: {evidence.collect(test.id())}", flush=True)

    def broken(self, text):
        """The run itself went wrong: counts as one failure."""
        self.counts["FAIL"] += 1
        print(f"  FAIL  {text}", flush=True)

    def close(self):
        """Print the closing line; the exit code."""
        print(f"end to end: {time.monotonic() - self._began:.0f} s")
        print(f"{self.counts['ok']} passed, {self.counts['FAIL']} failed, {self.counts['skip']} skipped")
        sys.stdout.flush()
        return 1 if self.counts["FAIL"] else 0
