/* node/meets.h - the hardware and kernel that a release requires, against the facts of this node. Pure, but for the
 * caller's has_device(). Threads: any. Memory: borrows everything. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/edgeupdate.h"
#include "base/err.h"
#include "base/macros.h"
#include "node/facts.h"

/* Facts that change while the process runs. */
struct hf_meets_now {
    uint64_t disk_free_bytes;                        /* true if this path below /dev exists */
    bool (*has_device)(void *arg, const char *path); /* true if this path below /dev exists */
    void *arg;
};

/* Returns 0, or -EOPNOTSUPP with everything that is missing in *err. */
HF_MUST_USE int hf_meets_requires(const struct hf_facts *facts, const struct hf_meets_now *now,
                                  const struct hf_requires *requires_, struct hf_err *err);

/* Compares a kernel release with ">=5.10", "<6", "=6.1", ">...", or "<=...": dotted numbers, as many as the
 * constraint has. -EINVAL: the constraint has another form. */
HF_MUST_USE int hf_meets_kernel(const char *release, const char *constraint, bool *ret_matches);
