# SPDX-License-Identifier: Apache-2.0
"""How each command of a page is run. A command that no row knows fails the test: "README.md:31: no test runs this command".

Rows are asked in order; the pattern must match all of the command, written on one line. What a row says:

    run        in the page's scratch root, as it stands there. The default
    changed    the same, with one part of it changed: (pattern, replacement); `why` says what for
    background left running; the page goes on when `until` is true
    dry        not run; its target or program is there. `why` says why
    cluster    only by tests/system/e2e/test_docs.py; `why` says what it needs
    elsewhere  by another test, which `why` names
    none       not run by any test; `why` says the true reason
    standin    here with a stand-in of tests/system/docs/standin.py; with the real program by tests/system/e2e/test_docs.py
"""
import base64
import json
import os
import re
import shutil
import subprocess
import sys

from world import OBJECTS, TOP, ask, wait, write

ARCH = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


class Row:
    """`before` and `after` are functions of the world; `after` is given the output too. `code`: exit codes that are right."""

    def __init__(self, pattern, how="run", page="", code=(0,), expect="", before=None, after=None, why="", change=None, until=None):
        self.pattern, self.how, self.page, self.code, self.expect = re.compile(pattern, re.S), how, page, code, expect
        self.before, self.after, self.why, self.change, self.until = before, after, why, change, until

    def matches(self, page, command):
        return self.page in page and self.pattern.fullmatch(command)


def key_pair(world, _):
    for name in [name[:-4] for name in os.listdir(".") if name.endswith(".key")]:
        if os.path.exists(name + ".pem") and os.stat(name + ".key").st_mode & 0o777 == 0o600:
            return
    raise AssertionError(f"no NAME.key of mode 0600 with its NAME.pem is there: {sorted(os.listdir('.'))}")


def fresh_node(world):
    """No agent and no keys yet, as on a node that nobody has touched."""
    shutil.rmtree("/etc/holdfast", ignore_errors=True)


def with_key(world):
    """A page that begins after the first key was made: the README's steps."""
    if not os.path.exists("release-2026.key"):
        world.call(["holdfast", "key", "generate", "release-2026"])
    if not os.path.exists("/etc/holdfast/trust.d/release-2026.pem"):
        write("/etc/holdfast/trust.d/release-2026.pem", open("release-2026.pem", encoding="ascii").read())


def with_agents(world):
    with_key(world)
    for version in ("1.4.2", "1.5.0"):
        folder = f"agents/{version}/amd64"
        os.makedirs(folder, exist_ok=True)
        write(f"{folder}/holdfast-agent", f"{version} {'program ' * 9999}")
        os.chmod(f"{folder}/holdfast-agent", 0o755)


def without_agent(world):
    """A manual page's examples stand each for itself: an agent that an earlier one started is stopped."""
    world.service()
    if ask(9090, "/metrics"):
        world.call(["systemctl", "stop", "holdfast-agent"])
    os.makedirs("/etc/holdfast/objects", exist_ok=True)


def with_configuration(_):
    """The example of deploy/ as the node's configuration, and here."""
    os.makedirs("/etc/holdfast", exist_ok=True)
    for path in ("agent.yaml", "/etc/holdfast/agent.yaml"):
        shutil.copyfile(os.path.join(TOP, "deploy", "agent.example.yaml"), path)


def with_agent(world):
    world.agent()


def with_unit(world):
    """An agent whose unit reads the cluster's objects."""
    world.agent()
    write("/etc/holdfast/agent.env", f"HOLDFAST_SOURCE={OBJECTS}\n")


def with_status(world):
    """A moment after it started, an agent has said nothing yet."""
    world.agent()
    wait("a status", lambda: subprocess.run(["holdfast", "status"], env=world.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                            check=False).returncode in (0, 4))


def with_cluster(world):
    """An agent in a pod; behind a MetaServer the page itself starts one."""
    if not ask(10550, "/_control/state"):
        world.agent()


def another_example(world):
    """The manual's examples before this one took the first key away and asked for two signatures."""
    if os.path.exists("/etc/holdfast/trust.d/threshold"):
        os.unlink("/etc/holdfast/trust.d/threshold")
    with_key(world)
    world.agent()


def with_status_kubeconfig(world):
    """docs/how-to/kubeedge-status.md shows the file and says to write it."""
    with open(os.path.join(TOP, "docs", "how-to", "kubeedge-status.md"), encoding="utf-8") as page:
        shown = re.search(r"```yaml\n(apiVersion: v1\nkind: Config\n.*?)```", page.read(), re.S).group(1)
    write("/etc/holdfast/status.kubeconfig", shown)
    for name in ("agent.crt", "ca.crt"):
        shutil.copy(name, "/etc/holdfast")


def with_token(_):
    """What the administrator made for this node; nobody checks its signature here."""
    claims = {"sub": "system:serviceaccount:holdfast-system:holdfast-agent", "kubernetes.io": {"node": {"name": "edge-7"}}}
    write(os.path.abspath("edge-7.token"), "e30." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".c2ln")
    write(os.path.abspath("ca.crt"), "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n")


def with_node_token(_):
    """The CA of the cluster's clients, and a token as this node signs them."""
    sys.path.insert(1, os.path.join(TOP, "tests", "support"))
    from apiserver import Authority  # pylint: disable=import-outside-toplevel
    from node_token import Forger  # pylint: disable=import-outside-toplevel
    folder = os.path.abspath("node-token")
    authority = Authority(folder)
    shutil.copy(authority.ca, "client-ca.crt")
    write(os.path.abspath("token"), Forger(folder, folder, "edge-7").certified().token("https://releases.example.com", "edge-7"))


def with_delta(world):
    """What holdfast-delta(1) fetches, and the program it is for."""
    world.call(["holdfast", "delta", "create", "--plain", f"1.4.1/{ARCH}", f"new/{ARCH}", "app.delta"])
    os.makedirs("/opt/app/bin", exist_ok=True)
    shutil.copy(f"1.4.1/{ARCH}", "/opt/app/bin/app")


def is_new(world, _):
    with open("/opt/app/bin/app.new", "rb") as made, open(f"new/{ARCH}", "rb") as wanted:
        assert made.read() == wanted.read(), "app.new is not the new file"


def serves(version):
    def served(world, _):
        wait(f"the service to be {version}", lambda: version in ask(8080, "/version"))
    return served


def settled(version):
    """In a folder of objects nothing says when: look."""
    def done(world, _):
        wait(f"{version} to be committed", lambda: any(
            row["version"] == version and row["phase"] == "Committed" for row in world.status().get("updates", [])))
        serves(version)(world, _)
    return done


def delivered(world, _):
    from sites import Site  # pylint: disable=import-outside-toplevel
    wait("a POST to the sink with the payload", lambda: [body for _, _, body in Site.taken if b"temperature" in body])
    wrong = [path for _, path, _ in Site.taken if path.endswith("/v1/v1/logs")]
    assert not wrong, f"posted to {wrong[0]}"


def has_user_data(world, _):
    with open("out/cloud-init/user-data-edge.yaml", encoding="utf-8") as made, \
            open(os.path.join(TOP, "deploy/cloud-init/user-data-edge.yaml"), encoding="utf-8") as wanted:
        assert made.read() == wanted.read(), "not the user-data of the description"


SELF = "runs for many minutes; a suite of its own in .ci/run, or this very test is part of it"
ROOT_NET = "needs root, containerd and systemd, which the cluster of `make e2e` has"

ROWS = [
    # ---- rollouts ---------------------------------------------------------------------------------------------------------
    Row(r".*", "cluster", page="docs/how-to/rollouts.md",
        why="needs a cluster with the controller: tests/system/e2e/test_helm.py runs these commands (lib/rollout_page.py)"),
    Row(r".*", "cluster", page="docs/how-to/upgrade-k3s.md",
        why="needs nodes with a kubelet of their own: tests/system/e2e/test_kubelet.py runs these commands (lib/k3s_page.py)"),
    Row(r".*", "cluster", page="docs/how-to/teams.md", why="needs a cluster: tests/system/e2e/test_teams.py runs these commands"),
    Row(r"cp deploy/k3s/nodes.yaml .*", page="docs/how-to/nodes-as-code.md"),
    Row(r"deploy/verify-node-token .*", before=with_node_token),
    Row(r"deploy/k3s/render .*", page="docs/how-to/nodes-as-code.md", after=has_user_data),
    Row(r".*", "cluster", page="docs/how-to/stolen-node.md", why="needs a cluster: tests/system/e2e/test_admission.py runs these commands"),
    # ---- container images -------------------------------------------------------------------------------------------------
    Row(r".*", "cluster", page="docs/how-to/container-images.md", why="needs a cluster: tests/system/e2e/test_container_images.py runs these commands"),
    # ---- what a release publishes -----------------------------------------------------------------------------------------
    Row(r".*", "elsewhere", page="docs/how-to/packages.md", why="tests/system/dist/run.py"),
    Row(r"make dist(-test)?( .*)?", "dry", why="builds for three processors: tests/system/dist/run.py makes and tests a release"),
    Row(r"gpg .*|cp old/.*|hack/dist/apt-repository .*|docker login .*|make publish .*", "elsewhere", page="docs/PUBLISHING.md", why="tests/system/dist/run.py"),
    # ---- make -----------------------------------------------------------------------------------------------------------
    Row(r"make demo", expect=r"claims, all true"),
    Row(r"make( all| help)?"),
    Row(r"make site", "dry", why="installs packages by pip"),
    Row(r"make (test|unit|sim|walks|soak|fault|check|attack|e2e|arch|fuzz|coverage|bench)", "dry", why=SELF),
    Row(r"(sudo )?make install", before=fresh_node, after=lambda world, _: world.call(["holdfast", "--version"])),
    Row(r'make install DESTDIR="\$PWD/build/root"'),
    Row(r"make install DESTDIR=stage", after=lambda world, _: world.call(["test", "-x", "stage/usr/local/bin/holdfast-agent"])),
    Row(r"sudo make uninstall", after=lambda world, _: world.call(["test", "!", "-e", "/usr/local/bin/holdfast"])),
    Row(r"(sudo )?make image", "cluster", why=ROOT_NET),
    Row(r"sudo k3s ctr images import .*", "cluster", why="K3s is not there: `ctr` of a node's containerd instead of `k3s ctr`"),
    Row(r"hack/bench-corpus pairs && make bench-delta DIR=pairs", "dry", why="downloads packages and measures for an hour"),
    Row(r"hack/demo \| hack/picture 'make demo' >docs/demo.svg", "changed", change=(r"hack/demo", "printf 'a line\\n'"),
        why="make demo itself is run above", after=lambda world, _: world.call(["grep", "-q", "<svg", "docs/demo.svg"])),
    Row(r"hack/diagram", after=lambda world, _: world.call(["hack/diagram", "--check"])),
    Row(r"hack/partition-50\.sh", expect=r"50 payloads .* each exactly once"),
    Row(r"hack/cluster .*", "cluster", why=ROOT_NET),
    # ---- KubeEdge: the MetaServer is a double, everything else of KubeEdge is not there ------------------------------------
    Row(r"keadm .*|kubectl -n kubeedge .*|systemctl restart edgecore", "none", why="KubeEdge cannot be installed here"),
    Row(r"curl http://127\.0\.0\.1:10550/api/v1/namespaces/.*", "none", why="needs a MetaServer in front of a real cloud's secrets"),
    Row(r"curl -s http://127\.0\.0\.1:10550/.*", before=lambda world: world.metaserver(), expect=r"^200 0\."),
    Row(r"(sudo )?systemctl restart holdfast-agent", "standin", page="how-to/kubeedge", before=with_status_kubeconfig),
    Row(r"kubectl get edgenodes -w", "changed", change=(" -w$", ""), why="ends only with Ctrl-C"),
    Row(r"printf .* > /etc/holdfast/agent\.env|NODE=\$\(.*\)|NODE_UID=.*|scp .*|journalctl -u holdfast-agent .*"),
    # ---- installing -----------------------------------------------------------------------------------------------------
    Row(r"sudo apt-get install .*", "changed", change=(r"apt-get install", "apt-get install --simulate"), why="no network here"),
    Row(r"sudo tar -C / .*", after=lambda world, _: world.call(["holdfast-agent", "--version"])),
    Row(r"holdfast-agent --source /etc/holdfast/objects .*--once", before=without_agent),
    Row(r"holdfast lint agent\.yaml", before=with_configuration),
    Row(r"holdfast-agent --config /etc/holdfast/agent\.yaml --check-config", before=with_configuration, expect=r"requireSigned: \[\]"),
    Row(r"sudo systemctl enable --now holdfast-agent", "standin", page="holdfast-agent.8", before=without_agent),
    Row(r"sudo systemctl (daemon-reload|restart holdfast-agent|kill --signal=HUP holdfast-agent)", "standin", page="how-to/files", before=with_unit),
    Row(r"sudo systemctl kill --signal=HUP holdfast-agent", "standin", page="how-to/site-sharing", before=with_unit),
    Row(r"(sudo )?systemctl (daemon-reload|(enable|disable) --now holdfast-agent|restart holdfast-agent|kill --signal=HUP holdfast-agent)", "standin",
        before=lambda world: world.service()),
    Row(r"nohup python3 -m http\.server 8081 .*", after=lambda world, _: wait("the web server", lambda: ask(8081, "/"))),
    Row(r"until sudo holdfast status \| grep .*", page="docs/tutorials/first-node.md"),
    Row(r"pkill -f 'http\.server 808\[1\]'", page="docs/tutorials/first-node.md", after=lambda world, _: wait("no web server", lambda: not ask(8081, "/"))),
    Row(r"sudo rm -r /etc/holdfast /var/lib/holdfast .*", page="docs/tutorials/first-node.md", after=lambda world, _: world.call(["test", "!", "-e", "/var/lib/holdfast"])),
    Row(r"sudo mv /var/lib/holdfast .*", after=lambda world, _: world.call(["test", "!", "-e", "/var/lib/holdfast"])),
    Row(r"holdfast wait .*", "cluster", page="docs/how-to/ci.md", why="tests/system/e2e/test_helm.py runs it with docs/how-to/rollouts.md"),
    # ---- keys, releases -------------------------------------------------------------------------------------------------
    Row(r"holdfast key generate \S+", after=key_pair),
    Row(r"holdfast release create --agent .*", before=with_agents, expect=r"holdfast-agent 1\.5\.0, sequence 12"),
    Row(r"holdfast release create .*--url-base file:///srv/releases .*", before=with_key),
    Row(r"holdfast release (create|sign|verify) .*", before=with_key),
    Row(r"sudo cp out/edge-inference-1\.4\.2\.yaml /etc/holdfast/objects/", after=settled("1.4.2")),
    Row(r"sudo holdfast status", page="docs/how-to/failed-update.md", code=(0, 4)),
    Row(r"(sudo )?holdfast status( .*)?", before=with_status),
    Row(r"sudo holdfast node host remove", page="docs/how-to/remove.md", code=(3,), expect="AlreadyOnHost"),   # this host's unit is of make install
    Row(r"curl -s https://releases\.example\.com/app\.delta \| holdfast-delta .*", before=with_delta, after=is_new),
    Row(r"holdfast delta apply /var/lib/containerd/.*", "cluster", why="needs containerd: tests/system/e2e/test_images.py"),
    Row(r"helm upgrade .* --set agent\.mode=pod|kubectl get edgenodes -o custom-columns=.*", "cluster", page="docs/how-to/host-mode.md",
        why="needs a cluster: tests/system/e2e/test_hostmode.py does the same"),
    # ---- Helm -------------------------------------------------------------------------------------------------------------
    Row(r"helm .*|kubectl (create|label) namespace holdfast-system.*|kubectl -n holdfast-system rollout status .*", "cluster",
        why="needs a cluster: tests/system/e2e/test_helm.py runs these commands of the page"),
    Row(r"kubectl get edgenodes", "cluster", page="docs/how-to/install.md", why="as the row above"),
    Row(r"kubectl exec -n holdfast-system .* -- holdfast .*|sudo nsenter --mount .* holdfast .*", "cluster",
        why="the agent as a pod: test_4_the_command_is_in_the_pod of tests/system/e2e/test_helm.py"),
    # ---- a cluster --------------------------------------------------------------------------------------------------------
    Row(r"kubectl apply -f crds/ -f deploy/holdfast\.yaml", "standin", before=lambda world: world.service()),
    Row(r"kubectl apply -f out/.*", "standin", page="holdfast.1", before=another_example),
    Row(r"kubectl wait .*1\.4\.2.*=Committed", "standin", after=serves("1.4.2")),
    Row(r"kubectl wait .*=RolledBack", "standin", after=serves("1.4.2")),
    Row(r"kubectl delete (node|edgenode) edge-7", "cluster", page="docs/how-to/remove.md", why="tests/system/e2e/test_admission.py runs them with docs/how-to/stolen-node.md"),
    Row(r"kubectl delete -f .*", "standin"),
    Row(r"kubectl apply -f - <<.*agent\.csr.*", "standin", before=lambda _: shutil.copy("/etc/holdfast/agent.csr", ".")),
    Row(r"kubectl -n holdfast-system create token holdfast-agent .*", "cluster", why="needs a cluster: tests/system/e2e/test_docs.py runs it"),
    Row(r"holdfast node enrol .*", before=with_token),
    Row(r"kubectl .*", "standin", before=with_cluster),
    # ---- telemetry --------------------------------------------------------------------------------------------------------
    Row(r"cp edge-inference-1.4.2.yaml objects/", page="/usb.md", before=lambda world, _=None: write(os.path.join(os.getcwd(), "edge-inference-1.4.2.yaml"), "")),
    Row(r"HOLDFAST_EXPORT=/media/usb/holdfast holdfast-agent --check-config", page="/usb.md",
        expect="ReadWritePaths=.* -/media/usb/holdfast"),
    Row(r"holdfast spool send .*", "elsewhere", page="/usb.md", why="tests/system/telemetry/carry.py"),
    Row(r"(curl|holdfast spool) .*", "elsewhere", page="/telemetry.md", why="tests/system/telemetry/docs.py"),
    Row(r"curl .*/ingest .*", before=with_agent, after=delivered),
    Row(r"curl -s http://127\.0\.0\.1:\d+/\S+( \| head -1)?", before=with_agent),
    Row(r"sudo holdfast node page .*", before=with_agent, expect=r"http://127\.0\.0\.1:9090/#token=[0-9a-f]{64}\n"),
    # ---- anything else that needs nothing: right when it ends well ----------------------------------------------------------
    Row(r"(sudo )?(holdfast|holdfast-delta|openssl|mkdir|cp|mv|rm|cat|ls|tar|install|cmp|echo|seq) .*"),
    Row(r"(sudo )?holdfast-agent --(help|version)"),
]


def row_of(page, command):
    return next((row for row in ROWS if row.matches(page, command)), None)
