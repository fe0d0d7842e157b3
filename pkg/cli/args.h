/* SPDX-License-Identifier: Apache-2.0 */
/* Parses a command line by its command's options. Pure.
 *
 * Follows GNU getopt_long() (--name VALUE, --name=VALUE, -n VALUE, -nVALUE), but names cannot be abbreviated: a new
 * option could make an old command line ambiguous. */
#pragma once

#include "cli/cli.h"

/* Returns the command that argv's first *ret_used words (one or two) name, or NULL. */
const struct hf_cli_command *hf_cli_find(const struct hf_cli *cli, const char *const *argv, size_t n, size_t *ret_used);

/* Whether --help or -h stands before "--", and not as an option's value. `argv` begins after the command's name. */
bool hf_cli_asks_for_help(const struct hf_cli_option *options, const char *const *argv, size_t n);

/* `argv` is as above; `words` has n + 1 elements; *ret_args borrows both. -EINVAL. */
HF_MUST_USE int hf_cli_parse(const struct hf_cli_command *command, const char *const *argv, size_t n,
                             const char **words, struct hf_cli_args *ret_args, struct hf_err *err);
