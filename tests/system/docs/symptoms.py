# SPDX-License-Identifier: Apache-2.0
"""docs/reference/symptoms.md and metrics-and-events.md: what a reader may see, what it means, what to do. Their tables come from the code and the manual pages; where
the code has no remedy, the page's own one stays, and none may be empty. `run.py --write` brings the pages up to date."""
import os
import re

PAGES = [os.path.join("docs", "reference", name) for name in ("symptoms.md", "metrics-and-events.md")]
BLOCK = re.compile(r"<!-- (\w+): from (\S+) by tests/system/docs/run\.py --write -->\n(.*?)<!-- end of \1 -->", re.S)
MISSING = "(what to do is missing)"


def read(top, path):
    with open(os.path.join(top, path), encoding="utf-8") as file:
        return file.read()


def rows_of(text, macro=None):
    """The texts of each row X(constant, "text", ...) of a list in a header, of the list `macro` alone if it is given."""
    text = re.sub(r"/\*.*?\*/|\\\n\s*", " ", text, flags=re.S)
    if macro:
        text = re.search(rf"#define {macro}\(X\)(.*?)\n", text)[1]
    for row in re.findall(r'X\(\w+,((?:\s*(?:[A-Z_]+|"(?:[^"\\]|\\.)*"),?)+)\)', text):
        joined = re.sub(r'"\s+"', "", row)
        yield re.findall(r'"((?:[^"\\]|\\.)*)"', joined)


def table(head, rows):
    return "\n".join(["", "| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows), "", ""])


def kept(old):
    """{name: what to do} that the page has."""
    return {name: cells.split(" | ")[-1] for name, cells in re.findall(r"^\| `([^`]+)` \| (.*) \|$", old, re.M)}


def updates(top, path, _):
    names = re.findall(r'X\((\w+),\s*[A-Z]+,\s*"((?:[^"\\]|\\.)*)",\s*"((?:[^"\\]|\\.)*)"\)', re.sub(r"/\*.*?\*/|\\\n\s*", " ", read(top, path), flags=re.S))
    return table(("reason", "what it means", "what to do"), [(f"`{name}`", meaning, remedy) for name, meaning, remedy in names if name != "None"])


def manifests(top, path, old):
    had = kept(old)
    return table(("reason", "what it means", "what to do"), [(f"`{name}`", meaning, had.get(name, MISSING))
                                                             for name, meaning in rows_of(read(top, path), "HF_MANIFEST_REASONS") if name])


def contact(top, path, _):
    return table(("reason", "what to do"), [(f"`{name}`", remedy) for name, remedy in rows_of(read(top, path))])


def hostlife(top, path, _):
    return table(("reason", "what it means and what to do"), [(f"`{name}`", meaning) for name, meaning in rows_of(read(top, path), "HF_HOSTLIFE_REASONS")])


def verdicts(top, path, old):
    """The reasons that pages and `holdfast top` add to those of the node; the page has the texts."""
    had = dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", old, re.M))
    names = sorted(set(re.findall(r'HF_UI_(?:BAD|WAIT),\s*"(\w+)"', read(top, path))))
    return table(("reason", "what it means", "what to do"), [(f"`{name}`", had.get(name, f"{MISSING} | {MISSING}")) for name in names])


def plain(lines):
    """A paragraph of a manual page as Markdown."""
    words = []
    for line in lines:
        if line.startswith((".BR ", ".B ", ".IR ", ".I ")):
            first, *rest = re.findall(r'"[^"]*"|\S+', line.split(" ", 1)[1])
            if line.startswith((".B ", ".I ")):
                line = "`" + line.split(" ", 1)[1].strip('"') + "`"
            else:
                line = "`" + first.strip('"') + "`" + "".join(rest).replace('"', "").strip()
        words.append(line)
    return re.sub(r"\\f[BIRP]", "", " ".join(words)).replace("\\-", "-").replace("\\(aq", "'").replace("|", r"\|").strip()


def named(line):
    """The name of a paragraph: .BI and its like join their words, .B and .I keep the blanks."""
    macro, rest = line.split(" ", 1)
    words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', rest)]
    return ("" if len(macro) == 3 else " ").join(words).replace(" {", "{").replace("\\-", "-").replace("\\", "")


def paragraphs(top, path, section):
    """(name, text) of each .TP of a section."""
    text = read(top, path).split(f"\n.SH {section}\n")[1].split("\n.SH ")[0]
    for one in ("\n" + text).split("\n.TP\n")[1:]:
        name, *lines = one.split("\n")
        yield named(name), plain(lines)


def conditions(top, path, _):
    return table(("condition", "what it means and what to do"), [(f"`{name}`", text) for name, text in paragraphs(top, path, "CONDITIONS")])


def exits(top, path, _):
    return table(("exit code", "what it means"), [(name, text) for name, text in paragraphs(top, path, "EXIT STATUS")])


def events(top, path, _):
    rows = [re.fullmatch(r"(\S+) \((.*)\)", name) for name, _ in paragraphs(top, path, "LOG EVENTS")]
    texts = [text for _, text in paragraphs(top, path, "LOG EVENTS")]
    return table(("event", "level", "what it means and what to do"), [(f"`{row[1]}`", row[2], text) for row, text in zip(rows, texts) if row])


def metrics(top, path, _):
    sections = re.findall(r"^\.SH (METRICS.*)$", read(top, path), re.M)
    return table(("metric", "what it says"), [(f"`{name}`", text) for section in sections for name, text in paragraphs(top, path, section)])


def wanted(top, page):
    """The page as it should be."""
    def fresh(found):
        begin, end = found[0].split("\n", 1)[0], f"<!-- end of {found[1]} -->"
        return f"{begin}\n{globals()[found[1]](top, found[2], found[3])}{end}"
    return BLOCK.sub(fresh, read(top, page))


def symptoms_differ(top):
    """docs/reference/symptoms.md has every reason, condition and exit code, each with what to do; metrics-and-events.md the rest."""
    for page in PAGES:
        text = read(top, page)
        if MISSING in text:
            return f"{page}: a reason has no remedy: look for '{MISSING}'"
        if text != wanted(top, page):
            return f"{page}: its tables are not those of the code: run tests/system/docs/run.py --write"
    return None


def write(top):
    for name in PAGES:
        text = wanted(top, name)
        with open(os.path.join(top, name), "w", encoding="utf-8") as page:
            page.write(text)
