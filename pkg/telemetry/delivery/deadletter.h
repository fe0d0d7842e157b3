/* SPDX-License-Identifier: Apache-2.0 */
/* What a sink refuses for good, for a person: a spool of 8 MiB at most, oldest dropped (`holdfast spool cat DIR`), of
 * {"reason","time","sink","sequence","detail","record"}; `record` is the event's line. Blocks: on workers. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/rand.h"
#include "spool/record.h"

struct hf_deadletter {
    const struct hf_fs_ops *fs;
    const char *dir;
    uint64_t seed; /* another in each call */
    const char *sink;
    /* metric label: "http_422" */
    const char *reason;
    /* answer or error; cut; any bytes */
    const char *detail;
    uint64_t unix_ns;       /* as dead letters */
    bool refuse_unreadable; /* struct hf_spool_store_params */
};

/* Durable. -EIO: the disk; with `refuse_unreadable` also an unreadable part. */
HF_MUST_USE int hf_deadletter_add(const struct hf_deadletter *where, const struct hf_spool_record *records, size_t n,
                                  struct hf_err *err);
