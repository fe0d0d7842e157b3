# SPDX-License-Identifier: Apache-2.0
"""Releases with probationBoots on one node that boots, without a link: what fails or hangs after a boot goes back, and a power cut is no
failed boot."""

import hashlib
import json
import os
import shutil
import unittest

from holdcluster import node, place
from lib import agent, release, service, wait, world

NODE, PORT = "b1", 8090
UNITS = "/etc/systemd/system"
# A unit's walls mount another /proc, in which the boot's id is this machine's. Over that of the node systemd-nspawn has bound a file that it
# has deleted, and nothing can be bound over such a one.
OWN_BOOT = """[Unit]
Before=holdfast-agent.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'cat $0 >/run/boot-id && umount $0 && mount --bind /run/boot-id $0' /proc/sys/kernel/random/boot_id
"""
SEES_IT = "[Service]\nBindReadOnlyPaths=-/run/boot-id:/proc/sys/kernel/random/boot_id\n"
# Serves, and tells the watchdog so. Version 1.2.0 does something else first in a boot in which nobody has made /run/trial.
TRIAL = """#!/bin/sh
[ -e /run/trial ] || [ {version} != 1.2.0 ] || {after}
systemd-notify --ready
while systemd-notify WATCHDOG=1 && sleep 0.3; do :; done &
exec /opt/server "$@"
"""
AFTER = {"exits": "exit 1", "hangs": "exec sh -c 'systemd-notify --ready; exec sleep 1000'", "fine": ":"}
BITES = "[Service]\nType=notify\nNotifyAccess=all\nWatchdogSec=3\n"
STAYS_DOWN = "Restart=no\n"                    # after its watchdog has bitten


class TestBoots(unittest.TestCase):
    """One node in order: each test goes on from the one before."""

    @classmethod
    def setUpClass(cls):
        cluster = world.cluster
        node.start_node(cluster.where, NODE, cluster.parts(), cluster.tree())
        cls.addClassCleanup(cls.give_back)
        cls.root = cluster.root(NODE)
        wait.until("systemd", lambda: cls.run_("systemctl", "is-active", "dbus.socket", check=False).strip() == "active", 60)
        cls.run_("systemctl", "-q", "disable", "--now", "kubelet", "containerd")
        os.makedirs(cls.root + "/opt", exist_ok=True)
        shutil.copy(release.sample_path("1.0.0"), cls.root + "/opt/server")
        cls.put("/etc/holdfast/agent.env", f"NODE_NAME={NODE}\nHOLDFAST_ARGS=--source=/etc/holdfast/objects\n")
        cls.put(f"/etc/holdfast/trust.d/{release.KEY}.pem", release.make_key())
        os.makedirs(cls.root + "/etc/holdfast/objects", exist_ok=True)
        shutil.copy(world.built(agent.PROGRAM), os.path.join(cls.root, "usr/local/bin"))
        shutil.copy(os.path.join(place.TOP, "deploy", "systemd", agent.PROGRAM + ".service"), cls.root + UNITS)
        cls.put(f"{UNITS}/{agent.PROGRAM}.service.d/boot.conf", SEES_IT)
        node.put_unit(cluster.where, NODE, "boot-id.service", OWN_BOOT)
        cls.run_("touch", "/run/trial")
        cls.trials = {name: service.Service(NODE, name, PORT + i) for i, name in enumerate(AFTER)}
        for name, one in cls.trials.items():
            cls.put(f"{UNITS}/{name}.service.d/bites.conf", BITES + (STAYS_DOWN if name == "hangs" else ""))
            one.install(cls.trial(name, "1.0.0"))
        cls.run_("systemctl", "start", "boot-id")
        cls.run_("systemctl", "-q", "enable", "--now", agent.PROGRAM)

    @staticmethod
    def give_back():
        world.cluster.shut_down(NODE)
        world.cluster.kubectl("delete", "node", NODE, "--ignore-not-found", check=False)

    @classmethod
    def put(cls, path, text):
        place.write(cls.root + path, text)

    @staticmethod
    def run_(*argv, check=True):
        return world.cluster.run(NODE, *argv, check=check)

    @staticmethod
    def trial(name, version):
        return TRIAL.format(version=version, after=AFTER[name]).encode()

    def entry(self, name):
        text = self.run_("cat", "/run/holdfast/status.json", check=False)
        return next((one for one in (json.loads(text)["status"].get("updates", []) if text else []) if one["name"] == name), {})

    def commit(self, version, sequence, **health):
        for name, one in self.trials.items():
            check = {"http": {"url": f"http://127.0.0.1:{one.port}/healthz"}, "period": "200ms", "successThreshold": 2}
            made = one.release(version, sequence, self.trial(name, version), health={"deadline": "5s", "checks": [check]} | health)
            self.put(f"/opt/artifacts/{name}", self.trial(name, version))
            made["artifacts"][0]["url"] = f"file:///opt/artifacts/{name}"
            self.put(f"/etc/holdfast/objects/{name}.yaml", json.dumps(release.update(made, NODE)))
        for name in self.trials:
            wait.until(f"{version} of {name}", lambda n=name: (self.entry(n).get("phase"), self.entry(n).get("version")) == ("Committed", version), 60)
        shutil.rmtree(self.root + "/opt/artifacts")

    def runs(self, name, version):
        one = self.trials[name]
        return one.sha256() == hashlib.sha256(self.trial(name, version)).hexdigest() and one.healthy()

    def boots_left(self):
        """In which the release `fine` is still judged, as its journal on the disk says."""
        with open(self.root + "/var/lib/holdfast/updates/fine/journal", encoding="utf-8") as file:
            return json.loads(file.read().split("\n", 1)[1]).get("bootsLeft", 0)

    def await_agent(self):
        wait.until("the agent", lambda: self.run_("systemctl", "is-active", agent.PROGRAM, check=False).strip() == "active", 60, 0.05)

    def test_1_commits(self):
        self.commit("1.1.0", 1)
        self.commit("1.2.0", 2, probationBoots=2)
        self.assertEqual(self.boots_left(), 2)

    def test_2_power_cuts_are_no_failed_boots(self):
        """One after the commit, and one before the verdict: that boot has none."""
        self.run_("sync")
        world.cluster.power_cut(NODE)
        self.await_agent()
        world.cluster.power_cut(NODE)
        self.assertEqual(self.boots_left(), 2)

    def test_3_what_fails_after_a_boot_goes_back(self):
        for name in ("exits", "hangs"):
            wait.until(f"{name} to go back", lambda n=name: self.runs(n, "1.1.0"), 90)
            wait.until(f"{name} to be told", lambda n=name: [self.entry(n).get(word) for word in ("phase", "reason", "version", "installedVersion")]
                       == ["Rejected", "RolledBackBefore", "1.2.0", "1.1.0"], 30)
            self.assertIn("after a reboot the unit is ", self.entry(name)["message"])
        self.assertIn("atchdog timeout", self.run_("journalctl", "-b", "-u", "hangs.service", "--no-pager"))
        wait.until("the boot to be judged", lambda: self.boots_left() == 1, 60)

    def test_4_the_last_boot_ends_the_trial(self):
        self.run_("sync")
        world.cluster.reboot(NODE)
        self.await_agent()
        wait.until("the boot to be judged", lambda: self.boots_left() == 0, 60)
        for name, version in (("exits", "1.1.0"), ("hangs", "1.1.0"), ("fine", "1.2.0")):
            wait.until(f"{version} of {name}", lambda n=name, v=version: self.runs(n, v), 30)
        self.assertEqual(self.entry("fine")["phase"], "Committed")
