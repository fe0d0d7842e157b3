/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/content/secret_fetch.h - asks the API server for the content of a Secret again. */
#pragma once

#include "manifests/rules/diff.h"
#include <stdbool.h>

struct entry;

/* Moves a delivered content of a Secret to entry->secret. Returns true if the content is new; the function has then
 * started to save the record. Sets *ret_verify to true if this is the content of the good set and the files in place
 * must be compared with it. */
bool secret_fetch_take(struct entry *entry, bool *ret_verify);
/* If the newest set has a secret content that is not in memory, starts to open the sealed copy or asks the source for
 * the content, and returns true. */
bool secret_fetch_waits(struct entry *entry);
/* If a refused set cannot be tried again because its secret content is not in memory, asks the source for the content,
 * and returns true. */
bool secret_fetch_again(struct entry *entry);
/* Handles an entry whose swap or rollback was cut short by a crash and whose secret content is lost. If the source has
 * delivered a newer content, the swap continues with this content, after `validate`. Returns true if the entry must
 * wait for a content, or has begun another phase. */
bool secret_fetch_stalls(struct entry *entry);
/* Starts the source again, because a running source delivers each version of a Secret only once. */
void secret_fetch_ask(struct entry *entry);
/* Call this function if files of a secret good set have drifted, and only the API server has their content. Asks the
 * source for the content, and reports the drift. */
void secret_fetch_drifted(struct entry *entry, struct hf_diff *diff);
