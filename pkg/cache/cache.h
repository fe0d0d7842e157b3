/* cache/cache.h - the objects last seen, on disk: what a node acts on before, and without, the network.
 *
 * <dir>/<kind>/<name>.json: a header line with format version and SHA-256 of the rest, then the object. Each write is a
 * durable replacement. A damaged or unknown entry is moved to <dir>/damaged/ and reported, never fatal, and the kind is
 * marked incomplete so that nothing is deleted on its word. Names are checked (no path tricks); size bounded.
 * Beside the objects a small record per kind: resourceVersion to resume from, and time of the last proven contact.
 * Blocks: run on a worker (hf_job) or at start; one thread at a time. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"
#include "codec/json.h"

enum { HF_CACHE_MAX_OBJECTS = 10000, HF_CACHE_MAX_BYTES = 64 << 20, HF_CACHE_MAX_DAMAGED = 16 };

struct hf_cache;

/* Open (making the folders). Nothing is read yet. */
HF_MUST_USE int hf_cache_open(const struct hf_fs_ops *fs, const char *dir, struct hf_cache **ret_cache,
                              struct hf_err *err);
void hf_cache_free(struct hf_cache *cache);
HF_DEFINE_CLEANUP(struct hf_cache, hf_cache_free)

struct hf_cache_resume {
    char resource_version[64];     /* "" : no point to resume from */
    uint64_t last_contact_unix_ns; /* 0 never */
    char labels[65];               /* what the owner left out was judged by these (a hash); "" nothing was left out */
};

/* Read every entry of a kind in the order of names: `visit` gets each object (borrowed); a negative return stops and is
 * returned. *ret_damaged counts what was set aside; then, and until a mark is set again, there is no point to resume from: the
 * kind must be listed whole. Only what makes the whole kind unreadable is an error. */
HF_MUST_USE int hf_cache_load(struct hf_cache *cache, const char *kind, int (*visit)(void *arg, json_t *object),
                              void *arg, struct hf_cache_resume *ret_mark, unsigned *ret_damaged, struct hf_err *err);

/* What the last hf_cache_load() of any kind set aside: "'EdgeUpdate/x': why", of the first one; "" when nothing was. */
const char *hf_cache_damage(const struct hf_cache *cache);

/* Durable when it returns. An object that is there already with the same content costs no write. -EINVAL: no valid name;
 * -E2BIG: too large, or too many. Write the mark after the objects it speaks of, never before. */
HF_MUST_USE int hf_cache_put(struct hf_cache *cache, const char *kind, const json_t *object, struct hf_err *err);
/* Absent is fine. */
HF_MUST_USE int hf_cache_remove(struct hf_cache *cache, const char *kind, const char *name, struct hf_err *err);
HF_MUST_USE int hf_cache_set_resume(struct hf_cache *cache, const char *kind, const struct hf_cache_resume *mark,
                                    struct hf_err *err);
