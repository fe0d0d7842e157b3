/* cli/release/release_target.h - sets the nodes that a release is for. Also checks if a node could install the release,
 * before any file is made. */
#pragma once

#include "cli/parts.h"

/* Sets spec.nodeSelector from --node-selector, --everywhere or the template. -EINVAL: none of these gives a selector.
 * (An empty selector selects all nodes, so the user has to request it with --everywhere.) */
HF_MUST_USE int hf_release_put_selector(const struct hf_cli_args *args, json_t *update, struct hf_err *err);

/* Checks the settings of a release. -EINVAL: no node could install the release, because the expiry has passed, the path
 * is not below an update root, or an architecture is not a value of the label kubernetes.io/arch. Prints warnings to
 * cli->err for valid but unusual settings. */
HF_MUST_USE int hf_release_check_target(struct hf_cli *cli, const struct hf_cli_args *args, const json_t *update,
                                        struct hf_err *err);

/* Formats spec.nodeSelector as "every node" or "nodes with a=b,c". Returns `text` or a string constant. */
#define HF_RELEASE_NODES_TEXT 120
const char *hf_release_nodes(const json_t *update, char text[HF_RELEASE_NODES_TEXT]);
