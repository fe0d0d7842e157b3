#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for KubeEdge's MetaServer, over real HTTP, and for the cloud behind it.

    tests/support/programs/metaserver-double.py [--port N] [--scale F] [--state FILE] [--refuse SECONDS]

Prints "port N" when it listens. Does every row of what was recorded of a real one (CloudCore and EdgeCore of August 2026):

                    cloud reachable                              cloud away
  LIST              exact, kind as in the CRD                    200 from the store after 10 s (1 ms after a restart away from
                                                                 the cloud), kind misspelt (EdgeupdateList), the highest
                                                                 resourceVersion among the items; never watched: no items
  the store         filled by watches; DELETED takes out         keeps ghosts: deleted while away, for good
  GET               from the cloud, but a ghost is answered 200  200 from the store after 10 s, 404 for unknown
  watch             replays the store as ADDED, ghosts too, in   opens and replays; the same stream goes on by itself after the
                    name order, then live; no BOOKMARK;          reconnect with what was ADDED or MODIFIED; DELETED is never
                    resourceVersion is ignored                   told
  writes            3-6 ms, field manager kept for Apply         500 after 10 s, nothing is queued
  a kind that the   LIST as when away, but at once; a watch      the same
  cloud may not     brings nothing; writes are answered 403; a
  read              SelfSubjectAccessReview says so. A watch of
                    it stops CloudCore until it may: all is as
                    when away

All waiting times are multiplied by --scale. --state keeps the cloud, the store and whether the cloud is reachable across
restarts; --refuse is how long the port stays closed after a start (25-30 s on a real one), also scaled.

Control, for tests (POST unless said otherwise):
  /_control/put        an object (body) into the cloud          /_control/delete?kind=K&name=N   out of the cloud
  /_control/cut        the cloud is away                        /_control/heal?after=SECONDS     connected that much later
  /_control/forbid?kind=K   CloudCore may not read or write K    /_control/allow?kind=K     it may
  GET /_control/state  what there is, and counts of requests
"""
import argparse
import copy
import http.server
import json
import os
import sys
import threading
import time
import urllib.parse

GROUP = "/apis/edge.codcompass.io/v1alpha1/"
KINDS = {GROUP + "edgeupdates": "EdgeUpdate", GROUP + "syncpolicies": "SyncPolicy", GROUP + "edgenodes": "EdgeNode",
         "/api/v1/nodes": "Node"}
GUESSES = {"EdgeUpdate": "EdgeupdateList", "SyncPolicy": "SyncpolicyList", "EdgeNode": "EdgenodeList", "Node": "NodeList"}
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
AWAY_S, NEAR_S = 10.0, 0.004


def version(thing):
    return int(thing.get("metadata", {}).get("resourceVersion") or 0)


class World:
    """The cloud and the node's store. One lock; watches are woken by their queues."""

    def __init__(self, state_file, scale):
        self.lock = threading.Condition()
        self.file, self.scale = state_file, scale
        self.version, self.connected, self.quick = 100, True, False
        self.cloud, self.store, self.owned, self.watched = {}, {}, {}, set()
        self.watches, self.forbidden, self.stuck = [], set(), set()
        self.counts = {"list": 0, "watch": 0, "get": 0, "patch": 0, "review": 0, "waiting": 0, "most_waiting_lists": 0, "waiting_lists": 0}
        if state_file and os.path.exists(state_file):
            with open(state_file, encoding="utf-8") as old:
                kept = json.load(old)
            self.version, self.connected = kept["version"], kept["connected"]
            self.cloud, self.store, self.owned = kept["cloud"], kept["store"], kept["owned"]
            self.quick = not self.connected

    def save(self):
        if not self.file:
            return
        with open(self.file + ".new", "w", encoding="utf-8") as new:
            json.dump({"version": self.version, "connected": self.connected, "cloud": self.cloud, "store": self.store,
                       "owned": self.owned}, new)
        os.replace(self.file + ".new", self.file)

    def tell(self, kind, what, thing):
        for watch in self.watches:
            if watch["kind"] == kind and watch["name"] in ("", thing["metadata"]["name"]):
                watch["queue"].append((what, thing))
        self.lock.notify_all()

    def changed(self, kind, what, thing):
        """Something happened in the cloud: it reaches the node while connected and watched."""
        if self.connected and kind in self.watched and kind not in self.forbidden:
            key = kind + "/" + thing["metadata"]["name"]
            if what == "DELETED":
                self.store.pop(key, None)
            else:
                self.store[key] = thing
            self.tell(kind, what, thing)
        self.save()

    def put(self, thing):
        key = thing["kind"] + "/" + thing["metadata"]["name"]
        self.version += 1
        thing["metadata"]["resourceVersion"] = str(self.version)
        what = "MODIFIED" if key in self.cloud else "ADDED"
        self.cloud[key] = thing
        self.changed(thing["kind"], what, copy.deepcopy(thing))

    def delete(self, kind, name):
        thing = self.cloud.pop(kind + "/" + name, None)
        if thing is None:
            return False
        self.version += 1
        thing["metadata"]["resourceVersion"] = str(self.version)
        self.changed(kind, "DELETED", thing)
        return True

    def catch_up(self):
        """What was added or modified meanwhile comes; what was deleted is never told."""
        for key, thing in sorted(self.cloud.items()):
            kind = key.split("/")[0]
            if kind in self.watched and kind not in self.forbidden and self.store.get(key) != thing:
                what = "MODIFIED" if key in self.store else "ADDED"
                self.store[key] = copy.deepcopy(thing)
                self.tell(kind, what, thing)
        self.save()

    def set_connected(self, connected):
        with self.lock:
            self.connected = connected
            if connected:
                self.quick = False
                self.catch_up()
            self.save()

    def forbid(self, kind, forbidden):
        """Rights are given and taken; CloudCore's informers try again and again."""
        with self.lock:
            (self.forbidden.add if forbidden else self.forbidden.discard)(kind)
            self.stuck &= self.forbidden
            if self.connected:
                self.catch_up()

    def items(self, source, kind, name):
        return [thing for key, thing in sorted(source.items())
                if key.startswith(kind + "/") and name in ("", thing["metadata"]["name"])]

    def apply(self, kind, name, subresource, manager, body):
        key = kind + "/" + name
        old = self.cloud.get(key)
        if subresource and old is None:
            return 404, {"kind": "Status", "message": "not found"}
        new = copy.deepcopy(old if old is not None else body)
        if subresource:
            new[subresource] = body.get(subresource)
        else:
            labels = body["metadata"].get("labels", {})
            target = new["metadata"].setdefault("labels", {})
            owners = self.owned.setdefault(key, {})
            for label in owners.get(manager, {}):
                if label not in labels:
                    target.pop(label, None)
            target.update(labels)
            owners[manager] = labels
            if old is None:
                new.pop("status", None)
        if new != old:
            self.put(new)
        return (200 if old is not None else 201), self.cloud[key]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world = None

    def log_message(self, *_):
        pass

    def answer(self, status, thing):
        body = json.dumps(thing).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def wait(self, what=None):
        """As long as a call takes now; whether the cloud answers it."""
        world = self.world
        with world.lock:
            connected = world.connected and not world.stuck
            wait_s = NEAR_S if connected else 0.001 if world.quick else AWAY_S
            if what == "list":
                world.counts["waiting_lists"] += 1
                world.counts["most_waiting_lists"] = max(world.counts["most_waiting_lists"], world.counts["waiting_lists"])
        time.sleep(wait_s * world.scale)
        with world.lock:
            if what == "list":
                world.counts["waiting_lists"] -= 1
        return connected

    def split(self):
        url = urllib.parse.urlsplit(self.path)
        query = {k: v[-1] for k, v in urllib.parse.parse_qs(url.query).items()}
        for path, kind in KINDS.items():
            if url.path == path or url.path.startswith(path + "/"):
                parts = url.path[len(path):].strip("/").split("/")
                return kind, parts[0], parts[1] if len(parts) > 1 else "", query
        return None, url.path, "", query

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")

    def do_GET(self):
        kind, name, _, query = self.split()
        selector = query.get("fieldSelector", "")
        selected = selector[len("metadata.name="):] if selector.startswith("metadata.name=") else ""
        if kind is None:
            return self.control(name, query)
        if name:
            return self.single(kind, name)
        if query.get("watch") in ("true", "1"):
            return self.watch(kind, selected, float(query.get("timeoutSeconds", 1800)))
        return self.list(kind, selected)

    def single(self, kind, name):
        with self.world.lock:
            self.world.counts["get"] += 1
        connected = self.wait()
        with self.world.lock:
            key = kind + "/" + name
            connected = connected and kind not in self.world.forbidden
            thing = self.world.cloud.get(key) if connected else None
            thing = thing or self.world.store.get(key)
        return self.answer(200 if thing else 404, thing or {"kind": "Status", "message": "not found"})

    def list(self, kind, selected):
        with self.world.lock:
            self.world.counts["list"] += 1
        connected = self.wait("list")
        with self.world.lock:
            connected = connected and kind not in self.world.forbidden
            things = self.world.items(self.world.cloud if connected else self.world.store, kind, selected)
            highest = self.world.version if connected else max([version(t) for t in things], default=0)
            spelling = kind + "List" if connected else GUESSES[kind]
            answer = {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": spelling, "items": copy.deepcopy(things)}
            if connected or things:  # an empty store has no version
                answer["metadata"] = {"resourceVersion": str(highest)}
        return self.answer(200, answer)

    def chunk(self, what, thing):
        line = json.dumps({"type": what, "object": thing}).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.flush()

    def watch(self, kind, selected, timeout_s):
        world, watch = self.world, {"kind": kind, "name": selected, "queue": []}
        end = time.monotonic() + timeout_s
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with world.lock:
            world.counts["watch"] += 1
            world.watched.add(kind)
            if world.connected and kind in world.forbidden:
                world.stuck.add(kind)
            watch["queue"] = [("ADDED", copy.deepcopy(t)) for t in world.items(world.store, kind, selected)]
            world.watches.append(watch)
            if world.connected:
                world.catch_up()
        try:
            while time.monotonic() < end:
                with world.lock:
                    if not watch["queue"]:
                        world.lock.wait(0.2)
                    events, watch["queue"] = watch["queue"], []
                for what, thing in events:
                    self.chunk(what, thing)
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True
        finally:
            with world.lock:
                world.watches.remove(watch)
        return None

    def do_PATCH(self):
        kind, name, subresource, query = self.split()
        body = self.body()
        with self.world.lock:
            self.world.counts["patch"] += 1
        if kind is None or not self.headers.get("Content-Type", "").startswith("application/apply-patch"):
            return self.answer(415, {"kind": "Status", "message": "only server-side apply"})
        if not self.wait():
            return self.answer(500, {"kind": "Status", "code": 500, "message": "failed to access cloud Application center: "
                                     "timeout to get response for message"})
        with self.world.lock:
            if kind in self.world.forbidden:
                return self.answer(403, {"kind": "Status", "code": 403, "message": f'{kind} "{name}" is forbidden: User '
                                         '"system:serviceaccount:kubeedge:cloudcore" cannot patch resource'})
            status, thing = self.world.apply(kind, name, subresource, query.get("fieldManager", ""), body)
            thing = copy.deepcopy(thing)
        return self.answer(status, thing)

    def review(self):
        """A create is never answered from the store: the API server says what CloudCore's account may do."""
        asked = self.body()["spec"]["resourceAttributes"]
        with self.world.lock:
            self.world.counts["review"] += 1
        with self.world.lock:
            connected = self.world.connected and not self.world.stuck
        if not connected:  # at once: nobody asks after a list that took 10 s, but scaled down it looks like one that was quick
            return self.answer(500, {"kind": "Status", "code": 500, "message": "failed to access cloud Application center"})
        with self.world.lock:
            allowed = not any(path.endswith("/" + asked["resource"]) for path, kind in KINDS.items() if kind in self.world.forbidden)
        return self.answer(201, {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {},
                                 "spec": {"resourceAttributes": asked}, "status": {"allowed": allowed}})

    def do_POST(self):
        _, name, _, query = self.split()
        if name == REVIEWS:
            return self.review()
        return self.control(name, query)

    def control(self, path, query):
        world = self.world
        if path == "/_control/put":
            thing = self.body()
            with world.lock:
                world.put(thing)
            return self.answer(200, {})
        if path == "/_control/delete":
            with world.lock:
                found = world.delete(query["kind"], query["name"])
            return self.answer(200 if found else 404, {})
        if path in ("/_control/forbid", "/_control/allow"):
            world.forbid(query["kind"], path == "/_control/forbid")
            return self.answer(200, {})
        if path == "/_control/cut":
            world.set_connected(False)
            return self.answer(200, {})
        if path == "/_control/heal":
            threading.Timer(float(query.get("after", 0)) * world.scale, world.set_connected, [True]).start()
            return self.answer(200, {})
        if path == "/_control/state":
            with world.lock:
                state = {"connected": world.connected, "cloud": sorted(world.cloud), "store": sorted(world.store),
                         "version": world.version, "counts": dict(world.counts)}
            return self.answer(200, state)
        return self.answer(404, {"kind": "Status", "message": "404 page not found"})


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # a client that went away is no news
            super().handle_error(request, client_address)


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--port", type=int, default=0)
    words.add_argument("--scale", type=float, default=1.0)
    words.add_argument("--state")
    words.add_argument("--refuse", type=float, default=0.0)
    given = words.parse_args()
    time.sleep(given.refuse * given.scale)
    Handler.world = World(given.state, given.scale)
    server = Server(("127.0.0.1", given.port), Handler)
    print(f"port {server.server_address[1]}", flush=True)
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
