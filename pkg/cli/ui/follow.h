/* SPDX-License-Identifier: Apache-2.0 */
/* Follows clusters, and fills a board: a watch for each of three kinds (of Nodes only metadata, for labels).
 *
 * With several contexts, rows are named "CONTEXT/NAME", and a context that fails ends no other. */
#pragma once

#include "cli/fleet/cluster.h"
#include "cli/ui/board.h"

#define HF_UI_FOLLOW_OPTIONS                                                                                           \
    HF_CLUSTER_OPTIONS_AND("context of the kubeconfig (its current-context); again: several side by side", true)

struct hf_ui_follow;

struct hf_ui_follow_params {
    struct hf_cli *cli;
    const struct hf_cli_args *args;
    struct hf_ui_board *board;
    const char *without_labels; /* what the view lacks without labels, for a warning */
    void (*warned)(void *arg, const char *line);
    void (*changed)(void *arg); /* the board or the state changed; called often */
    void *arg;
};

/* Opens clusters and subscribes; objects arrive in hf_ui_follow_run(). Of several contexts, one that cannot be opened
 * only counts as "lost". Errors of hf_cluster_open(). */
HF_MUST_USE int hf_ui_follow_open(const struct hf_ui_follow_params *params, struct hf_ui_follow **ret_follow,
                                  struct hf_err *err);
void hf_ui_follow_close(struct hf_ui_follow *follow);

struct hf_loop *hf_ui_follow_loop(const struct hf_ui_follow *follow);
/* Returns after hf_loop_stop(), or fails if the only context refuses or lacks the EdgeNodes before it showed any. */
HF_MUST_USE int hf_ui_follow_run(struct hf_ui_follow *follow, struct hf_err *err);

/* {"time": of the servers, "partial", "contexts": [{"context", "server", "nodes", "updates", "labels"}]}; the last
 * three are {"synced", "lost", "why"}. "partial": an object found no room on the board, or was unreadable. */
json_t *hf_ui_follow_state(const struct hf_ui_follow *follow);

/* Returns the only context's server, or "several clusters". */
const char *hf_ui_follow_server(const struct hf_ui_follow *follow);
uint64_t hf_ui_follow_now_unix_ns(const struct hf_ui_follow *follow);

/* Returns a row's cluster, or NULL, with its context ("": current-context) and name, within `row`. */
struct hf_cluster *hf_ui_follow_find(const struct hf_ui_follow *follow, const char *row, const char **ret_context,
                                     const char **ret_name);
