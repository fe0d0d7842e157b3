/* telemetry/sink/former.h - the folders that former sinks left in the telemetry folder.
 *
 * A sink that no policy names any more is a former sink. Its folder may hold events that wait and dead letters; a sink
 * that comes back under this name finds them. Former sinks must not fill the disk, so each change of the telemetry
 * settings examines their folders:
 *
 *   - A folder in which nothing waits goes.
 *   - At most HF_FORMER_MAX folders stay; the one that stored nothing for the longest time goes first.
 *   - The bytes of the others count towards buffer.maxBytes. With whenFull DropOldest, they take at most half of these
 *     bytes (all, if no sink is present), and their oldest segments go first. With whenFull Block, none of their events
 *     goes for this reason, and the present sinks get the bytes that are left.
 *
 * The job touches only folders that have the form of a sink's folder: the name of a sink, with nothing inside except
 * the folders urgent, bulk and dead, which hold only regular files of a spool. It follows no symbolic link. A folder
 * that goes is first renamed to ".former-<name>", so that the next job removes what a power cut left of it.
 *
 * Threads: loop thread; the blocking work runs in a job. hf_former_decide() is pure. Memory: the job copies its
 * settings and frees itself. */
#pragma once

#include "telemetry/sink/outlet.h"

enum { HF_FORMER_MAX = 16, HF_FORMER_NAME = 64 };

struct hf_former_folder {
    char name[HF_FORMER_NAME]; /* name of the sink */
    uint64_t bytes;            /* size of all files */
    uint64_t newest_unix_ns;   /* time of the last write to a segment (0 means that there is no segment) */
    uint64_t records;          /* number of events and dead letters that wait; too high if events are lost */
    bool waits;                /* true if something waits, or if the folder holds damage that a person should see */
    bool removed;              /* true if the whole folder goes */
    uint64_t trim_bytes;       /* bytes of the oldest segments that go while the folder stays */
    uint64_t dropped;          /* number of waiting records that went */
};

/* Sorts the folders by newest_unix_ns and name, and sets `removed` and `trim_bytes` of each. `limit_bytes` is the
 * number of bytes that all folders that stay may take together (UINT64_MAX means any number). */
void hf_former_decide(struct hf_former_folder *folders, size_t n, uint64_t limit_bytes);

/* Returns the value of `limit_bytes` for these settings. */
uint64_t hf_former_limit_bytes(const struct hf_telemetry *spec);

struct hf_former_result {
    struct hf_former_folder *folders; /* all folders that the job examined; valid during the call of done() */
    size_t n;
    uint64_t kept_bytes; /* bytes of the folders that stay */
    size_t kept;         /* number of folders that stay */
    bool cancelled;      /* the loop ends and the job never ran */
    struct hf_err err;   /* the first failure; the job went on with the other folders */
};

/* Starts the job. Calls done(arg, result) exactly once, later, even when the loop ends. `spec` names the present sinks,
 * and the job copies these names. Call this function only while no outlet is open. Returns 0, or -errno if the job
 * could not start; done() then does not come. */
HF_MUST_USE int hf_former_start(const struct hf_telemetry_world *world, const struct hf_telemetry *spec,
                                void (*done)(void *arg, const struct hf_former_result *result), void *arg);

/* Writes the result to the log and to the metrics of `world`. */
void hf_former_report(const struct hf_telemetry_world *world, const struct hf_former_result *result);
