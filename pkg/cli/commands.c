/* The table of commands: what is not here does not exist. */
#include "cli/cli.h"

#define ROW(function) .options = function##_options, .run = (function)

const struct hf_cli_command hf_cli_commands[] = {
    {
        .name = "release create",
        .args = "",
        .summary = "from old and new files to a signed EdgeUpdate with its artifacts and deltas",
        .details = "Makes a folder: whole artifacts, a delta from every old file that is smaller than the whole, and "
                   "<name>-<version>.yaml, signed. Every delta is applied and compared; the object is read back and "
                   "checked as a node checks it. Upload the folder to --url-base, then kubectl apply the object.\n\n"
                   "  holdfast release create --name edge-inference --version 1.4.2 --sequence 42 \\\n"
                   "      --path /opt/edge-inference/bin/current --restart-unit edge-inference.service \\\n"
                   "      --artifact arm64=build/arm64/edge-inference,old=releases/1.4.1-arm64 \\\n"
                   "      --health-http http://127.0.0.1:8080/healthz --expires 90d \\\n"
                   "      --node-selector edge.codcompass.io/role=compute \\\n"
                   "      --url-base https://releases.example.com --key release-2026.key --out out",
        ROW(hf_cli_release_create),
    },
    {
        .name = "release sign",
        .args = "FILE",
        .summary = "add a signature to an EdgeUpdate",
        .details = "For releases that several people must sign: each adds theirs, in any order. What is signed is "
                   "spec.release; everything else may change afterwards. The file is written anew: comments are lost.",
        .min_words = 1,
        .max_words = 1,
        ROW(hf_cli_release_sign),
    },
    {
        .name = "release verify",
        .args = "FILE",
        .summary = "would a node with these keys take this release?",
        .min_words = 1,
        .max_words = 1,
        ROW(hf_cli_release_verify),
    },
    {
        .name = "key generate",
        .args = "NAME",
        .summary = "make a signing key (ed25519)",
        .details = "Writes the private half to NAME.key (mode 0600) and the public half to NAME.pem; NAME without its "
                   "folder is the key id. Existing files are never overwritten. Every node takes the public half:\n\n"
                   "  sudo install -D -m 0644 release-2026.pem " HF_CLI_DEFAULT_TRUST_DIR "/release-2026.pem",
        .min_words = 1,
        .max_words = 1,
        ROW(hf_cli_key_generate),
    },
    {
        .name = "key public",
        .args = "KEY",
        .summary = "print the public half of a private key",
        .min_words = 1,
        .max_words = 1,
        ROW(hf_cli_key_public),
    },
    {
        .name = "delta create",
        .args = "OLD NEW PATCH",
        .summary = "make the patch that turns OLD into NEW",
        .details =
            "The same inputs give the same patch, whatever the number of workers. '-' is standard input or output.",
        .min_words = 3,
        .max_words = 3,
        ROW(hf_cli_delta_create),
    },
    {
        .name = "delta apply",
        .args = "OLD PATCH NEW",
        .summary = "rebuild NEW from OLD and a patch",
        .details =
            "NEW appears only when its size and SHA-256 are those the patch was made for (to standard output it is "
            "written as it comes, and the exit code says whether it was right).",
        .min_words = 3,
        .max_words = 3,
        ROW(hf_cli_delta_apply),
    },
    {
        .name = "delta info",
        .args = "PATCH",
        .summary = "what a patch is for",
        .min_words = 1,
        .max_words = 1,
        ROW(hf_cli_delta_info),
    },
    {
        .name = "lint",
        .args = "FILE...",
        .summary = "check EdgeUpdate and SyncPolicy files as a node would",
        .details = "Prints file:line: path: what is wrong, for everything that is wrong.",
        .min_words = 1,
        .max_words = HF_CLI_MAX_WORDS,
        ROW(hf_cli_lint),
    },
    {
        .name = "status",
        .args = "",
        .summary = "what the agent of this node last said",
        .details =
            "Reads the agent's run folder and state folder; needs neither network nor a running agent. Says how old "
            "what it found is; exit code 5: nobody renews it.",
        ROW(hf_cli_status),
    },
    {
        .name = "hold",
        .args = "",
        .summary = "postpone updates on this node, or see whether they are",
        .details = "What is in progress is brought to its end, nothing new starts. Works offline; shows centrally. "
                   "Without an option, says whether this node is held.\n\n"
                   "  holdfast hold --reason 'line 3 is running' --for 8h\n"
                   "  holdfast hold --release",
        ROW(hf_cli_hold),
    },
    {
        .name = "spool stat",
        .args = "DIR",
        .summary = "what telemetry waits in a folder",
        .details =
            "Reads only, and needs no agent: the disk of a dead node, a copy of it, or a node at work. DIR is one "
            "spool or a folder above some, as the agent's EDGE_STORAGE_DIR is. Exit code 1 when something is "
            "damaged.",
        .min_words = 1,
        .max_words = 1,
        ROW(hf_cli_spool_stat),
    },
    {
        .name = "spool cat",
        .args = "DIR",
        .summary = "print the telemetry that waits in a folder, one event per line",
        .details = "What can be read is printed, whatever is damaged around it; exit code 1 says that something is.\n\n"
                   "  holdfast spool cat --severity error --from 2026-11-20T08:00:00Z /mnt/var/edge/data",
        .min_words = 1,
        .max_words = 1,
        ROW(hf_cli_spool_cat),
    },
    {
        .name = "spool verify",
        .args = "DIR",
        .summary = "is the telemetry in a folder whole?",
        .details =
            "Reads every record and its checksum. Exit code 0: all of them are whole and none is missing; 1: not so.",
        .min_words = 1,
        .max_words = 1,
        ROW(hf_cli_spool_verify),
    },
    {
        .name = "completion",
        .args = "bash|zsh|fish",
        .summary = "print completion for a shell",
        .details = "  source <(holdfast completion bash)",
        .min_words = 1,
        .max_words = 1,
        ROW(hf_cli_completion),
    },
    {
        .name = "help",
        .args = "[COMMAND]",
        .summary = "what there is, or what one command does",
        .max_words = 2,
        ROW(hf_cli_help),
    },
    {
        .name = "version",
        .args = "",
        .summary = "the version of this program",
        ROW(hf_cli_version),
    },
};

const size_t hf_cli_n_commands = HF_LEN(hf_cli_commands);
