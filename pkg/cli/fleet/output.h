/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/cli.h"
#include "codec/json.h"

enum hf_output { HF_OUTPUT_TABLE, HF_OUTPUT_WIDE, HF_OUTPUT_JSON, HF_OUTPUT_YAML, HF_OUTPUT_NAME };

#define HF_OUTPUT_OPTIONS                                                                                              \
    HF_CLI_OPTION("output", "FORMAT", "wide, json, yaml or name", .letter = 'o'),                                      \
        HF_CLI_OPTION("json", NULL, "the same as -o json")

HF_MUST_USE int hf_output_of(const struct hf_cli_args *args, enum hf_output *ret_output, struct hf_err *err);

/* Prints YAML or JSON. Changes `json`: '?' replaces what a terminal acts on. */
HF_MUST_USE int hf_output_print(struct hf_cli *cli, enum hf_output output, json_t *json, struct hf_err *err);

struct hf_output_bar {
    int64_t total, updated, updating, failed, parked;
};
/* Draws "[####>>x?..]" with n - 3 signs for updated, updating, failed, parked and other nodes. */
const char *hf_output_draw(const struct hf_output_bar *bar, char *text, size_t n);
