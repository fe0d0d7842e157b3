/* SPDX-License-Identifier: Apache-2.0 */
/* Follows one or several clusters, and fills a board with their rows: one watch for each of three kinds (of Nodes only
 * the metadata, for their labels). While nothing changes, nothing is asked.
 *
 * With several contexts each row is named "CONTEXT/NAME", and a context that fails delays no other. */
#pragma once

#include "cli/fleet/cluster.h"
#include "cli/ui/board.h"

/* The options of a command that follows. */
#define HF_UI_FOLLOW_OPTIONS                                                                                           \
    HF_CLUSTER_OPTIONS_AND("context of the kubeconfig (its current-context); again: several side by side", true)

struct hf_ui_follow;

struct hf_ui_follow_params {
    struct hf_cli *cli;
    const struct hf_cli_args *args; /* has HF_UI_FOLLOW_OPTIONS */
    struct hf_ui_board *board;
    const char *without_labels;                  /* what the user's view then lacks, for a warning */
    void (*warned)(void *arg, const char *line); /* somebody should read this */
    void (*changed)(void *arg);                  /* the board or the state; often */
    void *arg;
};

/* Opens the clusters and subscribes; nothing comes before hf_ui_follow_run(). Of several contexts, one that cannot be
 * opened is lost in the state. Those of hf_cluster_open(). */
HF_MUST_USE int hf_ui_follow_open(const struct hf_ui_follow_params *params, struct hf_ui_follow **ret_follow,
                                  struct hf_err *err);
/* Accepts NULL. */
void hf_ui_follow_close(struct hf_ui_follow *follow);

struct hf_loop *hf_ui_follow_loop(const struct hf_ui_follow *follow);
/* Until hf_loop_stop(). Fails if the only context refuses the EdgeNodes before it has shown any: there is nothing to
 * show then. */
HF_MUST_USE int hf_ui_follow_run(struct hf_ui_follow *follow, struct hf_err *err);

/* {"time": of the servers, "partial", "contexts": [{"context", "server", "nodes", "updates", "labels"}]}, the last
 * three {"synced", "lost", "why"}. partial: an object found no room on the board, or cannot be read. */
json_t *hf_ui_follow_state(const struct hf_ui_follow *follow);

/* The server of the first context, or "several clusters". */
const char *hf_ui_follow_server(const struct hf_ui_follow *follow);
uint64_t hf_ui_follow_now_unix_ns(const struct hf_ui_follow *follow);

/* The cluster of a row, its context ("": as the command line says) and the object's name within `row`. NULL: none. */
struct hf_cluster *hf_ui_follow_find(const struct hf_ui_follow *follow, const char *row, const char **ret_context,
                                     const char **ret_name);
