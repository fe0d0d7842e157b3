/* SPDX-License-Identifier: Apache-2.0 */
/* cli/args.h - parses a command line by the rules of its command in the table of commands (cli/commands.c). Pure.
 *
 * The syntax is that of GNU getopt_long(): --name VALUE, --name=VALUE, -n VALUE, -nVALUE; options may stand between
 * arguments; "--" ends the options; "-" is an argument. Names cannot be abbreviated, because a new option could make an
 * abbreviation in an old command line ambiguous. */
#pragma once

#include "cli/cli.h"

/* Finds the command whose name is the first one or two words of argv. *ret_used receives the number of these words.
 * Returns NULL if no command has this name. */
const struct hf_cli_command *hf_cli_find(const struct hf_cli *cli, const char *const *argv, size_t n, size_t *ret_used);

/* Returns true if the arguments after a command's name ask for help: --help or -h stands before "--", and is not the
 * value of one of the command's options. */
bool hf_cli_asks_for_help(const struct hf_cli_option *options, const char *const *argv, size_t n);

/* Parses the arguments after a command's name. `words` is storage for n + 1 pointers, which *ret_args borrows. -EINVAL:
 * wrong command line. */
HF_MUST_USE int hf_cli_parse(const struct hf_cli_command *command, const char *const *argv, size_t n,
                             const char **words, struct hf_cli_args *ret_args, struct hf_err *err);
