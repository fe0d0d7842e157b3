# SPDX-License-Identifier: Apache-2.0
"""Power and reboots in the middle of an update: the path is always one of the two whole files, and the node goes on by itself."""

import hashlib
import random

from lib import case, release, site, wait, world

PADDING = random.Random(1).randbytes(4 << 20)  # behind the program, so that the node syncs more than once while it fetches
SLOW = 1 << 20                                 # bytes a second


class Power:
    """What holds in both lives."""

    def through(self, service, new, interrupt):
        """Interrupt the node, and see that it ends committed, with a whole file at the path all along."""
        interrupt(self.node)
        self.assertIn(service.sha256(), {hashlib.sha256(data).hexdigest() for data in (service.first, new)})
        world.cluster.wait_ready(self.node)
        self.done(service, new)

    def done(self, service, new):
        self.await_phase(service.name, "Committed", 1, 90)
        self.assertEqual(service.sha256(), hashlib.sha256(new).hexdigest())
        wait.until("the new version to run", lambda: service.version() == "1.1.0", 20)
        service.await_tidy()

    def fetching(self):
        """A service whose new version is being fetched, slowly."""
        service, new = self.service(), release.sample("1.1.0", 2) + PADDING
        site.set_rate(f"{service.name}-1.1.0", SLOW)
        self.apply(release.update(service.release("1.1.0", 1, new), self.node))
        wait.until("the artifact to be under way", service.partly_fetched, 20)
        return service, new

    def on_probation(self):
        """A service whose new version runs but is not committed yet."""
        service, new = self.service(), release.sample("1.1.0", 2)
        checks = [{"http": {"url": f"http://127.0.0.1:{service.port}/healthz"}, "period": "1s", "successThreshold": 5}]
        self.apply(release.update(service.release("1.1.0", 1, new, checks=checks), self.node))
        wait.until("the new version to be on probation", lambda: service.version() == "1.1.0", 20)
        return service, new

    def test_power_cut_while_fetching(self):
        self.through(*self.fetching(), world.cluster.power_cut)

    def test_power_cut_on_probation(self):
        self.through(*self.on_probation(), world.cluster.power_cut)

    def test_reboot_while_fetching_resumes_the_download(self):
        service, new = self.fetching()
        self.through(service, new, world.cluster.reboot)
        answers = wait.until("the answers to be told", lambda: site.answers(f"{service.name}-1.1.0")[1:] and site.answers(f"{service.name}-1.1.0"), 10)
        self.assertEqual([answer["status"] for answer in answers[1:]], [206] * (len(answers) - 1))
        self.assertLess(sum(answer["bytes"] for answer in answers[1:]), len(new))

    def test_reboot_on_probation(self):
        self.through(*self.on_probation(), world.cluster.reboot)

    def test_kill_while_fetching_and_on_probation(self):
        self.agent.renew()
        service, new = self.fetching()
        pid = self.agent.pid()
        self.agent.kill()
        wait.until("another process of the agent", lambda: self.agent.pid() not in (pid, None), 30)
        wait.until("the new version to be on probation", lambda: "Probation" in self.agent.phases(service.name), 30)
        self.agent.kill()
        self.done(service, new)


class TestUnit(Power, case.Case):
    life = "unit"


class TestPod(Power, case.Case):
    life = "pod"
