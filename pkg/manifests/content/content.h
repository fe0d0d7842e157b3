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
    struct hf_manifest_source *source; /* NULL: none runs */
    struct hf_bundle *incoming;        /* in no store yet; owned */
    char incoming_revision[HF_RECORD_REVISION];
    char incoming_from[HF_SHA256_HEX]; /* hf_manifest_source_key() of its source */
    char wanted_from[HF_SHA256_HEX];   /* of the wanted entry's */
    uint64_t storing_bytes;            /* being written to disk */
    char unstored[HF_SHA256_HEX];      /* digest that the disk did not take */
    struct hf_content_pace pace;       /* of new contents, and of sets that labels made new */
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
/* Takes over a bundle, in the place of one that waits. */
void content_put(struct content *content, struct hf_bundle *bundle, const char *revision);
/* The waiting bundle, now the caller's. */
struct hf_bundle *content_take(struct content *content);
/* A problem of the source; NONE: none. True: that is news. */
bool content_note(struct content *content, enum hf_manifest_reason reason, const char *message);
/* True: the digest is not `pinned` (NULL: any), and `mismatch` says so. */
bool content_mismatches(struct content *content, const struct hf_bundle *bundle, const char *pinned);
/* The source has stopped; sets wanted_from. */
void content_renew(struct content *content, const char from[HF_SHA256_HEX]);
static inline bool content_waits(const struct content *content)
{
    return content->incoming != NULL;
}
/* In memory until they are in a store. */
uint64_t content_bytes(const struct content *content);

/* ---- of an entry ------------------------------------------------------------------------------------------------- */

/* If it may run. */
void content_follow(struct entry *entry);
/* Frees source and waiting content. */
void content_stop(struct entry *entry);
/* In each turn: starts or stops the source as holds end and begin. */
void content_hold(struct entry *entry);
/* Once per interval of the policy: asks the source for news. */
void content_check(struct entry *entry);
/* For a set that the node's labels made new. False: it waits, and `text` says why. */
bool content_pace_takes(struct entry *entry, char text[HF_RECORD_MESSAGE]);
/* Of this set. Asks for it again if the set is the newest: no source has older ones. */
void content_lost(struct entry *entry, const struct hf_manifest_set *set);
/* After a job has tried to read the newest set's content. SourceUnreachable: it is lost now. */
void content_count_unreadable(struct entry *entry, struct job *job);
/* After a repair of the good set; content_lost() if it is lost. */
void content_repair_ended(struct entry *entry, struct job *job);
/* content_note() with a log line. */
void content_tell(struct entry *entry, enum hf_manifest_reason reason, const char *message);
/* Passes a delivered content to its store. True: a step has started. */
bool content_consider(struct entry *entry);
