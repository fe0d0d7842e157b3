/* SPDX-License-Identifier: Apache-2.0 */
/* The action `roll back` of the targets Files and StaticPods. */
#pragma once

#include "base/err.h"
#include "manifests/state/inventory.h"

struct entry;

void restore_start(struct entry *entry);
/* Worker: takes the items of `list`, which may be somebody else's, out of the inventory. */
int restore_disown(struct entry *entry, const struct hf_inventory *list, struct hf_err *err);
