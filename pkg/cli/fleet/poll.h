/* cli/fleet/poll.h - follows EdgeUpdates until a rollout has a verdict: for `rollout watch` and `wait`.
 *
 * The commands ask every 2 s, which costs the API server one small object each time. They survive an API server that
 * goes away, and print only what changed. Main thread only; blocks. */
#pragma once

#include "cli/fleet/cluster.h"
#include "cli/fleet/update_view.h"

#define HF_POLL_PERIOD_NS (2 * HF_NS_PER_S)

struct hf_poll {
    struct hf_cli *cli;
    struct hf_cluster *cluster;
    bool json;
    uint64_t end_mono_ns; /* UINT64_MAX: no time limit */
    bool away;            /* true if the server did not answer the last request */
    char *last;           /* the line that was printed last */
};

/* Reads --timeout and --json, and opens the cluster. */
HF_MUST_USE int hf_poll_begin(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_poll *ret_poll,
                              struct hf_err *err);
void hf_poll_end(struct hf_poll *poll);

/* Judges the result r of a request. Returns 0 (it succeeded), 1 (the server is away, which the function reports once on
 * standard error: ask again later) or -errno. */
int hf_poll_judge(struct hf_poll *poll, int r, const struct hf_err *err);

/* Prints the line of a view, as text or JSON, if it differs from the last one. */
HF_MUST_USE int hf_poll_print(struct hf_poll *poll, const struct hf_update_view *view, struct hf_err *err);
/* Prints a line with the time in front, if it differs from the last one. */
HF_MUST_USE int hf_poll_say(struct hf_poll *poll, const char *line, struct hf_err *err);

/* Sleeps until the next request. Returns false if the time limit has passed. */
bool hf_poll_pause(struct hf_poll *poll, uint64_t period_ns);
