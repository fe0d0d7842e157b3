# SPDX-License-Identifier: Apache-2.0
"""spec.manifests on three nodes, out of Git through Flux: files with a reloaded service, a static pod, a Deployment; drift, a cut link, a reboot."""

import hashlib
import io
import json
import os
import subprocess
import tarfile
import time
import unittest

import test_flux
import test_idle
from holdcluster import disk, node, place, process
from lib import agent, audit, api, case, helm, site, wait, world

SITE = "site"                                  # the namespace of everything
FOLDER = "/opt/site/conf"
PODS = node.STATIC_PODS
UNIT = "site-web.service"
INTERVAL_S = 10
IDLE_S, ANONYMOUS_BYTES = 60, 4 << 20
INOTIFY_S, POLL_S = 2, 60                      # the promises: drift repaired, with and without inotify
GROUP = "/apis/edge.codcompass.io/v1alpha1"
WEB = f"/apis/apps/v1/namespaces/{SITE}/deployments/web"
CONFIG = f"""apiVersion: edge.codcompass.io/v1alpha1
kind: AgentConfiguration
manifests: {{staticPods: true, cluster: true, files: [/opt/site/**], units: [{UNIT}]}}
"""
SERVICE = """[Unit]
Description=reads the folder
[Service]
ExecStart=/bin/sleep infinity
ExecReload=/bin/sh -c 'cat {folder}/web.conf >>/run/site-reloads'
[Install]
WantedBy=multi-user.target
"""
DROP_IN = f"[Service]\nReadWritePaths={os.path.dirname(PODS)}\n"          # new files are made beside the folder that the kubelet reads
RIGHTS = {"manifests": {
    "configMaps": [{"namespace": SITE, "names": ["files", "pods", "objects"]}], "staticPodNamespaces": [SITE], "kubeletPods": True,
    "cluster": {"rules": [
        {"reason": "The site's workloads.", "namespaces": [SITE], "apiGroups": ["apps"], "resources": ["deployments"],
         "verbs": ["get", "create", "patch", "delete"]}]}}}
IMAGE = "site-web:1"
PROGRAM = "#include <unistd.h>\nint main(void){for(;;)pause();}\n"


def on_disk(name, path):
    """A path of the node as this machine sees it; /var/lib/rancher is a disk of its own."""
    if path.startswith("/var/lib/rancher"):
        return disk.own(world.cluster.where, name, "rancher") + path.removeprefix("/var/lib/rancher")
    return world.cluster.root(name) + path


def pod_spec(name):
    return {"containers": [{"name": name, "image": IMAGE, "imagePullPolicy": "Never"}], "terminationGracePeriodSeconds": 1}


def policy(name, entry):
    return {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "SyncPolicy", "metadata": {"name": f"site-{name}"},
            "spec": {"nodeSelector": {"matchLabels": {"kubernetes.io/hostname": name}}, "interval": f"{INTERVAL_S}s", "manifests": [entry]}}


def config_map(name, data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": SITE}, "data": data}


def content(version):
    """What is in Git: three ConfigMaps, and a policy for each node."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "beacon", "namespace": SITE, "annotations": {"version": version}},
           "spec": pod_spec("beacon") | {"hostNetwork": True}}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": SITE, "annotations": {"version": version}},
                  "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}},
                           "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec("web") | {"nodeName": "n2"}}}}
    source = {"namespace": SITE}
    return [
        config_map("files", {"web.conf": f"version = {version}\nnode = ${{HOLDFAST_NODE}}\n", "other.conf": "x\n"}),
        config_map("pods", {"beacon.yaml": json.dumps(pod)}),
        config_map("objects", {"web.yaml": json.dumps(deployment)}),
        policy("n1", {"name": "conf", "from": {"configMap": source | {"name": "files"}}, "to": "Files", "path": FOLDER + "/",
                      "reload": {"systemdUnit": UNIT}, "substitute": {}}),
        policy("n2", {"name": "objects", "from": {"configMap": source | {"name": "objects"}}, "to": "Cluster", "prune": True}),
        policy("n3", {"name": "pods", "from": {"configMap": source | {"name": "pods"}}, "to": "StaticPods"}),
    ]


def asked(name, since, verbs=("list",)):
    """What the node's agent asked the API server for from the audit event number `since` on: (verb, resource, subresource)."""
    return [(event["verb"], event["objectRef"]["resource"], event["objectRef"].get("subresource")) for event in audit.asked(name, since, verbs)]


class TestManifests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        test_flux.TestFlux.setUpClass.__func__(cls)
        world.cluster.add_node("n3")
        world.cluster.kubectl("create", "namespace", SITE)
        cls.addClassCleanup(world.cluster.kubectl, "delete", "namespace", SITE, "--ignore-not-found", check=False)
        rights = helm.helm("template", "holdfast", helm.CHART, "-n", "holdfast-system", "-s", "templates/agent-manifests.yaml",
                           "-f", helm.values_file(RIGHTS))
        world.cluster.kubectl("apply", "-f", "-", text=rights)
        image = world.cluster.make_image(IMAGE, cls.program(), "web")
        for name in ("n2", "n3"):
            world.cluster.load_image(name, image)
        cls.agents = {"n1": agent.Unit("n1"), "n2": agent.Pod("n2"), "n3": agent.Unit("n3")}
        for name, one in cls.agents.items():
            cls.prepare(name)
            one.install()
        cls.addClassCleanup(cls.forget)

    @classmethod
    def forget(cls):
        """The next agent on these nodes does not find entries in its state that it has no right to remove any more."""
        for name, one in cls.agents.items():
            one.stop()
            world.cluster.run(name, "rm", "-rf", "/var/lib/holdfast")
            one.start()                        # the tests that follow installed theirs before this one began

    @classmethod
    def program(cls):
        """A static program that does nothing, for containers."""
        source, binary = (world.cluster.where.path(f"site-web{end}") for end in (".c", ""))
        place.write(source, PROGRAM)
        process.run(["gcc", "-static", "-O", "-o", binary, source])
        return binary

    @classmethod
    def prepare(cls, name):
        tree = world.cluster.root(name)
        place.write(os.path.join(tree, "etc/holdfast/agent.yaml"), CONFIG)
        cls.addClassCleanup(os.unlink, os.path.join(tree, "etc/holdfast/agent.yaml"))
        place.write(os.path.join(tree, "etc/systemd/system/holdfast-agent.service.d/manifests.conf"), DROP_IN)
        if name == "n1":
            place.write(os.path.join(tree, "etc/systemd/system", UNIT), SERVICE.format(folder=FOLDER))
            world.cluster.run(name, "systemctl", "daemon-reload")
            world.cluster.run(name, "systemctl", "start", UNIT)

    # --- what Git has, and what the nodes say ---

    def publish(self, version):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as tar:
            text = "\n---\n".join(json.dumps(one) for one in content(version)).encode()
            entry = tarfile.TarInfo("site/all.yaml")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
        data = out.getvalue()
        digest = hashlib.sha256(data).hexdigest()
        served = site.put(f"site-{digest[:12]}.tar.gz", data)
        artifact = {"url": served["url"], "digest": f"sha256:{digest}", "revision": f"main@sha1:{digest[:40]}", "path": f"site-{digest[:12]}.tar.gz",
                    "size": len(data), "lastUpdateTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        status = {"status": {"observedGeneration": 1, "artifact": artifact, "conditions": [test_flux.condition("Ready", "True", "Succeeded")]}}
        world.cluster.kubectl("patch", "gitrepository", "site", "-n", "flux-system", "--subresource=status", "--type=merge", "-p", json.dumps(status))

    def follow(self):
        """Let Flux apply what is published."""
        repository = {"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": {"name": "site", "namespace": "flux-system"},
                      "spec": {"interval": "1m", "url": "https://git.example.com/site.git"}}
        kustomization = {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": "site", "namespace": "flux-system"},
                         "spec": {"interval": "10m", "sourceRef": {"kind": "GitRepository", "name": "site"}, "path": "./site", "prune": True,
                                  "retryInterval": "2s"}}
        for one in (repository, kustomization):
            world.cluster.kubectl("apply", "-f", "-", text=json.dumps(one))
        self.addCleanup(world.cluster.kubectl, "delete", "syncpolicy", "site-n1", "site-n2", "site-n3", "--ignore-not-found", check=False)
        self.addCleanup(world.cluster.kubectl, "delete", "kustomization", "site", "-n", "flux-system", "--ignore-not-found", check=False)

    def entry(self, name):
        entries = api.get(f"{GROUP}/edgenodes/{name}").get("status", {}).get("manifests", [])
        return entries[0] if entries else {}

    def await_entry(self, name, test, what, timeout_s=60):
        try:
            return wait.until(f"{name}'s entry {what}", lambda: test(self.entry(name)) and self.entry(name), timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {json.dumps(self.entry(name))}; the node: "
                                 f"{json.dumps(api.get(f'{GROUP}/edgenodes/{name}').get('status', {}).get('conditions'))[:3000]}") from None

    def read(self, name, path):
        try:
            with open(on_disk(name, path), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def static_pod(self):
        folder = on_disk("n3", PODS)
        return [one for one in os.listdir(folder) if one.startswith("pods_")]

    def reloads(self):
        return world.cluster.run("n1", "cat", "/run/site-reloads", check=False)

    def repaired(self, what, test, promise_s):
        begun = time.monotonic()
        wait.until(what, test, max(2 * promise_s, 30), 0.02)
        took = time.monotonic() - begun
        print(f"        {what}: {took:.2f} s (promise: {promise_s} s)")
        return took

    def everything_arrives(self, version):
        wait.until(f"version {version} of the files", lambda: f"version = {version}\nnode = n1\n" == self.read("n1", FOLDER + "/web.conf"), 90)
        wait.until(f"version {version} of the Deployment", lambda: api.get(WEB).get("metadata", {}).get("annotations", {}).get("version") == version, 60)
        wait.until(f"version {version} of the static pod", lambda: any(f'"version": "{version}"' in self.read("n3", f"{PODS}/{one}") for one in self.static_pod()), 60)
        for name, source in (("n1", "files"), ("n2", "objects"), ("n3", "pods")):
            revision = api.get(f"/api/v1/namespaces/{SITE}/configmaps/{source}")["metadata"]["resourceVersion"]
            entry = self.await_entry(name, lambda entry, revision=revision: (entry.get("phase"), entry.get("revision")) == ("Applied", revision),
                                     f"to be Applied in version {version}")
            print(f"        {name}: {entry.get('message', 'Applied')}")

    # --- the test ---

    def test_from_git_to_three_nodes(self):
        """One test: each step goes on from the one before."""
        before = len(world.cluster.audit())
        self.follow()
        self.publish("1")
        self.everything_arrives("1")
        self.assertIn("version = 1\n", self.reloads())
        wait.until("the static pod to run", lambda: world.cluster.find("n3", "program"), 60)
        wait.until("the Deployment to be available", lambda: api.get(WEB).get("status", {}).get("availableReplicas") == 1, 60)
        for name in self.agents:
            ready = wait.until(f"{name} to be Ready", lambda name=name: next((c for c in api.get(f"{GROUP}/edgenodes/{name}")["status"]["conditions"]
                                                                              if c["type"] == "Ready" and c["status"] == "True"), None), 60)
            self.assertEqual(ready["status"], "True")
        with self.subTest("a newer version in Git"):
            self.publish("2")
            self.everything_arrives("2")
            wait.until("the reload", lambda: "version = 2\n" in self.reloads(), 10)
        with self.subTest("the kubelet itself says how the static pod is"):
            self.assertNotIn(("get", "pods", None), asked("n3", before, ("get",)))
        with self.subTest("idle"):
            self.idle()
        with self.subTest("drift while the link is cut"):
            self.drift_offline()
        with self.subTest("a reboot while the API server is away"):
            self.reboot_offline()

    def idle(self):
        """With an entry in place and its folder watched an agent is small, writes nothing, and asks only about its objects."""
        time.sleep(2 * INTERVAL_S)             # what there is to say is said
        for one in self.agents.values():
            test_idle.await_probation(one.pid())
        before = {name: (one.pid(), test_idle.written(one.pid()), process.cpu_s(one.pid())) for name, one in self.agents.items()}
        time.sleep(IDLE_S)
        for name, (pid, wrote, cpu) in before.items():
            anonymous, pss = test_idle.memory(pid)
            wrote, share = test_idle.written(pid) - wrote, (process.cpu_s(pid) - cpu) / IDLE_S
            print(f"        idle ({name}): anonymous {anonymous / test_idle.MIB:.2f} MiB (promise {ANONYMOUS_BYTES // test_idle.MIB}), PSS "
                  f"{pss / test_idle.MIB:.2f} MiB (promise {test_idle.PSS_BYTES // test_idle.MIB}), CPU {share * 1000:.2f} ms/s, "
                  f"written {wrote} bytes in {IDLE_S} s (promise 0)")
            self.assertEqual(self.agents[name].pid(), pid)
            self.assertLessEqual(anonymous, ANONYMOUS_BYTES)
            self.assertLessEqual(pss, test_idle.PSS_BYTES)
            self.assertEqual(wrote, 0)

    def drift_offline(self):
        before = len(world.cluster.audit())
        for name in self.agents:
            world.cluster.cut(name)
            self.addCleanup(world.cluster.heal, name)
        reloads = len(self.reloads())
        world.cluster.run("n1", "sh", "-c", f"echo broken >{FOLDER}/web.conf")
        took = self.repaired("a file put back, link cut", lambda: "version = 2" in self.read("n1", FOLDER + "/web.conf"), INOTIFY_S)
        self.assertLess(took, INOTIFY_S)
        wait.until("the reload after the repair", lambda: len(self.reloads()) > reloads, 10)
        name = self.static_pod()[0]
        world.cluster.run("n3", "rm", f"{PODS}/{name}")
        took = self.repaired("a static pod put back, link cut", lambda: self.static_pod() == [name], INOTIFY_S)
        self.assertLess(took, INOTIFY_S)
        world.cluster.kubectl("scale", "deployment", "web", "-n", SITE, "--replicas=0")
        time.sleep(INTERVAL_S)
        self.assertEqual(api.get(WEB)["spec"]["replicas"], 0)
        for one in self.agents:
            world.cluster.heal(one)
        took = self.repaired("a Deployment put back after its link is", lambda: api.get(WEB)["spec"]["replicas"] == 1, POLL_S)
        self.assertLess(took, POLL_S)
        for one in self.agents:
            self.await_entry(one, lambda entry: entry.get("drifts", 0) == 1 and entry.get("phase") == "Applied", "to say one repair")
        statuses = {one: len([each for each in asked(one, before, ("patch",)) if each[1:] == ("edgenodes", "status")]) for one in self.agents}
        print(f"        writes of statuses since the cut: {statuses}")
        for one in self.agents:
            self.assertEqual([each for each in asked(one, before) if each[1] in ("syncpolicies", "edgeupdates", "configmaps")], [], one)
        for one in ("n1", "n3"):
            self.assertLessEqual(statuses[one], 3)

    def reboot_offline(self):
        for one in ("n1", "n3"):
            world.cluster.run(one, "sync")
            world.cluster.shut_down(one)
        static = self.static_pod()[0] if self.static_pod() else None
        world.cluster.stop_api(kill=True)
        self.addCleanup(lambda: process.pid_of(world.cluster.where, "kube-apiserver") or world.cluster.start_api())
        for one in ("n1", "n3"):
            world.cluster.boot(one)
        wait.until("agents to start", lambda: all(self.agents[one].events("agent.started") for one in ("n1", "n3")), 60)
        for one, path in (("n1", FOLDER + "/web.conf"), ("n3", f"{PODS}/{static}")):
            self.assertIn("version", self.read(one, path))
            self.agents[one].stop()
            os.unlink(on_disk(one, path))
            self.agents[one].start()
            wait.until(f"{path} on {one}", lambda one=one, path=path: "version" in self.read(one, path), 10, 0.02)
            wait.until("the log of the start", lambda one=one: [each["event"] for each in self.agents[one].events()].count("agent.started") >= 2, 60)
            events = [each["event"] for each in self.agents[one].events()]
            self.assertEqual(events[len(events) - 1 - events[::-1].index("agent.started") - 1], "manifest.drift_repaired", events)
        world.cluster.start_api()
        for one in ("n1", "n3"):
            world.cluster.wait_ready(one)
            self.await_entry(one, lambda entry: entry.get("phase") == "Applied" and entry.get("drifts", 0) == 2, "to say two repairs", 90)
