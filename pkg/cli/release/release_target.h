/* SPDX-License-Identifier: Apache-2.0 */
/* Selects the nodes of a release, and checks if a node could install it before any file is made. */
#pragma once

#include "cli/parts.h"

/* From --node-selector, --everywhere (needed for an empty one) or the template. -EINVAL: none, or wrong options. */
HF_MUST_USE int hf_release_put_selector(const struct hf_cli_args *args, json_t *update, struct hf_err *err);

bool hf_release_selects_all(const json_t *update);

/* spec.release.install.kind is Agent. */
bool hf_release_is_agent(const json_t *update);

/* -EINVAL: options contradict the release, or no node could install it: expired, path not below an update root, unknown
 * kubernetes.io/arch. Prints warnings. */
HF_MUST_USE int hf_release_check_target(struct hf_cli *cli, const struct hf_cli_args *args, const json_t *update,
                                        struct hf_err *err);

/* Such as "nodes with a=b,c=d, 1 expression". */
#define HF_RELEASE_NODES_TEXT 120
const char *hf_release_nodes(const json_t *update, char text[HF_RELEASE_NODES_TEXT]);
