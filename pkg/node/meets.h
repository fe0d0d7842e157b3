/* SPDX-License-Identifier: Apache-2.0 */
/* Checks if this node has the hardware and kernel that a release requires. Pure but for has_device(). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/edgeupdate.h"
#include "base/err.h"
#include "base/macros.h"
#include "node/facts.h"

/* Facts that change while the process runs. */
struct hf_meets_now {
    uint64_t disk_free_bytes;                        /* in the state folder's file system */
    bool (*has_device)(void *arg, const char *path); /* path below /dev */
    void *arg;
};

/* -EOPNOTSUPP: unmet requirements, as many as fit in *err. */
HF_MUST_USE int hf_meets_requires(const struct hf_facts *facts, const struct hf_meets_now *now,
                                  const struct hf_requires *requires_, struct hf_err *err);

/* `constraint`: hf_text_is_kernel_range(), such as ">=5.10"; compares only its numbers. -EINVAL: another form. */
HF_MUST_USE int hf_meets_kernel(const char *release, const char *constraint, bool *ret_matches);
