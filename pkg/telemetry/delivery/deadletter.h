/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/delivery/deadletter.h - keeps records that a sink refuses for good, for a person to read.
 *
 * A spool of at most 8 MiB, which drops the oldest; `holdfast spool cat DIR` prints it. Each is
 * {"reason","time","sink","sequence","detail","record"}, where `record` is the event's line. Workers only: blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/rand.h"
#include "spool/record.h"

#define HF_DEADLETTER_MAX_BYTES (8ull << 20)

struct hf_deadletter {
    const struct hf_fs_ops *fs;
    const char *dir;
    uint64_t seed; /* differs in each call */
    const char *sink;
    /* as a metric label: "http_422" */
    const char *reason;
    /* the sink's answer or the error; truncated; any bytes */
    const char *detail;
    uint64_t unix_ns;       /* when they become dead letters */
    bool refuse_unreadable; /* as in struct hf_spool_store_params */
};

/* 0: all are durable. -EIO: the disk fails, or, with `refuse_unreadable`, does not give back a part of the spool. */
HF_MUST_USE int hf_deadletter_add(const struct hf_deadletter *where, const struct hf_spool_record *records, size_t n,
                                  struct hf_err *err);
