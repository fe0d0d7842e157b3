#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The walls of the agent's unit, with a real systemd (guest.py): where a process of the unit can write, as installed and with the
drop-ins of the pages.

    tests/system/fault/walls.py

A script takes the agent's place in the unit that `make install` installs, and tries to make a file in every folder that is a mount
point, or that a thief would like to write to: first as installed, then with the drop-ins, in the same guest. The TPM is a character
device that takes everything (that of /dev/null) by its name.
Skips where no guest can run. Prints "N passed, N failed, N skipped" last."""
import glob
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guest  # noqa: E402
from node import TOP, say  # noqa: E402

FOLDER = "/etc/systemd/system/holdfast-agent.service.d"
LAYER = os.path.join(TOP, "build", "fault", "walls")
OPEN = {"/opt", "/usr/local", "/usr/local/bin", "/var/edge/data", "/var/lib/holdfast", "/run/holdfast",
        "/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue"}  # these four are the unit's own, or hold nothing
TRIED = OPEN | {"/", "/boot", "/dev", "/etc", "/etc/holdfast", "/etc/systemd/system", "/home", "/mnt", "/proc/sys/kernel", "/root",
                "/run", "/run/dbus", "/run/lock", "/run/site", "/run/systemd", "/run/systemd/system", "/srv", "/srv/apps",
                "/sys/fs/cgroup", "/usr", "/usr/bin", "/usr/lib/systemd/system", "/var", "/var/lib", "/var/lib/rancher/k3s/agent", "/var/log"}
OPENED = {"/run/site", "/srv/apps", "/dev/tpmrm0", "/var/lib/rancher/k3s/agent"}  # by the drop-ins of the pages
DROP_IN = re.compile(r"# (/etc/systemd/system/holdfast-agent\.service\.d/\w+\.conf)\n(.*?)```", re.S)
SITE = "[Service]\nReadWritePaths=/run/site\n"
TURN = "the script tries"
PAGES = "/etc/holdfast/pages"  # where the drop-ins wait for the second turn
SCRIPT = f"""#!/bin/sh
echo "{TURN}"
while read -r _ _ _ _ folder _; do echo "$folder"; done </proc/self/mountinfo | cat - /etc/holdfast/tried | sort -u | while read -r folder; do
    touch "$folder/hf-walls" && echo "can write: $folder"
done 2>/dev/null
echo 1 2>/dev/null >/dev/tpmrm0 && echo "can write: /dev/tpmrm0"
exit 0
"""
INSTEAD = """[Service]
Type=oneshot
Restart=no
ExecStart=
ExecStart=/bin/sh /etc/holdfast/try
"""
COMMANDS = ("mkdir -p /run/site /srv/apps /var/lib/rancher/k3s/agent", "mknod -m 0600 /dev/tpmrm0 c 1 3", "systemctl start holdfast-agent",
            f"cp {PAGES}/* {FOLDER}", "systemctl daemon-reload", "systemctl start holdfast-agent", "journalctl --no-pager -o cat -u holdfast-agent")


def drop_ins():
    """The drop-ins that the pages show, by path; and the one that they name in a sentence."""
    found = {os.path.join(FOLDER, "site.conf"): SITE}
    for page in glob.glob(os.path.join(TOP, "docs", "**", "*.md"), recursive=True):
        with open(page, encoding="utf-8") as file:
            text = file.read()
        found.update(DROP_IN.findall(text))
    return found


def turns(pages):
    """The lines of each turn of the script."""
    guest.install(LAYER)
    files = {"/etc/holdfast/try": SCRIPT, "/etc/holdfast/tried": "\n".join(sorted(TRIED)) + "\n",
             os.path.join(FOLDER, "try.conf"): INSTEAD, **{os.path.join(PAGES, os.path.basename(path)): text for path, text in pages.items()}}
    for path, text in files.items():
        guest.write(LAYER + path, text)
    output = guest.run(LAYER, f"/bin/sh -c '{'; '.join(COMMANDS)}'")
    begins = [number for number, line in enumerate(output) if line == TURN]
    assert len(begins) == 2, "\n".join(output)
    return output[begins[0]:begins[1]], output[begins[1]:]


def check(name, output, want):
    can = {line.partition(": ")[2] for line in output if line.startswith("can write: ")}
    if can == want:
        say(f"  ok    {name}: the unit can write to {len(can)} places, and to no other that was tried")
        return True
    say("\n".join(output))
    say(f"  FAIL  {name}: the unit can write to {sorted(can - want)} too, and not to {sorted(want - can)}")
    return False


def main():
    pages, reason, passed = drop_ins(), guest.missing(), 0
    assert len(pages) >= 3, f"the pages have only the drop-ins {sorted(pages)}"
    try:
        if not reason:
            first, second = turns(pages)
            passed = check("as installed", first, OPEN) + check("with the drop-ins of the pages", second, OPEN | OPENED)
    except guest.Skip as skip:
        reason = skip
    if reason:
        say(f"SKIP: walls of the unit: {reason}")
        say("0 passed, 0 failed, 2 skipped")
        return 0
    say(f"{passed} passed, {2 - passed} failed, 0 skipped")
    return 0 if passed == 2 else 1


if __name__ == "__main__":
    sys.exit(main())
