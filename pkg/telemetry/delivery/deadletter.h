/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps what a sink refuses for good, for a person to look at (`holdfast spool cat DIR`): a spool of at most 8 MiB that
 * drops its oldest entries. Each is {"reason","time","sink","sequence","detail","record"}; `record` is the event's
 * line. Blocks: call it on a worker. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/rand.h"
#include "spool/record.h"

struct hf_deadletter {
    const struct hf_fs_ops *fs;
    const char *dir;
    uint64_t seed; /* for random numbers; pass another one in each call */
    const char *sink;
    /* why, as a metric label: "http_422" */
    const char *reason;
    const char *detail;
    uint64_t unix_ns;
    bool refuse_unreadable;
};

/* Adds dead letters durably. -EIO: the disk failed. */
HF_MUST_USE int hf_deadletter_add(const struct hf_deadletter *where, const struct hf_spool_record *records, size_t n,
                                  struct hf_err *err);
