#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends the agent's OTLP to a real OpenTelemetry Collector, which must accept it and decode the same values.

    tests/system/telemetry/otel.py [--home DIR]

The Collector is built from tests/system/telemetry/otelcol (Go is needed; minutes the first time). Loopback only."""
import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from node import Node, die_with_parent, free_port, wait  # noqa: E402

CONFIG = """receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}
exporters:
  debug: {{verbosity: detailed}}
service:
  telemetry: {{metrics: {{level: none}}, logs: {{level: info}}}}
  pipelines:
    logs: {{receivers: [otlp], exporters: [debug]}}
    metrics: {{receivers: [otlp], exporters: [debug]}}
"""

POLICY = """apiVersion: edge.codcompass.io/v1alpha1
kind: SyncPolicy
metadata: {{name: site}}
spec:
  nodeSelector: {{}}
  telemetry:
    sources: {{http: true, node: {{period: 1s}}}}
{aggregate}    batch: {{timeout: 300ms, compression: {compression}}}
    sink: {{url: "http://127.0.0.1:{port}{path}", format: otlp, encoding: {encoding}}}
"""


def build():
    return subprocess.run([os.path.join(HERE, "otelcol", "build")], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Collector:
    def __init__(self, home):
        program = build()
        self.port, self.path = free_port(), os.path.join(home, "collector.log")
        config = os.path.join(home, "collector.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(port=self.port))
        self.log = open(self.path, "ab")
        self.process = subprocess.Popen([program, "--config", "file:" + config], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, preexec_fn=die_with_parent)
        wait("the Collector to be ready", lambda: "Everything is ready" in self.text())

    def text(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the Collector ended with {self.process.returncode}: see {self.path}")
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def end(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


def post(node, items):
    status, answer = node.get("/ingest", "POST", json.dumps(items, ensure_ascii=False).encode())
    assert status == 202, (status, answer)


def policy(node, **words):
    path = os.path.join(node.home, "policy.new")
    with open(path, "w", encoding="utf-8") as file:
        file.write(POLICY.format(**words))
    os.rename(path, os.path.join(node.home, "objects", "policy.yaml"))


def check(home, encoding, compression, window, path):
    """Sends every kind of event with one encoding."""
    collector, node = Collector(home), Node(home)
    try:
        aggregate = f"    aggregate: {{window: {window}}}\n" if window else ""
        policy(node, port=collector.port, encoding=encoding, compression=compression, aggregate=aggregate, path=path)
        node.start()
        post(node, [{"id": f"p-{i}", "timestamp": "2026-11-20T10:00:00Z", "sensorData": {"celsius": 20 + i, "where": "röhre"},
                     "severity": "error" if i == 3 else "info", "attributes": {"line": f"l{i}"}} for i in range(20)])
        wait("every payload in the Collector's log", lambda: all(f"p-{i}" in collector.text() for i in range(20)))
        wait("metrics of the node in the Collector's log", lambda: re.search(r"-> Name: (node|system)[a-z_.]+", collector.text()))
        metrics = node.metrics()
        assert metrics.get("holdfast_telemetry_dead_letter_events_total", 0) == 0, metrics
        assert metrics.get("holdfast_telemetry_rejected_events_total", 0) == 0, metrics
        text = collector.text()
        assert "SeverityNumber: Error(17)" in text and "SeverityNumber: Info(9)" in text, "severities are lost"
        assert "röhre" in text and "l7" in text, "bodies or attributes are lost"
        assert len(set(re.findall(r"Str\((p-\d+)\)", text))) == 20, "an id is missing"
        node.stop()
    finally:
        node.end()
        collector.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--home")
    options = parser.parse_args()
    if shutil.which("go") is None:
        print("SKIP: Go is not installed, so there is no Collector\n0 passed, 0 failed, 1 skipped")
        return 0
    try:
        build()
    except subprocess.CalledProcessError:
        print("SKIP: the Collector cannot be built here (see above)\n0 passed, 0 failed, 1 skipped")
        return 0
    passed = failed = 0
    for encoding, compression, window, path in (("protobuf", "gzip", None, ""), ("protobuf", "zstd", "2s", "/v1/"), ("json", "none", "2s", "/v1/logs")):
        name = f"otlp as {encoding}, {compression}, " + (f"windows of {window}" if window else "raw") + (f", to {path}" if path else "")
        with (contextlib.nullcontext(os.path.join(options.home, encoding + compression)) if options.home else tempfile.TemporaryDirectory(prefix="holdfast-otel-")) as home:
            shutil.rmtree(home, ignore_errors=True)
            os.makedirs(home)
            try:
                check(home, encoding, compression, window, path)
                print(f"ok    {name}", flush=True)
                passed += 1
            except AssertionError as error:
                print(f"FAIL  {name}: {error}", flush=True)
                failed += 1
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
