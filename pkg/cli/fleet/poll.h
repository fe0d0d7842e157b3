/* SPDX-License-Identifier: Apache-2.0 */
/* Polls the API server for `rollout watch` and `wait`, even while it is unreachable, and prints lines that change. */
#pragma once

#include "cli/fleet/cluster.h"
#include "cli/fleet/update_view.h"

#define HF_POLL_PERIOD_NS (2 * HF_NS_PER_S)

struct hf_poll {
    struct hf_cli *cli;
    struct hf_cluster *cluster;
    bool json;
    uint64_t end_mono_ns;
    bool away;    /* the last request failed */
    json_t *last; /* each object's last line, by name */
};

HF_MUST_USE int hf_poll_begin(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_poll *ret_poll,
                              struct hf_err *err);
void hf_poll_end(struct hf_poll *poll);

/* Judges a request's result `r`. Returns 0; 1 if a later request may succeed (prints the reason once); or -errno to end
 * with. */
int hf_poll_judge(struct hf_poll *poll, int r, const struct hf_err *err);

HF_MUST_USE int hf_poll_print(struct hf_poll *poll, const struct hf_update_view *view, struct hf_err *err);
/* Prints `line`, if it changed, about the object `name`, or about no object if `name` is "". */
HF_MUST_USE int hf_poll_say(struct hf_poll *poll, const char *name, const char *line, struct hf_err *err);

/* Sleeps until the next request is due. Returns false if the time limit has passed. */
bool hf_poll_pause(struct hf_poll *poll, uint64_t period_ns);
