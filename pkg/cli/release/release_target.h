/* cli/release/release_target.h - the target nodes of a release; checks before any work whether a node could take it. */
#pragma once

#include "cli/parts.h"

/* Sets spec.nodeSelector from --node-selector, --everywhere or the template. -EINVAL: none of them. An empty
 * selector selects all nodes, so it has to be explicit. */
HF_MUST_USE int hf_release_put_selector(const struct hf_cli_args *args, json_t *update, struct hf_err *err);

/* Checks the settings of a release. -EINVAL: no node could take the release: its expiry has passed, its path is
 * below no update root, or it has an architecture that kubernetes.io/arch never has. Prints warnings to cli->err for
 * valid but unusual settings. */
HF_MUST_USE int hf_release_check_target(struct hf_cli *cli, const struct hf_cli_args *args, const json_t *update,
                                        struct hf_err *err);

/* Formats spec.nodeSelector: "every node", or "nodes with a=b,c". Returns the text, perhaps a constant. */
#define HF_RELEASE_NODES_TEXT 120
const char *hf_release_nodes(const json_t *update, char text[HF_RELEASE_NODES_TEXT]);
