/* SPDX-License-Identifier: Apache-2.0 */
/* agent/follow/concern.h - which objects select other nodes, so that the agent does not keep them, and when to list
 * again: the node's labels have changed, or the table has room for more (follow/objects.h). Threads: loop thread
 * only. */
#pragma once

#include "agent/follow/follow.h"

/* The labels with which selectors of this kind are compared; NULL before the agent has any. */
const json_t *hf_concern_labels(const struct hf_follow *follow);

/* The agent does not keep this object. `matters` as in kube/source.h. */
void hf_concern_decline(const struct hf_follow *follow, const char *name, bool matters);

/* The same for an object that it kept: removes it from the cache on disk. `arg` is the struct hf_follow. */
void hf_concern_uncache(void *arg, const char *name);

/* Asks for a list if an object that found no room may find room now. */
void hf_concern_relist_if_room(struct hf_follow *follow);

/* Adapts a resume point before it goes to disk. No resourceVersion, so that a later process lists: if a list is
 * outstanding, an object has no room, or the source cannot parse one. Otherwise, if objects for other nodes may have
 * been left out, the hash of the labels by which that was decided. */
void hf_concern_adapt_resume(const struct hf_follow *follow, struct hf_cache_resume *resume);

/* Empties the resourceVersion of an earlier process if the labels have changed since it chose its objects. */
void hf_concern_judge_resume(struct hf_follow *follow);

/* The result of hf_concern_labels() has changed: asks for a list if an object that was left out may select this node or
 * find room now. */
void hf_concern_labels_changed(struct hf_follow *follow);

/* Once per interval of the policy: drops objects that no longer select this node. Skips a kind until its complete list
 * and the Node have come from the API server itself. */
void hf_concern_trim(struct hf_follows *follows);
