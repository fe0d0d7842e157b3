# SPDX-License-Identifier: Apache-2.0
"""A stand-in for a Kubernetes API server, on loopback, over HTTP or TLS: lists, watches and server-side apply of the kinds that an
agent asks for. Its Date header can lie."""
import copy
import datetime
import email.utils
import http.server
import json
import os
import ssl
import subprocess
import threading
import time
import urllib.parse

GROUP = "/apis/edge.codcompass.io/v1alpha1/"
KINDS = {GROUP + "edgeupdates": "EdgeUpdate", GROUP + "syncpolicies": "SyncPolicy", GROUP + "edgenodes": "EdgeNode", "/api/v1/nodes": "Node",
         "/api/v1/namespaces/site/secrets": "Secret"}


class Authority:
    """A certificate authority and a server certificate for 127.0.0.1, made with openssl."""

    def __init__(self, folder):
        self.folder, self.ca = folder, os.path.join(folder, "ca.pem")
        os.makedirs(folder, exist_ok=True)
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out",
                     "ca.pem", "-subj", "/CN=test authority", "-days", "3650")

    def openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def issue(self, name, from_days, until_days):
        """A certificate that is valid from so many days after now until so many days after now; returns (certificate, key)."""
        for made in ("index.txt", "index.txt.attr"):
            with open(os.path.join(self.folder, made), "w", encoding="ascii"):
                pass
        with open(os.path.join(self.folder, "ca.cnf"), "w", encoding="ascii") as file:
            file.write("[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n"
                       "x509_extensions=x\n[p]\ncommonName=supplied\n[x]\nsubjectAltName=IP:127.0.0.1\n")

        def stamp(days):
            return (datetime.datetime.utcnow() + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out",
                     f"{name}.csr", "-subj", f"/CN={name}")
        self.openssl("ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", f"{name}.csr", "-out",
                     f"{name}.pem", "-startdate", stamp(from_days), "-enddate", stamp(until_days), "-notext")
        return os.path.join(self.folder, f"{name}.pem"), os.path.join(self.folder, f"{name}.key")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        self.context = self.server.context
        if self.context is not None:
            self.request = self.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def note(self):
        """Remember what was asked, and under which certificate."""
        self.server.seen.append(self.path)
        if self.context is not None and self.context is self.server.context:
            self.server.seen_by_certificate.append(self.path)

    def date_time_string(self, timestamp=None):
        return email.utils.formatdate((time.time() if timestamp is None else timestamp) + self.server.ahead_s, usegmt=True)

    def answer(self, code, body):
        text = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        if self.server.over:  # a connection that outlived the server
            self.close_connection = True
            return
        asked = urllib.parse.urlparse(self.path)
        query = dict(urllib.parse.parse_qsl(asked.query))
        self.note()
        folder, _, name = asked.path.rpartition("/")
        if self.server.tokens is not None and self.headers.get("Authorization", "").removeprefix("Bearer ") not in self.server.tokens:
            self.answer(401, {"kind": "Status", "message": "Unauthorized", "reason": "Unauthorized", "code": 401})
        elif query.get("continue") in self.server.expired:
            self.answer(410, {"kind": "Status", "message": "the continue token has expired", "reason": "Expired", "code": 410})
        elif asked.path in KINDS and "limit" in query and "watch" not in query:
            self.answer(200, self.server.page(KINDS[asked.path], query))
        elif asked.path in KINDS:
            wanted = query.get("fieldSelector", "").partition("metadata.name=")[2]
            if query.get("watch") in ("true", "1"):
                self.watch(KINDS[asked.path], wanted, query)
            else:
                self.answer(200, self.server.listed(KINDS[asked.path], wanted))
        elif folder in KINDS and (KINDS[folder], name) in self.server.objects:
            self.answer(200, self.server.objects[KINDS[folder], name])
        else:
            self.answer(404, {"kind": "Status", "message": "not found", "code": 404})

    def watch(self, kind, name, query):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        with self.server.changed:
            round_, seen = self.server.round, int(query.get("resourceVersion") or 0)
            if query.get("sendInitialEvents") == "true":
                for item in self.server.listed(kind, name)["items"]:
                    self.event("ADDED", item)
                seen = self.server.version
                self.event("BOOKMARK", {"kind": kind, "apiVersion": api_version(kind), "metadata": {
                    "resourceVersion": str(seen), "annotations": {"k8s.io/initial-events-end": "true"}}})
            while not self.server.over and round_ == self.server.round:
                for version, what, item in self.server.history:
                    if version > seen and item["kind"] == kind and name in ("", item["metadata"]["name"]):
                        self.event(what, item)
                seen = self.server.version
                self.server.changed.wait(1)

    def event(self, what, item):
        self.wfile.write(json.dumps({"type": what, "object": item}).encode() + b"\n")
        self.wfile.flush()

    def do_PATCH(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = urllib.parse.urlparse(self.path)
        path = asked.path[:-len("/status")] if asked.path.endswith("/status") else asked.path
        folder, _, name = path.rpartition("/")
        self.note()
        with self.server.changed:
            item = copy.deepcopy(self.server.objects.get((KINDS[folder], name), {"apiVersion": api_version(KINDS[folder]), "kind": KINDS[folder],
                                                                                 "metadata": {"name": name, "uid": name}}))
            if self.headers.get("Content-Type") == "application/merge-patch+json":
                self.merge_patch(item, body)
                return
            item.update({key: value for key, value in body.items() if key not in ("metadata", "kind", "apiVersion")})
            self.server.put(item)
        self.answer(200, self.server.objects[KINDS[folder], name])

    def merge_patch(self, item, body):
        """RFC 7386; a resourceVersion in the patch is a condition."""
        before = body.get("metadata", {}).pop("resourceVersion", None)
        if before not in (None, item["metadata"].get("resourceVersion")):
            self.answer(409, {"kind": "Status", "message": "the object has been modified", "reason": "Conflict", "code": 409})
            return
        merge(item, body)
        self.server.put(item)
        self.answer(200, item)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.note()
        self.answer(201, {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "status": {"allowed": self.server.allowed}})

    def log_message(self, *_):
        pass


def merge(into, patch):
    for key, value in patch.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict):
            merge(into.setdefault(key, {}), value)
        else:
            into[key] = value


def api_version(kind):
    return "v1" if kind in ("Node", "Secret") else "edge.codcompass.io/v1alpha1"


class ApiServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, certificate=None, port=0):
        self.objects, self.history, self.version, self.round, self.over = {}, [], 100, 0, False
        self.ahead_s, self.seen, self.context, self.seen_by_certificate = 0, [], None, []
        self.tokens = None  # the bearer tokens that GET accepts; None: all
        self.allowed = True  # what every SelfSubjectAccessReview says
        self.expired = set()  # continue tokens that have expired
        self.changed = threading.Condition(threading.RLock())
        if certificate is not None:
            self.use(certificate)
        super().__init__(("127.0.0.1", port), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http{'s' if certificate is not None else ''}://127.0.0.1:{self.server_address[1]}"

    def use(self, certificate):
        """Show this (certificate, key) to new connections. `seen_by_certificate` then begins anew: what comes over these."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        self.context, self.seen_by_certificate = context, []

    def handle_error(self, request, client_address):
        pass  # agents disconnect, and refuse certificates

    def put(self, item):
        with self.changed:
            key = item["kind"], item["metadata"]["name"]
            self.version += 1
            item["metadata"]["resourceVersion"] = str(self.version)
            item["metadata"].setdefault("uid", "-".join(key))
            item["metadata"].setdefault("generation", 1)
            self.history.append((self.version, "MODIFIED" if key in self.objects else "ADDED", item))
            self.objects[key] = item
            self.changed.notify_all()

    def remove(self, kind, name):
        with self.changed:
            item = copy.deepcopy(self.objects.pop((kind, name)))
            self.version += 1
            item["metadata"]["resourceVersion"] = str(self.version)
            self.history.append((self.version, "DELETED", item))
            self.changed.notify_all()

    def listed(self, kind, name):
        with self.changed:
            items = [item for (of, called), item in sorted(self.objects.items()) if of == kind and name in ("", called)]
            return {"kind": kind + "List", "apiVersion": api_version(kind), "metadata": {"resourceVersion": str(self.version)}, "items": items}

    def page(self, kind, query):
        """One page of a list; the continue token is the number of the next item. Knows selectors of the form a=b,c=d."""
        wanted = dict(pair.split("=") for pair in query.get("labelSelector", "").split(",") if pair)
        begin, answer = int(query.get("continue", "0")), self.listed(kind, "")
        items = [item for item in answer["items"] if wanted.items() <= item["metadata"].get("labels", {}).items()]
        answer["items"] = items[begin:begin + int(query["limit"])]
        if begin + int(query["limit"]) < len(items):
            answer["metadata"]["continue"] = str(begin + int(query["limit"]))
        return answer

    def end_watches(self):
        """Every watch ends in good order: the agents ask again, and read the Date again."""
        with self.changed:
            self.round += 1
            self.changed.notify_all()

    def status(self, node):
        return self.objects.get(("EdgeNode", node), {}).get("status", {})

    def end(self):
        with self.changed:
            self.over = True
            self.changed.notify_all()
        self.shutdown()
        self.server_close()


def kubeconfig(path, server, ca=None):
    """Writes a kubeconfig for this server."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"apiVersion": "v1", "kind": "Config", "current-context": "c",
                   "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                   "clusters": [{"name": "c", "cluster": {"server": server.url, **({"certificate-authority": ca} if ca else {})}}],
                   "users": [{"name": "u", "user": {"token": "secret"} if ca else {}}]}, file)
    return path
