/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads an artifact to `.holdfast-<release>.part` beside the target, and resumes after broken connections, restarts
 * and power cuts. Does not verify: hf_patch_run() does.
 *
 * At most 4 * HF_FETCH_BUFFER bytes are in memory. Keeps at most `size` bytes on disk, or slightly more of packed
 * content with neither `exact` nor `at_most`. A job copies file:///path. A registry's blob
 * (oci://HOST/REPOSITORY@DIGEST) comes by its API. */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "loop/http/http.h"
#include "loop/sched.h"
#include "steps/access.h"
#include "steps/target.h"

enum {
    /* bytes collected before a write, unless the last one is 200 ms ago */
    HF_FETCH_WRITE = 64 << 10,
    HF_FETCH_BUFFER = 256 << 10, /* unwritten bytes at which the connection pauses */
};

struct hf_fetch_params {
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    const struct hf_http_ops *http;
    /* strings of `target`, `folder`, `url` and `key`: borrowed until `done` */
    struct hf_target target;
    const char *folder; /* <state>/updates/<release> */
    const char *url;
    /* NULL: neither mirrors nor credentials */
    struct hf_access *access;
    /* Another place has the artifact, too: judge this URL as a mirror, and follow none of its redirects. */
    bool replaceable;
    const char *key; /* identity of the artifact; others' records are ignored */
    /* Exactly `size` bytes. False with `at_most`, and to repair a release from before packed downloads had a hash:
     * `size` is then the new file's, which the server may pack. */
    bool exact;
    /* `size` is only the maximum; `exact` must be false. */
    bool at_most;
    /* header Host for a URL with an IP address; NULL: the URL's */
    const char *host;
    uint64_t size;
    /* the new file's; if it is there with this size, nothing is downloaded */
    uint64_t new_size;
    uint64_t wire_bytes;      /* received for this release before */
    uint64_t bandwidth_limit; /* bytes per second; 0: no limit */
    /* Bytes to leave free on a file system of disk_bytes: else DiskFull, and nothing is allocated ahead for an
     * announced size. On a worker. NULL: the caller has made sure of room. */
    uint64_t (*reserve)(void *arg, uint64_t disk_bytes);
    /* New bytes by network; `before`: an earlier process's, not counted in the transfer's wire_bytes. May be NULL. */
    void (*moved)(void *arg, uint64_t wire_bytes, bool before);
    /* `r` 0: the artifact is complete on disk, or the new file exists. `hopeless`: the HTTP status (such as 404)
     * forbids a retry; else retry after retry_after_ns. */
    void (*done)(void *arg, int r, const struct hf_failure *failure, uint64_t retry_after_ns, bool hopeless);
    void *arg;
};

struct hf_fetch;

HF_MUST_USE int hf_fetch_start(const struct hf_fetch_params *params, struct hf_fetch **ret_fetch, struct hf_err *err);
/* Keeps the downloaded bytes. `done` gets -ECANCELED, or the result if that came first. */
void hf_fetch_stop(struct hf_fetch *fetch);
/* Frees without calling `done`. Calls `gone` (may be NULL) when no job runs, perhaps before it returns. Files stay as
 * after a kill. */
void hf_fetch_free(struct hf_fetch *fetch, void (*gone)(void *arg), void *arg);
