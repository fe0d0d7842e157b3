/* SPDX-License-Identifier: Apache-2.0 */
/* Removes entries without a policy, and files of deleted Secrets. */
#pragma once

#include <stdbool.h>

struct entry;

/* Removes the files of a deleted Secret, if allowed now. True: a job has started. */
bool removal_revoke(struct entry *entry);
/* Starts to remove an entry that the policy lacks, if that is proven and allowed now. */
void removal_consider(struct entry *entry);
