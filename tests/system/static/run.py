#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The static programs: that they need nothing of a host, and behave as the others do.

    tests/system/static/run.py [WORD ...]      default: all tests; with words: those whose name has one of them

`make static` builds them. They start in a root that holds nothing else, find names and trust certificates there, and load none of the
modules that a host's nsswitch.conf and openssl.cnf name; a copy linked without pkg/loop/static_start.c shows that the traps work. The unit
tests of the bus, the journal and the server are linked as they are, and the smallest fault suites run with them. Runs in a network and a
mount namespace of its own. Where this machine cannot, a test is skipped with the reason. Ends with the plain line
"N passed, N failed, N skipped".
"""
import http.server
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", ".."))
WORK = os.path.join(TOP, "build", "static-test")
INSIDE = "HF_STATIC_INSIDE"
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(TOP, "deploy", "image"), os.path.join(TOP, "tests", "support")]

import suite  # noqa: E402
from holdimage import elf, machine  # noqa: E402
from suite import Skip, equal  # noqa: E402

PROGRAMS = ("holdfast-agent", "holdfast")
STATIC, RELEASE = os.path.join(TOP, "build", "static"), os.path.join(TOP, "build", "release")
UNIT_TESTS = ("telemetry/test_source_journald", "loop/test_unit", "loop/test_server")
CANNOT = 3                                 # exit code of deploy/image/archives
PATIENCE_S = 20
CHECK_FAILURE = re.compile(r"^\S+:\d+:[FE]:.*$", re.M)
TRAP = '#include <fcntl.h>\n__attribute__((constructor)) static void loaded(void) { (void)!open("/loaded", O_CREAT | O_WRONLY, 0600); }\n'
TRAPS = {"etc/nsswitch.conf": "hosts: trap files dns\npasswd: trap\ngroup: trap\nservices: trap\n",
         "usr/lib/ssl/openssl.cnf": "openssl_conf = all\n[all]\nproviders = list\n[list]\ntrap = trap\ndefault = default\n[default]\nactivate = 1\n"
                                    "[trap]\nmodule = /lib/libnss_trap.so.2\nactivate = 1\n"}


def run(*argv, **more):
    """What a program prints; AssertionError with its last words when it fails: in its first line, which summaries keep, what Check says failed."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, errors="replace", check=False, **more)
    if done.returncode != 0:
        named = "; ".join(CHECK_FAILURE.findall(done.stdout))[:1000]
        told = "\n".join(filter(None, (named, done.stdout[-800:])))
        raise AssertionError(f"{' '.join(argv)[:200]}: {done.returncode}: {told}")
    return done.stdout


class Site:
    """A name server and an HTTPS server of this network; each remembers what it was asked."""

    def __init__(self, certificate, key):
        self.asked, self.requests = [], []
        line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        line.bind(("127.0.0.1", 53))
        threading.Thread(target=self._names, args=(line,), daemon=True).start()
        requests = self.requests

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                requests.append(self.path)
                self.send_error(404)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.handle_error = lambda *_: None
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_address[1]

    def _names(self, line):
        """An A record of 127.0.0.1 for each name, nothing else."""
        while True:
            query, peer = line.recvfrom(512)
            end = query.index(b"\0", 12) + 5
            self.asked.append(query[12:end - 5])
            is_a = query[end - 4:end - 2] == b"\0\1"
            record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if is_a else b""
            line.sendto(query[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_a else b"\0\0") + b"\0\0\0\0" + query[12:end] + record, peer)


class Suite:
    def __init__(self):
        self.cannot = None
        self._built = False
        self._site = None

    def built(self):
        """Builds once; the folder of the static libraries."""
        if self.cannot:
            raise Skip(self.cannot)
        done = subprocess.run([os.path.join(TOP, "deploy", "image", "archives"), *(["--offline"] if self._built else [])], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode == CANNOT:
            self.cannot = done.stderr.strip().splitlines()[-1]
            raise Skip(self.cannot)
        equal(f"exit code ({done.stderr[-300:]})", done.returncode, 0)
        if not self._built:
            self.make(done.stdout.strip(), *(f"build/static/{name}" for name in PROGRAMS))
            self._built = True
        return done.stdout.strip()

    @staticmethod
    def make(archives, *goals):
        run("flock", "Makefile", "make", "--no-print-directory", "-s", f"-j{os.cpu_count()}", f"STATIC={archives}", *goals, cwd=TOP)

    def root(self, name, files):
        """A root of the two programs, two devices and `files`."""
        self.built()
        if os.geteuid() != 0:
            raise Skip("needs root: chroot")
        root = os.path.join(WORK, name)
        shutil.rmtree(root, ignore_errors=True)
        for folder in ("dev", "proc", "bin", "lib", "state", "trust.d", "objects"):
            os.makedirs(os.path.join(root, folder))
        for minor, device in ((3, "null"), (9, "urandom")):
            os.mknod(os.path.join(root, "dev", device), 0o020666, os.makedev(1, minor))
        for program in PROGRAMS:
            shutil.copy(os.path.join(STATIC, program), os.path.join(root, "bin"))
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        return root

    def agent(self, root, *words, program="holdfast-agent"):
        log = open(os.path.join(root, "log"), "wb")
        return subprocess.Popen(["chroot", root, f"/bin/{program}", "--node-name", "n", "--state-dir", "/state", "--trust-dir", "/trust.d", "--metrics-port", "off",
                                 "--ingest-port", "off", "--retry-base-ms", "50", *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})

    def site(self):
        """(site, text of the authority that its certificate is from)"""
        if self._site is None:
            at = os.path.join(WORK, "site")
            os.makedirs(at, exist_ok=True)
            run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", at + "/key", "-out", at + "/crt",
                "-days", "2", "-subj", "/CN=things.test", "-addext", "subjectAltName=DNS:things.test")
            with open(at + "/crt", encoding="ascii") as text:
                self._site = Site(at + "/crt", at + "/key"), text.read()
        return self._site

    # ---- what they are ---------------------------------------------------------------------------------------------------

    def test_need_nothing(self):
        self.built()
        for name in PROGRAMS:
            with open(os.path.join(STATIC, name), "rb") as file:
                needs = elf.needs(file.read(), name)
            equal(f"loader and libraries of {name}", (needs.interpreter, needs.libraries), (None, ()))
            bare = os.path.join(WORK, name + ".bare")
            run(machine.native().tool("strip"), "-o", bare, os.path.join(STATIC, name))
            print(f"    {name}: {os.path.getsize(bare)} bytes without symbols", flush=True)

    # ---- where nothing is ------------------------------------------------------------------------------------------------

    def test_starts_in_an_empty_root(self):
        root = self.root("empty", {})
        for program in PROGRAMS:
            equal("what it says", run("chroot", root, f"/bin/{program}", "--version").split()[0], program)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        agent = self.agent(root, "--source", "/objects", "--health-port", str(port))
        try:
            self.wait("an answer of the listener", lambda: self.answers(port))
        finally:
            agent.terminate()
        equal("exit code", agent.wait(PATIENCE_S), 0)

    @staticmethod
    def answers(port):
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as line:
                line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return b" 200 " in line.recv(64)
        except OSError:
            return False

    @staticmethod
    def wait(what, condition, patience=PATIENCE_S):
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"{what}: not within {patience} s")
            time.sleep(0.05)

    def asks(self, root, authority, program="holdfast-agent"):
        """Whether the agent in `root`, whose bundle is `authority`, comes to the HTTPS server by name."""
        site, _ = self.site()
        site.asked.clear()
        site.requests.clear()
        for path, text in (("etc/resolv.conf", "nameserver 127.0.0.1\n"), ("etc/ssl/certs/ca-certificates.crt", authority)):
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="ascii") as file:
                file.write(text)
        agent = self.agent(root, "--server", f"https://things.test:{site.port}", "--health-port", "off", program=program)
        try:
            self.wait("a question for the name", lambda: site.asked)
            end = time.monotonic() + 3
            while not site.requests and time.monotonic() < end and agent.poll() is None:
                time.sleep(0.05)
        finally:
            agent.kill()
            agent.wait()
        return bool(site.requests)

    def test_names_and_certificates(self):
        """An old root without nsswitch.conf, and one with modules that no static program can load."""
        _, authority = self.site()
        equal("with the authority", self.asks(self.root("old", {}), authority), True)
        equal("without it", self.asks(self.root("old", {}), ""), False)
        root = self.trapped()
        equal("beside traps", self.asks(root, authority), True)
        equal("a module of the host was loaded", os.path.exists(os.path.join(root, "loaded")), False)

    def trapped(self, more=()):
        """A root whose files name a module; `more`: programs of it."""
        root = self.root("trapped", TRAPS)
        with open(os.path.join(WORK, "trap.c"), "w", encoding="ascii") as file:
            file.write(TRAP)
        run("gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-nostdlib", "-o", os.path.join(root, "lib", "libnss_trap.so.2"), os.path.join(WORK, "trap.c"), "-lc")
        for path in more:
            shutil.copy(path, os.path.join(root, "bin"))
        return root

    def test_traps_spring(self):
        """The agent, linked without the start, loads what the host's files name."""
        archives, loose = self.built(), os.path.join(WORK, "loose-agent")
        run("flock", "Makefile", "make", "--no-print-directory", "-s", f"STATIC={archives}", "STATIC_START=", f"STATIC_LOOSE={loose}", loose, cwd=TOP)
        root = self.trapped([loose])
        for name in ("libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"):
            there = os.path.join("/usr/lib", machine.native().triplet, name)
            if os.path.exists(there):
                shutil.copy(there, os.path.join(root, "lib"))
        with open(os.path.join(root, "etc/resolv.conf"), "w", encoding="ascii") as file:
            file.write("nameserver 127.0.0.1\n")
        agent = self.agent(root, "--server", "https://things.test:1", "--health-port", "off", program="loose-agent")
        try:
            self.wait("the trap", lambda: os.path.exists(os.path.join(root, "loaded")))
        finally:
            agent.kill()
            agent.wait()

    # ---- as the others ---------------------------------------------------------------------------------------------------

    def test_unit_tests(self):
        archives = self.built()
        self.make(archives, *(f"build/static/tests/unit/{name}" for name in UNIT_TESTS), "build/release/support/programs")
        for name in UNIT_TESTS:
            said = run("timeout", "600", os.path.join(STATIC, "tests", "unit", name), cwd=TOP, env={**os.environ, "HF_BUILD_DIR": "build/release"})
            equal(f"{name}: {said.strip().splitlines()[-1]}", "100%: Checks:" in said, True)

    def programs(self):
        """A folder as build/release is, with the static programs in it; relative to the top."""
        self.built()
        self.make("none", "all", "build/release/support/programs")
        there = os.path.join(WORK, "programs")
        shutil.rmtree(there, ignore_errors=True)
        os.makedirs(there)
        for name in os.listdir(RELEASE):
            static = os.path.join(STATIC, name)
            os.symlink(static if name in PROGRAMS else os.path.join(RELEASE, name), os.path.join(there, name))
        return os.path.relpath(there, TOP)

    def suite_of(self, name, *words):
        said = run("timeout", "200", os.path.join(TOP, "tests/system", name), *words, cwd=TOP, env={**os.environ, "HF_BUILD_DIR": self.programs()})
        print("    " + said.strip().splitlines()[-1], flush=True)

    def test_downloads_resume(self):
        self.suite_of("fault/resume.py")

    def test_kill9(self):
        self.suite_of("fault/kill9.py", "--kills", "3")


def tests(of, words):
    for name in [n for n in vars(Suite) if n.startswith("test_")]:
        full = name.removeprefix("test_")
        if not words or any(word in full for word in words):
            yield full, getattr(of, name)


def main():
    if not os.environ.get(INSIDE):
        os.makedirs(WORK, exist_ok=True)
        user = [] if os.geteuid() == 0 else ["--map-root-user"]
        if subprocess.run(["unshare", "--net", "--mount", *user, "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
            print("SKIP: no network namespace of its own\n0 passed, 0 failed, 1 skipped")
            return 0
        of = Suite()
        try:
            of.built()                     # with this machine's network; inside there is none
        except Skip as reason:
            print(f"SKIP: {reason}\n0 passed, 0 failed, 1 skipped")
            return 0
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", *user, sys.executable, *sys.argv])
    run("ip", "link", "set", "lo", "up")
    return suite.run(tests(Suite(), sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
