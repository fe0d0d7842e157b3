/* SPDX-License-Identifier: Apache-2.0 */
/* How current is a status?
 *
 *   Current   an agent runs, and the status has no time or is at most two intervals and a minute old
 *   Stopped   no agent runs; stopped on request, as the last status says
 *   Finished  no agent runs; it ran with --once, as the last status says
 *   Silent    all else
 *
 * Only root may open the agent's lock. For others the last status or its age decides. */
#pragma once

#include "cli/cli.h"
#include "codec/json.h"

enum hf_cli_seen_state { HF_CLI_CURRENT, HF_CLI_STOPPED, HF_CLI_FINISHED, HF_CLI_SILENT };

/* UNSEEN: the lock does not tell. */
enum hf_cli_agent { HF_CLI_AGENT_ABSENT, HF_CLI_AGENT_RUNS, HF_CLI_AGENT_UNSEEN };

struct hf_cli_seen {
    enum hf_cli_seen_state state;
    bool known; /* the status has a time */
    uint64_t age_ns;
    bool agent_runs;
    bool agent_unknown; /* the agent is on another node, or its lock does not tell */
};

const char *hf_cli_seen_name(enum hf_cli_seen_state state);

/* Tries the agent's lock; may warn. *ret_since_unix_ns: the agent's last start. */
enum hf_cli_agent hf_cli_see_agent(struct hf_cli *cli, const char *state_dir, uint64_t *ret_since_unix_ns);

/* Returns status.observedTime; 0 if absent, wrong, or more than 10 minutes in the future. */
uint64_t hf_cli_observed_unix_ns(struct hf_cli *cli, const json_t *node);

struct hf_cli_seen hf_cli_judge_seen(struct hf_cli *cli, const json_t *node, enum hf_cli_agent agent);

json_t *hf_cli_seen_json(const struct hf_cli_seen *seen);

#define HF_CLI_AGO_TEXT 24
/* Writes "14m": the largest unit that gives 2 or more, or seconds. */
const char *hf_cli_ago(uint64_t age_ns, char text[HF_CLI_AGO_TEXT]);
