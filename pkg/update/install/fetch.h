/* update/install/fetch.h - downloads an artifact to `.holdfast-<release>.part` beside the target; resumes after broken
 * connections, restarts and power cuts.
 *
 * Jobs write to disk, with back-pressure on the connection (at most HF_FETCH_BUFFER in memory). From time to time a job
 * syncs the content and saves a sealed record (<folder>/fetch): the valid length and the version of the artifact (ETag
 * or Last-Modified), so that the next request asks for the remainder only (Range, If-Range: RFC 9110, 13.1.5 and 14.2).
 * A server that ignores the range makes the download start again. The signed size bounds the number of bytes kept. For
 * a file:///path URL a job copies the file. Does not verify content: patch.h compares the hashes.
 *
 * Threads: loop thread only. Memory: a fetch frees itself before it calls `done`; else free it with hf_fetch_free(). */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "loop/http/http.h"
#include "loop/sched.h"
#include "update/install/target.h"

enum {
    HF_FETCH_WRITE = 64 << 10,        /* bytes collected for one write */
    HF_FETCH_BUFFER = 256 << 10,      /* bytes in memory above which the connection pauses */
    HF_FETCH_SYNC = 1 << 20,          /* minimum of bytes between two records */
    HF_FETCH_MIN_PER_MINUTE = 1 << 10 /* fewer bytes in a minute: DownloadTooSlow */
};

struct hf_fetch_params {
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    const struct hf_http_ops *http;
    struct hf_target target; /* strings borrowed until `done`, all of these */
    const char *folder;      /* <state>/updates/<release> */
    const char *url;
    const char *key; /* identity of the artifact: records with another key do not count */
    /* true: `size` is the size of the download; false: of the new file, which the server may send compressed */
    bool is_delta;
    uint64_t size;            /* signed */
    uint64_t new_size;        /* size of the new file; an existing one of this size needs no download */
    uint64_t wire_bytes;      /* bytes received for this release so far */
    uint64_t bandwidth_limit; /* bytes per second, 0 none */
    /* Reports bytes received now, or (`before`) by an earlier process that could not report them; may be NULL. */
    void (*moved)(void *arg, uint64_t wire_bytes, bool before);
    /* Called once, never from within hf_fetch_start(). r 0: the artifact is complete on disk. `hopeless`: the URL
     * itself is wrong (404, ...). */
    void (*done)(void *arg, int r, const struct hf_failure *failure, uint64_t retry_after_ns, bool hopeless);
    void *arg;
};

struct hf_fetch;

HF_MUST_USE int hf_fetch_start(const struct hf_fetch_params *params, struct hf_fetch **ret_fetch, struct hf_err *err);
/* Stops soon and keeps the bytes received; `done` gets -ECANCELED, or the result that came first. */
void hf_fetch_stop(struct hf_fetch *fetch);
/* Stops now. Calls only `gone`: at once, or when the job in progress has come back. The files on disk are as
 * after a kill. */
void hf_fetch_free(struct hf_fetch *fetch, void (*gone)(void *arg), void *arg);
