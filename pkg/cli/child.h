/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program of PATH, without a shell. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { HF_CLI_CHILD_NOT_STARTED = -1 };

struct hf_cli_child {
    const char *const *argv;
    const char *const *env; /* NULL: ours */
    bool has_input;         /* reads our standard input; else /dev/null */
    bool with_errors;
    uint64_t limit_ns; /* after this time, the child is killed */
};

/* Appends the output to `out`. *ret_status: as of waitpid(), or HF_CLI_CHILD_NOT_STARTED. -ETIMEDOUT. -E2BIG: `out` is
 * full. */
HF_MUST_USE int hf_cli_child_run(const struct hf_cli_child *child, struct hf_buf *out, int *ret_status);
