/* SPDX-License-Identifier: Apache-2.0 */
/* Gets a Secret's content again that is no longer in memory. */
#pragma once

#include <stdbool.h>

#include "manifests/rules/diff.h"

struct entry;

/* Moves a delivered content into the store. Returns true if it or its source is new, and the record is being saved.
 * *ret_verify: the content must be compared with the files in place. */
bool secret_fetch_take(struct entry *entry, bool *ret_verify);
/* These do what content_store_waits(), _again(), _stalls() and _returns() say. */
bool secret_fetch_waits(struct entry *entry);
bool secret_fetch_again(struct entry *entry);
bool secret_fetch_stalls(struct entry *entry);
bool secret_fetch_returns(struct entry *entry);
void secret_fetch_ask(struct entry *entry);
/* Asks the API server for the content of drifted files, and reports that. */
void secret_fetch_drifted(struct entry *entry, struct hf_diff *diff);
