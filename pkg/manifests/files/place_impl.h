/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by place.c, stage.c, swap.c and before.c. */
#pragma once

#include "base/clock.h"
#include "manifests/files/place.h"

int hf_files_place_fail(struct hf_manifest_outcome *outcome, int r, struct hf_err *err);
/* Starts a walk at the node's root, with the guard and closed folders of `place`. */
HF_MUST_USE int hf_files_place_walk(const struct hf_files_place *place, struct hf_files_walk *walk, struct hf_err *err);
/* Checks that `fd`, a folder on the way to the target, is in memory; else -EMEDIUMTYPE. */
HF_MUST_USE int hf_files_place_check_memory(const struct hf_files_place *place, int fd, struct hf_err *err);
/* Whether `have` (may be NULL) has mode, owner and content of `item`; unknown content counts as equal. */
bool hf_files_place_has_recorded(const struct hf_inventory_item *have, const struct hf_files_item *item);
void hf_files_place_stage_name(const struct hf_files_place *place, char name[NAME_MAX + 1]);
/* Makes the target's folder if needed, and opens the staging folder's parent. Returns its descriptor, which the walk
 * owns; `folder` gets its path. */
HF_MUST_USE int hf_files_place_find_stage(const struct hf_files_place *place, struct hf_files_walk *walk,
                                          char folder[HF_FILES_MAX_PATH], struct hf_err *err);
