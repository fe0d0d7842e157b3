/* SPDX-License-Identifier: Apache-2.0 */
/* cli/node/status_seen.h - decides how current a status is.
 *
 *   Current   an agent runs, and the status has no time or is at most two intervals plus one minute old
 *   Stopped   no agent runs; the last status reports that the agent stopped on request
 *   Finished  no agent runs; the last status reports that the agent ran with --once
 *   Silent    all other cases: the agent died or hangs, or this is the disk of a dead node
 *
 * Only root may open the lock that tells whether an agent runs. For other users the status alone decides: its last word
 * (Stopped, Finished), or else its age.
 *
 * Main thread only; blocks. */
#pragma once

#include "cli/cli.h"
#include "codec/json.h"

enum hf_cli_seen_state { HF_CLI_CURRENT, HF_CLI_STOPPED, HF_CLI_FINISHED, HF_CLI_SILENT };

/* HF_CLI_AGENT_UNSEEN: nobody knows, because the lock cannot be opened. */
enum hf_cli_agent { HF_CLI_AGENT_ABSENT, HF_CLI_AGENT_RUNS, HF_CLI_AGENT_UNSEEN };

struct hf_cli_seen {
    enum hf_cli_seen_state state;
    bool known;      /* true if hf_cli_observed_unix_ns() returns a time */
    uint64_t age_ns; /* age of the status; valid if `known` */
    bool agent_runs;
    bool agent_unknown; /* `agent_runs` says nothing: the status comes from the cluster, or the lock is not readable */
};

const char *hf_cli_seen_name(enum hf_cli_seen_state state); /* returns the name of the state, such as "Current" */

/* Finds out whether an agent runs with this state folder: tries to take the agent's lock, and releases the lock at
 * once. If the lock file cannot be opened, prints a warning. *ret_since_unix_ns receives the time when the last agent
 * started (0 means unknown). */
enum hf_cli_agent hf_cli_see_agent(struct hf_cli *cli, const char *state_dir, uint64_t *ret_since_unix_ns);

/* Returns the time of the status. Returns 0 if the status has no time, or a time that is more than 10 minutes in the
 * future: a wrong clock wrote it, and its age would stay 0 for ever. */
uint64_t hf_cli_observed_unix_ns(struct hf_cli *cli, const json_t *node);

struct hf_cli_seen hf_cli_judge_seen(struct hf_cli *cli, const json_t *node, enum hf_cli_agent agent);

/* Returns the object {state, agentRunning, ageSeconds}; agentRunning and ageSeconds are null if unknown. Returns NULL
 * if out of memory. */
json_t *hf_cli_seen_json(const struct hf_cli_seen *seen);

#define HF_CLI_AGO_TEXT 24
/* Formats an age in one unit, such as "12s", "14m", "3h" or "5d". Uses the largest unit that gives a number of at least
 * 2, and seconds for an age below 2 s. Returns `text`. */
const char *hf_cli_ago(uint64_t age_ns, char text[HF_CLI_AGO_TEXT]);
