#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run every command and example of the README, docs/, the other pages and the manual pages, as a reader would.

    tests/system/docs/run.py [--list] [--write] [--verbose] [PAGE ...]      default: all pages; programs of build/release are installed

Each page is run from top to bottom in a scratch root of its own (tests/system/docs/scratch-root): its commands with the installed
programs, its YAML by `holdfast lint` and a running agent, its JSON by a parser. Words in `backquotes` of the pages for users
are looked up: commands, options, targets of make, files. tests/system/docs/table.py says what is run how. --list shows that,
--verbose what each command printed;
--write brings the tables of docs/reference/symptoms.md up to date. Ends with "N passed, N failed, N skipped".
"""
import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import extending  # noqa: E402
import install  # noqa: E402
import links  # noqa: E402
import notice  # noqa: E402
import pages  # noqa: E402
import symptoms  # noqa: E402
import table  # noqa: E402
import words  # noqa: E402
import world as worlds  # noqa: E402

TOP = worlds.TOP
KINDS = ("sh", "output", "yaml", "json", "text", "http", "ini")
SLOW_S = 5                                                     # what takes longer is named
ON_THE_CLUSTER = ("install", "install-host", "host-credentials", "release", "hold", "failed-update", "keys", "remove")      # their commands run there, too
LIMIT_S = float(os.environ.get("HF_DOCS_LIMIT_S", "600"))      # of a page; an hour would be a failure too


def alike(line):
    """A line of output without what differs from run to run."""
    line = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z|\b[0-9a-f]{12,64}\b", "@", line)
    return re.sub(r"\s+", " ", re.sub(r"\d+(\.\d+)?(?![.\d])", "#", line)).strip()


# ---- in the scratch root ------------------------------------------------------------------------------------------------------

class Page:
    """One page from top to bottom. Each command is run by a shell of its own; folder and variables go on."""

    def __init__(self, name):
        self.name, self.blocks = name, pages.read(TOP, name)
        self.earlier = [block for page in pages.before(TOP, name) for block in pages.read(TOP, page) if block.kind == "sh"]
        text = "\n".join(block.text for block in self.earlier + self.blocks)
        self.world = worlds.World(text)
        self.objects, self.said = 0, ""

    def run(self):
        for command in [one for block in self.earlier for one in block.commands()]:
            self.command(command)
        for block in self.blocks:
            if block.kind == "sh":
                for command in block.commands():
                    self.judge(command, self.command)
            elif block.kind in ("output", "yaml", "json"):
                self.judge(block, getattr(self, block.kind))

    def judge(self, block, act):
        began, before, self.said = time.monotonic(), self.said, ""
        try:
            act(block, *([before] if block.kind == "output" else []))
            problem = None
        except (AssertionError, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
            problem = f"{type(error).__name__ if not isinstance(error, AssertionError) else ''} {error}".strip()
        print(json.dumps({"place": block.place(), "what": pages.one_line(block.text)[:100], "problem": problem,
                          "seconds": round(time.monotonic() - began, 1), "output": self.said[:4000]}), flush=True)

    def command(self, block):
        text, row = block.text, table.row_of(block.page, pages.one_line(block.text))
        assert row, "no test runs this command: give it a row in tests/system/docs/table.py"
        if row.how in ("cluster", "none"):
            return
        if row.how == "elsewhere":
            assert os.access(os.path.join(TOP, row.why), os.X_OK), f"{row.why} is not there"
            return
        if row.how == "dry":
            self.dry(text)
            return
        if row.how == "changed":
            changed = re.sub(*row.change, text, count=1)
            assert changed != text, f"the row changes '{row.change[0]}', which is not in the command"
            text = changed
        if row.before:
            row.before(self.world)
        output = self.shell(text, row.code)
        assert re.search(row.expect, output), f"nothing printed matches '{row.expect}': {output[-600:]}"
        if row.after:
            row.after(self.world, output)

    def dry(self, text):
        """Targets of make and programs are there."""
        for part in text.split("&&"):
            problem = words.problem(TOP, self.name, part.strip())
            assert problem is None, problem

    def shell(self, text, codes):
        state = "/tmp/shell.state"
        script = f'[ ! -e {state} ] || . {state}\nset -a\n{text}\ncode=$?\n{{ declare -px; printf "cd %q\\n" "$PWD"; }} >{state}\nexit $code\n'
        done = subprocess.run(["bash", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", env=self.world.env, check=False, timeout=LIMIT_S)
        self.said += done.stdout
        assert done.returncode in codes, f"exit code {done.returncode}: {done.stdout.strip()[-1500:]}"
        return done.stdout

    def yaml(self, block):
        """Ours: linted without a word, and taken by a running agent. Others: it is YAML."""
        import yaml  # pylint: disable=import-outside-toplevel
        documents = [one for one in yaml.load_all(block.text, Loader=yaml.CSafeLoader) if one is not None]
        ours = [one for one in documents if str(one.get("apiVersion", "")).startswith("edge.codcompass.io/") and one.get("kind") != "EdgeNode"]
        if not ours:
            assert documents, "nothing is in it"
            return
        worlds.write("/tmp/example.yaml", block.text + "\n")
        self.shell("holdfast lint --strict /tmp/example.yaml", (0,))
        if any(one["kind"] == "AgentConfiguration" for one in ours):  # of the node, not of the cluster
            self.shell("install -D -m 0644 /tmp/example.yaml /etc/holdfast/example.yaml && "
                       "holdfast-agent --config /etc/holdfast/example.yaml --check-config", (0,))
            return
        self.world.agent()
        had, refused = self.world.known()
        self.objects += 1
        self.world.apply(block.text + "\n", f"example-{self.objects}")
        worlds.wait("the agent to take the example", lambda: self.world.known()[0] >= had + len(ours))
        assert self.world.known()[1] == refused, "the agent refused it"

    def output(self, block, said):
        """What the command before printed: the same lines, but for numbers, times, hashes and widths of columns."""
        for line in [one for one in block.text.split("\n") if one.strip() not in ("", "...")]:
            assert alike(line) in map(alike, said.split("\n")), f"'{line.strip()}' was not printed; this was: {said.strip()[-1500:]}"

    def json(self, block):
        """One value, or one on each line."""
        try:
            json.loads(block.text)
        except ValueError:
            for line in block.text.strip().split("\n"):
                json.loads(line)


# ---- outside ------------------------------------------------------------------------------------------------------------------

def samples():
    """The program that the pages bring from version to version: built once; for the other architecture only its header says so."""
    other = {"amd64": ("arm64", 183), "arm64": ("amd64", 62)}[table.ARCH]
    os.makedirs(worlds.SAMPLES, exist_ok=True)
    for version, revision, *flags in (("1.4.0", 1), ("1.4.1", 2), ("1.4.2", 3), ("1.5.0", 4, "-DBROKEN")):
        path = os.path.join(worlds.SAMPLES, f"{version}-{table.ARCH}")
        if not os.path.exists(path):
            subprocess.run([os.environ.get("CC", "cc").split()[-1], "-O1", f'-DVERSION="{version}"', f"-DREVISION={revision}", *flags,
                            "-o", path + ".new", os.path.join(TOP, "tests", "support", "programs", "edge-sample.c")], check=True)
            os.rename(path + ".new", path)
        with open(path, "rb") as file:
            content = bytearray(file.read())
        content[18:20] = other[1].to_bytes(2, "little")
        with open(os.path.join(worlds.SAMPLES, f"{version}-{other[0]}"), "wb") as file:
            file.write(content)


def installed():
    """What `make install` installs: made once, for each page's scratch root gets a copy, and the pages that say `make install` run it."""
    shutil.rmtree(worlds.INSTALLED, ignore_errors=True)
    subprocess.run(["make", "-s", "install", f"DESTDIR={worlds.INSTALLED}"], cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)


def in_scratch_root(page):
    """[{place, what, problem, seconds}] of a page's examples; a text when there is no scratch root here."""
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run([os.path.join(HERE, "scratch-root"), TOP, "python3", os.path.abspath(__file__), "--inside", page],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True, check=False)
        said.seek(0)
        if done.returncode == 125:
            return said.read().strip() or "there is no scratch root here"
        results = [json.loads(line) for line in done.stdout.split("\n") if line.startswith("{")]
        if done.returncode != 0:
            results.append({"place": page, "what": "the page", "problem": f"exit code {done.returncode}: {said.read().strip()[-3000:]}",
                            "seconds": 0})
    return results


def examine(page):
    blocks = pages.read(TOP, page)
    results = []
    for block in blocks:
        if pages.for_users(page) and block.kind not in (*KINDS, "span"):
            results.append({"place": block.place(), "what": "a block", "seconds": 0,
                            "problem": f"'{block.kind}' does not say what it is; a block is one of: {', '.join(KINDS)}"})
        elif pages.for_users(page) and block.kind == "span" and words.is_claim(block.text):
            results.append({"place": block.place(), "what": block.text, "seconds": 0, "problem": words.problem(TOP, page, block.text)})
    if any(block.kind in ("sh", "yaml", "json") for block in blocks):
        ran = in_scratch_root(page)
        if isinstance(ran, str):
            return results, ran
        results += ran
    return results, None


def show(names):
    """How each command is run."""
    for page in names:
        for block in [one for block in pages.read(TOP, page) if block.kind == "sh" for one in block.commands()]:
            row = table.row_of(page, pages.one_line(block.text))
            print(f"{block.place():28} {row.how if row else 'NO ROW':10} {pages.one_line(block.text)[:90]}{'  # ' + row.why if row and row.why else ''}")


def short_enough(top):
    """README.md has at most 130 lines: what is longer belongs to docs/."""
    with open(os.path.join(top, "README.md"), encoding="utf-8") as page:
        lines = len(page.readlines())
    return f"README.md has {lines} lines, at most 130: move a part of it to docs/" if lines > 130 else None


def rows_of(top, path, name):
    """The table `name` of a test, which is not imported for it: its pattern and its place, row by row."""
    with open(os.path.join(top, path), encoding="utf-8") as file:
        return next(ast.literal_eval(one.value) for one in ast.parse(file.read()).body
                    if isinstance(one, ast.Assign) and one.targets[0].id == name)


def same_on_the_cluster(top, page, path):
    """What differs between the commands of a page and the STEPS of the test that runs them, or None."""
    path = os.path.join("tests", "system", "e2e", "lib", path)
    steps = rows_of(top, path, "STEPS")
    commands = [one for block in pages.read(top, page) if block.kind == "sh" for one in block.commands()]
    for number, command in enumerate(commands):
        line = pages.one_line(command.text)
        if number >= len(steps) or not re.fullmatch(steps[number][0], line, re.S):
            return f"{command.place()}: {line[:80]}: the STEPS of {path} do not have this command here"
    return f"{path}: {page} has no command for '{steps[len(commands)][0]}'" if len(steps) > len(commands) else None


def rollouts_on_the_cluster(top):
    """tests/system/e2e/lib/rollout_page.py runs the commands of docs/how-to/rollouts.md, all of them and no others, in the page's order."""
    return same_on_the_cluster(top, "docs/how-to/rollouts.md", "rollout_page.py")


def k3s_on_the_cluster(top):
    """tests/system/e2e/lib/k3s_page.py runs the commands of docs/how-to/upgrade-k3s.md, all of them and no others, in the page's order."""
    return same_on_the_cluster(top, "docs/how-to/upgrade-k3s.md", "k3s_page.py")


def on_the_cluster(top):
    """Each command that has a stand-in here is known to tests/system/e2e/test_docs.py, which runs it with the real program."""
    path = os.path.join("tests", "system", "e2e", "test_docs.py")
    where = rows_of(top, path, "WHERE")
    for page in ("README.md", *(f"docs/how-to/{name}.md" for name in ON_THE_CLUSTER)):
        for command in [one for block in pages.read(top, page) if block.kind == "sh" for one in block.commands()]:
            line = pages.one_line(command.text)
            row = table.row_of(page, line)
            known = next((place for pattern, place in where if re.fullmatch(pattern, line, re.S)), None)
            if row and row.how in ("standin", "cluster") and not known:
                return f"{command.place()}: {line[:80]}: {path} does not run it"
    return None


def navigation_is_old(top):
    """hack/docs-nav: navigation, contents, sizes, and the ways of the index's questions."""
    done = subprocess.run([os.path.join(top, "hack", "docs-nav"), "--check"], stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout.strip() or (f"hack/docs-nav: exit code {done.returncode}" if done.returncode else None)


def report(name, results, missing, verbose):
    """What a page's examples came to; (passed, failed, skipped)."""
    bad = [one for one in results if one["problem"]]
    print(f"  {'FAIL' if bad else 'skip' if missing else 'ok  '}  {name}: {len(results) - len(bad)} examples"
          f"{f', {len(bad)} failed' if bad else ''}, {sum(one['seconds'] for one in results):.0f} s", flush=True)
    for one in [one for one in results if verbose and one.get("output")]:
        print(f"        {one['place']}: {one['what']}\n" + textwrap.indent(one["output"].strip(), " " * 12))
    for one in [one for one in results if one["seconds"] >= SLOW_S]:
        print(f"        {one['seconds']:.0f} s  {one['place']}: {one['what']}")
    for one in bad:
        print(f"        {one['place']}: {one['what']}\n            {one['problem']}")
    if missing:
        print(f"SKIP: {name}: {missing}")
    return len(results) - len(bad), len(bad), 1 if missing else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="also what each command printed")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    parser.add_argument("pages", nargs="*")
    options = parser.parse_args()
    if options.inside:
        try:
            Page(options.inside).run()
        except AssertionError as error:
            sys.exit(str(error))
        return 0
    names = options.pages or pages.tracked(TOP)
    if options.write:
        symptoms.write(TOP)
        return 0
    if options.list:
        show(names)
        return 0
    import concurrent.futures  # pylint: disable=import-outside-toplevel  # not in each scratch root
    samples()
    installed()
    counts = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for name, (results, missing) in zip(names, pool.map(examine, names)):
            if results or missing:
                counts = [had + new for had, new in zip(counts, report(name, results, missing, options.verbose))]
    if not options.pages:
        for check in (short_enough, links.links_lead_nowhere, navigation_is_old, symptoms.symptoms_differ, extending.extending_differs, on_the_cluster, rollouts_on_the_cluster, k3s_on_the_cluster, *install.CHECKS,
                      *notice.CHECKS):
            found = check(TOP)
            counts[1 if found else 0] += 1
            print(f"  {'FAIL' if found else 'ok  '}  {found or check.__doc__.splitlines()[0]}")
    print(f"{counts[0]} passed, {counts[1]} failed, {counts[2]} skipped")
    return 1 if counts[1] else 0


if __name__ == "__main__":
    sys.exit(main())
