/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry's source delivers: checked, paced, passed to the store. States: rules/content_machine.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "manifests/advance.h"
#include "manifests/rules/content_machine.h"
#include "manifests/source/source.h"
#include "manifests/state/record.h"

struct entry;
struct job;

/* Zeroed: no source. */
struct content {
    enum hf_content_intake intake;
    enum hf_content_slot slot;
    struct hf_manifest_source *source;
    struct hf_bundle *incoming; /* in no store yet; owned */
    char incoming_revision[HF_RECORD_REVISION];
    char incoming_from[HF_SHA256_HEX]; /* hf_manifest_source_key() of its source */
    char wanted_from[HF_SHA256_HEX];   /* hf_manifest_source_key() of the wanted entry */
    uint64_t storing_bytes;
    char unstored[HF_SHA256_HEX]; /* digest that the disk did not take */
    struct hf_content_pace pace;  /* of new contents, and sets that only labels made new */
    struct hf_content_hold hold;
    struct hf_content_reads reads; /* of the newest set's content */
    struct entry_note note;
    /* DigestMismatch of the newest content; kept apart from `note`: the source delivers that content once, then calls
     * `unchanged`. */
    struct entry_note mismatch;
};

/* ---- of the struct alone ----------------------------------------------------------------------------------------- */

/* The caller has done what the event says. */
void content_move(struct content *content, enum hf_content_event event);
/* Takes over a bundle, in the place of one that waits. */
void content_put(struct content *content, struct hf_bundle *bundle, const char *revision);
/* The waiting bundle, now the caller's. */
struct hf_bundle *content_take(struct content *content);
/* Sets `note`; NONE: no problem. True: it has changed. */
bool content_note(struct content *content, enum hf_manifest_reason reason, const char *message);
/* True: the digest is not `pinned` (NULL: any), and `mismatch` says so. */
bool content_mismatches(struct content *content, const struct hf_bundle *bundle, const char *pinned);
/* The wanted entry is another, and the source has stopped. */
void content_renew(struct content *content, const char from[HF_SHA256_HEX]);
static inline bool content_waits(const struct content *content)
{
    return content->incoming != NULL;
}
/* Bytes in memory that are in no store yet. */
uint64_t content_bytes(const struct content *content);

/* ---- of an entry ------------------------------------------------------------------------------------------------- */

/* Starts the source if permitted. */
void content_follow(struct entry *entry);
/* Frees source and waiting content. */
void content_stop(struct entry *entry);
/* In each turn of the loop: starts or stops the source by its hold. */
void content_hold(struct entry *entry);
/* Once per interval of the policy: asks the source for new content. */
void content_check(struct entry *entry);
/* For a set that the node's labels made new. False: it waits, and `text` says why. */
bool content_pace_takes(struct entry *entry, char text[HF_RECORD_MESSAGE]);
/* The content of this set is lost. Asks the source for it again if it is the newest content. */
void content_lost(struct entry *entry, const struct hf_manifest_set *set);
/* After a job has tried to read the newest set's content. SourceUnreachable: it is lost now. */
void content_count_unreadable(struct entry *entry, struct job *job);
/* After a repair of the good set; content_lost() if it is lost. */
void content_repair_ended(struct entry *entry, struct job *job);
/* content_note() with a log line. */
void content_tell(struct entry *entry, enum hf_manifest_reason reason, const char *message);
/* Passes a delivered content to its store. True: a step has started. */
bool content_consider(struct entry *entry);
