/* SPDX-License-Identifier: Apache-2.0 */
/* The sealed copy of the good set's Secret; at most one. Part of memory.c's store. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "manifests/state/record.h"

struct entry;
struct vault_room;

/* Zeroed: no copy. */
struct vault {
    char digest[HF_SHA256_HEX];  /* on disk */
    char failed[HF_SHA256_HEX];  /* could not be sealed */
    char useless[HF_SHA256_HEX]; /* this process cannot or must not open it (again) */
    bool hopeless;               /* sealing `failed` would fail again */
    bool stale;                  /* bound to other PCRs than agent.yaml's */
    bool verify;                 /* content came from the copy; files not compared yet */
    bool forget;                 /* its Secret is deleted: none may stay */
    char why[200];               /* why it did not open, or was removed */
    uint64_t retry_ns;           /* when to open it again */
    struct vault_room *room;     /* the key, only while sealing or opening */
    void (*then)(struct entry *entry);
};

/* Finds the copy; removes one that is not bound to each PCR of agent.yaml. Blocks. */
void vault_load(struct entry *entry);
/* The good set should have a copy, and has none usable. */
bool vault_wants(const struct entry *entry);
/* Seals the good set's content; ends with then(entry), also on failure. False: not in memory, or no copy wanted or
 * possible. */
bool vault_seal(struct entry *entry, void (*then)(struct entry *entry));
/* Opens the copy; ends with the content in memory, or `why`. False: no copy of this set, or not now. */
bool vault_open(struct entry *entry, const struct hf_manifest_set *set);
/* After vault_open() returned false. True: opening may succeed from *ret_due_ns on. */
bool vault_may_open_later(const struct entry *entry, const struct hf_manifest_set *set, uint64_t *ret_due_ns);
/* The copy is lost for this process. */
void vault_give_up(struct entry *entry, const struct hf_manifest_set *set);
/* Digest of the copy that may stay. */
const char *vault_keeps(const struct entry *entry);
bool vault_must_go(const struct entry *entry);
enum { VAULT_EXPLANATION = 146 };
/* Writes the end of a sentence: why no copy helps, that the last copy did not open, or that the good set has none; or
 * "". */
void vault_explain(const struct entry *entry, const struct hf_manifest_set *set, char text[VAULT_EXPLANATION]);
/* Once per interval. True: sealing failed, ask for the content again. */
bool vault_retries(struct entry *entry);
/* Overwrites and frees the key. */
void vault_wipe(struct entry *entry);
