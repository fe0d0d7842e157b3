/* node/meets.h - checks if the facts of this node meet the hardware and kernel that a release requires. Pure, except
 * for the caller's has_device(). Threads: any. Memory: borrows everything. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/edgeupdate.h"
#include "base/err.h"
#include "base/macros.h"
#include "node/facts.h"

/* Facts that change while the process runs. */
struct hf_meets_now {
    uint64_t disk_free_bytes;                        /* free bytes on the disk of the state folder */
    bool (*has_device)(void *arg, const char *path); /* returns true if this path below /dev exists */
    void *arg;
};

/* Returns 0, or -EOPNOTSUPP with a list of all missing requirements in *err. */
HF_MUST_USE int hf_meets_requires(const struct hf_facts *facts, const struct hf_meets_now *now,
                                  const struct hf_requires *requires_, struct hf_err *err);

/* Checks if a kernel release satisfies a constraint: an operator (>=, >, <=, < or =) and dotted numbers, such as
 * ">=5.10" or "<6". Compares only as many numbers as the constraint has. -EINVAL: the constraint has another form. */
HF_MUST_USE int hf_meets_kernel(const char *release, const char *constraint, bool *ret_matches);
