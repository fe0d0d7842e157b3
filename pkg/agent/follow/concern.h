/* SPDX-License-Identifier: Apache-2.0 */
/* agent/follow/concern.h - decides which objects select other nodes, so that the agent does not keep them. Asks the
 * source for a new list when the node's labels change or when the table of objects has room for more. follow/objects.h
 * keeps the objects that select this node. Threads: loop thread only. */
#pragma once

#include "agent/follow/follow.h"

/* Returns the labels of this node with which to compare the selectors of the objects of this kind. Returns NULL before
 * the agent has labels. */
const json_t *hf_concern_labels(const struct hf_follow *follow);

/* Informs the source that the agent does not keep this object. Pass matters = true if the source must still report the
 * deletion of the object (kube/source.h). */
void hf_concern_decline(const struct hf_follow *follow, const char *name, bool matters);

/* Call this function when the agent no longer keeps an object. It removes the object from the cache on disk and calls
 * hf_concern_decline() for the object. `arg` is the struct hf_follow. */
void hf_concern_uncache(void *arg, const char *name);

/* Asks the source for a new list if an object that found no room in the table may find room now. */
void hf_concern_relist_if_room(struct hf_follow *follow);

/* Changes a resume point before it is saved to disk. Empties the resourceVersion in three cases, so that a later
 * process lists all objects: a complete list is outstanding, an object has no room in the table, or the source cannot
 * parse an object. In other cases, if the agent may have left out objects for other nodes, adds the hash of the labels
 * by which the agent decided this. */
void hf_concern_adapt_resume(const struct hf_follow *follow, struct hf_cache_resume *resume);

/* Checks the resume point of an earlier process. If the node's labels have changed since that process decided which
 * objects to keep, empties the resourceVersion, so that the source lists all objects. */
void hf_concern_judge_resume(struct hf_follow *follow);

/* Call this function when the labels that hf_concern_labels() returns for this kind have changed. Asks the source for a
 * new list if an object that the table does not keep may now select this node or find room. */
void hf_concern_labels_changed(struct hf_follow *follow);

/* Drops the objects that no longer select this node because the node's labels have changed. Call this function once per
 * interval of the policy. Skips a kind while this process lacks the complete list of this kind or the Node itself, and
 * while the answers do not come from the API server itself. */
void hf_concern_trim(struct hf_follows *follows);
