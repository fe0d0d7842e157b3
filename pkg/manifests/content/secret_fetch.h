/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/content/secret_fetch.h - gets the content of a Secret that is not in memory any more: part of the store in
 * memory.c. Threads: loop thread only. */
#pragma once

#include <stdbool.h>

#include "manifests/rules/diff.h"

struct entry;

/* A content of a Secret was delivered. Returns true if it is new; the record is then being saved. Sets *ret_verify if
 * it is that of the good set, with which the files in place must be compared. */
bool secret_fetch_take(struct entry *entry, bool *ret_verify);
/* For the newest set, and the rollback: content_store_waits(), _again(), _stalls(), _returns(). */
bool secret_fetch_waits(struct entry *entry);
bool secret_fetch_again(struct entry *entry);
bool secret_fetch_stalls(struct entry *entry);
bool secret_fetch_returns(struct entry *entry);
/* Starts the source again: a running one delivers each version of a Secret once. */
void secret_fetch_ask(struct entry *entry);
/* Files of the good set have drifted, and only the API server has their content: asks for it, and says so. */
void secret_fetch_drifted(struct entry *entry, struct hf_diff *diff);
