/* update/install/fetch.h - bring an artifact to `.holdfast-<release>.part` beside the target; resumes over broken links, restarts and
 * power cuts.
 *
 * Bytes go to disk by jobs with back-pressure (at most HF_FETCH_BUFFER in memory); now and then content is synced and a sealed
 * record (<folder>/fetch) says how far it is good and which version of the artifact it is (ETag or Last-Modified), so the next
 * request asks for the rest only (Range, If-Range: RFC 9110, 13.1.5 and 14.2). A server that ignores the range starts it anew.
 * Lengths are bounded by what the signed release says before a byte more is kept. file:///path URLs are copied.
 * Loop thread only. Nothing here judges content: hashes are update/patch's. */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "loop/http/http.h"
#include "loop/sched.h"
#include "update/install/target.h"

enum {
    HF_FETCH_WRITE = 64 << 10,        /* bytes gathered for one write */
    HF_FETCH_BUFFER = 256 << 10,      /* the server is made to wait above this */
    HF_FETCH_SYNC = 1 << 20,          /* bytes between two records, at least */
    HF_FETCH_MIN_PER_MINUTE = 1 << 10 /* fewer bytes: DownloadTooSlow */
};

struct hf_fetch_params {
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    const struct hf_http_ops *http;
    struct hf_target target; /* borrowed strings, all of these, until done */
    const char *folder;      /* <state>/updates/<release> */
    const char *url;
    const char *key;          /* the artifact's identity: a record with another one is not used */
    bool is_delta;            /* `size` is what comes; else of the new file, which may come packed */
    uint64_t size;            /* signed */
    uint64_t new_size;        /* of the new file: one that lies there with this size needs no download */
    uint64_t wire_bytes;      /* that came for this release before */
    uint64_t bandwidth_limit; /* bytes per second, 0 none */
    /* Bytes that just came over the wire, or (`before`) that an earlier life got and could not tell; may be NULL. */
    void (*moved)(void *arg, uint64_t wire_bytes, bool before);
    /* Once, not inside hf_fetch_start(). r 0: the artifact is whole on disk. `hopeless`: this URL will not do (404, ...).
     * The fetch is freed after it. */
    void (*done)(void *arg, int r, const struct hf_failure *failure, uint64_t retry_after_ns, bool hopeless);
    void *arg;
};

struct hf_fetch;

HF_MUST_USE int hf_fetch_start(const struct hf_fetch_params *params, struct hf_fetch **ret_fetch, struct hf_err *err);
/* End soon: what came is kept, `done` is called with -ECANCELED (or with the end that was there first). */
void hf_fetch_stop(struct hf_fetch *fetch);
/* End now: nothing is called any more but `gone`, at once or when the job that is on its way has come back. What a stopped
 * process leaves is as good as what a killed one leaves. */
void hf_fetch_free(struct hf_fetch *fetch, void (*gone)(void *arg), void *arg);
