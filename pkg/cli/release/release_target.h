/* cli/release/release_target.h - for whom a release is, and whether any node could take it: asked before anything is made. */
#pragma once

#include "cli/parts.h"

/* --node-selector, --everywhere, or the template's selector into spec.nodeSelector. -EINVAL when nothing says which nodes are
 * meant: an empty selector is the whole fleet, which nobody gets by leaving something out. */
HF_MUST_USE int hf_release_put_selector(const struct hf_cli_args *args, json_t *update, struct hf_err *err);

/* Refuse (-EINVAL) what no node could take: an expiry that has passed, a path below no update root, an architecture that
 * kubernetes.io/arch never says. Warn on cli->err of what is allowed and seldom meant. */
HF_MUST_USE int hf_release_check_target(struct hf_cli *cli, const struct hf_cli_args *args, const json_t *update,
                                        struct hf_err *err);

/* "every node", or "nodes with a=b,c": spec.nodeSelector for people; returns text. */
#define HF_RELEASE_NODES_TEXT 120
const char *hf_release_nodes(const json_t *update, char text[HF_RELEASE_NODES_TEXT]);
