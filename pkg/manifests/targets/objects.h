/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/targets/objects.h - the actions of the target Cluster. */
#pragma once

#include "manifests/state/record.h"
#include <stdbool.h>

struct entry;

bool objects_is(const struct hf_manifest_set *set); /* Returns true if the set's target is Cluster. */
void objects_place(struct entry *entry);
void objects_probe(struct entry *entry);
void objects_rollback(struct entry *entry);
bool objects_drift_consider(struct entry *entry);
/* Starts to delete every object in the inventory, unless the guard of removals (rules/plan.h) stops it. The caller has
 * checked that a removal is allowed now. */
void objects_remove(struct entry *entry);
