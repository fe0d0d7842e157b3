# SPDX-License-Identifier: Apache-2.0
"""Waiting for what is to become true; a failure of the test when it does not."""

from holdcluster import place, process


def until(what, test, timeout_s, period_s=0.1):
    """Call `test` until it returns something true, and return that; an AssertionError naming `what` after `timeout_s`."""
    try:
        return process.wait_for(what, test, timeout_s, period_s)
    except place.Error as error:
        raise AssertionError(str(error)) from None
