/* update/install/fetch.h - downloads an artifact to `.holdfast-<release>.part` beside the target; resumes after broken
 * connections, restarts and power cuts.
 *
 * Jobs write to disk. If the disk is slower than the network, the connection pauses, so that at most HF_FETCH_BUFFER
 * bytes are in memory. From time to time a job syncs the content and saves a sealed record in <folder>/fetch. The
 * record has the valid length and the version of the artifact (ETag or Last-Modified), so that the next request can ask
 * for the remainder only (Range and If-Range, RFC 9110, 13.1.5 and 14.2). If the server ignores the range, the download
 * starts again. A fetch keeps at most as many bytes as the signed size. For a URL file:///path, a job copies the file.
 * A fetch does not verify the content; hf_patch_run() compares the hashes.
 *
 * Threads: loop thread only. Memory: a fetch frees itself before it calls `done`. To end a fetch earlier, call
 * hf_fetch_free(). */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "loop/http/http.h"
#include "loop/sched.h"
#include "update/install/target.h"

enum {
    HF_FETCH_WRITE = 64 << 10,        /* bytes collected for one write */
    HF_FETCH_BUFFER = 256 << 10,      /* bytes in memory above which the connection pauses */
    HF_FETCH_SYNC = 1 << 20,          /* minimum number of bytes between two records */
    HF_FETCH_MIN_PER_MINUTE = 1 << 10 /* a download with fewer bytes in a minute fails with DownloadTooSlow */
};

struct hf_fetch_params {
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    const struct hf_http_ops *http;
    struct hf_target target; /* its strings, and the three below, are borrowed until `done` */
    const char *folder;      /* <state>/updates/<release> */
    const char *url;
    const char *key; /* identity of the artifact; a record with another key is ignored */
    /* if true, `size` is the size of the download; if false, `size` is the size of the new file, which the server may
     * send compressed */
    bool is_delta;
    uint64_t size;            /* signed */
    uint64_t new_size;        /* size of the new file; if the new file exists with this size, no download starts */
    uint64_t wire_bytes;      /* bytes received for this release so far */
    uint64_t bandwidth_limit; /* bytes per second; 0 means no limit */
    /* Reports received bytes; may be NULL. If `before` is true, an earlier process received the bytes and could not
     * report them. */
    void (*moved)(void *arg, uint64_t wire_bytes, bool before);
    /* Called once, never from within hf_fetch_start(). If r is 0, the artifact is complete on disk. `hopeless` is true
     * if the URL itself is wrong, for example after an answer 404. */
    void (*done)(void *arg, int r, const struct hf_failure *failure, uint64_t retry_after_ns, bool hopeless);
    void *arg;
};

struct hf_fetch;

HF_MUST_USE int hf_fetch_start(const struct hf_fetch_params *params, struct hf_fetch **ret_fetch, struct hf_err *err);
/* Stops soon and keeps the bytes received; `done` receives -ECANCELED, or the result if the fetch ended first. */
void hf_fetch_stop(struct hf_fetch *fetch);
/* Stops now and does not call `done`. Calls `gone` at once, or when the job in progress has ended. The files on disk
 * are in the state that a kill leaves. */
void hf_fetch_free(struct hf_fetch *fetch, void (*gone)(void *arg), void *arg);
