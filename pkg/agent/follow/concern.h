/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves out objects for other nodes. When labels change, or the table has room again (follow/objects.h), the agent may
 * have to list all objects anew. */
#pragma once

#include "agent/follow/follow.h"

/* The labels that selectors of this kind see; NULL: none yet. */
const json_t *hf_concern_labels(const struct hf_follow *follow);

void hf_concern_decline(const struct hf_follow *follow, const char *name, bool matters);

/* Removes an object from the disk cache, and declines it. `arg`: struct hf_follow. */
void hf_concern_uncache(void *arg, const char *name);

void hf_concern_relist_if_room(struct hf_follow *follow);

/* Empties the resourceVersion if a list is outstanding, or an object is unparsable or without room, so that a later
 * process lists. Else adds the hash of the labels if objects for other nodes may be missing. */
void hf_concern_adapt_resume(const struct hf_follow *follow, struct hf_cache_resume *resume);

/* Empties the resourceVersion if it was saved with other labels. */
void hf_concern_judge_resume(struct hf_follow *follow);

/* Lists again if an object that was left out may now select this node or find room. */
void hf_concern_labels_changed(struct hf_follow *follow);

/* Drops objects that no longer select this node. Skips kinds that have not come completely from the API server or a
 * folder, and all kinds before the Node has come. */
void hf_concern_trim(struct hf_follows *follows);
