/* manifests/source/archive_download.h - downloads a .tar.gz, verifies its digest, and makes a bundle of it.
 *
 * The download resumes after broken connections, restarts and power cuts, as downloads of artifacts do
 * (update/install/fetch.h). A job then compares the SHA-256; nothing parses the archive before that. If the SHA-256 is
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

/* The pause in ns after a complete download whose digest or size was wrong: 5 minutes. If several such downloads follow
 * each other, the pause doubles each time, up to 64 times this value. So an entry with a wrong digest uses little of a
 * metered link. */
#define HF_ARCHIVE_DOWNLOAD_PAUSE_NS (300 * HF_NS_PER_S)

enum {
    HF_ARCHIVE_DOWNLOAD_MAX_BYTES = 32 << 20, /* maximum size of a compressed archive in bytes */
    HF_ARCHIVE_DOWNLOAD_MAX_UNREADABLE = 5,
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
    unsigned wasted; /* number of immediately preceding downloads with a wrong digest or size; each doubles the pause */
    /* How often in a row the disk could not read the complete download. The owner keeps the number between downloads,
     * and sets it to 0 for another archive; a download changes it just before it calls `done`. */
    unsigned *unreadable;
    /* Called once at the end, never from within hf_archive_download_start(). The download has freed itself by then. The
     * callee owns `bundle`, which is NULL after a failure; *failure then has the cause. `again` is true if the same
     * request may succeed after retry_after_ns. It is false if the archive has the right digest but is invalid, so that
     * another download cannot help. */
    void (*done)(void *arg, struct hf_bundle *bundle, const struct hf_source_failure *failure, bool again,
                 uint64_t retry_after_ns);
    void *arg;
};

/* Returns true if this reason of a failure means that the transferred bytes were wasted: wrong digest, too large, or
 * too short. Pure. */
bool hf_archive_download_is_costly(enum hf_manifest_reason reason);

/* Returns true if the policy allows no download now. Then *failure has the reason, and *ret_wait_ns is the time in ns
 * after which to call again. Otherwise leaves both unchanged. */
bool hf_archive_download_waits(const struct hf_manifest_env *env, struct hf_source_failure *failure,
                               uint64_t *ret_wait_ns);

struct hf_archive_download;
HF_MUST_USE int hf_archive_download_start(const struct hf_archive_download_params *params,
                                          struct hf_archive_download **ret_download, struct hf_err *err);
/* Ends a download without a call of `done`. The received bytes stay on disk for the next download. Accepts NULL. Do not
 * call this function in or after `done`. */
void hf_archive_download_free(struct hf_archive_download *download);
