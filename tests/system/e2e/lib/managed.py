# SPDX-License-Identifier: Apache-2.0
"""A node of its own with the agent as a unit, for tests of spec.manifests: its configuration, its policy, and what it says."""

import hashlib
import io
import json
import os
import tarfile
import time

from holdcluster import disk, node, place, process

from . import agent, api, case, helm, site, wait, world

GROUP = "/apis/edge.codcompass.io/v1alpha1"
PODS = node.STATIC_PODS
IMAGE = "site-web:1"
PROGRAM = "#include <unistd.h>\nint main(void){for(;;)pause();}\n"
FLUX = "flux-system"
FLUX_PLURALS = {"GitRepository": "gitrepositories", "OCIRepository": "ocirepositories", "Bucket": "buckets", "ExternalArtifact": "externalartifacts"}
# New files are made beside the folder that the kubelet reads; /run/site is a folder in memory.
DROP_IN = f"[Service]\nReadWritePaths={os.path.dirname(PODS)} -/run/site\n"
NO_INOTIFY = "[Service]\nSystemCallFilter=~inotify_init inotify_init1 inotify_add_watch\n"


def archive(files):
    """A .tar.gz of {name: text}, as Flux serves one."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text.encode()), 0o644
            tar.addfile(member, io.BytesIO(text.encode()))
    return out.getvalue()


def config_map(namespace, name, data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def pod_spec(name):
    return {"containers": [{"name": name, "image": IMAGE, "imagePullPolicy": "Never"}], "terminationGracePeriodSeconds": 1}


def pod(namespace, name, version):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "annotations": {"version": version}},
            "spec": pod_spec(name) | {"hostNetwork": True}}


def deployment(namespace, name, version, on):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace, "annotations": {"version": version}},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}},
                     "template": {"metadata": {"labels": {"app": name}}, "spec": pod_spec(name) | {"nodeName": on}}}}


def apply(*objects):
    world.cluster.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))


class Node:
    """The node `name` with an agent that has no past. `test` is the class of the tests; what is made goes after them."""

    def __init__(self, test, name, namespace, config, rights):
        self.name, self.namespace = name, namespace
        self._rights = rights
        case.deploy()
        world.cluster.add_node(name)
        world.cluster.kubectl("create", "namespace", namespace)
        test.addClassCleanup(world.cluster.kubectl, "delete", "namespace", namespace, "--ignore-not-found", check=False)
        self.set_rights(rights)
        world.cluster.load_image(name, world.cluster.make_image(IMAGE, self._program(), "web"))
        self.agent = agent.Unit(name)
        world.cluster.run(name, "systemctl", "stop", agent.PROGRAM, check=False)
        world.cluster.run(name, "rm", "-rf", "/run/holdfast")
        self._clean()                          # of another test's entries
        self.put("/etc/holdfast/agent.yaml", "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n" + config)
        self.drop_in("manifests.conf", DROP_IN)
        self.drop_in("no-inotify.conf", None)
        test.addClassCleanup(self._give_back)
        self.agent.install()

    def _give_back(self):
        world.cluster.heal(self.name)
        world.cluster.kubectl("delete", "syncpolicy", self.policy_name(), "--ignore-not-found", check=False)
        world.cluster.run(self.name, "systemctl", "stop", agent.PROGRAM, check=False)
        world.cluster.run(self.name, "systemctl", "-q", "disable", agent.PROGRAM, check=False)
        world.cluster.kubectl("delete", "clusterrole,clusterrolebinding", "holdfast-agent-manifests", "--ignore-not-found", check=False)
        self.drop_in("no-inotify.conf", None)
        self._clean()
        world.cluster.kubectl("delete", "edgenode", self.name, "--ignore-not-found", check=False)

    def _clean(self):
        for one in self.static_pods():
            os.unlink(self.path(f"{PODS}/{one}"))
        for path in ("/etc/holdfast/agent.yaml", "/opt/site", "/srv/site", "/var/lib/holdfast"):
            world.cluster.run(self.name, "rm", "-rf", path)

    @staticmethod
    def _program():
        """A static program that does nothing, for containers."""
        source, binary = (world.cluster.where.path(f"site-web{end}") for end in (".c", ""))
        place.write(source, PROGRAM)
        process.run(["gcc", "-static", "-O", "-o", binary, source])
        return binary

    def set_rights(self, rights):
        """What the chart gives the agents for entries."""
        text = helm.helm("template", "holdfast", helm.CHART, "-n", helm.NAMESPACE, "-s", "templates/agent-manifests.yaml",
                         "-f", helm.values_file({"manifests": rights}))
        world.cluster.kubectl("apply", "-f", "-", text=text)

    # --- its files ---

    def path(self, path):
        """A path of the node as this machine sees it; /var/lib/rancher is a disk of its own."""
        if path.startswith("/var/lib/rancher"):
            return disk.own(world.cluster.where, self.name, "rancher") + path.removeprefix("/var/lib/rancher")
        return world.cluster.root(self.name) + path

    def put(self, path, text):
        place.write(self.path(path), text)

    def read(self, path):
        try:
            with open(self.path(path), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def static_pods(self):
        """The files of entries in the kubelet's folder."""
        return sorted(one for one in os.listdir(self.path(PODS)) if one.startswith("pods_"))

    def drop_in(self, name, text):
        """A drop-in of the agent's unit, or with None no such file; it holds from the next start."""
        path = self.path(f"/etc/systemd/system/{agent.PROGRAM}.service.d/{name}")
        if text is not None:
            place.write(path, text)
        elif os.path.exists(path):
            os.unlink(path)

    def restart(self):
        world.cluster.run(self.name, "systemctl", "daemon-reload")
        world.cluster.run(self.name, "systemctl", "restart", agent.PROGRAM)
        self.agent.wait_ready()

    # --- its policy, and what it says ---

    def policy_name(self):
        return f"manifests-{self.name}"

    def policy(self, manifests, **spec):
        apply({"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": self.policy_name()},
               "spec": {"nodeSelector": {"matchLabels": {"kubernetes.io/hostname": self.name}}, "manifests": manifests} | spec})

    def status(self):
        return api.get(f"{GROUP}/edgenodes/{self.name}").get("status", {})

    def entry(self, name):
        return next((one for one in self.status().get("manifests", []) if one["name"] == name), {})

    def condition(self, kind):
        return next((one for one in self.status().get("conditions", []) if one["type"] == kind), {})

    def await_entry(self, name, what, test, timeout_s=60):
        try:
            return wait.until(f"the entry {name} {what}", lambda: test(self.entry(name)) and self.entry(name), timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {json.dumps(self.entry(name))}; conditions {json.dumps(self.status().get('conditions'))[:1500]}; "
                                 f"threads {self.agent.threads()}; log {self.agent.events()[-12:]}") from None

    def await_applied(self, *names, timeout_s=90):
        for name in names:
            self.await_entry(name, "to be Applied", lambda entry: entry.get("phase") == "Applied", timeout_s)


def flux_kinds():
    """The kinds of Flux's source-controller, and the Service that serves its artifacts; the address of the Service."""
    for kind, plural in FLUX_PLURALS.items():
        schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        version = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}, "schema": schema}
        apply({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
               "metadata": {"name": f"{plural}.source.toolkit.fluxcd.io"},
               "spec": {"group": "source.toolkit.fluxcd.io", "scope": "Namespaced", "versions": [version],
                        "names": {"kind": kind, "listKind": kind + "List", "plural": plural, "singular": kind.lower()}}})
    world.cluster.kubectl("wait", "crd", *(f"{plural}.source.toolkit.fluxcd.io" for plural in FLUX_PLURALS.values()), "--for=condition=Established")
    world.cluster.kubectl("create", "namespace", FLUX)
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "source-controller", "namespace": FLUX},
               "spec": {"ports": [{"name": "http", "port": 80, "targetPort": 9090}]}}
    apply(service)
    return api.get(f"/api/v1/namespaces/{FLUX}/services/source-controller")["spec"]["clusterIP"]


class Artifacts:
    """The server of Flux's artifacts, at the address of its Service, as the cluster's nodes reach it."""

    NAME = "source-controller"

    def __init__(self, test):
        self.address = flux_kinds()
        self.folder = world.cluster.where.path("artifacts")
        test.addClassCleanup(world.cluster.kubectl, "delete", "namespace", FLUX, "--ignore-not-found", check=False)
        world.cluster.run_in_plane("ip", "addr", "replace", f"{self.address}/32", "dev", "lo")
        test.addClassCleanup(world.cluster.run_in_plane, "ip", "addr", "del", f"{self.address}/32", "dev", "lo", check=False)
        test.addClassCleanup(self.stop)
        self.start()

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        site.serve(self.NAME, self.folder, self.address, 80)

    def stop(self):
        world.cluster.stop_in_plane(self.NAME)

    def answers(self):
        return site.answers_of(self.folder)

    def publish(self, kind, name, files, digest=None):
        """What source-controller does for a new revision: the archive, then the object's status. Returns revision and digest."""
        data = archive(files)
        real = hashlib.sha256(data).hexdigest()
        path = f"{kind.lower()}-{name}-{real[:12]}.tar.gz"
        place.write(os.path.join(self.folder, path), data)
        apply({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": kind, "metadata": {"name": name, "namespace": FLUX},
               "spec": {"interval": "1m", "url": "https://git.example.com/site.git"}})
        shown = digest or real
        artifact = {"url": f"http://source-controller.{FLUX}.svc.cluster.local./{path}", "path": path, "size": len(data), "digest": f"sha256:{shown}",
                    "revision": f"main@sha1:{real[:40]}", "lastUpdateTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        world.cluster.kubectl("patch", FLUX_PLURALS[kind], name, "-n", FLUX, "--subresource=status", "--type=merge",
                              "-p", json.dumps({"status": {"artifact": artifact}}))
        return f"{artifact['revision']}+{shown[:12]}", shown
