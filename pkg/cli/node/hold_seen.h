/* SPDX-License-Identifier: Apache-2.0 */
/* cli/node/hold_seen.h - the hold of this node, as its agent judges it: from the hold file, from the age of the hold in
 * the clock file, and from the clocks of this machine. The agent may know the time better than this machine's wall
 * clock does, so the end may differ after a reboot. */
#pragma once

#include "cli/cli.h"
#include "sync/hold.h"

struct hf_cli_hold_seen {
    struct hf_hold file; /* its reason is plain (cli/plain.h) */
    bool active;
    uint64_t end_unix_ns; /* when the hold ends by itself, by the wall clock of this machine; HF_NEVER: unknown */
};

/* Reads the hold below the state folder. -EACCES: this user may not read the file; *ret_seen then has no hold. */
HF_MUST_USE int hf_cli_see_hold(struct hf_cli *cli, const char *state, struct hf_cli_hold_seen *ret_seen,
                                struct hf_err *err);
