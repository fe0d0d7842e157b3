/* SPDX-License-Identifier: Apache-2.0 */
/* cli/release/release_target.h - selects the nodes for a release. Also checks, before the command makes any file, if a
 * node could install the release. */
#pragma once

#include "cli/parts.h"

/* Sets spec.nodeSelector from --node-selector, --everywhere or the template. -EINVAL: none of these gives a selector,
 * or the options are malformed or contradict each other. (An empty selector selects all nodes, so the user has to
 * request it with --everywhere.) */
HF_MUST_USE int hf_release_put_selector(const struct hf_cli_args *args, json_t *update, struct hf_err *err);

/* Returns true if spec.nodeSelector is absent or empty. */
bool hf_release_selects_all(const json_t *update);

/* Checks the settings of a release. -EINVAL: the options contradict the release, or no node could install the release.
 * No node could install it if the expiry has passed, if the path is not below an update root, or if an architecture is
 * not a value of the label kubernetes.io/arch. Prints warnings to cli->err for valid but unusual settings. */
HF_MUST_USE int hf_release_check_target(struct hf_cli *cli, const struct hf_cli_args *args, const json_t *update,
                                        struct hf_err *err);

/* Formats spec.nodeSelector for a person, such as "every node" or "nodes with a=b,c=d, 1 expression". Returns `text` or
 * a string constant. */
#define HF_RELEASE_NODES_TEXT 120
const char *hf_release_nodes(const json_t *update, char text[HF_RELEASE_NODES_TEXT]);
