#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What charts/holdfast renders, and what it refuses: tests/system/helm/chart.py [WORD ...]

Only tests whose name holds one of the words run, or all. Ends with the plain line "N passed, N failed, N skipped".
"""
import functools
import http.server
import itertools
import json
import marshal
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

import yaml

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
CHART = os.path.join(TOP, "charts", "holdfast")
os.environ["GOGC"] = "off"  # Helm runs for a moment: collecting its garbage is half of its processor time
KEY = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"
VALUES = {"default": [], "kubeedge": ["-f", f"{CHART}/values-kubeedge.yaml"], "openyurt": ["-f", f"{CHART}/values-openyurt.yaml"]}
RULE = {"reason": "The site's workloads.", "apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "create", "patch"]}
EVERYTHING = {
    "controller": {"enabled": True}, "certificates": {"enabled": True}, "namespace": {"create": True}, "edgeWorkloads": {"enabled": True},
    "firstInstall": {"trustedKeys": {"release-2026": KEY}, "threshold": 1}, "monitoring": {"dashboard": True},
    "agent": {"metricsAddress": "0.0.0.0", "restartableUnits": ["edge-*.service"], "args": ["--listen-optional"]},
    "manifests": {
        "configMaps": [{"namespace": "site", "names": ["pods", "files"]}], "secrets": [{"namespace": "site", "names": ["key"]}],
        "fluxSources": [{"kind": "Bucket", "namespace": "flux-system", "names": ["fleet"]}], "staticPodNamespaces": ["site"], "kubeletPods": True,
        "hostPaths": ["/etc/kubernetes/manifests"],
        "cluster": {"rules": [RULE | {"namespaces": ["site", "shop"]}, RULE | {"reason": "Names of sites.", "apiGroups": [""], "resources": ["namespaces"]}]},
    },
    "policies": {"staticLabels": ["site", "tier"]}, "kubeedge": {"cloudCoreRole": "strict"},
}
MONITORING = ["--api-versions", "monitoring.coreos.com/v1/PodMonitor", "--api-versions", "monitoring.coreos.com/v1/PrometheusRule"]

# Field, wrong value, what the answer says beside the field; and other values with which it is wrong.
WRONG = [
    ("agnt", {"enabled": True}, "additional properties 'agnt' not allowed"),
    ("agent.replicas", 3, "additional properties 'replicas' not allowed"),
    ("agent.enabled", "yes please", "want boolean"),
    ("agent.updateStrategy", "Recreate", "value must be one of 'RollingUpdate', 'OnDelete'"),
    ("agent.maxUnavailable", "0%", "a count of at least 1, or a percentage"),
    ("agent.maxUnavailable", 0, "minimum"),
    ("agent.metricsAddress", "everywhere", "a numeric address, such as 0.0.0.0"),
    ("agent.ingestPort", 70000, "maximum"),
    ("agent.healthPort", 9090, "give each its own"),
    ("agent.updateRoots", ["opt"], "'opt' is not an absolute path, such as /opt"),
    ("agent.updateRoots", [], "minItems"),
    ("agent.args", ["listen-optional"], "a flag of holdfast-agent"),
    ("agent.tolerations", {"operator": "Exists"}, "want array"),
    ("agent.nodeSelector", {"disk": 7}, "want string"),
    ("agent.resources.limits.memory", "lots", "'lots' is not a quantity, such as 64Mi"),
    ("agent.resources.limit", {}, "additional properties 'limit' not allowed"),
    ("controller.replicas", 0, "minimum"),
    ("controller.logLevel", "verbose", "value must be one of 'debug', 'info', 'warning', 'error'"),
    ("controller.collectAfter", "1 day", "a duration, such as 24h"),
    ("image.pullPolicy", "Sometimes", "value must be one of 'Always', 'IfNotPresent', 'Never'"),
    ("image.registry", "https://images.example.com", "without https://"),
    ("image.tag", "a b", "an image's tag, such as 0.1.0"),
    ("image.pullSecrets", [{"nam": "x"}], "additional properties 'nam' not allowed"),
    ("environment.METRICS_PORT", "http", "want integer"),
    ("environment.LOG_LEVEL", "trace", "value must be one of"),
    ("environment.CLOUD_ENDPOINT", "http://telemetry.example.com", "an https:// URL"),
    ("environment.DEVICE_KEY_REF", "/etc/key", "file:/path or env:NAME"),
    ("environment.SYNC_MAX_RETRIES", 0, "minimum"),
    ("environment.EDGE_STORAGE", "/data", "additional properties 'EDGE_STORAGE' not allowed"),
    ("environment.EDGE_STORAGE_DIR", "data", "an absolute path, such as /var/edge/data"),
    ("firstInstall.trustedKeys", {"Release 2026": KEY}, "a key's id"),
    ("firstInstall.trustedKeys", {"a": "key"}, "expected the text of a public key"),
    ("firstInstall.trustedKeys", {"a": KEY.replace("PUBLIC", "PRIVATE")}, "this is a private key"),
    ("firstInstall.threshold", 2, "give firstInstall.trustedKeys too"),
    ("firstInstall.agentYaml", "kind: AgentConfiguration", "give firstInstall.trustedKeys too"),
    ("firstInstall", {"trustedKeys": {"a": KEY}, "threshold": 2}, "2 signatures of 1 key(s)"),
    ("firstInstall", {"trustedKeys": {"a": KEY}, "agentYaml": "kind: Pod"}, "kind AgentConfiguration"),
    ("certificates.enabled", True, "set controller.enabled=true too", {"controller": {"enabled": False}}),
    ("proxy.https", "proxy.example.com:3128", "the URL of a proxy, such as"),
    ("proxy.https", "socks5://proxy.example.com", "the URL of a proxy, such as"),
    ("proxy.http", "http://user:word@proxy.example.com", "user and password go into a Secret"),
    ("proxy.HTTPS_PROXY", "http://proxy.example.com", "additional properties 'HTTPS_PROXY' not allowed"),
    ("proxy.noProxy", ["10.42.0.0/16,10.43.0.0/16"], "a network such as 10.42.0.0/16"),
    ("proxy.noProxy", ["*.example.com"], "a suffix such as .example.com"),
    ("proxy.noProxy", ["10.42.0.0/16"], "there is no proxy"),
    ("proxy.apiServer", True, "there is no proxy"),
    ("proxy", {"fromSecret": "proxy", "https": "http://proxy.example.com"}, "leave proxy.https and proxy.http empty"),
    ("artifacts.fromSecret", "Store", "the name of a Secret, such as release-store"),
    ("artifacts.token", "x", "additional properties 'token' not allowed"),
    ("policies.staticLabels", ["edge.codcompass.io/site"], "a label's name without its prefix"),
    ("policies.revokedNodes", ["N7"], "a node's name, such as n7"),
    ("policies.revokedNodes", "n7", "want array"),
    ("policies", {"enabled": False, "revokedNodes": ["n7"]}, "without policies.enabled nothing refuses these nodes"),
    ("policies.guard", True, "want object"),
    ("policies.guard.maxUnstaged", 0, "minimum"),
    ("policies.guard.maxNodes", 3, "additional properties 'maxNodes' not allowed"),
    ("networkPolicy.apiServerCIDRs", ["10.0.0.10"], "a network, such as 10.0.0.10/32"),
    ("monitoring.interval", "often", "a duration, such as 30s"),
    ("edgeWorkloads.namespace", "Edge", "a namespace's name"),
    ("edgeWorkloads.resourceQuota", {"pods": "many"}, "a quantity"),
    ("manifests.configMaps", [{"namespace": "site"}], "missing property 'names'"),
    ("manifests.configMaps", [{"namespace": "Site", "names": ["a"]}], "a namespace's name"),
    ("manifests.secrets", [{"namespace": "site", "names": ["*"]}], "an object's name"),
    ("manifests.secrets", [{"namespace": "site", "names": []}], "minItems"),
    ("manifests.fluxSources", [{"kind": "HelmChart", "namespace": "flux-system", "names": ["a"]}], "value must be one of 'GitRepository', 'OCIRepository', 'Bucket', 'ExternalArtifact'"),
    ("manifests.staticPodNamespaces", ["kube_system"], "a namespace's name"),
    ("manifests.hostPaths", ["etc"], "an absolute path"),
    ("manifests.cluster.rules", [RULE | {"verbs": ["*"]}], "value must be one of"),
    ("manifests.cluster.rules", [RULE | {"resources": ["*"]}], "a wildcard is none"),
    ("manifests.cluster.rules", [RULE | {"apiGroups": ["*"]}], "a wildcard is none"),
    ("manifests.cluster.rules", [{key: value for key, value in RULE.items() if key != "reason"}], "missing property 'reason'"),
    ("manifests.cluster.rules", [RULE | {"reason": "a\nb"}], "one line"),
    ("kubeedge.cloudCoreRole", "yes", "value must be one of 'none', 'full', 'strict'"),
]

# Values whose comment stands above a neighbour, or whose name is a Kubernetes field's.
SELF_EXPLAINED = ("priorityClassName", "tolerations", "nodeSelector", "podAnnotations", "resources", "enabled", "namespace", "healthPort")


class Skip(Exception):
    pass


@functools.cache
def helm():
    return built()[0]


@functools.cache
def built():
    """The paths of helm, and of the program that runs many of its commands (many.go)."""
    build = os.path.join(TOP, "tests", "system", "helm", "build")
    done = subprocess.run([build, "--many"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Skip(f"no Helm can be built: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout.split()


@functools.cache
def many():
    return subprocess.Popen([built()[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "GOGC": "400"})


def run(*words, values=None):
    """(exit code, output, errors) of helm with these values."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump(values or {}, file)
        file.flush()
        words = [*words, "-f", file.name]
        if "--kube-apiserver" in words:
            done = subprocess.run([helm(), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
            return done.returncode, done.stdout, done.stderr
        many().stdin.write(json.dumps({"args": words}) + "\n")
        many().stdin.flush()
        said = json.loads(many().stdout.readline())
        return said["code"], said["out"], said["errors"]


@functools.cache
def parsed(text):
    """One document, by libyaml, which takes a tenth of the time; in the form that is soonest an object again."""
    return marshal.dumps(yaml.load(text, Loader=yaml.CSafeLoader))


def documents(text):
    """What helm printed. Most of it, the kinds, is the same each time, and parsed once; each caller has objects of its own."""
    return [one for one in (marshal.loads(parsed(part)) for part in re.split(r"^---$", text, flags=re.M)) if one]


def render(*words, values=None):
    code, text, errors = run("template", "holdfast", CHART, "-n", "holdfast-system", *words, values=values)
    assert code == 0, errors
    return documents(text)


def one(objects, kind, name):
    found = [each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name]
    assert len(found) == 1, f"{len(found)} {kind}/{name}"
    return found[0]


def value_at(field, value):
    for name in reversed(field.split(".")):
        value = {name: value}
    return value


# ---- the tests ----------------------------------------------------------------------------------------------------------

def test_lint():
    for name, words in VALUES.items():
        for values in ({}, {"controller": {"enabled": True}}):
            code, text, errors = run("lint", "--strict", CHART, *words, values=values)
            assert code == 0 and "0 chart(s) failed" in text + errors, f"{name}: {text}{errors}"


def test_wrong_values_are_refused_by_name():
    assert len(WRONG) >= 40
    for field, value, why, *more in WRONG:
        code, _, errors = run("template", "holdfast", CHART, values=value_at(field, value) | (more or [{}])[0])
        named = [part for part in (field, "/" + field.replace(".", "/"), "/" + "/".join(field.split(".")[:-1])) if part in errors]
        assert code != 0 and named and why in errors and field.split(".")[-1] in errors, f"{field}={value!r}: {code}: {errors}"


class Namespaces(http.server.BaseHTTPRequestHandler):
    """What `lookup` of the chart asks an API server for, in a cluster that has these namespaces."""
    names = ("kube-system", "site")

    def do_GET(self):
        path = self.path.split("?")[0]
        name = path.rpartition("/")[2]
        answers = {
            "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.1"},
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
            "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [
                {"name": "namespaces", "singularName": "namespace", "namespaced": False, "kind": "Namespace", "verbs": ["get"]}]},
        }
        if path.startswith("/api/v1/namespaces/") and name in self.names:
            answers[path] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        body = json.dumps(answers.get(path, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404})).encode()
        self.send_response(200 if path in answers else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_an_absent_namespace_is_named_before_anything_is_made():
    """A Role in a namespace that is absent would fail `helm upgrade` half-way. Namespaces that the chart makes need not be there."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Namespaces)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    in_cluster = ["template", "holdfast", CHART, "-n", "holdfast-system", "--dry-run=server", "--kube-apiserver", f"http://127.0.0.1:{server.server_port}"]
    here, away = {"namespace": "site", "names": ["a"]}, {"namespace": "shop", "names": ["a"]}
    absent = [
        ("configMaps[1].namespace", {"configMaps": [here, away]}), ("secrets[0].namespace", {"secrets": [away]}),
        ("fluxSources[0].namespace", {"fluxSources": [away | {"kind": "Bucket"}], "fluxServices": []}),
        ("fluxServices[0].namespace", {"fluxSources": [here | {"kind": "Bucket"}]}),
        ("staticPodNamespaces[0]", {"staticPodNamespaces": ["shop"]}),
        ("cluster.rules[0].namespaces", {"cluster": {"rules": [RULE | {"namespaces": ["site", "shop"]}]}}),
    ]
    try:
        for field, values in absent:
            code, _, errors = run(*in_cluster, values={"manifests": values})
            name = "flux-system" if field.startswith("fluxServices") else "shop"
            wanted = f"manifests.{field}: the cluster has no namespace '{name}'; make it first: kubectl create namespace {name}"
            assert code != 0 and wanted in errors, f"{field}: {code}: {errors}"
        made = {"manifests": {"configMaps": [here, {"namespace": "holdfast-system", "names": ["a"]}, {"namespace": "edge", "names": ["a"]}]},
                "edgeWorkloads": {"enabled": True, "namespace": "edge"}}
        _, _, errors = run(*in_cluster, values=made)
        assert "has no namespace" not in errors and "openapi" in errors, errors       # all rendered; this server knows no schema to compare with
        render(values={"manifests": {"configMaps": [away]}})                          # without a cluster nothing is known
    finally:
        server.shutdown()
        server.server_close()


def shape(value):
    """The value with all its texts and numbers made alike: what an injection changes, and another value does not."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else "a value"


def test_no_value_leaves_its_place():
    """A value that is meant to close its quotes, its line or its block is refused by name, or stands as a whole where it belongs."""
    break_out = ["{}\n      hostPID: true\n      x: y", "{}\n---\nkind: Pod", "{}, hostPID: true", "{}}}, {{name: x", "{}\u2028      hostPID: true\u2028",
                 "{}\u0085hostPID: true", "{} # x", "{}\"", "{}: x", "{{{{ .Release.Name }}}} {}", "{}'", "*{}", "!!int {}"]
    fields = {
        "agent.priorityClassName": "system-node-critical", "controller.priorityClassName": "system-cluster-critical", "agent.image": "agent",
        "controller.image": "controller", "image.registry": "images.example.com", "image.tag": "0.1.0", "environment.CLOUD_ENDPOINT": "https://example.com",
        "environment.DEVICE_KEY_REF": "file:/etc/key",
        "environment.EDGE_STORAGE_DIR": "/var/edge", "agent.metricsAddress": "0.0.0.0", "controller.collectAfter": "24h",
        "monitoring.interval": "30s", "edgeWorkloads.namespace": "edge",
    }
    lists = {"agent.updateRoots": "/opt", "agent.args": "--listen-optional", "controller.args": "--server=https://10.0.0.1:6443",
             "agent.restartableUnits": "edge.service", "policies.staticLabels": "site", "policies.revokedNodes": "n7", "networkPolicy.apiServerCIDRs": "10.0.0.10/32"}
    base = {"controller": {"enabled": True}, "certificates": {"enabled": True}, "edgeWorkloads": {"enabled": True},
            "agent": {"metricsAddress": "0.0.0.0"}, "firstInstall": {"trustedKeys": {"a": KEY}}}
    some = itertools.cycle(break_out)          # four for each field; all of them reach each kind of place
    cases = [(field, good, [next(some).format(good) for _ in range(4)]) for field, good in fields.items()]
    cases += [(field, [good], [[next(some).format(good)] for _ in range(4)]) for field, good in lists.items()]
    cases.append(("firstInstall.trustedKeys", {"a": KEY}, [{"a": KEY + end} for end in ("\u2028kind: Pod", "\u0085x: y\n", "x: y\n", "\r\rkind: Pod")]))
    cases.append(("firstInstall.agentYaml", "kind: AgentConfiguration\n", ["kind: AgentConfiguration\n" + end for end in ("\u2028a: b", "\u0085a: b", "  a: b")]))
    tried, bad = 0, []
    for field, good, hostile in cases:
        expected = shape(render(*MONITORING, values=merged(base, value_at(field, good))))
        for value in hostile:
            tried += 1
            code, text, errors = run("template", "holdfast", CHART, "-n", "holdfast-system", *MONITORING, values=merged(base, value_at(field, value)))
            if code != 0:
                named = field in errors or "/" + field.replace(".", "/") in errors
                bad += [] if named and "YAML parse error" not in errors else [(field, value, errors[:160])]
                continue
            if shape(documents(text)) != expected:
                bad.append((field, value, "the objects have another shape"))
    assert tried > 80 and not bad, f"{len(bad)} of {tried}: " + "\n".join(map(str, bad))


def merged(a, b):
    return {name: merged(a[name], b[name]) if isinstance(a.get(name), dict) and isinstance(b.get(name), dict) else b.get(name, a.get(name))
            for name in {*a, *b}}


def test_every_value_is_documented_and_has_a_schema():
    with open(f"{CHART}/values.yaml", encoding="utf-8") as file:
        text = file.read()
    with open(f"{CHART}/values.schema.json", encoding="utf-8") as file:
        schema = json.load(file)

    def walk(values, where, path):
        if where.get("type") != "object" or "properties" not in where:
            return
        assert where.get("additionalProperties") is False, f"{path}: the schema lets unknown names pass"
        assert set(where["properties"]) - {"global", "min", "maxLimitRequestRatio"} == set(values), f"{path}: {set(where['properties']) ^ set(values)}"
        for name, value in values.items():
            walk(value, where["properties"][name], f"{path}.{name}")
    walk(yaml.safe_load(text), schema, "")
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        found = re.match(r"  (\w+):", line)
        above = lines[number - 2]
        if found and not above.strip().startswith("#") and not (above.endswith(":") and lines[number - 3].startswith("#")):
            assert found[1] in SELF_EXPLAINED, f"values.yaml:{number}: {found[1]} has no comment"


def test_the_controller_runs_where_nobody_carries_it_away():
    """Control-plane nodes: preferred, and required where the controller approves certificates, unless somebody names other nodes."""
    def place(values):
        pod = next(each for each in render(values=values) if each["kind"] == "Deployment")["spec"]["template"]["spec"]
        return pod["affinity"].get("nodeAffinity", {}), pod["tolerations"]

    term = {"matchExpressions": [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}]}
    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": term}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    own = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "pool", "operator": "In", "values": ["system"]}]}]}}}
    tolerated = [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"},
                 {"key": "CriticalAddonsOnly", "operator": "Exists"}]     # --node-taint CriticalAddonsOnly=true:NoExecute of K3s' servers
    on = {"certificates": {"enabled": True}}
    assert place({}) == (preferred, tolerated)
    assert place(on) == (required, tolerated)
    assert place(on | {"controller": {"nodeSelector": {"pool": "system"}}}) == (preferred, tolerated)
    assert place(on | {"controller": {"affinity": own}}) == (own["nodeAffinity"], tolerated)


def test_no_right_to_delete_for_agents_and_a_reason_beside_each_rule():
    for words in VALUES.values():
        roles = [each for each in render(*words) if each["kind"] in ("ClusterRole", "Role") and "agent" in each["metadata"]["name"]]
        assert len(roles) == 2
        for rule in [rule for role in roles for rule in role["rules"]]:
            assert not {"delete", "deletecollection", "*", "update", "escalate", "bind", "impersonate"} & set(rule["verbs"]), rule
            assert "*" not in rule["apiGroups"] + rule["resources"] and "secrets" not in rule["resources"], rule
    for name in ("agent-account", "controller-account", "user-roles", "cloudcore-role"):
        with open(f"{CHART}/templates/{name}.yaml", encoding="utf-8") as file:
            lines = file.read().split("\n")
        for number, line in enumerate(lines, 1):
            if line.startswith("- apiGroups:"):
                before = [one for one in lines[max(0, number - 6):number - 1] if not one.startswith("{{")]
                assert any(one.startswith("#") for one in before), f"{name}.yaml:{number}: a rule without a reason"


def test_rights_for_manifests_are_exactly_those_asked_for():
    for words in VALUES.values():
        assert not [each for each in render(*words) if each["metadata"]["name"] == "holdfast-agent-manifests"]
    objects = [each for each in render(values=EVERYTHING) if each["metadata"]["name"] == "holdfast-agent-manifests"]
    rules = {each["metadata"].get("namespace"): each["rules"] for each in objects if each["kind"] in ("Role", "ClusterRole")}
    followed = ["get", "list", "watch"]

    def rule(group, resource, verbs, names=None):
        return {"apiGroups": [group], "resources": [resource], "verbs": verbs} | ({"resourceNames": names} if names else {})
    workloads = rule("apps", "deployments", RULE["verbs"])
    assert rules == {
        "site": [rule("", "configmaps", followed, ["pods", "files"]), rule("", "secrets", followed, ["key"]), rule("", "pods", ["get"]), workloads],
        "shop": [workloads],
        "flux-system": [rule("source.toolkit.fluxcd.io", "buckets", followed, ["fleet"]), rule("", "services", ["get"], ["source-controller"])],
        None: [rule("", "nodes/pods", ["get"]), rule("", "namespaces", RULE["verbs"])],
    }, rules
    bindings = [each for each in objects if each["kind"].endswith("Binding")]
    assert {each["metadata"].get("namespace") for each in bindings} == set(rules) and len(objects) == 2 * len(rules)
    for each in bindings:
        assert {one["name"] for one in each["subjects"]} == {"holdfast-agent", "holdfast:agents"}
        assert each["roleRef"]["kind"] + "Binding" == each["kind"]
    _, text, _ = run("template", "holdfast", CHART, "-n", "holdfast-system", values=EVERYTHING)
    roles = [part for part in text.split("---\n") if "name: holdfast-agent-manifests" in part and "\nrules:" in part]
    assert len(roles) == len(rules)
    for lines in (part.split("\n") for part in roles):
        assert all(lines[number - 1].startswith("# ") for number, line in enumerate(lines) if line.startswith("- apiGroups:")), "a rule without a reason"
    pod = one(render(values=EVERYTHING), "DaemonSet", "holdfast-agent")["spec"]["template"]["spec"]
    agent = next(box for box in pod["containers"] if box["name"] == "agent")
    assert "/etc/kubernetes/manifests" in [each["mountPath"] for each in agent["volumeMounts"]]


def test_containers_are_confined():
    pods = [each["spec"]["template"]["spec"] for each in render(values=EVERYTHING) if each["kind"] in ("DaemonSet", "Deployment")]
    pods += [each["spec"] for each in render(values=EVERYTHING) if each["kind"] == "Pod"]
    assert len(pods) == 3
    for pod in pods:
        for box in pod["containers"] + pod.get("initContainers", []):
            own = box["securityContext"]
            assert own["readOnlyRootFilesystem"] and own["allowPrivilegeEscalation"] is False and own["capabilities"]["drop"] == ["ALL"], box["name"]
            seccomp = own.get("seccompProfile") or pod["securityContext"]["seccompProfile"]
            assert seccomp == {"type": "RuntimeDefault"}, box["name"]
            assert box["image"].endswith(":0.1.0") and not own.get("privileged"), box["name"]
    controller = next(pod for pod in pods if pod["serviceAccountName"] == "holdfast-controller")
    assert controller["securityContext"]["runAsNonRoot"] and not controller.get("hostNetwork") and not controller.get("volumes")


def test_kinds_are_upgraded_and_kept():
    for name in sorted(os.listdir(os.path.join(TOP, "crds"))):
        if not name.endswith(".yaml"):
            continue
        with open(os.path.join(TOP, "crds", name), encoding="utf-8") as file:
            ours, = documents(file.read())
        theirs = one(render(), "CustomResourceDefinition", ours["metadata"]["name"])
        assert theirs["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"} and theirs == ours
    assert not [each for each in render(values={"crds": {"install": False}}) if each["kind"] == "CustomResourceDefinition"]


def test_deploy_is_what_the_chart_makes():
    done = subprocess.run([os.path.join(TOP, "hack", "render-deploy"), "--check"], stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_drift_is_noticed():
    with tempfile.TemporaryDirectory() as copy:
        for name in ("charts", "crds", "deploy", "hack", "tests/system/helm"):
            shutil.copytree(os.path.join(TOP, name), os.path.join(copy, name))

        def problems():
            done = subprocess.run([os.path.join(copy, "hack", "render-deploy"), "--check"], stdout=subprocess.PIPE, text=True, check=False)
            return (done.returncode, done.stdout)
        assert problems() == (0, "")
        for build in ("with", "without"):
            if build == "without":
                os.unlink(os.path.join(copy, "tests/system/helm/build"))
                with open(os.path.join(copy, "tests/system/helm/build"), "w", encoding="ascii") as file:
                    file.write("#!/bin/sh\nexit 1\n")
                os.chmod(os.path.join(copy, "tests/system/helm/build"), 0o755)
                assert problems() == (0, "")
            for path, old, new, named in (
                    ("deploy/holdfast.yaml", "verbs: [get, list, watch]", "verbs: [get, list, watch, delete]", "deploy/holdfast.yaml"),
                    ("charts/holdfast/values.yaml", "memory: 96Mi", "memory: 95Mi", "deploy/holdfast.yaml"),
                    ("charts/holdfast/templates/agent-daemonset.yaml", "hostNetwork: true", "hostNetwork: false", "deploy/holdfast.yaml"),
                    ("crds/edgenodes.yaml", "scope: Cluster", "scope: Namespaced", "charts/holdfast/files/crds/edgenodes.yaml")):
                with open(os.path.join(copy, path), encoding="utf-8") as file:
                    text = file.read()
                assert old in text, (path, old)
                with open(os.path.join(copy, path), "w", encoding="utf-8") as file:
                    file.write(text.replace(old, new, 1))
                code, said = problems()
                assert code == 1 and f"{named}:1: " in said, (build, path, said)
                with open(os.path.join(copy, path), "w", encoding="utf-8") as file:
                    file.write(text)
            assert problems() == (0, "")


def test_values_reach_their_objects():
    objects = render(*MONITORING, values=EVERYTHING)
    assert one(objects, "ValidatingAdmissionPolicy", "holdfast-agent-own-labels")["spec"]["variables"][0] == {"name": "named", "expression": '["site","tier"]'}
    assert not any("paramKind" in each["spec"] or "paramRef" in each["spec"] for each in objects if each["kind"].startswith("ValidatingAdmission"))
    assert one(objects, "ConfigMap", "holdfast-first-install")["data"] == {"release-2026.pem": KEY, "threshold": "1"}
    assert set(one(objects, "ConfigMap", "holdfast-agent")["data"]) == {
        "EDGE_STORAGE_DIR", "CLOUD_ENDPOINT", "DEVICE_KEY_REF", "SYNC_MAX_RETRIES", "SYNC_RETRY_BASE_MS", "LOG_LEVEL", "METRICS_PORT"}
    pod = one(objects, "DaemonSet", "holdfast-agent")["spec"]["template"]["spec"]
    assert [box["name"] for box in pod["initContainers"]] == ["first-install", "units", "host"]
    assert pod["initContainers"][1]["args"][1:] == ["--own-unit", "--allow=edge-*.service"] and "--listen-optional" in pod["containers"][0]["args"]
    writers = [box["name"] for box in pod["initContainers"] + pod["containers"] for mount in box["volumeMounts"]
               if mount["name"] == "trust" and not mount.get("readOnly")]
    assert writers == ["first-install"]
    for kind, name in (("PodMonitor", "holdfast-controller"), ("PodMonitor", "holdfast-agent"), ("PrometheusRule", "holdfast"),
                       ("ConfigMap", "holdfast-dashboard"), ("LimitRange", "holdfast-edge-workloads"), ("ResourceQuota", "holdfast-edge-workloads"),
                       ("NetworkPolicy", "holdfast-controller"), ("PodDisruptionBudget", "holdfast-controller"), ("ClusterRole", "holdfast-cloudcore")):
        one(objects, kind, name)
    # CloudCore's watches are of a whole kind: neither a namespace nor names.
    assert {"apiGroups": ["source.toolkit.fluxcd.io"], "resources": ["buckets"], "verbs": ["get", "list", "watch"]} in \
        one(objects, "ClusterRole", "holdfast-cloudcore")["rules"]
    for text in one(objects, "ConfigMap", "holdfast-dashboard")["data"].values():
        assert json.loads(text)["panels"]
    rules = [rule for group in one(objects, "PrometheusRule", "holdfast")["spec"]["groups"] for rule in group["rules"]]
    assert all(rule["annotations"]["runbook_url"] == f"docs/reference/alerts.md#{rule['alert'].lower()}" for rule in rules), rules
    moved = one(render(*MONITORING, values={"monitoring": {"runbooks": "https://git.example.com/alerts.md"}}), "PrometheusRule", "holdfast")
    assert {rule["annotations"]["runbook_url"].partition("#")[0] for group in moved["spec"]["groups"] for rule in group["rules"]} == {"https://git.example.com/alerts.md"}
    assert len({rule["alert"] for rule in rules}) >= 19 and all(rule["annotations"]["description"] for rule in rules)
    assert not [each for each in render(values=EVERYTHING) if "monitoring" in each["apiVersion"]], "without the kinds, none of them"
    hidden = render(*MONITORING, values=EVERYTHING | {"agent": {}})
    assert [each["metadata"]["name"] for each in hidden if each["kind"] == "PodMonitor"] == ["holdfast-controller"]
    largest = one(render(values={"environment": {"SYNC_RETRY_BASE_MS": 3600000}}), "ConfigMap", "holdfast-agent")
    assert largest["data"]["SYNC_RETRY_BASE_MS"] == "3600000"


def test_proxies_reach_the_agent():
    def environment(proxy):
        box = one(render(values={"proxy": proxy}), "DaemonSet", "holdfast-agent")["spec"]["template"]["spec"]["containers"][0]
        return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in box["env"] if entry["name"].endswith("_PROXY")}
    always = "localhost,127.0.0.0/8,::1,.svc,.cluster.local"
    assert environment({}) == {}
    assert environment({"https": "http://proxy:3128", "noProxy": ["10.42.0.0/16", ".example.com"]}) == {
        "HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": always + ",$(KUBERNETES_SERVICE_HOST),10.42.0.0/16,.example.com"}
    assert environment({"http": "http://[fd00::1]:3128", "apiServer": True}) == {"HTTP_PROXY": "http://[fd00::1]:3128", "NO_PROXY": always}
    secret = environment({"fromSecret": "proxy"})
    # A misspelt Secret must not start a pod without a proxy; a Secret without HTTP_PROXY is fine.
    assert secret["HTTPS_PROXY"]["secretKeyRef"] == {"name": "proxy", "key": "HTTPS_PROXY"} and "NO_PROXY" in secret
    assert secret["HTTP_PROXY"]["secretKeyRef"] == {"name": "proxy", "key": "HTTP_PROXY", "optional": True}


def test_credentials_of_downloads():
    """The Secret is in the agent's container alone, read-only, and pods start without it."""
    pod = one(render(values={"artifacts": {"fromSecret": "store"}}), "DaemonSet", "holdfast-agent")["spec"]["template"]["spec"]
    volume = next(each for each in pod["volumes"] if each["name"] == "artifacts")
    assert volume["secret"] == {"secretName": "store", "defaultMode": 0o400, "optional": True}
    users = {box["name"]: mount for box in pod["containers"] + pod["initContainers"] for mount in box["volumeMounts"] if mount["name"] == "artifacts"}
    assert users == {"agent": {"name": "artifacts", "mountPath": "/etc/holdfast-artifacts", "readOnly": True}}
    plain = one(render(values={}), "DaemonSet", "holdfast-agent")["spec"]["template"]["spec"]
    assert "artifacts" not in [each["name"] for each in plain["volumes"]]


def test_host_mode():
    """What the installation on the host needs is in its own container; the agent's gets nothing of it that can be written but its token."""
    for mode in ("auto", "host", "pod"):
        pod = one(render(values={"agent": {"mode": mode}}), "DaemonSet", "holdfast-agent")["spec"]["template"]["spec"]
        agent, host = pod["containers"][0], next(box for box in pod["initContainers"] if box["name"] == "host")
        for box in (agent, host):
            assert {each["name"]: each.get("value") for each in box["env"]}["HOLDFAST_HOST_LIFE"] == mode
        assert host["args"] == ["--mode=pod", "--install-host"] and host["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {mount["mountPath"] for mount in host["volumeMounts"]} == {"/var/lib/holdfast", "/etc/systemd/system", "/run/holdfast", "/run/holdfast-units", "/usr/local"}
        users = [box["name"] for box in pod["initContainers"] + pod["containers"] for mount in box["volumeMounts"] if mount["name"] == "host-units"]
        assert users == ["host"]
        below = {mount["mountPath"]: mount.get("readOnly", False) for mount in agent["volumeMounts"] if mount["mountPath"].startswith("/var/lib/holdfast/")}
        assert below == ({} if mode == "pod" else {"/var/lib/holdfast/host": True, "/var/lib/holdfast/host/pod": False})
    secrets = one(render(values={"artifacts": {"fromSecret": "store"}}), "DaemonSet", "holdfast-agent")["spec"]["template"]["spec"]["initContainers"]
    assert "HOLDFAST_POD_SECRETS" in [each["name"] for each in secrets[-1]["env"]]
    roots = {"agent": {"updateRoots": ["/opt"]}, "manifests": {"hostPaths": ["/etc/kubernetes/manifests"]}}
    host = one(render(values=roots), "DaemonSet", "holdfast-agent")["spec"]["template"]["spec"]["initContainers"][-1]
    assert {each["name"]: each.get("value") for each in host["env"]}["HOLDFAST_HOST_PATHS"] == "/opt:/etc/kubernetes/manifests:/var/edge/data"
    assert "/usr/local" not in {mount["mountPath"] for mount in host["volumeMounts"]}


def test_without_the_policy_api():
    off = {"policies": {"enabled": False}, "controller": {"enabled": True}}
    objects = render(values=off)
    assert not [each for each in objects if each["kind"].startswith("ValidatingAdmission")]

    def patches_nodes(name):
        return any("nodes" in rule["resources"] and "patch" in rule["verbs"] for rule in one(objects, "ClusterRole", name)["rules"])

    def labels_by():
        agent = one(objects, "DaemonSet", "holdfast-agent")["spec"]["template"]["spec"]["containers"][-1]
        controller = one(objects, "Deployment", "holdfast-controller")["spec"]["template"]["spec"]["containers"][0]
        return ({each["name"]: each.get("value") for each in agent["env"]}.get("HOLDFAST_LABELS_BY"),
                [each for each in controller["args"] if each.startswith("--write-labels")])
    assert not patches_nodes("holdfast-agent") and patches_nodes("holdfast-controller")
    assert labels_by() == ("controller", ["--write-labels=on"])
    objects = render(values={"controller": {"enabled": True}})
    assert patches_nodes("holdfast-agent") and not patches_nodes("holdfast-controller")
    assert labels_by() == (None, ["--write-labels=off"])


def test_the_guard_and_lint_have_one_bound():
    with open(os.path.join(TOP, "pkg/cli/release/release_spread.h"), encoding="utf-8") as header:
        most = int(re.search(r"HF_RELEASE_MAX_UNSTAGED = (\d+)", header.read())[1])
    rule = one(render(), "ValidatingAdmissionPolicy", "holdfast-guard")["spec"]["validations"][0]
    assert f"variables.nodes > {most})" in rule["expression"] and "add a strategy, or" in rule["messageExpression"], rule
    rule = one(render(values={"policies": {"guard": {"maxUnstaged": 3}}, "controller": {"enabled": False}}),
               "ValidatingAdmissionPolicy", "holdfast-guard")["spec"]["validations"][0]
    assert "variables.nodes > 3)" in rule["expression"] and "a strategy" not in rule["messageExpression"], rule
    for off in ({"guard": {"enabled": False}}, {"enabled": False}):
        assert not [each for each in render(values={"policies": off}) if each["metadata"]["name"] == "holdfast-guard"]


def test_older_servers():
    code, _, errors = run("template", "holdfast", CHART, "--kube-version", "1.31.4")
    assert code != 0 and "policies.enabled: this server is v1.31.4" in errors and "set it to false" in errors, errors
    assert render("--kube-version", "1.29.1", values={"policies": {"enabled": False}})
    code, _, errors = run("template", "holdfast", CHART, "--kube-version", "1.28.0", values={"policies": {"enabled": False}})
    assert code != 0 and "1.29" in errors, errors


def test_policies_name_the_release_s_namespace():
    _, text, _ = run("template", "holdfast", CHART, "-n", "elsewhere", values=EVERYTHING)
    assert "holdfast-system" not in text and "system:serviceaccount:elsewhere:holdfast-agent" in text


def test_examples_have_values_that_the_chart_takes():
    found = []
    for path in ("deploy/k3s-helmchart.yaml", "deploy/flux/holdfast.yaml"):
        with open(os.path.join(TOP, path), encoding="utf-8") as file:
            for each in yaml.safe_load_all(file):
                if each["kind"] == "HelmChart":
                    found.append(yaml.safe_load(each["spec"]["valuesContent"]))
                if each["kind"] == "HelmRelease":
                    found.append(each["spec"]["values"])
    assert len(found) == 2
    for values in found:
        assert one(render(values=values), "DaemonSet", "holdfast-agent")["spec"]["template"]["spec"]["containers"][0]["image"].startswith("images.example.com/")


def test_flux_example_is_right_once_it_is_filled_in():
    """As Flux fills it in; the release holds nothing to fill in, and an agent would take both objects."""
    cli = os.path.join(TOP, "build", "release", "holdfast")
    if not os.path.exists(cli):
        raise Skip("holdfast is not built")
    with open(os.path.join(TOP, "deploy/flux/fleet.yaml"), encoding="utf-8") as file:
        kustomization = next(each for each in yaml.safe_load_all(file) if each["kind"] == "Kustomization")
    names = {check["name"] for check in kustomization["spec"]["healthChecks"]}
    with tempfile.TemporaryDirectory() as folder:
        for name in sorted(os.listdir(os.path.join(TOP, "deploy/flux/fleet"))):
            with open(os.path.join(TOP, "deploy/flux/fleet", name), encoding="utf-8") as file:
                text = file.read()
            each = yaml.safe_load(text)
            if each["metadata"].get("annotations", {}).get("kustomize.toolkit.fluxcd.io/substitute") == "disabled":
                assert "${HOLDFAST_NODE}" in text, name
                continue
            assert "${" not in json.dumps(each["spec"].get("release", {})), name
            for variable, value in kustomization["spec"]["postBuild"]["substitute"].items():
                text = text.replace("${" + variable + "}", value)
            assert "${" not in text, name
            names -= {each["metadata"]["name"]} if each["kind"] == "EdgeUpdate" else set()
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        done = subprocess.run([cli, "lint", *(os.path.join(folder, name) for name in sorted(os.listdir(folder)))], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        assert done.returncode == 0 and not names, done.stdout + str(names)


def flux_values():
    with open(os.path.join(TOP, "deploy/flux/holdfast.yaml"), encoding="utf-8") as file:
        return next(each for each in yaml.safe_load_all(file) if each["kind"] == "HelmRelease")["spec"]


def test_flux_example_nodes_trust_what_the_fleet_runs():
    """The key in the HelmRelease has signed the release of the fleet; nobody waits for nodes that are away."""
    cli, spec = os.path.join(TOP, "build", "release", "holdfast"), flux_values()
    assert spec["install"]["disableWait"] and spec["upgrade"]["disableWait"]
    if not os.path.exists(cli):
        raise Skip("holdfast is not built")
    with tempfile.TemporaryDirectory() as folder:
        key, update = os.path.join(folder, "release-2026.pem"), os.path.join(folder, "update.yaml")
        with open(os.path.join(TOP, "deploy/flux/fleet/edge-inference.yaml"), encoding="utf-8") as file, open(update, "w", encoding="utf-8") as to:
            to.write(file.read().replace("${REGION}", "eu-west-1"))
        with open(key, "w", encoding="utf-8") as file:
            file.write(spec["values"]["firstInstall"]["trustedKeys"]["release-2026"])
        done = subprocess.run([cli, "release", "verify", update, "--key", key], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert done.returncode == 0 or "expired" in done.stdout, done.stdout


def test_flux_release_from_ci():
    """deploy/flux/ci-release: a branch of the fleet's repository with the signed release, and Flux's variable where it was."""
    cli = os.path.join(TOP, "build", "release", "holdfast")
    if not os.path.exists(cli) or shutil.which("git") is None:
        raise Skip("holdfast is not built, or no git")
    with tempfile.TemporaryDirectory() as folder:
        def call(*argv, cwd=folder):
            environment = {**os.environ, "PATH": os.path.dirname(cli) + ":" + os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.path.join(folder, "gitconfig")}
            done = subprocess.run(argv, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            assert done.returncode == 0, f"{argv}: {done.stdout}"
            return done.stdout
        with open(os.path.join(folder, "gitconfig"), "w", encoding="utf-8") as file:
            file.write("[user]\n name = CI\n email = ci@example.com\n[init]\n defaultBranch = main\n")
        fleet = os.path.join(folder, "fleet.git")
        shutil.copytree(os.path.join(TOP, "deploy/flux/fleet"), os.path.join(folder, "site", "fleet"))
        for argv in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "the fleet"], ["clone", "-q", "--bare", ".", fleet]):
            call("git", *argv, cwd=os.path.join(folder, "site"))
        for name, size in (("new", 30000), ("old", 29000)):
            os.makedirs(os.path.join(folder, name))
            with open(os.path.join(folder, name, "amd64"), "wb") as file:
                file.write(bytes(i * i % 251 for i in range(size)))
        call(cli, "key", "generate", "release-2026")
        call(os.path.join(TOP, "deploy/flux/ci-release"), "1.5.0", "43", "file://" + fleet)
        text = call("git", "-C", fleet, "show", "edge-inference-1.5.0:fleet/edge-inference.yaml")
        update = yaml.safe_load(text)
        assert update["spec"]["nodeSelector"]["matchLabels"] == {"edge.codcompass.io/region": "${REGION}"}, text
        assert update["spec"]["strategy"]["maxFailures"] == "2%" and update["spec"]["release"]["install"]["path"].endswith("/current"), text
        assert update["spec"]["release"]["sequence"] == 43 and "${" not in json.dumps(update["spec"]["release"]), text
        with open(os.path.join(folder, "applied.yaml"), "w", encoding="utf-8") as file:
            file.write(text.replace("${REGION}", "eu-west-1"))
        call(cli, "release", "verify", "applied.yaml", "--key", "release-2026", "--artifacts", "out")


def test_packed_chart_is_the_same():
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([helm(), "package", CHART, "-d", folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert done.returncode == 0, done.stdout
        packed = subprocess.run([helm(), "template", "holdfast", os.path.join(folder, *os.listdir(folder))], stdout=subprocess.PIPE, text=True, check=True)
        plain = subprocess.run([helm(), "template", "holdfast", CHART], stdout=subprocess.PIPE, text=True, check=True)
        assert packed.stdout == plain.stdout


def main():
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for name, test in sorted(globals().items()):
        if not name.startswith("test_") or (sys.argv[1:] and not any(word in name for word in sys.argv[1:])):
            continue
        try:
            test()
            counts["passed"] += 1
            print(f"  ok    {name}", flush=True)
        except Skip as why:
            counts["skipped"] += 1
            print(f"SKIP: {name}: {why}", flush=True)
        except AssertionError as error:
            counts["failed"] += 1
            print(f"  FAIL  {name}: {error}", flush=True)
    if many.cache_info().currsize:
        many().communicate()  # it ends with its input
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
