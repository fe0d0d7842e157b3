#!/usr/bin/env python3
"""The walls of the agent's unit, with a real systemd (guest.py): where a process of the unit can write.

    tests/system/fault/walls.py

A script takes the agent's place in the unit that `make install` installs, and tries to make a file in every folder that is a mount
point, or that a thief would like to write to. Skips where no guest can run. Prints "N passed, N failed, N skipped" last."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guest  # noqa: E402
from node import TOP, say  # noqa: E402

LAYER = os.path.join(TOP, "build", "fault", "walls")
OPEN = {"/opt", "/usr/local", "/usr/local/bin", "/var/edge/data", "/var/lib/holdfast", "/run/holdfast",
        "/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue"}  # these four are the unit's own, or hold nothing
TRIED = OPEN | {"/", "/boot", "/dev", "/etc", "/etc/holdfast", "/etc/systemd/system", "/home", "/mnt", "/proc/sys/kernel", "/root", "/run",
                "/run/dbus", "/run/lock", "/run/systemd", "/run/systemd/system", "/srv", "/sys/fs/cgroup", "/usr", "/usr/bin", "/usr/lib/systemd/system",
                "/var", "/var/lib", "/var/log"}
SCRIPT = """#!/bin/sh
while read -r _ _ _ _ folder _; do echo "$folder"; done </proc/self/mountinfo | cat - /etc/holdfast/tried | sort -u | while read -r folder; do
    touch "$folder/hf-walls" && echo "can write: $folder"
done 2>/dev/null
exit 0
"""
INSTEAD = """[Service]
Type=oneshot
Restart=no
ExecStart=
ExecStart=/bin/sh /etc/holdfast/try
"""


def main():
    reason = guest.missing()
    if reason:
        say(f"  skip  walls of the unit: {reason}")
        say("0 passed, 0 failed, 1 skipped")
        return 0
    shutil.rmtree(LAYER, ignore_errors=True)
    os.makedirs(LAYER)
    subprocess.run([os.path.join(TOP, "hack", "install"), "install", LAYER, "/usr/local", "0"], check=True, stdout=subprocess.DEVNULL)
    guest.write(os.path.join(LAYER, "etc", "holdfast", "try"), SCRIPT)
    guest.write(os.path.join(LAYER, "etc", "holdfast", "tried"), "\n".join(sorted(TRIED)) + "\n")
    guest.write(os.path.join(LAYER, "etc", "systemd", "system", "holdfast-agent.service.d", "try.conf"), INSTEAD)
    output = list(guest.run(LAYER, "/bin/sh -c 'systemctl start holdfast-agent; journalctl -o cat -u holdfast-agent'"))
    can = {line.partition(": ")[2] for line in output if line.startswith("can write: ")}
    if can == OPEN:
        say(f"  ok    the unit can write to {len(can)} folders, and to no other that was tried")
        say("1 passed, 0 failed, 0 skipped")
        return 0
    say("\n".join(output))
    say(f"  FAIL  the unit can write to {sorted(can - OPEN)} too, and not to {sorted(OPEN - can)}")
    say("0 passed, 1 failed, 0 skipped")
    return 1


if __name__ == "__main__":
    sys.exit(main())
