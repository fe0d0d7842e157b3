/* agent/follow/concern.h - leaves out objects that select other nodes, and lists again when labels change or room
 * appears. follow/objects.h keeps the others. Loop thread only. */
#pragma once

#include "agent/follow/follow.h"

/* Returns the labels for this kind's selectors; NULL: not known yet. */
const json_t *hf_concern_labels(const struct hf_follow *follow);

/* Tells the source that the agent does not keep this object. `matters`: the source shall still report the object's
 * deletion (kube/source.h). */
void hf_concern_decline(const struct hf_follow *follow, const char *name, bool matters);

/* Removes an object from the disk that the agent no longer keeps. `arg` is the struct hf_follow. */
void hf_concern_uncache(void *arg, const char *name);

void hf_concern_relist_if_room(struct hf_follow *follow);

/* Completes a resume point before it goes to the disk: adds the hash of the labels by which objects were left out,
 * and empties it while a complete list is outstanding. */
void hf_concern_adapt_resume(const struct hf_follow *follow, struct hf_cache_resume *resume);

/* Clears the resume point of an earlier process if that process left objects out by other labels: the source then
 * lists everything. */
void hf_concern_judge_resume(struct hf_follow *follow);

/* Call when the labels that this kind's selectors see have changed. */
void hf_concern_labels_changed(struct hf_follow *follow);

/* Drops the objects that no longer select this node after a change of its labels, once the source has confirmed
 * those labels. */
void hf_concern_trim(struct hf_follows *follows);
