/* SPDX-License-Identifier: Apache-2.0 */
/* From an event to the next action: move, record, action. */
#pragma once

#include "api/manifest_reason.h"
#include "base/buf.h"
#include "manifests/outcome.h"
#include "manifests/rules/machine.h"
#include "manifests/state/record.h"

struct entry;

/* A note stays until the next event, or the next success of its topic. */
enum entry_note_topic {
    ENTRY_NOTE_STEP,
    ENTRY_NOTE_LOOK, /* a look for drift or a repair has failed */
    ENTRY_NOTE_WAIT, /* for a gate (rules/gate.h), the pace of labels, or the end of a removal's grace */
};

/* Why an entry waits, for the status; not on disk. */
struct entry_note {
    enum hf_manifest_reason reason; /* HF_MANIFEST_REASON_NONE: the record's is shown */
    enum entry_note_topic topic;
    char message[HF_RECORD_MESSAGE];
};

void advance_init(struct entry *entry);
/* `reason` and `message` replace those of the record, unless `reason` is NONE and the phase stays. */
void advance_event(struct entry *entry, enum hf_manifest_event event, enum hf_manifest_reason reason,
                   const char *message);
/* Makes the move of Go, unless the phase is Applying already; changes only the record in memory. The caller saves the
 * record before the target changes. */
void advance_begin(struct entry *entry);
/* After a change of the record in the same phase: writes it if its text differs from that on disk, then starts the
 * action in entry->machine.due. */
void advance_save(struct entry *entry);
/* For jobs that write the record. _keep_text() takes `text`, which is on disk now. _take_saved(): `saved` of struct
 * repair: 0 as _keep_text(), 1 nothing, -errno forgets what is on disk. _has_text(): is `text` on disk? */
void advance_keep_text(struct entry *entry, struct hf_buf *text);
void advance_take_saved(struct entry *entry, int saved, struct hf_buf *text);
bool advance_has_text(const struct entry *entry, const struct hf_buf *text);
/* Note of ENTRY_NOTE_STEP; NONE removes a note of any topic. */
void advance_note(struct entry *entry, enum hf_manifest_reason reason, const char *message);
/* NONE removes only a note of this topic. */
void advance_note_about(struct entry *entry, enum entry_note_topic topic, enum hf_manifest_reason reason,
                        const char *message);
/* Monotonic end of a pause that starts now; each is longer than the last. */
uint64_t advance_pause(struct entry *entry);
/* Sets entry->due_ns to advance_pause(). */
void advance_back_off(struct entry *entry);
/* `message`; for PruneLimit followed by what allows the removal. `set`: to place or, if all items go, in place. */
const char *advance_text(const struct entry *entry, const struct hf_manifest_set *set, enum hf_manifest_reason reason,
                         const char *message, char text[HF_RECORD_MESSAGE]);
/* Notes why a removal failed, and when to try again. */
void advance_not_removed(struct entry *entry, const struct hf_manifest_outcome *outcome);
/* Static pods: the kubelet may not have read files that were put back. */
void advance_doubt_pods(struct entry *entry);
