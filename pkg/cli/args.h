/* cli/args.h - parse a command line according to a row of the table. Pure.
 *
 * Syntax as in GNU getopt_long(): --name VALUE, --name=VALUE, -n VALUE, -nVALUE; options may stand between
 * arguments; "--" ends the options; "-" is an argument. No abbreviations of names: with them, a new option could
 * break old command lines. */
#pragma once

#include "cli/cli.h"

/* Finds the command whose name argv begins with; *ret_used is the number of words of that name. Returns NULL if
 * there is none. */
const struct hf_cli_command *hf_cli_find(const struct hf_cli *cli, const char *const *argv, size_t n, size_t *ret_used);

/* Parses the arguments behind a command's name. `words` is storage for n + 1 pointers. -EINVAL: wrong command line. */
HF_MUST_USE int hf_cli_parse(const struct hf_cli_command *command, const char *const *argv, size_t n,
                             const char **words, struct hf_cli_args *ret_args, struct hf_err *err);

/* Finds the candidate nearest to `typed` (Damerau-Levenshtein distance, at most a third of its length). Set `typed`,
 * zero the other fields, and call this for each candidate; `best` stays NULL if none is near. */
struct hf_cli_nearest {
    const char *typed;
    const char *best;
    unsigned distance;
};
void hf_cli_nearest_try(struct hf_cli_nearest *nearest, const char *candidate);
