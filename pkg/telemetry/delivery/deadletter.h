/* telemetry/delivery/deadletter.h - keeps records that a sink refuses for good, with the reason, for a person to read.
 *
 * Dead letters lie in a spool of their own in `dir`, at most 8 MiB; the oldest go first (`holdfast spool cat DIR`
 * prints it). Each is one JSON object {"reason","time","sink","sequence","detail","record"}, where `record` is the
 * line as it was. Each call opens and closes the spool, because dead letters are rare.
 *
 * Threads: workers only, because it blocks.  Errors: 0 or -errno; *err names the folder. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/rand.h"
#include "spool/record.h"

#define HF_DEADLETTER_MAX_BYTES (8ull << 20)

struct hf_deadletter {
    const struct hf_fs_ops *fs;
    const char *dir;
    uint64_t seed;      /* seed of the spool's random numbers; a new one for each call */
    const char *sink;   /* name */
    const char *reason; /* "http_422" */
    const char *detail; /* the sink's answer, truncated; any bytes */
    uint64_t unix_ns;
};

/* Appends n records; they are durable when it returns 0. */
HF_MUST_USE int hf_deadletter_add(const struct hf_deadletter *where, const struct hf_spool_record *records, size_t n,
                                  struct hf_err *err);
