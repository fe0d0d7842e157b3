/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/files/place_impl.h - functions that place.c, stage.c and swap.c share. Only these files include this
 * header. */
#pragma once

#include "base/clock.h"
#include "manifests/files/place.h"

/* Fills the outcome with the reason for the errno `r` and the text of *err. Returns `r`. */
int hf_files_place_fail(struct hf_manifest_outcome *outcome, int r, struct hf_err *err);
/* Starts a walk from the root of the node within the bounds of `place`. */
HF_MUST_USE int hf_files_place_walk(const struct hf_files_place *place, struct hf_files_walk *walk, struct hf_err *err);
/* `fd` is a folder on the way to the target. Fails with -EMEDIUMTYPE unless its file system keeps files in memory. */
HF_MUST_USE int hf_files_place_check_memory(const struct hf_files_place *place, int fd, struct hf_err *err);
/* Returns true if `st` has the size of `item`, and the inode and times that the last look recorded in `item`, and these
 * prove that the content is the same. */
bool hf_files_place_unchanged(const struct hf_inventory_item *item, const struct stat *st);
/* Returns true if `have`, an item of the inventory or NULL, is a file with the mode, owner and content of `item`. If
 * the inventory does not know the content, mode and owner decide. */
bool hf_files_place_has_recorded(const struct hf_inventory_item *have, const struct hf_files_item *item);
/* Writes the name of the staging folder. */
void hf_files_place_stage_name(const struct hf_files_place *place, char name[NAME_MAX + 1]);
/* Makes the target's folder if it is missing, and opens the folder that will contain the staging folder. Writes the
 * path of the opened folder into `folder`. Returns a descriptor that the walk owns, or -errno. */
HF_MUST_USE int hf_files_place_find_stage(const struct hf_files_place *place, struct hf_files_walk *walk,
                                          char folder[HF_FILES_MAX_PATH], struct hf_err *err);
