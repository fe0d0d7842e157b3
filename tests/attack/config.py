# SPDX-License-Identifier: Apache-2.0
"""Attacks on what the node's own configuration bounds: commands and folders of signed releases, policies without a signature or with
an old one, and the configuration file itself."""
import os
import signal
import urllib.request

import run
from lab import PROGRAMS, free_port, wait
from node import Artifacts, Node
from telemetry import Receiver

HEAD = "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"


def configure(node, text, mode=0o644, name="agent.yaml"):
    """Write the configuration of the node; programs without one ignore the variable."""
    path = node.place(name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEAD + text)
    os.chmod(path, mode)
    os.environ["HOLDFAST_CONFIG"] = path
    return path


def policy(name, sequence, interval, signed_by=None, node=None):
    text = ("apiVersion: edge.codcompass.io/v1alpha1\nkind: SyncPolicy\nmetadata: {name: %s}\n"
            "spec:\n  sequence: %d\n  interval: %s\n" % (name, sequence, interval))
    if signed_by is None:
        return text
    path = node.place("temp", "policy.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    node.holdfast("policy", "sign", path, "--key", signed_by, "--key-id", "k1")
    with open(path, encoding="utf-8") as file:
        return file.read()


def condition(node, kind):
    return next((row for row in node.status().get("conditions", []) if row["type"] == kind), {})


def in_effect(node):
    return node.status().get("policy", {})


def refused(node, name, reason):
    """Wait until the node says that it does not trust the policy, and check that it is not in effect."""
    def said():
        node.alive()
        row = condition(node, "PolicyTrusted")
        return row if row.get("reason") == reason else None
    wait(f"PolicyTrusted={reason} ({node.status().get('policy')})", said, 30)
    row = condition(node, "PolicyTrusted")
    assert row["status"] == "False" and name in row["message"], row
    assert in_effect(node).get("name") == "", in_effect(node)


def accepted(node, name, interval):
    wait(f"{name} with {interval} in effect", lambda: node.alive() or in_effect(node) == {"name": name, "interval": interval}, 30)


class Home:
    """A node and its artifact server for one attack."""

    def __init__(self, home):
        self.server = Artifacts()
        self.node = Node(os.path.join(home, "node"), self.server)

    def __enter__(self):
        return self.node

    def __exit__(self, *_):
        self.node.end()
        self.server.shutdown()


def attack_exec_not_listed(home):
    """A signed release runs a program that the node's exec list lacks: Rejected with ExecNotAllowed, and nothing runs."""
    with Home(home) as node:
        configure(node, "exec: [/usr/bin/true]\n")
        proof = node.place("proof")
        text = node.create("app", "2.0", 2, node.build("2.0", 2), service=False,
                           more=("--health-exec", "/usr/bin/touch", "--health-exec", proof))
        node.apply("app", text)
        node.start_agent()
        row = node.wait_end("app", 2)
        assert not os.path.exists(proof), "the command ran"
        assert (row["phase"], row["reason"]) == ("Rejected", "ExecNotAllowed"), row
        assert "/usr/bin/touch" in row["message"] and "exec" in row["message"], row
        assert not os.path.exists(node.path)


def attack_restart_not_listed(home):
    """A signed release restarts with a program that the node's exec list lacks: Rejected with ExecNotAllowed."""
    with Home(home) as node:
        configure(node, "exec: [/usr/bin/*]\n")
        text = node.create("app", "2.0", 2, node.build("2.0", 2))
        node.apply("app", text)
        node.start_agent()
        row = node.wait_end("app", 2)
        assert (row["phase"], row["reason"]) == ("Rejected", "ExecNotAllowed"), row
        assert "install.restart.exec" in row["message"] and PROGRAMS in row["message"], row


def attack_root_not_listed(home):
    """A signed release installs below a default root that the node's updateRoots lack: Rejected with PathNotAllowed."""
    with Home(home) as node:
        configure(node, f"updateRoots: [{node.place('root')}]\n")
        text = node.create("app", "2.0", 2, node.build("2.0", 2), path="/usr/local/lib/holdfast-attack/app", service=False,
                           more=("--update-root", "/usr/local"))
        node.server.files.clear()  # nothing must arrive there, whatever the agent does
        node.apply("app", text)
        node.agent = node.child([os.path.join(PROGRAMS, "holdfast-agent"), "--source", node.place("objects"), "--node-name", node.name,
                                 "--state-dir", node.place("state"), "--trust-dir", node.place("trust.d"), "--metrics-port",
                                 str(node.metrics_port), "--ingest-port", "off", "--health-port", "off", "--retry-base-ms", "50"])
        row = wait("a verdict", lambda: node.alive() or (node.update("app") if node.update("app").get("phase") in ("Rejected", "Waiting")
                                                        and node.update("app").get("reason") != "Queued" else None), 30)
        assert (row["phase"], row["reason"]) == ("Rejected", "PathNotAllowed"), row


def broken(home, prepare, says):
    """A configuration that allows an unsigned policy must not hold; `prepare` writes it, `says` is in the condition."""
    with Home(home) as node:
        prepare(node)
        node.apply("policy", policy("wide", 1, "11s"))
        node.start_agent()
        refused(node, "wide", "Unsigned")
        row = condition(node, "ConfigurationValid")
        assert row.get("status") == "False" and says in row["message"], row


def attack_writable_configuration(home):
    """A local user widens a world-writable agent.yaml: the file does not hold, policies must be signed, and the EdgeNode says why."""
    broken(home, lambda node: configure(node, "requireSigned: []\ntelemetry: {files: [/**]}\n", mode=0o666), "writable by group or others")


def attack_configuration_in_writable_folder(home):
    """A local user replaces agent.yaml in a folder that everybody may write: the file does not hold."""
    def prepare(node):
        os.makedirs(node.place("open"))
        configure(node, "telemetry: {files: [/**]}\n", name="open/agent.yaml")
        os.chmod(node.place("open"), 0o777)
    broken(home, prepare, "writable by group or others")


def attack_configuration_by_link(home):
    """agent.yaml is a symbolic link to a file of a local user: the file does not hold."""
    def prepare(node):
        target = configure(node, "telemetry: {files: [/**]}\n", name="other.yaml")
        os.symlink(target, node.place("agent.yaml"))
        os.environ["HOLDFAST_CONFIG"] = node.place("agent.yaml")
    broken(home, prepare, "symbolic link")


def attack_configuration_of_other_user(home):
    """agent.yaml belongs to another user: the file does not hold."""
    if os.geteuid() != 0:
        raise run.Skip("changing the owner of a file needs root")

    def prepare(node):
        os.chown(configure(node, "telemetry: {files: [/**]}\n"), 12345, 12345)
    broken(home, prepare, "belongs to another user")


def attack_damaged_configuration(home):
    """A damaged agent.yaml, which may have asked for signatures: policies must be signed."""
    broken(home, lambda node: configure(node, "requireSigned: [SyncPolicy\n"), "agent.yaml:")


def attack_misspelt_requirement(home):
    """A misspelt requireSigned: policies must be signed, and the EdgeNode names the field that was meant."""
    broken(home, lambda node: configure(node, "requireSinged: [SyncPolicy]\n"), "did you mean 'requireSigned'?")


def attack_reload_of_damaged_configuration(home):
    """agent.yaml is damaged and reloaded: the bounds in effect stay."""
    with Home(home) as node:
        path = configure(node, "requireSigned: [SyncPolicy]\n")
        node.start_agent()
        wait("a status", lambda: node.alive() or in_effect(node), 30)
        with open(path, "w", encoding="utf-8") as file:
            file.write("nonsense")
        node.agent.send_signal(signal.SIGHUP)
        node.apply("policy", policy("wide", 1, "11s"))
        refused(node, "wide", "Unsigned")


def attack_unsigned_policy(home):
    """An unsigned SyncPolicy, on a node that requires signatures: not in effect, and the EdgeNode names it."""
    with Home(home) as node:
        configure(node, "requireSigned: [SyncPolicy]\n")
        node.apply("policy", policy("wide", 1, "11s"))
        node.start_agent()
        refused(node, "wide", "Unsigned")


def attack_changed_policy(home):
    """A change of a signed SyncPolicy: not in effect, and the EdgeNode says SignatureInvalid."""
    with Home(home) as node:
        configure(node, "requireSigned: [SyncPolicy]\n")
        text = policy("site", 1, "11s", node.key, node)
        node.apply("policy", text)
        node.start_agent()
        accepted(node, "site", "11s")
        node.apply("policy", text.replace("11s", "12s"))
        refused(node, "site", "SignatureInvalid")


def attack_renamed_policy(home):
    """A signed SyncPolicy under another name, where its sequence has no floor: not in effect."""
    with Home(home) as node:
        configure(node, "requireSigned: [SyncPolicy]\n")
        node.apply("policy", policy("site", 1, "11s", node.key, node).replace("name: site", "name: other"))
        node.start_agent()
        refused(node, "other", "SignatureInvalid")


def attack_replayed_policy(home):
    """An old signed SyncPolicy in place of a newer one: SequenceTooLow, also after kill -9."""
    with Home(home) as node:
        configure(node, "requireSigned: [SyncPolicy]\n")
        old, new = policy("site", 4, "11s", node.key, node), policy("site", 5, "12s", node.key, node)
        node.apply("policy", new)
        node.start_agent()
        accepted(node, "site", "12s")
        node.apply("policy", old)
        refused(node, "site", "SequenceTooLow")
        node.kill_agent()
        node.start_agent()
        refused(node, "site", "SequenceTooLow")
        node.apply("policy", policy("site", 5, "13s", node.key, node))
        refused(node, "site", "SequenceTaken")
        node.apply("policy", new)
        accepted(node, "site", "12s")


def attack_policy_with_signature_of_release(home):
    """The signature of a release by the same key, on a SyncPolicy: not in effect."""
    with Home(home) as node:
        configure(node, "requireSigned: [SyncPolicy]\n")
        release = node.create("app", "2.0", 2, node.build("2.0", 2), service=False)
        signature = release.split("signature: ")[1].split("\n")[0]
        node.apply("policy", policy("wide", 1, "11s") + f"  signatures: [{{keyId: k1, signature: {signature}}}]\n")
        node.start_agent()
        refused(node, "wide", "SignatureInvalid")


# ---- telemetry under one configuration and the next ---------------------------------------------------------------------------------

class Watched(Home):
    """A node with a log file of its own, which a policy follows, and a receiver."""

    def __init__(self, home):
        super().__init__(home)
        self.receiver = Receiver()
        os.makedirs(self.node.place("app"), mode=0o755)
        self.file = self.node.place("app", "app.log")
        os.environ["EDGE_STORAGE_DIR"] = self.node.place("telemetry")
        self.write("begin")

    def __enter__(self):
        return self

    def write(self, line):
        with open(self.file, "a", encoding="utf-8") as file:
            file.write(line + "\n")

    def follow(self, sequence, signed=False):
        """A policy that has the file read and sent."""
        text = policy("reader", sequence, "10s") + (
            "  telemetry:\n    buffer: {maxBytes: 64Mi}\n    batch: {timeout: 100ms, compression: none}\n    retry: {base: 50ms}\n"
            f"    sources: {{files: [{{path: {self.file}}}]}}\n    sink: {{url: '{self.receiver.url}/take', format: ndjson}}\n")
        if signed:
            path = self.node.place("temp", "policy.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            self.node.holdfast("policy", "sign", path, "--key", self.node.key, "--key-id", "k1")
            with open(path, encoding="utf-8") as file:
                text = file.read()
        self.node.apply("reader", text)

    def troubles(self):
        return "\n".join(self.node.status().get("telemetry", {}).get("troubles", []))

    def wait_seen(self, line):
        wait(f"'{line}' at the receiver ({self.troubles()})", lambda: self.node.alive() or self.receiver.saw(line), 30)

    def wait_refused(self):
        wait("the refusal in the status", lambda: self.node.alive() or "sources.files[0].path" in self.troubles(), 30)


def attack_files_after_narrowing(home):
    """The owner narrows telemetry.files while a policy reads a file, and sends SIGHUP: nothing more of the file leaves the node."""
    with Watched(home) as site:
        configure(site.node, f"telemetry: {{files: [{site.node.place('app')}/*]}}\n")
        site.follow(1)
        site.node.start_agent()
        site.write("first")
        site.wait_seen("first")
        configure(site.node, "telemetry: {files: [/var/log/**]}\n")
        site.node.agent.send_signal(signal.SIGHUP)
        site.wait_refused()
        site.write("second")
        configure(site.node, f"telemetry: {{files: [{site.node.place('app')}/*.log, {site.node.place('other')}/*]}}\n")
        assert not site.receiver.saw("second")
        site.node.agent.send_signal(signal.SIGHUP)
        site.wait_seen("second")  # allowed again: nothing is lost
        wait("no trouble", lambda: site.node.alive() or site.troubles() == "", 30)


def attack_bounds_of_signed_policies(home):
    """An unsigned policy asks for what only signed ones may have: refused by name; the same policy with a signature works."""
    with Watched(home) as site:
        configure(site.node, f"signedPolicies: {{files: [{site.node.place('app')}/*]}}\n")
        site.follow(1)
        site.node.start_agent()
        site.wait_refused()
        assert "telemetry.files" in site.troubles() and not site.receiver.saw("begin")
        site.follow(2, signed=True)
        site.wait_seen("begin")
        wait("no trouble", lambda: site.node.alive() or site.troubles() == "", 30)
        site.follow(1)  # the signature is gone, and with it the right
        site.wait_refused()
        site.write("later")
        site.follow(2)
        site.wait_refused()
        assert not site.receiver.saw("later")


def attack_sink_beside_that_of_the_operator(home):
    """The owner allows no sinks: a policy's sink gets nothing, and the CLOUD_ENDPOINT of the owner still gets all."""
    with Watched(home) as site:
        configure(site.node, "telemetry: {sinks: []}\n")
        port, owner = free_port(), Receiver()
        os.environ["CLOUD_ENDPOINT"] = owner.url
        text = policy("reader", 1, "10s") + (
            "  telemetry:\n    buffer: {maxBytes: 64Mi}\n    batch: {timeout: 100ms, compression: none}\n    retry: {base: 50ms}\n"
            f"    sources: {{http: true}}\n    sink: {{url: '{site.receiver.url}/take', format: ndjson}}\n")
        site.node.apply("reader", text)
        site.node.start_agent("--ingest-port", str(port))

        def post(body):
            site.node.alive()
            try:
                request = urllib.request.Request(f"http://127.0.0.1:{port}/ingest", body, {"Content-Type": "application/json"})
                with urllib.request.urlopen(request, timeout=5) as answer:
                    return answer.status == 202
            except OSError:
                return False
        wait("the refusal in the status", lambda: post(b'{"sensorData": "policy"}') or "sink.url" in site.troubles(), 30)
        assert not site.receiver.saw("policy"), site.receiver.taken
        site.node.apply("reader", policy("reader", 1, "10s"))
        wait("the operator's sink to take a payload", lambda: post(b'{"sensorData": "owner"}'), 30)
        wait("the payload", lambda: owner.saw("owner"), 30)
        assert site.receiver.taken == [], site.receiver.taken
