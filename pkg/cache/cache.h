/* SPDX-License-Identifier: Apache-2.0 */
/* cache/cache.h - keeps the newest received version of each object on disk, so that the node can act on the objects
 * without a network.
 *
 * An entry is a file <dir>/<kind>/<name>.json that contains a header line (format version and SHA-256) and the object.
 * For a name of more than 200 bytes, the file name has the first 150 bytes and a hash of the name. Each write replaces
 * the file durably. If an entry is damaged or has another format, the cache moves the file to <dir>/damaged/ and
 * continues. If <dir>/damaged/ already has HF_CACHE_MAX_DAMAGED files, or the file cannot be moved, the cache deletes
 * the damaged file instead. In both cases, the cache first clears the resourceVersion in the kind's resume point, so
 * that the caller requests a list of the whole kind, and does not take the missing entry for a deleted object. The
 * cache refuses names that lead outside its folder, and limits the number and the size of objects. For each kind, the
 * file <dir>/<kind>.mark holds the resume point (struct hf_cache_resume).
 *
 * Threads: any, but only one at a time. The functions block, so call them in a job (hf_job) or when the process starts.
 * Memory: a cache owns copies of its strings. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"
#include "codec/json.h"

enum { HF_CACHE_MAX_OBJECTS = 10000, HF_CACHE_MAX_BYTES = 64 << 20, HF_CACHE_MAX_DAMAGED = 16 };

struct hf_cache;

/* Opens a cache and makes the folder `dir` if it is missing. Does not read the objects; hf_cache_load() reads them. */
HF_MUST_USE int hf_cache_open(const struct hf_fs_ops *fs, const char *dir, struct hf_cache **ret_cache,
                              struct hf_err *err);
void hf_cache_free(struct hf_cache *cache);
HF_DEFINE_CLEANUP(struct hf_cache, hf_cache_free)

struct hf_cache_resume {
    char resource_version[64]; /* resourceVersion from which to resume; "" if there is none */
    /* wall-clock time of the last contact with the API server itself (0 if there was none) */
    uint64_t last_contact_unix_ns;
    /* hash of the node's labels, if the agent used the labels to choose which objects to keep; "" if it kept all
     * objects */
    char labels[65];
};

/* Reads all entries of a kind in the order of their file names, and calls `visit` with each object (borrowed). `visit`
 * must return 0 or -errno; after -errno, hf_cache_load() stops and returns this -errno. Also reads the resume point of
 * the kind `followed` into *ret_resume; `followed` is `kind` itself, or "EdgeUpdate" for the kind "EdgeUpdateRefused".
 * Makes durable what an earlier process may not have synced. Sets *ret_damaged to the number of damaged entries; a
 * damaged resume point counts as one more. If an entry is damaged, the function sets ret_resume->resource_version to
 * "" and writes this resume point to disk, so that the caller, or a later process, requests a list of the whole kind.
 * Damaged entries are no error of the function. The function fails only if `kind` is invalid, if it cannot read the
 * folder or a file for another reason than damage (such as -EACCES), if memory runs out, or if `visit` fails. */
HF_MUST_USE int hf_cache_load(struct hf_cache *cache, const char *kind, const char *followed,
                              int (*visit)(void *arg, json_t *object), void *arg, struct hf_cache_resume *ret_resume,
                              unsigned *ret_damaged, struct hf_err *err);

/* Returns a description of the first damaged entry that the latest hf_cache_load() found, such as
 * "'EdgeUpdate/x.json': reason". Returns "" if no entry was damaged. */
const char *hf_cache_damage(const struct hf_cache *cache);

/* Writes an object durably. Skips the write if the file already has this content. -EINVAL: `kind` or the name of the
 * object is invalid. -E2BIG: the object is too large, or the cache has reached HF_CACHE_MAX_OBJECTS or
 * HF_CACHE_MAX_BYTES. The caller must write all changes that a resume point includes, with this function and
 * hf_cache_remove(), before it calls hf_cache_set_resume() with this resume point. */
HF_MUST_USE int hf_cache_put(struct hf_cache *cache, const char *kind, const json_t *object, struct hf_err *err);
/* Removes an object durably. Returns 0 also if the cache does not have the object. */
HF_MUST_USE int hf_cache_remove(struct hf_cache *cache, const char *kind, const char *name, struct hf_err *err);
HF_MUST_USE int hf_cache_set_resume(struct hf_cache *cache, const char *kind, const struct hf_cache_resume *resume,
                                    struct hf_err *err);
