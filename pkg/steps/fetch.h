/* SPDX-License-Identifier: Apache-2.0 */
/* steps/fetch.h - downloads an artifact to the file `.holdfast-<release>.part` beside the target, and resumes
 * the download after broken connections, restarts and power cuts.
 *
 * Jobs on worker threads write the content to disk. If the disk is slower than the network, the connection pauses, so
 * that the memory for the content is at most 4 * HF_FETCH_BUFFER bytes. From time to time a job syncs the content and
 * saves a sealed record in <folder>/fetch. The record has the number of valid bytes in the file, and identifies the
 * version of the artifact at the server (ETag or Last-Modified). With this record, a later request can ask for only the
 * remainder (headers If-Range and Range, RFC 9110, 13.1.5 and 14.2). If the server ignores the range, the download
 * starts again from the first byte. A fetch never keeps more than `size` bytes. (If both `exact` and `at_most` are
 * false, and the content looks compressed, the limit is slightly higher.) For a URL file:///path, a job copies the
 * file. A fetch does not verify the content; hf_patch_run() compares the hashes.
 *
 * If `access` has mirrors of the URL, the fetch tries one URL after the other, and keeps what it has when it changes to
 * the next. Any of them may then have sent any byte, so it asks for the remainder without If-Range: the hash decides. A
 * mirror with another one behind it has to be faster than HF_FETCH_MIRROR_MIN bytes in each HF_FETCH_MIRROR_S seconds.
 * If a server to which `url` redirects refuses the remainder (a presigned URL has ended), the fetch asks `url` again.
 *
 * Threads: loop thread only. Memory: a fetch frees itself before it calls `done`. To end a fetch earlier, call
 * hf_fetch_free(). */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "loop/http/http.h"
#include "loop/sched.h"
#include "steps/access.h"
#include "steps/target.h"

enum {
    /* bytes that the fetch collects in memory before it writes them to disk, unless 200 ms have passed since the last
     * write */
    HF_FETCH_WRITE = 64 << 10,
    HF_FETCH_BUFFER = 256 << 10, /* number of unwritten bytes in memory at which the fetch pauses the connection */
    /* number of downloaded bytes after which a durable record of the progress is due (1/64 of the download if that is
     * more); on a slow link, a record is due earlier: when 10 s have passed and at least HF_FETCH_WRITE bytes have
     * arrived */
    HF_FETCH_SYNC = 1 << 20,
    /* minimum number of bytes per minute; a download that receives fewer bytes fails with DownloadTooSlow, unless the
     * fetch itself slows the download down (pause, bandwidth_limit) */
    HF_FETCH_MIN_PER_MINUTE = 1 << 10,
    HF_FETCH_MIRROR_MIN = 64 << 10,
    HF_FETCH_MIRROR_S =
        15, /* from its answer on, for which it has a minute: it may be a cache that is filled just now */
    HF_FETCH_RENEWALS = 3, /* how often a fetch asks its URL again because a redirect's target refused the remainder */
};

struct hf_fetch_params {
    const struct hf_clock_ops *clock;
    const struct hf_sched_ops *sched;
    const struct hf_http_ops *http;
    /* the strings in `target`, and `folder`, `url` and `key`, are borrowed until `done` is called */
    struct hf_target target;
    const char *folder; /* <state>/updates/<release> */
    const char *url;
    /* how to reach the servers, and the mirrors of `url`; NULL: no mirrors and no credentials */
    struct hf_access *access;
    const char *key; /* identity of the artifact; the fetch ignores a record on disk that has another key */
    /* If true, the download must have exactly `size` bytes. False if `at_most` is true, and to repair a release that
     * was made before releases stated the hash of a packed download. Such a release states only the size of the new
     * file, and the server may send the new file compressed. */
    bool exact;
    /* If true, `size` is only the maximum size of the download. Used for content whose digest is known but whose size
     * is unknown; `exact` must then be false. */
    bool at_most;
    /* value of the header Host, if the URL has an IP address in place of the server's name; NULL to use the host of the
     * URL */
    const char *host;
    /* size of the download in bytes; `exact` and `at_most` define whether it is the exact size or a limit */
    uint64_t size;
    /* size of the new file in bytes; if the new file already exists beside the target with this size, the fetch
     * downloads nothing */
    uint64_t new_size;
    uint64_t wire_bytes;      /* bytes that this node received over the network for this release before this fetch */
    uint64_t bandwidth_limit; /* limit of the download in bytes per second (0 means no limit) */
    /* Returns how many bytes to leave free on a file system with a size of disk_bytes. With it, the download ends with
     * DiskFull rather than leave less, and it allocates no space ahead for the size that the server announces. Called
     * on a worker. NULL: the caller has made sure that there is room. */
    uint64_t (*reserve)(void *arg, uint64_t disk_bytes);
    /* Called with the number of bytes received over the network since the previous call; may be NULL. A copy from a
     * file: URL does not count. If `before` is true, an earlier process received these bytes, but wire_bytes does not
     * include them. */
    void (*moved)(void *arg, uint64_t wire_bytes, bool before);
    /* Called once when the fetch ends, never from within hf_fetch_start(). If r is 0, the artifact is complete on disk,
     * or the new file already exists. After a failure, `hopeless` is true if the HTTP status means that a retry with
     * this URL will not succeed, for example 404. Otherwise the caller may retry after retry_after_ns. */
    void (*done)(void *arg, int r, const struct hf_failure *failure, uint64_t retry_after_ns, bool hopeless);
    void *arg;
};

struct hf_fetch;

HF_MUST_USE int hf_fetch_start(const struct hf_fetch_params *params, struct hf_fetch **ret_fetch, struct hf_err *err);
/* Asks the fetch to stop soon and to keep the bytes received so far. Later `done` is called with -ECANCELED, or with
 * the result of the fetch if the fetch ended before it could stop. */
void hf_fetch_stop(struct hf_fetch *fetch);
/* Ends the fetch now, without a call of `done`. Calls `gone` as soon as no job of the fetch runs, perhaps from within
 * this call; `gone` may be NULL. The files on disk stay as after a kill of the process. */
void hf_fetch_free(struct hf_fetch *fetch, void (*gone)(void *arg), void *arg);
