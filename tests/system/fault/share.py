#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real agents of one site, each in a network namespace of its own, on one bridge behind a narrow uplink: an artifact crosses the uplink
once. With neighbours that lie, a neighbour that dies, agents that are killed, and a certificate of another cluster.

    tests/system/fault/share.py [--bar] [WORD...]

--bar: ten nodes and 256 kbit/s, and prints the figures; else three nodes and a fast uplink. Only the cases whose name has one of the
words. Needs user namespaces or root. Prints "N passed, N failed, N skipped" last."""
import contextlib
import hashlib
import http.server
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from node import ARCH, PROGRAMS, TOP, Node, die_with_parent, say, sha256, wait  # noqa: E402

HOME = os.path.join(TOP, "build", "fault", "share")
BAR = "--bar" in sys.argv
NODES, RATE, SIZE = (10, "256kbit", 1 << 20) if BAR else (3, "20mbit", 1 << 20)
PORT, GROUP, ORIGIN = 9094, "239.255.72.70", "10.78.0.2"
POLICY = """apiVersion: edge.codcompass.io/v1alpha1
kind: SyncPolicy
metadata: {name: site}
spec: {nodeSelector: {}, interval: 10s, retryInterval: 1s, share: {neighbours: %s}}
"""
CONFIG = """apiVersion: edge.codcompass.io/v1alpha1
kind: AgentConfiguration
share: {neighbours: true, caFile: %s.pem, certFile: %s.pem, keyFile: %s.key, bytesPerSecond: 4Mi}
"""


def run(*words, inside=None):
    words = [*(["nsenter", "-t", str(inside), "-n"] if inside else []), *words]
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout


def certificate(path, subject, issuer=None):
    """PATH.pem and PATH.key: an authority, or what the cluster issues to an agent."""
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", subject,
             "-keyout", path + ".key", "-out", path + ".pem"]
    if issuer:
        words += ["-CA", issuer + ".pem", "-CAkey", issuer + ".key", "-addext", "basicConstraints=critical,CA:FALSE", "-addext",
                  "keyUsage=critical,digitalSignature", "-addext", "extendedKeyUsage=clientAuth"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


def agent_certificate(folder, name, issuer):
    return certificate(os.path.join(folder, name), f"/O=holdfast:agents/CN=holdfast:agent:{name}", issuer)


# ---- what runs in another namespace: this script again ------------------------------------------------------------------

def serve_origin(folder):
    """The artifact server beyond the uplink."""
    os.chdir(folder)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            pass  # the cases make clients disconnect
    Server((ORIGIN, 8000), Quiet).serve_forever()


def cluster_of(ca):
    """As share/protocol.h: a part of the hash of the authority's certificate, without blanks."""
    with open(ca + ".pem", encoding="ascii") as file:
        return hashlib.sha256("".join(file.read().split()).encode()).hexdigest()[:16]


def lie(certificate_path, ca, size, address="0.0.0.0"):
    """A stolen node: it has a certificate, says that it has everything, and serves something else. The address: of its interface."""
    class Liar(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = b"have" if "/state/" in self.path else os.urandom(int(size))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            print(self.path.split("/")[2], flush=True)

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        def finish_request(self, request, client_address):
            with contextlib.suppress(OSError):
                wrapped = context.wrap_socket(request, server_side=True)
                super().finish_request(wrapped, client_address)
                wrapped.close()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_path + ".pem", certificate_path + ".key")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ca + ".pem")
    threading.Thread(target=Server(("0.0.0.0", PORT), Liar).serve_forever, daemon=True).start()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    udp.bind(("", PORT))
    udp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + socket.inet_aton(address))
    while True:
        text, sender = udp.recvfrom(256)
        if b" ask " in text:
            udp.sendto(f"holdfast-share 1 here {cluster_of(ca)}\n".encode(), sender)


# ---- the site ----------------------------------------------------------------------------------------------------------

class Site:
    def __init__(self, name, n=NODES, rate=RATE):
        self.home = os.path.join(HOME, name.replace(" ", "-"))
        shutil.rmtree(self.home, ignore_errors=True)
        os.makedirs(os.path.join(self.home, "files"))
        self.children, self.nodes, self.anchors = [], [], []
        self.ca = certificate(os.path.join(self.home, "client-ca"), "/CN=client-ca")
        run("ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        run("ip", "addr", "add", "10.77.0.1/24", "dev", "br0")
        run("ip", "link", "set", "br0", "up")
        self.up = self.anchor()
        run("ip", "link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns", str(self.up))
        run("ip", "addr", "add", "10.78.0.1/30", "dev", "up0")
        run("ip", "link", "set", "up0", "up")
        run("ip", "addr", "add", ORIGIN + "/30", "dev", "eth0", inside=self.up)
        run("ip", "link", "set", "eth0", "up", inside=self.up)
        run("ip", "route", "add", "default", "via", "10.78.0.1", inside=self.up)
        for where in ((), (self.up,)):
            run("tc", "qdisc", "add", "dev", "eth0" if where else "up0", "root", "tbf", "rate", rate, "burst", "16kb", "latency", "2s",
                inside=where[0] if where else None)
        self.again(self.up, "--serve", os.path.join(self.home, "files"))
        for i in range(n):
            self.add(i)
        self.key_node = self.nodes[0]
        for node in self.nodes[1:]:
            shutil.copy(self.key_node.place("trust.d", "k1.pem"), node.place("trust.d", "k1.pem"))

    def anchor(self):
        """A process with a network namespace of its own."""
        child = subprocess.Popen(["unshare", "-n", "sleep", "infinity"], preexec_fn=die_with_parent)
        self.anchors.append(child)
        wait("a namespace", lambda: os.readlink(f"/proc/{child.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
        run("ip", "link", "set", "lo", "up", inside=child.pid)
        return child.pid

    def again(self, inside, *words, out=subprocess.DEVNULL):
        """This script, in a namespace."""
        child = subprocess.Popen(["nsenter", "-t", str(inside), "-n", sys.executable, os.path.abspath(__file__), *words], stdout=out,
                                 preexec_fn=die_with_parent)
        self.children.append(child)
        return child

    def add(self, i):
        node = Node(os.path.join(self.home, f"node-{i}"), None)
        node.name, node.netns, node.link, node.address = f"node-{i}", self.anchor(), f"n{i}", f"10.77.0.{10 + i}"
        node.certificate = agent_certificate(node.home, node.name, self.ca)
        run("ip", "link", "add", node.link, "type", "veth", "peer", "name", "eth0", "netns", str(node.netns))
        run("ip", "link", "set", node.link, "master", "br0", "up")
        run("ip", "addr", "add", node.address + "/24", "dev", "eth0", inside=node.netns)
        run("ip", "link", "set", "eth0", "up", inside=node.netns)
        run("ip", "route", "add", "default", "via", "10.77.0.1", inside=node.netns)
        self.configure(node)
        node.apply("policy", POLICY % "true")
        self.nodes.append(node)
        return node

    def configure(self, node, ca=None):
        with open(node.place("agent.yaml"), "w", encoding="utf-8") as file:
            file.write(CONFIG % (ca or self.ca, node.certificate, node.certificate))

    def start(self, *nodes):
        for node in nodes or self.nodes:
            mount = f"mount --bind {node.place('root')} /mnt && exec \"$@\""
            node.start_agent("--config", node.place("agent.yaml"), "--run-dir", node.place("run"), "--update-root", "/mnt",
                             wrapper=("nsenter", "-t", str(node.netns), "-n", "unshare", "-m", "sh", "-c", mount, "sh"))

    def listening(self, *nodes):
        for node in nodes or self.nodes:
            wait(f"{node.name} to share", lambda node=node: '"share.on"' in self.log(node))

    def log(self, node):
        with open(node.place("agent.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def release(self, sequence, size=SIZE, old=None, path="/mnt/bin/app"):
        """Makes a release of random content, of a folder for another path; returns its object and the content's file."""
        content = os.path.join(self.home, f"v{sequence}")
        whole, tree = content, path != "/mnt/bin/app"
        if tree:
            os.makedirs(os.path.join(content, "lib"))
            content = os.path.join(content, "lib", "data")
        with open(content, "wb") as file:
            file.write(os.urandom(size))
        out = os.path.join(self.home, f"release-{sequence}")
        self.key_node.holdfast("release", "create", "--name", "app", "--version", f"1.{sequence}.0", "--sequence", str(sequence), "--path",
                               path, "--update-root", "/mnt", "--everywhere", "--artifact", f"{ARCH}={whole}" +
                               (f",old={old}" if old else ""), "--url-base", f"http://{ORIGIN}:8000", "--key", self.key_node.key,
                               "--key-id", "k1", "--fast", "-j", "1", "--expires", "1d", "--out", out)
        text = ""
        for found in os.listdir(out):
            if found.endswith(".yaml"):
                with open(os.path.join(out, found), encoding="utf-8") as file:
                    text = file.read()
            else:
                shutil.move(os.path.join(out, found), os.path.join(self.home, "files", found))
        return text, content

    def apply(self, text, *nodes):
        for node in nodes or self.nodes:
            node.apply("update", text)

    def crossed(self):
        """Bytes that came over the uplink, with all their headers."""
        return json.loads(run("ip", "-j", "-s", "link", "show", "up0"))[0]["stats64"]["rx"]["bytes"]

    def row(self, node):
        node.alive()
        try:
            with open(node.place("run", "status.json"), encoding="utf-8") as file:
                return (json.load(file)["status"].get("updates") or [{}])[0]
        except (OSError, ValueError):
            return {}

    def committed(self, sequence, content, nodes=None, patience=240, installed="bin/app"):
        for node in nodes or self.nodes:
            wait(f"{node.name} to commit {sequence} ({self.row(node)})", lambda node=node: self.row(node).get("phase") == "Committed"
                 and self.row(node).get("sequence") == sequence, patience)
            assert sha256(node.place("root", installed)) == sha256(content), f"{node.name} has another file"

    def decided(self, node, *words):
        """Lines of the node's log with all the words."""
        return [line for line in self.log(node).splitlines() if all(word in line for word in words)]

    def origin_downloads(self, nodes=None):
        return sum(len(self.decided(node, '"share.decided"', '"from":"origin"')) for node in nodes or self.nodes)

    def liar(self, node):
        node.liar = self.again(node.netns, "--lie", node.certificate, self.ca, str(SIZE), out=open(node.place("liar.log"), "wb"))

    def end(self):
        for node in self.nodes:
            with contextlib.suppress(Exception):
                node.end()
        for child in self.children + self.anchors:
            child.kill()
            child.wait()
        for link in ("up0", "br0", *(node.link for node in self.nodes)):
            subprocess.run(["ip", "link", "del", link], check=False, stderr=subprocess.DEVNULL)


def measure(site, what, sequence, content, nodes=None):
    """Waits for all nodes; the artifact has crossed the uplink 1.0 to 1.1 times."""
    before, began = site.before, time.monotonic()
    site.committed(sequence, content, nodes)
    times = (site.crossed() - before) / os.path.getsize(content)
    say(f"        {what}: {len(nodes or site.nodes)} nodes, {times:.3f} times over the uplink of {RATE}, "
        f"{time.monotonic() - began:.1f} s")
    assert 0.99 <= times <= (1.1 if BAR else 1.15), f"the artifact crossed the uplink {times:.3f} times"


# ---- cases -------------------------------------------------------------------------------------------------------------

def herd(site):
    """All nodes get the release in the same second; one of them fetches it."""
    site.start()
    site.listening()
    text, content = site.release(1)
    site.before = site.crossed()
    site.apply(text)
    measure(site, "all at once", 1, content)
    assert site.origin_downloads() == 1, f"{site.origin_downloads()} nodes went to the origin"
    taken = [site.row(node).get("method") for node in site.nodes]
    assert sorted(taken) == ["Full"] + ["Neighbour"] * (len(taken) - 1), taken
    assert sum(site.row(node).get("bytesFetched", 0) for node in site.nodes) == SIZE


def delta(site):
    """One node fetches a delta; the others get the file that it makes of it."""
    site.start()
    site.listening()
    text, content = site.release(1)
    site.apply(text)
    site.committed(1, content)
    with open(content, "rb") as file:
        old = file.read()
    text, changed = site.release(2, old=content)
    del changed, old
    site.before = site.crossed()
    site.apply(text)
    site.committed(2, os.path.join(site.home, "v2"))
    assert site.origin_downloads() == 2, site.origin_downloads()


def latecomer(site):
    """A node that starts when the others have it, and one whose policy or owner says no."""
    *early, late, apart = site.nodes
    apart.apply("policy", POLICY % "false")
    site.start(*early, apart)
    site.listening(*early)
    text, content = site.release(1)
    site.apply(text)
    site.committed(1, content, early)
    site.before = site.crossed()
    site.start(late)
    site.committed(1, content, [late])
    assert site.crossed() - site.before < SIZE / 4, "the late node went to the origin"
    site.committed(1, content, [apart])
    assert '"share.on"' not in site.log(apart), "a node shares against its policy"
    closed = subprocess.run(["nsenter", "-t", str(late.netns), "-n", "bash", "-c", f"exec 3<>/dev/tcp/{apart.address}/{PORT}"], check=False,
                            stderr=subprocess.DEVNULL).returncode
    assert closed != 0, "a node that does not share has the port open"


def tree(site):
    """A folder: at once, and for a node that comes when only the installed folder is left of it."""
    *early, late = site.nodes
    site.start(*early)
    site.listening(*early)
    text, content = site.release(1, path="/mnt/app/current")
    site.before = site.crossed()
    site.apply(text)
    site.committed(1, content, early, installed="app/current/lib/data")
    assert site.origin_downloads(early) == 1, f"{site.origin_downloads(early)} nodes went to the origin"
    before = site.crossed()
    site.start(late)
    site.committed(1, content, [late], installed="app/current/lib/data")
    assert site.crossed() - before < SIZE / 4 and site.row(late).get("method") == "Neighbour", f"from the origin: {site.row(late)}"


def lies(node):
    """How often somebody took content from this liar."""
    with open(node.place("liar.log"), encoding="ascii") as file:
        return file.read().count("content")


def liars(site):
    """Neighbours with valid certificates that serve other content."""
    bad = site.nodes[-2 if BAR else -1:]
    good = [node for node in site.nodes if node not in bad]
    for node in bad:
        site.liar(node)
    site.start(*good)
    site.listening(*good)
    sequence = 0
    while not any(lies(node) for node in bad):             # whom a node asks is drawn
        sequence += 1
        assert sequence <= 8, "nobody took content from a liar"
        text, content = site.release(sequence)
        site.before = site.crossed()
        site.apply(text, *good)
        measure(site, f"{len(bad)} of {len(site.nodes)} lie", sequence, content, good)
    for node in bad:
        for other in good:
            named = site.decided(other, '"share.left"', f'"node":"{node.name}"', "other content")
            assert len(named) <= 1, f"{other.name} took content from {node.name} again"
    assert any(site.decided(node, '"share.left"', "other content") for node in good), "nobody is named"
    taken = [lies(node) for node in bad]
    text, content = site.release(sequence + 1)
    site.before = site.crossed()
    site.apply(text, *good)
    measure(site, "the next release", sequence + 1, content, good)
    for node, before in zip(bad, taken):
        new = lies(node) - before
        assert new <= len(good) - before, f"{node.name} was asked for content {new} more times, after {before}"


def killed(site):
    """The node that fetches is killed in the middle, and comes back; then it stays away."""
    site.start()
    site.listening()
    text, content = site.release(1, SIZE if BAR else 8 * SIZE)
    site.apply(text)
    wait("a node that fetches", lambda: site.origin_downloads() == 1)
    first = next(node for node in site.nodes if site.origin_downloads([node]))
    wait("bytes", lambda: site.row(first).get("bytesFetched", 0) > SIZE / 8)
    first.kill_agent()
    site.start(first)
    site.committed(1, content)
    text, content = site.release(2, SIZE if BAR else 8 * SIZE)
    site.apply(text)
    wait("a node that fetches", lambda: any(site.decided(node, '"update.phase"', "Fetching", "1.2.0") for node in site.nodes))
    gone = None

    def fetches():
        nonlocal gone
        gone = next((node for node in site.nodes if len(site.decided(node, '"share.decided"', '"from":"origin"', sha256(content)))), None)
        return gone
    wait("the one", fetches)
    gone.kill_agent()
    site.committed(2, content, [node for node in site.nodes if node is not gone])


def foreign(site):
    """A node with a certificate of another cluster neither gets nor gives."""
    other = certificate(os.path.join(site.home, "other-ca"), "/CN=client-ca")
    stranger = site.nodes[-1]
    stranger.certificate = agent_certificate(stranger.home, "stranger", other)
    site.configure(stranger, other)
    site.start()
    site.listening()
    text, content = site.release(1)
    site.apply(text, *site.nodes[:-1])
    site.committed(1, content, site.nodes[:-1])
    site.before = site.crossed()
    site.apply(text, stranger)
    site.committed(1, content, [stranger])
    assert site.crossed() - site.before > SIZE * 0.9, "the stranger got it from the site"
    owner, url = site.nodes[0], f"https://{site.nodes[0].address}:{PORT}/v1/content/{sha256(content)}"

    def curl(*words):
        return subprocess.run(["nsenter", "-t", str(stranger.netns), "-n", "curl", "-sk", "-m", "10", "-o", "/dev/null", "-w", "%{http_code}",
                               *words, url], check=False, stdout=subprocess.PIPE, text=True).stdout
    assert curl() == "000", "served without a certificate"
    assert curl("--cert", stranger.certificate + ".pem", "--key", stranger.certificate + ".key") == "000", "served to another cluster"
    assert curl("--cert", owner.certificate + ".pem", "--key", owner.certificate + ".key") in ("200", "404")
    metrics = run("curl", "-s", f"http://127.0.0.1:{owner.metrics_port}/metrics", inside=owner.netns)
    assert 'holdfast_share_refused_total{reason="certificate"} 0' not in metrics and "refused_total{reason=\"certificate\"}" in metrics, "not counted"


def owner_alone(site):
    """The owner allows it and the policy does not: the agent looks for no certificate, and so does not wake for one each minute."""
    node = site.nodes[0]
    os.unlink(node.certificate + ".key")
    node.apply("policy", POLICY % "false")
    site.start(node)
    wait("the agent to report", lambda: os.path.exists(node.place("run", "status.json")))
    assert not site.decided(node, '"share.'), site.decided(node, '"share.')
    node.apply("policy", POLICY % "true")
    wait("the agent to look for its certificate", lambda: site.decided(node, '"share.unready"'))


CASES = [herd, delta, latecomer, tree, liars, killed, foreign, owner_alone]


def main():
    if "--serve" in sys.argv:
        return serve_origin(sys.argv[-1])
    if "--lie" in sys.argv:
        return lie(*sys.argv[2:])
    words = [word for word in sys.argv[1:] if word != "--bar"]
    wanted = [case for case in CASES if not words or any(word in case.__name__ for word in words)]
    failed = 0
    run("ip", "link", "set", "lo", "up")
    with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as file:
        file.write("1")
    for case in wanted:
        site = None
        try:
            site = Site(case.__name__)
            case(site)
            say(f"  ok    {case.__name__}")
        except Exception as failure:  # each case reports its own
            failed += 1
            say(f"  FAIL  {case.__name__}: {type(failure).__name__}: {failure}")
        finally:
            if site is not None:
                site.end()
    say(f"{len(wanted) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    if not any(word in sys.argv for word in ("--serve", "--lie", "--inside")):
        probe = ["unshare", "-rnm", "sh", "-c", "ip link add probe type bridge"]
        if subprocess.run(probe, check=False, capture_output=True).returncode != 0:
            say("SKIP: no network namespaces with bridges\n0 passed, 0 failed, 1 skipped")
            sys.exit(0)
        os.environ["PATH"] += ":/usr/sbin:/sbin"
        os.execvp("unshare", ["unshare", "-rnm", sys.executable, os.path.abspath(__file__), "--inside", *sys.argv[1:]])
    sys.argv = [word for word in sys.argv if word != "--inside"]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
