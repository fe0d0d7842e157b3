# SPDX-License-Identifier: Apache-2.0
"""Attacks through an unsigned SyncPolicy: what a stolen cluster, with the help of a local user, has telemetry read, send and break."""
import http.server
import os
import re
import socket
import stat
import subprocess
import threading
import time
import urllib.request

from lab import free_port, wait
from node import Node
from run import Skip

SECRET = "correct-horse-battery-staple"
APP = 12345  # uid of a local user, who owns the log folder of an application
QUICK = "    buffer: {maxBytes: 64Mi}\n    batch: {timeout: 100ms, compression: none}\n    retry: {base: 50ms}\n"

# The agent gets a /var/log and a /run of its own, so that the attacks leave the machine's alone.
APART = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
         'mount --bind "$0/log" /var/log && mount --bind "$0/run" /run && exec "$@"']


class Receiver(http.server.ThreadingHTTPServer):
    """The attacker's server: a sink that keeps all that it is sent."""
    daemon_threads = True

    def __init__(self, address="127.0.0.1"):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.server.taken.append((self.path, dict(self.headers.items()), body.decode(errors="replace")))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_):
                pass

        super().__init__((address, 0), Handler)
        self.taken = []
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://{address}:{self.server_address[1]}"

    def saw(self, text):
        return any(text in path or text in str(headers) or text in body for path, headers, body in self.taken)


class Site:
    """A node whose agent follows the attacker's policy, and a receiver of the attacker."""

    def __init__(self, home):
        self.node = Node(os.path.join(home, "node"), None)
        self.home = self.node.home
        self.receiver = Receiver()
        self.ingest_port = free_port()
        for folder in ("log/app", "run/holdfast", "private"):
            os.makedirs(self.place(folder), mode=0o755)
        self.secret = self.place("private/key.pem")
        with open(self.secret, "w", encoding="ascii") as file:
            file.write(SECRET + "\n")
        os.chmod(self.secret, 0o600)

    def place(self, path):
        return os.path.join(self.home, path)

    def policy(self, sources="", sink="", more=""):
        text = (f"apiVersion: edge.codcompass.io/v1alpha1\nkind: SyncPolicy\nmetadata: {{name: stolen}}\nspec:\n  nodeSelector: {{}}\n"
                f"  interval: 10s\n  telemetry:\n{QUICK}{more}    sources: {{{sources}}}\n"
                f"    sink: {{url: '{self.receiver.url}/take', format: ndjson{sink}}}\n")
        self.node.apply("stolen", text)

    def start(self, *more, apart=True, **environment):
        if apart and os.geteuid() != 0:
            raise Skip("needs root, for a /var/log of its own and files of several users")
        if apart and subprocess.run([*APART, self.home, "true"], capture_output=True, check=False).returncode != 0:
            raise Skip("needs mount namespaces")
        os.environ.update(EDGE_STORAGE_DIR=self.place("telemetry"), **environment)
        self.node.start_agent("--ingest-port", str(self.ingest_port), *more, wrapper=[*APART, self.home] if apart else [])

    def troubles(self):
        return "\n".join(self.node.status().get("telemetry", {}).get("troubles", []))

    def wait_verdict(self, field, leaked):
        """Until the receiver has the secret, or the status names the refused field, its object and the line that would allow it."""
        def verdict():
            self.node.alive()
            return leaked() or field in self.troubles()
        wait(f"a verdict on {field}", verdict, 60)
        assert not leaked(), f"the attack through {field} worked"
        assert re.search(r"SyncPolicy stolen: spec\.telemetry\." + re.escape(field) + ".* to telemetry\\.\\w+ in ", self.troubles()), self.troubles()

    def post(self, text):
        """One payload by POST /ingest; True if the agent takes it."""
        self.node.alive()
        try:
            request = urllib.request.Request(f"http://127.0.0.1:{self.ingest_port}/ingest", text.encode(), {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status in (200, 202)
        except OSError:
            return False

    def ingest(self, text):
        wait("the agent to take a payload", lambda: self.post(text), 60)

    def wait_control(self):
        """Until lines of an honest file came through twice: what the agent would send of other files is there too."""
        for mark in ("honest-1", "honest-2"):
            with open(self.place("log/honest.log"), "a", encoding="ascii") as file:
                file.write(mark + "\n")
            wait(f"the line {mark}", lambda m=mark: self.node.alive() or self.receiver.saw(m), 60)

    def end(self):
        self.node.end()
        self.receiver.shutdown()


def read_through(home, *paths, prepare=None):
    """Have telemetry read the paths; the secret must not arrive, and an honest file must."""
    site = Site(home)
    try:
        if prepare is not None:
            prepare(site)
        listed = ", ".join(f"{{path: '{path.format(home=site.home)}'}}" for path in ("/var/log/honest.log", *paths))
        site.policy(f"files: [{listed}]")
        site.start()
        site.wait_control()
        assert not site.receiver.saw(SECRET), "the secret arrived at the attacker's sink"
        return site.troubles()
    finally:
        site.end()


def attack_file_of_root(home):
    """Name a 0600 file of root as a log file: the node refuses this entry, names the line of agent.yaml, and follows the others."""
    troubles = read_through(home, "{home}/private/key.pem")
    assert "sources.files[1].path" in troubles and "telemetry.files in " in troubles, troubles


def attack_shadow(home):
    """Name /etc/shadow as a log file: the node refuses it."""
    site = Site(home)
    try:
        site.policy("files: [{path: /etc/shadow}, {path: '/etc/shado?'}, {path: /var/log/honest.log}]")
        site.start()
        site.wait_control()
        assert not site.receiver.saw("file:/etc/shadow"), "/etc/shadow arrived at the attacker's sink"
    finally:
        site.end()


def attack_file_by_dots(home):
    """Leave /var/log with '..' in a file's path: the node refuses the policy."""
    site = Site(home)
    try:
        site.policy(f"files: [{{path: '/var/log/../..{site.secret}'}}]")
        site.start()
        time.sleep(3)
        assert not site.receiver.saw(SECRET)
    finally:
        site.end()


def own_by_user(site, *names):
    for name in ("app", *names):
        os.chown(site.place(f"log/{name}"), APP, APP, follow_symlinks=False)


def attack_file_by_symbolic_link(home):
    """A local user links a file of root into the log folder of an application: the node does not follow the link."""
    def prepare(site):
        os.symlink(site.secret, site.place("log/app/x.log"))
        own_by_user(site, "app/x.log")
    read_through(home, "/var/log/app/*.log", prepare=prepare)


def attack_folder_by_symbolic_link(home):
    """A local user puts a link in place of a folder of logs: the node does not follow the link."""
    def prepare(site):
        os.symlink(site.place("private"), site.place("log/app/sub"))
        own_by_user(site, "app/sub")
    read_through(home, "/var/log/app/sub/*.pem", prepare=prepare)


def attack_file_by_hard_link(home):
    """A local user makes a hard link to a file of root in the log folder of an application: the node does not read it."""
    def prepare(site):
        os.link(site.secret, site.place("log/app/x.log"))
        own_by_user(site)
    read_through(home, "/var/log/app/*.log", prepare=prepare)


def attack_file_by_hard_link_in_shared_folder(home):
    """The same in a world-writable folder of root, after root replaced the file, so that one link is left: not read."""
    def prepare(site):
        os.link(site.secret, site.place("log/app/x.log"))
        os.chmod(site.place("log/app"), 0o1777)
        os.unlink(site.secret)
    read_through(home, "/var/log/app/*.log", prepare=prepare)


def attack_container_log_by_link(home):
    """Put a link to a file of root in place of a container's log: the source `containers` does not follow it out of its folders."""
    site = Site(home)
    try:
        pod = site.place("log/pods/shop_cart_0b5a6f5e-6f2b-4b5c-9d3a-1c9f6e1d7a10/main")
        os.makedirs(pod)
        os.symlink(site.secret, os.path.join(pod, "0.log"))
        os.chown(pod, APP, APP)
        site.policy("containers: {}, files: [{path: /var/log/honest.log}]")
        site.start()
        site.wait_control()
        assert not site.receiver.saw(SECRET), "the secret arrived at the attacker's sink"
    finally:
        site.end()


def attack_key_by_token_file(home):
    """Name a private key as tokenFile of the attacker's sink: the node refuses the sink, and sends nothing of the key."""
    site = Site(home)
    try:
        site.policy("http: true", sink=f", tokenFile: '{site.secret}'")
        site.start(apart=False)
        site.wait_verdict("sink.tokenFile", lambda: site.post('{"sensorData": 1}') and site.receiver.saw(SECRET))
    finally:
        site.end()


class Broker:
    """A listener that keeps the first bytes of each connection, such as MQTT's CONNECT."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.heard = self.listener.getsockname()[1], b""
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
                with connection:
                    connection.settimeout(2)
                    self.heard += connection.recv(4096)
            except OSError:
                if self.listener.fileno() < 0:
                    return


def ask_broker(home, field, reference, **environment):
    site, broker = Site(home), Broker()
    try:
        site.policy(f"mqtt: {{host: 127.0.0.1, port: {broker.port}, topics: [t], {field}: '{reference.format(secret=site.secret)}'}}")
        site.start(apart=False, **environment)
        site.wait_verdict(f"sources.mqtt.{field}", lambda: SECRET.encode() in broker.heard)
    finally:
        site.end()
        broker.listener.close()


def attack_key_by_password_ref(home):
    """Name a private key as passwordRef of the attacker's broker: the node does not connect, and says which line would allow it."""
    ask_broker(home, "passwordRef", "file:{secret}")


def attack_variable_by_username_ref(home):
    """Name a variable of the agent's environment as usernameRef of the attacker's broker: the node does not connect."""
    ask_broker(home, "usernameRef", "env:HF_ATTACK_SECRET", HF_ATTACK_SECRET=SECRET)


def attack_device_key_to_other_format(home):
    """Ask for a sink of format ndjson on a node with a device key: the key goes to sinks of format seed only."""
    site = Site(home)
    try:
        site.policy("http: true")
        site.start("--device-key-ref", "env:HF_ATTACK_SECRET", apart=False, HF_ATTACK_SECRET=SECRET)
        site.ingest('{"id": "a", "sensorData": 1}')
        wait("a batch", lambda: site.node.alive() or site.receiver.taken, 60)
        assert not site.receiver.saw(SECRET) and not site.receiver.saw("X-Device-Key"), site.receiver.taken
    finally:
        site.end()


def attack_redirect_of_sink(home):
    """A sink redirects to another server, to have the credentials sent there: the node follows no redirect."""
    site, elsewhere = Site(home), Receiver("127.0.0.2")

    def redirect(handler):
        handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        handler.server.taken.append((handler.path, {}, ""))
        handler.send_response(307)
        handler.send_header("Location", elsewhere.url + "/take")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    try:
        site.receiver.RequestHandlerClass.do_POST = redirect
        site.policy("http: true")
        site.start(apart=False)
        site.ingest('{"sensorData": 1}')
        wait("two requests", lambda: site.node.alive() or len(site.receiver.taken) > 1 or elsewhere.taken, 60)
        assert not elsewhere.taken, elsewhere.taken
    finally:
        elsewhere.shutdown()
        site.end()


def attack_plain_sink_elsewhere(home):
    """Send telemetry in plain HTTP to an address that is not loopback: the node refuses the policy."""
    site = Site(home)
    address = next((found.split()[3].split("/")[0] for found in
                    subprocess.run(["ip", "-4", "-o", "address"], stdout=subprocess.PIPE, text=True, check=False).stdout.splitlines()
                    if " 127." not in found), None)
    if address is None:
        raise Skip("needs an address beside loopback")
    elsewhere = Receiver(address)
    try:
        site.receiver.url = elsewhere.url
        site.policy("http: true")
        site.start(apart=False)
        time.sleep(2)
        assert not elsewhere.taken
    finally:
        elsewhere.shutdown()
        site.end()


def attack_scrape_elsewhere(home):
    """Scrape addresses that only look like this node ('http://127.0.0.1:80@127.0.0.2:PORT/'): the node sends no request."""
    site, elsewhere = Site(home), Receiver("127.0.0.2")
    port = elsewhere.server_address[1]
    try:
        for url in (f"http://127.0.0.1:80@127.0.0.2:{port}/user", f"http://[::1].example.com:{port}/", f"http://localhost.example.com:{port}/"):
            site.policy(f"http: true, scrape: [{{url: '{url}', period: 1s}}]")
            if site.node.agent is None:
                site.start(apart=False)
            time.sleep(1.5)
        assert not elsewhere.saw("/user"), elsewhere.taken
        text = site.troubles()
        assert "sources.scrape[0].url" in text and "telemetry.scrapes in" in text, text
    finally:
        elsewhere.shutdown()
        site.end()


def inode(path):
    return os.lstat(path).st_ino, stat.S_IMODE(os.lstat(path).st_mode)


def over_live_socket(home, name, apart, told):
    """Name a live 0600 stream socket of another program as socket.path; it must survive the agent's start and stop."""
    site = Site(home)
    path = site.place(name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        try:
            listener.bind(os.path.relpath(path))
            os.chmod(path, 0o600)
            listener.listen(1)
            before = inode(path)
            site.policy(f"http: true, socket: {{path: '{'/' + name if apart else path}'}}")
            site.start(apart=apart)
            site.ingest('{"sensorData": 1}')  # the policy is in effect
            assert inode(path) == before, "the agent replaced another program's socket"
            wait("a trouble", lambda: told in site.troubles(), 30)
            site.node.stop_agent()
            assert inode(path) == before, "the agent removed another program's socket"
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.connect(os.path.relpath(path))
        finally:
            site.end()


def attack_socket_elsewhere(home):
    """Name the live socket of another program as socket.path: outside /run/holdfast the node refuses it and leaves it alone."""
    over_live_socket(home, "private/live.sock", False, "telemetry.sockets in")


def attack_live_socket(home):
    """Name a live socket in /run/holdfast: the node does not touch a socket that somebody is bound to."""
    over_live_socket(home, "run/holdfast/live.sock", True, "another process uses the socket")


def attack_dead_socket(home):
    """Name a socket in /run/holdfast that another program left behind: the node does not remove what it did not make."""
    site = Site(home)
    path = site.place("run/holdfast/dead.sock")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.bind(os.path.relpath(path))
        before = inode(path)
        site.policy("http: true, socket: {path: /run/holdfast/dead.sock}")
        site.start()
        site.ingest('{"sensorData": 1}')
        assert inode(path) == before, "the agent replaced another program's socket"
        site.node.stop_agent()
        assert inode(path) == before, "the agent removed another program's socket"
    finally:
        site.end()


def peak_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1))


def grown_mib(site, act, seconds):
    site.policy("http: true")
    site.start()
    site.ingest('{"sensorData": 1}')
    before = peak_kib(site.node.agent.pid)
    act()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        site.node.alive()
        time.sleep(0.1)
    return (peak_kib(site.node.agent.pid) - before) / 1024


def attack_glob_of_many_stars(home):
    """A multiline.start that is mostly stars, and lines that almost match it: another file's line is not late, and memory stays bounded."""
    site = Site(home)
    try:
        with open(site.place("log/x.log"), "w", encoding="ascii") as file:
            file.writelines("a" * 250 + "\n" for _ in range(2000))
        files = f"[{{path: /var/log/x.log, multiline: {{start: '{'*a' * 127}b'}}}}, {{path: /var/log/honest.log}}]"
        began = time.monotonic()

        def act():
            site.policy(f"http: true, files: {files}")
            site.wait_control()

        grown = grown_mib(site, act, 0)
        took = time.monotonic() - began
        assert grown < 32, f"the agent's memory grew by {grown:.0f} MiB"
        assert took < 20, f"an honest line took {took:.0f} s"
    finally:
        site.end()


def attack_buffer_of_the_whole_disk(home):
    """Ask for a buffer of 1 TiB: the node keeps to its own bound and says so."""
    site = Site(home)
    try:
        site.node.apply("stolen", f"apiVersion: edge.codcompass.io/v1alpha1\nkind: SyncPolicy\nmetadata: {{name: stolen}}\nspec:\n  nodeSelector: {{}}\n"
                                  f"  telemetry: {{buffer: {{maxBytes: 1Ti}}, sources: {{http: true}}, sink: {{url: '{site.receiver.url}'}}}}\n")
        site.start(apart=False)
        wait("a trouble", lambda: site.node.alive() or "telemetry.maxSpool in" in site.troubles(), 30)
    finally:
        site.end()


def attack_id_of_a_line(home):
    """A user who may read a log file works out the id of its next line and posts it first: the ids of lines come from a secret, and the line arrives."""
    site = Site(home)
    try:
        site.policy("http: true, files: [{path: /var/log/honest.log}]")
        site.start()
        site.wait_control()
        ids = re.findall(r'"id":"(f[^"]*)"', "".join(body for _, _, body in site.receiver.taken))
        assert len(ids) == 2, ids
        line, offset = "honest-3", 2 * len("honest-1\n")
        fnv = 2166136261
        for byte in line.encode():
            fnv = (fnv ^ byte) * 16777619 & 0xffffffff
        parts = ids[0].split("-")
        guess = "-".join([*parts[:-2], f"{offset:x}", f"{fnv:08x}"])
        site.ingest(f'{{"id": "{guess}", "sensorData": 0}}')
        with open(site.place("log/honest.log"), "a", encoding="ascii") as file:
            file.write(line + "\n")
        wait("the line", lambda: site.node.alive() or site.receiver.saw(line), 60)
        assert all(re.fullmatch("f[0-9a-f]{32}", one) for one in ids), ids
    finally:
        site.end()
