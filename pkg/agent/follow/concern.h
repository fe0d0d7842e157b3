/* SPDX-License-Identifier: Apache-2.0 */
/* Objects for other nodes are not kept: when labels change, or there is room again (follow/objects.h), the agent lists
 * again. */
#pragma once

#include "agent/follow/follow.h"

/* The labels for selectors of this kind; NULL: none yet. */
const json_t *hf_concern_labels(const struct hf_follow *follow);

/* Calls the source's decline(). `matters`: kube/source.h. */
void hf_concern_decline(const struct hf_follow *follow, const char *name, bool matters);

/* Removes an object from the cache on disk, and declines it. `arg`: struct hf_follow. */
void hf_concern_uncache(void *arg, const char *name);

void hf_concern_relist_if_room(struct hf_follow *follow);

/* Empties the resourceVersion, so that a later process lists, if a list is outstanding, or an object has no room or is
 * unparsable. Else adds the hash of the labels if objects for other nodes may be left out. */
void hf_concern_adapt_resume(const struct hf_follow *follow, struct hf_cache_resume *resume);

/* Empties the resourceVersion if labels have changed since. */
void hf_concern_judge_resume(struct hf_follow *follow);

/* Lists if an object left out may select this node or find room now. */
void hf_concern_labels_changed(struct hf_follow *follow);

/* Once per interval: drops objects that no longer select this node, of each kind that has come completely from the API
 * server itself, once the Node has come. */
void hf_concern_trim(struct hf_follows *follows);
