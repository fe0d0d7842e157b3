/* cache/cache.h - the objects last seen, on disk: a node acts on them before it has a network, and without one.
 *
 * <dir>/<kind>/<name>.json holds a header line with format version and SHA-256, then the object; each write is a
 * durable replacement. A damaged or unknown entry goes to <dir>/damaged/ with a report, and is never fatal; the kind
 * then counts as incomplete, so that no caller concludes from a missing entry that an object is gone. The cache
 * checks names (no path tricks) and bounds sizes. Beside the objects, one small record per kind says where to
 * resume: a resourceVersion, and the time of the last proven contact.
 *
 * Threads: any, one at a time; blocks, so call it from a job (hf_job) or at start. Memory: the cache owns its
 * strings. */
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
    char labels[65];               /* hash of the labels by which the owner left objects out; "": nothing left out */
};

/* Reads every entry of a kind in the order of names: `visit` gets each object (borrowed); a negative return stops,
 * and hf_cache_load() returns it. *ret_damaged counts the damaged entries. If there are any, *ret_resume has no
 * resourceVersion until hf_cache_set_resume(): list the kind whole. Fails only if the whole kind is unreadable. */
HF_MUST_USE int hf_cache_load(struct hf_cache *cache, const char *kind, int (*visit)(void *arg, json_t *object),
                              void *arg, struct hf_cache_resume *ret_resume, unsigned *ret_damaged, struct hf_err *err);

/* Describes the first damaged entry of the last hf_cache_load(): "'EdgeUpdate/x': reason"; "" if there was none. */
const char *hf_cache_damage(const struct hf_cache *cache);

/* Writes an object, durable on return; an object with the same content costs no write. -EINVAL: invalid name;
 * -E2BIG: too large, or too many objects. Call hf_cache_set_resume() after the objects it covers, never before. */
HF_MUST_USE int hf_cache_put(struct hf_cache *cache, const char *kind, const json_t *object, struct hf_err *err);
/* Removes an object; an absent one is fine. */
HF_MUST_USE int hf_cache_remove(struct hf_cache *cache, const char *kind, const char *name, struct hf_err *err);
HF_MUST_USE int hf_cache_set_resume(struct hf_cache *cache, const char *kind, const struct hf_cache_resume *resume,
                                    struct hf_err *err);
