/* telemetry/delivery/deadletter.h - keeps records that a sink refuses for good, with the reason, for a person to read.
 *
 * Dead letters lie in a spool of their own in `dir`; `holdfast spool cat DIR` prints them. The spool has at most 8 MiB
 * and drops its oldest dead letters to make room. Each dead letter is one JSON object
 * {"reason","time","sink","sequence","detail","record"}, where `record` is the event's line, unchanged. Each call opens
 * and closes the spool, because dead letters are rare.
 *
 * Threads: call hf_deadletter_add() on workers only, because it blocks. Errors: it returns 0 or -errno, and *err names
 * the folder. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/rand.h"
#include "spool/record.h"

#define HF_DEADLETTER_MAX_BYTES (8ull << 20)

struct hf_deadletter {
    const struct hf_fs_ops *fs;
    const char *dir;
    uint64_t seed;      /* seed of the spool's random numbers; pass another seed in each call */
    const char *sink;   /* the sink's name */
    const char *reason; /* why the sink refused the records, as metrics name it: "http_422" */
    const char *detail; /* the sink's answer, truncated; any bytes */
    uint64_t unix_ns;
};

/* Appends n records. A return of 0 means that they are durable. */
HF_MUST_USE int hf_deadletter_add(const struct hf_deadletter *where, const struct hf_spool_record *records, size_t n,
                                  struct hf_err *err);
