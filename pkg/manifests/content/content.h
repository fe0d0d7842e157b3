/* SPDX-License-Identifier: Apache-2.0 */
/* Checks and paces what an entry's source delivers, and passes it to the store. States: rules/content_machine.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "manifests/advance.h"
#include "manifests/rules/content_machine.h"
#include "manifests/source/source.h"
#include "manifests/state/record.h"

struct entry;
struct job;

struct content {
    enum hf_content_intake intake;
    enum hf_content_slot slot;
    struct hf_manifest_source *source;
    struct hf_bundle *incoming; /* owned; delivered, and in no store yet */
    char incoming_revision[HF_RECORD_REVISION];
    char incoming_from[HF_SHA256_HEX];
    char wanted_from[HF_SHA256_HEX];
    uint64_t storing_bytes;
    char unstored[HF_SHA256_HEX]; /* digest of a content that the disk failed to store */
    struct hf_content_pace pace;  /* limits new contents, and sets that are new only by changed labels */
    struct hf_content_hold hold;
    struct hf_content_reads reads;
    struct entry_note note;
    /* DigestMismatch of the newest content, kept because the source does not deliver that content again */
    struct entry_note mismatch;
};

/* ---- of the struct alone ----------------------------------------------------------------------------------------- */

void content_move(struct content *content, enum hf_content_event event);
/* Takes over a bundle, which replaces a waiting one. */
void content_put(struct content *content, struct hf_bundle *bundle, const char *revision);
/* Returns the waiting bundle, which the caller then owns, or NULL. */
struct hf_bundle *content_take(struct content *content);
/* Sets `note` (reason NONE: no problem). Returns whether it has changed. */
bool content_note(struct content *content, enum hf_manifest_reason reason, const char *message);
/* Whether the bundle's digest differs from `pinned` (NULL: any will do); sets `mismatch` accordingly. */
bool content_mismatches(struct content *content, const struct hf_bundle *bundle, const char *pinned);
void content_renew(struct content *content, const char from[HF_SHA256_HEX]);
static inline bool content_waits(const struct content *content)
{
    return content->incoming != NULL;
}
uint64_t content_bytes(const struct content *content);

/* ---- of an entry ------------------------------------------------------------------------------------------------- */

/* Starts the source if it may start now. */
void content_follow(struct entry *entry);
void content_stop(struct entry *entry);
/* Stops the source during a hold, and starts it afterwards. */
void content_hold(struct entry *entry);
/* Called once per interval of the policy: asks the source for new content, or tries to start it. */
void content_check(struct entry *entry);
/* Takes a token for a set that is new only by changed labels. Returns false if there is no token; `text` says so. */
bool content_pace_takes(struct entry *entry, char text[HF_RECORD_MESSAGE]);
/* Called when this set's content is lost: if it is the newest content, the source delivers it again. */
void content_lost(struct entry *entry, const struct hf_manifest_set *set);
/* Counts a job's read of the newest content. If the content counts as lost, the job's reason becomes
 * SourceUnreachable. */
void content_count_unreadable(struct entry *entry, struct job *job);
/* Called after a repair of the good set; calls content_lost() if its content is lost. */
void content_repair_ended(struct entry *entry, struct job *job);
void content_tell(struct entry *entry, enum hf_manifest_reason reason, const char *message);
/* Passes a delivered content to its store. Returns whether a step has started. */
bool content_consider(struct entry *entry);
