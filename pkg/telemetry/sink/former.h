/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/former.h - limits the disk space of former sinks, which no policy names any more.
 *
 * Their folders keep what waits, for when a policy names them again. After each change of settings a job removes the
 * folders in which nothing waits, except the newest HF_FORMER_MAX, and with DropOldest the oldest data above half of
 * buffer.maxBytes (above all of it, if no sink is present). Unreadable data is treated as waiting; after
 * HF_SPOOL_UNREADABLE_NS (`patient` false), tried once more, as damaged.
 *
 * Security: the job touches only `.former-*`, and folders with a sink's name that contain only urgent, bulk or dead
 * with regular files of a spool; it follows no symbolic link. Threads: loop thread; the job does the blocking work.
 * hf_former_decide() is pure. */
#pragma once

#include "telemetry/sink/outlet.h"

enum { HF_FORMER_MAX = 16, HF_FORMER_NAME = 64 };

struct hf_former_folder {
    char name[HF_FORMER_NAME];
    uint64_t bytes;
    uint64_t newest_unix_ns; /* last write to a segment; 0: no segment */
    uint64_t records;        /* that wait, and dead letters; inexact if data is lost or unreadable */
    bool waits;              /* something waits, or damage that a person should see */
    bool removed;
    uint64_t trim_bytes; /* remove the oldest segments of a folder that stays */
    uint64_t dropped;    /* records that the job removed */
};

/* Sorts by newest_unix_ns and name; sets `removed` and `trim_bytes`. UINT64_MAX: no limit. */
void hf_former_decide(struct hf_former_folder *folders, size_t n, uint64_t limit_bytes);

uint64_t hf_former_limit_bytes(const struct hf_telemetry *spec);

struct hf_former_result {
    struct hf_former_folder *folders; /* all that the job examined; valid during done() */
    size_t n;
    uint64_t kept_bytes;
    size_t kept;
    bool unreadable;   /* a spool could not be opened: the disk did not give back a part */
    bool cancelled;    /* did not run: the loop ends */
    struct hf_err err; /* the first failure; the others were done */
};

/* Calls done() exactly once, after this function has returned, also when the loop ends; never after -errno. Copies the
 * names of the present sinks from `spec`. Only while no outlet is open. */
HF_MUST_USE int hf_former_start(const struct hf_telemetry_world *world, const struct hf_telemetry *spec, bool patient,
                                void (*done)(void *arg, const struct hf_former_result *result), void *arg);

void hf_former_report(const struct hf_telemetry_world *world, const struct hf_former_result *result);
