/* SPDX-License-Identifier: Apache-2.0 */
/* Follows clusters, and fills a board: a watch each for three kinds (of Nodes only metadata, for labels).
 *
 * With several contexts rows are named "CONTEXT/NAME", and one that fails delays no other. */
#pragma once

#include "cli/fleet/cluster.h"
#include "cli/ui/board.h"

#define HF_UI_FOLLOW_OPTIONS                                                                                           \
    HF_CLUSTER_OPTIONS_AND("context of the kubeconfig (its current-context); again: several side by side", true)

struct hf_ui_follow;

struct hf_ui_follow_params {
    struct hf_cli *cli;
    const struct hf_cli_args *args; /* with HF_UI_FOLLOW_OPTIONS */
    struct hf_ui_board *board;
    const char *without_labels;                  /* for a warning: what the view then lacks */
    void (*warned)(void *arg, const char *line); /* a person should read this */
    void (*changed)(void *arg);                  /* board or state; often */
    void *arg;
};

/* Opens clusters and subscribes; all comes in hf_ui_follow_run(). Of several contexts, one that cannot be opened is
 * only "lost" in the state. hf_cluster_open()'s errors. */
HF_MUST_USE int hf_ui_follow_open(const struct hf_ui_follow_params *params, struct hf_ui_follow **ret_follow,
                                  struct hf_err *err);
/* Accepts NULL. */
void hf_ui_follow_close(struct hf_ui_follow *follow);

struct hf_loop *hf_ui_follow_loop(const struct hf_ui_follow *follow);
/* Returns after hf_loop_stop(), or fails if the only context refuses the EdgeNodes before it showed any. */
HF_MUST_USE int hf_ui_follow_run(struct hf_ui_follow *follow, struct hf_err *err);

/* {"time": servers', "partial", "contexts": [{"context", "server", "nodes", "updates", "labels"}]}, the last three
 * {"synced", "lost", "why"}. partial: an object is too much for the board, or unreadable. */
json_t *hf_ui_follow_state(const struct hf_ui_follow *follow);

/* The only context's, or "several clusters". */
const char *hf_ui_follow_server(const struct hf_ui_follow *follow);
uint64_t hf_ui_follow_now_unix_ns(const struct hf_ui_follow *follow);

/* A row's cluster, context ("": current-context) and name, within `row`. NULL: none. */
struct hf_cluster *hf_ui_follow_find(const struct hf_ui_follow *follow, const char *row, const char **ret_context,
                                     const char **ret_name);
