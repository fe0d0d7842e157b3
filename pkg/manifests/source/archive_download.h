/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads a .tar.gz, verifies its digest, and makes a bundle. Resumes after broken connections, restarts and power
 * cuts (steps/fetch.h). Copies strings, borrows `env`. */
#pragma once

#include "manifests/env.h"
#include "manifests/source/bundle.h"
#include "manifests/source/failure.h"

enum {
    HF_ARCHIVE_DOWNLOAD_MAX_BYTES = 32 << 20, /* compressed bytes */
};

/* Failures with one archive: the source keeps them between downloads, and clears them for another archive. */
struct hf_archive_trouble {
    unsigned wasted;
    unsigned unreadable; /* failed reads in a row of a complete download */
    uint64_t received;   /* bytes since the last success or wasted download */
};

struct hf_archive_download_params {
    const struct hf_manifest_env *env;
    const char *entry;
    const char *work_dir; /* below env->state_dir */
    const char *url;
    const char *host;   /* header Host; NULL: as in the URL */
    const char *digest; /* SHA-256, hex */
    uint64_t size;
    const char *sub_path; /* of struct hf_unarchive_params */
    bool drop_top;
    struct hf_archive_trouble *trouble;
    /* as in hf_manifest_source_params */
    struct hf_source_turns *turns;
    bool (*takes)(void *arg);
    void *takes_arg;
    /* Called once, from the event loop; the download is freed. The callee owns `bundle`; NULL: see *failure. `again`:
     * retry after retry_after_ns; otherwise the archive of this digest is unusable. */
    void (*done)(void *arg, struct hf_bundle *bundle, const struct hf_source_failure *failure, bool again,
                 uint64_t retry_after_ns);
    void *arg;
};

/* Whether the link, the write budget or a full disk forbids downloads. Then fills *failure, and *ret_wait_ns with the
 * time to wait. */
bool hf_archive_download_waits(const struct hf_manifest_env *env, struct hf_source_failure *failure,
                               uint64_t *ret_wait_ns);

struct hf_archive_download;
HF_MUST_USE int hf_archive_download_start(const struct hf_archive_download_params *params,
                                          struct hf_archive_download **ret_download, struct hf_err *err);
/* As hf_manifest_source_ready(). */
void hf_archive_download_ready(struct hf_archive_download *download);
/* No `done` follows; an incomplete download stays on disk. */
void hf_archive_download_free(struct hf_archive_download *download);
