# SPDX-License-Identifier: Apache-2.0
"""A cluster full of updates that are for other nodes: ours is taken all the same, and what finds no room is said."""

import concurrent.futures
import json
import time

from lib import api, case, release, wait, world

UPDATES = f"{case.GROUP}/edgeupdates"
OTHERS = 1020                                  # more than a node keeps of its own
LARGE, LARGE_BYTES = 4, 1048500                # four fill the 4 MiB that a node keeps
TAKEN_S = 15.0                                 # the release was there first, so it may come with a list


def put(update):
    status, answer = api.call("POST", UPDATES, update)
    if status != 201:
        raise AssertionError(f"{update['metadata']['name']}: {status} {str(answer)[:300]}")


def put_all(updates):
    """Many objects at once: some connections, since the store takes them one by one."""
    with concurrent.futures.ThreadPoolExecutor(3) as threads:
        list(threads.map(put, updates))


def drop_all(label):
    """A busy server may take longer for a thousand objects than a call waits; what it has deleted until then stays deleted."""
    def dropped():
        status, answer = api.call("DELETE", f"{UPDATES}?labelSelector={label}")
        if status not in (0, 200):
            raise AssertionError(f"deleting {label}: {status} {str(answer)[:300]}")
        return status == 200
    wait.until(f"{label} to be deleted", dropped, 120, 1)


def labelled(update, label, **metadata):
    update["metadata"] |= {"labels": {label: "yes"}} | metadata
    return update


class TestScale(case.Case):
    life = "unit"
    alone = True                               # keeps the API server busy

    def memory_kib(self):
        with open(f"/proc/{self.agent.pid()}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    def test_updates_for_other_nodes_use_up_nothing(self):
        service, label = self.service(), "scale-others"
        ours = service.release("1.1.0", 2, release.sample("1.1.0", 2))
        theirs = release.update(service.release("1.0.9", 1, service.first))
        theirs["spec"]["nodeSelector"] = {"matchLabels": {"example.com/role": "another"}}
        before = self.memory_kib()
        begin = time.monotonic()
        self.addCleanup(drop_all, label)
        put_all(labelled(json.loads(json.dumps(theirs)), label, name=f"scale-{n:04d}") for n in range(OTHERS))
        made = time.monotonic() - begin
        begin = time.monotonic()
        self.apply(release.update(ours, self.node, name="zz-" + service.name))
        self.agent.await_phase(service.name, "Committed")
        spent = time.monotonic() - begin
        print(f"        {OTHERS} updates for others were made in {made:.0f} s; ours was committed after {spent:.1f} s;"
              f" memory {before} -> {self.memory_kib()} KiB")
        self.assertLess(spent, TAKEN_S)
        self.await_phase(service.name, "Committed", 2)
        self.assertEqual(service.version(), "1.1.0")
        wait.until("Ready to be True", lambda: self.condition("Ready").get("status") == "True", 25)
        self.assertLess(self.agent.metric("holdfast_objects"), 50)
        # The same from the beginning: everything is listed.
        self.agent.stop()
        world.cluster.run(self.node, "rm", "-r", "/var/lib/holdfast/cache")
        begin = time.monotonic()
        self.agent.start()
        wait.until("everything to be heard", lambda: (self.agent.metric("holdfast_objects") or 0) > 0, 30)
        print(f"        a start without a cache knew what concerns it after {time.monotonic() - begin:.1f} s; memory {self.memory_kib()} KiB")

    def test_what_finds_no_room_is_named_and_taken_when_there_is_some(self):
        service, label = self.service(), "scale-large"
        wanted = service.release("1.0.0", 1, service.first, note="")
        kept = release.update(wanted, self.node, name="scale-large-0")      # what an agent counts: without labels
        kept["metadata"] |= {"uid": "0" * 36, "generation": 1, "resourceVersion": "00000"}
        wanted["note"] = "x" * (LARGE_BYTES - len(json.dumps(kept, separators=(",", ":"))))
        old = labelled(release.update(wanted, self.node), label)
        self.addCleanup(drop_all, label)
        for n in range(LARGE):
            old["metadata"]["name"] = f"scale-large-{n}"
            put(old)
        name = "zz-" + service.name
        self.apply(release.update(service.release("1.1.0", 2, release.sample("1.1.0", 2)), self.node, name=name))
        wait.until("it to be refused by name", lambda: self.condition("Ready").get("reason") == "ObjectRefused", 30)
        said = self.condition("Ready")
        self.assertEqual(said["status"], "False")
        self.assertIn(f"EdgeUpdate '{name}': no room", said["message"])
        self.assertEqual(self.agent.metric("holdfast_objects_no_room"), 1)
        self.assertEqual(service.version(), "1.0.0")
        begin = time.monotonic()
        world.cluster.kubectl("delete", "edgeupdate", "scale-large-1")
        self.agent.await_phase(service.name, "Committed", times=1)
        print(f"        what had no room was committed {time.monotonic() - begin:.1f} s after there was some")
        self.await_phase(service.name, "Committed", 2)
        self.assertEqual(service.version(), "1.1.0")
        self.assertEqual(self.agent.metric("holdfast_objects_no_room"), 0)
        wait.until("Ready to be True", lambda: self.condition("Ready").get("status") == "True", 25)
