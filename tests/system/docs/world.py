# SPDX-License-Identifier: Apache-2.0
"""What a page finds in its scratch root: the installed programs, the files its examples name, a service that runs, a site that
serves releases and takes telemetry, an agent. Runs inside tests/system/docs/scratch-root, so every path and port is the page's own."""
import fcntl
import glob
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
SAMPLES = os.path.join(TOP, "build", "docs", "samples")
INSTALLED = os.path.join(TOP, "build", "docs", "installed")   # what `make install` puts on a node; run.py makes it
NODE = "edge-7"                                 # as the pages call it
SERVICE = "/opt/edge-inference/bin/current"
OBJECTS = "/run/cluster"                        # what the stand-in for kubectl applies; the agent reads it with --source
STATUS = f"/var/lib/holdfast/status/EdgeNode-{NODE}.json"
PATIENCE_S = float(os.environ.get("HF_PATIENCE_S", "90"))
BUS = ('<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>'
       '<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>'
       '<allow user="*"/></policy></busconfig>')


def wait(what, condition, patience=PATIENCE_S):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {patience:.0f} s")


def ask(port, path):
    """What a server of this root answers; "" while none does, or with an error."""
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as line:   # http.client would be half of what a stand-in costs
            line.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            head, _, body = b"".join(iter(lambda: line.recv(1 << 16), b"")).partition(b"\r\n\r\n")
    except OSError:
        return ""
    return body.decode(errors="replace") if re.match(rb"HTTP/1\.[01] [23]", head) else ""


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def loopback_up():
    """The new network's only device."""
    with socket.socket() as any_socket:
        flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, 0x8913, struct.pack("16sH14x", b"lo", 0)))[1]   # SIOCGIFFLAGS
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", flags | 1))                                # SIOCSIFFLAGS, IFF_UP


class World:
    """Everything of it is made when it is first needed, and ends with the scratch root."""

    def __init__(self, text):
        self.log = open("/tmp/world.log", "ab")
        self.env = dict(os.environ, HOME="/home/you", PATH="/tmp/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                        LC_ALL="C.UTF-8")
        loopback_up()
        # The page is root in its scratch root already. A stand-in in Python would cost eighty times as much.
        write("/tmp/bin/sudo", '#!/bin/sh\nexec "$@"\n', 0o755)
        for name in ("kubectl", "systemctl", "ssh", "scp", "journalctl"):
            os.symlink(os.path.join(TOP, "tests", "system", "docs", "standin.py"), f"/tmp/bin/{name}")
        self.call(["cp", "-dR", f"{INSTALLED}/.", "/"])   # keeps the modes of what is new, and those of the folders that are here
        self.files()
        self.sites(text)

    def call(self, argv, **more):
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.env,
                              check=False, **more)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(argv)}: exit code {done.returncode}: {done.stdout.strip()[-500:]}")
        return done.stdout

    def child(self, argv, **more):
        return subprocess.Popen(argv, stdout=self.log, stderr=self.log, start_new_session=True, env={**self.env, **more.pop("env", {})}, **more)

    # ---- files --------------------------------------------------------------------------------------------------------

    def files(self):
        """Builds of a program, as the pages name them, in both architectures; whatever else lies there is out of the way."""
        for name in ("out*", "new", "1.4.*", "broken", "stage", "pairs", "trust.d", "*.delta", "*.key", "*.pem", "app.new"):
            for path in glob.glob(os.path.join(TOP, name)):
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        for folder, sample in (("1.4.0", "1.4.0"), ("1.4.1", "1.4.1"), ("new", "1.4.2"), ("broken", "1.5.0")):
            for arch in ("amd64", "arm64"):
                os.makedirs(os.path.join(TOP, folder), exist_ok=True)
                shutil.copy(os.path.join(SAMPLES, f"{sample}-{arch}"), os.path.join(TOP, folder, arch))

    def sites(self, text):
        """Every host that the page names, by name, on its port, with a certificate that this root trusts."""
        wanted = {(host, int(port or (443 if kind == "https" else 80)), kind == "https")
                  for kind, host, port in re.findall(r"\b(https?)://([a-z0-9.-]+\.example(?:\.[a-z]+)?)(?::(\d+))?", text)}
        if re.search(r"//(localhost|127\.0\.0\.1):4318\b", text):
            wanted.add(("localhost", 4318, False))
        if not wanted:
            return
        import sites   # pylint: disable=import-outside-toplevel  # a web server, which stand-ins and half of the pages do without
        with open("/etc/hosts", "a", encoding="utf-8") as hosts:
            hosts.writelines(f"127.0.0.1 {host}\n" for host in sorted({host for host, _, _ in wanted}))
        self.certificate(sorted({host for host, _, tls in wanted if tls}))
        for port, tls in sorted({(port, tls) for _, port, tls in wanted}):
            server = sites.Server(port, ("/tmp/tls/crt", "/tmp/tls/key") if tls else None)
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def certificate(self, hosts):
        if not hosts:
            return
        os.makedirs("/tmp/tls")
        names = ",".join("DNS:" + host for host in hosts)
        self.call(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/tmp/tls/key",
                   "-out", "/tmp/tls/crt", "-subj", "/CN=the pages' site", "-days", "2", "-addext", f"subjectAltName={names}"])
        with open("/tmp/tls/crt", encoding="ascii") as mine, open("/etc/ssl/certs/ca-certificates.crt", "a", encoding="ascii") as trusted:
            trusted.write(mine.read())
        if glob.glob("/etc/ssl/certs/*.0"):            # programs look here first, by the hash of the subject
            digest = self.call(["openssl", "x509", "-in", "/tmp/tls/crt", "-noout", "-subject_hash"]).strip()
            shutil.copy("/tmp/tls/crt", f"/etc/ssl/certs/{digest}.0")

    # ---- the node -----------------------------------------------------------------------------------------------------

    def service(self):
        """The program of the pages in its version before, kept up by a supervisor; and a double of systemd that restarts it."""
        if os.path.exists(SERVICE):
            return
        machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
        os.makedirs(os.path.dirname(SERVICE))
        shutil.copy(os.path.join(TOP, "1.4.1", machine), SERVICE)
        support = os.path.join(TOP, "build", "release", "support")
        self.child([f"{support}/edge-supervise", "--pid-file", "/run/service.pid", "--", SERVICE, "--port", "8080"])
        write("/tmp/restart-unit", f'#!/bin/sh\n[ "$1" = edge-inference.service ] && exec {support}/edge-supervise --restart /run/service.pid\n',
              0o755)
        write("/tmp/bus.conf", BUS)
        os.makedirs("/run/dbus", exist_ok=True)
        self.child(["dbus-daemon", "--config-file=/tmp/bus.conf", "--nofork"])
        wait("a bus", lambda: os.path.exists("/run/dbus/system_bus_socket"))
        self.child([f"{support}/unit-manager"], stdin=subprocess.PIPE, env={"UNIT_RESTART": "/tmp/restart-unit"})
        wait("the service", lambda: ask(8080, "/version"))

    def agent(self):
        """The agent of the pages' node, unless one runs: as the unit or a page's command started it, else from OBJECTS."""
        if ask(9090, "/metrics"):
            return
        self.service()
        self.call(["systemctl", "start-pod"])

    def metaserver(self):
        """KubeEdge's MetaServer on an edge node: its double, over real HTTP."""
        if not ask(10550, "/_control/state"):
            self.child(["python3", os.path.join(TOP, "tests", "support", "programs", "metaserver-double.py"), "--port", "10550", "--scale", "0.02"])
            wait("the MetaServer's double", lambda: ask(10550, "/_control/state"))

    def apply(self, text, name):
        """An object, given to the agent in the way it gets them."""
        self.agent()
        folder = next((f for f in ("/etc/holdfast/objects",) if os.path.isdir(f)), OBJECTS)
        write(os.path.join(folder, name + ".yaml"), text)

    def known(self):
        """How many objects the agent has, and how many it refused."""
        text = ask(9090, "/metrics")
        return (sum(float(n) for n in re.findall(r"^holdfast_objects\{[^}]*\} (\S+)$", text, re.M)),
                sum(float(n) for n in re.findall(r"^holdfast_objects_refused_total(?:\{[^}]*\})? (\S+)$", text, re.M)))

    def status(self):
        try:
            with open(STATUS, encoding="utf-8") as file:
                return json.load(file)["status"]
        except (FileNotFoundError, ValueError, KeyError):
            return {}


def end_children():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
