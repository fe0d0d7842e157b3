# SPDX-License-Identifier: Apache-2.0
"""Bad input for POST /ingest, and the expected answer to each (pkg/telemetry/INGEST.md)."""
import gzip
import hashlib
import json
import subprocess

JSON, LINES = "application/json", "application/x-ndjson"


def item(event_id="bad", **more):
    return {"id": event_id, "timestamp": "2026-11-20T08:00:00Z", "sensorData": {"t": 1}, **more}


def text(value):
    return json.dumps(value).encode()


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def deep(n):
    return b'{"id":"bad","sensorData":' + b"[" * n + b"]" * n + b"}"


def cases():
    """(name, body, content type, headers, expected statuses)."""
    good = text(item())
    wrong_sum = text(item(checksum="0" * 64))
    bomb = b"[" + b'{"sensorData":"' + b"0" * (64 << 20) + b'"}]'
    rows = [
        ("empty", b"", JSON, {}, (400,)),
        ("blanks", b"  \n ", JSON, {}, (400,)),
        ("not JSON", b"hello", JSON, {}, (400,)),
        ("cut object", good[:-1], JSON, {}, (400,)),
        ("cut in a string", good[:9], JSON, {}, (400,)),
        ("cut array", b"[" + good, JSON, {}, (400,)),
        ("array with a hole", b"[" + good + b",]", JSON, {}, (400,)),
        ("two arrays", b"[" + good + b"][" + good + b"]", JSON, {}, (400,)),
        ("something behind", good + b"x", JSON, {}, (400,)),
        ("a number", b"17", JSON, {}, (400,)),
        ("a string", b'"text"', JSON, {}, (400,)),
        ("null", b"null", JSON, {}, (400,)),
        ("array of numbers", b"[1,2]", JSON, {}, (400,)),
        ("array in an array", b"[[" + good + b"]]", JSON, {}, (400,)),
        ("NaN", b'{"id":"bad","sensorData":{"t":NaN}}', JSON, {}, (400,)),
        ("Infinity", b'{"id":"bad","sensorData":{"t":-Infinity}}', JSON, {}, (400,)),
        ("hexadecimal", b'{"id":"bad","sensorData":{"t":0x10}}', JSON, {}, (400,)),
        ("leading zero", b'{"id":"bad","sensorData":{"t":007}}', JSON, {}, (400,)),
        ("plus sign", b'{"id":"bad","sensorData":{"t":+1}}', JSON, {}, (400,)),
        ("single quotes", b"{'id':'bad','sensorData':1}", JSON, {}, (400,)),
        ("comment", b'{"id":"bad",/* x */"sensorData":1}', JSON, {}, (400,)),
        ("deep arrays", deep(100000), JSON, {}, (400, 413)),
        ("very deep arrays", deep(120000), JSON, {}, (400, 413)),
        ("deep objects", b'{"id":"bad","sensorData":' + b'{"a":' * 50000 + b"1" + b"}" * 50000 + b"}", JSON, {}, (400, 413)),
        ("duplicate keys", b'{"id":"bad","id":"other","sensorData":1}', JSON, {}, (400,)),
        ("invalid UTF-8", b'{"id":"bad\xff","sensorData":1}', JSON, {}, (400,)),
        ("overlong UTF-8", b'{"id":"bad\xc0\xaf","sensorData":1}', JSON, {}, (400,)),
        ("lone surrogate", b'{"id":"bad\\ud800","sensorData":1}', JSON, {}, (400,)),
        ("raw surrogate", b'{"id":"bad\xed\xa0\x80","sensorData":1}', JSON, {}, (400,)),
        ("NUL byte", b'{"id":"bad\x00","sensorData":1}', JSON, {}, (400,)),
        ("control character", b'{"id":"bad\x07","sensorData":1}', JSON, {}, (400,)),
        ("bad escape", b'{"id":"bad\\x41","sensorData":1}', JSON, {}, (400,)),
        ("UTF-16", good.decode().encode("utf-16"), JSON, {}, (400,)),
        ("byte order mark", b"\xef\xbb\xbf" + good + b"]", JSON, {}, (400,)),
        ("no sensorData", b'{"id":"bad"}', JSON, {}, (400,)),
        ("null sensorData", b'{"id":"bad","sensorData":null}', JSON, {}, (400,)),
        ("unknown member", text(item(surprise=1)), JSON, {}, (400,)),
        ("id too long", text(item("x" * 129)), JSON, {}, (400, 413)),
        ("id an object", text(item({"a": 1})), JSON, {}, (400,)),
        ("time that is none", text(item(timestamp="yesterday")), JSON, {}, (400,)),
        ("time without a zone", text(item(timestamp="2026-11-20T08:00:00")), JSON, {}, (400,)),
        ("month 13", text(item(timestamp="2026-13-20T08:00:00Z")), JSON, {}, (400,)),
        ("time as a list", text(item(timestamp=[1])), JSON, {}, (400,)),
        ("negative time", text(item(timestamp=-5)), JSON, {}, (400,)),
        ("severity unknown", text(item(severity="loud")), JSON, {}, (400,)),
        ("severity 99", text(item(severity=99)), JSON, {}, (400,)),
        ("attributes a list", text(item(attributes=["a"])), JSON, {}, (400,)),
        ("attribute an object", text(item(attributes={"a": {"b": 1}})), JSON, {}, (400,)),
        ("25 attributes", text(item(attributes={str(i): "v" for i in range(25)})), JSON, {}, (400, 413)),
        ("wrong checksum", wrong_sum, JSON, {}, (422,)),
        ("short checksum", text(item(checksum="abc")), JSON, {}, (400, 422)),
        ("checksum of other blanks", b'{"id":"bad","sensorData":{"t": 1},"checksum":"' +
         hashlib.sha256(b'{"t":1}').hexdigest().encode() + b'"}', JSON, {}, (422,)),
        ("wrong header checksum", good, JSON, {"X-Payload-Checksum": "0" * 64}, (422,)),
        ("one wrong of many", b"[" + b",".join([text(item(f"bad-{i}")) for i in range(50)]) + b"," + wrong_sum + b"]", JSON, {}, (422,)),
        ("lines, one of them broken", good + b"\n{\n" + good + b"\n", LINES, {}, (400,)),
        ("lines, two on one", good + good + b"\n", LINES, {}, (400,)),
        ("line of 1 MB", b'{"id":"bad","sensorData":"' + b"x" * (1 << 20) + b'"}\n', LINES, {}, (400, 413)),
        ("payload of 1 MB", b'{"id":"bad","sensorData":"' + b"x" * (1 << 20) + b'"}', JSON, {}, (400, 413)),
        ("5 MB", b"[" + b",".join([good] * 70000) + b"]", JSON, {}, (413,)),
        ("65537 items", b"[" + b",".join([b'{"sensorData":1}'] * 65537) + b"]", JSON, {}, (413,)),
        ("XML", b"<a/>", "application/xml", {}, (415,)),
        ("a form", b"a=b", "application/x-www-form-urlencoded", {}, (415,)),
        ("multipart", b"--x\r\n", "multipart/form-data; boundary=x", {}, (415,)),
        ("unknown encoding", good, JSON, {"Content-Encoding": "br"}, (415,)),
        ("gzip that is none", good, JSON, {"Content-Encoding": "gzip"}, (400,)),
        ("gzip cut short", gzip.compress(good)[:-6], JSON, {"Content-Encoding": "gzip"}, (400,)),
        ("gzip with a wrong sum", gzip.compress(good)[:-8] + b"\0" * 8, JSON, {"Content-Encoding": "gzip"}, (400,)),
        ("bomb in gzip", gzip.compress(bomb), JSON, {"Content-Encoding": "gzip"}, (400, 413)),
        ("bomb in a bomb", gzip.compress(gzip.compress(bomb)), JSON, {"Content-Encoding": "gzip"}, (400, 413)),
        ("zstd that is none", good, JSON, {"Content-Encoding": "zstd"}, (400,)),
        ("zstd cut short", zstd(good)[:-3], JSON, {"Content-Encoding": "zstd"}, (400,)),
        ("bomb in zstd", zstd(bomb), JSON, {"Content-Encoding": "zstd"}, (400, 413)),
        ("key of 5 kB", good, JSON, {"Idempotency-Key": "k" * 5000}, (431,)),
    ]
    return rows


def broken_requests(port):
    """Invalid requests on raw connections: they must end and must not disturb other requests."""
    import socket
    pieces = (b"POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{", b"POST /ingest HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
              b"POST /ingest HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", b"\x16\x03\x01\x02\x00\x01\x00",
              b"POST /ingest HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n", b"G" * 100000,
              b"POST /ingest HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
              b"POST /ingest HTTP/1.1\r\nIdempotency-Key: " + b"k" * 10000 + b"\r\n\r\n")
    for piece in pieces:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(piece)
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(1)
                while connection.recv(65536):
                    pass
        except OSError:
            pass
    return len(pieces)
