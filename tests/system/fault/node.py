# SPDX-License-Identifier: Apache-2.0
"""Shared by the fault tests: a node with the real agent and a service, an artifact server that misbehaves on request, and releases
made with the real `holdfast release create`. No root, loopback only; all files lie below one folder."""
import hashlib
import http.server
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(1, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "support"))

from lab import PATIENCE_S, PROGRAMS, TOP, die_with_parent, free_port, wait  # noqa: E402

ARCH = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "riscv64": "riscv64"}.get(platform.machine(), platform.machine())
# Beside an agent under the sanitizers, what makes keys, releases and deltas for it does without: tests/unit/cli runs these commands under them.
PLAIN = os.path.join(os.path.dirname(PROGRAMS), "release") if os.path.basename(PROGRAMS) == "asan" else PROGRAMS
MAKES = ("delta", "key", "policy", "release")
ENDS = ("Committed", "RolledBack", "Rejected", "Incompatible")


def sha256(path):
    """SHA-256 of a file, or None if it does not exist."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves Artifacts.files: bytes, with Range and If-Range, or a function that answers."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.server.files.get(self.path.lstrip("/"))
        if callable(body):
            body(self)
            self.close_connection = True
            return
        if body is None:
            self.send_error(404)
            return
        etag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
        start = self.range_start(len(body), etag)
        self.send_response(206 if start else 200)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(body) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        for at in range(start, len(body), 16384):
            self.wfile.write(body[at:at + 16384])
            if self.server.rate:
                time.sleep(16384 / self.server.rate)

    def range_start(self, size, etag):
        words = self.headers.get("Range", "")
        if not words.startswith("bytes=") or self.headers.get("If-Range", etag) != etag:
            return 0
        start = int(words[6:].rstrip("-"))
        return start if start < size else 0

    def log_message(self, *_):
        pass


class Artifacts(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.rate = {}, 0
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        pass  # the tests make clients disconnect

    def end(self):
        """A socket that is closed under serve_forever would keep a processor busy until the process ends."""
        self.shutdown()
        self.server_close()


class Node:
    """One machine: a state folder, a trust folder, an install root, objects, an agent that can be killed, a service."""

    def __init__(self, home, server):
        shutil.rmtree(home, ignore_errors=True)
        self.home, self.server, self.name = home, server, "node-1"
        self.agent = self.service = None
        self.port, self.metrics_port = free_port(), free_port()
        self.path = self.place("root", "bin", "edge-sample")
        for folder in ("root/bin", "objects", "state", "trust.d", "releases", "versions", "temp"):
            os.makedirs(self.place(*folder.split("/")))
        self.key = self.place("release.key")
        self.holdfast("key", "generate", self.key, "--public", self.place("trust.d", "k1.pem"))
        self.log = open(self.place("agent.log"), "ab")
        self.made = 0

    def place(self, *parts):
        return os.path.join(self.home, *parts)

    def holdfast(self, *words, good=True):
        programs = PLAIN if words[0] in MAKES else PROGRAMS
        done = subprocess.run([os.path.join(programs, "holdfast"), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
        if good and done.returncode != 0:
            raise AssertionError(f"holdfast {' '.join(words)} failed: {done.stdout.strip()}")
        return done.stdout

    # ---- processes -----------------------------------------------------------------------------------------------------

    def child(self, argv, log=None, **more):
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log or self.log, stderr=log or self.log,
                                start_new_session=True, preexec_fn=die_with_parent, **more)

    def start_agent(self, *more, wrapper=(), program=os.path.join(PROGRAMS, "holdfast-agent")):
        self.agent = self.child([*wrapper, program, "--source", self.place("objects"),
                                 "--node-name", self.name, "--state-dir", self.place("state"), "--trust-dir",
                                 self.place("trust.d"), "--update-root", self.place("root"), "--metrics-port",
                                 str(self.metrics_port), "--ingest-port", "off", "--health-port", "off", "--retry-base-ms", "50", "--log-level", "info", *more])

    def kill_agent(self):
        """SIGKILL. The children of its hooks die by their parent's death signal or go on; both are normal."""
        self.agent.kill()
        self.agent.wait()

    def stop_agent(self):
        self.agent.terminate()
        try:
            self.agent.wait(20)
        except subprocess.TimeoutExpired:
            self.agent.kill()
            self.agent.wait()
            raise AssertionError("the agent did not stop within 20 s of SIGTERM") from None
        if self.agent.returncode not in (0, -signal.SIGTERM):  # the signal: it came just after the start
            raise AssertionError(f"the agent ended with {self.agent.returncode}")

    def start_service(self):
        self.service = self.child([os.path.join(PROGRAMS, "support", "edge-supervise"), "--pid-file", self.place("service.pid"),
                                   "--", self.path, "--port", str(self.port)])
        # the supervisor writes it after it has started the program, which may answer earlier
        wait("the supervisor's file", lambda: os.path.exists(self.place("service.pid")))

    def end(self):
        for child in (self.agent, self.service):
            if child is not None and child.poll() is None:
                child.terminate()
                try:
                    child.wait(10)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        self.log.close()

    # ---- programs and releases -----------------------------------------------------------------------------------------

    def build(self, version, revision, *flags):
        """A version of the sample service; returns its path."""
        out = self.place("versions", version)
        subprocess.run([os.environ.get("CC", "cc").split()[-1], "-O1", f'-DVERSION="{version}"', f"-DREVISION={revision}", *flags,
                        "-o", out, os.path.join(TOP, "tests", "support", "programs", "edge-sample.c")], check=True)
        return out

    def create(self, name, version, sequence, artifact, path=None, old=None, more=(), service=True, deadline="10s", fast=True):
        """Make a signed release and put its artifacts on the server; returns the YAML of the object."""
        self.made += 1
        out = self.place("releases", str(self.made))
        words = ["release", "create", "--name", name, "--version", version, "--sequence", str(sequence), "--path",
                 path or self.path, "--update-root", self.place("root"), "--everywhere", "--artifact",
                 f"{ARCH}={artifact}" + (f",old={old}" if old else ""), "--url-base", self.server.url, "--key", self.key, "--key-id", "k1", "--fast", "-j", "1", "--expires", "1d", "--out", out]
        if service:
            words += ["--restart-exec", os.path.join(PROGRAMS, "support", "edge-supervise"), "--restart-exec", "--restart",
                      "--restart-exec", self.place("service.pid"), "--health-http", f"http://127.0.0.1:{self.port}/healthz",
                      "--health-threshold", "1", "--health-deadline", deadline]
        if not fast:
            words.remove("--fast")
        self.holdfast(*words, *more)
        text = ""
        for found in os.listdir(out):
            with open(os.path.join(out, found), "rb") as file:
                content = file.read()
            if found.endswith(".yaml"):
                text = content.decode()
            else:
                self.server.files[found] = content
        shutil.rmtree(out)
        return text

    def sign(self, text, key=None, key_id="k1"):
        """Sign an object again after a change of its release."""
        path = self.place("temp", "unsigned.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.holdfast("release", "sign", "--key", key or self.key, "--key-id", key_id, path)
        with open(path, encoding="utf-8") as file:
            return file.read()

    def apply(self, name, content):
        """Put a file into the source folder by a rename."""
        path = self.place("temp", name + ".new")
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.rename(path, self.place("objects", name + ".yaml"))

    def remove(self, name):
        os.unlink(self.place("objects", name + ".yaml"))

    # ---- reading -------------------------------------------------------------------------------------------------------

    def status(self):
        try:
            with open(self.place("state", "status", f"EdgeNode-{self.name}.json"), encoding="utf-8") as file:
                return json.load(file)["status"]
        except FileNotFoundError:
            return {}

    def update(self, name):
        """Row of this release in the status; {} without one."""
        return next((row for row in self.status().get("updates", []) if row["name"] == name), {})

    def alive(self):
        if self.agent.poll() is not None:
            raise AssertionError(f"the agent ended with {self.agent.returncode}: see {self.place('agent.log')}")

    def wait_end(self, name, sequence, patience=PATIENCE_S):
        """Wait until the release of this sequence has ended; returns its row."""
        def ended():
            self.alive()
            row = self.update(name)
            return row if row.get("sequence") == sequence and row.get("phase") in ENDS else None
        return wait(f"the end of {name} {sequence} ({self.update(name)})", ended, patience)

    def journal(self, name):
        """(phase, sequence) in the journal on disk; ("", 0) without one."""
        try:
            with open(self.place("state", "updates", name, "journal"), encoding="utf-8") as file:
                held = json.loads(file.read().split("\n", 1)[1])
                return held["phase"], held["sequence"]
        except (FileNotFoundError, IndexError, ValueError, KeyError):
            return "", 0

    def leftovers(self):
        """Paths below the install root and the updater's state that should not exist once all is settled."""
        found, root, updates = [], self.place("root"), self.place("state", "updates")
        links = {os.path.realpath(os.path.join(folder, f)) for folder, dirs, files in os.walk(root) for f in dirs + files
                 if os.path.islink(os.path.join(folder, f)) and ".holdfast-" in os.readlink(os.path.join(folder, f))}
        for folder, dirs, files in os.walk(root):
            for name in dirs + files:
                path = os.path.join(folder, name)
                used = any(link == path or link.startswith(path + "/") for link in links)
                if name.startswith(".holdfast-") and not name.endswith(".kept") and name != ".holdfast-floors" and not used:
                    found.append(path)
                if os.path.basename(folder).endswith(".tree") and not used:
                    found.append(path)
        for folder, dirs, files in os.walk(updates):
            found += [os.path.join(folder, f) for f in files if f not in ("journal", "floor.0", "floor.1", "lock", "committed", "previous")
                      and not (f.startswith("manifest.") and not f.endswith(".new"))]
        return found

    def wait_clean(self):
        """Files that remain once the agent is idle: its last removals may come after the status."""
        left = []

        def clean():
            left[:] = self.leftovers()
            return not left
        try:
            wait("clean", clean, 10)
        except AssertionError:
            return left
        return []


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
