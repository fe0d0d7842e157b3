/* SPDX-License-Identifier: Apache-2.0 */
/* Disk space of sinks that no policy names any more. What waits stays, for when one does again. After each change of
 * settings a job removes folders in which nothing waits, but the newest HF_FORMER_MAX, and with DropOldest the oldest
 * data above half of buffer.maxBytes (all, without a sink). Unreadable data waits; after HF_SPOOL_UNREADABLE_NS
 * (`patient` false), tried once more, it is damaged.
 *
 * Touches only `.former-*`, and folders with a sink's name that have only urgent, bulk or dead with a spool's regular
 * files; follows no link. Threads: loop thread; the job blocks. hf_former_decide() is pure. */
#pragma once

#include "telemetry/sink/outlet.h"

enum { HF_FORMER_MAX = 16, HF_FORMER_NAME = 64 };

struct hf_former_folder {
    char name[HF_FORMER_NAME];
    uint64_t bytes;
    uint64_t newest_unix_ns; /* last write to a segment; 0: none */
    uint64_t records;        /* waiting, and dead letters; inexact if lost or unreadable */
    bool waits;              /* or damage for a person */
    bool removed;
    uint64_t trim_bytes; /* oldest segments of a folder that stays */
    uint64_t dropped;    /* records, by the job */
};

/* Sorts by newest_unix_ns and name; sets `removed`, `trim_bytes`. UINT64_MAX: no limit. */
void hf_former_decide(struct hf_former_folder *folders, size_t n, uint64_t limit_bytes);

uint64_t hf_former_limit_bytes(const struct hf_telemetry *spec);

struct hf_former_result {
    struct hf_former_folder *folders; /* all examined; during done() */
    size_t n;
    uint64_t kept_bytes;
    size_t kept;
    bool unreadable;   /* a spool: the disk did not give back a part */
    bool cancelled;    /* did not run: the loop ends */
    struct hf_err err; /* the first; the others were done */
};

/* done() exactly once, after the return, also when the loop ends; not after -errno. Copies the present sinks' names.
 * Only while no outlet is open. */
HF_MUST_USE int hf_former_start(const struct hf_telemetry_world *world, const struct hf_telemetry *spec, bool patient,
                                void (*done)(void *arg, const struct hf_former_result *result), void *arg);

void hf_former_report(const struct hf_telemetry_world *world, const struct hf_former_result *result);
