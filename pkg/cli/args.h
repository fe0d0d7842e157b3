/* SPDX-License-Identifier: Apache-2.0 */
/* Parses a command line by the rules of its command in the table of commands (cli/commands.c). Pure.
 *
 * The syntax is that of GNU getopt_long(): --name VALUE, --name=VALUE, -n VALUE, -nVALUE; options may stand between
 * arguments; "--" ends the options; "-" is an argument. Names cannot be abbreviated, because a new option could make an
 * abbreviation in an old command line ambiguous. */
#pragma once

#include "cli/cli.h"

/* The command whose name is the first *ret_used words of argv, one or two; NULL: none. */
const struct hf_cli_command *hf_cli_find(const struct hf_cli *cli, const char *const *argv, size_t n, size_t *ret_used);

/* The arguments after a command's name ask for help: --help or -h stands before "--", and is not the value of an
 * option. */
bool hf_cli_asks_for_help(const struct hf_cli_option *options, const char *const *argv, size_t n);

/* Parses the arguments after a command's name. `words`: room for n + 1 pointers, which *ret_args borrows. -EINVAL:
 * wrong command line. */
HF_MUST_USE int hf_cli_parse(const struct hf_cli_command *command, const char *const *argv, size_t n,
                             const char **words, struct hf_cli_args *ret_args, struct hf_err *err);
