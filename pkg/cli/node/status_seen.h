/* cli/node/status_seen.h - how far a status that was found may be taken for what is true now.
 *
 *   Current   it is no older than two intervals and a minute, and an agent that runs renews it
 *   Stopped   the agent was told to stop, and this is its last word
 *   Finished  the agent ran with --once, and is done
 *   Silent    it is older, or nobody renews it: the agent was killed, hangs, or the disk is that of a dead node */
#pragma once

#include "cli/cli.h"
#include "codec/json.h"

enum hf_cli_seen_state { HF_CLI_CURRENT, HF_CLI_STOPPED, HF_CLI_FINISHED, HF_CLI_SILENT };

struct hf_cli_seen {
    enum hf_cli_seen_state state;
    bool known;      /* the status says when it was made */
    uint64_t age_ns; /* then */
    bool agent_runs;
};

const char *hf_cli_seen_name(enum hf_cli_seen_state state); /* "Current" ... */

/* Is there an agent that works on this state folder? Asks for the agent's lock, and gives it back at once. *ret_since_unix_ns: since
 * when, 0 unknown. Where the lock may not be asked for, one is taken to run: then the age alone decides. */
bool hf_cli_agent_runs(struct hf_cli *cli, const char *state_dir, uint64_t *ret_since_unix_ns);

/* 0 when the status does not say. */
uint64_t hf_cli_observed_unix_ns(const json_t *node);

struct hf_cli_seen hf_cli_judge_seen(struct hf_cli *cli, const json_t *node, bool agent_runs);

/* {state, agentRunning, ageSeconds (null: not known)}; NULL on OOM. */
json_t *hf_cli_seen_json(const struct hf_cli_seen *seen);

#define HF_CLI_AGO_TEXT 24
/* "12s", "14m", "3h", "5d": one unit, at least two of it where there is a smaller one. Returns text. */
const char *hf_cli_ago(uint64_t age_ns, char text[HF_CLI_AGO_TEXT]);
