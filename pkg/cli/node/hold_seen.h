/* SPDX-License-Identifier: Apache-2.0 */
/* This node's hold, as its agent judges it. By the wall clock: the agent may know the time better, so the end may
 * differ after a reboot. */
#pragma once

#include "cli/cli.h"
#include "codec/json.h"
#include "sync/hold.h"

struct hf_cli_hold_seen {
    struct hf_hold file; /* reason: plain (cli/plain.h) */
    bool active;
    uint64_t end_unix_ns; /* HF_NEVER: unknown */
};

/* -EACCES: unreadable for this user; *ret_seen has no hold. */
HF_MUST_USE int hf_cli_see_hold(struct hf_cli *cli, const char *state, struct hf_cli_hold_seen *ret_seen,
                                struct hf_err *err);

/* {active, reason, until}. */
json_t *hf_cli_hold_json(const struct hf_cli_hold_seen *seen);

/* An active hold as "held until TIME: REASON"; unknown: no TIME. */
void hf_cli_print_hold(struct hf_cli *cli, const struct hf_cli_hold_seen *seen);
