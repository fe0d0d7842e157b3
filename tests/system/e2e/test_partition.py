# SPDX-License-Identifier: Apache-2.0
"""Without the API server, and without the network: what was admitted goes on, and what came meanwhile arrives at once after."""

import time

from holdcluster import process
from lib import audit, case, release, site, wait, world

ACTS_CPU_S = 0.2                               # processor time from the agent's start to its first act on its cache
ACTS_S = 1                                     # the same by the clock: it waits for nobody
TRIES = 3                                      # this machine may be busy with others: one life in time is enough
CONVERGED_S = 30                               # from the API server's return to the status that says so
HEALED_S = 60                                  # a silent link is found dead at the latest then


class ServerAway:
    """What holds in both lives. The API server is the one of both nodes."""

    alone = True

    def tearDown(self):
        site.start()
        if not process.pid_of(world.cluster.where, "kube-apiserver"):
            world.cluster.start_api()
        super().tearDown()

    def next_life(self, artifact):
        """Kill the agent; from the start of its next life to when it asks for the artifact: its processor time and all time, in seconds."""
        self.agent.freeze()                    # so that it is the next life that finds the site
        site.start()
        asked = len(site.asked(artifact))
        self.agent.kill()
        first = wait.until("a request for the artifact", lambda: site.asked(artifact)[asked:], 60, 0.02)[0]
        pid = self.agent.pid()
        return process.cpu_s(pid), first - process.started_at(pid)

    def test_agent_acts_on_its_cache_and_completes_the_update(self):
        self.agent.renew()
        service = self.service()
        site.stop()
        artifact = f"{service.name}-1.1.0"
        new = release.sample("1.1.0", 42)      # what no other test has left on the node, which would not be asked for
        self.apply(release.update(service.release("1.1.0", 1, new), self.node))
        self.agent.await_phase(service.name, "Fetching")
        world.cluster.stop_api(kill=True)
        site.set_rate(artifact, 1024)          # nothing is complete until all lives were watched
        before, spent = len(world.cluster.audit()), []
        for _ in range(TRIES):
            cpu, wall = self.next_life(artifact)
            spent.append(f"{cpu * 1000:.0f} ms of work in {wall * 1000:.0f} ms")
            if cpu < ACTS_CPU_S and wall < ACTS_S:
                break
        print(f"        start to first act on the cache, API server away ({self.life}): {', '.join(spent)}")
        self.assertLess(cpu, ACTS_CPU_S)
        self.assertLess(wall, ACTS_S)
        site.set_rate(artifact, 0)
        wait.until("the new version to run", lambda: service.version() == "1.1.0", 30)
        self.agent.await_phase(service.name, "Committed")
        back = time.monotonic()                # its own start counts too
        world.cluster.start_api()
        self.await_phase(service.name, "Committed", 1, CONVERGED_S)
        print(f"        API server back to status converged ({self.life}): {time.monotonic() - back:.1f} s (promise: {CONVERGED_S} s)")
        self.assertEqual(audit.needless_lists(self.node, before), [])

    def test_restart_with_a_valid_resource_version_lists_nothing(self):
        self.agent.renew()
        before = len(world.cluster.audit())
        self.agent.kill()
        service = self.service()
        self.apply(release.update(service.release("1.1.0", 1, release.sample("1.1.0", 2)), self.node))
        self.await_phase(service.name, "Committed", 1, 60)
        self.assertEqual(audit.lists(self.node, before), [])


class TestUnitServerAway(ServerAway, case.Case):
    life = "unit"


class TestPodServerAway(ServerAway, case.Case):
    life = "pod"


class LinkCut:
    """What holds in both lives."""

    def tearDown(self):
        world.cluster.heal(self.node)
        super().tearDown()

    def through(self, silent):
        """An update on probation when the link is cut, and another that is applied meanwhile."""
        service, later = self.service(), self.service()
        checks = [{"http": {"url": f"http://127.0.0.1:{service.port}/healthz"}, "period": "500ms", "successThreshold": 4}]
        self.apply(release.update(service.release("1.1.0", 1, release.sample("1.1.0", 2), checks=checks), self.node))
        wait.until("the new version to be on probation", lambda: service.version() == "1.1.0", 20)
        before = len(world.cluster.audit())
        world.cluster.cut(self.node, silent)
        self.apply(release.update(later.release("1.1.0", 1, release.sample("1.1.0", 2)), self.node))
        self.agent.await_phase(service.name, "Committed")
        self.assertEqual(later.version(), "1.0.0")
        world.cluster.heal(self.node)
        healed = time.monotonic()
        self.await_phase(service.name, "Committed", 1, HEALED_S)
        self.await_phase(later.name, "Committed", 1, HEALED_S)
        print(f"        {'silent' if silent else 'hard'} cut healed to status converged ({self.life}): {time.monotonic() - healed:.1f} s")
        self.assertEqual((service.start_count(), later.start_count()), (2, 2))
        self.assertEqual(audit.lists(self.node, before), [])

    def test_link_that_goes_down(self):
        self.through(silent=False)

    def test_link_that_falls_silent(self):
        self.through(silent=True)


class TestUnit(LinkCut, case.Case):
    life = "unit"


class TestPod(LinkCut, case.Case):
    life = "pod"
