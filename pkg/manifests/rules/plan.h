/* SPDX-License-Identifier: Apache-2.0 */
/* Decides whether to keep, write or refuse a file, and whether a set may remove many items. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum hf_plan_seen {
    HF_PLAN_ABSENT,
    HF_PLAN_SAME,  /* content, mode and owner as wanted */
    HF_PLAN_OTHER, /* a regular file that differs */
    HF_PLAN_LINK,
    HF_PLAN_SPECIAL,
};

enum hf_plan_step {
    HF_PLAN_KEEP,    /* as wanted, whoever wrote it */
    HF_PLAN_WRITE,   /* missing; or the entry's own, but changed or a link */
    HF_PLAN_REPLACE, /* somebody else's: write after a backup */
    /* somebody else's, and no `force` */
    HF_PLAN_REFUSE,
    /* HF_PLAN_SPECIAL, or a link that the inventory lacks; even with `force` */
    HF_PLAN_REFUSE_ALWAYS,
};

/* `ours`: the inventory has the path. */
enum hf_plan_step hf_plan_file(enum hf_plan_seen seen, bool ours, bool force);

/* Without permission a set may remove one item, or this share of the inventory. */
enum { HF_PLAN_PRUNE_PERCENT = 30 };
bool hf_plan_may_prune(size_t n_prune, size_t n_inventory);

#define HF_PLAN_ALLOW_PRUNE "edge.codcompass.io/allow-prune"

/* Whether the annotation `value` (may be NULL) permits the removal. The value has one or more "<entry>:<first 12 hex
 * digits of the digest>". `digest`: of the new content or, if the whole entry goes, of the content in place. */
bool hf_plan_prune_is_allowed(const char *value, const char *entry, const char *digest);

const char *hf_plan_prune_advice(const char *message, const char *entry, const char *digest, char *text, size_t n);
