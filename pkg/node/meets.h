/* SPDX-License-Identifier: Apache-2.0 */
/* Decides whether this node has the hardware and kernel that a release requires. Pure, except for has_device(). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/edgeupdate.h"
#include "base/err.h"
#include "base/macros.h"
#include "node/facts.h"

struct hf_meets_now {
    uint64_t disk_free_bytes;
    bool (*has_device)(void *arg, const char *path);
    void *arg;
};

/* -EOPNOTSUPP: *err names unmet requirements. */
HF_MUST_USE int hf_meets_requires(const struct hf_facts *facts, const struct hf_meets_now *now,
                                  const struct hf_requires *requires_, struct hf_err *err);

/* Compares a kernel's version with a range such as ">=5.10". -EINVAL: not a range. */
HF_MUST_USE int hf_meets_kernel(const char *release, const char *constraint, bool *ret_matches);
