/* SPDX-License-Identifier: Apache-2.0 */
/* The copy of the good set's Secret on disk, sealed to the TPM; at most one. Part of memory.c's store. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "manifests/state/record.h"

struct entry;
struct vault_room;

/* Zeroed: no copy. */
struct vault {
    char digest[HF_SHA256_HEX];  /* on disk; "": none */
    char failed[HF_SHA256_HEX];  /* could not be sealed; "": none */
    char useless[HF_SHA256_HEX]; /* this process cannot or must not open it (again) */
    bool hopeless;               /* `failed` would fail again */
    bool stale;                  /* bound to other PCRs than agent.yaml's */
    bool verify;                 /* content from the copy, not compared with the files yet */
    bool forget;                 /* its Secret is deleted: no copy may stay */
    char why[200];               /* why it did not open, or went; "": neither, or there is a later one */
    uint64_t retry_ns;           /* monotonic: not opened before */
    struct vault_room *room;     /* the key, while sealing or opening; else NULL */
    void (*then)(struct entry *entry);
};

/* At the start: is there a copy? Removes one that is not bound to each PCR of agent.yaml. Blocks. */
void vault_load(struct entry *entry);
/* The good set should have a copy, and has no usable one. */
bool vault_wants(const struct entry *entry);
/* Starts to seal the good set's content; ends with then(entry), also after a failure. False: it is not in memory, or no
 * copy is wanted or possible. */
bool vault_seal(struct entry *entry, void (*then)(struct entry *entry));
/* Starts to open the copy of the set's content; ends with the content in memory, or `why`. False: no copy, or not
 * now. */
bool vault_open(struct entry *entry, const struct hf_manifest_set *set);
/* After vault_open() returned false: a later attempt may succeed, from *ret_due_ns (monotonic) on. */
bool vault_may_open_later(const struct entry *entry, const struct hf_manifest_set *set, uint64_t *ret_due_ns);
/* The copy of this set's content counts as lost in this process. */
void vault_give_up(struct entry *entry, const struct hf_manifest_set *set);
/* Digest of the copy that may stay on disk; "": none. */
const char *vault_keeps(const struct entry *entry);
bool vault_must_go(const struct entry *entry);
enum { VAULT_EXPLANATION = 146 };
/* For the end of a sentence: why the content does not come from a copy. "": it can, none is wanted, or not the good
 * set. */
void vault_explain(const struct entry *entry, const struct hf_manifest_set *set, char text[VAULT_EXPLANATION]);
/* Once per interval: ask for the content again. */
bool vault_retries(struct entry *entry);
/* Overwrites and frees the key. */
void vault_wipe(struct entry *entry);
