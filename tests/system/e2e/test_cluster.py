# SPDX-License-Identifier: Apache-2.0
"""The cluster itself: what all other tests stand on has to be what it claims to be."""

import os
import subprocess
import unittest

from holdcluster import place
from lib import wait, world

API = f"https://{place.API_IP}/healthz"
SERVICE = f"https://{place.SERVICE_IP}/healthz"


def reach(node, url=API):
    """Whether `node` gets an answer of the API server within 2 s."""
    return world.cluster.run(node, "curl", "-sk", "-m", "2", "-o", "/dev/null", "-w", "%{http_code}", url, check=False) not in ("", "000")


class TestCluster(unittest.TestCase):
    def tearDown(self):
        for node in world.NODES:
            world.cluster.heal(node)

    def test_cut_link_stops_one_node_only(self):
        for silent in (False, True):
            with self.subTest(silent=silent):
                world.cluster.cut("n1", silent)
                self.assertFalse(reach("n1"))
                self.assertTrue(reach("n2"))
                world.cluster.heal("n1")
                wait.until("n1 to reach the API server again", lambda: reach("n1"), 10)

    def test_service_address_of_the_api_server_is_reached(self):
        self.assertTrue(reach("n1", SERVICE))

    def test_up_says_how_to_point_kubectl_at_it(self):
        """The line for one's own kubectl, run as it stands, with this cluster's kubectl in front of the path."""
        line = next(line for line in world.cluster.access() if line.strip().startswith("sudo ip netns") and "get nodes" in line)
        path = f"{world.cluster.parts()}:{os.environ['PATH']}"
        done = subprocess.run(["sh", "-c", line.replace("sudo ", "")], env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("n1", done.stdout)

    def test_status_for_a_reader_that_has_seen_enough(self):
        """As `hack/cluster status | head -1` may find it: nobody reads any more, and that is no failure."""
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run([os.path.join(place.TOP, "hack", "cluster"), "status"], stdout=write, stderr=subprocess.PIPE, text=True, check=False)
        os.close(write)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_reboot_keeps_what_was_written(self):
        world.cluster.run("n2", "sh", "-c", "echo kept >/srv/reboot")
        world.cluster.reboot("n2")
        world.cluster.wait_ready("n2")
        self.assertEqual(world.cluster.run("n2", "cat", "/srv/reboot"), "kept\n")

    def test_power_cut_keeps_what_was_synced_and_loses_the_rest(self):
        for number in range(3):                # what the node syncs for others may carry along what was not synced
            world.cluster.run("n2", "sh", "-c", f"echo {number} >/srv/synced; sync; echo {number} >/srv/unsynced")
            world.cluster.power_cut("n2")
            world.cluster.wait_ready("n2")
            self.assertEqual(world.cluster.run("n2", "cat", "/srv/synced"), f"{number}\n")
            if world.cluster.run("n2", "cat", "/srv/unsynced", check=False) != f"{number}\n":
                return
        self.fail("three power cuts lost nothing")

    def test_api_server_goes_and_comes_back(self):
        world.cluster.stop_api(kill=True)
        self.assertFalse(reach("n1"))
        world.cluster.start_api()
        self.assertTrue(reach("n1"))

    def test_node_may_not_write_another_node(self):
        """Node authorization and NodeRestriction are on."""
        argv = ["sh", "-c", "curl -sk -o /dev/null -w '%{http_code}' --cert /srv/node.crt --key /srv/node.key -X PATCH"
                f" -H 'Content-Type: application/merge-patch+json' -d '{{\"metadata\":{{\"labels\":{{\"a\":\"b\"}}}}}}'"
                f" https://{place.API_IP}/api/v1/nodes/$0"]
        for name in ("crt", "key"):
            with open(world.cluster.where.path("pki", f"node-n1.{name}"), encoding="ascii") as f:
                world.cluster.run("n1", "sh", "-c", f"cat >/srv/node.{name}", text=f.read())
        self.assertEqual(world.cluster.run("n1", *argv, "n1"), "200")
        self.assertEqual(world.cluster.run("n1", *argv, "n2"), "403")
        world.cluster.kubectl("label", "node", "n1", "a-")

    def test_requests_are_seen_in_the_audit_log(self):
        world.cluster.kubectl("get", "--raw", "/api/v1/namespaces/seen-in-the-audit-log", check=False)
        wait.until("the request to be in the audit log",
                   lambda: any("seen-in-the-audit-log" in event["requestURI"] for event in world.cluster.audit()), 5)
