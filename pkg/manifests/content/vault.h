/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/content/vault.h - the copy of a Secret's content on disk, sealed to the TPM: part of the store in memory.c.
 * There is at most one, of the good set's content. Threads: loop thread only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "manifests/state/record.h"

struct entry;
struct vault_room;

/* Zeroed memory is no copy. */
struct vault {
    char digest[HF_SHA256_HEX];  /* of the copy on disk; "": there is none */
    char failed[HF_SHA256_HEX];  /* of a content that could not be sealed; "": none */
    char useless[HF_SHA256_HEX]; /* of a copy that cannot or must not be opened (again) by this process */
    bool hopeless;               /* another attempt to seal `failed` would fail in the same way */
    bool stale;                  /* the copy is bound to other PCRs than agent.yaml names */
    bool verify;                 /* the content in memory came from the copy; the files in place are not compared yet */
    bool forget;                 /* the API server has confirmed that the Secret is deleted: no copy may stay */
    char why[200];     /* why the copy did not open, or was removed; "": neither, or a later one was opened or made */
    uint64_t retry_ns; /* monotonic time before which no attempt to open the copy starts */
    struct vault_room *room; /* the key, while a copy is being sealed or opened; otherwise NULL */
    void (*then)(struct entry *entry);
};

/* Finds out at the start if there is a copy. Removes one that is not bound to each PCR of agent.yaml. Blocks. */
void vault_load(struct entry *entry);
/* True if the good set's content should have a copy, and has no usable one. */
bool vault_wants(const struct entry *entry);
/* Starts to seal the content of the good set; at the end, also of a failure, calls then(entry). Returns false if it is
 * not in memory, or no copy is wanted or possible. */
bool vault_seal(struct entry *entry, void (*then)(struct entry *entry));
/* Starts to open the copy of this set's content. At the end the content is in memory, or `why` says why not. Returns
 * false if there is none, or no attempt may start now. */
bool vault_open(struct entry *entry, const struct hf_manifest_set *set);
/* After vault_open() returned false: true if a later attempt may open the copy, from *ret_due_ns (monotonic) on. */
bool vault_may_open_later(const struct entry *entry, const struct hf_manifest_set *set, uint64_t *ret_due_ns);
/* Makes the copy of this set's content count as lost in this process. */
void vault_give_up(struct entry *entry, const struct hf_manifest_set *set);
/* The digest of the copy that may stay on disk; "": none may. */
const char *vault_keeps(const struct entry *entry);
/* True if the copy on disk must be deleted. */
bool vault_must_go(const struct entry *entry);
enum { VAULT_EXPLANATION = 146 };
/* Writes into `text`, for the end of a sentence, why the content of this set does not come from a copy: `why`, or why
 * there is none of the good set. "": there is one, or none is wanted, or the set is not the good one. */
void vault_explain(const struct entry *entry, const struct hf_manifest_set *set, char text[VAULT_EXPLANATION]);
/* Once per interval: true if the content has to be asked for again, because what kept it from being sealed may have
 * passed. */
bool vault_retries(struct entry *entry);
/* Overwrites and frees the key of the copy. */
void vault_wipe(struct entry *entry);
