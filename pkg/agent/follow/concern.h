/* agent/follow/concern.h - leaves out objects that select other nodes, and asks for a new list when the labels change
 * or when there is room for more objects. follow/objects.h keeps the objects that select this node. Loop thread
 * only. */
#pragma once

#include "agent/follow/follow.h"

/* Returns the node's labels that this kind's selectors see, or NULL if the node has no labels yet. */
const json_t *hf_concern_labels(const struct hf_follow *follow);

/* Informs the source that the agent does not keep this object. `matters`: the source must still report the deletion of
 * the object (kube/source.h). */
void hf_concern_decline(const struct hf_follow *follow, const char *name, bool matters);

/* Removes from the disk an object that the agent no longer keeps, and declines it. `arg` is the struct hf_follow. */
void hf_concern_uncache(void *arg, const char *name);

void hf_concern_relist_if_room(struct hf_follow *follow);

/* Completes a resume point before it goes to the disk. Adds the hash of the labels by which the agent left objects out.
 * While a complete list is outstanding, or an object has found no room, empties the resourceVersion instead, so that a
 * later process lists everything. */
void hf_concern_adapt_resume(const struct hf_follow *follow, struct hf_cache_resume *resume);

/* Empties the resourceVersion of an earlier process if that process left objects out by other labels than the present
 * ones. The source then lists everything. */
void hf_concern_judge_resume(struct hf_follow *follow);

/* Call when the labels that this kind's selectors see have changed. */
void hf_concern_labels_changed(struct hf_follow *follow);

/* Drops the objects that no longer select this node because the node's labels changed. Call it in each turn: it does
 * nothing before the source has reported the Node and a complete list, and while the API server itself does not
 * answer. */
void hf_concern_trim(struct hf_follows *follows);
