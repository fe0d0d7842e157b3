#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The modules of deploy/terraform and deploy/pulumi, by OpenTofu and by Pulumi's mocks; both against the files of deploy/k3s/render.

    tests/system/iac/run.py [WORD ...]      default: all tests; with words: those whose name has one of them

And cloud-init itself takes these files: a Debian 12 boots with the user-data of each role. Its K3s is a program that says what it was started with: K3s cannot
be had here.
"""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(TOP, "tests", "support"), os.path.join(TOP, "tests", "system", "dist")]
import guest  # noqa: E402  pylint: disable=wrong-import-position
import suite  # noqa: E402  pylint: disable=wrong-import-position

PACKAGES = ("systemd", "systemd-sysv", "dbus", "cloud-init", "python3-cffi-backend", "curl", "ca-certificates", "python3-yaml")
K3S = """#!/usr/bin/python3
import json, os, signal, socket, sys, yaml
said = {"arguments": sys.argv[1:], "configuration": yaml.safe_load(open("/etc/rancher/k3s/config.yaml")), "token": open("/etc/rancher/k3s/token").read()}
with open("/run/k3s.json", "w") as file:
    json.dump(said, file)
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"].replace("@", "\\0", 1))
signal.pause()
"""


def call(argv, folder):
    done = subprocess.run(argv, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False, timeout=600)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)}: exit code {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def copy(work, module):
    """The module beside the files that it reads, as a user's clone has them, without what an earlier run left."""
    for folder in ("cloud-init", "k3s", module):
        shutil.copytree(os.path.join(TOP, "deploy", folder), os.path.join(work, folder), dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("node_modules", ".terraform*", "*.js"))
    return os.path.join(work, module)


def tofu():
    if shutil.which("go") is None:
        raise suite.Skip("Go, which builds OpenTofu, is not installed")
    program = subprocess.run([os.path.join(TOP, "tests/system/iac/tofu/build")], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    with tempfile.TemporaryDirectory() as work:
        module = copy(work, "terraform")
        call([program, "fmt", "-check", "-diff", "-recursive"], module)
        call([program, "init", "-no-color"], module)
        call([program, "validate", "-no-color"], module)
        said = call([program, "test", "-no-color"], module)
        if not re.search(r"Success! [1-9]\d* passed, 0 failed", said):
            raise AssertionError(said)


def pulumi():
    if shutil.which("npm") is None:
        raise suite.Skip("npm is not installed")
    with tempfile.TemporaryDirectory() as work:
        module = copy(work, "pulumi")
        call(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], module)
        said = call(["npm", "test"], module)
        if not re.search(r"^# pass [1-9]", said, re.M):
            raise AssertionError(said[-4000:])


def boot(work, role, program, digest):
    """What the first boot with this role's user-data came to: (what cloud-init says, the guest's answers by name)."""
    with open(os.path.join(TOP, "deploy/k3s/nodes.yaml"), encoding="utf-8") as file:
        nodes = yaml.load(file, yaml.BaseLoader)
    nodes["k3s"] = {"url": "file:///srv/k3s/k3s", "sha256": digest}
    seed, served = os.path.join(work, "seed"), os.path.join(work, "served")
    for path, text in ((f"{work}/nodes.yaml", yaml.safe_dump(nodes, sort_keys=False)), (f"{seed}/meta-data", f"instance-id: {role}\n"), (f"{served}/k3s", program),
                       (f"{work}/cloud/90-here.cfg", "network: {config: disabled}\ndatasource_list: [NoCloud, None]\nlocale: false\nssh_deletekeys: false\nssh_genkeytypes: []\n")):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    call([os.path.join(TOP, "deploy/k3s/render"), f"{work}/nodes.yaml", f"{work}/out"], work)
    shutil.copy(f"{work}/out/cloud-init/user-data-{role}.yaml", f"{seed}/user-data")
    folders = {seed: "/var/lib/cloud/seed/nocloud", served: "/srv/k3s", f"{work}/cloud/90-here.cfg": "/etc/cloud/cloud.cfg.d/90-here.cfg"}
    root = guest.other_tree("bookworm", PACKAGES, "cloud-init")
    with guest.Guest(os.path.join(work, f"guest-{role}"), folders, root) as node:
        done = node.says("cloud-init status --wait | tail -1")
        return done, {name: node.says(script + "; true") for name, script in {
            "unit": "systemctl is-active k3s-agent; systemctl is-enabled k3s-agent 2>&1", "started": "cat /run/k3s.json 2>&1",
            "modes": "stat -c '%a %n' /etc/rancher/k3s/config.yaml /etc/rancher/k3s/token /etc/holdfast/trust.d/release-2026.pem",
            "key": "cat /etc/holdfast/trust.d/release-2026.pem", "log": "cloud-init status --long; grep -iE 'warn|error' /var/log/cloud-init.log; tail -n 20 /var/log/cloud-init-output.log"}.items()}


def first_boot(role):
    def test():
        with open(os.path.join(TOP, "deploy/k3s/nodes.yaml"), encoding="utf-8") as file:
            nodes = yaml.safe_load(file)
        with tempfile.TemporaryDirectory() as work:
            done, said = boot(work, role, K3S, hashlib.sha256(K3S.encode()).hexdigest())
        suite.equal(f"cloud-init ({said['log']})", done, "status: done")
        suite.equal("the unit", said["unit"].split(), ["active", "enabled"])
        started, wanted = json.loads(said["started"]), nodes["roles"][role]
        suite.equal("arguments", started["arguments"], ["agent"])
        suite.equal("labels", started["configuration"]["node-label"], [f"{key}={value}" for key, value in wanted["labels"].items()])
        suite.equal("limits", started["configuration"]["kubelet-arg"], [f"{key}={value}" for key, value in wanted["kubelet"].items()])
        suite.equal("server", started["configuration"]["server"], nodes["server"])
        suite.equal("modes", [line.split()[0] for line in said["modes"].split("\n")], ["600", "600", "644"])
        suite.equal("the key that the node trusts", said["key"], nodes["trustedKeys"]["release-2026"].strip())
    return test


def wrong_program():
    """A download that is not the one of the description is never started."""
    with tempfile.TemporaryDirectory() as work:
        done, said = boot(work, "edge", K3S, "0" * 64)
    suite.equal("cloud-init and the unit", (done, said["unit"].split()[0], "No such file" in said["started"]), ("status: error", "inactive", True))


TESTS = [("deploy/terraform: OpenTofu's fmt, validate and test", tofu), ("deploy/pulumi: tsc, and tests with Pulumi's mocks", pulumi),
         ("first boot of the role agent", first_boot("agent")), ("first boot of the role edge", first_boot("edge")),
         ("first boot with another K3s than the description's", wrong_program)]

if __name__ == "__main__":
    sys.exit(suite.run([test for test in TESTS if not sys.argv[1:] or any(word in test[0] for word in sys.argv[1:])]))
