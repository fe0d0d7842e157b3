/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by place.c, stage.c and swap.c alone. */
#pragma once

#include "base/clock.h"
#include "manifests/files/place.h"

/* Fills the outcome from the errno `r` and *err. Returns `r`. */
int hf_files_place_fail(struct hf_manifest_outcome *outcome, int r, struct hf_err *err);
/* From the root of the node, within the bounds of `place`. */
HF_MUST_USE int hf_files_place_walk(const struct hf_files_place *place, struct hf_files_walk *walk, struct hf_err *err);
/* `fd`: a folder on the way to the target. -EMEDIUMTYPE: its file system is not one in memory. */
HF_MUST_USE int hf_files_place_check_memory(const struct hf_files_place *place, int fd, struct hf_err *err);
/* `have` (may be NULL) is a file with the mode, owner and content of `item`; of unknown content, mode and owner
 * decide. */
bool hf_files_place_has_recorded(const struct hf_inventory_item *have, const struct hf_files_item *item);
void hf_files_place_stage_name(const struct hf_files_place *place, char name[NAME_MAX + 1]);
/* Makes the target's folder if it is missing; opens the folder for the staging folder, with its path in `folder`. The
 * walk owns the descriptor. */
HF_MUST_USE int hf_files_place_find_stage(const struct hf_files_place *place, struct hf_files_walk *walk,
                                          char folder[HF_FILES_MAX_PATH], struct hf_err *err);
