/* cli/node/status_seen.h - decide how current a status is.
 *
 *   Current   at most two intervals and a minute old, and an agent runs that renews it
 *   Stopped   the agent stopped on request; this is its last status
 *   Finished  the agent ran with --once, and has finished
 *   Silent    older, or nobody renews it: the agent died or hangs, or this is the disk of a dead node
 *
 * Main thread only; blocks. */
#pragma once

#include "cli/cli.h"
#include "codec/json.h"

enum hf_cli_seen_state { HF_CLI_CURRENT, HF_CLI_STOPPED, HF_CLI_FINISHED, HF_CLI_SILENT };

struct hf_cli_seen {
    enum hf_cli_seen_state state;
    bool known;      /* the status has a time */
    uint64_t age_ns; /* if known */
    bool agent_runs;
};

const char *hf_cli_seen_name(enum hf_cli_seen_state state); /* "Current" ... */

/* Returns true if an agent works on this state folder: tries the agent's lock and releases it at once.
 * *ret_since_unix_ns: start of the agent, 0: unknown. Without permission to try the lock, assumes that an agent
 * runs, so that only the age decides. */
bool hf_cli_agent_runs(struct hf_cli *cli, const char *state_dir, uint64_t *ret_since_unix_ns);

/* Returns the time of the status; 0: it has none. */
uint64_t hf_cli_observed_unix_ns(const json_t *node);

struct hf_cli_seen hf_cli_judge_seen(struct hf_cli *cli, const json_t *node, bool agent_runs);

/* Returns {state, agentRunning, ageSeconds (null: unknown)}; NULL: out of memory. */
json_t *hf_cli_seen_json(const struct hf_cli_seen *seen);

#define HF_CLI_AGO_TEXT 24
/* Formats "12s", "14m", "3h", "5d": in one unit, the largest that gives at least 2, else seconds. Returns text. */
const char *hf_cli_ago(uint64_t age_ns, char text[HF_CLI_AGO_TEXT]);
