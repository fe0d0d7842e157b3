/* SPDX-License-Identifier: Apache-2.0 */
/* Disk space of sinks that no policy names any more: what waits stays, for when one does. After each change of settings
 * a job removes empty folders and, to save space, the oldest data (rules: former.c). Unreadable data waits; after
 * HF_SPOOL_UNREADABLE_NS (`patient` false), it is tried once more, then damaged.
 * The job blocks. hf_former_decide() is pure. */
#pragma once

#include "telemetry/sink/outlet.h"

enum { HF_FORMER_MAX = 16, HF_FORMER_NAME = 64 };

struct hf_former_folder {
    char name[HF_FORMER_NAME];
    uint64_t bytes;
    uint64_t newest_unix_ns; /* last write */
    uint64_t records;        /* waiting, dead letters; inexact if lost or unreadable */
    bool waits;              /* or is damaged, for a person */
    bool removed;
    uint64_t trim_bytes; /* oldest segments */
    uint64_t dropped;    /* records, by the job */
};

/* Sorts; sets `removed`, `trim_bytes`. UINT64_MAX: no limit. */
void hf_former_decide(struct hf_former_folder *folders, size_t n, uint64_t limit_bytes);

uint64_t hf_former_limit_bytes(const struct hf_telemetry *spec);

struct hf_former_result {
    struct hf_former_folder *folders; /* all examined; valid during done() */
    size_t n;
    uint64_t kept_bytes;
    size_t kept;
    bool unreadable;   /* a part of a spool */
    bool cancelled;    /* the loop ends */
    struct hf_err err; /* first error; all folders were tried */
};

/* done() once, after the return, also when the loop ends; not after -errno. Copies present sinks' names. Only while no
 * outlet is open. */
HF_MUST_USE int hf_former_start(const struct hf_telemetry_env *env, const struct hf_telemetry *spec, bool patient,
                                void (*done)(void *arg, const struct hf_former_result *result), void *arg);

void hf_former_report(const struct hf_telemetry_env *env, const struct hf_former_result *result);
