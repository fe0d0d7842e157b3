/* SPDX-License-Identifier: Apache-2.0 */
/* Has this node the hardware and kernel that a release requires? Pure, except for has_device(). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/edgeupdate.h"
#include "base/err.h"
#include "base/macros.h"
#include "node/facts.h"

/* What changes while the process runs. */
struct hf_meets_now {
    uint64_t disk_free_bytes;                        /* for the state folder */
    bool (*has_device)(void *arg, const char *path); /* below /dev */
    void *arg;
};

/* -EOPNOTSUPP: *err has unmet ones, as many as fit. */
HF_MUST_USE int hf_meets_requires(const struct hf_facts *facts, const struct hf_meets_now *now,
                                  const struct hf_requires *requires_, struct hf_err *err);

/* hf_text_is_kernel_range(), ">=5.10"; compares numbers. -EINVAL. */
HF_MUST_USE int hf_meets_kernel(const char *release, const char *constraint, bool *ret_matches);
