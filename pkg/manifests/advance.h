/* SPDX-License-Identifier: Apache-2.0 */
/* From an event to the next action: the move of the table, the record, then the action. */
#pragma once

#include "api/manifest_reason.h"
#include "base/buf.h"
#include "manifests/outcome.h"
#include "manifests/rules/machine.h"
#include "manifests/state/record.h"

struct entry;

/* The next event removes the note, and so does the next success of its topic. */
enum entry_note_topic {
    ENTRY_NOTE_STEP,
    ENTRY_NOTE_LOOK, /* a look for drift in files, or a repair, has failed */
    ENTRY_NOTE_WAIT, /* the newest set waits for a gate (rules/gate.h), or for the pace of labels */
};

/* A reason and a message for the status, such as why it waits; not on disk. */
struct entry_note {
    enum hf_manifest_reason reason; /* HF_MANIFEST_REASON_NONE if the status shows the reason of the record */
    enum entry_note_topic topic;
    char message[HF_RECORD_MESSAGE];
};

void advance_init(struct entry *entry);
/* `reason` and `message` replace those of the record, unless `reason` is NONE and the phase stays. */
void advance_event(struct entry *entry, enum hf_manifest_event event, enum hf_manifest_reason reason,
                   const char *message);
/* The move of Go for an attempt that already runs: changes the record in memory (not in the phase Applied), and starts
 * no action. The caller writes the record before the first change of the target. */
void advance_begin(struct entry *entry);
/* Writes the record if its text differs from that on disk, then starts the action in entry->machine.due. Call it if the
 * record has changed but the phase has not. */
void advance_save(struct entry *entry);
/* Takes the bytes of `text`, which is on disk now. */
void advance_keep_text(struct entry *entry, struct hf_buf *text);
/* The same for a repair: `saved` is 0 if it has written the text, 1 if not, -errno if that failed. */
void advance_take_saved(struct entry *entry, int saved, struct hf_buf *text);
/* `text` is the record's text on the disk. */
bool advance_has_text(const struct entry *entry, const struct hf_buf *text);
/* Sets the note, with topic ENTRY_NOTE_STEP; NONE removes any note. */
void advance_note(struct entry *entry, enum hf_manifest_reason reason, const char *message);
/* Sets a note with this topic; NONE removes only a note of this topic. */
void advance_note_about(struct entry *entry, enum entry_note_topic topic, enum hf_manifest_reason reason,
                        const char *message);
/* Monotonic end of a pause that starts now, longer than the one before. */
uint64_t advance_pause(struct entry *entry);
/* Sets due_ns after such a pause. */
void advance_back_off(struct entry *entry);
/* A removal that waits for a person (PruneLimit) is told in `text` with what allows it; `set`: the one to place, or for
 * the removal of all the one in place. */
const char *advance_text(const struct entry *entry, const struct hf_manifest_set *set, enum hf_manifest_reason reason,
                         const char *message, char text[HF_RECORD_MESSAGE]);
/* Notes why a removal did not take place, and when it is tried again. */
void advance_not_removed(struct entry *entry, const struct hf_manifest_outcome *outcome);
/* The entry has put files back, which the kubelet may not have read yet. */
void advance_doubt_pods(struct entry *entry);
