/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/source/archive_download.h - downloads a .tar.gz, verifies its digest, and makes a bundle of it.
 *
 * The download resumes after broken connections, restarts and power cuts, as downloads of artifacts do
 * (steps/fetch.h). A job then compares the SHA-256; nothing parses the archive before that. If the SHA-256 is
 * right, the job makes the bundle. In any case it removes the download from the disk, unless it cannot read the file:
 * the file then stays on disk for a later attempt. After HF_ARCHIVE_DOWNLOAD_MAX_UNREADABLE attempts in a row that met
 * an error of the disk (-EIO), the next such error removes it, too: a worn-out block does not heal, and the archive
 * must be downloaded again, to other blocks.
 *
 * Threads: loop thread only; jobs do the blocking work. Memory: a download owns copies of the strings in its
 * parameters, and borrows `env`. Errors: `done` receives them in *failure. */
#pragma once

#include "manifests/env.h"
#include "manifests/source/bundle.h"
#include "manifests/source/failure.h"

/* The pause in ns after a download for nothing: its digest or size was wrong, or connections that broke have cost more
 * than HF_ARCHIVE_DOWNLOAD_MAX_RECEIVED, because the server cannot resume. It is 5 minutes, and doubles each time, up
 * to 64 times this value. So such an entry uses little of a metered link and of a card's writes. */
#define HF_ARCHIVE_DOWNLOAD_PAUSE_NS (300 * HF_NS_PER_S)

enum {
    HF_ARCHIVE_DOWNLOAD_MAX_BYTES = 32 << 20, /* maximum size of a compressed archive in bytes */
    HF_ARCHIVE_DOWNLOAD_MAX_RECEIVED = 2 * HF_ARCHIVE_DOWNLOAD_MAX_BYTES,
    HF_ARCHIVE_DOWNLOAD_MAX_UNREADABLE = 5,
};

/* The failures of one archive so far. The source keeps them between downloads, and clears them for another archive. A
 * download counts `received` while bytes arrive, and changes the rest just before it calls `done`. */
struct hf_archive_trouble {
    unsigned wasted;     /* downloads for nothing; each doubles the pause */
    unsigned unreadable; /* how often in a row the disk could not read the complete download */
    uint64_t received;   /* bytes received from the network since the last success, or since the last wasted download */
};

struct hf_archive_download_params {
    const struct hf_manifest_env *env;
    const char *entry;    /* name of the entry, for the name of the file */
    const char *work_dir; /* folder for the downloaded file, below env->state_dir */
    const char *url;
    const char *host;     /* value of the header Host; NULL for the host of the URL */
    const char *digest;   /* SHA-256 of the archive, 64 hex digits */
    uint64_t size;        /* size of the archive in bytes; 0 if unknown */
    const char *sub_path; /* as in struct hf_unarchive_params */
    bool drop_top;
    struct hf_archive_trouble *trouble;
    /* as in struct hf_manifest_source_params, for the unpacking; `takes_arg` is the argument of `takes` */
    struct hf_source_turns *turns;
    bool (*takes)(void *arg);
    void *takes_arg;
    /* Called once at the end, never from within hf_archive_download_start(). The download has freed itself by then. The
     * callee owns `bundle`, which is NULL after a failure; *failure then has the cause. `again` is true if the same
     * request may succeed after retry_after_ns. It is false if the archive has the right digest but is invalid, so that
     * another download cannot help. */
    void (*done)(void *arg, struct hf_bundle *bundle, const struct hf_source_failure *failure, bool again,
                 uint64_t retry_after_ns);
    void *arg;
};

/* Returns true if no download may begin now: the policy allows none, or the disk is full. Then *failure has the reason,
 * and *ret_wait_ns is the time in ns after which to call again. Otherwise leaves both unchanged. */
bool hf_archive_download_waits(const struct hf_manifest_env *env, struct hf_source_failure *failure,
                               uint64_t *ret_wait_ns);

struct hf_archive_download;
HF_MUST_USE int hf_archive_download_start(const struct hf_archive_download_params *params,
                                          struct hf_archive_download **ret_download, struct hf_err *err);
/* As hf_manifest_source_ready(). Accepts NULL. */
void hf_archive_download_ready(struct hf_archive_download *download);
/* Ends a download without a call of `done`. The received bytes stay on disk for the next download. Accepts NULL. Do not
 * call this function in or after `done`. */
void hf_archive_download_free(struct hf_archive_download *download);
