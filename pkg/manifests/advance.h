/* SPDX-License-Identifier: Apache-2.0 */
/* Turns an event of an entry into its next action: makes the move, saves the record, starts the action. */
#pragma once

#include "api/manifest_reason.h"
#include "base/buf.h"
#include "manifests/outcome.h"
#include "manifests/rules/machine.h"
#include "manifests/state/record.h"

struct entry;

/* A note stays until the next event or note, or until its topic succeeds. */
enum entry_note_topic {
    ENTRY_NOTE_STEP,
    ENTRY_NOTE_LOOK, /* from a look for drift or a repair */
    /* the entry waits for a gate (rules/gate.h), for the pace of label changes, or for removalGrace to end */
    ENTRY_NOTE_WAIT,
};

/* Why an entry waits, as the status shows it, or an attempt fails; not on disk. */
struct entry_note {
    enum hf_manifest_reason reason; /* NONE: the status shows the record's reason */
    enum entry_note_topic topic;
    char message[HF_RECORD_MESSAGE];
};

void advance_init(struct entry *entry);
/* `reason` and `message` replace those of the record, unless `reason` is NONE and the phase stays. */
void advance_event(struct entry *entry, enum hf_manifest_event event, enum hf_manifest_reason reason,
                   const char *message);
/* Moves to Applying, unless the entry is there. Changes only the record in memory: the caller saves it before the
 * target changes. */
void advance_begin(struct entry *entry);
/* Writes a record that changed within its phase, unless its text is on disk already, then starts the action in
 * entry->machine.due. */
void advance_save(struct entry *entry);
/* Called after a job has written the record: takes over `text`, which is on disk now. */
void advance_keep_text(struct entry *entry, struct hf_buf *text);
/* Called after a repair. `saved`: 0 if `text` is on disk now, 1 if it was not written, -errno if nobody knows. */
void advance_take_saved(struct entry *entry, int saved, struct hf_buf *text);
/* Whether `text` is on disk. */
bool advance_has_text(const struct entry *entry, const struct hf_buf *text);
/* Sets a note of topic ENTRY_NOTE_STEP. NONE removes the note, whatever its topic. */
void advance_note(struct entry *entry, enum hf_manifest_reason reason, const char *message);
/* Sets a note of this topic. NONE removes the note only if it has this topic. */
void advance_note_about(struct entry *entry, enum entry_note_topic topic, enum hf_manifest_reason reason,
                        const char *message);
/* Returns the monotonic end of a pause that starts now; pauses tend to grow, up to retry_cap_ns. */
uint64_t advance_pause(struct entry *entry);
void advance_back_off(struct entry *entry);
/* Returns `message`; for PruneLimit adds advice how to allow the removal. `set`: the set to place or, if all
 * items go, the set in place. */
const char *advance_text(const struct entry *entry, const struct hf_manifest_set *set, enum hf_manifest_reason reason,
                         const char *message, char text[HF_RECORD_MESSAGE]);
void advance_not_removed(struct entry *entry, const struct hf_manifest_outcome *outcome);
/* Records that the kubelet may not have read static pods that were put back. */
void advance_doubt_pods(struct entry *entry);
