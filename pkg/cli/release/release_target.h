/* SPDX-License-Identifier: Apache-2.0 */
/* Selects a release's nodes, and checks before any file is made whether a node could install it. */
#pragma once

#include "cli/parts.h"

/* Sets spec.nodeSelector by --node-selector or --everywhere (empty), or keeps the template's. -EINVAL: no selector, or
 * wrong options. */
HF_MUST_USE int hf_release_put_selector(const struct hf_cli_args *args, json_t *update, struct hf_err *err);

bool hf_release_selects_all(const json_t *update);

bool hf_release_is_agent(const json_t *update);

/* Prints warnings. -EINVAL: contradictory options, or no node could install the release. */
HF_MUST_USE int hf_release_check_target(struct hf_cli *cli, const struct hf_cli_args *args, const json_t *update,
                                        struct hf_err *err);

/* Returns "every node" or "nodes with a=b,c=d, 1 expression". */
#define HF_RELEASE_NODES_TEXT 120
const char *hf_release_nodes(const json_t *update, char text[HF_RELEASE_NODES_TEXT]);
