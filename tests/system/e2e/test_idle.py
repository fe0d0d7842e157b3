# SPDX-License-Identifier: Apache-2.0
"""An idle agent: connected, one policy, one update done. It costs next to nothing and writes nothing."""

import os
import time
import unittest

from holdcluster import process
from lib import agent, case, release, wait
from test_labels import policy

MIB = 1 << 20
ANONYMOUS_BYTES, PSS_BYTES = 3 * MIB, 12 * MIB
CPU_S_PER_S = 0.001
WATCH_S = 60
KEPT_S = agent.PROBATION_S + 10  # an agent has kept a copy of its agent.yaml by then


def memory(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        fields = {line.split(":")[0]: int(line.split()[1]) << 10 for line in f if ":" in line and line.rstrip().endswith("kB")}
    return fields["Anonymous"], fields["Pss"]


def lived_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat, open("/proc/uptime", encoding="ascii") as uptime:
        return float(uptime.read().split()[0]) - int(stat.read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")


def await_probation(pid):
    """What an agent has begun with, it writes once it has lived with it for its probation."""
    wait.until("the end of the agent's probation", lambda: lived_s(pid) >= KEPT_S, 5 * KEPT_S, 1)


def written(pid):
    with open(f"/proc/{pid}/io", encoding="ascii") as f:
        return int(dict(line.split(": ") for line in f)["write_bytes"])


def driven(of_life):
    """A test case that is driven from another one."""
    class Driven(case.Case):
        life = of_life

        def runTest(self):  # noqa: N802 (unittest's name)
            """Nothing of its own."""
    return Driven("runTest")


class TestIdle(unittest.TestCase):
    def setUp(self):
        self.cases = [driven(life) for life in ("unit", "pod")]
        for one in self.cases:
            one.setUp()
            self.addCleanup(one.doCleanups)

    def test_idle_agents_are_small_quiet_and_write_nothing(self):
        """Both lives in the same minute."""
        for one in self.cases:
            service = one.service()
            one.apply(policy(f"idle-{one.life}", one.node, interval="5m"))
            one.apply(release.update(service.release("1.1.0", 1, release.sample("1.1.0", 2)), one.node))
            one.await_phase(service.name, "Committed", 1)
        for one in self.cases:
            one.rest()                         # what there is to say is said
        before = {one: (one.agent.pid(), process.cpu_s(one.agent.pid()), written(one.agent.pid())) for one in self.cases}
        time.sleep(WATCH_S)
        for one, (pid, cpu, wrote) in before.items():
            with self.subTest(one.life):
                self.assertEqual(one.agent.pid(), pid)
                self.judge(one.life, pid, (process.cpu_s(pid) - cpu) / WATCH_S, written(pid) - wrote)

    def judge(self, life, pid, share, wrote):
        anonymous, pss = memory(pid)
        print(f"        idle ({life}): anonymous {anonymous / MIB:.2f} MiB (promise {ANONYMOUS_BYTES // MIB}), "
              f"PSS {pss / MIB:.2f} MiB (promise {PSS_BYTES // MIB}), CPU {share * 1000:.2f} ms/s (promise {CPU_S_PER_S * 1000:.0f}), "
              f"written {wrote} bytes in {WATCH_S} s (promise 0)")
        self.assertEqual(os.path.basename(os.readlink(f"/proc/{pid}/exe")), "holdfast-agent")
        self.assertLessEqual(anonymous, ANONYMOUS_BYTES)
        self.assertLessEqual(pss, PSS_BYTES)
        self.assertEqual(wrote, 0)
        self.assertLess(share, CPU_S_PER_S)
