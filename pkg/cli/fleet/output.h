/* SPDX-License-Identifier: Apache-2.0 */
/* cli/fleet/output.h - the option -o of the commands on a fleet: a table, a wide table, JSON, YAML or names.
 *
 * Main thread only. */
#pragma once

#include "cli/cli.h"
#include "codec/json.h"

enum hf_output { HF_OUTPUT_TABLE, HF_OUTPUT_WIDE, HF_OUTPUT_JSON, HF_OUTPUT_YAML, HF_OUTPUT_NAME };

/* The options -o and --json, for the table of options of a command. */
#define HF_OUTPUT_OPTIONS                                                                                              \
    {.name = "output", .value = "FORMAT", .letter = 'o', .help = "wide, json, yaml or name"},                          \
    {                                                                                                                  \
        .name = "json", .help = "the same as -o json"                                                                  \
    }

/* Reads -o and --json. -EINVAL: -o has an unknown format (*err lists the formats), or --json contradicts -o. */
HF_MUST_USE int hf_output_of(const struct hf_cli_args *args, enum hf_output *ret_output, struct hf_err *err);

/* Prints `json` as JSON or YAML. Before it prints, the function changes `json` itself: it replaces characters that act
 * on a terminal by '?'. */
HF_MUST_USE int hf_output_print(struct hf_cli *cli, enum hf_output output, json_t *json, struct hf_err *err);

/* The numbers of nodes that a bar shows. */
struct hf_output_bar {
    int64_t total, updated, updating, failed, parked;
};
/* Draws a bar such as "[####>>x?..]" into `text`, with n - 3 characters between the brackets. '#' stands for updated
 * nodes, '>' for updating, 'x' for failed, '?' for parked and '.' for other nodes. A count above 0 gets at least one
 * character if the bar is long enough. Returns `text`. */
const char *hf_output_draw(const struct hf_output_bar *bar, char *text, size_t n);
