/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads an artifact to `.holdfast-<release>.part` beside the target, and resumes after broken connections, restarts
 * and power cuts. Does not verify it: hf_patch_run() does.
 *
 * At most 4 * HF_FETCH_BUFFER bytes are in memory. At most `size` bytes are kept on disk, or slightly more of packed
 * content with neither `exact` nor `at_most`. A registry's blob (oci://HOST/REPOSITORY@DIGEST) comes by the registry's
 * API. */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "loop/http/http.h"
#include "loop/sched.h"
#include "steps/access.h"
#include "steps/target.h"

enum {
    /* bytes usually collected before a write */
    HF_FETCH_WRITE = 64 << 10,
    HF_FETCH_BUFFER = 256 << 10, /* unwritten bytes at which the connection pauses */
};

struct hf_fetch_params {
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    const struct hf_http_ops *http;
    /* strings of `target`, `folder`, `url` and `key` are borrowed until `done` */
    struct hf_target target;
    const char *folder; /* <state>/updates/<release> */
    const char *url;
    /* NULL: neither mirrors nor credentials */
    struct hf_access *access;
    /* Another place has the artifact, too: judge this URL as a mirror, and follow no redirect. */
    bool replaceable;
    const char *key; /* identity of the artifact; progress of another key is ignored */
    /* The download has exactly `size` bytes. False with `at_most`, and to repair a release of the old format, which
     * states no hash of a packed download: the server may pack, and `size` is the unpacked file's. */
    bool exact;
    /* `size` is only the maximum; `exact` must be false. */
    bool at_most;
    /* header Host, for a URL with an IP address; NULL: the URL's */
    const char *host;
    uint64_t size;
    /* bytes of the new file; if it is there with this size, nothing is downloaded */
    uint64_t new_size;
    uint64_t wire_bytes;      /* bytes received for this release before */
    uint64_t bandwidth_limit; /* bytes per second; 0: no limit */
    /* Bytes to leave free on a file system of disk_bytes, else DiskFull; asked on a worker. NULL: the caller has made
     * sure of space, so an announced size is allocated ahead. */
    uint64_t (*reserve)(void *arg, uint64_t disk_bytes);
    /* Reports new bytes from the network. `before`: an earlier process received them. May be NULL. */
    void (*moved)(void *arg, uint64_t wire_bytes, bool before);
    /* `r` 0: the artifact is complete on disk, or the new file exists. Else retry after retry_after_ns, unless
     * `hopeless`: the HTTP status forbids it. */
    void (*done)(void *arg, int r, const struct hf_failure *failure, uint64_t retry_after_ns, bool hopeless);
    void *arg;
};

struct hf_fetch;

HF_MUST_USE int hf_fetch_start(const struct hf_fetch_params *params, struct hf_fetch **ret_fetch, struct hf_err *err);
/* Stops, keeping the downloaded bytes, but not those of a file: URL. `done` gets -ECANCELED, or the result if that
 * came first. */
void hf_fetch_stop(struct hf_fetch *fetch);
/* Frees without calling `done`; files stay as after a kill. Calls `gone` (may be NULL) when no job runs, perhaps before
 * it returns. */
void hf_fetch_free(struct hf_fetch *fetch, void (*gone)(void *arg), void *arg);
