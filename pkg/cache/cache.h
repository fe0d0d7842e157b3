/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the newest received version of objects on disk, for a node without network.
 *
 * Writes are durable. Names that lead outside `dir` are refused. Blocks: in a job (hf_job), or at the start. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"
#include "codec/json.h"

enum { HF_CACHE_MAX_OBJECTS = 10000, HF_CACHE_MAX_BYTES = 64 << 20, HF_CACHE_MAX_DAMAGED = 16 };

struct hf_cache;

HF_MUST_USE int hf_cache_open(const struct hf_fs_ops *fs, const char *dir, struct hf_cache **ret_cache,
                              struct hf_err *err);
void hf_cache_free(struct hf_cache *cache);
HF_DEFINE_CLEANUP(struct hf_cache, hf_cache_free)

struct hf_cache_resume {
    char resource_version[64];     /* or "" */
    uint64_t last_contact_unix_ns; /* last contact with the API server itself, or 0 */
    char labels[65];               /* hash of the node's labels, if they decided which objects to keep; or "" */
};

/* Calls visit() with each object (borrowed), in the order of file names; its -errno ends the load. `followed` is the
 * kind of the resume point: `kind`, or "EdgeUpdate" for "EdgeUpdateRefused". If *ret_damaged files were damaged,
 * resource_version is "", also on disk. */
HF_MUST_USE int hf_cache_load(struct hf_cache *cache, const char *kind, const char *followed,
                              int (*visit)(void *arg, json_t *object), void *arg, struct hf_cache_resume *ret_resume,
                              unsigned *ret_damaged, struct hf_err *err);

/* The first damaged entry of the last load, such as "'EdgeUpdate/x.json': reason", or "". */
const char *hf_cache_damage(const struct hf_cache *cache);

/* Write only what differs. -EINVAL: invalid `kind` or name. -E2BIG: too large, or over a limit. Put and remove objects
 * before setting a resume point that includes them. */
HF_MUST_USE int hf_cache_put(struct hf_cache *cache, const char *kind, const json_t *object, struct hf_err *err);
HF_MUST_USE int hf_cache_remove(struct hf_cache *cache, const char *kind, const char *name, struct hf_err *err);
HF_MUST_USE int hf_cache_set_resume(struct hf_cache *cache, const char *kind, const struct hf_cache_resume *resume,
                                    struct hf_err *err);
