#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every relative link and anchor of the Markdown pages leads somewhere, and every page of docs/ that any file names is there.

    tests/system/docs/links.py          prints one line for each link that leads nowhere; the exit code is then 1"""
import functools
import os
import re
import subprocess
import sys

LINK = re.compile(r"\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
NAMED = re.compile(r"(?<![\w/.-])docs/[\w./-]+\.(?:md|svg)\b")


def slug(heading):
    """The anchor of a heading, as GitHub and mkdocs make it."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


def plain_lines(text):
    """(number, line) of the lines outside fenced blocks, without what stands in `backquotes`."""
    fenced = False
    for number, line in enumerate(text.split("\n"), 1):
        if re.match(r" *```", line):
            fenced = not fenced
        elif not fenced:
            yield number, re.sub(r"`[^`]*`", lambda found: "`" + "x" * (len(found[0]) - 2) + "`", line)


def headings(text):
    """(level, heading) in the page's order."""
    fenced = False
    for line in text.split("\n"):
        if re.match(r" *```", line):
            fenced = not fenced
        found = re.match(r"(#{1,6}) (.+)", line)
        if found and not fenced:
            yield len(found[1]), found[2].strip()


@functools.cache
def anchors(path):
    found = set()
    with open(path, encoding="utf-8") as page:
        text = page.read()
    for _, heading in headings(text):
        name, number = slug(heading), 0
        while name in found:
            number += 1
            name = f"{slug(heading)}-{number}"
        found.add(name)
    return found | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def tracked(top):
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=top, stdout=subprocess.PIPE, text=True, check=False)
    return [name for name in listed.stdout.split("\n") if name and os.path.isfile(os.path.join(top, name))]


def wrong_links(top, page):
    with open(os.path.join(top, page), encoding="utf-8") as file:
        text = file.read()
    for number, line in plain_lines(text):
        for target, anchor in LINK.findall(line):
            if re.match(r"[a-z]+:", target):
                continue
            path = os.path.normpath(os.path.join(os.path.dirname(page), target)) if target else page
            full = os.path.join(top, path)
            if not os.path.exists(full):
                yield f"{page}:{number}: links to '{target}', which is not there"
            elif anchor and path.endswith(".md") and anchor not in anchors(full):
                yield f"{page}:{number}: links to '{target}#{anchor}': {path} has no such heading"


def wrong_names(top, name):
    """Pages that help, errors, charts, manual pages, comments and tests name."""
    with open(os.path.join(top, name), "rb") as file:
        content = file.read()
    if b"docs/" not in content or b"\0" in content[:4096]:
        return
    for number, line in enumerate(content.decode("utf-8", "replace").split("\n"), 1):
        for path in NAMED.findall(line):
            if not os.path.exists(os.path.join(top, path)):
                yield f"{name}:{number}: names '{path}', which is not there"


def problems(top):
    names = tracked(top)
    found = [one for name in names if name.endswith(".md") for one in wrong_links(top, name)]
    return found + [one for name in names if not name.startswith("tests/fuzz/corpus/") for one in wrong_names(top, name)]


def links_lead_nowhere(top):
    """Every link, anchor and name of a page leads somewhere."""
    found = problems(top)
    return "; ".join(found[:5]) if found else None


if __name__ == "__main__":
    LIST = problems(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".."))
    print("\n".join(LIST), end="\n" if LIST else "")
    sys.exit(1 if LIST else 0)
