#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the agent sees from within the walls of its unit, as `make install` installs it, with a real systemd (guest.py): file systems
of the host that fill up or become read-only, and devices that a release requires.

    tests/system/fault/unit_sees.py

Skips where no guest can run. Prints "N passed, N failed, N skipped" last."""
import json
import os
import shutil
import subprocess
import sys

import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guest  # noqa: E402
from node import ENDS, TOP, say  # noqa: E402

from lab import wait  # noqa: E402

HOME = os.path.join(TOP, "build", "fault", "unit_sees")
LAYER, KEY = os.path.join(HOME, "layer"), os.path.join(HOME, "release.key")
INSIDE = "HF_UNIT_SEES_INSIDE"
OBJECTS, STATUS, PATIENCE_S = "/etc/holdfast/objects", "/run/holdfast/status.json", 120
ENV = f'HOLDFAST_ARGS="--source {OBJECTS} --node-name node-1 --metrics-port off"\n'
POLICY = {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": "all"},
          "spec": {"interval": "10s", "disk": {"paths": ["/srv"]}}}


def status():
    try:
        with open(STATUS, encoding="utf-8") as file:
            return json.load(file)["status"]
    except (OSError, ValueError, KeyError):
        return {}


def pressure():
    """(status, reason, message) of DiskPressure; None without the condition."""
    found = next((one for one in status().get("conditions", []) if one["type"] == "DiskPressure"), None)
    return found and (found["status"], found["reason"], found["message"])


def call(*words):
    subprocess.run(words, check=True)


def disks():
    """A file system of its own, which the unit sees through a mount that is read-only."""
    wait("a status", status, PATIENCE_S)
    assert pressure() is None, pressure()
    with open("/srv/full", "wb") as file:
        file.write(bytes(15 << 20))
    wait("DiskPressure of a full disk", lambda: (pressure() or "  ")[0] == "True" and "/srv" in pressure()[2], PATIENCE_S)
    full = pressure()
    os.unlink("/srv/full")
    wait("no DiskPressure", lambda: (pressure() or ("False",))[0] == "False", PATIENCE_S)
    call("mount", "-o", "remount,ro", "/srv")
    wait("DiskPressure of a read-only disk", lambda: "read-only" in (pressure() or "   ")[2], PATIENCE_S)
    return f"{full[1]}, then {pressure()[1]}"


def ended(name):
    """The release's row in the status, once it has ended."""
    return next((row for row in status().get("updates", []) if row["name"] == name and row.get("phase") in ENDS), None)


def devices():
    """A release requires a device by its name and by a link of udev, and one that does not exist."""
    for name, reason in (("there", None), ("link", None), ("missing", "RequirementsNotMet")):
        shutil.copy(f"/etc/holdfast/{name}.yaml", OBJECTS)
        row = wait(f"the release '{name}'", lambda: ended(name), PATIENCE_S)  # pylint: disable=cell-var-from-loop
        assert (row["phase"], row.get("reason")) == (("Incompatible", reason) if reason else ("Committed", row.get("reason"))), row
    return "2 found, 1 missing"


def inside():
    """In the guest."""
    for name, case in (("disks", disks), ("devices", devices)):
        try:
            say(f"  ok    {name}: {case()}")
        except (AssertionError, OSError, subprocess.CalledProcessError) as problem:
            call("journalctl", "--no-pager", "-o", "cat", "-n", "40", "-u", "holdfast-agent")
            say(f"  FAIL  {name}: {problem}; conditions {status().get('conditions')}")


def require(path, device):
    """Adds the device to the release, and signs it again."""
    with open(path, encoding="utf-8") as file:
        made = yaml.safe_load(file)
    for artifact in made["spec"]["release"]["artifacts"]:
        artifact["requires"] = {"devices": [device]}
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump(made, file)
    subprocess.run([guest.HOLDFAST, "release", "sign", "--key", KEY, "--key-id", "k1", path], check=True, stdout=subprocess.DEVNULL)


def release(name, device):
    """A signed release that requires a device, and has its artifact in the guest."""
    out = os.path.join(HOME, name)
    shutil.rmtree(out, ignore_errors=True)
    artifact = os.path.join(HOME, f"{name}.txt")
    guest.write(artifact, name)
    subprocess.run([guest.HOLDFAST, "release", "create", "--name", name, "--version", "1.0", "--sequence", "1", "--path", f"/opt/{name}.txt",
                    "--update-root", "/opt", "--everywhere", "--artifact", f"amd64={artifact}", "--url-base", "http://127.0.0.1:8000",
                    "--no-health-check", "--key", KEY, "--key-id", "k1", "--out", out], check=True, stdout=subprocess.DEVNULL)
    for file in os.listdir(out):
        if file.endswith(".yaml"):
            require(os.path.join(out, file), device)
        place = f"/etc/holdfast/{name}.yaml" if file.endswith(".yaml") else f"/var/artifacts/{file}"
        os.makedirs(os.path.dirname(LAYER + place), exist_ok=True)
        shutil.copy(os.path.join(out, file), LAYER + place)


def make_layer():
    guest.install(LAYER)
    guest.trust(LAYER, KEY)
    guest.write(LAYER + "/etc/holdfast/agent.env", ENV)
    guest.write(LAYER + OBJECTS + "/policy.yaml", json.dumps(POLICY))
    release("there", "/dev/ptya0")
    release("link", "/dev/serial/by-id/usb-meter")
    release("missing", "/dev/ttyUSB9")


# The guest has no serial adapter: a device of its kernel, and a link as udev notes it, stand for one.
COMMANDS = ("ip link set lo up", "mount -t tmpfs -o size=16M tmpfs /srv", r"mkdir -p /run/udev/links/serial\x2fby-id\x2fusb-meter",
            "systemctl start holdfast-agent")


def main():
    if os.environ.get(INSIDE):
        for command in COMMANDS:
            call(*command.split())
        with subprocess.Popen([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", "/var/artifacts", "8000"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            inside()
            server.kill()
        return 0
    reason = guest.missing()
    try:
        if reason:
            raise guest.Skip(reason)
        make_layer()
        output = guest.run(LAYER, f"{sys.executable} {os.path.abspath(__file__)}", f"{INSIDE}=1")
    except guest.Skip as skip:
        say(f"SKIP: the unit's view: {skip}")
        say("0 passed, 0 failed, 2 skipped")
        return 0
    passed = sum(line.startswith("  ok ") for line in output)
    say("\n".join(line for line in output if passed < 2 or line.startswith("  ok ")))
    say(f"{passed} passed, {2 - passed} failed, 0 skipped")
    return 0 if passed == 2 else 1


if __name__ == "__main__":
    sys.exit(main())
