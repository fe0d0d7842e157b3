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

/* Zeroed: no source delivers it. */
struct content {
    enum hf_content_intake intake;
    enum hf_content_slot slot;
    struct hf_manifest_source *source; /* NULL: none runs */
    struct hf_bundle *incoming;        /* in no store yet; owned; NULL: none */
    char incoming_revision[HF_RECORD_REVISION];
    char incoming_from[HF_SHA256_HEX]; /* hf_manifest_source_key() of its source */
    char wanted_from[HF_SHA256_HEX];   /* the same of the wanted entry; "": the policy has none */
    uint64_t storing_bytes;            /* which a job writes to disk */
    char unstored[HF_SHA256_HEX];      /* digest that the disk did not take; "": none */
    struct hf_content_pace pace;       /* of new contents, and of sets made new by labels */
    struct hf_content_hold hold;
    struct hf_content_reads reads; /* of the newest set's content */
    struct entry_note note;        /* about the source */
    /* DigestMismatch of the newest content. Not in `note`: a source delivers each content once, then says
     * "unchanged". */
    struct entry_note mismatch;
};

/* ---- of the struct alone ----------------------------------------------------------------------------------------- */

/* The caller has carried it out. */
void content_move(struct content *content, enum hf_content_event event);
/* Takes over a delivered bundle, in the place of one that waits. */
void content_put(struct content *content, struct hf_bundle *bundle, const char *revision);
/* The bundle that waits for its store, now the caller's; NULL: none. */
struct hf_bundle *content_take(struct content *content);
/* Notes a problem of the source; NONE: it has none. True: that is news. */
bool content_note(struct content *content, enum hf_manifest_reason reason, const char *message);
/* True: the bundle does not have the digest `pinned` (NULL: any), which is noted in `mismatch`. */
bool content_mismatches(struct content *content, const struct hf_bundle *bundle, const char *pinned);
/* The source has stopped; `from`: the new wanted_from. */
void content_renew(struct content *content, const char from[HF_SHA256_HEX]);
static inline bool content_waits(const struct content *content)
{
    return content->incoming != NULL;
}
/* Bytes in memory until they are in a store. */
uint64_t content_bytes(const struct content *content);

/* ---- of an entry ------------------------------------------------------------------------------------------------- */

/* If it may run. */
void content_follow(struct entry *entry);
/* Frees the source, and the content that waits. */
void content_stop(struct entry *entry);
/* In each turn: stops or starts the source as holds begin and end. */
void content_hold(struct entry *entry);
/* An interval of the policy has passed: asks the source for news. */
void content_check(struct entry *entry);
/* Takes a token of the pace for a set made new by the node's labels. False: it waits, and `text` says why. */
bool content_pace_takes(struct entry *entry, char text[HF_RECORD_MESSAGE]);
/* The set's content is lost: asks for it again if it is the newest set's, as no source has older ones. */
void content_lost(struct entry *entry, const struct hf_manifest_set *set);
/* A job has tried to read the newest set's content. SourceUnreachable if it is lost now. */
void content_count_unreadable(struct entry *entry, struct job *job);
/* The same for a repair of the good set: content_lost() if it is lost. */
void content_repair_ended(struct entry *entry, struct job *job);
/* content_note(), and logs it. */
void content_tell(struct entry *entry, enum hf_manifest_reason reason, const char *message);
/* Passes a delivered content to its store. True: a step has started. */
bool content_consider(struct entry *entry);
