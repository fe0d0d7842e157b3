/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/removal.h - an entry that no policy has any more, and a Secret that was deleted. */
#pragma once

#include <stdbool.h>

struct entry;

/* If entry->revoked is true and a removal is allowed now, starts to remove the files of the deleted Secret. Returns
 * true if it has started a job. */
bool removal_revoke(struct entry *entry);
/* Starts to remove an entry that is not in the policy, if hf_manifest_desired.proven is true and a removal is allowed
 * now. */
void removal_consider(struct entry *entry);
