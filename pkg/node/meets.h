/* SPDX-License-Identifier: Apache-2.0 */
/* node/meets.h - checks if this node has the hardware and the kernel that a release requires. Pure, except for the
 * caller's function has_device(). Threads: any. Memory: the functions borrow all arguments. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/edgeupdate.h"
#include "base/err.h"
#include "base/macros.h"
#include "node/facts.h"

/* Facts that change while the process runs. */
struct hf_meets_now {
    uint64_t disk_free_bytes;                        /* free bytes in the file system of the state folder */
    bool (*has_device)(void *arg, const char *path); /* returns true if the device at this path below /dev exists */
    void *arg;
};

/* Returns 0 if the node meets all requirements, or -EOPNOTSUPP with a list of the unmet requirements in *err, as many
 * as fit. */
HF_MUST_USE int hf_meets_requires(const struct hf_facts *facts, const struct hf_meets_now *now,
                                  const struct hf_requires *requires_, struct hf_err *err);

/* Checks if a kernel release satisfies a constraint, and sets *ret_matches. A constraint is an operator (>=, >, <=,
 * < or =) and one to three dotted numbers, such as ">=5.10" or "<6" (hf_text_is_kernel_range()). The function
 * compares only as many numbers as the constraint has. -EINVAL: the constraint has another form. */
HF_MUST_USE int hf_meets_kernel(const char *release, const char *constraint, bool *ret_matches);
