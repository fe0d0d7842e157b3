#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An HTTP server for artifacts: site_server.py FOLDER ADDRESS PORT

Serves the files of FOLDER with ETag, Range and If-Range. Each answer is one JSON line in FOLDER.log: path, range, status, how
many bytes were sent, when it was asked for, by whom, and the header Host. The file FOLDER.rates/NAME, if there, holds the bytes
a second that each answer for NAME gets; it may change at any time. FOLDER.asked has a line for each request as it comes: when, and its path.
"""

import hashlib
import http.server
import json
import os
import re
import sys
import time

FOLDER = os.path.realpath(sys.argv[1])
CHUNK = 4096


def rate(name):
    try:
        with open(f"{FOLDER}.rates/{name}", encoding="ascii") as f:
            return int(f.read() or 0)
    except (FileNotFoundError, ValueError):
        return 0


def span(header, size):
    """The first and last byte that a Range header asks for; None: no such header; (0, -1): not to be had."""
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", header or "")
    if not match:
        return None
    first, last = int(match[1]), int(match[2] or size - 1)
    return (first, min(last, size - 1)) if first < size else (0, -1)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # noqa: N802 (http.server's name)
        path = os.path.realpath(os.path.join(FOLDER, self.path.lstrip("/")))
        if not path.startswith(FOLDER + "/") or not os.path.isfile(path):
            return self.answer(404, b"", {})
        with open(path, "rb") as f:
            data = f.read()
        tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        wanted = span(self.headers.get("Range"), len(data))
        if wanted is None or self.headers.get("If-Range", tag) != tag:
            return self.answer(200, data, {"ETag": tag, "Accept-Ranges": "bytes"})
        first, last = wanted
        if last < first:
            return self.answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        return self.answer(206, data[first:last + 1], {"ETag": tag, "Content-Range": f"bytes {first}-{last}/{len(data)}"})

    def answer(self, status, data, headers):
        sent, asked = 0, time.time()
        with open(FOLDER + ".asked", "a", encoding="utf-8") as f:
            f.write(f"{asked} {self.path}\n")
        try:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            for at in range(0, len(data), CHUNK):
                sent += self.wfile.write(data[at:at + CHUNK])
                limit = rate(os.path.basename(self.path))
                if limit:
                    time.sleep(CHUNK / limit)
        except OSError:
            self.close_connection = True
        finally:
            line = {"path": self.path, "range": self.headers.get("Range"), "status": status, "bytes": sent,
                    "asked": asked, "from": self.client_address[0], "host": self.headers.get("Host")}
            with open(FOLDER + ".log", "a", encoding="utf-8") as f:
                f.write(json.dumps(line) + "\n")

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer((sys.argv[2], int(sys.argv[3])), Handler).serve_forever()
