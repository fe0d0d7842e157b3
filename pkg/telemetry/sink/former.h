/* SPDX-License-Identifier: Apache-2.0 */
/* Limits the disk space of former sinks. Their data stays in case a policy names them again. After each change of
 * settings a job removes empty folders and, to save space, the oldest data (rules: former.c). With `patient` unreadable
 * data waits, otherwise it counts as damaged. */
#pragma once

#include "telemetry/sink/outlet.h"

enum { HF_FORMER_MAX = 16, HF_FORMER_NAME = 64 };

struct hf_former_folder {
    char name[HF_FORMER_NAME];
    uint64_t bytes;
    uint64_t newest_unix_ns;
    uint64_t records; /* waiting records and dead letters, maybe inexact */
    bool waits;       /* has waiting records, dead letters, damaged or unreadable files */
    bool removed;
    uint64_t trim_bytes; /* bytes of oldest segments to remove */
    uint64_t dropped;
};

/* Sorts the folders, and sets `removed` and `trim_bytes`. Pure. */
void hf_former_decide(struct hf_former_folder *folders, size_t n, uint64_t limit_bytes);

uint64_t hf_former_limit_bytes(const struct hf_telemetry *spec);

struct hf_former_result {
    struct hf_former_folder *folders; /* folders examined; valid during done() */
    size_t n;
    uint64_t kept_bytes;
    size_t kept;
    bool unreadable;
    bool cancelled;
    struct hf_err err; /* first error */
};

/* Starts the job, which blocks; only while no outlet is open. done() is called once after this function has
 * returned 0. */
HF_MUST_USE int hf_former_start(const struct hf_telemetry_env *env, const struct hf_telemetry *spec, bool patient,
                                void (*done)(void *arg, const struct hf_former_result *result), void *arg);

void hf_former_report(const struct hf_telemetry_env *env, const struct hf_former_result *result);
