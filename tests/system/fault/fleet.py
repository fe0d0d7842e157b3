#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands of `holdfast` that read and steer a fleet, against a stand-in for an API server.

    tests/system/fault/fleet.py [--list] [NAME ...]      default: all

Prints "N passed, N failed, N skipped" last.
"""
import argparse
import fcntl
import http.client
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import traceback

import yaml

sys.path.insert(1, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "support"))

import apiserver  # noqa: E402
from lab import TOP, wait  # noqa: E402

CHECKED = os.path.join(TOP, "build", "asan", "holdfast")
RELEASE = os.path.join(TOP, "build", "release")
GROUP = "edge.codcompass.io"
NODES = 10000  # of the largest fleet
MAX_RSS_KB = 64 << 10
MAX_CPU_S = 5
CASES = []


def case(run):
    CASES.append(run)
    return run


def check(true, what):
    if not true:
        raise AssertionError(what)


def now(ago_s=0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago_s))


def ready(status, reason, message="", stalled=False):
    conditions = [{"type": "Ready", "status": status, "reason": reason, "message": message}]
    return conditions + ([{"type": "Stalled", "status": "True", "reason": reason, "message": message}] if stalled else [])


def edge_update(name="edge", version="1.4.2", conditions=None, counts=None, rollout=None, strategy=True, **more):
    nodes = dict({"selected": 100, "admitted": 50, "updated": 40, "updating": 5, "failed": 0, "incompatible": 1, "unknown": 3,
                  "superseded": 0}, **(counts or {}))
    item = {"apiVersion": f"{GROUP}/v1alpha1", "kind": "EdgeUpdate", "metadata": {"name": name, "generation": 2},
            "spec": {"release": {"name": name, "version": version, "sequence": 42}, "nodeSelector": {"matchLabels": {"site": "oslo"}}},
            "status": {"observedGeneration": 2, "nodes": nodes, "rollout": rollout or {"phase": "Wave", "wave": 2},
                       "conditions": conditions or ready("False", "Progressing", "wave 2 of 3"),
                       "failures": [{"node": "n-7", "reason": "RolledBack", "message": "http check failed"}]}}
    if strategy:
        item["spec"]["strategy"] = {"waves": [{"percent": 5}, {"percent": 50}, {"percent": 100}]}
    item.update(more)
    return item


def edge_node(name, phase="Committed", version="1.4.2", ago_s=5, **more):
    update = {"name": "edge", "phase": phase, "version": version, "installedVersion": version, "sequence": 42, "reason": "Healthy",
              "digest": "ab" * 32, **more}
    return {"apiVersion": f"{GROUP}/v1alpha1", "kind": "EdgeNode", "metadata": {"name": name},
            "status": {"observedTime": now(ago_s), "contact": {"state": "Fresh"}, "updates": [update],
                       "policy": {"name": "default", "interval": "5m"}, "conditions": ready("True", "UpToDate")}}


def node(name, **labels):
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


class Lab:
    """A server, a folder, and runs of the command."""

    def __init__(self, certificate=None):
        self.server = apiserver.ApiServer(certificate)
        self.folder = tempfile.mkdtemp(prefix="holdfast-fleet-")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("KUBE", "NO_COLOR"))}
        self.env["HOME"] = self.folder

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def put(self, *items):
        for item in items:
            self.server.put(item)

    def path(self, name):
        return os.path.join(self.folder, name)

    def config(self, user=None, name="config", **cluster):
        """Writes a kubeconfig; returns its path."""
        apiserver.kubeconfig(self.path(name), self.server)
        with open(self.path(name), encoding="utf-8") as file:
            config = json.load(file)
        config["users"][0]["user"] = user or {}
        config["clusters"][0]["cluster"].update(cluster)
        with open(self.path(name), "w", encoding="utf-8") as file:
            json.dump(config, file)
        return self.path(name)

    def start(self, *words, program=CHECKED, server=True):
        where = ["--server", self.server.url] if server else []
        return subprocess.Popen([program, *words, *where], env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def run(self, *words, code=0, program=CHECKED, server=True):
        process = self.start(*words, program=program, server=server)
        out, err = process.communicate(timeout=120)
        check(process.returncode == code, f"{' '.join(words)}: exit code {process.returncode}, expected {code}: {out}{err}")
        return out, err

    def annotations(self, kind, name):
        return self.server.objects[kind, name]["metadata"].get("annotations", {})


# ---- reading --------------------------------------------------------------------------------------------------------------------


@case
def the_table_shows_every_rollout():
    with Lab() as lab:
        one_failed = {"failed": 1, "held": 2}
        lab.put(edge_update(counts=one_failed), edge_update("silent", status={}), edge_update("few", conditions=ready("False", "FewUpdated", "12 of 500")),
                edge_update("bad", conditions=ready("False", "TooManyFailures", "3 failed, 2 allowed", stalled=True)))
        out, _ = lab.run("status", code=4)
        lines = out.splitlines()
        check(re.search(r"^edge +edge +1\.4\.2 +wave 2/3 +\[#+>x\?\.+\] +40/100 +1 +1 +2 +Progressing$", lines[2]), out)
        check(re.search(r"^few .* FewUpdated$", lines[3]), out)
        check(re.search(r"^silent .* Unreported$", lines[4]), out)
        check("bad: TooManyFailures: 3 failed, 2 allowed\n  n-7  RolledBack: http check failed\n" in out, out)
        out, _ = lab.run("status", "-o", "name", code=4)
        check(out.split() == [f"edgeupdate.{GROUP}/{name}" for name in ("bad", "edge", "few", "silent")], out)
        out, _ = lab.run("status", "edge", "-o", "json", code=4)  # it continues, and a node failed
        update = json.loads(out)["updates"][0]
        check(update["state"] == "Progressing" and update["nodes"]["updated"] == 40 and update["stage"] == "wave 2/3", out)
        _, err = lab.run("status", "egde", code=1)
        check("did you mean 'edge'?" in err, err)
        lab.run("status", "few")
        lab.put(edge_update("few", counts=one_failed, conditions=ready("True", "RolledOut")))
        lab.run("status", "few", code=4)


@case
def texts_of_the_cluster_do_not_reach_the_terminal():
    evil = "\x1b[2J\x9b31m\u202eevil\x07"
    with Lab() as lab:
        lab.put(edge_update(conditions=ready("False", "TooManyFailures", evil, stalled=True)), edge_node("n-1", reason=evil, message=evil))
        lab.server.objects["EdgeUpdate", "edge"]["status"]["failures"][0]["message"] = evil
        for words, code in ((["status"], 4), (["status", "-o", "json"], 4), (["status", "-o", "yaml"], 4), (["nodes", "-o", "wide"], 0),
                            (["nodes", "-o", "json"], 0), (["node", "n-1"], 0), (["node", "n-1", "-o", "json"], 0),
                            (["rollout", "watch", "edge"], 4), (["rollout", "watch", "edge", "--json"], 4)):
            out, err = lab.run(*words, code=code)
            check("evil" in out and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out + err), f"{words}: {out!r}")


def keys(value):
    """All names of members, at any depth."""
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


@case
def the_page_names_the_members_of_the_json():
    with open(os.path.join(TOP, "cmd", "holdfast", "holdfast.1"), encoding="utf-8") as file:
        sections = {part.split("\n")[0].split(" \\")[0]: part for part in file.read().split("\n.SS ")}
    with Lab() as lab:
        lab.put(edge_update(), edge_node("n-1"))
        for words, section in ((["status"], "status"), (["nodes"], "nodes"), (["node", "n-1"], "node NAME")):
            answer = json.loads(lab.run(*words, "-o", "json")[0])
            if section != "status":  # the members of an EdgeNode are the schema's
                for item in answer.get("nodes", [answer]):
                    item.pop("update", None)
                    item.pop("node", None)
            for name in keys(answer):
                check(re.search(rf"\b{name}\b", sections[section]), f"holdfast(1), {section}: {name} is missing")


@case
def pages_and_an_expired_continue_token():
    with Lab() as lab:
        lab.put(*[edge_node(f"n-{i:04}") for i in range(1200)])
        out, _ = lab.run("nodes", "-o", "name")
        check(out.split() == [f"edgenode.{GROUP}/n-{i:04}" for i in range(1200)], out[:300])
        check(len([path for path in lab.server.seen if "limit=500" in path]) == 3, lab.server.seen)
        lab.server.expired.add("1000")
        threading.Timer(1.5, lambda: lab.server.expired.discard("1000")).start()
        lab.server.seen.clear()
        while len(lab.server.expired) > 0:
            process = lab.start("nodes", "-o", "name")
            out, err = process.communicate()
            if process.returncode == 0:
                check(len(out.split()) == 1200 and len(set(out.split())) == 1200, out[:300])
            else:
                check(process.returncode == 1 and "expired" in err, err)
        out, _ = lab.run("nodes", "-o", "name")
        check(len(out.split()) == 1200, out[:300])


@case
def filters_of_nodes():
    with Lab() as lab:
        lab.put(node("a", site="oslo"), node("b", site="oslo"), node("c", site="bergen"))
        lab.put(edge_node("a"), edge_node("b", phase="RolledBack"), edge_node("c", ago_s=4000))
        for words, want in ((["-l", "site=oslo"], "a b"), (["--phase", "rolledback"], "b"), (["--silent"], "c"),
                            (["-l", "site=oslo", "--phase", "Committed"], "a"), ([], "a b c")):
            out, _ = lab.run("nodes", *words, "-o", "name")
            check([line.rpartition("/")[2] for line in out.split()] == want.split(), f"{words}: {out}")
        _, err = lab.run("nodes", "--release", "other", "-o", "name", code=1)
        check("no EdgeUpdate has the release 'other'" in err, err)
        # Which sites run 1.4.1?
        lab.put(edge_node("b", phase="RolledBack", installedVersion="1.4.1"), node("b", **{"site": "oslo", "example.com/tier": "a\u202eb"}))
        for words, want in ((["--version", "1.4.1"], "b"), (["--version", "1.4.2", "--release", "edge"], "a c"), (["--version", "1.4.1", "--phase", "Committed"], "")):
            out, _ = lab.run("nodes", *words, "-o", "name")
            check([line.rpartition("/")[2] for line in out.split()] == want.split(), f"{words}: {out}")
        out, _ = lab.run("nodes", "-L", "site,example.com/tier")
        check([line.split()[-2:] for line in out.splitlines()] == [["SITE", "TIER"], ["oslo", "-"], ["oslo", "a?b"], ["bergen", "-"]], out)
        one, = json.loads(lab.run("nodes", "-L", "site", "--version", "1.4.1", "--json")[0])["nodes"]
        check(one["labels"] == {"site": "oslo"}, one)
        check(lab.run("nodes", "-o", "wide", "-L", "site")[0].split().index("SITE") == 9, out)
        for wrong in ("site=oslo", "a,b,c,d,e", "!site", ""):
            lab.run("nodes", "-L", wrong, code=2)
        # What a cut-off node said about its health and its contact is not true now.
        lab.put(edge_node("d", ago_s=440), edge_node("e", ago_s=460))
        rows = {line.split()[0]: line.split() for line in lab.run("nodes")[0].splitlines()}
        check(rows["d"][1] == "True" and rows["d"][3] == "Fresh" and rows["d"][2][-1] != "!", rows)
        for name in ("c", "e"):
            check(rows[name][1] == "Unknown" and rows[name][3] == "Silent" and rows[name][2][-1] == "!", rows)
        nodes = {one["name"]: one for one in json.loads(lab.run("nodes", "--json")[0])["nodes"]}
        check([nodes["e"][key] for key in ("ready", "reason", "contact", "silent")] == ["Unknown", "NodeSilent", "Silent", True], nodes)
        out, _ = lab.run("node", "e", code=5)
        check("\nReady=Unknown NodeSilent: the last report said True UpToDate" in out, out)
        del lab.server.objects["EdgeNode", "d"], lab.server.objects["EdgeNode", "e"]
        out, _ = lab.run("node", "c", code=5)
        check("Silent (last seen 66m ago; no report for one and a half of its intervals)" in out, out)
        lab.run("node", "b", code=4)
        lab.server.objects["EdgeNode", "a"]["status"]["hold"] = {"active": True, "reason": "x" + "\u0436" * 100, "until": "2026-11-20T09:00:00Z"}
        out, _ = lab.run("node", "a")
        check("\nheld until 2026-11-20T09:00:00Z: x" + "\u0436" * 63 + "\n" in out, out)
        for condition, status in (("Stalled", "True"), ("SourceReadable", "False"), ("StatusDelivered", "False")):
            lab.server.objects["EdgeNode", "a"]["status"]["conditions"] = [{"type": condition, "status": status}]
            lab.run("node", "a", code=4)
        _, err = lab.run("node", "d", code=1)
        check("edgenodes/d" in err, err)


@case
def ten_thousand_nodes_in_bounded_memory():
    with Lab() as lab:
        for i in range(NODES):
            item = edge_node(f"node-{i:05}.site-{i % 500:03}.example.com")
            item["status"]["updates"] *= 3
            item["status"]["agent"] = {"version": "0.1.0", "features": [f"feature-{k}/1" for k in range(24)]}
            item["status"]["conditions"] *= 5
            item["metadata"]["managedFields"] = [{"manager": "holdfast-agent", "fieldsV1": {f"f:{k}": {} for k in range(60)}}]
            lab.server.put(item)
        begin = time.monotonic()
        process = lab.start("nodes", "-o", "wide", program=os.path.join(RELEASE, "holdfast"))
        out = process.stdout.read(1)  # the table is complete in memory then, and does not fit into the pipe
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            peak_kb = int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1))
        out += process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        took = time.monotonic() - begin
        for form in ("json", "yaml"):
            process = lab.start("nodes", "-o", form, program=os.path.join(RELEASE, "holdfast"))
            text = process.stdout.read(1)
            with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
                peak_kb = max(peak_kb, int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)))
            text += process.stdout.read()
            check(process.wait() == 0, form)
            check(form == "yaml" or len(json.loads(text)["nodes"]) == NODES, "items of the JSON")
        size = len(json.dumps(lab.server.objects["EdgeNode", "node-00000.site-000.example.com"]))
        print(f"        {NODES} EdgeNodes of {size} bytes: {took:.1f} s, {usage.ru_utime:.1f} s CPU, {peak_kb >> 10} MiB")
        check(status == 0 and len(out.splitlines()) == NODES + 1, f"{status}: {out[:300]}")
        check(peak_kb <= MAX_RSS_KB, f"{peak_kb} KiB")
        check(usage.ru_utime + usage.ru_stime <= MAX_CPU_S, f"{usage.ru_utime:.1f} s")


# ---- orders ---------------------------------------------------------------------------------------------------------------------


@case
def orders_are_annotations():
    paused, halted, resume = (f"{GROUP}/rollout-{word}" for word in ("paused", "halted", "resume"))
    with Lab() as lab:
        lab.put(edge_update())
        _, err = lab.run("rollout", "resume", "edge", code=1)
        check("neither paused nor halted" in err, err)
        out, _ = lab.run("rollout", "pause", "edge")
        check("50 of 100 nodes are admitted" in out, out)
        check(lab.annotations("EdgeUpdate", "edge") == {paused: "true"}, lab.annotations("EdgeUpdate", "edge"))
        lab.run("rollout", "halt", "edge", "--reason", "wrong model")
        check(lab.annotations("EdgeUpdate", "edge") == {paused: "true", halted: "wrong model"}, "halt")
        lab.run("rollout", "resume", "edge")
        check(lab.annotations("EdgeUpdate", "edge") == {}, lab.annotations("EdgeUpdate", "edge"))
        lab.put(edge_update(conditions=ready("False", "TooManyFailures", stalled=True), counts={"failed": 1}))
        out, _ = lab.run("rollout", "resume", "edge")
        token = lab.annotations("EdgeUpdate", "edge")[resume]
        check("resumed; 1 node failed so far and no longer counts as failed" in out, out)
        out, _ = lab.run("status", code=4)  # the resume counts at once, before the controller acts; one node has failed
        check(" Progressing" in out, out)
        lab.server.objects["EdgeUpdate", "edge"]["status"]["rollout"]["resumed"] = token
        lab.run("status", code=4)
        lab.run("rollout", "resume", "edge")
        check(lab.annotations("EdgeUpdate", "edge")[resume] != token, "the second resume has the token of the first")
        lab.put(edge_update("plain", strategy=False))
        _, err = lab.run("rollout", "pause", "plain", code=1)
        check("spec.strategy" in err and "spec.suspend" in err, err)


@case
def an_order_meets_another_writer():
    with Lab() as lab:
        lab.put(edge_update())
        original, rounds = apiserver.Handler.do_PATCH, []

        def interfere(self):
            if len(rounds) < 2:
                rounds.append(1)
                lab.server.put(dict(lab.server.objects["EdgeUpdate", "edge"]))
            original(self)
        apiserver.Handler.do_PATCH = interfere
        try:
            lab.server.objects["EdgeUpdate", "edge"]["metadata"] = dict(lab.server.objects["EdgeUpdate", "edge"]["metadata"])
            lab.run("rollout", "pause", "edge")
        finally:
            apiserver.Handler.do_PATCH = original
        check(f"{GROUP}/rollout-paused" in lab.annotations("EdgeUpdate", "edge"), "not written")


@case
def a_turn_is_freed():
    with Lab() as lab:
        lab.put(edge_node("n-1"), dict(edge_node("n-2"), spec={"turns": [{"release": "edge", "digest": "cd" * 32}]}))
        _, err = lab.run("turn", "free", "n-1", code=1)
        check("holds no turn" in err, err)
        lab.run("turn", "free", "n-2")
        check(lab.annotations("EdgeNode", "n-2") == {f"{GROUP}/free-turn": "cd" * 32}, lab.annotations("EdgeNode", "n-2"))


@case
def a_rollback_from_the_cluster():
    with Lab() as lab:
        with open(lab.path("file"), "wb") as file:
            file.write(b"content" * 999)
        lab.run("key", "generate", lab.path("k"), server=False)
        objects = []
        for sequence in ("7", "8"):
            lab.run("release", "create", "--everywhere", "--name", "edge", "--version", f"1.{sequence}", "--sequence", sequence, "--path",
                    "/opt/edge/bin", "--restart-unit", "edge.service", "--no-health-check", "--artifact", f"amd64={lab.path('file')}",
                    "--url-base", "https://x.example", "--key", lab.path("k.key"), "--out", lab.path(sequence), server=False)
            objects.append(lab.path(f"{sequence}/edge-1.{sequence}.yaml"))
        out, err = lab.run("rollback", objects[1], objects[0], "--key", lab.path("k.key"), server=False)
        with open(lab.path("back.yaml"), "w", encoding="utf-8") as file:
            file.write(out)
        lab.run("release", "verify", lab.path("back.yaml"), "--key", lab.path("k.pem"), server=False)
        check("sequence: 9" in out and "no node has changed yet" in err, out + err)
        lab.put(edge_update())  # what somebody put into the cluster is not what was signed
        _, err = lab.run("rollback", "edgeupdate/edge", objects[0], "--key", lab.path("k.key"), code=3)
        check("edgeupdate/edge: spec.release" in err, err)
        lab.put(edge_update("edge", spec={"\x1b[2J\x9b31m\u202eevil": 1}))
        _, err = lab.run("rollback", "edgeupdate/edge", objects[0], "--key", lab.path("k.key"), code=3)
        check("evil" in err and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", err), err)
        release = yaml_release(objects[1])
        lab.put(edge_update("edge", spec=release))
        out, _ = lab.run("rollback", "edgeupdate/edge", objects[0], "--key", lab.path("k.key"))
        check("sequence: 9" in out and "resourceVersion" not in out and "status" not in out, out)
        release["release"]["artifacts"][0]["url"] = "https://evil.example/x"
        lab.put(edge_update("older", spec=dict(release, release=dict(release["release"], sequence=5))))
        _, err = lab.run("rollback", objects[1], "edgeupdate/older", "--key", lab.path("k.key"), code=3)
        check("has no valid signature of --key" in err, err)


def yaml_release(path):
    """The spec of an EdgeUpdate file."""
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)["spec"]


# ---- waiting --------------------------------------------------------------------------------------------------------------------


def lines_until_end(process):
    out, err = process.communicate(timeout=60)
    return process.returncode, out.splitlines(), err


@case
def watch_prints_changes_until_the_end():
    done = {"updated": 97, "updating": 0, "failed": 0, "incompatible": 3, "unknown": 0, "admitted": 100}
    with Lab() as lab:
        lab.put(edge_update())
        process = lab.start("rollout", "watch", "edge")
        check("updated 40/100" in process.stdout.readline(), "first line")
        lab.put(edge_update(counts={"updated": 60}))
        check("updated 60/100" in process.stdout.readline(), "second line")
        lab.put(edge_update(counts=done, conditions=ready("True", "RolledOut"), rollout={"phase": "Complete", "wave": 3}))
        code, lines, err = lines_until_end(process)
        check(code == 0 and len(lines) == 1 and "complete" in lines[0], f"{code} {lines} {err}")
        for more in ({"conditions": ready("False", "TooManyFailures", "x", stalled=True)},
                     {"conditions": ready("True", "RolledOut"), "counts": dict(done, updated=96, failed=1)}):
            lab.put(edge_update(**more))
            out, _ = lab.run("rollout", "watch", "edge", code=4)
            check("n-7  RolledBack" in out, out)
        lab.put(edge_update(conditions=ready("True", "RolledOut"), counts=dict(done, updated=96, failed=1),
                            rollout={"phase": "Complete", "wave": 3, "forgiven": 1}))
        lab.run("rollout", "watch", "edge", code=0)  # a resume has accepted the failure
        lab.put(edge_update())
        lab.run("rollout", "watch", "edge", "--timeout", "1s", code=6)
        _, err = lab.run("rollout", "watch", "none", code=1)
        check("edgeupdates/none" in err, err)


@case
def watch_outlives_the_server():
    lab = Lab()
    lab.put(edge_update())
    port = lab.server.server_address[1]
    process = lab.start("rollout", "watch", "edge", "--timeout", "5m")
    check("updated 40/100" in process.stdout.readline(), "first line")
    lab.server.end()
    check("trying again" in process.stderr.readline(), "the server is away")
    lab.server = apiserver.ApiServer(port=port)
    with lab:
        lab.put(edge_update(conditions=ready("True", "RolledOut")))
        code, lines, err = lines_until_end(process)
        check(code == 0 and len(lines) == 1 and "trying again" not in err, f"{code} {lines} {err}")


@case
def wait_asks_the_controller():
    done = {"updated": 97, "updating": 0, "failed": 0, "incompatible": 3, "unknown": 0, "admitted": 100}
    away = dict(done, updated=90, unknown=7)
    with Lab() as lab:
        words = ["wait", "--release", "edge", "--version", "1.4.2"]
        out, _ = lab.run(*words, "--timeout", "1s", code=6)
        check("no EdgeUpdate asks for edge 1.4.2 yet" in out, out)
        lab.put(edge_update(counts=done, conditions=ready("True", "RolledOut")))
        lab.run(*words)
        lab.put(edge_update(counts=away, conditions=ready("True", "RolledOut")))
        lab.run(*words, "--timeout", "1s", code=6)
        lab.run(*words, "--reachable")
        for more, want in (({"updated": 96, "failed": 1}, "nodes failed"), ({"updated": 2, "admitted": 5}, "does not admit all nodes")):
            lab.put(edge_update(counts=dict(done, **more), conditions=ready("True", "RolledOut")))
            for reachable in ([], ["--reachable"]):
                out, _ = lab.run(*words, *reachable, "--timeout", "1s", code=4)
                check(want in out and "committed" not in out, out)
        lab.put(edge_update(counts=dict(done, selected=0, updated=0, incompatible=0), conditions=ready("True", "NoNodesSelected")))
        lab.run(*words, "--timeout", "1s", code=6)
        lab.run(*words, "--reachable", "--timeout", "1s", code=6)
        lab.put(edge_update(conditions=ready("False", "TooManyFailures", stalled=True)))
        lab.run(*words, code=4)
        stale = edge_update(counts=done, conditions=ready("True", "RolledOut"))
        stale["metadata"]["generation"] = 3  # the verdict is about the spec before
        lab.put(stale)
        lab.run(*words, "--timeout", "1s", code=6)


@case
def wait_prints_changes_of_each_object():
    with Lab() as lab:
        one, other = edge_update("one"), edge_update("other", counts={"updated": 1})
        other["spec"]["release"]["name"] = "one"
        lab.put(one, other)
        out, _ = lab.run("wait", "--release", "one", "--version", "1.4.2", "--timeout", "5s", code=6)
        check(len(out.splitlines()) == 2, out)
        out, _ = lab.run("wait", "--release", "one", "--version", "1.4.2", "--timeout", "5s", "--json", code=6)
        check([json.loads(line)["name"] for line in out.splitlines()] == ["one", "other"], out)


@case
def wait_counts_nodes():
    with Lab() as lab:
        words = ["wait", "--release", "edge", "--version", "1.4.2"]
        lab.put(edge_update(strategy=False, status={}))  # no controller
        lab.put(node("a", site="oslo"), node("b", site="oslo"), node("c", site="bergen"))
        lab.put(edge_node("a"), edge_node("b", phase="Fetching"), edge_node("c", phase="RolledBack"))
        out, _ = lab.run(*words, "--timeout", "1s", code=6)
        check("committed 1/2, failed 0" in out, out)
        process = lab.start(*words, "--timeout", "5m")
        check("committed 1/2" in process.stdout.readline(), "first line")
        lab.put(edge_node("b"))
        code, lines, err = lines_until_end(process)
        check(code == 0 and "committed on all nodes" in lines[-1], f"{code} {lines} {err}")
        lab.run(*words, "-l", "site=bergen", code=4)
        lab.run(*words, "-l", "site=nowhere", "--timeout", "1s", code=6)
        lab.put(edge_node("b", phase="Fetching", ago_s=5000))
        lab.run(*words, "--reachable")
        lab.put(edge_node("b", version="1.4.1"))
        lab.run(*words, "--timeout", "1s", code=6)


@case
def wait_ends_when_a_complete_rollout_leaves_selected_nodes_out():
    with Lab() as lab:
        words = ["wait", "--release", "edge", "--version", "1.4.2", "-l", "site=oslo", "--timeout", "1s"]
        most = {"selected": 3, "admitted": 2, "updated": 2, "updating": 0, "incompatible": 0, "unknown": 0}
        complete = edge_update(counts=most, conditions=ready("True", "WavesEnd"))
        outside = edge_node("b", phase="Waiting", reason="NotAdmitted")
        lab.put(complete, node("a", site="oslo"), node("b", site="oslo"), node("c", site="oslo"), edge_node("a"), outside)
        for third, reachable, code in ((edge_node("c"), [], 4), (edge_node("c", phase="Fetching"), [], 6), (edge_node("c", ago_s=5000, phase="Fetching"), [], 6),
                                       (edge_node("c", ago_s=5000, phase="Fetching"), ["--reachable"], 4)):
            lab.put(third)
            out, _ = lab.run(*words, *reachable, code=code)
            check(("does not admit all nodes" in out) == (code == 4), out)
        lab.put(edge_node("c"))
        for update in (edge_update(counts=most), edge_update(counts=dict(most, admitted=3), conditions=ready("True", "RolledOut"))):
            lab.put(update)  # still on its way; or it admits the node, which has not heard of it
            lab.run(*words, code=6)


@case
def an_output_that_cannot_be_written():
    with Lab() as lab, open("/dev/full", "w", encoding="ascii") as full:
        lab.put(edge_update())
        for words in (["wait", "--release", "edge", "--version", "1.4.2", "--timeout", "1m", "--server", lab.server.url],
                      ["rollout", "watch", "edge", "--timeout", "1m", "--server", lab.server.url], ["delta", "--help"], ["help"]):
            done = subprocess.run([CHECKED, *words], env=lab.env, stdout=full, stderr=subprocess.PIPE, text=True, timeout=50, check=False)
            check(done.returncode == 1 and done.stderr.endswith(": write standard output: No space left on device\n"), f"{words}: {done}")


# ---- finding the cluster --------------------------------------------------------------------------------------------------------

PLUGIN = """#!/bin/sh
echo "$1 $EXTRA" >>"$(dirname "$0")/runs"
echo "$KUBERNETES_EXEC_INFO" >"$(dirname "$0")/info"
n=$(wc -l <"$(dirname "$0")/runs")
echo "a note" >&2
printf '{"kind": "ExecCredential", "apiVersion": "%s", "status": {"token": "token-%s"}}' "${ANSWER:-client.authentication.k8s.io/v1}" "$n"
"""


def plugin(lab, **more):
    with open(lab.path("plugin"), "w", encoding="ascii") as file:
        file.write(PLUGIN)
    os.chmod(lab.path("plugin"), 0o755)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "args": ["$(id)"], "interactiveMode": "Never",
                     "env": [{"name": "EXTRA", "value": "x y"}], "provideClusterInfo": True, **more}}


@case
def a_credential_plugin():
    with Lab() as lab:
        lab.put(edge_update())
        lab.server.tokens = {"token-1"}
        config = lab.config(plugin(lab))
        lab.run("status", "--kubeconfig", config, server=False)
        with open(lab.path("runs"), encoding="ascii") as file:
            check(file.read() == "$(id) x y\n", "arguments of the plugin")
        with open(lab.path("info"), encoding="ascii") as file:
            info = json.load(file)
        check(info["spec"] == {"interactive": False, "cluster": {"server": lab.server.url}}, info)
        lab.server.tokens = {"token-3"}  # the first one has expired: 401, and the plugin runs again
        lab.run("status", "--kubeconfig", config, server=False)
        lab.server.tokens = {"given"}
        lab.run("status", "--kubeconfig", config, "--token", "given", server=False)
        with open(lab.path("runs"), encoding="ascii") as file:
            check(file.read().count("\n") == 3, "runs of the plugin")


@case
def faults_of_a_plugin():
    with Lab() as lab:
        for more, want in (({"command": "./none", "installHint": "get it at example.com"}, "get it at example.com"),
                           ({"command": "false"}, "exit code 1"), ({"command": "echo", "args": ["{}"]}, "kind is ''"),
                           ({"command": "echo", "args": ["no"]}, "what the plugin printed"),
                           ({"command": "cat", "args": ["/dev/zero"]}, "more than"),
                           ({"env": [{"name": "ANSWER", "value": "v9"}]}, "apiVersion is 'v9'"),
                           ({"apiVersion": "v2"}, "apiVersion 'v2'"), ({"interactiveMode": "Always"}, "interactiveMode is Always"),
                           ({"interactiveMode": "Sometimes"}, "Never, IfAvailable or Always"), ({"command": ""}, "'command' is missing"),
                           ({"args": "x"}, "'args' must be a list"), ({"env": [{"name": "A=B", "value": ""}]}, "'env[0]'")):
            _, err = lab.run("status", "--kubeconfig", lab.config(plugin(lab, **more)), code=1, server=False)
            check(want in err and "'exec'" in err, f"{more}: {err}")


@case
def several_kubeconfigs():
    with Lab() as lab, Lab() as other:
        lab.put(edge_update("here"))
        other.put(edge_update("there"))
        first = lab.config(name="first")
        with open(lab.path("second"), "w", encoding="ascii") as file:
            json.dump({"current-context": "ignored", "contexts": [{"name": "two", "context": {"cluster": "two", "user": "u"}}],
                       "clusters": [{"name": "two", "cluster": {"server": other.server.url}},
                                    {"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}]}, file)
        lab.env["KUBECONFIG"] = f"{first}::{lab.path('second')}:{lab.path('missing')}"
        out, _ = lab.run("status", "--fleet", server=False)
        check("here" in out, out)
        out, _ = lab.run("status", "--context", "two", server=False)
        check("there" in out, out)
        out, _ = lab.run("status", "--cluster", "two", server=False)
        check("there" in out, out)
        _, err = lab.run("status", "--context", "tow", code=2, server=False)
        check("did you mean 'two'?" in err, err)


@case
def tls_and_client_certificates():
    with tempfile.TemporaryDirectory() as folder:
        authority = apiserver.Authority(folder)
        with Lab(authority.issue("server", -1, 30)) as lab:
            lab.put(edge_update())
            cert, key = authority.issue("client", -1, 30)
            user = {"client-certificate": cert, "client-key": key}
            lab.run("status", "--kubeconfig", lab.config(user, **{"certificate-authority": authority.ca}), server=False)
            lab.run("status", "--token", "x", "--certificate-authority", authority.ca)
            lab.run("status", "--token", "x", "--insecure-skip-tls-verify")
            _, err = lab.run("status", "--token", "x", code=1)
            check("certificate-authority" in err, err)


@case
def a_plugin_of_kubectl_and_colours():
    with Lab() as lab:
        lab.put(edge_update())
        name = lab.path("kubectl-holdfast")
        os.symlink(os.path.join(RELEASE, "holdfast"), name)
        out, _ = lab.run("status", program=name)
        check("wave 2/3" in out and "\x1b" not in out, out)
        _, err = lab.run("status", "-o", "xml", program=name, code=2)
        check("kubectl holdfast status: option '--output' takes wide, json, yaml or name, got 'xml'" in err, err)
        os.mkdir(lab.path("journal"))
        _, err = lab.run("node", "journal", "--verify", "--state-dir", lab.folder, program=name, code=3, server=False)
        check(err.startswith("kubectl holdfast node journal: the journal has no entries"), err)
        for no_color, want in (("", True), ("1", False)):
            master, slave = pty.openpty()
            env = dict(lab.env, TERM="xterm", NO_COLOR=no_color)
            subprocess.run([CHECKED, "status", "--server", lab.server.url], env=env, stdin=subprocess.DEVNULL, stdout=slave, check=True)
            os.close(slave)
            text = os.read(master, 65536).decode()
            os.close(master)
            check(("\x1b[33m" in text) == want, repr(text))


# ---- the page ---------------------------------------------------------------------------------------------------------------------


class Page:
    """`holdfast ui` against the lab's server."""

    def __init__(self, lab, *words, server=True):
        self.process = lab.start("ui", *words, server=server)
        self.address, self.token = self.process.stdout.readline().strip().split("/#")
        self.port = int(self.address.rpartition(":")[2])

    def ask(self, path, token=None, **headers):
        """Status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers={**headers, **({"X-Holdfast-Token": token} if token else {})})
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")

    def act(self, token=None, **body):
        """Status and answer of an act."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", "/fleet/act", body=json.dumps(body), headers={"X-Holdfast-Token": token or self.token})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def rows(self, since=0):
        return json.loads(self.ask(f"/fleet/changes?{since}", self.token)[1])["rows"]

    def upgrade(self, protocols):
        """The status of a websocket's handshake, and the connection."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.sendall(f"GET /fleet/live HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{protocols}\r\n".encode())
        return int(connection.recv(4096).split()[1]), connection

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out + err


@case
def the_page_of_the_fleet_asks_once_and_hears_of_changes():
    with Lab() as lab:
        lab.put(edge_update(), *[edge_node(f"n-{i}") for i in range(5)], node("n-0", site="oslo"))
        page = Page(lab, "--no-browser")
        wait("rows", lambda: len(page.rows()) == 7)
        check({row["n"]: row["labels"] for row in page.rows() if row["k"] == "labels"} == {"n-0": {"site": "oslo"}}, page.rows())
        lab.put(edge_node("n-1", phase="RolledBack", reason="HealthFailed"))
        lab.server.remove("EdgeNode", "n-2")
        wait("a failure", lambda: any(row.get("reason") == "HealthFailed" for row in page.rows()))
        wait("a removal", lambda: any(row["n"] == "n-2" and row.get("gone") for row in page.rows()))
        asked = [path for path in lab.server.seen if not path.startswith("/version")]
        check(len(asked) == 3 and all("watch=true" in path for path in asked), asked)
        status, text = page.ask("/fleet/node?n-3", page.token)
        check(status == 200 and json.loads(text)["metadata"]["name"] == "n-3", text)
        status, text = page.ask("/fleet/node?absent", page.token)
        check(status == 404 and "edgenodes" in json.loads(text)["error"], text)
        for path in ("/fleet/node?a/../../nodes", "/fleet/node?", "/fleet/node?A", "/fleet/node?..%2Fnodes", "/fleet/changes?x", "/fleet/changes?", "/fleet/changes?" + "9" * 40):
            check(page.ask(path, page.token)[0] == 400, path)
        code, text = page.end()
        check(code == 0 and lab.server.url in text, f"{code} {text}")


@case
def the_page_of_the_fleet_is_for_one_user_and_one_page():
    with Lab() as lab:
        lab.put(edge_node("n-1"))
        page = Page(lab, "--no-browser")
        other = Page(lab, "--no-browser")
        check(len(page.token) == 43 and page.token != other.token and page.port != other.port, "tokens")
        status, text = page.ask("/")
        check(status == 200 and page.token not in text, text)
        for path in ("/fleet/changes?0", "/fleet/node?n-1", "/fleet/reasons", "/fleet/live", "/fleet/past?1", "/fleet/compare?n-1", "/fleet/yaml?edgenodes/n-1"):
            for token in (None, other.token, page.token[:-1], page.token + "A", page.token.swapcase()):
                status, text = page.ask(path, token)
                check(status == 403 and "n-1" not in text, f"{path} {token}: {status} {text}")
            check(page.ask(path, page.token, Origin="http://evil.example")[0] == 403, f"{path}: another origin")
            check(page.ask(path, page.token, Host="evil.example")[0] == 403, f"{path}: a rebound name")
        for protocols in ("", "Sec-WebSocket-Protocol: http\r\n", f"Sec-WebSocket-Protocol: http, {other.token}\r\n", f"Sec-WebSocket-Protocol: {page.token}\r\n",
                          f"Sec-WebSocket-Protocol: http, {'a' * 5000}\r\n", f"Sec-WebSocket-Protocol: http, {page.token}\r\nOrigin: http://evil.example\r\n"):
            check(page.upgrade(protocols)[0] != 101, protocols)
        good = f"Sec-WebSocket-Protocol: http, {page.token}\r\n"
        viewers = [page.upgrade(good) for _ in range(17)]
        check([status for status, _ in viewers] == [101] * 16 + [503], [status for status, _ in viewers])
        check(page.ask("/fleet/changes?0", page.token)[0] == 200, "others suffer from many viewers")
        if os.geteuid() == 0:  # another user with the token, which a command line shows
            wanted = f"import http.client as h; c = h.HTTPConnection('127.0.0.1', {page.port}); " \
                     f"c.request('GET', '/fleet/changes?0', headers={{'X-Holdfast-Token': '{page.token}'}}); print(c.getresponse().status)"
            out = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "python3", "-c", wanted], stdout=subprocess.PIPE, text=True, check=True, cwd="/").stdout
            check(out.strip() == "403", f"another user: {out}")
        check(page.end(signal.SIGTERM)[0] == 0 and other.end()[0] == 0, "exit codes")


@case
def acts_of_the_page_ask_first_and_are_the_command():
    with Lab() as lab:
        lab.put(edge_update("app"), edge_node("n-1"))
        page = Page(lab, "--no-browser")
        wait("rows", lambda: len(page.rows()) == 2)

        def annotations():
            return lab.server.objects["EdgeUpdate", "app"]["metadata"].get("annotations", {})
        check(page.act(act="Halt", name="app") == (200, {}) and not annotations(), "an act without a confirmation")
        status, said = page.act(act="Halt", name="app", reason="a; rm -rf / $(x)", confirmed=True)
        check(status == 200 and said["exitCode"] == 0 and "halted" in said["output"], said)
        check("a; rm -rf / $(x)" in annotations().values(), annotations())
        status, said = page.act(act="FreeTurn", name="n-1", confirmed=True)
        check(status == 200 and said["exitCode"] == 1 and "holds no turn" in said["output"], said)
        lab.server.allowed = False
        for confirmed in (False, True):
            status, said = page.act(act="Resume", name="app", confirmed=confirmed)
            check(status == 403 and "ClusterRole edit" in said["error"], said)
        check(any("halted" in key for key in annotations()), annotations())
        lab.server.allowed = True
        for body in ({}, {"act": "Delete", "name": "app"}, {"act": "Pause", "name": "a/../b"}):
            check(page.act(**body)[0] == 400, body)
        status, said = page.act(act="Pause", name="--help", confirmed=True)
        check(status == 200 and said["exitCode"] == 1 and "not found" in said["output"], said)
        check(page.act(token="A" * 43, act="Pause", name="app", confirmed=True)[0] == 403, "an act without the token")
        check(page.ask("/fleet/act", page.token)[0] == 405, "an act by GET")
        status, text = page.ask("/fleet/yaml?edgeupdates/app", page.token)
        check(status == 200 and "kind: EdgeUpdate" in json.loads(text)["yaml"], text)
        for what in ("secrets/x", "edgenodes", "edgenodes/", "edgenodes/../nodes/x"):
            check(page.ask(f"/fleet/yaml?{what}", page.token)[0] == 400, what)
        check(page.end()[0] == 0, "exit code")


@case
def several_clusters_are_one_page_and_a_dead_one_delays_none():
    with Lab() as lab, Lab() as other:
        lab.put(edge_node("n-1"), edge_update("app"))
        other.put(edge_node("n-1", phase="RolledBack", reason="HealthFailed"), edge_update("app"))
        file = lab.config()
        with open(file, encoding="ascii") as text:
            config = json.load(text)
        config["contexts"], config["clusters"] = [], []
        for name, url in (("a", lab.server.url), ("eu/b", other.server.url), ("dead", "http://127.0.0.1:1")):
            config["clusters"].append({"name": name, "cluster": {"server": url}})
            config["contexts"].append({"name": name, "context": {"cluster": name, "user": "u"}})
        with open(file, "w", encoding="ascii") as text:
            json.dump(config, text)
        page = Page(lab, "--no-browser", "--kubeconfig", file, *(f"--context={name}" for name in ("a", "dead", "eu/b", "absent")), server=False)
        wait("rows", lambda: {row["n"] for row in page.rows()} == {"a/n-1", "a/app", "eu/b/n-1", "eu/b/app"})
        status, text = page.ask("/fleet/node?eu%2Fb%2Fn-1", page.token)
        check(status == 200 and json.loads(text)["status"]["updates"][0]["phase"] == "RolledBack", text)
        check(page.ask("/fleet/node?absent/n-1", page.token)[0] == 404, "a context that cannot be opened")
        check(page.act(act="Pause", name="eu/b/app", confirmed=True)[1]["exitCode"] == 0, "an act")
        check("annotations" in other.server.objects["EdgeUpdate", "app"]["metadata"], "the act in its cluster")
        check("annotations" not in lab.server.objects["EdgeUpdate", "app"]["metadata"], "the act in another cluster")
        code, text = page.end()
        check(code == 0 and "dead: " in text and "absent: " in text, text)
        for words in (("--context=a", "--context=a"), ("--context=a", "--context=eu/b", "--server=http://127.0.0.1:1")):
            lab.run("ui", "--no-browser", "--kubeconfig", file, *words, code=2, server=False)


class Top:
    """`holdfast top` in a terminal of its own."""

    def __init__(self, lab, *words, columns=80, lines=24):
        self.master, self.slave = pty.openpty()
        self.resize(columns, lines)
        self.before = termios.tcgetattr(self.slave)
        env = {**lab.env, "TERM": "xterm"}
        self.process = subprocess.Popen([CHECKED, "top", "--server", lab.server.url, *words], env=env, stdin=self.slave, stdout=self.slave,
                                        stderr=subprocess.PIPE, preexec_fn=self.lead)
        self.text = b""

    @staticmethod
    def lead():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def resize(self, columns, lines):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def shows(self, word, absent=False):
        """A picture, whole, has the word; or one has it no more."""
        for _ in range(600):
            if select.select([self.master], [], [], 0.1)[0]:
                self.text += os.read(self.master, 65536)
            pictures = [one for one in self.text.split(b"\x1b[H")[1:] if one.endswith(b"\x1b[J") or b"\x1b[J" in one]
            if pictures and (word in pictures[-1].decode("utf-8", "replace")) != absent:
                return pictures[-1].decode("utf-8", "replace")
        raise AssertionError(f"'{word}' {'stays' if absent else 'is not there'}: {self.text[-3000:]!r}")

    def press(self, keys):
        os.write(self.master, keys)

    def end(self):
        """The exit code; the terminal is as it was."""
        code = self.process.wait(60)
        while select.select([self.master], [], [], 0.2)[0]:
            self.text += os.read(self.master, 65536)
        check(self.text.endswith(b"\x1b[?7h\x1b[?25h\x1b[?1049l"), self.text[-200:])
        check(termios.tcgetattr(self.slave) == self.before, "the terminal has other settings")
        os.close(self.master)
        os.close(self.slave)
        return code


@case
def top_is_live_takes_keys_and_leaves_the_terminal_as_it_was():
    with Lab() as lab:
        lab.put(edge_update(), *[edge_node(f"n-{i}") for i in range(40)], node("n-0", site="oslo"), edge_node("bad", phase="RolledBack", reason="HealthFailed", message="\x1b[31m500"))
        for end in (b"q", signal.SIGINT, signal.SIGTERM, signal.SIGHUP, b"\x03"):
            top = Top(lab)
            text = top.shows("HealthFailed")
            lines = text.split("\x1b[J")[0].split("\r\n")
            check(len(lines) == 24 and all(len(line.replace("\x1b[K", "")) <= 80 for line in lines), lines)
            check("\x1b[31m500" not in text, "a text of an object reaches the terminal")
            if end == b"q":
                top.press(b"/n-39\r")
                top.shows("HealthFailed", absent=True)
                lab.put(edge_node("n-39", phase="Fetching", reason="Downloading"))
                top.shows("Downloading")
                top.press(b"\r")
                top.shows("unlike its 40 neighbours")
                top.press(b"\x1b")
                top.shows("/ filter")
                for columns, height in ((30, 8), (200, 60), (1, 1), (80, 24)):
                    top.resize(columns, height)
                    top.process.send_signal(signal.SIGWINCH)
                    top.shows("n-39" if columns > 1 else "")
                lab.put(edge_node("n-39"))
            if isinstance(end, bytes):
                top.press(end)
            else:
                top.process.send_signal(end)
            check(top.end() == 0, f"exit code after {end}")


@case
def top_without_a_terminal_is_one_picture():
    with Lab() as lab:
        lab.put(edge_update(), *[edge_node(f"n-{i}") for i in range(40)], node("n-0", site="oslo"))
        out, _ = lab.run("top")
        check("\x1b" not in out and out.count("n-") == 40 and "filter" not in out, out)
        lab.server.tokens = set()
        _, err = lab.run("top", code=1)
        check("edgenodes" in err, err)


@case
def the_page_of_the_fleet_says_why_it_has_nothing_to_show():
    with Lab() as lab:
        lab.server.tokens = {"right"}
        _, err = lab.run("ui", "--no-browser", "--token", "wrong", code=1)
        check("edgenodes" in err and "ClusterRole view" in err, err)
        lab.put(edge_node("n-1"))
        page = Page(lab, "--no-browser", "--token", "right")
        wait("rows", page.rows)
        time.sleep(1)  # until the watch says that this was all
        lab.server.tokens = set()  # the right is gone
        lab.server.end_watches()
        lines = [page.process.stderr.readline() for _ in range(4)]
        check(any("edgenodes" in line and "trying again" in line for line in lines) and any("without labels" in line for line in lines), lines)
        check(page.ask("/fleet/changes?0", page.token)[0] == 200, "the page ends with a right")
        page.end()
    with Lab() as lab:
        lab.env.update(DISPLAY=":7", PATH=lab.folder + ":" + lab.env["PATH"])
        with open(lab.path("xdg-open"), "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\necho \"$1\" >{lab.path('opened')}.new\nmv {lab.path('opened')}.new {lab.path('opened')}\n")
        os.chmod(lab.path("xdg-open"), 0o755)
        page = Page(lab)
        wait("the browser", lambda: os.path.exists(lab.path("opened")))
        with open(lab.path("opened"), encoding="ascii") as file:
            check(file.read().strip() == f"{page.address}/#{page.token}", "the browser's address")
        page.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*")
    words = parser.parse_args()
    failed = passed = 0
    for run in CASES:
        if words.list:
            print(run.__name__)
        if words.list or (words.names and run.__name__ not in words.names):
            continue
        try:
            run()
            passed += 1
            print(f"  ok    {run.__name__}", flush=True)
        except (AssertionError, subprocess.SubprocessError, OSError, ValueError, KeyError) as error:
            failed += 1
            where = traceback.extract_tb(error.__traceback__)[1].lineno
            print(f"  FAIL  {run.__name__}, line {where}: {error}", flush=True)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
