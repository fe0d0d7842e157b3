/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/cli.h"

void hf_cli_help_all(struct hf_cli *cli, FILE *to);
void hf_cli_help_command(struct hf_cli *cli, const struct hf_cli_command *command);
/* Whether `word` begins commands of two words, as "delta" does. */
bool hf_cli_is_group(const struct hf_cli *cli, const char *word);
bool hf_cli_help_group(struct hf_cli *cli, FILE *to, const char *word);
