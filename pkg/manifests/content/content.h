/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/content/content.h - what the source of an entry delivers: checked, paced, and passed to the store.
 * rules/content_machine.h has its states. Threads: loop thread only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "manifests/advance.h"
#include "manifests/rules/content_machine.h"
#include "manifests/source/source.h"
#include "manifests/state/record.h"

struct entry;
struct job;

/* Zeroed memory is a content that no source delivers. */
struct content {
    enum hf_content_intake intake;
    enum hf_content_slot slot;
    struct hf_manifest_source *source; /* NULL: none runs */
    struct hf_bundle *incoming;        /* delivered, and in no store yet; owned; NULL: none */
    char incoming_revision[HF_RECORD_REVISION];
    char incoming_from[HF_SHA256_HEX]; /* hf_manifest_source_key() of the source that delivered `incoming` */
    char wanted_from[HF_SHA256_HEX];   /* hf_manifest_source_key() of the wanted entry; "": the policy has none */
    uint64_t storing_bytes;            /* of the content that a job writes to disk */
    char unstored[HF_SHA256_HEX];      /* digest of a content that the disk did not take; "": none */
    struct hf_content_pace pace;       /* limits new contents, and sets made new by other labels */
    struct hf_content_hold hold;
    struct hf_content_reads reads; /* of the newest set's content */
    struct entry_note note;        /* what is wrong with the source */
    /* DigestMismatch if the newest content does not have the contentDigest. Kept beside `note`, because a source
     * delivers each content once and then reports it as unchanged. */
    struct entry_note mismatch;
};

/* ---- of the struct alone ----------------------------------------------------------------------------------------- */

/* Makes the move of an event, which the caller has carried out. */
void content_move(struct content *content, enum hf_content_event event);
/* Takes over a delivered bundle, in the place of one that waits. */
void content_put(struct content *content, struct hf_bundle *bundle, const char *revision);
/* Returns the bundle that waits, for its store; NULL: none waits. The caller owns it. */
struct hf_bundle *content_take(struct content *content);
/* Notes a problem of the source; NONE: there is none. Returns true if it is news. */
bool content_note(struct content *content, enum hf_manifest_reason reason, const char *message);
/* Returns true if the bundle does not have the digest `pinned` (NULL: any), and notes that in `mismatch`. */
bool content_mismatches(struct content *content, const struct hf_bundle *bundle, const char *pinned);
/* Forgets what was said about the content of another entry. `from` is the new wanted_from. The source has stopped. */
void content_renew(struct content *content, const char from[HF_SHA256_HEX]);
static inline bool content_waits(const struct content *content)
{
    return content->incoming != NULL;
}
/* Bytes that are in memory until they are in a store. */
uint64_t content_bytes(const struct content *content);

/* ---- of an entry ------------------------------------------------------------------------------------------------- */

/* Starts the source of the wanted entry, unless it runs or may not run. */
void content_follow(struct entry *entry);
/* Frees the source, and the content that waits. */
void content_stop(struct entry *entry);
/* Stops or starts the source where a hold begins or ends. Call it in each turn. */
void content_hold(struct entry *entry);
/* An interval of the policy has passed: asks the source for news. */
void content_check(struct entry *entry);
/* Takes a token of the pace for a set that is new because of the node's labels. If it has to wait, writes why into
 * `text` and returns false. */
bool content_pace_takes(struct entry *entry, char text[HF_RECORD_MESSAGE]);
/* The content of this set is lost. Has the source deliver it again, if it is the newest: no source has older ones. */
void content_lost(struct entry *entry, const struct hf_manifest_set *set);
/* A job has tried to read the content of the newest set. Sets the reason SourceUnreachable if it counts as lost now. */
void content_count_unreadable(struct entry *entry, struct job *job);
/* The same for a repair of the good set. If the content is lost, calls content_lost(). */
void content_repair_ended(struct entry *entry, struct job *job);
/* Notes and logs a problem of the source; NONE: there is none. */
void content_tell(struct entry *entry, enum hf_manifest_reason reason, const char *message);
/* Passes a delivered content to its store. Returns true if a step has started. */
bool content_consider(struct entry *entry);
