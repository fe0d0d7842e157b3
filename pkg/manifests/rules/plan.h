/* SPDX-License-Identifier: Apache-2.0 */
/* Keep, write or refuse each file, and is a removal small enough to need no permission? Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* At the path of a wanted file. */
enum hf_plan_seen {
    HF_PLAN_ABSENT,
    HF_PLAN_SAME,    /* content, mode and owner as wanted */
    HF_PLAN_OTHER,   /* a regular file */
    HF_PLAN_LINK,    /* never made by an entry */
    HF_PLAN_SPECIAL, /* folder, device, socket or pipe */
};

enum hf_plan_step {
    HF_PLAN_KEEP,    /* as wanted, whoever wrote it */
    HF_PLAN_WRITE,   /* missing, or the entry's own that has changed or become a link */
    HF_PLAN_REPLACE, /* not the entry's own: after a backup for a rollback */
    /* not the entry's own, and no `force` */
    HF_PLAN_REFUSE,
    /* folder, device, socket, pipe, or a link that the inventory lacks; in spite of `force` */
    HF_PLAN_REFUSE_ALWAYS,
};

/* The step for one file. `ours`: the entry's inventory has it. */
enum hf_plan_step hf_plan_file(enum hf_plan_seen seen, bool ours, bool force);

/* The guard of removals: without a person one item may go, or HF_PLAN_PRUNE_PERCENT of the inventory before. */
enum { HF_PLAN_PRUNE_PERCENT = 30 };
bool hf_plan_may_prune(size_t n_prune, size_t n_inventory);

/* The SyncPolicy's annotation that allows more. */
#define HF_PLAN_ALLOW_PRUNE "edge.codcompass.io/allow-prune"

/* `value` (may be NULL): "<entry>:<first 12 hex digits of the digest>", several with commas and spaces. `digest`: of
 * the new content or, to remove a whole entry, of that in place. */
bool hf_plan_prune_is_allowed(const char *value, const char *entry, const char *digest);

/* `message`, then the annotation that allows the removal. */
const char *hf_plan_prune_advice(const char *message, const char *entry, const char *digest, char *text, size_t n);
