/* SPDX-License-Identifier: Apache-2.0 */
/* cli/child.h - runs a program without a shell, and reads what it prints.
 *
 * The program is found in PATH. Main thread only; blocks for at most the limit. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { HF_CLI_CHILD_NOT_STARTED = -1 };

struct hf_cli_child {
    const char *const *argv; /* ends with NULL */
    const char *const *env;  /* ends with NULL; NULL: the environment of this process */
    bool has_input;          /* the program may read the standard input of this process; else it reads /dev/null */
    bool with_errors;        /* read its standard error, too; else it goes to that of this process */
    uint64_t limit_ns;       /* from the start; then the program is killed */
};

/* Appends what the program prints to `out`, and waits for its end. *ret_status is that of waitpid(), or
 * HF_CLI_CHILD_NOT_STARTED. -ETIMEDOUT: the program was killed at its limit. -E2BIG: it printed more than `out` takes,
 * and was killed. Other codes: it could not be started, or not be read. */
HF_MUST_USE int hf_cli_child_run(const struct hf_cli_child *child, struct hf_buf *out, int *ret_status);
