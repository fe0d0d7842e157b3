# SPDX-License-Identifier: Apache-2.0
"""The API server without a kubectl process for each question: one connection kept open, as administrator.

What a person would do is done with kubectl; this is for looking often and for asking much.
"""

import ctypes
import http.client
import json
import os
import socket
import ssl
import threading

from holdcluster import place

from . import world

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_open = threading.local()                      # a connection for each thread


def _socket_in_plane():
    """A connection made in the control plane's network; a socket stays in the network of the thread that made it."""
    made = []

    def make():
        try:
            with open(f"/run/netns/{world.cluster.where.plane_netns}", "rb") as f:
                if _libc.setns(f.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            made.append(socket.create_connection((place.API_IP, 443), 5))
        except OSError as error:
            made.append(error)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]


def _connect():
    context = ssl.create_default_context(cafile=world.cluster.where.path("pki", "ca.crt"))
    context.load_cert_chain(world.cluster.where.path("pki", "admin.crt"), world.cluster.where.path("pki", "admin.key"))
    connection = http.client.HTTPConnection(place.API_IP, timeout=15)
    connection.sock = context.wrap_socket(_socket_in_plane(), server_hostname=place.API_IP)
    return connection


def call(method, path, body=None, kind="application/json"):
    """(HTTP status, answer); (0, why) when the API server cannot be reached. `body` is bytes or what JSON can hold."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    for attempt in (1, 2):                     # the kept connection may have died since
        try:
            if getattr(_open, "connection", None) is None:
                _open.connection = _connect()
            _open.connection.request(method, path, data, {"Content-Type": kind, "Accept": "application/json"})
            answer = _open.connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text.startswith(b"{") else text.decode()
        except (OSError, http.client.HTTPException) as error:
            _open.connection = None
            if attempt == 2:
                return 0, str(error)
    raise AssertionError


def get(path):
    """The object at `path`; {} if it is not there or not to be had."""
    status, answer = call("GET", path)
    return answer if status == 200 else {}
