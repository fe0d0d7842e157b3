/* SPDX-License-Identifier: Apache-2.0 */
/* Objects for other nodes, which are not kept; lists again when labels have changed, or there is room
 * (follow/objects.h). */
#pragma once

#include "agent/follow/follow.h"

/* The labels for selectors of this kind; NULL: none yet. */
const json_t *hf_concern_labels(const struct hf_follow *follow);

/* The agent does not keep the object. `matters`: kube/source.h. */
void hf_concern_decline(const struct hf_follow *follow, const char *name, bool matters);

/* Removes an object that is not kept any more from the cache on disk. `arg`: struct hf_follow. */
void hf_concern_uncache(void *arg, const char *name);

/* Asks for a list if an object that found no room may find room now. */
void hf_concern_relist_if_room(struct hf_follow *follow);

/* Before it goes to disk. No resourceVersion, so a later process lists: if a list is outstanding, an object has no
 * room, or is unparsable. Else, if objects for other nodes may be left out, the hash of the labels that decided. */
void hf_concern_adapt_resume(const struct hf_follow *follow, struct hf_cache_resume *resume);

/* Empties an earlier process's resourceVersion if the labels have changed since. */
void hf_concern_judge_resume(struct hf_follow *follow);

/* Asks for a list if an object that was left out may select this node or find room now. */
void hf_concern_labels_changed(struct hf_follow *follow);

/* Once per interval: drops what no longer selects this node; of no kind whose complete list, and the Node, have not
 * come from the API server itself. */
void hf_concern_trim(struct hf_follows *follows);
