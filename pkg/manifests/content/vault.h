/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/content/vault.h - the copy of the content of a Secret that is sealed to the TPM. */
#pragma once

#include "manifests/state/record.h"
#include <stdbool.h>
#include <stdint.h>

struct entry;

/* Finds out at the start of the agent if a sealed copy exists. Removes the copy if agent.yaml names a PCR to which the
 * copy is not bound. Blocks. */
void vault_load(struct entry *entry);
/* Returns true if a sealed copy of the good set's content should be on disk, and a usable one is not there. */
bool vault_wants(const struct entry *entry);
/* Starts to seal the content of the good set, and returns true; calls then(entry) at the end, also after a failure.
 * Returns false if the content is not in memory, or if no copy is wanted or possible. */
bool vault_seal(struct entry *entry, void (*then)(struct entry *entry));
/* Starts to open the sealed copy of this set's content, and returns true. At the end, entry->secret has the content, or
 * vault.why says why the copy could not be opened. Returns false if there is no copy of this content, or if no attempt
 * may start now. */
bool vault_open(struct entry *entry, const struct hf_manifest_set *set);
/* Call this function after vault_open() has returned false. Returns true if there is a sealed copy of this set's
 * content that a later attempt may open, and sets *ret_due_ns to the monotonic time of that attempt. */
bool vault_may_open_later(const struct entry *entry, const struct hf_manifest_set *set, uint64_t *ret_due_ns);
/* Makes the sealed copy of this set's content count as lost in this process. */
void vault_give_up(struct entry *entry, const struct hf_manifest_set *set);
/* Returns the digest of the sealed copy that may stay on disk; "" if none may stay. */
const char *vault_keeps(const struct entry *entry);
/* Returns true if the sealed copy on disk must be deleted. */
bool vault_must_go(const struct entry *entry);
enum { VAULT_EXPLANATION = 146 };
/* Writes into `text` why the content of this set does not come from a sealed copy. The caller appends the text to a
 * sentence. If vault.why is not "", the text quotes it, whatever the set. Otherwise the text says why there is no copy;
 * it is "" if there is a copy, if none is wanted, or if the set is not the good set (only the good set has a copy). */
void vault_explain(const struct entry *entry, const struct hf_manifest_set *set, char text[VAULT_EXPLANATION]);
/* Call this function once per interval. Returns true if the caller must ask the source for the content again: an
 * attempt to seal the content has failed, and its cause may have passed. */
bool vault_retries(struct entry *entry);
/* Overwrites and frees the key of the copy. */
void vault_wipe(struct entry *entry);
