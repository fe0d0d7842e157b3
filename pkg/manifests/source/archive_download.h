/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads a .tar.gz, verifies its digest, and makes a bundle of it.
 *
 * It resumes after broken connections, restarts and power cuts (steps/fetch.h). Memory: copies the strings of its
 * parameters, borrows `env`. Errors: in *failure of `done`. */
#pragma once

#include "manifests/env.h"
#include "manifests/source/bundle.h"
#include "manifests/source/failure.h"

enum {
    HF_ARCHIVE_DOWNLOAD_MAX_BYTES = 32 << 20, /* compressed */
    HF_ARCHIVE_DOWNLOAD_MAX_RECEIVED = 2 * HF_ARCHIVE_DOWNLOAD_MAX_BYTES,
    HF_ARCHIVE_DOWNLOAD_MAX_UNREADABLE = 5,
};

/* The trouble with one archive; kept by the source between downloads, and cleared for another archive. */
struct hf_archive_trouble {
    unsigned wasted;
    unsigned unreadable; /* in a row: the disk did not read the complete download */
    uint64_t received;   /* bytes since the last success or wasted download */
};

struct hf_archive_download_params {
    const struct hf_manifest_env *env;
    const char *entry;
    const char *work_dir; /* below env->state_dir */
    const char *url;
    const char *host;     /* header Host; NULL: as in the URL */
    const char *digest;   /* SHA-256 in hex */
    uint64_t size;        /* bytes; 0: unknown */
    const char *sub_path; /* of struct hf_unarchive_params */
    bool drop_top;
    struct hf_archive_trouble *trouble;
    /* of struct hf_manifest_source_params */
    struct hf_source_turns *turns;
    bool (*takes)(void *arg);
    void *takes_arg;
    /* Once, from the event loop; the download is freed. The callee owns `bundle`; NULL: *failure. `again`: may succeed
     * after retry_after_ns; false: an archive of the right digest is invalid. */
    void (*done)(void *arg, struct hf_bundle *bundle, const struct hf_source_failure *failure, bool again,
                 uint64_t retry_after_ns);
    void *arg;
};

/* No download may begin now: by the policy, or a full disk. *ret_wait_ns: when to ask again. Else both are
 * unchanged. */
bool hf_archive_download_waits(const struct hf_manifest_env *env, struct hf_source_failure *failure,
                               uint64_t *ret_wait_ns);

struct hf_archive_download;
HF_MUST_USE int hf_archive_download_start(const struct hf_archive_download_params *params,
                                          struct hf_archive_download **ret_download, struct hf_err *err);
/* As hf_manifest_source_ready(). */
void hf_archive_download_ready(struct hf_archive_download *download);
/* Ends a download before `done`; what has arrived stays on disk. */
void hf_archive_download_free(struct hf_archive_download *download);
