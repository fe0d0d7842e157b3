/* SPDX-License-Identifier: Apache-2.0 */
/* cli/fleet/poll.h - polls the API server for `rollout watch` and `wait`, until the rollout has completed or failed.
 *
 * `rollout watch` requests one EdgeUpdate every 2 s. `wait` lists the EdgeUpdates every 2 s, or every 5 s or more if it
 * also counts nodes. Both commands continue if the API server becomes unreachable, and print a line only if it differs
 * from the previous line. Main thread only; blocks. */
#pragma once

#include "cli/fleet/cluster.h"
#include "cli/fleet/update_view.h"

#define HF_POLL_PERIOD_NS (2 * HF_NS_PER_S)

struct hf_poll {
    struct hf_cli *cli;
    struct hf_cluster *cluster;
    bool json;
    uint64_t end_mono_ns; /* monotonic time at which the command gives up; UINT64_MAX: no time limit */
    bool away;            /* true if the server did not answer the last request */
    json_t *last;         /* the last printed line about each object, by its name; "" is about none */
};

/* Reads --timeout and --json, and opens the cluster. */
HF_MUST_USE int hf_poll_begin(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_poll *ret_poll,
                              struct hf_err *err);
void hf_poll_end(struct hf_poll *poll);

/* Judges the result r of a request. Returns 0 if the request succeeded. Returns 1 if a later request may succeed, for
 * example because the server is unreachable; then prints the reason once to standard error. Returns -errno if the
 * command must end. */
int hf_poll_judge(struct hf_poll *poll, int r, const struct hf_err *err);

/* Prints a line about a view, as text or JSON, if the line differs from the last one about this object. */
HF_MUST_USE int hf_poll_print(struct hf_poll *poll, const struct hf_update_view *view, struct hf_err *err);
/* Prints `line`, with the time before it or as JSON, if it differs from the last line about the object `name` (""
 * stands for no object). */
HF_MUST_USE int hf_poll_say(struct hf_poll *poll, const char *name, const char *line, struct hf_err *err);

/* Sleeps for period_ns, but at most until the time limit, and returns true. Returns false at once if the time limit has
 * passed. */
bool hf_poll_pause(struct hf_poll *poll, uint64_t period_ns);
