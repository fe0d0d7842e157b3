# SPDX-License-Identifier: Apache-2.0
"""What the pages of this repository show: commands and examples, each with its place.

A Markdown page has fenced blocks, named by their language (sh, yaml, json, text), and words in `backquotes`. A manual page has
blocks between .nf and .fi; words in bold are its options, which tests/unit/cli holds against the program."""
import os
import re
import subprocess

FENCE = re.compile(r"^ *```(\S*) *$")
HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
ROFF = [(r"\-", "-"), (r"\e", "\\"), (r"\(aq", "'"), (r"\(dq", '"'), (r"\&", ""), (r"\ ", " ")]


class Block:
    """An example: its kind (sh, yaml, json, text, or ""), the page, the line of its first line, its text."""

    def __init__(self, page, line, kind, text):
        self.page, self.line, self.kind, self.text = page, line, kind, text

    def place(self):
        return f"{self.page}:{self.line}"

    def commands(self):
        """Each command of a sh block as a block of its own: continued lines and here-documents belong to it."""
        found, held, start, end = [], [], 0, None
        for number, line in enumerate(self.text.split("\n"), self.line):
            if not held and end is None and (not line.strip() or line.lstrip().startswith("#")):
                continue
            start = start if held else number
            held.append(line)
            if end is None:
                document = HEREDOC.search(line)
                end = document.group(2) if document else None
                if end is None and not line.endswith(("\\", "|", "&&", "||")) and balanced("\n".join(held)):
                    found.append((start, held))
                    held = []
            elif line.strip() == end:
                found.append((start, held))
                held, end = [], None
        if held:
            found.append((start, held))
        return [Block(self.page, line, "command", without_comment("\n".join(lines))) for line, lines in found]


def balanced(text):
    """Whether no quotation is open at the end."""
    quote = None
    for at, letter in enumerate(text):
        if quote:
            quote = None if letter == quote else quote
        elif letter == "#" and (at == 0 or text[at - 1].isspace()):
            return True
        elif letter in "'\"":
            quote = letter
    return quote is None


def without_comment(text):
    """A command without the comment behind it; `#` inside quotes or words is none."""
    if "\n" in text and HEREDOC.search(text.split("\n", 1)[0]):
        return text
    out, quote = "", None
    for at, letter in enumerate(text):
        if quote:
            quote = None if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "#" and (at == 0 or text[at - 1].isspace()):
            out += "\0"
        if letter == "\n" or (letter in ")" and not quote):
            out += letter if "\0" not in out.rsplit("\n", 1)[-1] else "\n" if letter == "\n" else ""
        elif "\0" not in out.rsplit("\n", 1)[-1]:
            out += letter
    return out.replace("\0", "").strip()


def one_line(text):
    """A command as rows of the table name it: continued lines joined, blanks single."""
    return re.sub(r"\s+", " ", text.replace("\\\n", " ")).strip()


def markdown(page, text):
    blocks, inside = [], None
    for number, line in enumerate(text.split("\n"), 1):
        fence = FENCE.match(line)
        if inside is None and fence:
            inside = (fence.group(1), number + 1, [])
        elif inside is not None and line.strip() == "```":
            blocks.append(Block(page, inside[1], inside[0], "\n".join(inside[2])))
            inside = None
        elif inside is not None:
            inside[2].append(line)
        else:
            blocks += [Block(page, number, "span", word) for word in SPAN.findall(line)]
    return blocks


def plain(line):
    """A line of roff as it is printed."""
    for escape, letter in ROFF:
        line = line.replace(escape, letter)
    return re.sub(r"\\f[BIRP]|\\fR", "", line)


def manual(page, text):
    blocks, held, start = [], None, 0
    for number, line in enumerate(text.split("\n"), 1):
        if line == ".nf":
            held, start = [], number + 1
        elif line == ".fi" and held is not None:
            indent = min((len(one) - len(one.lstrip()) for one in held if one.strip()), default=0)
            blocks.append(Block(page, start, kind_of(held), "\n".join(one[indent:] for one in held)))
            held = None
        elif held is not None:
            held.append(plain(line))
    return blocks


def kind_of(lines):
    """What a block of a manual page is, by its first line: these blocks have no names."""
    first = next((line.strip() for line in lines if line.strip()), "")
    return "yaml" if first.startswith("apiVersion:") else "json" if first.startswith(("{", "[")) else "sh"


def tracked(top):
    """Every page: Markdown anywhere, manual pages of the programs; files that are not yet added too."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=top, stdout=subprocess.PIPE, text=True, check=False)
    names = listed.stdout.split("\n") if listed.returncode == 0 else walk(top)
    return sorted(name for name in names if re.search(r"\.md$|^cmd/[^/]+/[^/]+\.[158]$", name) and os.path.isfile(os.path.join(top, name)))


def walk(top):
    """Without git, as in an unpacked archive: all files but what was built."""
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if name not in ("build", ".git")]
        yield from (os.path.relpath(os.path.join(folder, name), top) for name in files)


def read(top, page):
    with open(os.path.join(top, page), encoding="utf-8") as file:
        text = file.read()
    return markdown(page, text) if page.endswith(".md") else manual(page, text)


def before(top, page):
    """The pages on whose end a page builds: those that its comment <!-- after: PAGE --> names, and theirs."""
    with open(os.path.join(top, page), encoding="utf-8") as file:
        names = re.findall(r"^<!-- after: (\S+) -->$", file.read(), re.M)
    return [one for name in names for one in (*before(top, name), name)]


def for_users(page):
    """Pages whose words in backquotes are checked too."""
    return page == "README.md" or page.startswith("docs/")
