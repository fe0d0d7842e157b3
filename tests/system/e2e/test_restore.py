# SPDX-License-Identifier: Apache-2.0
"""docs/how-to/restore.md: the cluster's store is back from a backup, or the cluster is lost, and what the page says follows."""

import contextlib
import os
import shutil
import sqlite3

from holdcluster import plane
from lib import agent, case, release, wait, world


class Store:
    """The store of the control plane, as K3s has it: SQLite below kine."""

    def __init__(self):
        self.where = world.cluster.where
        self.path, self.copy = self.where.path("plane", "state.db"), self.where.path("plane", "backup.db")

    def back_up(self):
        """While it is in use, as `k3s` on SQLite allows."""
        with contextlib.closing(sqlite3.connect(self.path)) as live, contextlib.closing(sqlite3.connect(self.copy)) as copy:
            live.backup(copy)

    def restore(self, nothing=False):
        """Stop the control plane, put the backup in place, or with `nothing` an empty store, start it."""
        plane.stop_all(self.where)
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path + suffix)
        if not nothing:
            shutil.copyfile(self.copy, self.path)
        plane.start_all(self.where, world.cluster.parts())
        plane.wait_api(self.where, world.cluster.parts())
        plane.start_managers(self.where, world.cluster.parts())


class TestUnitRestore(case.Case):
    life = "unit"
    alone = True                               # the store is everybody's

    def test_store_from_a_backup(self):
        store, kept, late = Store(), self.service(), self.service()
        second, third = release.sample("1.1.0", 2), release.sample("1.2.0", 3)
        self.apply(release.update(kept.release("1.1.0", 1, second), self.node))
        self.await_phase(kept.name, "Committed", 1)
        store.back_up()
        git = [release.update(kept.release("1.2.0", 2, third), self.node), release.update(late.release("1.1.0", 1, second), self.node)]
        self.apply(git)
        self.await_phase(kept.name, "Committed", 2)
        self.await_phase(late.name, "Committed", 1)
        starts = [one.start_count() for one in (kept, late)]
        store.restore()
        with self.subTest("the older object is refused, the one that is lost removes nothing, and what runs goes on"):
            wait.until("the older release to be refused by its sequence", lambda: self.entry(kept.name).get("reason") == "SequenceTooLow", 120)
            self.assertNotIn(late.name, world.cluster.kubectl("get", "edgeupdates", "-o", "name"))
            self.assertEqual([one.version() for one in (kept, late)], ["1.2.0", "1.1.0"])
        with self.subTest("what an agent thinks of a store that goes back"):
            self.assertTrue(self.agent.events("kube.doubt"))
        with self.subTest("the objects from Git again"):
            self.apply(git)
            self.await_phase(kept.name, "Committed", 2, 60)
            self.await_phase(late.name, "Committed", 1, 60)
            wait.until("Ready to be True", lambda: self.condition("Ready").get("status") == "True", 60)
            self.assertEqual([one.version() for one in (kept, late)], ["1.2.0", "1.1.0"])
            self.assertEqual([one.start_count() for one in (kept, late)], starts)

    def test_the_cluster_is_lost(self):
        """A new one of the same name and authority; its nodes join again, everything else comes from Git."""
        one, second, third = self.service(), release.sample("1.1.0", 2), release.sample("1.2.0", 3)
        git = release.update(one.release("1.1.0", 1, second), self.node)
        self.apply(git)
        self.await_phase(one.name, "Committed", 1)
        starts = one.start_count()
        Store().restore(nothing=True)
        self.assertEqual((world.cluster.kubectl("get", "nodes,crds", "-o", "name"), one.version()), ("", "1.1.0"))
        with self.subTest("the nodes join, holdfast is installed"):
            for node in world.NODES:
                world.cluster.run(node, "systemctl", "restart", "kubelet")
            for node in world.NODES:
                world.cluster.wait_ready(node)
            case.redeploy()
            wait.until("the agent to report to the new cluster", lambda: self.edgenode().get("status"), 120)
            self.assertEqual((one.version(), one.start_count()), ("1.1.0", starts))
        with self.subTest("the objects from Git: nothing is restarted again, the floor holds, and a newer release works"):
            self.apply(git)
            self.await_phase(one.name, "Committed", 1, 60)
            self.assertEqual((one.version(), one.start_count()), ("1.1.0", starts))
            self.apply(release.update(one.release("1.2.0", 2, third, old=second), self.node))
            self.await_phase(one.name, "Committed", 2, 60)
            self.assertEqual(one.version(), "1.2.0")
