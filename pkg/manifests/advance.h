/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/advance.h - from an event to the next action: the move of the table, the record, then the action. */
#pragma once

#include "api/manifest_reason.h"
#include "base/buf.h"
#include "manifests/outcome.h"
#include "manifests/rules/machine.h"
#include "manifests/state/record.h"

struct entry;

/* What a note is about. The next event removes the note, and so does the next success of what it is about. */
enum entry_note_topic {
    ENTRY_NOTE_STEP, /* a step has failed, or cannot go on */
    ENTRY_NOTE_LOOK, /* a look for drift in files, or a repair, has failed */
    ENTRY_NOTE_WAIT, /* the newest set waits for a gate (rules/gate.h), or for the pace of labels */
};

/* A reason and a message for the status, such as the cause of a wait or of a failure. Not saved on disk. */
struct entry_note {
    enum hf_manifest_reason reason; /* HF_MANIFEST_REASON_NONE if the status shows the reason of the record */
    enum entry_note_topic topic;
    char message[HF_RECORD_MESSAGE];
};

/* Makes entry->machine. */
void advance_init(struct entry *entry);
/* Raises an event. `reason` and `message` replace those of the record, unless `reason` is NONE and the phase stays the
 * same. */
void advance_event(struct entry *entry, enum hf_manifest_event event, enum hf_manifest_reason reason,
                   const char *message);
/* Makes the move of the event Go for an attempt that already runs: changes the record in memory, and starts no action.
 * In the phase Applying, leaves the record as it is. The caller must write the record before the first change of the
 * target. */
void advance_begin(struct entry *entry);
/* Starts the action in entry->machine.due. Before that, writes the record if its text is not the same as on disk. Call
 * this function directly if the record has changed but the phase has not. */
void advance_save(struct entry *entry);
/* Takes the bytes of `text`, which is the text of the record on disk now. */
void advance_keep_text(struct entry *entry, struct hf_buf *text);
/* The same for a repair: `saved` is 0 if it has written the text, 1 if not, -errno if that failed. */
void advance_take_saved(struct entry *entry, int saved, struct hf_buf *text);
/* Returns true if `text` is the text of the record on disk. */
bool advance_has_text(const struct entry *entry, const struct hf_buf *text);
/* Sets the note that the status shows (struct entry_note), with the topic ENTRY_NOTE_STEP. Removes any note if `reason`
 * is NONE. */
void advance_note(struct entry *entry, enum hf_manifest_reason reason, const char *message);
/* Sets a note with another topic. If `reason` is NONE, removes the note only if it has this topic. */
void advance_note_about(struct entry *entry, enum entry_note_topic topic, enum hf_manifest_reason reason,
                        const char *message);
/* Returns the monotonic time at which a pause ends that starts now. Each pause is longer than the one before. */
uint64_t advance_pause(struct entry *entry);
/* Sets due_ns, so that the next attempt starts after such a pause. */
void advance_back_off(struct entry *entry);
/* The same after a failure with this reason. If a person has to mend something first (hf_manifest_gate_retry()), no
 * attempt starts before the next interval of the policy. */
void advance_wait(struct entry *entry, enum hf_manifest_reason reason);
/* Returns the message of a failed attempt, for the status. If a removal waits for a person (PruneLimit), it is written
 * to `text` with what allows it; `set` is the set that the attempt places or, for the removal of all, the set in
 * place. */
const char *advance_text(const struct entry *entry, const struct hf_manifest_set *set, enum hf_manifest_reason reason,
                         const char *message, char text[HF_RECORD_MESSAGE]);
/* Notes why a removal did not take place, and when it is tried again. */
void advance_not_removed(struct entry *entry, const struct hf_manifest_outcome *outcome);
/* Call this function when the entry has put files back. For static pods, it sets the mark in memory that the kubelet
 * may not have read the files yet. */
void advance_doubt_pods(struct entry *entry);
