/* cli/help.h - help texts, all from the table of commands. */
#pragma once

#include "cli/cli.h"

void hf_cli_help_all(struct hf_cli *cli, FILE *to);
void hf_cli_help_command(struct hf_cli *cli, const struct hf_cli_command *command);
/* Returns true if `word` is the first word of two-word commands ("delta"). */
bool hf_cli_is_group(const struct hf_cli *cli, const char *word);
/* Prints the commands that begin with `word`. Returns false if there are none. */
bool hf_cli_help_group(struct hf_cli *cli, FILE *to, const char *word);
