#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for programs that a scratch root cannot have; tests/system/docs/world.py puts them into its PATH under these names:

    systemctl             starts and stops the agent as its installed unit says; no other unit
    kubectl               a cluster of one node: what is applied lies in a folder, which the agent reads with --source
    ssh, scp              the other machine is this one
    journalctl            the agent's log

What a real kubectl, API server and systemd do with the same commands, tests/system/e2e/test_docs.py shows."""
import base64
import glob
import json
import os
import re
import shlex
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from world import NODE, OBJECTS, STATUS, ask, wait, write  # noqa: E402

UNIT, PID, POD = "/usr/local/lib/systemd/system/holdfast-agent.service", "/run/holdfast-agent.pid", "/run/pod.env"
CA = "/run/cluster-ca"


def fail(text):
    sys.exit(f"{os.path.basename(sys.argv[0])} (stand-in): {text}")


# ---- systemctl --------------------------------------------------------------------------------------------------------------

def start(environment_file):
    """The installed unit's ExecStart with the variables of the file it names."""
    if answers():
        fail("an agent runs already")
    with open(UNIT, encoding="utf-8") as unit:
        command = re.search(r"^ExecStart=(.*)$", unit.read(), re.M).group(1)
    environment = dict(os.environ, NODE_NAME=NODE)
    if os.path.exists(environment_file):
        with open(environment_file, encoding="utf-8") as lines:
            environment.update(line.strip().split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    words = [word for part in shlex.split(command) for word in
             (shlex.split(environment.get(part[1:], "")) if part.startswith("$") else [part])]
    with open("/tmp/agent.log", "ab") as log:
        log.write(f"---- {' '.join(words)}\n".encode())
        log.flush()
        agent = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment)
    write(PID, str(agent.pid))


def send(number):
    try:
        with open(PID, encoding="ascii") as file:
            os.kill(int(file.read()), number)
    except (FileNotFoundError, ProcessLookupError):
        fail("holdfast-agent does not run")


def systemctl(words):
    options = [word for word in words if word.startswith("-")]
    words = [re.sub(r"\.service$", "", word) for word in words if not word.startswith("-")]
    if words == ["daemon-reload"]:
        return
    if words == ["start-pod"]:                                   # ours: the DaemonSet's pod
        os.makedirs(OBJECTS, exist_ok=True)
        write(POD, f"HOLDFAST_SOURCE={OBJECTS}\n")
        start(POD)
    elif words in (["enable", "holdfast-agent"], ["start", "holdfast-agent"], ["restart", "holdfast-agent"]):
        if words[0] == "restart":
            send(signal.SIGTERM)
            wait("the agent's end", lambda: not answers())
        start("/etc/holdfast/agent.env")
    elif words in (["disable", "holdfast-agent"], ["stop", "holdfast-agent"]):
        send(signal.SIGTERM)
        wait("the agent's end", lambda: not answers())
        return
    elif words == ["kill", "holdfast-agent"] and "--signal=HUP" in options:
        send(signal.SIGHUP)
    else:
        fail(f"'{' '.join(sys.argv[1:])}' is not known here")
    wait("the agent's answer", answers)


def answers():
    return ask(9090, "/metrics") != ""


# ---- kubectl ----------------------------------------------------------------------------------------------------------------

def documents(stream):
    import yaml   # pylint: disable=import-outside-toplevel  # a third of the start of a stand-in that reads none
    return [one for one in yaml.load_all(stream, Loader=yaml.CSafeLoader) if one]


def objects(path):
    """Of a file, a folder, or standard input, as `kubectl apply -f` takes them."""
    if path == "-":
        return documents(sys.stdin)
    names = sorted(glob.glob(os.path.join(path, "*.yaml"))) if os.path.isdir(path) else [path]
    if not all(map(os.path.exists, names)):
        fail(f"'{path}' is not there")
    return [one for name in names for one in documents(open(name, encoding="utf-8"))]


def file_of(kind, name):
    return os.path.join(OBJECTS, f"{kind.lower()}-{name}.yaml")


def put(one):
    write(file_of(one["kind"], one["metadata"]["name"]) + ".new", json.dumps(one))
    os.rename(file_of(one["kind"], one["metadata"]["name"]) + ".new", file_of(one["kind"], one["metadata"]["name"]))


def authority():
    """The cluster's CA, made when it is first asked for."""
    if not os.path.exists(CA + ".crt"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", CA + ".key",
                        "-out", CA + ".crt", "-subj", "/CN=the cluster", "-days", "2"], check=True, stderr=subprocess.DEVNULL)
    return CA + ".crt"


def sign(name, request):
    """A CertificateSigningRequest, as if it were approved at once."""
    subprocess.run(["openssl", "x509", "-req", "-CA", authority(), "-CAkey", CA + ".key", "-days", "1", "-out", f"/run/{name}.crt"], check=True,
                   input=base64.b64decode(request), stderr=subprocess.DEVNULL)


def encoded(path):
    with open(path, "rb") as file:
        print(base64.b64encode(file.read()).decode(), end="")


def apply(paths):
    os.makedirs(OBJECTS, exist_ok=True)
    for one in [one for path in paths for one in objects(path)]:
        kind, name = one["kind"], one["metadata"]["name"]
        if kind == "CertificateSigningRequest":
            sign(name, one["spec"]["request"])
        if one["apiVersion"].startswith("edge.codcompass.io/"):
            put(one)
        if kind == "DaemonSet" and not answers():
            systemctl(["start-pod"])
        print(f"{kind.lower()}/{name} applied")


def delete(paths):
    for one in [one for path in paths for one in objects(path)]:
        if one["kind"] == "DaemonSet" and answers():
            systemctl(["stop", "holdfast-agent"])
        print(f"{one['kind'].lower()}/{one['metadata']['name']} deleted")


def label(name, text):
    """On this node: by a policy, which is how an agent without a cluster gets its labels."""
    key, value = text.split("=")
    put({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "labels"},
         "spec": {"labels": {"static": {key: value}}}})
    print(f"node/{name} labeled")


def patch(kind, name, how, text):
    with open(file_of(kind, name), encoding="utf-8") as file:
        one = json.load(file)
    change = json.loads(text)
    if how == "json":
        for step in change:
            *folders, last = step["path"].strip("/").split("/")
            place = one
            for folder in folders:
                place = place[folder]
            place[last] = step["value"]
    else:
        merge(one, change)
    put(one)
    print(f"{kind}/{name} patched")


def merge(one, change):
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(one.get(key), dict):
            merge(one[key], value)
        else:
            one[key] = value


def status():
    """The EdgeNode: on the node where objects come from a folder, else where the agent wrote it."""
    try:
        with open(STATUS, encoding="utf-8") as file:
            return json.load(file)
    except (FileNotFoundError, ValueError):
        items = json.loads(ask(10550, "/apis/edge.codcompass.io/v1alpha1/edgenodes") or "{}").get("items", [])
        return items[0] if items else {}


def wait_for(condition):
    """--for=condition=NAME, and --for=jsonpath of an update's field, chosen by another field."""
    chosen = re.fullmatch(r'jsonpath=\{\.status\.updates\[\?\(@\.(\w+)=="([^"]+)"\)\]\.(\w+)\}=(\w+)', condition)
    named = re.fullmatch(r"condition=(\w+)", condition)

    def true():
        now = status().get("status", {})
        if chosen:
            by, value, field, wanted = chosen.groups()
            return any(row.get(by) == value and row.get(field) == wanted for row in now.get("updates", []))
        return any(row["type"] == named.group(1) and row["status"] == "True" for row in now.get("conditions", []))
    if not chosen and not named:
        fail(f"'--for={condition}' is not known here")
    try:
        wait(f"--for={condition}", true)
    except AssertionError as error:
        with open("/tmp/agent.log", encoding="utf-8", errors="replace") as log:
            fail(f"{error}; updates: {json.dumps(status().get('status', {}).get('updates'))}; the agent's log ends:\n{log.read()[-3000:]}")


def get(words, form):
    if words[0] == "node" and form == "jsonpath={.metadata.uid}":
        print("0a1b2c3d-0000-4000-8000-000000000000")
    elif words[0] in ("edgenodes", "edgenode", "en") or words[0].startswith("edgenode/"):
        wait("an EdgeNode", status)
        print(json.dumps(status()) if form == "yaml" else f"NAME\n{status()['metadata']['name']}")   # which is YAML, too
    else:
        print("\n".join(os.path.basename(name) for name in sorted(os.listdir(OBJECTS))))


def kubectl(words):
    values = {word.split("=", 1)[0]: word.split("=", 1)[1] for word in words if word.startswith("--") and "=" in word}
    files = [words[at + 1] for at, word in enumerate(words) if word == "-f"]
    option = {word: words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-p", "-o", "-f", "-n")}
    plain = [word for at, word in enumerate(words) if not word.startswith("-") and (at == 0 or words[at - 1] not in option)]
    verb, rest = plain[0], plain[1:]
    if verb in ("apply", "delete") and files:
        apply(files) if verb == "apply" else delete(files)
    elif verb == "wait" and any("csr" in word for word in rest) or verb == "certificate":
        print("certificate approved")
    elif verb == "wait":
        wait_for(values["--for"])
    elif verb == "get" and rest[0] == "csr":
        encoded(f"/run/{rest[1]}.crt")
    elif plain[:2] == ["config", "view"]:
        encoded(authority())
    elif plain[:2] == ["auth", "can-i"]:
        print("yes")
    elif verb == "create" and rest[0] == "clusterrolebinding":
        print(f"clusterrolebinding/{rest[1]} created")
    elif verb == "get":
        get(rest, option.get("-o"))
    elif verb == "label":
        label(rest[1], rest[2])
    elif verb == "annotate":
        patch(rest[0], rest[1], "merge", json.dumps({"metadata": {"annotations": dict([rest[2].split("=")])}}))
    elif verb == "patch" and rest[0] == "daemonset":
        json.loads(option["-p"])
    elif verb == "patch":
        patch(rest[0], rest[1], values["--type"], option["-p"])
    else:
        fail(f"'{' '.join(words)}' is not known here")


def main():
    name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
    if name == "ssh":
        os.execvp("bash", ["bash", "-c", " ".join(words[1:])])
    if name == "scp":
        os.execvp("cp", ["cp", *words[:-1], words[-1].split(":", 1)[1]])
    if name == "journalctl":
        os.execvp("tail", ["tail", "-n", words[words.index("-n") + 1] if "-n" in words else "+1", "/tmp/agent.log"])
    try:
        {"systemctl": systemctl, "kubectl": kubectl}[name](words)
    except AssertionError as error:
        fail(str(error))


if __name__ == "__main__":
    main()
