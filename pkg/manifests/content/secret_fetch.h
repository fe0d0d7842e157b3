/* SPDX-License-Identifier: Apache-2.0 */
/* Gets a Secret's content that is no longer in memory: part of memory.c's store. */
#pragma once

#include <stdbool.h>

#include "manifests/rules/diff.h"

struct entry;

/* Takes a delivered content. True: it is new, and the record is being saved. *ret_verify: compare it with the files in
 * place, as it is the good set's. */
bool secret_fetch_take(struct entry *entry, bool *ret_verify);
/* content_store_waits(), _again(), _stalls(), _returns(). */
bool secret_fetch_waits(struct entry *entry);
bool secret_fetch_again(struct entry *entry);
bool secret_fetch_stalls(struct entry *entry);
bool secret_fetch_returns(struct entry *entry);
/* Restarts the source, so that it delivers the content once more. */
void secret_fetch_ask(struct entry *entry);
/* Only the API server has the content of drifted files: asks for it, and reports that. */
void secret_fetch_drifted(struct entry *entry, struct hf_diff *diff);
