/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one command of a release. */
#pragma once

#include "loop/proc.h"
#include "steps/failure.h"

struct hf_command;

struct hf_command_params {
    const struct hf_proc_ops *proc;
    const char *what; /* beginning of the failure's text; static */
    const char *const *argv;
    const char *const *env; /* as in struct hf_proc_request */
    uint64_t timeout_ns;
    enum hf_reason reason;
    /* `r`: 0 or -errno; -EIO: the exit code was not 0. */
    void (*done)(void *arg, int r, const struct hf_failure *failure);
    void *arg;
};

HF_MUST_USE int hf_command_start(const struct hf_command_params *params, struct hf_command **ret_command,
                                 struct hf_failure *failure);
void hf_command_free(struct hf_command *command); /* without `done` */
