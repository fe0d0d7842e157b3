/* SPDX-License-Identifier: Apache-2.0 */
/* Objects for other nodes are not kept: changed labels or new room (follow/objects.h) need another list. */
#pragma once

#include "agent/follow/follow.h"

/* The labels for selectors of this kind; NULL: none yet. */
const json_t *hf_concern_labels(const struct hf_follow *follow);

/* Not kept. `matters`: kube/source.h. */
void hf_concern_decline(const struct hf_follow *follow, const char *name, bool matters);

/* Removes an object from the cache on disk. `arg`: struct hf_follow. */
void hf_concern_uncache(void *arg, const char *name);

void hf_concern_relist_if_room(struct hf_follow *follow);

/* For the disk. Without resourceVersion, so that a later process lists, if a list is outstanding, an object has no
 * room, or is unparsable. Else, if others' objects may be left out, with the hash of the labels that decided. */
void hf_concern_adapt_resume(const struct hf_follow *follow, struct hf_cache_resume *resume);

/* Empties the resourceVersion if labels have changed since. */
void hf_concern_judge_resume(struct hf_follow *follow);

/* Lists if an object left out may select this node or find room now. */
void hf_concern_labels_changed(struct hf_follow *follow);

/* Once per interval: drops what no longer selects this node, but only of kinds that have come completely, with the
 * Node, from the API server itself. */
void hf_concern_trim(struct hf_follows *follows);
