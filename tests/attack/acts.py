# SPDX-License-Identifier: Apache-2.0
"""Attacks on the acts of a node's page, of local users, of web pages in a browser on the node, and with a token that was seen."""
import json
import os
import re
import subprocess

from config import configure
from lab import PATIENCE_S, PROGRAMS, wait
from local import Local, need_root

HOLD = {"act": "Hold", "reason": "an attack", "confirmed": True}


class Page(Local):
    """A node whose owner allows acts, with the journal's entries of acts."""

    def __init__(self, home, page="Act"):
        self.file = None
        self.allows = page
        super().__init__(home)

    def start(self, *more):
        self.file = configure(self.node, f"page: {self.allows}\n")
        super().start("--config", self.file, *more)

    def token(self):
        done = subprocess.run([os.path.join(PROGRAMS, "holdfast"), "node", "page", "--no-code", "--run-dir", self.run_dir],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=True)
        return re.fullmatch(r"http://127\.0\.0\.1:9090/#token=([0-9a-f]{64})\n", done.stdout)[1]

    def act(self, body=None, token=None, **headers):
        headers = {"Content-Type": "application/json", **({"X-Holdfast-Token": token} if token is not None else {}),
                   **{name.replace("_", "-"): value for name, value in headers.items()}}
        text = body if isinstance(body, (bytes, str)) else json.dumps(HOLD if body is None else body)
        return self.ask(self.metrics, "POST", "/page/act", text, headers, 60)

    def held(self):
        return os.path.exists(self.node.place("state", "hold"))

    def entries(self):
        lines = self.node.holdfast("node", "journal", "--json", "--kind", "PageAct", "--kind", "PageRefused", "--state-dir", self.node.place("state")).splitlines()
        return [json.loads(line) for line in lines]


def refused(page, what, status, want):
    assert status[0] == want, f"{what}: {status}"
    assert not page.held(), f"{what}: the node is on hold"


def attack_without_the_owner(home):
    """Root's token is there, but agent.yaml does not have page: Act: no act, also after a mistake there."""
    for i, allows in enumerate(("Read", "None", "act")):
        page = Page(os.path.join(home, str(i)), allows)
        try:
            refused(page, allows, page.act(token=page.token()), 403)
        finally:
            page.end()


def attack_a_web_page(home):
    """A web page in a browser on the node acts: by a form, with a foreign Origin or Host, by preflight, with the token in the URL or a cookie."""
    page = Page(home)
    try:
        token = page.token()
        for what, headers in (("another site", {"Origin": "http://evil.example"}), ("a sandboxed frame", {"Origin": "null"}),
                              ("another port", {"Origin": "http://127.0.0.1:8080"}), ("a rebound name", {"Host": "evil.example"}),
                              ("a rebound name as its own origin", {"Host": "evil.example", "Origin": "http://evil.example"})):
            refused(page, what, page.act(token=token, **headers), 403)
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain; application/json"):
            refused(page, kind, page.act(token=token, Content_Type=kind), 415)
        refused(page, "a cookie", page.act(Cookie=f"token={token}; X-Holdfast-Token={token}"), 401)
        status, _ = page.ask(page.metrics, "POST", f"/page/act?token={token}", json.dumps(HOLD), {"Content-Type": "application/json"})
        refused(page, "the URL", (status,), 401)
        for method in ("OPTIONS", "GET", "PUT"):
            refused(page, method, page.ask(page.metrics, method, "/page/act", None, {"X-Holdfast-Token": token}), 405)
        assert page.act(token=token)[0] == 200 and page.held(), "the page itself cannot act"
    finally:
        page.end()


def attack_the_token(home):
    """A local user guesses tokens, reads the file, puts one there, uses an old one; he does not lock others out, and the journal names him."""
    need_root()
    page = Page(home)
    try:
        path = os.path.join(page.run_dir, "page-token")
        refused(page, "no token was made", page.act(token="0" * 64), 403)
        old = page.token()
        token = page.token()
        info = os.stat(path)
        assert (info.st_mode & 0o777, info.st_uid) == (0o600, 0), oct(info.st_mode)
        os.seteuid(65534)
        try:
            refused(page, "an old token", page.act(token=old), 403)
            for wrong in (token[:-1], token + "0", "0" * 64, token.upper() if token != token.upper() else "1" * 64):
                refused(page, "nearly", page.act(token=wrong), 403)
            refused(page, "a sixth guess", page.act(token=token), 429)
        finally:
            os.seteuid(0)
        assert page.act({"act": "Verify"}, token)[0] == 200, "one user's guesses lock out another"
        with open(path, "rb") as file:
            text = file.read()
        for what, change in (("readable for others", lambda: os.chmod(path, 0o640)), ("somebody's", lambda: os.chown(path, 65534, 65534)),
                             ("a link", lambda: (os.rename(path, path + ".real"), os.symlink(path + ".real", path)))):
            change()
            refused(page, what, page.act(token=token), 403)
            if os.path.islink(path):
                os.unlink(path)
            with open(path, "wb") as file:
                file.write(text)
            os.chown(path, 0, 0)
            os.chmod(path, 0o600)
        assert page.act(token=token)[0] == 200 and page.held(), "the token does not act"
        wait("the journal", lambda: any(one["reason"] == "TokenWrong" for one in page.entries()) and any(one["reason"] == "Done" for one in page.entries()), 30)
        said = json.dumps(page.entries())
        assert "uid 0 by the page" in said and "uid 65534 by the page" in said and token not in said and old not in said, said
        for folder in (page.node.place("state"), page.run_dir):
            found = subprocess.run(["grep", "-rl", token, folder], stdout=subprocess.PIPE, text=True, check=False).stdout.split()
            assert all(one.startswith(path) for one in found), found
    finally:
        page.end()


def attack_the_body(home):
    """Somebody with the token asks for more than acts: options, paths, names that are none, long and strange bodies. Nothing but acts runs."""
    page = Page(home)
    try:
        token = page.token()
        for body in ({"act": "Hold", "reason": ""}, {"act": "Hold"}, {"act": "Hold", "reason": "a\nb"}, {"act": "Hold", "reason": "x" * 128},
                     {"act": "Hold", "reason": "x", "for": "--release"}, {"act": "Hold", "reason": "x", "stateDir": "/etc"}, {"act": "Verify", "reason": "x"},
                     {"act": "RollBack", "reason": "x", "release": "--undo"}, {"act": "RollBack", "reason": "x", "release": "../../etc"},
                     {"act": "RollBack", "reason": "x", "release": "-x"}, {"act": "Shell"}, {"act": 1}, {"act": "Hold", "reason": ["x"]}, [], "{", "",
                     '{"act":"Hold","act":"Verify","reason":"x"}', '{"act":"Hold","reason":"\\u0000"}', "[" * 1000):
            refused(page, body, page.act(body, token), 400)
        refused(page, "a long body", page.act("{" + " " * 2000 + "}", token), 413)
        status, text = page.act({"act": "Hold", "reason": "--release; $(touch x) 'y'"}, token)
        assert status == 200 and "--reason=--release; $(touch x)" in json.loads(text)["command"] and not page.held(), text
        status, text = page.act({"act": "RollBack", "reason": "x", "release": "no-such", "confirmed": True}, token)
        assert status == 200 and json.loads(text)["exitCode"] != 0, text
        status, text = page.act({"act": "Hold", "reason": "--release; $(touch x) 'y'", "confirmed": True}, token)
        assert status == 200 and page.held(), text
        with open(page.node.place("state", "hold"), encoding="utf-8") as file:
            assert json.load(file)["reason"] == "--release; $(touch x) 'y'"
    finally:
        page.end()
