/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs that the mirror keeps for later pulls: complete ones with a right digest in <folder>/blobs/sha256/ (a store of
 * mirror/store.h); interrupted ones in <folder>/partial/, to be continued. Before a blob comes, the least recently used
 * ones go, so that all take at most `max_bytes` and leave a twentieth of the disk free. Loop thread only; blocks
 * briefly. */
#pragma once

#include "base/fs.h"
#include "base/list.h"
#include "base/log.h"
#include "codec/sha256.h"
#include "loop/sched.h"

struct hf_mirror_cache_params {
    const struct hf_sched_ops *sched;
    const struct hf_fs_ops *fs;
    struct hf_log *log; /* or NULL */
    const char *folder; /* copied; its parent folder exists */
    uint64_t max_bytes;
    /* whether a blob must stay in the cache; NULL: none must */
    bool (*is_wanted)(void *arg, const char *sha256);
    void *arg;
};

struct hf_mirror_cache;
struct hf_mirror_cache *hf_mirror_cache_new(const struct hf_mirror_cache_params *params, struct hf_err *err);
/* First free all keeps, except those being synced. */
void hf_mirror_cache_free(struct hf_mirror_cache *cache);

/* Notes that the blob was read, so that other blobs are removed first. Accepts NULL, and absent blobs. */
void hf_mirror_cache_touch(const struct hf_mirror_cache *cache, const char *sha256);
/* Removes a wrong blob. Accepts NULL. */
void hf_mirror_cache_drop(const struct hf_mirror_cache *cache, const char *sha256);
/* Has a worker compare the digest of a blob that was read in parts, and remove a wrong one. Accepts NULL, and blobs
 * that are absent or wait already. */
void hf_mirror_cache_check(struct hf_mirror_cache *cache, const char *sha256);
/* Removes blobs until `bytes` more fit. -EDQUOT: they would exceed `max_bytes`. -ENOSPC: the disk has
 * too little space. Removes nothing if it foresees that. */
HF_MUST_USE int hf_mirror_cache_room(const struct hf_mirror_cache *cache, uint64_t bytes);

struct hf_mirror_keep;
/* Begins a blob. Errors: those of hf_mirror_cache_room() and of files; -EBUSY: another transfer brings it. */
HF_MUST_USE int hf_mirror_keep_begin(struct hf_mirror_cache *cache, const char *sha256, uint64_t size,
                                     struct hf_mirror_keep **ret_keep);
/* Continues an interrupted blob. -ENOENT: there is none; other errors as above. */
HF_MUST_USE int hf_mirror_keep_resume(struct hf_mirror_cache *cache, const char *sha256,
                                      struct hf_mirror_keep **ret_keep);
uint64_t hf_mirror_keep_had(const struct hf_mirror_keep *keep); /* bytes from earlier transfers */
uint64_t hf_mirror_keep_size(const struct hf_mirror_keep *keep);
HF_MUST_USE ssize_t hf_mirror_keep_read(const struct hf_mirror_keep *keep, void *bytes, size_t n, uint64_t at);
/* Takes all bytes in order; those from earlier transfers are not written again. After a failure free `keep`. */
HF_MUST_USE int hf_mirror_keep_write(struct hf_mirror_keep *keep, const void *bytes, size_t n);
/* Frees `keep`. With all bytes and a `right` digest a worker is asked to sync the blob into the cache; otherwise it is
 * removed. */
void hf_mirror_keep_finish(struct hf_mirror_keep *keep, bool right);
void hf_mirror_keep_free(struct hf_mirror_keep *keep); /* the blob stays, as an interrupted one */
bool hf_mirror_cache_syncs(const struct hf_mirror_cache *cache, const char *sha256);
