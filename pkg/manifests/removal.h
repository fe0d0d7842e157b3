/* SPDX-License-Identifier: Apache-2.0 */
/* Removes entries that no policy has, and files of deleted Secrets. */
#pragma once

#include <stdbool.h>

struct entry;

/* Removes the files of a deleted Secret, if allowed now. Returns whether a job has started. */
bool removal_revoke(struct entry *entry);
void removal_consider(struct entry *entry);
