/* SPDX-License-Identifier: Apache-2.0 */
/* The table of all commands. */
#include "cli/cli.h"

#define ROW(function, its_name, its_args, fewest, most)                                                                \
    .name = (its_name), .args = (its_args), .min_words = (fewest), .max_words = (most), .options = function##_options, \
    .run = (function)

const struct hf_cli_command hf_cli_commands[] = {
    {
        ROW(hf_cli_release_create, "release create", "", 0, 0),
        .summary = "make a signed EdgeUpdate with its artifacts and deltas from old and new files",
        .details =
            "Makes a folder with whole artifacts, a delta from every old file if it is smaller than the whole, "
            "and the signed <name>-<version>.yaml. Applies every delta and compares the result; reads the object "
            "back and checks it as a node does. Upload the folder to --url-base (below oci://HOST/REPOSITORY: release "
            "push), then kubectl apply the object.\n\n"
            "  holdfast release create --name edge-inference --version 1.4.2 --sequence 42 \\\n"
            "      --path /opt/edge-inference/bin/current --restart-unit edge-inference.service \\\n"
            "      --artifact arm64=build/arm64/edge-inference,old=releases/1.4.1-arm64 \\\n"
            "      --health-http http://127.0.0.1:8080/healthz --expires 90d \\\n"
            "      --node-selector edge.codcompass.io/class=compute \\\n"
            "      --url-base https://releases.example.com --key release-2026.key --out out",
    },
    {
        ROW(hf_cli_release_sign, "release sign", "FILE", 1, 1),
        .summary = "add a signature to an EdgeUpdate",
        .details =
            "For releases that several people must sign: each adds a signature, in any order. A signature "
            "covers spec.release; everything else may change afterwards. Rewrites the file, without its comments.",
    },
    {
        ROW(hf_cli_release_verify, "release verify", "FILE", 1, 1),
        .summary = "check whether a node with these keys would accept a release",
    },
    {
        ROW(hf_cli_release_push, "release push", "FILE", 1, 1),
        .summary = "push the files of a release to the registry of its oci:// URLs",
        .details =
            "FILE is the EdgeUpdate that release create --url-base oci://HOST/REPOSITORY made, beside its files. "
            "They become blobs of one artifact with the tag <name>-<version>, which keeps the registry from "
            "removing them; the object is in it, too. What the registry has already is not sent again. Signatures "
            "may come before or after, because the URLs are digests.\n\n"
            "  holdfast release push out/edge-inference-1.4.2.yaml",
    },
    {
        ROW(hf_cli_policy_sign, "policy sign", "FILE", 1, 1),
        .summary = "add a signature to a SyncPolicy",
        .details = "A signature covers apiVersion, kind, metadata.name and spec. Nodes with requireSigned in their "
                   "agent.yaml act only on signed policies, and none accepts an older spec.sequence again. Rewrites "
                   "the file, without its comments.\n\n"
                   "  holdfast policy sign site.yaml --sequence 4 --key release-2026.key",
    },
    {
        ROW(hf_cli_policy_explain, "policy explain", "[NODE]", 0, 1),
        .summary = "show which SyncPolicy each setting of a node comes from, and why",
        .details = "All SyncPolicies that select a node are in effect together; each section comes from the first one "
                   "that sets it. With --filename, says what these files add up to on a node with these labels.\n\n"
                   "  holdfast policy explain edge-7\n"
                   "  holdfast policy explain -f policies/site.yaml -f policies/alpha.yaml -l zone=oslo",
    },
    {
        ROW(hf_cli_manifest_digest, "manifest digest", "PATH", 1, 1),
        .summary = "print the contentDigest of a folder, a file or a .tar.gz",
        .details = "PATH may be '-': an archive on standard input. A node computes the same digest from the content of "
                   "an entry of spec.manifests, before it replaces "
                   "variables. It covers names, contents and modes, so the umask of a checkout counts. ConfigMaps and "
                   "Secrets have no modes, and Flux keeps only whether a file is executable, so their digests are "
                   "other ones: see --no-modes and --flux.\n\n"
                   "  holdfast manifest digest --sub-path clusters/site site.tar.gz",
    },
    {
        ROW(hf_cli_manifest_render, "manifest render", "PATH", 1, 1),
        .summary = "print the files or objects that a node would make of an entry of spec.manifests",
        .details = "PATH is the content of the entry: a folder, a file or a .tar.gz ('-': from standard input). Reads "
                   "subPath and substitute of "
                   "the entry, and replaces variables as the node of that name would. With to: StaticPods, prints one "
                   "file for each Pod under its name in the kubelet's folder; with to: Cluster, the objects in the "
                   "order in which the node applies them. Refuses what every node refuses, such as a content that "
                   "contentDigest does not fit. What only a node knows, it does not ask: agent.yaml (see lint "
                   "--config), the files in place, the API server.\n\n"
                   "  holdfast manifest render -f site.yaml --entry pods --node edge-7 \\\n"
                   "      --label topology.kubernetes.io/zone=oslo site/",
    },
    {
        ROW(hf_cli_manifest_sign, "manifest sign", "FILE", 1, 1),
        .summary = "add a signature to an entry of spec.manifests of a SyncPolicy",
        .details =
            "A signature covers the entry without its signatures. A signed entry needs a sequence, which only "
            "grows, and a pinned content: contentDigest, or a URL with its digest. --content writes "
            "contentDigest. Rewrites the file, without its comments.\n\n"
            "  holdfast manifest sign site.yaml --entry pods --sequence 4 --content site/ --key release-2026.key",
    },
    {
        ROW(hf_cli_key_generate, "key generate", "NAME", 1, 1),
        .summary = "make a signing key (ed25519)",
        .details = "Writes the private half to NAME.key (mode 0600) and the public half to NAME.pem; NAME without its "
                   "folder is the key id. Never overwrites a file. Install the public half on every node:\n\n"
                   "  sudo install -D -m 0644 release-2026.pem " HF_CLI_DEFAULT_TRUST_DIR "/release-2026.pem",
    },
    {
        ROW(hf_cli_key_public, "key public", "KEY", 1, 1),
        .summary = "print the public half of a private key",
    },
    {
        ROW(hf_cli_delta_create, "delta create", "OLD NEW PATCH", 3, 3),
        .summary = "make the patch that turns OLD into NEW",
        .details = "The same inputs give the same patch, with any number of threads. '-' is standard input or output.",
    },
    {
        ROW(hf_cli_delta_apply, "delta apply", "OLD PATCH NEW", 3, 3),
        .summary = "rebuild NEW from OLD and a patch",
        .details =
            "NEW appears only if its size and SHA-256 are those in the patch. If NEW is standard output, the bytes "
            "appear at once: they are correct only if the exit code is 0.",
    },
    {
        ROW(hf_cli_delta_info, "delta info", "PATCH", 1, 1),
        .summary = "show the old file, the new file and the format of a patch",
    },
    {
        ROW(hf_cli_image_delta, "image delta", "[OLD...] NEW", 1, 17),
        .summary = "make the deltas that bring nodes from old container images to a new one",
        .details =
            "An image is docker://HOST/REPOSITORY:TAG (or @DIGEST), the folder of an OCI layout (FOLDER:TAG if it has "
            "several), or an archive of 'docker save'. Makes an artifact for each platform of NEW and each OLD: deltas "
            "of the changed layers, byte for byte as they are compressed, and the new manifest and configuration. "
            "Images and their digests stay as they are. Applies every delta and compares the result. --push makes it a "
            "referrer of NEW in the registry. Scratch files go to $TMPDIR.\n\n"
            "  holdfast image delta docker://registry.example.com/app:1.4.1 \\\n"
            "      docker://registry.example.com/app:1.4.2 --push",
    },
    {
        ROW(hf_cli_image_stats, "image stats", "", 0, 0),
        .summary = "show what images cost the link of this node, through the mirror of its agent",
        .details =
            "For each repository, since the agent started: the bytes that containerd got from the mirror "
            "(spec.images.mirror), the bytes that came from registries for it, prefetched and deltas too, and their "
            "share. Exit code 1: no agent answers; 3: what answers is not an agent.",
    },
    {
        ROW(hf_cli_lint, "lint", "FILE...", 1, HF_CLI_MAX_WORDS),
        .summary = "check EdgeUpdate, SyncPolicy and agent.yaml files as a node would",
        .details = "Prints 'file:line: path: text' for every error and warning. With --config, also what a node with "
                   "that agent.yaml refuses.",
    },
    {
        ROW(hf_cli_status, "status", "[NAME]", 0, 1),
        .summary = "show this node's agent, or the rollouts of the fleet",
        .details =
            "On a node: reads the agent's run folder and state folder; needs neither a network nor a running agent. "
            "Shows the age of the status. Exit code 4: a release was rolled back or rejected, or a condition needs a "
            "person, such as PolicyTrusted=False; 5: no agent renews the status.\n\n"
            "On a machine without an agent that has a kubeconfig, or with --fleet, a NAME or an option that names a "
            "cluster: the EdgeUpdates of the cluster with the progress of their rollouts and the nodes that failed. "
            "NAME is an EdgeUpdate or a release. Exit code 4: a rollout has halted, or nodes failed.",
    },
    {
        ROW(hf_cli_nodes, "nodes", "", 0, 0),
        .summary = "list what the nodes of the fleet report",
        .details = "Shows one release for each node: the one that most needs attention, or that of --release. '!' "
                   "behind SEEN: "
                   "the node is silent: no report for one and a half of its intervals.\n\n"
                   "  holdfast nodes --phase RolledBack\n"
                   "  holdfast nodes -l topology.kubernetes.io/zone=oslo --silent -o name",
    },
    {
        ROW(hf_cli_node_status, "node status", "", 0, 0),
        .summary = "show this node's agent",
        .details =
            "Like 'holdfast status' on a node, and never the cluster. A node of the fleet that is named 'status': "
            "'holdfast node -- status'.",
    },
    {
        ROW(hf_cli_node_journal, "node journal", "", 0, 0),
        .summary = "print what this node's agent decided, refused and repaired",
        .details =
            "Reads the agent's state folder; needs neither a network nor a running agent, and the rights of root or of "
            "the group 'holdfast'. '~' behind a time: the node was not sure of it. Exit code 1: a line is damaged.\n\n"
            "--verify checks the chain of hashes. Exit code 0: no line was changed, removed or inserted; 3: the "
            "journal is changed, damaged or empty, with the first bad line; 1: the command cannot read it. An end "
            "that was cut off, or a journal that root wrote anew, shows only with --witness and a hash that left the "
            "node earlier.\n\n"
            "  holdfast node journal --since 2h --kind UpdateRefused\n"
            "  holdfast node journal --verify --witness 9f86d081884c7d65\n\n"
            "A node of the fleet that is named 'journal': 'holdfast node -- journal'.",
    },
    {
        ROW(hf_cli_node_page, "node page", "", 0, 0),
        .summary = "make a token for the acts of this node's page, as an address and a QR code",
        .details =
            "The page at http://127.0.0.1:9090/ only reads, unless agent.yaml has page: Act. Then it can hold updates, "
            "go back to a version, ask the server again, verify the journal and load a support bundle, for whoever has "
            "this token: eight hours, or until the next token or reboot. The QR code needs qrencode.\n\n"
            "  sudo holdfast node page\n"
            "  sudo holdfast node page --url https://edge-7.site.example/\n\n"
            "A node of the fleet that is named 'page': 'holdfast node -- page'.",
    },
    {
        ROW(hf_cli_node_enrol, "node enrol", "", 0, 0),
        .summary = "give the agent on this host a server and a token for its first certificate",
        .details =
            "Writes ca.crt, token and kubeconfig into --dir. The agent reads a new token within a minute, and asks for "
            "its certificate with it (holdfast-agent --client-certificate-dir). The token has to be bound to "
            "this Node ('kubectl create token'; holdfast(1) has the command).\n\n"
            "A node of the fleet that is named 'enrol': 'holdfast node -- enrol'.",
    },
    {
        ROW(hf_cli_node_host, "node host", "[status | remove]", 0, 1),
        .summary = "show the agent that a pod has installed on this host, or remove it",
        .details =
            "status: by whom and how it persists, its unit, the build that runs and the one kept. Exit code 4: it is "
            "installed, and not healthy.\n\n"
            "remove: stops the unit, and removes what a pod has put on the host; says what stays. Exit code 3: a pod "
            "of the DaemonSet watches, and would install it again; or no pod has installed it. Needs no network.\n\n"
            "  sudo holdfast node host\n"
            "  sudo holdfast node host remove\n\n"
            "A node of the fleet that is named 'host': 'holdfast node -- host'.",
    },
    {
        ROW(hf_cli_node, "node", "NAME", 1, 1),
        .summary = "show the last report of one node",
        .details = "Like 'holdfast status' on the node itself. Exit code 4: a release was rolled back or rejected, or "
                   "the node reports a condition that needs a person; 5: the node is silent.",
    },
    {
        ROW(hf_cli_ui, "ui", "", 0, 0),
        .summary = "show the fleet in a browser on this machine",
        .details =
            "Prints an address of this machine and opens the browser there: a map of all nodes, the late ones with "
            "reasons, and the rollouts, live; --context several times: several clusters side by side. Works with the "
            "rights of the kubeconfig. Acts ask first, and are the commands that the page names. The address holds a "
            "secret token: only programs of this user that have it can use the page. Ctrl-C ends it.\n\n"
            "  holdfast ui --context berlin",
    },
    {
        ROW(hf_cli_top, "top", "", 0, 0),
        .summary = "show the fleet in this terminal, live",
        .details = "The same as 'holdfast ui' for a terminal: the rollouts, a map of the nodes by site, and the nodes, "
                   "first those that need a person. In the map, # needs a person, x is silent, ~ waits, > is at work, "
                   ". is well. Keys: / filters by name, reason, version or label (Esc ends it); s sorts; the arrows "
                   "and Enter open a node; q ends. Without a terminal it prints one picture and ends.\n\n"
                   "  holdfast top --context berlin --context oslo",
    },
    {
        ROW(hf_cli_rollout_watch, "rollout watch", "NAME", 1, 1),
        .summary = "print the progress of a rollout until it is complete or halted",
        .details = "NAME is an EdgeUpdate. Exit code 0: complete; 6: not within --timeout; 4: halted, or complete and "
                   "nodes failed that no resume has accepted.",
    },
    {
        ROW(hf_cli_rollout_pause, "rollout pause", "NAME", 1, 1),
        .summary = "begin no further stage of a rollout",
        .details = "Nodes that are admitted continue, unless they wait for a turn. The pause is an annotation of the "
                   "EdgeUpdate, so it holds until "
                   "'rollout resume', also where Git owns the spec.",
    },
    {
        ROW(hf_cli_rollout_resume, "rollout resume", "NAME", 1, 1),
        .summary = "continue a rollout that is paused or halted",
        .details = "After a halt because of failures, the nodes that failed so far no longer count as failures.",
    },
    {
        ROW(hf_cli_rollout_halt, "rollout halt", "NAME", 1, 1),
        .summary = "withdraw the admission of a rollout",
        .details = "Nodes that have begun finish; no other node starts. 'holdfast rollback' takes nodes back.\n\n"
                   "  holdfast rollout halt edge-inference --reason 'wrong model'",
    },
    {
        ROW(hf_cli_rollback, "rollback", "CURRENT OLDER | --local NAME", 1, 2),
        .summary = "take a fleet back to an older release, or this node to the version before",
        .details =
            "CURRENT is the EdgeUpdate that the fleet follows now, OLDER the signed one to go back to: files, or "
            "edgeupdate/NAME in the cluster. The result has the files of OLDER, a sequence above both, and everything "
            "around the release from CURRENT. Nothing changes on any node before kubectl apply.\n\n"
            "--local NAME is the site's word, for root on the node: without a network, the agent installs what it "
            "keeps of "
            "the version before (spec.retain of a SyncPolicy) and stays there until a release with a higher sequence "
            "is "
            "admitted. Exit code 0: that version runs; 3: the node stays where it is, and why; 6: the order stands, "
            "and no "
            "agent acts on it yet.\n\n"
            "  sudo holdfast rollback --local edge-inference --reason 'line 3 stops'\n"
            "  sudo holdfast rollback --local edge-inference --undo\n"
            "  holdfast rollback edgeupdate/edge-inference edge-inference-1.4.1.yaml --key release-2026.key \\\n"
            "      --out back.yaml && kubectl apply -f back.yaml",
    },
    {
        ROW(hf_cli_wait, "wait", "", 0, 0),
        .summary = "wait until all selected nodes have committed a version",
        .details =
            "Exit code 0: they have; 6: not within --timeout; 4: the rollout has halted; or it is complete, and nodes "
            "failed or are not admitted. Nodes that cannot run the release do not count.\n\n"
            "  holdfast wait --release edge-inference --version 1.4.2 --timeout 2h",
    },
    {
        ROW(hf_cli_turn_free, "turn free", "NODE", 1, 1),
        .summary = "take the turn from a node that will not come back",
        .details = "Where spec.strategy.disruption is set, a node that holds a turn and is away makes its group wait. "
                   "Free the turn only if you know that the node is off: two nodes of the group may else be down at "
                   "once. The controller takes the turn once the node is silent, or is held by its site.",
    },
    {
        ROW(hf_cli_hold, "hold", "", 0, 0),
        .summary = "postpone updates on this node, or show the hold",
        .details = "An update in progress finishes; no other one starts. New content and removals of spec.manifests "
                   "wait, too. Works offline; the EdgeNode shows it. "
                   "Without an option, shows the hold of this node.\n\n"
                   "  holdfast hold --reason 'line 3 is running' --for 8h\n"
                   "  holdfast hold --release",
    },
    {
        ROW(hf_cli_recover, "recover", "", 0, 0),
        .summary = "verify what this node has of every release, and put one back, without a network",
        .details =
            "Shows what is committed, and whether what is installed and what is kept (spec.retain of a SyncPolicy) has "
            "its hash; which keys of the trust folder can be read, and what the signature of each committed release "
            "is worth now. Only reads, and needs no agent. Works with a damaged state folder, and says what is "
            "damaged.\n\n"
            "--put NAME puts the committed content in place of what is wrong or missing, from what is kept. While an "
            "agent runs, the agent does that, and the command waits for it. Floors and the journals of releases stay "
            "as they are. Exit code 4: something is wrong or damaged; 3: it cannot be put back, and why; 6: the agent "
            "has not put it back in time.\n\n"
            "  sudo holdfast recover\n"
            "  sudo holdfast recover --put edge-inference",
    },
    {
        ROW(hf_cli_spool_stat, "spool stat", "DIR", 1, 1),
        .summary = "show how much telemetry waits in a folder",
        .details =
            "Only reads, and needs no agent: works on the disk of a dead node, on a copy, or on a running node. DIR is "
            "one spool, or a folder that holds spools, such as the agent's EDGE_STORAGE_DIR. Exit code 1: a spool "
            "is damaged.",
    },
    {
        ROW(hf_cli_spool_cat, "spool cat", "DIR", 1, 1),
        .summary = "print the telemetry that waits in a folder, one event per line",
        .details = "Prints every readable event, also from a damaged spool; exit code 1: a spool is damaged.\n\n"
                   "  holdfast spool cat --severity error --from 2026-11-20T08:00:00Z /mnt/var/edge/data",
    },
    {
        ROW(hf_cli_spool_verify, "spool verify", "DIR", 1, 1),
        .summary = "check the telemetry in a folder for damage",
        .details =
            "Reads every record and its checksum. Exit code 0: all records are intact and none is missing; else 1.",
    },
    {
        ROW(hf_cli_spool_send, "spool send", "DIR", 1, 1),
        .summary = "post what agents exported to a medium, and remove what was taken",
        .details =
            "DIR is the folder that agents have as --export, or one below it. A file is removed once the receiver "
            "has taken it; one that is posted twice has the same Idempotency-Key. Exit code 3: the receiver "
            "refused some, which stay.\n\n"
            "  holdfast spool send --to https://telemetry.example.com --token-file token /media/usb/holdfast",
    },
    {
        ROW(hf_cli_doctor, "doctor", "", 0, 0),
        .summary = "check whether an agent can work on this host, and say what to do if not",
        .details =
            "Before an installation and after it: kernel, memory, systemd, SELinux, clock, file systems, keys, "
            "agent.yaml and ports; with --reach also name servers and the way to a server, and with an option of "
            "the cluster the API server and what the credential may read. Changes nothing. Run it as root, as the "
            "agent runs. Exit code 4: something keeps the agent from its work.\n\n"
            "  sudo holdfast doctor --kubeconfig /etc/holdfast/kubeconfig \\\n"
            "      --reach registry.example.com:443 --reach releases.example.com:443",
    },
    {
        ROW(hf_cli_support, "support", "", 0, 0),
        .summary = "gather what is known about this node, or about the fleet, into one text file to send",
        .details =
            "On a node: status, hold, journal and the check of its chain, agent.yaml, log of the unit, clock, disks, "
            "memory, network and versions; works offline and without an agent. With --fleet or an option of the "
            "cluster: rollouts, reports of the nodes, policies, pods and events of the namespace, log of the "
            "controller. What cannot be gathered is named in its place.\n\n"
            "Leaves out private keys, values of names such as password or token, users and queries of URLs, and "
            "random words such as tokens. It cannot know a password in a free text, so read the file before you "
            "send it. Sends nothing itself.\n\n"
            "  sudo holdfast support\n"
            "  holdfast support --fleet --context berlin --out ticket.txt",
    },
    {
        ROW(hf_cli_completion, "completion", "bash|zsh|fish", 1, HF_CLI_MAX_WORDS),
        .summary = "print completion for a shell",
        .details =
            "The script completes commands and options, and names of releases, EdgeUpdates, nodes, phases and "
            "contexts: "
            "it asks 'holdfast completion values -- WORD...', which reads the kubeconfig and the cluster, and gives up "
            "after 2 s without a word.\n\n"
            "  source <(holdfast completion bash)",
    },
    {
        ROW(hf_cli_help, "help", "[COMMAND]", 0, 2),
        .summary = "list the commands, or explain one of them",
    },
    {
        ROW(hf_cli_version, "version", "", 0, 0),
        .summary = "print the version of this program",
    },
};

const size_t hf_cli_n_commands = HF_LEN(hf_cli_commands);
