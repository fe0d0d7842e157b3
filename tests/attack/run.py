#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks on the built agent: what a stolen cluster, a local user, an artifact server and a lying clock try.

    tests/attack/run.py [--list] [-v] [WORD...]      only attacks whose name contains one of the words
    tests/attack/run.py --tables | --page            the tables of docs/reference/attacks.md; write them into the page

Each function `attack_*` of a module beside this file is one attack. The first line of its docstring says what the attacker tries
and what must happen instead. An attack fails the suite if it works, that is if the function raises. HF_BUILD_DIR chooses the programs
(build/release); HF_PROGRAMS names a folder with the programs of another commit, which shows that an attack worked there."""
import argparse
import concurrent.futures
import glob
import importlib
import os
import shutil
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
JOBS = int(os.environ.get("HF_TEST_JOBS", "0")) or (os.cpu_count() or 1) + 3  # most of the time each waits
ALARM_S = float(os.environ.get("HF_ATTACK_S", "600"))

PAGE = os.path.join(TOP, "docs", "reference", "attacks.md")
MARKER = "<!-- below: tests/attack/run.py --page -->\n"

if "HF_PROGRAMS" in os.environ:
    os.environ["HF_BUILD_DIR"] = os.path.abspath(os.environ["HF_PROGRAMS"])
sys.path[1:1] = [HERE, os.path.join(TOP, "tests", "system", "fault"), os.path.join(TOP, "tests", "support")]


class Skip(Exception):
    """Raised by an attack that cannot run on this machine; its text is the reason."""


def attacks(words):
    """(module, name, title) of each chosen attack, in the order of modules and lines."""
    for path in sorted(glob.glob(os.path.join(HERE, "*.py"))):
        topic = os.path.basename(path)[:-3]
        if topic == "run":
            continue
        module = importlib.import_module(topic)
        named = [(value.__code__.co_firstlineno, name, value) for name, value in vars(module).items()
                 if name.startswith("attack_") and value.__module__ == topic]
        for _, name, value in sorted(named, key=lambda one: one[0]):
            full = f"{topic}.{name[len('attack_'):]}"
            if not words or any(word in full for word in words):
                yield topic, name, " ".join((value.__doc__ or "no description").split("\n\n")[0].split())


def tables():
    """The tables of docs/reference/attacks.md: one for each topic, under the first sentence of its module."""
    text, last = "", None
    for topic, name, title in attacks([]):
        if topic != last:
            about = " ".join((importlib.import_module(topic).__doc__ or "").split("\n\n")[0].split())
            text += f"\n## {topic}\n\n{plain(about)}\n\n| attack | what is tried; what must happen |\n|---|---|\n"
            last = topic
        text += f"| `{name[len('attack_'):]}` | {plain(title)} |\n"
    return text


def plain(text):
    """The text without meaning to Markdown."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("*", r"\*").replace("|", r"\|")


def write_page():
    """Write the tables into the page, below the marker."""
    with open(PAGE, encoding="utf-8") as file:
        head = file.read().split(MARKER)[0]
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(head + MARKER + tables())


def run_one(topic, name):
    """The attack in this process; the exit status says how it ended: 0 refused, 1 it worked, 2 skipped."""
    home = os.path.join(TOP, "build", "attack", f"{topic}.{name}")
    shutil.rmtree(home, ignore_errors=True)
    os.makedirs(home)
    try:
        getattr(importlib.import_module(topic), name)(home)
    except Exception as error:  # pylint: disable=broad-except
        if type(error).__name__ == "Skip":
            print(error)
            return 2
        traceback.print_exc(file=sys.stdout)
        return 1
    return 0


def run_apart(attack):
    """The attack in a process of its own, so that what it changes in its process ends with it."""
    topic, name, _ = attack
    began = time.monotonic()
    try:
        done = subprocess.run([sys.executable, os.path.abspath(__file__), "--one", topic, name], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=ALARM_S, check=False)
        return done.returncode, done.stdout, time.monotonic() - began
    except subprocess.TimeoutExpired as late:
        return 1, f"{(late.stdout or b'').decode(errors='replace')}\nended after {ALARM_S:.0f} s\n", ALARM_S


def main():
    if sys.argv[1:2] == ["--one"]:
        return run_one(*sys.argv[2:4])
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--list", action="store_true", help="print names and titles only")
    parser.add_argument("-v", action="store_true", help="print the output of attacks that were refused, too")
    parser.add_argument("words", nargs="*")
    parser.add_argument("--tables", action="store_true", help="print the tables of docs/reference/attacks.md")
    parser.add_argument("--page", action="store_true", help="write the tables into docs/reference/attacks.md")
    words = parser.parse_args()
    if words.tables:
        print(tables(), end="")
        return 0
    if words.page:
        write_page()
        return 0
    chosen = list(attacks(words.words))
    if words.list:
        for topic, name, title in chosen:
            print(f"| {topic}.{name[len('attack_'):]} | {title} |")
        return 0
    counts = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(max_workers=JOBS) as pool:
        for (topic, name, title), (code, output, took_s) in zip(chosen, pool.map(run_apart, chosen)):
            code = code if code in (0, 2) else 1
            counts[code] += 1
            full = f"{topic}.{name[len('attack_'):]}"
            if code == 2:
                print(f"SKIP: {full}: {output.strip()}")
            else:
                print(f"  {('ok  ', 'FAIL')[code]}  {full}: {title} ({took_s:.1f} s)")
            if code == 1 or words.v:
                print(output[-6000:])
            sys.stdout.flush()
    print(f"{counts[0]} passed, {counts[1]} failed, {counts[2]} skipped")
    return 1 if counts[1] else 0


if __name__ == "__main__":
    sys.exit(main())
