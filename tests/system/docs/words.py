# SPDX-License-Identifier: Apache-2.0
"""Words in `backquotes` that name something of ours: is it there?"""
import functools
import glob
import os
import re
import subprocess

import pages
import table

CLAIM = re.compile(r"^((make|man)( |$)|hack/|tests/|deploy/|crds/|cmd/|pkg/|docs/|holdfast(-agent|-delta)?( |$)|--[a-z])|^(sudo|systemctl|kubectl) .|^curl .*http")


def is_claim(text):
    return bool(CLAIM.match(text))


@functools.cache
def said(top, *argv):
    done = subprocess.run([os.path.join(top, "build", "release", argv[0]), *argv[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


@functools.cache
def options_of_all(top):
    """Every option that any program of ours says it has, and those that the manual pages show."""
    text = said(top, "holdfast-agent", "--help")[1] + said(top, "holdfast", "completion", "bash")[1]
    for folder in os.listdir(os.path.join(top, "cmd")):
        for name in os.listdir(os.path.join(top, "cmd", folder)):
            if re.search(r"\.[158]$", name):
                with open(os.path.join(top, "cmd", folder, name), encoding="utf-8") as page:
                    text += page.read().replace("\\-", "-")
    return set(re.findall(r"--[a-z][a-z0-9-]*", text))


def problem(top, page, text):
    """None, or what is wrong with these words."""
    first = text.split()[0]
    if first in ("sudo", "systemctl", "kubectl", "curl"):
        return None if text.startswith("kubectl holdfast") or table.row_of(page, pages.one_line(text)) else "no test runs this command"
    if first == "make":
        with open(os.path.join(top, "Makefile"), encoding="utf-8") as makefile:
            targets = set(re.findall(r"^([a-z0-9-]+):", makefile.read(), re.M))
        unknown = [word for word in text.split()[1:] if re.fullmatch(r"[a-z][a-z0-9-]*", word) and word not in targets]
        return f"make has no target '{unknown[0]}'" if unknown else None
    if first == "man":
        name = text.split()[-1]
        return None if glob.glob(os.path.join(top, "cmd", "*", f"{name}.[158]")) else f"no manual page '{name}'"
    if first.startswith("--"):
        return None if first.split("=")[0] in options_of_all(top) | {"--patch-from", "--set"} else f"no program of ours has the option {first}"
    if "/" in first:
        return None if os.path.exists(os.path.join(top, first)) else f"{first} is not there"
    return command_problem(top, text)


def command_problem(top, text):
    """`holdfast WORDS`: the command exists, with these options."""
    program, *rest = text.split()
    if program != "holdfast":
        return None
    names = [word for word in rest if re.fullmatch(r"[a-z]+", word)][:2]
    if not names or names[0] in ("help", "version", "completion"):
        return None
    found = next((command for command in (names, names[:1]) if said(top, "holdfast", "help", *command)[0] == 0), None)
    if found is None:
        return f"unknown command 'holdfast {' '.join(names)}'"
    unknown = [word.split("=")[0] for word in rest if word.startswith("--") and
               word.split("=")[0] not in said(top, "holdfast", "help", *found)[1]]
    return f"'holdfast {' '.join(found)}' has no option {unknown[0]}" if unknown else None
