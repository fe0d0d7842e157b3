#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real agent on networks that fail in different ways: which reason it reports for lost contact.

    tests/system/fault/network.py [WORD...]      only the cases whose name contains one of the words

Runs in a network and a mount namespace of its own. Prints "N passed, N failed, N skipped" last."""
import functools
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(1, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "support"))
import suite  # noqa: E402
from apiserver import ApiServer  # noqa: E402
from node import PROGRAMS, TOP, Artifacts, Node, die_with_parent, free_port, wait  # noqa: E402

HOME = os.path.join(TOP, "build", "fault", "network")
INSIDE = "HF_NETWORK_INSIDE"
LINKS = f"ip link set lo up && mount --bind '{HOME}/resolv.conf' /etc/resolv.conf"
SECRET = "proxy-password"
FULL = []
SIZE = 8 << 20


def answering(status, headers=(), body=b""):
    """A server that gives the same answer to each request; returns its port and the list of requests."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            seen.append((self.command, self.path, dict(self.headers)))
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_CONNECT = answer

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1], seen


def breaking():
    """A server that closes each connection after the request; returns its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            peer, _ = listener.accept()
            peer.recv(65536)
            peer.close()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def silent():
    """A listener whose queue is full, so that the kernel answers no further connection; returns its port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    FULL.append(listener)
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
        FULL.append(client)
    return listener.getsockname()[1]


def silent_resolver():
    """DNS servers that never answer."""
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.bind(("127.0.0.1", 53))
    FULL.append(line)
    with open("/etc/resolv.conf", "w", encoding="ascii") as file:
        file.write("nameserver 127.0.0.1\nnameserver 127.0.0.1\n")
    return "https://api.invalid:6443", {}


class Machine:
    def __init__(self, home, server, environment):
        shutil.rmtree(home, ignore_errors=True)
        for folder in ("state", "run", "trust.d", "root"):
            os.makedirs(os.path.join(home, folder))
        self.run = os.path.join(home, "run", "status.json")
        self.log = os.path.join(home, "agent.log")
        config = os.path.join(home, "kubeconfig")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"apiVersion": "v1", "kind": "Config", "current-context": "a", "clusters": [{"name": "a", "cluster": {"server": server}}],
                       "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}], "users": [{"name": "a", "user": {}}]}, file)
        clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        with open(self.log, "wb") as log:
            self.agent = subprocess.Popen(
                [os.path.join(PROGRAMS, "holdfast-agent"), "--kubeconfig", config, "--node-name", "node-1", "--state-dir",
                 os.path.join(home, "state"), "--run-dir", os.path.join(home, "run"), "--trust-dir", os.path.join(home, "trust.d"),
                 "--update-root", os.path.join(home, "root"), "--metrics-port", "off", "--ingest-port", "off", "--health-port", "off",
                 "--retry-base-ms", "50"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**clean, **environment},
                preexec_fn=die_with_parent)

    def reason(self):
        try:
            with open(self.run, encoding="utf-8") as file:
                return json.load(file)["status"]["contact"].get("reason")
        except (OSError, ValueError, KeyError):
            return None

    def condition(self):
        with open(self.run, encoding="utf-8") as file:
            return next((c for c in json.load(file)["status"]["conditions"] if c["type"] == "SourceReadable"), {})

    def end(self):
        self.agent.terminate()
        try:
            self.agent.wait(20)
        except subprocess.TimeoutExpired:
            self.agent.kill()
            self.agent.wait()


def proxy(port):
    return {"HTTPS_PROXY": f"http://user:{SECRET}@127.0.0.1:{port}", "http_proxy": f"http://user:{SECRET}@127.0.0.1:{port}"}


class Silence:
    """Packets of this kind vanish on this machine, without an answer to their sender."""

    def __init__(self, *rules):
        self.rules = rules

    def __enter__(self):
        for rule in self.rules:
            subprocess.run(["iptables", "-w", "-I", "INPUT", "-p", "tcp", *rule, "-j", "DROP"], check=True)

    def __exit__(self, *_):
        for rule in self.rules:
            subprocess.run(["iptables", "-w", "-D", "INPUT", "-p", "tcp", *rule, "-j", "DROP"], check=True)


def half_open(name, rules):
    """An established watch whose connection goes silent: noticed within a minute, with the reason, and over as soon as packets pass."""
    server = ApiServer()
    port = str(server.server_address[1])
    machine = Machine(os.path.join(HOME, name.replace(" ", "-")), server.url, {})
    try:
        wait("all watches", lambda: len([path for path in server.seen if "watch=" in path]) >= 4, 60, 0.1)
        wait("a status at the server", lambda: server.status("node-1").get("contact", {}).get("state") == "Fresh", 60, 0.1)
        round_trip = wait("a round trip", lambda: server.status("node-1").get("network", {}).get("apiRoundTripMilliseconds"), 60, 0.1)
        assert round_trip < 500, f"{round_trip} ms on loopback"
        assert machine.reason() is None
        time.sleep(3)
        with Silence(*[[option, port] for option in rules]):
            began = time.monotonic()
            wait("Timeout or ConnectionBroken", lambda: machine.reason() in ("Timeout", "ConnectionBroken"), 75, 0.1)
            noticed, why = time.monotonic() - began, machine.reason()
            assert noticed <= 60, f"noticed after {noticed:.0f} s"
        began = time.monotonic()
        wait("contact again", lambda: machine.reason() is None, 90, 0.1)
        back = time.monotonic() - began
    finally:
        machine.end()
        server.end()
    return f"{why} after {noticed:.0f} s, back after {back:.1f} s; round trip {round_trip} ms"


SILENCES = {"half-open, no packet passes": ["--sport", "--dport"], "half-open, no packet of the server passes": ["--sport"]}


# name: (reason, function that returns the URL of the server and the environment)
CASES = {
    "DNS failure": ("DnsFailed", lambda: ("https://api.invalid:6443", {})),
    "connection refused": ("ConnectionRefused", lambda: (f"http://127.0.0.1:{free_port()}", {})),
    "no route": ("NoRoute", lambda: ("https://198.51.100.7:6443", {})),
    "blackhole": ("Timeout", lambda: (f"http://127.0.0.1:{silent()}", {})),
    "broken connections": ("ConnectionBroken", lambda: (f"http://127.0.0.1:{breaking()}", {})),
    "login page by redirect": ("CaptivePortal", lambda: (
        f"http://127.0.0.1:{answering(302, [('Location', 'http://portal.example/login')])[0]}", {})),
    "login page in place of the list": ("CaptivePortal", lambda: (
        f"http://127.0.0.1:{answering(200, [('Content-Type', 'text/html')], b'<html>log in</html>')[0]}", {})),
    "login page with 511": ("CaptivePortal", lambda: (f"http://127.0.0.1:{answering(511)[0]}", {})),
    "401": ("Unauthorized", lambda: (f"http://127.0.0.1:{answering(401)[0]}", {})),
    "403": ("Forbidden", lambda: (f"http://127.0.0.1:{answering(403)[0]}", {})),
    "500": ("ServerError", lambda: (f"http://127.0.0.1:{answering(500)[0]}", {})),
    "proxy wants a password, CONNECT": ("ProxyRefused", lambda: ("https://api.invalid:6443", proxy(answering(407)[0]))),
    "proxy wants a password, plain": ("ProxyRefused", lambda: ("http://api.invalid:8080", proxy(answering(407)[0]))),
    "HTTP_PROXY in upper case": ("ProxyRefused", lambda: ("http://api.invalid:8080", {
        "HTTP_PROXY": f"http://user:{SECRET}@127.0.0.1:{answering(407)[0]}"})),
    "proxy is down": ("ConnectionRefused", lambda: ("https://api.invalid:6443", proxy(free_port()))),
    "NO_PROXY by suffix": ("DnsFailed", lambda: ("https://api.site.invalid:6443", {**proxy(free_port()), "NO_PROXY": ".site.invalid"})),
    "NO_PROXY by CIDR": ("NoRoute", lambda: ("https://198.51.100.7:6443", {**proxy(free_port()), "NO_PROXY": "198.51.100.0/24"})),
    "DNS servers are silent": ("DnsFailed", silent_resolver),
}
LAST = "DNS servers are silent"  # it changes resolv.conf for all
BESIDE = 4  # cases at a time: they mostly wait for the end of a time limit


def run(name, want, make):
    server, environment = make()
    machine = Machine(os.path.join(HOME, "".join(c if c.isalnum() else "-" for c in name)), server, environment)
    try:
        got = wait("a reason", machine.reason, 90, 0.1)
        assert got == want, f"{got} instead of {want}"
        condition = machine.condition()
        assert condition.get("status") == "False" and condition.get("reason"), f"SourceReadable: {condition}"
        with open(machine.log, encoding="utf-8") as file:
            log = file.read()
        assert SECRET not in log and SECRET not in json.dumps(condition), "the password of the proxy is in the log or the status"
    finally:
        machine.end()
    return want


def policy(node, connectivity):
    node.apply("policy", json.dumps({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "site"},
                                     "spec": {"interval": "10s", "connectivity": connectivity}}))


def shown(node):
    """The status of the one release and of the network; ({}, {}) before the first one."""
    try:
        with open(node.place("run", "status.json"), encoding="utf-8") as file:
            status = json.load(file)["status"]
    except (OSError, ValueError):
        return {}, {}
    return (status.get("updates") or [{}])[0], status.get("network", {})


def gate(name, limit, reason):
    """A download of 8 MiB at 1 MiB a second runs into the gate, stops, keeps what it has, and resumes."""
    server = Artifacts()
    server.rate = 1 << 20
    node = Node(os.path.join(HOME, name.replace(" ", "-")), server)
    try:
        artifact = node.place("versions", "v1")
        with open(artifact, "wb") as file:
            file.write(os.urandom(SIZE))
        policy(node, limit(False))
        node.apply("update", node.create("app", "1.0.0", 1, artifact, service=False))
        node.start_agent("--run-dir", node.place("run"))
        if "windows" in limit(True):
            wait("a beginning", lambda: shown(node)[0].get("phase") == "Fetching", 30)
            time.sleep(1)
        policy(node, limit(True))
        wait(reason, lambda: shown(node)[0].get("reason") == reason, 60)
        time.sleep(3)
        stopped = shown(node)[1].get("bytesToday", 0)
        assert 0 < stopped <= SIZE * 3 // 4, f"{stopped} bytes came"
        policy(node, {})
        wait("a commit", lambda: shown(node)[0].get("phase") == "Committed", 60)
        total = wait("the count", lambda: max(shown(node)[1].get("bytesToday", 0) - SIZE + 1, 0), 30) + SIZE - 1
        assert total < SIZE * 9 // 8, f"{total} bytes for {SIZE}: the download began anew"
    except AssertionError as problem:
        raise AssertionError(f"{problem}; {shown(node)}") from None
    finally:
        node.end()
    return f"{reason} after {stopped} bytes, {total} bytes in all"


def closed():
    """A window that is closed now: it opens in 12 hours."""
    hour = (time.gmtime().tm_hour + 12) % 24
    return {"windows": [{"start": f"{hour:02d}:00", "duration": "1h"}]}


GATES = {
    "quota in the middle of a download": (lambda shut: {"maxBytesPerDay": "1Mi"}, "LinkQuotaUsed"),
    "window closes in the middle of a download": (lambda shut: closed() if shut else {}, "LinkWindowClosed"),
}


def main():
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        os.makedirs(HOME, exist_ok=True)
        with open(os.path.join(HOME, "resolv.conf"), "w", encoding="ascii") as file:
            file.write("nameserver 198.51.100.53\n")  # no route leads there
        os.execvp("unshare", ["unshare", "-rnm", "sh", "-c", LINKS + ' && exec "$@"', "sh", sys.executable, *sys.argv])
    tests = [(name, functools.partial(half_open, name, rules)) for name, rules in SILENCES.items()]
    tests += [(name, functools.partial(gate, name, *case)) for name, case in GATES.items()]
    tests += [(name, functools.partial(run, name, *case)) for name, case in CASES.items()]
    tests = [test for test in tests if not sys.argv[1:] or any(word in test[0] for word in sys.argv[1:])]
    return suite.run([test for test in tests if test[0] != LAST], BESIDE, [test for test in tests if test[0] == LAST])


if __name__ == "__main__":
    sys.exit(main())
