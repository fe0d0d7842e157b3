/* SPDX-License-Identifier: Apache-2.0 */
/* The target Files; StaticPods shares much of it. */
#pragma once

#include "manifests/targets/target.h"

extern const struct target_ops target_files;

bool target_files_remove(struct entry *entry, void (*then)(struct entry *entry));
/* Whether there are files that a removal may take along. */
bool target_files_has(const struct entry *entry);
bool target_files_lacks_all(const struct entry *entry);
