/* SPDX-License-Identifier: Apache-2.0 */
/* The copy of the good set's Secret that is sealed to the TPM; at most one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "manifests/state/record.h"

struct entry;
struct vault_room;

struct vault {
    char digest[HF_SHA256_HEX];  /* digest of the copy's content; "": no copy */
    char failed[HF_SHA256_HEX];  /* digest of content that could not be sealed */
    char useless[HF_SHA256_HEX]; /* digest of content whose copy this process must not open (again) */
    bool hopeless;
    bool stale;  /* the copy is bound to other PCRs than agent.yaml names */
    bool verify; /* the copy's content is in memory, and must be compared with the files */
    bool forget; /* the Secret was deleted: no copy may stay */
    char why[200];
    uint64_t retry_ns;
    struct vault_room *room;
    void (*then)(struct entry *entry);
};

/* Finds the copy; one that is not bound to every PCR of agent.yaml is not used. Blocks. */
void vault_load(struct entry *entry);
/* Whether the good set's content should be sealed now: its copy, for one, is missing, useless or stale. */
bool vault_wants(const struct entry *entry);
/* Seals the good set's content; ends with then(entry), also on failure. Returns false if the content is not in memory,
 * or no copy is wanted or possible. */
bool vault_seal(struct entry *entry, void (*then)(struct entry *entry));
/* Opens the copy; ends with the content in memory, or with `why`. Returns false if this set has no copy, or the copy
 * cannot be opened now. */
bool vault_open(struct entry *entry, const struct hf_manifest_set *set);
/* Whether the copy may open from *ret_due_ns on, after vault_open() returned false. */
bool vault_may_open_later(const struct entry *entry, const struct hf_manifest_set *set, uint64_t *ret_due_ns);
void vault_give_up(struct entry *entry, const struct hf_manifest_set *set);
const char *vault_keeps(const struct entry *entry);
bool vault_must_go(const struct entry *entry);
enum { VAULT_EXPLANATION = 146 };
/* Writes the end of a message: why the copy did not open or does not exist, or "". */
void vault_explain(const struct entry *entry, const struct hf_manifest_set *set, char text[VAULT_EXPLANATION]);
/* Whether a failed sealing is now tried again, for which the content must be fetched. */
bool vault_retries(struct entry *entry);
void vault_wipe(struct entry *entry);
