# SPDX-License-Identifier: Apache-2.0
"""The site that serves releases and takes telemetry, under every host name of a page."""
import glob
import http.server
import os
import ssl
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port, certificate):
        """`certificate`: the files of it and its key; None: no TLS."""
        super().__init__(("127.0.0.1", port), Site)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request, client_address):
        pass  # clients leave


class Site(http.server.BaseHTTPRequestHandler):
    """Serves what lies in a folder that a release was made in; takes whatever is posted and remembers it."""
    protocol_version = "HTTP/1.1"
    taken = []                                  # (host, path, bytes) of every POST

    def do_GET(self):
        name = os.path.basename(self.path.split("?")[0])
        found = [path for path in glob.glob(os.path.join(TOP, "*", name)) + glob.glob(os.path.join(TOP, name)) if name and os.path.isfile(path)]
        body = b""
        if found:
            with open(found[0], "rb") as file:
                body = file.read()
        self.answer(200 if found else 404, body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        packed = self.headers.get("Content-Encoding", "")
        if packed in ("zstd", "gzip"):
            body = subprocess.run([packed, "-dc"], input=body, stdout=subprocess.PIPE, check=True).stdout
        Site.taken.append((self.headers.get("Host", ""), self.path, body))
        self.answer(200, b"{}" if "json" in self.headers.get("Content-Type", "") else b"")

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", self.headers.get("Content-Type", "application/octet-stream"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
