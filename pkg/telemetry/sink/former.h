/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/former.h - limits the disk space of the folders that former sinks left in the telemetry folder.
 *
 * A sink that no policy names any more is a former sink. Its folder may hold waiting events and dead letters; if a
 * policy names the sink again, the sink finds them. Former sinks must not fill the disk, so after each change of the
 * telemetry settings a job examines their folders by these rules:
 *
 *   - The job removes a folder in which nothing waits.
 *   - At most HF_FORMER_MAX folders stay; the job first removes the folder that has stored nothing for the longest
 *     time.
 *   - The bytes of the folders that stay count towards buffer.maxBytes; the present sinks share the remaining bytes.
 *     With whenFull DropOldest, the folders that stay take at most half of buffer.maxBytes (or all of buffer.maxBytes,
 *     if no sink is present). To keep this limit, the job removes one folder after the other, beginning with the folder
 *     that has stored nothing for the longest time. If removing a whole folder would free more bytes than necessary,
 *     the job removes only the oldest segments of that folder. If that fails, the folder stays too large until the next
 *     job. With whenFull Block, the job removes no waiting events to save bytes.
 *
 * If the disk does not give back a part of a spool, something counts as waiting there, and the job drops no segment of
 * it: a later job may be able to read it. If earlier jobs could not either for HF_SPOOL_UNREADABLE_NS (`patient` is
 * false), the job tries once more, and then what cannot be read counts as damaged.
 *
 * The job touches only folders that have the form of a sink's folder: the folder has the name of a sink, and contains
 * nothing but one or more of the folders urgent, bulk and dead, in which all files are regular files of a spool. The
 * job follows no symbolic link. Before it removes a folder, it renames the folder to ".former-<name>", so that after a
 * power cut the next job removes the remaining files.
 *
 * Threads: loop thread; the blocking work runs in a job. hf_former_decide() is pure. Memory: the job copies its
 * settings and frees itself. */
#pragma once

#include "telemetry/sink/outlet.h"

enum { HF_FORMER_MAX = 16, HF_FORMER_NAME = 64 };

struct hf_former_folder {
    char name[HF_FORMER_NAME]; /* name of the sink */
    uint64_t bytes;            /* size of all files in bytes */
    uint64_t newest_unix_ns;   /* time of the last write to a segment (0 means that there is no segment) */
    uint64_t records;          /* number of waiting events and dead letters; too high if some of them are lost */
    bool waits;                /* true if something waits, or if the folder holds damage that a person should see */
    bool removed;              /* true if the job removes the whole folder */
    /* number of bytes by which the job shortens a folder that stays; it removes the oldest segments */
    uint64_t trim_bytes;
    uint64_t dropped; /* number of waiting events and dead letters that the job removed */
};

/* Sorts the folders by newest_unix_ns and name, and sets `removed` and `trim_bytes` of each. `limit_bytes` limits the
 * total size of the folders that stay (UINT64_MAX means no limit). */
void hf_former_decide(struct hf_former_folder *folders, size_t n, uint64_t limit_bytes);

/* Returns the value of `limit_bytes` for these settings. */
uint64_t hf_former_limit_bytes(const struct hf_telemetry *spec);

struct hf_former_result {
    struct hf_former_folder *folders; /* all folders that the job examined; valid during the call of done() */
    size_t n;
    uint64_t kept_bytes; /* bytes of the folders that stay */
    size_t kept;         /* number of folders that stay */
    bool unreadable;     /* true if a spool could not be opened, because the disk did not give back a part of it */
    bool cancelled;      /* true if the job did not run, because the loop ends */
    struct hf_err err;   /* the first failure; the job continued with the other folders */
};

/* Starts the job. The job calls done(arg, result) exactly once, even if the loop ends, and only after this function has
 * returned. `spec` names the present sinks, and the job copies these names. Call this function only while no outlet is
 * open. Returns 0, or -errno if the job could not start. After -errno the job never calls done(). */
HF_MUST_USE int hf_former_start(const struct hf_telemetry_world *world, const struct hf_telemetry *spec, bool patient,
                                void (*done)(void *arg, const struct hf_former_result *result), void *arg);

/* Writes the result to the log and to the metrics of `world`. */
void hf_former_report(const struct hf_telemetry_world *world, const struct hf_former_result *result);
