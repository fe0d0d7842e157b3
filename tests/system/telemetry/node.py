# SPDX-License-Identifier: Apache-2.0
"""A node whose agent does telemetry only: its policy, its folders, its start and end."""
import http.client
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(1, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "support"))

from lab import PROGRAMS, TOP, die_with_parent, free_port, wait  # noqa: E402,F401 (TOP is for those who import this)

POLICY = """apiVersion: edge.codcompass.io/v1alpha1
kind: SyncPolicy
metadata: {{name: site}}
spec:
  nodeSelector: {{}}
  interval: 10m
  telemetry:
{sources}    buffer: {{maxBytes: {max_bytes}, whenFull: {when_full}}}
    batch: {{maxBytes: {batch_bytes}, timeout: {timeout}, compression: {compression}}}
    retry: {{maxAttempts: 3, base: {base}, maxDuration: 60s}}
    sink: {{url: "{url}", format: {format}{tls}}}
"""


HTTP_ALONE = "    sources: {http: true}\n"

# The policies of these tests name files and sockets below the node's folder, and credentials below its folder or beside it.
CONFIGURATION = """apiVersion: edge.codcompass.io/v1alpha1
kind: AgentConfiguration
telemetry: {{files: ["{home}/**"], sockets: ["{home}/**"], credentialFolders: ["{above}"]}}
"""


class Node:
    def __init__(self, home, storage=None):
        self.home, self.storage = home, storage or os.path.join(home, "telemetry")
        self.port, self.agent, self.starts = free_port(), None, 0  # the port of /ingest
        self.metrics_port, self.health_port = free_port(), free_port()
        for folder in ("objects", "state", "trust.d", "root"):
            os.makedirs(os.path.join(home, folder), exist_ok=True)
        self.configuration = os.path.join(os.path.realpath(home), "agent.yaml")
        with open(self.configuration, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(home=os.path.realpath(home), above=os.path.dirname(os.path.realpath(home))))
        os.chmod(self.configuration, 0o644)
        self.log = open(os.path.join(home, "agent.log"), "ab")

    def policy(self, url, max_bytes=64 << 20, when_full="Block", batch_bytes=524288, timeout="100ms", compression="gzip", base="50ms",
               format="json", tls=None, sources=None):
        """Writes the policy; a running agent picks it up."""
        files = "".join(f", {name}: {tls}/{file}" for name, file in
                        (("caFile", "ca.pem"), ("certFile", "client.pem"), ("keyFile", "client.key"))) if tls else ""
        path = os.path.join(self.home, "policy.new")
        with open(path, "w", encoding="utf-8") as file:
            file.write(POLICY.format(url=url, max_bytes=max_bytes, when_full=when_full, batch_bytes=batch_bytes, timeout=timeout,
                                     compression=compression, base=base, format=format, tls=files,
                                     sources=sources(self.metrics_port) if sources else HTTP_ALONE))
        os.rename(path, os.path.join(self.home, "objects", "policy.yaml"))

    def start(self, *more, ready=True):
        """Starts the agent; returns the seconds until it accepts events, or None without waiting."""
        began = time.monotonic()
        environment = dict(os.environ, EDGE_STORAGE_DIR=self.storage, HOLDFAST_CONFIG=self.configuration)
        self.agent = subprocess.Popen(
            [os.path.join(PROGRAMS, "holdfast-agent"), "--source", os.path.join(self.home, "objects"), "--node-name", "node-1",
             "--state-dir", os.path.join(self.home, "state"), "--trust-dir", os.path.join(self.home, "trust.d"), "--update-root",
             os.path.join(self.home, "root"), "--metrics-port", str(self.metrics_port), "--ingest-port",
             str(self.port), "--health-port", str(self.health_port), *more],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True, preexec_fn=die_with_parent,
            env=environment)
        self.starts += 1
        if not ready:
            return None
        wait("the agent to take events", self.takes_events, step=0.002)
        return time.monotonic() - began

    def takes_events(self):
        if self.agent.poll() is not None:
            raise AssertionError(f"the agent ended with {self.agent.returncode}: see {self.home}/agent.log")
        status, answer = self.get("/ingest", method="POST", body=b"[]")
        if b"has not heard yet" in answer or b"takes over a new policy" in answer:
            return False
        return status == 200 or 202 <= status < 300 or status in (400, 422, 429, 503)

    def get(self, path, method="GET", body=None, timeout=5):
        port = {"/metrics": self.metrics_port, "/healthz": self.health_port, "/readyz": self.health_port}.get(path, self.port)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()

    def alive(self):
        if self.agent.poll() is not None:
            raise AssertionError(f"the agent ended with {self.agent.returncode}: see {self.home}/agent.log")
        return True

    def healthy(self):
        return self.alive() and self.get("/healthz")[0] == 200

    def kill(self):
        self.agent.kill()
        self.agent.wait()

    def stop(self):
        if self.agent is None or self.agent.poll() is not None:
            return
        self.agent.terminate()
        try:
            self.agent.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the agent did not stop within 20 s of SIGTERM") from None

    def end(self):
        if self.agent is not None and self.agent.poll() is None:
            self.kill()
        self.log.close()

    def metrics(self):
        """{name: sum over all labels}, and each series with its labels: {'name{labels}': value}."""
        status, text = self.get("/metrics")
        sums = {}
        if status != 200:
            return sums
        for name, labels, value in re.findall(r"^([a-z_:0-9]+)(\{[^}]*\})? ([0-9.e+-]+)$", text.decode(), re.M):
            sums[name] = sums.get(name, 0.0) + float(value)
            if labels:
                sums[name + labels] = float(value)
        return sums

    def reasons(self):
        """{reason: number of delivery attempts that ended with it}."""
        found = {}
        for name, value in self.metrics().items():
            reason = re.search(r'^holdfast_telemetry_attempts_total\{.*reason="([^"]*)"', name)
            if reason:
                found[reason.group(1)] = found.get(reason.group(1), 0) + value
        return found

    def memory_kb(self):
        """(RSS, peak RSS, anonymous memory) of the agent."""
        with open(f"/proc/{self.agent.pid}/status", encoding="utf-8") as file:
            fields = dict(re.findall(r"^(\w+):\s+(\d+) kB", file.read(), re.M))
        return int(fields["VmRSS"]), int(fields["VmHWM"]), int(fields["RssAnon"])

    def files(self):
        """Paths of all telemetry files."""
        return sorted(os.path.join(folder, name) for folder, _, names in os.walk(self.storage) for name in names)

    def segments(self):
        """Paths of the segment files that hold records."""
        return [path for path in self.files() if re.fullmatch(r"[0-9a-f]{16}\.seg", os.path.basename(path))]

    def spool(self, *words):
        """(exit code, output) of holdfast spool."""
        done = subprocess.run([os.path.join(PROGRAMS, "holdfast"), "spool", *words, self.storage], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        return done.returncode, done.stdout


def fresh(home):
    shutil.rmtree(home, ignore_errors=True)
    os.makedirs(home)
    return home
