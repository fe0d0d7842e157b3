/* SPDX-License-Identifier: Apache-2.0 */
/* From an event to the next action: move, record, action. */
#pragma once

#include "api/manifest_reason.h"
#include "base/buf.h"
#include "manifests/outcome.h"
#include "manifests/rules/machine.h"
#include "manifests/state/record.h"

struct entry;

/* The next event removes a note, and so does the next success of its topic. */
enum entry_note_topic {
    ENTRY_NOTE_STEP,
    ENTRY_NOTE_LOOK, /* a look for drift or a repair has failed */
    ENTRY_NOTE_WAIT, /* for a gate (rules/gate.h), or for the pace of labels */
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
/* The move of Go for an attempt that runs: changes only the record in memory (not in Applied). The caller saves it
 * before the target changes. */
void advance_begin(struct entry *entry);
/* After a change of the record in the same phase: writes it if its text differs from that on disk, then starts the
 * action in entry->machine.due. */
void advance_save(struct entry *entry);
/* _keep_text() takes the bytes of `text`, the record as it is on disk now. _take_saved() does so if `saved`, the result
 * of a repair, is 0 (written) and not 1 (not written) or -errno. _has_text(): is `text` on disk? */
void advance_keep_text(struct entry *entry, struct hf_buf *text);
void advance_take_saved(struct entry *entry, int saved, struct hf_buf *text);
bool advance_has_text(const struct entry *entry, const struct hf_buf *text);
/* NONE removes any note; else its topic is ENTRY_NOTE_STEP. */
void advance_note(struct entry *entry, enum hf_manifest_reason reason, const char *message);
/* NONE removes only a note of this topic. */
void advance_note_about(struct entry *entry, enum entry_note_topic topic, enum hf_manifest_reason reason,
                        const char *message);
/* Monotonic end of a pause that starts now, longer than the last. */
uint64_t advance_pause(struct entry *entry);
/* Sets due_ns after such a pause. */
void advance_back_off(struct entry *entry);
/* `message`; of PruneLimit followed by what allows the removal of items. `set`: the one to place or, to remove all, in
 * place. */
const char *advance_text(const struct entry *entry, const struct hf_manifest_set *set, enum hf_manifest_reason reason,
                         const char *message, char text[HF_RECORD_MESSAGE]);
/* Notes why a removal failed, and when to try again. */
void advance_not_removed(struct entry *entry, const struct hf_manifest_outcome *outcome);
/* Files were put back, which the kubelet may not have read yet. */
void advance_doubt_pods(struct entry *entry);
