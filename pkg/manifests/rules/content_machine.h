/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry does with the contents of its source: two tables and a few decisions.
 *
 * A hold begins when a content is turned away or cannot be written, so that nothing is downloaded in vain. Its end
 * starts the source again, which delivers its newest content. In a hold the source runs only for a Secret's content
 * that the entry has asked for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/manifest_reason.h"
#include "base/macros.h"
#include "manifests/rules/content_pace.h"

/* The first two are for all entries together. */
enum {
    HF_CONTENT_MAX_BYTES = 64 << 20,         /* on disk */
    HF_CONTENT_MAX_INCOMING_BYTES = 8 << 20, /* in memory, except with a turn (source/turns.h) */
    HF_CONTENT_MAX_UNREADABLE = 5,           /* failed reads in a row; doubles with each new copy */
};

/* ---- the tables -------------------------------------------------------------------------------------------------- */

enum hf_content_intake {
    HF_CONTENT_STOPPED, /* no source, no hold */
    HF_CONTENT_FOLLOWING,
    HF_CONTENT_REFUSING, /* the source runs in a hold: until the loop's next turn, or for a Secret */
    HF_CONTENT_HELD,     /* a hold, no source */
    HF_CONTENT_INTAKE_COUNT,
};

enum hf_content_slot {
    HF_CONTENT_EMPTY,    /* all that was delivered is on disk */
    HF_CONTENT_INCOMING, /* waits in memory */
    HF_CONTENT_STORING,  /* a job writes it to disk */
    HF_CONTENT_NEWER,    /* the same, and a newer one waits */
    HF_CONTENT_SLOT_COUNT,
};

enum hf_content_event {
    /* of the intake */
    HF_CONTENT_EV_STARTED,
    HF_CONTENT_EV_STOPPED,
    HF_CONTENT_EV_HELD, /* a hold begins, or replaces another */
    HF_CONTENT_EV_LIFTED,
    /* of the slot */
    HF_CONTENT_EV_DELIVERED, /* accepted, in the place of a waiting one */
    HF_CONTENT_EV_DROPPED,   /* the waiting one is freed */
    HF_CONTENT_EV_TAKEN,     /* the waiting one is on disk already, or went to the store in memory */
    HF_CONTENT_EV_BEGAN,     /* a job writes the waiting one */
    HF_CONTENT_EV_ENDED,     /* the job, well or not */
    HF_CONTENT_EV_COUNT,
};

/* An event that the table lacks changes nothing; *ret_known is false. */
enum hf_content_intake hf_content_machine_intake(enum hf_content_intake state, enum hf_content_event event,
                                                 bool *ret_known);
enum hf_content_slot hf_content_machine_slot(enum hf_content_slot state, enum hf_content_event event, bool *ret_known);
static inline bool hf_content_machine_has_source(enum hf_content_intake state)
{
    return state == HF_CONTENT_FOLLOWING || state == HF_CONTENT_REFUSING;
}

static inline bool hf_content_machine_has_hold(enum hf_content_intake state)
{
    return state == HF_CONTENT_HELD || state == HF_CONTENT_REFUSING;
}

static inline bool hf_content_machine_has_waiting(enum hf_content_slot slot)
{
    return slot == HF_CONTENT_INCOMING || slot == HF_CONTENT_NEWER;
}

/* ---- holds ------------------------------------------------------------------------------------------------------- */

struct hf_content_hold {
    enum hf_manifest_reason reason; /* ContentPaced, NoSpace, SourceTooLarge, or why a write failed */
    uint64_t until_ns;              /* 0: until disk or write budget has room */
    uint64_t bytes;                 /* SourceTooLarge: of the content */
    unsigned times;                 /* SourceTooLarge: contents turned away in a row */
};

struct hf_content_room {
    uint64_t now_ns;
    uint64_t interval_ns;
    uint64_t in_memory;  /* bytes of contents of all other entries */
    uint64_t everywhere; /* the same, and on disk */
    bool no_space;
    bool writes_used_up;
};

struct hf_content_offer {
    uint64_t bytes;
    bool secret;      /* never on a disk */
    bool has_turn;    /* may be in memory (source/turns.h) */
    bool downloads;   /* a new offer costs a download */
    bool comes_again; /* came before, but was not written: has paid its token */
};

/* True: turned away; fills *hold, and `text` with the cause. False: resets hold->times. Takes no token. */
bool hf_content_machine_turns_away(const struct hf_content_offer *offer, const struct hf_content_room *room,
                                   struct hf_content_pace *pace, struct hf_content_hold *hold, char *text, size_t size);
bool hf_content_machine_holds(const struct hf_content_hold *hold, const struct hf_content_room *room);

enum hf_content_step { HF_CONTENT_STAY, HF_CONTENT_START, HF_CONTENT_STOP, HF_CONTENT_LIFT };

/* In each turn of the loop. `holds`: hf_content_machine_holds(). `asked`: the entry asked for a Secret's content. */
enum hf_content_step hf_content_machine_turn(enum hf_content_intake state, bool holds, bool asked);
/* When a source may be started. */
enum hf_content_step hf_content_machine_follow(enum hf_content_intake state, bool holds, bool asked);

/* ---- contents that the disk does not read ------------------------------------------------------------------------ */

struct hf_content_reads {
    unsigned failed; /* in a row */
    unsigned copies; /* fetched again, since the last good read */
};

/* Counts a read. True: the content is lost and must be fetched again; each time after twice as many failures. */
bool hf_content_machine_count_read(struct hf_content_reads *reads, bool failed);
