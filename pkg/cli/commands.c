/* The table of commands: what is not here does not exist. */
#include "cli/cli.h"

#define ROW(function) .options = function##_options, .run = (function)

const struct hf_cli_command hf_cli_commands[] = {
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
