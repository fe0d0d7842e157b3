#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`holdfast ui`, as built, in a real Chromium, against a stand-in for an API server: fleet.mjs has the tests, and gives this program
orders, a line of JSON each: put, remove, allow, what was asked.

    tests/system/page/fleet.py [WORD...]        only tests whose name has one of the words

hack/bench.d/ui starts figures.mjs the same way.
"""
import json
import os
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
import run  # noqa: E402  pylint: disable=wrong-import-position
import apiserver  # noqa: E402  pylint: disable=wrong-import-position
from lab import PROGRAMS, TOP, die_with_parent  # noqa: E402  pylint: disable=wrong-import-position


def obey(server, orders, answers):
    for line in orders:
        order = json.loads(line)
        with server.changed:
            for item in order.get("put", []):
                server.put(item)
            for kind, name in order.get("remove", []):
                server.remove(kind, name)
            del server.history[:-20000]
            server.allowed = order.get("allow", server.allowed)
        asked = {"asked": [path for path in server.seen if not path.startswith("/version")],
                 "annotations": {item["metadata"]["name"]: item["metadata"]["annotations"] for item in server.objects.values() if "annotations" in item["metadata"]}}
        answers.write((json.dumps(asked) + "\n").encode())
        answers.flush()


def config(path, server):
    """A kubeconfig of two contexts, which lead to the same server."""
    with open(apiserver.kubeconfig(path, server), encoding="utf-8") as file:
        text = json.load(file)
    text["contexts"].append({**text["contexts"][0], "name": "north d"})
    with open(path, "w", encoding="utf-8") as file:
        json.dump(text, file)
    return path


def start(path, *words):
    return subprocess.Popen([os.path.join(PROGRAMS, "holdfast"), "ui", "--no-browser", "--kubeconfig", path, *words],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=die_with_parent)


def main(words, script="fleet.mjs"):
    why, browser = run.missing()
    if why:
        return run.skip(why)
    run.modules()
    server = apiserver.ApiServer()
    with tempfile.TemporaryDirectory(prefix="holdfast-ui-") as home:
        page = start(config(os.path.join(home, "config"), server))
        several = start(os.path.join(home, "config"), "--context=c", "--context=north d") if script == "fleet.mjs" else page
        try:
            env = dict(os.environ, PAGE_URL=page.stdout.readline().strip(), PAGE_SEVERAL=several.stdout.readline().strip() if several is not page else "", PAGE_UI=str(page.pid), PAGE_BROWSER=browser,
                       PAGE_MODULES=os.path.join(run.MODULES, "node_modules"), PAGE_SHOTS=os.path.join(TOP, "build", "page-test", "shots"))
            test = subprocess.Popen(["node", os.path.join(HERE, script), *words], env=env, stdout=subprocess.PIPE, stdin=subprocess.PIPE, preexec_fn=die_with_parent)
            orders = os.fdopen(os.dup(test.stdin.fileno()), "wb")
            said = (line for line in relay(test.stdout))
            threading.Thread(target=obey, args=(server, said, orders), daemon=True).start()
            return test.wait(run.LIMIT_S)
        finally:
            for one in {page, several}:
                one.terminate()
                one.wait(30)
            server.end()


def relay(lines):
    """Orders are put, remove, allow and {}; everything else is for the reader."""
    for line in lines:
        text = line.decode()
        if text.startswith(('{"put"', '{"remove"', '{"allow"', "{}")):
            yield text
        else:
            print(text, end="", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
