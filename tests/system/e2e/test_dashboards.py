# SPDX-License-Identifier: Apache-2.0
"""Each panel of deploy/monitoring, asked of a real Prometheus that scrapes a real agent and a real controller."""

import json
import os
import re
import shutil
import urllib.parse

from holdcluster import place
from lib import case, fleet, release, sink, wait, world
from test_labels import policy

FOLDER = os.path.join(place.TOP, "deploy", "monitoring")
DROPIN = "etc/systemd/system/holdfast-agent.service.d/metrics.conf"
PORT, METRICS = 19495, 19490
ANSWERS_S = 60


class TestUnitDashboards(case.Case):
    life = "unit"
    alone = True                               # a controller beside the other tests' agents

    def setUp(self):
        super().setUp()
        if shutil.which("prometheus") is None:
            self.skipTest("prometheus is not installed (hack/setup.sh)")
        manifests = fleet.install()
        self.addCleanup(fleet.remove, manifests)
        self.controller = fleet.Controller("controller-panels", port=METRICS).start()
        self.addCleanup(self.controller.stop)
        self.sink = sink.Sink("panels", self.node, 8202)
        self.addCleanup(self.sink.stop)
        self.addCleanup(self.listen, False)
        self.listen(True)
        self.scrape()

    def listen(self, everywhere):
        """Whether the agent's metrics are for a Prometheus elsewhere."""
        path = os.path.join(world.cluster.root(self.node), DROPIN)
        if everywhere:
            place.write(path, "[Service]\nEnvironment=METRICS_ADDRESS=0.0.0.0\n")
        else:
            os.unlink(path)
        world.cluster.run(self.node, "systemctl", "daemon-reload")
        world.cluster.run(self.node, "systemctl", "restart", "holdfast-agent")
        self.agent.wait_ready()

    def scrape(self):
        where = world.cluster.where
        agents = f"{place.node_ip(where.nodes()[self.node])}:9090"
        shutil.rmtree(where.path("prometheus"), ignore_errors=True)
        place.write(where.path("prometheus", "prometheus.yml"), json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": [
            {"job_name": "holdfast-agent", "static_configs": [{"targets": [agents], "labels": {"node": self.node, "site": "oslo"}}]},
            {"job_name": "holdfast-controller", "static_configs": [{"targets": [f"127.0.0.1:{METRICS}"], "labels": {"pod": "a"}}]}]}))
        world.cluster.start_in_plane("prometheus", ["prometheus", f"--config.file={where.path('prometheus', 'prometheus.yml')}",
                                                    f"--storage.tsdb.path={where.path('prometheus', 'data')}", f"--web.listen-address=127.0.0.1:{PORT}"])
        self.addCleanup(world.cluster.stop_in_plane, "prometheus")

    def ask(self, query):
        """The series that answer a query; none while Prometheus does not answer."""
        said = world.cluster.run_in_plane("curl", "-s", f"http://127.0.0.1:{PORT}/api/v1/query?" + urllib.parse.urlencode({"query": query}), check=False)
        answer = json.loads(said) if said else {}
        self.assertNotEqual(answer.get("status"), "error", answer)
        return answer.get("data", {}).get("result", [])

    def queries(self):
        """(panel, query) with all of each variable; what was admitted a day ago is asked for a second ago."""
        for name in ("dashboard.json", "agent-dashboard.json"):
            with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
                for panel in json.load(file)["panels"]:
                    yield from ((panel["title"], re.sub(r"\$\w+", ".*", target["expr"]).replace("offset 24h", "offset 1s").replace("[24h:5m]", "[10s:1s]")) for target in panel["targets"])

    def post(self, name):
        world.cluster.run(self.node, "curl", "-s", "-H", "Content-Type: application/json", "http://127.0.0.1:9091/ingest",
                          "-d", json.dumps({"id": name, "sensorData": {"of": name}}))

    def test_each_panel_answers_something(self):
        good, bad = self.service(), self.service()
        self.apply(policy("panels", self.node, telemetry={"sources": {"http": True}, "batch": {"timeout": "1s"}, "sink": self.sink.spec}))
        everyone = {"waves": [{"percent": 100}]}
        wait.until("a scrape of both", lambda: len(self.ask("up == 1")) == 2, ANSWERS_S)
        self.apply([release.update(good.release("1.1.0", 1, release.sample("1.1.0", 2), old=good.first), self.node, strategy=everyone),
                    release.update(bad.release("1.2.0", 1, release.sample("1.2.0", 3, broken=True), deadline="3s"), self.node, strategy=everyone)])
        self.await_phase(good.name, "Committed", 1, 60)
        self.await_phase(bad.name, "RolledBack", 1, 60)
        self.post(good.name)
        wait.until("the event at the sink", self.sink.events, 30)
        self.sink.refuse(True, 422)
        self.post(bad.name)                    # refused for good
        silent = []
        for title, query in self.queries():
            try:
                wait.until(f"an answer to '{title}'", lambda query=query: self.ask(query), ANSWERS_S if not silent else 1, 0.5)
            except AssertionError:
                silent.append(f"{title}: {query}")
        self.assertEqual(silent, [])
        for title in ("Nodes that failed", "Nodes that failed in 24 hours"):
            failed = self.ask(next(query for name, query in self.queries() if name == title))
            self.assertEqual([[one["metric"][label] for label in ("site", "node", "phase", "reason")] for one in failed if one["metric"]["release"] == bad.name],
                             [["oslo", self.node, "RolledBack", "HealthDeadline"]])
        refused = self.ask(next(query for name, query in self.queries() if "dead_letter" in query))
        self.assertEqual([(one["metric"]["reason"], one["value"][1]) for one in refused], [("http_422", "1")])
