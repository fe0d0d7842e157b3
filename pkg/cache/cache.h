/* cache/cache.h - the last known objects, on disk, so that a node can act on them without a network.
 *
 * <dir>/<kind>/<name>.json holds a header line with format version and SHA-256, then the object. Each write replaces
 * the file durably. The cache moves a damaged or unknown entry to <dir>/damaged/ and reports it; this is never fatal.
 * The kind then counts as incomplete, so that no caller takes an object for deleted only because its entry is missing.
 * The cache checks names, so that no name leads outside the folder, and bounds sizes. For each kind, a small record
 * holds the resume point: a resourceVersion, and the time of the last contact with the API server itself.
 *
 * Threads: any, but only one at a time. Calls block, so make them from a job (hf_job) or at start. Memory: the cache
 * owns its strings. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"
#include "codec/json.h"

enum { HF_CACHE_MAX_OBJECTS = 10000, HF_CACHE_MAX_BYTES = 64 << 20, HF_CACHE_MAX_DAMAGED = 16 };

struct hf_cache;

/* Opens a cache and makes its folders; reads no objects yet. */
HF_MUST_USE int hf_cache_open(const struct hf_fs_ops *fs, const char *dir, struct hf_cache **ret_cache,
                              struct hf_err *err);
void hf_cache_free(struct hf_cache *cache);
HF_DEFINE_CLEANUP(struct hf_cache, hf_cache_free)

struct hf_cache_resume {
    char resource_version[64];     /* "": no point to resume from */
    uint64_t last_contact_unix_ns; /* 0: never */
    /* hash of the node's labels by which the agent left objects out; "": it left nothing out */
    char labels[65];
};

/* Reads every entry of a kind in the order of names, and calls `visit` with each object (borrowed). If `visit` returns
 * a negative value, hf_cache_load() stops and returns this value. *ret_damaged is the number of damaged entries. If it
 * is not 0, *ret_resume has no resourceVersion, now and until hf_cache_set_resume(), so that the caller lists the whole
 * kind. Damaged entries are no failure: the function fails only if it cannot read the kind at all, or if memory runs
 * out. */
HF_MUST_USE int hf_cache_load(struct hf_cache *cache, const char *kind, int (*visit)(void *arg, json_t *object),
                              void *arg, struct hf_cache_resume *ret_resume, unsigned *ret_damaged, struct hf_err *err);

/* Returns a description of the first damaged entry of the last hf_cache_load(), such as "'EdgeUpdate/x': reason", or ""
 * if no entry was damaged. */
const char *hf_cache_damage(const struct hf_cache *cache);

/* Writes an object, which is durable when the function returns. Skips the write if the file already has this content.
 * -EINVAL: invalid name. -E2BIG: the object is too large, or the cache is full. Write all objects up to a resume point
 * before you call hf_cache_set_resume() with this point. */
HF_MUST_USE int hf_cache_put(struct hf_cache *cache, const char *kind, const json_t *object, struct hf_err *err);
/* Removes an object. An absent object is no error. */
HF_MUST_USE int hf_cache_remove(struct hf_cache *cache, const char *kind, const char *name, struct hf_err *err);
HF_MUST_USE int hf_cache_set_resume(struct hf_cache *cache, const char *kind, const struct hf_cache_resume *resume,
                                    struct hf_err *err);
