/* cli/args.h - reading a command line against a row of the table. Pure.
 *
 * GNU ways: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, options among the words, "--" ends them, "-" is a word. No
 * abbreviations: they would make adding an option a breaking change. */
#pragma once

#include "cli/cli.h"

/* The row that argv[0..] names; *ret_used says how many words its name took. NULL when there is none. */
const struct hf_cli_command *hf_cli_find(const struct hf_cli *cli, const char *const *argv, size_t n, size_t *ret_used);

/* Fill *ret_args from what follows the command's name. `words` has room for n + 1. -EINVAL: *err says what is wrong. */
HF_MUST_USE int hf_cli_parse(const struct hf_cli_command *command, const char *const *argv, size_t n,
                             const char **words, struct hf_cli_args *ret_args, struct hf_err *err);

/* The candidate nearest to `typed` (Damerau-Levenshtein, at most a third of its length wrong), or NULL. */
struct hf_cli_nearest {
    const char *typed;
    const char *best;
    unsigned distance;
};
void hf_cli_nearest_try(struct hf_cli_nearest *nearest, const char *candidate);
