/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs that the mirror keeps for later pulls: whole ones with a right digest in <folder>/blobs/sha256/, a store of
 * mirror/store.h; broken off ones in <folder>/partial/, for a next transfer. All have `max_bytes` at most, and leave a
 * twentieth of the disk free: the least recently used goes first. Loop thread only; blocks briefly. */
#pragma once

#include "base/fs.h"
#include "base/list.h"
#include "base/log.h"
#include "codec/sha256.h"
#include "loop/sched.h"

struct hf_mirror_cache_params {
    const struct hf_sched_ops *sched;
    const struct hf_fs_ops *fs;
    struct hf_log *log; /* may be NULL */
    const char *folder; /* copied; its parent exists */
    uint64_t max_bytes;
    /* True: the blob stays. NULL: none is wanted. */
    bool (*is_wanted)(void *arg, const char *sha256);
    void *arg;
};

struct hf_mirror_cache;
/* NULL also if it cannot make its folders. */
struct hf_mirror_cache *hf_mirror_cache_new(const struct hf_mirror_cache_params *params, struct hf_err *err);
/* Free keeps first, except those being synced. */
void hf_mirror_cache_free(struct hf_mirror_cache *cache);

/* The blob was read: others go before it. Accepts NULL, and absent blobs. */
void hf_mirror_cache_touch(const struct hf_mirror_cache *cache, const char *sha256);
/* Removes a wrong blob. Accepts NULL. */
void hf_mirror_cache_drop(const struct hf_mirror_cache *cache, const char *sha256);
/* The blob was read in parts, whose digest nobody compared: a worker does, one blob at a time, and removes a wrong
 * blob. Accepts NULL, and absent or waiting blobs. */
void hf_mirror_cache_check(struct hf_mirror_cache *cache, const char *sha256);
/* Makes room for `bytes` more. -EDQUOT: wanted blobs leave too little of `max_bytes`. -ENOSPC: too little disk. Then
 * nothing was removed. */
HF_MUST_USE int hf_mirror_cache_room(const struct hf_mirror_cache *cache, uint64_t bytes);

/* A blob that arrives. */
struct hf_mirror_keep;
/* Begins at its first byte. Errors of hf_mirror_cache_room(), of files; -EBUSY: another transfer brings it. */
HF_MUST_USE int hf_mirror_keep_begin(struct hf_mirror_cache *cache, const char *sha256, uint64_t size,
                                     struct hf_mirror_keep **ret_keep);
/* Begins where it broke off. -ENOENT: no partial; others as hf_mirror_keep_begin(). */
HF_MUST_USE int hf_mirror_keep_resume(struct hf_mirror_cache *cache, const char *sha256,
                                      struct hf_mirror_keep **ret_keep);
uint64_t hf_mirror_keep_had(const struct hf_mirror_keep *keep); /* bytes from before */
uint64_t hf_mirror_keep_size(const struct hf_mirror_keep *keep);
/* Reads bytes from before. */
HF_MUST_USE ssize_t hf_mirror_keep_read(const struct hf_mirror_keep *keep, void *bytes, size_t n, uint64_t at);
/* Takes all bytes in order; those from before are not written again. After a failure free `keep`. */
HF_MUST_USE int hf_mirror_keep_write(struct hf_mirror_keep *keep, const void *bytes, size_t n);
/* Frees `keep`. `right`, and all has arrived: a worker syncs the blob into the cache; else removes it. */
void hf_mirror_keep_finish(struct hf_mirror_keep *keep, bool right);
void hf_mirror_keep_free(struct hf_mirror_keep *keep); /* broken off: stays partial */
/* A whole blob is being synced. */
bool hf_mirror_cache_syncs(const struct hf_mirror_cache *cache, const char *sha256);
