/* cli/fleet/follow.h - follows EdgeUpdates until a rollout has a verdict: for `rollout watch` and `wait`.
 *
 * The commands ask every 2 s, which costs the API server one small object each time. They survive an API server that
 * goes away, and print only what changed. Main thread only; blocks. */
#pragma once

#include "cli/fleet/cluster.h"
#include "cli/fleet/rollout_view.h"

#define HF_FOLLOW_PERIOD_NS (2 * HF_NS_PER_S)

struct hf_follow {
    struct hf_cli *cli;
    struct hf_cluster *cluster;
    bool json;
    uint64_t end_mono_ns; /* UINT64_MAX: no time limit */
    bool away;            /* true if the server did not answer the last request */
    char *last;           /* the line that was printed last */
};

/* Reads --timeout and --json, and opens the cluster. */
HF_MUST_USE int hf_follow_begin(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_follow *ret_follow,
                                struct hf_err *err);
void hf_follow_end(struct hf_follow *follow);

/* Judges the result r of a request. Returns 0 (it succeeded), 1 (the server is away, which the function reports once on
 * standard error: ask again later) or -errno. */
int hf_follow_judge(struct hf_follow *follow, int r, const struct hf_err *err);

/* Prints the line of a view, as text or JSON, if it differs from the last one. */
HF_MUST_USE int hf_follow_print(struct hf_follow *follow, const struct hf_rollout_view *view, struct hf_err *err);
/* Prints a line with the time in front, if it differs from the last one. */
HF_MUST_USE int hf_follow_say(struct hf_follow *follow, const char *line, struct hf_err *err);

/* Sleeps until the next request. Returns false if the time limit has passed. */
bool hf_follow_pause(struct hf_follow *follow, uint64_t period_ns);
