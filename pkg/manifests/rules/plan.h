/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/rules/plan.h - decides for each file of an entry if it is kept, written or refused, and if a removal of
 * files is small enough to need no permission. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What exists at the path of a wanted file. */
enum hf_plan_seen {
    HF_PLAN_ABSENT,
    HF_PLAN_SAME,    /* a file with the wanted content, mode and owner */
    HF_PLAN_OTHER,   /* a regular file with another content, mode or owner */
    HF_PLAN_LINK,    /* a symbolic link, which the entry never makes */
    HF_PLAN_SPECIAL, /* a folder, device, socket or pipe */
};

enum hf_plan_step {
    HF_PLAN_KEEP,    /* the file already is as wanted, no matter who wrote it */
    HF_PLAN_WRITE,   /* write a missing file, or replace a file of the entry that has changed or become a link */
    HF_PLAN_REPLACE, /* replace a file that is not the entry's own, after a backup for a rollback */
    /* a different file that is not the entry's own is there, and the entry does not set `force` */
    HF_PLAN_REFUSE,
    /* a folder, device, socket or pipe is there, or a link at a path that the inventory does not have; `force` does not
     * help */
    HF_PLAN_REFUSE_ALWAYS,
};

/* Returns the step for one file. `ours` is true if the entry's inventory has the path, so that the file is the entry's
 * own. */
enum hf_plan_step hf_plan_file(enum hf_plan_seen seen, bool ours, bool force);

/* The guard of removals. Returns true if an entry may remove n_prune items without the permission of a person: at most
 * one item, or at most HF_PLAN_PRUNE_PERCENT percent of the n_inventory items that the inventory has before the
 * removal. */
enum { HF_PLAN_PRUNE_PERCENT = 30 };
bool hf_plan_may_prune(size_t n_prune, size_t n_inventory);

/* The annotation of the SyncPolicy that allows more. */
#define HF_PLAN_ALLOW_PRUNE "edge.codcompass.io/allow-prune"

/* Returns true if the annotation `edge.codcompass.io/allow-prune` allows the removal for this entry and content.
 * `value` (may be NULL) has the form "<entry>:<first 12 hex digits of the content's digest>", or several of these with
 * commas and spaces between them. `digest` is the digest of the new content or, for the removal of a whole entry, of
 * the content in place. */
bool hf_plan_prune_is_allowed(const char *value, const char *entry, const char *digest);

/* Writes `message` to `text` (n bytes), followed by the annotation that allows the removal. Returns `text`. */
const char *hf_plan_prune_advice(const char *message, const char *entry, const char *digest, char *text, size_t n);
