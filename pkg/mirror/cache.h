/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs that the mirror keeps for pulls to come: whole ones, whose digest was right, in <folder>/blobs/sha256/, as a
 * store of mirror/store.h; those that broke off in <folder>/partial/, for the next transfer to go on. All together have
 * at most `max_bytes`, and leave a twentieth of the disk free: who was used least recently goes first. Loop thread
 * only; blocks briefly. */
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
    /* True: stays, as long as it says so. May be NULL. */
    bool (*is_wanted)(void *arg, const char *sha256);
    void *arg;
};

struct hf_mirror_cache;
/* NULL also without a folder: then nothing is kept. */
struct hf_mirror_cache *hf_mirror_cache_new(const struct hf_mirror_cache_params *params, struct hf_err *err);
/* After all keeps but those that are being synced. */
void hf_mirror_cache_free(struct hf_mirror_cache *cache);

/* It was read: others go before it. Nothing, if it is not here; accepts NULL. */
void hf_mirror_cache_touch(const struct hf_mirror_cache *cache, const char *sha256);
/* Its content is not right. Accepts NULL. */
void hf_mirror_cache_drop(const struct hf_mirror_cache *cache, const char *sha256);
/* All of it was read, but in parts, which nobody compares: a worker does, one blob at a time, and removes a wrong one.
 * Nothing, if it is not here or waits for it already; accepts NULL. */
void hf_mirror_cache_check(struct hf_mirror_cache *cache, const char *sha256);
/* Makes room for so many bytes more. -EDQUOT: what is wanted leaves too little of `max_bytes`. -ENOSPC: of the disk.
 * Then nothing went in vain. */
HF_MUST_USE int hf_mirror_cache_room(const struct hf_mirror_cache *cache, uint64_t bytes);

/* One blob that arrives. */
struct hf_mirror_keep;
/* From its first byte. As hf_mirror_cache_room(); -EBUSY: another transfer brings it; errors of files. */
HF_MUST_USE int hf_mirror_keep_begin(struct hf_mirror_cache *cache, const char *sha256, uint64_t size,
                                     struct hf_mirror_keep **ret_keep);
/* From where it broke off. -ENOENT: there is no such thing; others as above. */
HF_MUST_USE int hf_mirror_keep_resume(struct hf_mirror_cache *cache, const char *sha256,
                                      struct hf_mirror_keep **ret_keep);
uint64_t hf_mirror_keep_had(const struct hf_mirror_keep *keep); /* bytes that were here */
uint64_t hf_mirror_keep_size(const struct hf_mirror_keep *keep);
/* Reads the bytes that were here. */
HF_MUST_USE ssize_t hf_mirror_keep_read(const struct hf_mirror_keep *keep, void *bytes, size_t n, uint64_t at);
/* All of it in order, also what was here, which is not written again. After a failure free it. */
HF_MUST_USE int hf_mirror_keep_write(struct hf_mirror_keep *keep, const void *bytes, size_t n);
/* All has arrived and is `right`: a worker syncs it, and then it is in the cache. Wrong: it goes. Frees it. */
void hf_mirror_keep_finish(struct hf_mirror_keep *keep, bool right);
void hf_mirror_keep_free(struct hf_mirror_keep *keep); /* it broke off: stays as a partial; accepts NULL */
/* Whole blobs that are being synced now, and will be here. */
bool hf_mirror_cache_syncs(const struct hf_mirror_cache *cache, const char *sha256);
