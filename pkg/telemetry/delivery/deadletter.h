/* telemetry/delivery/deadletter.h - what a sink will never take, with the reason, for a person to look at.
 *
 * A spool of its own in `dir`, at most 8 MiB, the oldest going first (`holdfast spool cat DIR` shows it). One JSON object per record:
 * {"reason","time","sink","sequence","detail","record": the line as it was}. Opened for the moment it is needed: letters are rare.
 * Blocks: workers. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/rand.h"
#include "spool/record.h"

#define HF_DEADLETTER_MAX_BYTES (8ull << 20)

struct hf_deadletter {
    const struct hf_fs_ops *fs;
    const char *dir;
    uint64_t seed;      /* of the salts; another one each time */
    const char *sink;   /* name */
    const char *reason; /* "http_422" */
    const char *detail; /* what the sink said, cut; may hold anything */
    uint64_t unix_ns;
};

/* Durable when it returns 0. */
HF_MUST_USE int hf_deadletter_add(const struct hf_deadletter *where, const struct hf_spool_record *records, size_t n,
                                  struct hf_err *err);
