#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that misbehaves as asked, on loopback. Says "port N" and serves until its standard input ends.

    http-server.py [--tls CERT KEY] [--client-ca CA] [--h2] [--root DIR]

Plain HTTP/1.1, or TLS, with HTTP/2 where --h2 is given and the client wants it. The path says what happens:

    /hello                a short text                  /echo        the request as JSON
    /size/N[?rate=B]      N bytes, Range and If-Range   /status/N?h=Name:value&h=...
    /redirect?to=URL&status=302[&body=N]                /loop        redirects to itself
    /trickle/N?ms=M       chunks of one byte            /endless     as long as it is read
    /cut/N                half of N announced bytes     /cut-chunk   a chunked answer without an end
    /stall/N              N bytes, then silence         /silent      nothing at all
    /huge-header /many-headers /garbage /continue /no-length
    /stats                {"connections": n, "requests": n, "open": n}
    /file/NAME            a file below DIR, with Range
"""
import argparse
import email.utils
import json
import os
import socket
import ssl
import sys
import threading
import time
from urllib.parse import parse_qs, urlsplit

STATS = {"connections": 0, "requests": 0, "open": 0}
ETAG = '"v1"'
DIR = None


class Answer:
    """What a path says: status, headers, an iterator over pieces of body; length None is open ended."""

    def __init__(self, status=200, headers=(), pieces=(), length=None, then="end"):
        self.status, self.headers, self.pieces, self.length, self.then = status, list(headers), pieces, length, then


def text(body, status=200, kind="text/plain", headers=()):
    body = body if isinstance(body, bytes) else body.encode()
    return Answer(status, [("content-type", kind), *headers], [body], len(body))


def pattern(start, end):
    """Bytes start..end of an endless file whose content tells its own offset."""
    block = 65536
    while start < end:
        n = min(block, end - start)
        yield bytes(((start + i) * 31 + ((start + i) >> 8)) & 0xFF for i in range(n)) if n < 4096 else fast(start, n)
        start += n


CACHE = {}


def fast(start, n):
    key = start % 65536
    if key not in CACHE:
        CACHE[key] = bytes(((key + i) * 31 + (((key + i) % 65536) >> 8)) & 0xFF for i in range(65536))
    return CACHE[key][:n]


def paced(pieces, rate):
    begin, sent = time.monotonic(), 0
    for piece in pieces:
        for at in range(0, len(piece), 4096):
            part = piece[at:at + 4096]
            wait = begin + sent / rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            sent += len(part)
            yield part


def ranged(total, read, headers):
    start = 0
    want = headers.get("range", "")
    if want.startswith("bytes=") and headers.get("if-range", ETAG) == ETAG:
        start = int(want[6:].split("-")[0])
        if start >= total:
            return Answer(416, [("content-range", f"bytes */{total}")], [], 0)
    extra = [("etag", ETAG), ("accept-ranges", "bytes"), ("content-type", "application/octet-stream")]
    if start:
        extra.append(("content-range", f"bytes {start}-{total - 1}/{total}"))
    return Answer(206 if start else 200, extra, read(start), total - start)


def file_pieces(path, start):
    with open(path, "rb") as file:
        file.seek(start)
        while piece := file.read(65536):
            yield piece


def endless():
    while True:
        yield b"x" * 16384


def single_bytes(n, ms):
    for i in range(n):
        time.sleep(ms / 1000)
        yield b"%d" % (i % 10)


def answer(method, target, headers, body):
    url = urlsplit(target)
    query = {k: v for k, v in parse_qs(url.query).items()}
    one = lambda name, default: query.get(name, [default])[0]
    word = url.path.split("/")[1:]
    n = int(word[1]) if len(word) > 1 and word[1].isdigit() else 0
    match word[0]:
        case "hello":
            return text("hello\n", headers=[("etag", ETAG), ("date", email.utils.formatdate(usegmt=True))])
        case "echo":
            return text(json.dumps({"method": method, "target": target, "headers": headers,
                                    "body": body.decode(errors="replace")}), kind="application/json")
        case "size":
            rate = int(one("rate", 0))
            made = ranged(n, lambda start: pattern(start, n), headers)
            if rate:
                made.pieces = paced(made.pieces, rate)
            return made
        case "file":
            path = os.path.join(DIR, os.path.basename(url.path))
            return ranged(os.path.getsize(path), lambda start: file_pieces(path, start), headers)
        case "status":
            return text("said so\n", n, headers=[tuple(h.split(":", 1)) for h in query.get("h", [])])
        case "redirect":
            size = int(one("body", 0))
            return Answer(int(one("status", 302)), [("location", one("to", "/hello"))], [b"x" * size], size)
        case "loop":
            return Answer(302, [("location", f"/loop?n={int(one('n', 0)) + 1}")], [], 0)
        case "trickle":
            return Answer(200, [], single_bytes(n, int(one("ms", 0))))
        case "endless":
            return Answer(200, [], endless())
        case "cut":
            return Answer(200, [], [b"x" * (n // 2)], n, "cut")
        case "cut-chunk":
            return Answer(200, [], [b"some bytes"], None, "cut")
        case "stall":
            return Answer(200, [], [b"x" * n], None, "stall")
        case "silent":
            return Answer(0, then="stall")
        case "huge-header":
            return text("x", headers=[("x-huge", "h" * 90000)])
        case "many-headers":
            return text("x", headers=[(f"x-many-{i}", "m" * 1000) for i in range(90)])
        case "garbage":
            return Answer(-1, pieces=[b"\x00\xff\x17 this is not HTTP\r\n\r\n"], then="cut")
        case "continue":
            return Answer(200, [("content-type", "text/plain")], [b"late\n"], 5, "interim")
        case "no-length":
            return Answer(200, [], [b"until the end\n"], None, "close")
        case "stats":
            return text(json.dumps(STATS), kind="application/json")
    return text("no such path\n", 404)


# ---- HTTP/1.1 -------------------------------------------------------------------------------------------------------


def read_request(stream):
    line = stream.readline(65536).decode("latin-1").split()
    if len(line) != 3:
        return None
    headers = {}
    while (field := stream.readline(65536).decode("latin-1").strip()) != "":
        name, _, value = field.partition(":")
        headers[name.lower()] = value.strip()
    return line[0], line[1], headers, stream.read(int(headers.get("content-length", 0)))


def send_head(stream, made, chunked):
    lines = [f"HTTP/1.1 {made.status} Whatever"]
    lines += [f"{name}: {value}" for name, value in made.headers]
    if made.length is not None:
        lines.append(f"content-length: {made.length}")
    elif chunked:
        lines.append("transfer-encoding: chunked")
    stream.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    stream.flush()


def serve_one(stream, request):
    """Answers one request; True when the connection can be used again."""
    method, target, headers, body = request
    made = answer(method, target, headers, body)
    chunked = made.length is None and made.then != "close" and made.status > 0
    if made.then == "interim":
        stream.write(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")
    if made.status > 0:
        send_head(stream, made, chunked)
    for piece in made.pieces if method != "HEAD" else ():
        stream.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        stream.flush()
    if made.then == "stall":
        time.sleep(3600)
    if made.then in ("cut", "close"):
        return False
    if chunked:
        stream.write(b"0\r\n\r\n")
        stream.flush()
    return headers.get("connection", "").lower() != "close"


def serve_h1(connection):
    stream = connection.makefile("rwb")
    while (request := read_request(stream)) is not None:
        STATS["requests"] += 1
        if not serve_one(stream, request):
            break


# ---- HTTP/2 ---------------------------------------------------------------------------------------------------------


class H2:
    def __init__(self, connection):
        import h2.config
        import h2.connection
        self.socket = connection
        self.lock = threading.Condition()
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.requests = {}
        self.flush()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.socket.sendall(data)

    def send_piece(self, stream_id, piece):
        """All of it, as the client's windows allow; False when the stream is gone."""
        while piece:
            with self.lock:
                room = min(self.h2.local_flow_control_window(stream_id), self.h2.max_outbound_frame_size)
                if room <= 0:
                    if not self.lock.wait(30):
                        return
                    continue
                self.h2.send_data(stream_id, piece[:room])
                piece = piece[room:]
                self.flush()

    def respond(self, stream_id, headers, body):
        plain = {name: value for name, value in headers if not name.startswith(":")}
        pseudo = dict(headers)
        plain.setdefault("host", pseudo.get(":authority", ""))
        made = answer(pseudo[":method"], pseudo[":path"], plain, body)
        try:
            if made.status <= 0:
                time.sleep(3600)
            fields = [(":status", str(made.status)), *made.headers]
            if made.length is not None:
                fields.append(("content-length", str(made.length)))
            with self.lock:
                self.h2.send_headers(stream_id, fields)
                self.flush()
            for piece in made.pieces if pseudo[":method"] != "HEAD" else ():
                self.send_piece(stream_id, piece)
            if made.then == "stall":
                time.sleep(3600)
            with self.lock:
                if made.then == "cut":
                    self.socket.shutdown(socket.SHUT_RDWR)
                else:
                    self.h2.end_stream(stream_id)
                    self.flush()
        except Exception:  # the client went away, or gave the stream up
            pass

    def serve(self):
        import h2.events
        while data := self.socket.recv(65536):
            with self.lock:
                for event in self.h2.receive_data(data):
                    self.event(event, h2.events)
                self.flush()
                self.lock.notify_all()

    def event(self, event, kinds):
        if isinstance(event, kinds.RequestReceived):
            self.requests[event.stream_id] = [event.headers, b""]
        elif isinstance(event, kinds.DataReceived):
            self.requests[event.stream_id][1] += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, kinds.StreamEnded):
            STATS["requests"] += 1
            headers, body = self.requests.pop(event.stream_id)
            threading.Thread(target=self.respond, args=(event.stream_id, headers, body), daemon=True).start()


# ---- connections ----------------------------------------------------------------------------------------------------


def tls_context(args):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*args.tls)
    context.set_alpn_protocols(["h2", "http/1.1"] if args.h2 else ["http/1.1"])
    if args.client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(args.client_ca)
    return context


def serve_connection(connection, context):
    STATS["connections"] += 1
    STATS["open"] += 1
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            connection = context.wrap_socket(connection, server_side=True)
        if context and connection.selected_alpn_protocol() == "h2":
            H2(connection).serve()
        else:
            serve_h1(connection)
    except (OSError, ValueError):
        pass
    finally:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        connection.close()
        STATS["open"] -= 1


def main():
    global DIR
    parser = argparse.ArgumentParser()
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--client-ca")
    parser.add_argument("--h2", action="store_true")
    parser.add_argument("--root")
    parser.add_argument("--address", default="127.0.0.1")
    args = parser.parse_args()
    DIR = args.root
    context = tls_context(args) if args.tls else None
    listener = socket.create_server((args.address, 0), backlog=64)
    print("port", listener.getsockname()[1], flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve_connection, args=(connection, context), daemon=True).start()


if __name__ == "__main__":
    main()
