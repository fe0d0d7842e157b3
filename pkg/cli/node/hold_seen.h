/* SPDX-License-Identifier: Apache-2.0 */
/* This node's hold, judged as its agent does, but by the wall clock alone, so that its end may differ. */
#pragma once

#include "cli/cli.h"
#include "codec/json.h"
#include "sync/hold.h"

struct hf_cli_hold_seen {
    struct hf_hold file; /* its reason is plain (cli/plain.h) */
    bool active;
    uint64_t end_unix_ns; /* HF_NEVER: unknown */
};

/* -EACCES: this user may not read the file; *ret_seen has no hold. */
HF_MUST_USE int hf_cli_see_hold(struct hf_cli *cli, const char *state, struct hf_cli_hold_seen *ret_seen,
                                struct hf_err *err);

json_t *hf_cli_hold_json(const struct hf_cli_hold_seen *seen);

/* Prints an active hold: "held until TIME: REASON", or "held: REASON". */
void hf_cli_print_hold(struct hf_cli *cli, const struct hf_cli_hold_seen *seen);
