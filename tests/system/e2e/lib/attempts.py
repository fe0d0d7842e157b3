#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What whoever took over node n1 tries with its agent's credentials, and the rule that refuses each: attempts.py prints the table of
docs/reference/stolen.md. tests/system/e2e/test_admission.py makes each attempt with both of the agent's identities on a real API server."""

EDGE = "/apis/edge.codcompass.io/v1alpha1"
EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"
SYSTEM = "/api/v1/namespaces/holdfast-system"
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
CONTROLLER_POLICY, CONTROLLER_WHY = "holdfast-controller-turns", "writes the spec of an EdgeNode"
TURN = {"release": "sample", "digest": "0" * 64}
GIVEN = {"epoch": 1, "turns": [TURN]}            # what the controller has given n1 before
AGENT = "holdfast-agent"                         # the agents' field manager
JSON_PATCH = "application/json-patch+json"
REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"


def edgenode(name, metadata=None, **parts):
    return {"apiVersion": "edge.codcompass.io/v1alpha1", "kind": "EdgeNode", "metadata": {"name": name} | (metadata or {})} | parts


def event(name="n1.attempt", about="n1", kind="EdgeNode", by="holdfast-agent", **more):
    """What an agent may create, with one thing changed."""
    group = "v1" if kind == "Node" else "edge.codcompass.io/v1alpha1"
    return {"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": name, "namespace": "default"}, "type": "Normal",
            "eventTime": "2026-01-01T00:00:00.000000Z", "reason": "UpdateCommitted", "action": "Update", "note": "x", "reportingController": by,
            "reportingInstance": "n1", "regarding": {"apiVersion": group, "kind": kind, "name": about}} | more


class Attempt:
    """`policy` refuses it with a text that holds `why`; without a policy, no rule of RBAC grants `verb` on `resource`. Where it writes an
    EdgeNode's spec and a controller is installed, the policy about the controller's writes may answer first."""

    def __init__(self, what, method, path, body=None, kind=MERGE, policy=None, why="", grant=None):
        self.what, self.method, self.path, self.body, self.kind = what, method, path, body, kind
        self.policy, self.why, self.grant = policy, why, grant

    def writes_spec(self):
        """Another spec than the node's own turn, which the tests give it."""
        spec = self.body.get("spec") if isinstance(self.body, dict) else None
        return self.policy == "holdfast-agent-own-edgenode" and spec not in (None, GIVEN)

    def rule(self):
        if self.writes_spec():
            return f"policies `{self.policy}`, `{CONTROLLER_POLICY}`"
        return f"policy `{self.policy}`" if self.policy else "no right to {} {}".format(*self.grant)


def apply(name, what, why, metadata=None, under="", manager="attempt", **parts):
    path = f"{EDGE}/edgenodes/{name}{under}?fieldManager={manager}&force=true"
    return Attempt(what, "PATCH", path, edgenode(name, metadata, **parts), APPLY, "holdfast-agent-own-edgenode", why)


def patch(what, why, body, under="", kind=MERGE):
    """Of its own EdgeNode, and no server-side apply."""
    return Attempt(what, "PATCH", f"{EDGE}/edgenodes/n1{under}?fieldManager={AGENT}", body, kind, "holdfast-agent-own-edgenode", why)


def owner(manager=AGENT, fields=None, **more):
    """An entry of metadata.managedFields as a thief would write it."""
    return {"manager": manager, "operation": "Update", "apiVersion": "edge.codcompass.io/v1alpha1", "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1", "fieldsV1": fields or {}} | more


def labels(what, why, found, manager=AGENT):
    """Apply these labels to its own Node."""
    body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "labels": found}}
    return Attempt(what, "PATCH", f"/api/v1/nodes/n1?fieldManager={manager}&force=true", body, APPLY, "holdfast-agent-own-labels", why)


def node(name, what, why, body, kind=MERGE):
    return Attempt(what, "PATCH", f"/api/v1/nodes/{name}?fieldManager={AGENT}", body, kind, "holdfast-agent-own-labels", why)


def report(what, why, body, manager=AGENT):
    return Attempt(what, "POST", f"{EVENTS}?fieldManager={manager}", body, "application/json", "holdfast-agent-own-events", why)


def without_right(what, verb, resource, method, path, body=None, kind=None):
    kind = kind or ("application/json" if method in ("POST", "PUT") else MERGE)
    return Attempt(what, method, path, body, kind, grant=(verb, resource))


OWN, TOUCH = "only the EdgeNode of its own node, which is n1", "no finalizers, ownerReferences, labels or annotations"
LABELS, NOTHING = "only labels under edge.codcompass.io/", "nothing of a Node but its labels"
ABOUT = "reports Events only about the EdgeNode of its own node, which is n1"
WHO, HOW, OWNS = "as the field manager holdfast-agent", "by server-side apply, in no other name", "owns the status of its EdgeNode and nothing else"
OWNS_LABELS, AS_AGENT = "by server-side apply, and owns only those that it may write", "Events as the field manager holdfast-agent"
BARE = "no finalizers, ownerReferences, labels or annotations of an Event"
GHOST = {"updates": [{"name": "ghost", "phase": "Committed"}]}
LONG = {f"f:{i:05}": {} for i in range(2000)}

ATTEMPTS = [
    # Other nodes' EdgeNodes, and what is not an agent's in its own.
    apply("n2", "make or change the EdgeNode of another node", OWN),
    apply("n2", "write another node's status", OWN, under="/status", status={"sequence": 1}),
    apply("other", "make an EdgeNode for a node that does not exist", OWN),
    apply("n2", "take another node's turn away", OWN, spec={"epoch": 1, "turns": []}),
    apply("n1", "give itself a turn", "an agent writes no spec of an EdgeNode", spec={"turns": [TURN | {"digest": "1" * 64}]}),
    apply("n1", "raise the epoch of its turns", "an agent writes no spec of an EdgeNode", spec={"epoch": 99}),
    # To keep its turn for ever: whoever owns a field, too, keeps it when the controller stops to apply it.
    apply("n1", "apply its own turn, unchanged, under another field manager", WHO, spec=GIVEN),
    apply("n1", "apply its own turn, unchanged, as the agent", OWNS, manager=AGENT, spec=GIVEN),
    apply("n1", "apply its own turn in the name of the controller's field manager", WHO, manager="holdfast-controller", spec=GIVEN),
    patch("clear the managedFields of its EdgeNode", OWNS, {"metadata": {"managedFields": [{}]}}),
    patch("clear them by a JSON patch", OWNS, [{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}], kind=JSON_PATCH),
    patch("claim fields in the controller's name", OWNS, {"metadata": {"managedFields": [owner("holdfast-controller", {"f:spec": {}})]}}),
    # What would outlive the real agent's reports.
    apply("n1", "report a hold under another field manager", WHO, under="/status", status={"hold": {"reason": "thief"}}),
    apply("n1", "report a ghost update under another field manager", WHO, under="/status", status=GHOST),
    apply("n1", "report in the name of the controller's field manager", WHO, under="/status", manager="holdfast-controller", status=GHOST),
    patch("report by a merge patch", HOW, {"status": GHOST}, "/status"),
    patch("report by a JSON patch", HOW, [{"op": "add", "path": "/status", "value": GHOST}], "/status", JSON_PATCH),
    apply("n1", "free its turn by annotation", TOUCH, {"annotations": {"edge.codcompass.io/free-turn": "0" * 64}}),
    apply("n1", "bind its EdgeNode to another Node", TOUCH, {"annotations": {"edge.codcompass.io/node-uid": "0"}}),
    apply("n1", "put a finalizer on its EdgeNode", TOUCH, {"finalizers": ["example.com/stay"]}),
    apply("n1", "give its EdgeNode an owner", TOUCH, {"ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "0"}]}),
    apply("n1", "label its EdgeNode", TOUCH, {"labels": {"a": "b"}}),
    without_right("delete its own EdgeNode", "delete", "edgenodes", "DELETE", f"{EDGE}/edgenodes/n1"),
    without_right("delete another node's EdgeNode", "delete", "edgenodes", "DELETE", f"{EDGE}/edgenodes/n2"),
    without_right("delete all EdgeNodes", "deletecollection", "edgenodes", "DELETE", f"{EDGE}/edgenodes"),
    without_right("replace an EdgeNode as a whole", "update", "edgenodes", "PUT", f"{EDGE}/edgenodes/n2", edgenode("n2")),
    # Nodes.
    node("n2", "label another Node", "only the labels of its own Node, which is n1", {"metadata": {"labels": {"edge.codcompass.io/tier": "1"}}}),
    node("n1", "label its Node outside edge.codcompass.io/", LABELS, {"metadata": {"labels": {"x": "1"}}}),
    node("n1", "make its Node a control plane by label", LABELS, {"metadata": {"labels": {"node-role.kubernetes.io/control-plane": ""}}}),
    node("n1", "remove a label of Kubernetes from its Node", LABELS, {"metadata": {"labels": {"kubernetes.io/os": None}}}),
    node("n1", "set a label under the prefix that this cluster does not list", "'named' of this policy lists",
         {"metadata": {"labels": {"edge.codcompass.io/role": "control"}}}),
    node("n1", "taint its Node", NOTHING, {"spec": {"taints": [{"key": "x", "effect": "NoExecute"}]}}),
    node("n1", "make its Node unschedulable", NOTHING, {"spec": {"unschedulable": True}}),
    node("n1", "annotate its Node", NOTHING, {"metadata": {"annotations": {"x": "1"}}}),
    node("n1", "put a finalizer on its Node", NOTHING, {"metadata": {"finalizers": ["example.com/stay"]}}),
    labels("own a label of Kubernetes, too", OWNS_LABELS, {"kubernetes.io/os": "linux"}),
    labels("own an administrator's label under the prefix, too", OWNS_LABELS, {"edge.codcompass.io/role": "kept"}),
    labels("label its Node under another field manager", "as the field manager holdfast-agent", {"edge.codcompass.io/gpu": "x"}, "attempt"),
    node("n1", "label its Node by a merge patch", OWNS_LABELS, {"metadata": {"labels": {"edge.codcompass.io/gpu": "x"}}}),
    node("n1", "clear the managedFields of its Node", "leaves the managedFields of others on its Node", {"metadata": {"managedFields": [{}]}}),
    labels("set 33 labels of processor features", "at most 32 labels under edge.codcompass.io/cpu.",
           {f"edge.codcompass.io/cpu.x{i}": "true" for i in range(33)}),
    without_right("write its Node's status", "patch", "nodes/status", "PATCH", "/api/v1/nodes/n1/status", {"status": {"phase": "x"}}),
    without_right("delete another Node", "delete", "nodes", "DELETE", "/api/v1/nodes/n2"),
    without_right("make a Node", "create", "nodes", "POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n9"}}),
    # What is desired.
    without_right("admit itself: the status of an EdgeUpdate", "patch", "edgeupdates/status", "PATCH", f"{EDGE}/edgeupdates/x/status",
                  {"status": {"admission": {"digest": "0" * 64, "cutoff": 10000}}}),
    without_right("resume a rollout by annotation", "patch", "edgeupdates", "PATCH", f"{EDGE}/edgeupdates/x", {"metadata": {"annotations": {"a": "b"}}}),
    without_right("make an EdgeUpdate", "create", "edgeupdates", "POST", f"{EDGE}/edgeupdates", {}),
    without_right("delete an EdgeUpdate", "delete", "edgeupdates", "DELETE", f"{EDGE}/edgeupdates/x"),
    without_right("change a SyncPolicy", "patch", "syncpolicies", "PATCH", f"{EDGE}/syncpolicies/x", {}),
    without_right("delete a SyncPolicy", "delete", "syncpolicies", "DELETE", f"{EDGE}/syncpolicies/x"),
    without_right("change the kinds", "patch", "customresourcedefinitions", "PATCH",
                  "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/edgenodes.edge.codcompass.io", {}),
    # Events.
    report("report an Event about another node's EdgeNode", ABOUT, event(about="n2")),
    report("report an Event about its Node", ABOUT, event(kind="Node")),
    report("report an Event about an EdgeUpdate", ABOUT, event(kind="EdgeUpdate", about="sample")),
    report("report an Event in the controller's name", "reports Events as holdfast-agent", event(by="holdfast-controller")),
    report("report an Event under another node's name", "under names that begin with n1.", event(name="n2.attempt")),
    report("relate an Event to another object", "without related objects", event(related={"apiVersion": "v1", "kind": "Node", "name": "n2"})),
    report("annotate an Event", BARE, event(metadata={"name": "n1.attempt", "namespace": "default", "annotations": {"x": "y" * 20000}})),
    report("label an Event", BARE, event(metadata={"name": "n1.attempt", "namespace": "default", "labels": {"x": "y"}})),
    report("report an Event under another field manager", AS_AGENT, event(), "attempt"),
    report("report an Event with a long list of owned fields", AS_AGENT, event(metadata={
        "name": "n1.attempt", "namespace": "default", "managedFields": [owner(fields={"f:note": LONG}, apiVersion="events.k8s.io/v1")]})),
    Attempt("count up another node's Event", "PATCH", f"{EVENTS}/n2.told",
            {"series": {"count": 9, "lastObservedTime": "2026-01-01T00:01:00.000000Z"}}, MERGE, "holdfast-agent-own-events", ABOUT),
    without_right("report an Event in another namespace", "create", "events", "POST", EVENTS.replace("default", "kube-system"),
                  event() | {"metadata": {"name": "n1.attempt", "namespace": "kube-system"}}),
    without_right("report an Event by the older API", "create", "events", "POST", "/api/v1/namespaces/default/events",
                  {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "n1.attempt", "namespace": "default"},
                   "involvedObject": {"kind": "EdgeNode", "name": "n1", "apiVersion": "edge.codcompass.io/v1alpha1"}}),
    without_right("delete an Event", "delete", "events", "DELETE", f"{EVENTS}/n2.told"),
    # Secrets, pods, and ways to more rights.
    without_right("list Secrets", "list", "secrets", "GET", "/api/v1/secrets"),
    without_right("read a Secret of holdfast's namespace", "get", "secrets", "GET", f"{SYSTEM}/secrets/x"),
    without_right("read a ConfigMap", "get", "configmaps", "GET", f"{SYSTEM}/configmaps/holdfast-agent"),
    without_right("allow itself more labels", "patch", "validatingadmissionpolicies", "PATCH", f"{POLICIES}/holdfast-agent-own-labels", {}),
    without_right("make a pod", "create", "pods", "POST", f"{SYSTEM}/pods", {}),
    without_right("delete a pod", "delete", "pods", "DELETE", f"{SYSTEM}/pods/x"),
    without_right("run a command in a pod", "create", "pods/exec", "POST", f"{SYSTEM}/pods/x/exec?command=id"),
    without_right("change the agents' DaemonSet", "patch", "daemonsets", "PATCH", "/apis/apps/v1/namespaces/holdfast-system/daemonsets/holdfast-agent", {}),
    without_right("get a token of the controller's account", "create", "serviceaccounts/token", "POST",
                  f"{SYSTEM}/serviceaccounts/holdfast-controller/token", {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}),
    without_right("take the controller's Lease", "patch", "leases", "PATCH",
                  "/apis/coordination.k8s.io/v1/namespaces/holdfast-system/leases/holdfast-controller", {}),
    without_right("bind itself to cluster-admin", "create", "clusterrolebindings", "POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
                  {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "x"},
                   "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}}),
    without_right("delete the policy that confines it", "delete", "validatingadmissionpolicies", "DELETE", f"{POLICIES}/holdfast-agent-own-edgenode"),
    without_right("ask for a certificate of another name, where `certificates.enabled` is off", "create", "certificatesigningrequests", "POST",
                  REQUESTS, {}),
    without_right("approve a certificate request", "patch", "certificatesigningrequests/approval", "PATCH",
                  "/apis/certificates.k8s.io/v1/certificatesigningrequests/x/approval", {}),
]

# The API server takes no managedFields with a status: these empty it, and have no other effect.
VOID = [{"status": None, "metadata": {"managedFields": fields}} for fields in (
    [{}], [owner(fields={"f:spec": {}})], [owner(fields={"f:status": LONG}, subresource="status")],
    [owner(fields={"f:status": LONG}, subresource="status", operation="Apply")], [owner("thief", {"f:status": {"f:hold": {}}}, subresource="status")])]

CERTIFICATES, CLIENT = "holdfast-agent-own-requests", "kubernetes.io/kube-apiserver-client"


def ask(what, why, csr=None, metadata=None, policy=CERTIFICATES, **spec):
    """A certificate request; its content is for the controller to judge."""
    body = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "attempt"} | (metadata or {}),
            "spec": {"signerName": CLIENT, "usages": ["client auth", "digital signature"], "expirationSeconds": 86400, "request": csr} | spec}
    return Attempt(what, "POST", f"{REQUESTS}?fieldManager={AGENT}", body, "application/json", policy, why)


# Where certificates.enabled is on. Each body still lacks its request: the tests fill it in.
CERTIFICATE_ATTEMPTS = [
    ask("ask for a certificate of another signer", "asks for client certificates", signerName="kubernetes.io/kubelet-serving"),
    ask("ask for a certificate of a signer of its own", "asks for client certificates", signerName="example.com/agents"),
    ask("ask for a kubelet's certificate", "asks for client certificates", signerName="kubernetes.io/kube-apiserver-client-kubelet"),
    ask("ask for a server's certificate", "asks for client certificates", usages=["server auth", "digital signature"]),
    ask("ask for a certificate that signs", "asks for client certificates", usages=["client auth", "cert sign"]),
    ask("ask for a certificate without an end", "asks for client certificates", expirationSeconds=None),
    ask("annotate a certificate request", "annotations of a certificate request", metadata={"annotations": {"x": "y"}}),
]

# Where policies.revokedNodes has n1: everything that its agent may write otherwise.
REVOKED = "holdfast-agent-revoked"
REVOKED_WHY = "the node n1 is revoked"
REVOKED_ATTEMPTS = [
    Attempt("report its status", "PATCH", f"{EDGE}/edgenodes/n1/status?fieldManager={AGENT}&force=true", edgenode("n1", status={"sequence": 1}), APPLY,
            REVOKED, REVOKED_WHY),
    Attempt("make its EdgeNode", "PATCH", f"{EDGE}/edgenodes/n1?fieldManager={AGENT}&force=true", edgenode("n1"), APPLY, REVOKED, REVOKED_WHY),
    Attempt("label its Node", "PATCH", f"/api/v1/nodes/n1?fieldManager={AGENT}&force=true", {
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "labels": {"edge.codcompass.io/gpu": "x"}}}, APPLY, REVOKED, REVOKED_WHY),
    Attempt("report an Event", "POST", f"{EVENTS}?fieldManager={AGENT}", event(), "application/json", REVOKED, REVOKED_WHY),
    ask("ask for a certificate", REVOKED_WHY, policy=REVOKED),
]


def table():
    """As docs/reference/stolen.md has it."""
    tried = [(one, "") for one in ATTEMPTS] + [(one, ", where `certificates.enabled` is on") for one in CERTIFICATE_ATTEMPTS]
    tried += [(one, ", once `policies.revokedNodes` lists it") for one in REVOKED_ATTEMPTS]
    rows = [f"| {number} | {one.what}{where} | {one.rule()} |" for number, (one, where) in enumerate(tried, 1)]
    return "\n".join(["| | attempt | refused by |", "|---|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    print(table(), end="")
