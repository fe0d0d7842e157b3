# SPDX-License-Identifier: Apache-2.0
"""docs/EXTENDING.md: each step's file exists and has the words that the step names; no section is longer than it promises."""
import os
import re

PAGE = os.path.join("docs", "EXTENDING.md")


def sections(text):
    """(heading, body) of each section."""
    return re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.M | re.S)


def steps(body):
    """The words in `backquotes` of each numbered step, the file first."""
    return [re.findall(r"`([^`]+)`", step) for step in re.findall(r"^\d+\. (.*?)(?=^\d+\. |^\S|\Z)", body, re.M | re.S)]


def wrong_step(top, step):
    """None, or what is wrong with one step. A later word with a slash is another file, whose words are not looked up."""
    name, *words = step
    path = os.path.join(top, name)
    if not os.path.isfile(path):
        return f"{name} is not there"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    elsewhere = ""
    for other in (word for word in words if "/" in word):
        if not os.path.isfile(os.path.join(top, other)):
            return f"{other} is not there"
        with open(os.path.join(top, other), encoding="utf-8") as file:
            elsewhere += file.read()
    missing = [word for word in words if "/" not in word and word not in text + elsewhere]
    return f"{name} has no '{missing[0]}'" if missing else None


def wrong_section(top, heading, body):
    bound = re.search(r"At most (\d+) files", body)
    found = steps(body)
    if not bound or not found:
        return f"'{heading}' has no bound or no steps"
    if len({step[0] for step in found}) > int(bound.group(1)):
        return f"'{heading}' has {len(found)} files; at most {bound.group(1)} are promised"
    return next((f"'{heading}': {problem}" for problem in (wrong_step(top, step) for step in found) if problem), None)


def extending_differs(top):
    """docs/EXTENDING.md names files and words that are there."""
    with open(os.path.join(top, PAGE), encoding="utf-8") as page:
        found = sections(page.read())
    if len(found) < 3:
        return f"{PAGE} has {len(found)} sections; health check, telemetry source and SyncPolicy field are due"
    return next((f"{PAGE}: {problem}" for problem in (wrong_section(top, *section) for section in found) if problem), None)


if __name__ == "__main__":
    import sys
    sys.exit(extending_differs(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")))
