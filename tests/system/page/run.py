#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of a node, from the built agent, in a real Chromium: page.mjs has the tests, by playwright-core and axe-core of npm.

    tests/system/page/run.py [WORD...]      only tests whose name has one of the words
"""
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
sys.path[:0] = [os.path.join(TOP, "tests", "support"), os.path.join(TOP, "tests", "system", "fault")]
from node import Artifacts, Node  # noqa: E402  pylint: disable=wrong-import-position
from lab import PROGRAMS, die_with_parent, free_port  # noqa: E402  pylint: disable=wrong-import-position

HERE = os.path.dirname(os.path.realpath(__file__))
MODULES = os.path.join(TOP, "build", "page-test")
LIMIT_S = 420
NODE = 20                                      # of playwright-core


def skip(why):
    print(f"SKIP: {why}\n0 passed, 0 failed, 1 skipped")
    return 0


def modules():
    """Installs what package-lock.json names, once."""
    os.makedirs(MODULES, exist_ok=True)
    names = ("package.json", "package-lock.json")
    same = all(os.path.exists(os.path.join(MODULES, "node_modules", ".done", name))
               and open(os.path.join(MODULES, "node_modules", ".done", name), "rb").read() == open(os.path.join(HERE, name), "rb").read() for name in names)
    if not same:
        for name in names:
            shutil.copy(os.path.join(HERE, name), MODULES)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=MODULES, stdout=sys.stderr, check=True, timeout=300)
        os.makedirs(os.path.join(MODULES, "node_modules", ".done"))
        for name in names:
            shutil.copy(os.path.join(HERE, name), os.path.join(MODULES, "node_modules", ".done"))


def missing():
    """Why there can be no test, or None; and the browser."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not installed", None
    version = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < NODE:
        return f"playwright-core needs Node.js {NODE}, and this is {version}", None
    browser = shutil.which("chromium")
    return (None if browser else "chromium is not installed: hack/setup.sh page"), browser


RETAIN = """apiVersion: edge.codcompass.io/v1alpha1
kind: SyncPolicy
metadata: {name: retain}
spec: {nodeSelector: {}, interval: 5m, retain: {previous: true}, disk: {warnPercent: 99, criticalPercent: 100}}
"""


def released(home):
    """A node that has committed 1.1 and then 1.2 of the release app, and whose page may act."""
    node = Node(home, Artifacts())
    with open(node.place("agent.yaml"), "w", encoding="ascii") as file:
        file.write("apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\npage: Act\n")
    node.apply("retain", RETAIN)
    node.start_agent("--config", node.place("agent.yaml"), "--run-dir", node.place("run"))
    for sequence in (1, 2):
        source = node.place("versions", str(sequence))
        with open(source, "w", encoding="ascii") as file:
            file.write(f"this is 1.{sequence} ")
        node.apply("app", node.create("app", f"1.{sequence}", sequence, source, path=node.place("root", "app"), service=False))
        node.wait_end("app", sequence)
    return node


def main(words):
    why, browser = missing()
    if why:
        return skip(why)
    modules()
    with tempfile.TemporaryDirectory(prefix="holdfast-page-") as home:
        port = free_port()
        for folder in ("source", "trust"):
            os.mkdir(os.path.join(home, folder))
        with open(os.path.join(home, "agent.yaml"), "w", encoding="ascii") as file:
            file.write("apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n")
        off = [f"--{one}={value}" for one, value in (("ingest-port", "off"), ("health-port", "off"), ("ingest-socket", "off"))]
        os.mkdir(os.path.join(home, "run"))
        with open(os.path.join(home, "log"), "wb") as log:
            agent = subprocess.Popen([os.path.join(PROGRAMS, "holdfast-agent"), "--node-name=page-node", f"--metrics-port={port}", *off,
                                      *(f"--{flag}={home}/{name}" for flag, name in (("source", "source"), ("trust-dir", "trust"), ("state-dir", "state"),
                                                                                     ("run-dir", "run"), ("config", "agent.yaml")))],
                                     stdout=log, stderr=log, preexec_fn=die_with_parent)
        node = None
        try:
            node = released(os.path.join(home, "released"))
            env = dict(os.environ, PAGE_RELEASED=f"http://127.0.0.1:{node.metrics_port}/", PAGE_URL=f"http://127.0.0.1:{port}/", PAGE_AGENT=str(agent.pid), PAGE_CONFIG=os.path.join(home, "agent.yaml"),
                       PAGE_BROWSER=browser, PAGE_CLI=os.path.join(PROGRAMS, "holdfast"), PAGE_HOME=home, PAGE_MODULES=os.path.join(MODULES, "node_modules"), PAGE_SHOTS=os.path.join(TOP, "build", "page-test", "shots"))
            return subprocess.run(["node", os.path.join(HERE, "page.mjs"), *words], env=env, check=False, timeout=LIMIT_S, preexec_fn=die_with_parent).returncode
        finally:
            if node is not None:
                node.end()
            agent.terminate()
            agent.wait(30)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
