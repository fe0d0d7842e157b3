/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/delivery/deadletter.h - keeps records that a sink refuses for good, with the reason, for a person to read.
 *
 * Dead letters lie in a separate spool in the folder `dir`; the command `holdfast spool cat DIR` prints them. The
 * segments of this spool take at most 8 MiB of disk space; the spool drops the oldest dead letters to make room for new
 * ones. Each dead letter is one JSON object {"reason","time","sink","sequence","detail","record"}, where `record` is
 * the event's line, unchanged. Each call of hf_deadletter_add() opens and closes the spool, because dead letters are
 * rare.
 *
 * Threads: call hf_deadletter_add() on workers only, because the function blocks. Errors: hf_deadletter_add() returns
 * 0, or -errno with the name of the folder in *err. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/rand.h"
#include "spool/record.h"

#define HF_DEADLETTER_MAX_BYTES (8ull << 20)

struct hf_deadletter {
    const struct hf_fs_ops *fs;
    const char *dir;
    uint64_t seed;    /* seed for the random numbers of the spool; pass a different seed in each call */
    const char *sink; /* name of the sink that refused the records */
    /* reason why the sink refused the records, in the form of a label of metrics, such as "http_422" */
    const char *reason;
    /* text of the sink's answer, or of the error if no answer came; truncated; may hold any bytes */
    const char *detail;
    uint64_t unix_ns;       /* Unix time at which the records become dead letters */
    bool refuse_unreadable; /* as in struct hf_spool_store_params */
};

/* Appends n records to the dead letters. Returns 0 when all of them are durable. -EIO: the disk fails, or
 * `refuse_unreadable` is true and the disk does not give back a part of the spool. */
HF_MUST_USE int hf_deadletter_add(const struct hf_deadletter *where, const struct hf_spool_record *records, size_t n,
                                  struct hf_err *err);
