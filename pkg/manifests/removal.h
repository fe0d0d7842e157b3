/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/removal.h - entries that no policy has any more, and deleted Secrets. */
#pragma once

#include <stdbool.h>

struct entry;

/* The files of a deleted Secret, if that is allowed now. True: a job has started. */
bool removal_revoke(struct entry *entry);
/* An entry outside the policy, if hf_manifest_desired.proven and that is allowed now. */
void removal_consider(struct entry *entry);
