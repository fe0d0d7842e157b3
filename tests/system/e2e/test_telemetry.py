# SPDX-License-Identifier: Apache-2.0
"""From a journald and a kubelet that run, to a sink: every line once, through kill -9, rotation and an outage of the sink."""

import os
import subprocess

from lib import case, sink, wait, world
from test_labels import policy

LINES = 200
LONG = 40000                                   # the runtime writes a line in parts of 16 KiB
ARRIVE_S = 60

CHATTER = """#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    static char pad[%d];
    (void)argc;
    memset(pad, 'x', sizeof(pad) - 1);
    for (int i = 0; i < %d; i++) {
        FILE *to = i %% 3 == 2 ? stderr : stdout;
        fprintf(to, "%%s line %%d end\\n", argv[1], i);
        fflush(to);
        usleep(20000);
    }
    printf("%%s long %%s end\\n", argv[1], pad);
    fflush(stdout);
    pause();
}
"""


class Telemetry:
    """What holds in both lives."""

    def setUp(self):
        super().setUp()
        self.sink = sink.Sink(self.life, self.node, 8200 if self.life == "unit" else 8201)
        self.addCleanup(self.sink.stop)
        self.name = f"chatter-{self.life}-{os.getpid()}"              # a kept node's journal has those of earlier runs

    def policy(self, **sources):
        self.apply(policy(self.name, self.node, telemetry={
            "sources": sources, "batch": {"timeout": "1s", "compression": "gzip"}, "retry": {"base": "500ms", "maxDuration": "10s"},
            "sink": self.sink.spec}))

    def await_source(self):
        """Until the agent does telemetry: the policy has arrived."""
        wait.until("telemetry to begin", lambda: self.agent.metric("holdfast_telemetry_queue_events") is not None, 30)

    def texts(self, word):
        """The text of each event that begins with the word, as often as it came."""
        return [event["body"] for event in self.sink.events() if str(event.get("body", "")).startswith(word + " ")]

    def await_lines(self, word, wanted):
        """Until all are there; once each, however often they were sent."""
        try:
            wait.until(f"{len(wanted)} lines of {word}", lambda: not set(wanted) - set(self.texts(word)), ARRIVE_S, 0.5)
        except AssertionError as error:
            there = self.texts(word)
            raise AssertionError(f"{error}; {len(there)} came, missing: {sorted(set(wanted) - set(there))[:3]}") from None
        self.assertEqual(sorted(self.texts(word)), sorted(wanted))

    def disturb(self):
        """The agent dies, the sink is away for a moment."""
        self.sink.refuse(True)
        self.agent.kill()
        self.agent.wait_ready(60)
        self.sink.refuse(False)


class Journal(Telemetry):
    def speak(self, word, first, unit=None):
        """Lines through systemd-cat in a unit of this name.

        Its process stays until the journal has the last one: journald asks the kernel whose a line is when it reads it, and a process
        that has ended by then has no unit.
        """
        last = first + LINES - 1
        script = (f'for i in $(seq {first} {last}); do echo "{word} line $i end"; done; '
                  f'until journalctl -q -n {LINES} -t {word} | grep -q "line {last} end"; do sleep 0.1; done')
        world.cluster.run(self.node, "systemd-run", "-q", "--wait", "--collect", f"--unit={unit or self.name}", "systemd-cat", "-t", word,
                          "-p", "warning", "sh", "-c", script)
        return [f"{word} line {i} end" for i in range(first, first + LINES)]

    def test_journal_arrives_once(self):
        self.policy(journald={"includeUnits": [self.name + ".service"]})
        self.await_source()
        wanted = self.speak(self.name, 0)
        self.speak(self.name, 10 * LINES, self.name + "-other")         # of a unit that nobody wants
        self.await_lines(self.name, wanted)
        with self.subTest("the agent dies, the journal is rotated and its daemon started again, the sink is away"):
            wanted += self.speak(self.name, LINES)
            world.cluster.run(self.node, "journalctl", "--rotate")
            self.disturb()
            world.cluster.run(self.node, "systemctl", "restart", "systemd-journald")
            wanted += self.speak(self.name, 2 * LINES)
            self.await_lines(self.name, wanted)
        one = next(event for event in self.sink.events() if event.get("body") == f"{self.name} line 0 end")
        self.assertEqual((one["node"], one["severity"], one["source"]), (self.node, "warning", f"journald:{self.name}.service"), one)


class Containers(Telemetry):
    def image(self):
        """A static program that writes lines, as an image on the node."""
        source, program = (world.cluster.where.path("images", name) for name in (f"{self.name}.c", self.name))
        os.makedirs(os.path.dirname(source), exist_ok=True)
        with open(source, "w", encoding="ascii") as f:
            f.write(CHATTER % (LONG + 1, LINES))
        subprocess.run(["gcc", "-static", "-O1", "-o", program, source], check=True)
        world.cluster.load_image(self.node, world.cluster.make_image(f"{self.name}:1", program, self.name))

    def pod(self):
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": self.name, "namespace": "default", "labels": {"app": "chatter"}},
                "spec": {"nodeName": self.node, "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
                         "tolerations": [{"operator": "Exists"}], "automountServiceAccountToken": False,
                         "containers": [{"name": "talker", "image": f"{self.name}:1", "imagePullPolicy": "Never"}]}}

    def test_container_logs_arrive_once(self):
        self.image()
        self.policy(containers={"namespaces": ["default"]})
        self.await_source()
        self.apply(self.pod())
        wait.until("the first lines", lambda: self.texts(self.name), ARRIVE_S, 0.5)
        self.disturb()
        wanted = [f"{self.name} line {i} end" for i in range(LINES)] + [f"{self.name} long {'x' * LONG} end"]
        self.await_lines(self.name, wanted)
        events = {event["body"]: event for event in self.sink.events() if str(event.get("body", "")).startswith(self.name + " ")}
        one = events[f"{self.name} line 0 end"]
        names = {name: one["attributes"][f"k8s.{name}.name"] for name in ("namespace", "pod", "container")}
        self.assertEqual((one["node"], names), (self.node, {"namespace": "default", "pod": self.name, "container": "talker"}), one)
        self.assertEqual({events[f"{self.name} line {i} end"]["attributes"]["log.iostream"] for i in (0, 2)}, {"stdout", "stderr"})


class TestUnitJournal(Journal, case.Case):
    life = "unit"


class TestPodJournal(Journal, case.Case):
    life = "pod"


class TestUnitContainers(Containers, case.Case):
    life = "unit"


class TestPodContainers(Containers, case.Case):
    life = "pod"
