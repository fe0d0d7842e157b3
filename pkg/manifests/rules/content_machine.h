/* SPDX-License-Identifier: Apache-2.0 */
/* Decides what an entry does with the contents of its source.
 *
 * A hold begins when a content is turned away or cannot be written. When it ends, the source starts again if need be,
 * and delivers its newest content. A hold soon stops the source, unless the entry has asked for a Secret's content. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/manifest_reason.h"
#include "base/macros.h"
#include "manifests/rules/content_pace.h"

enum {
    HF_CONTENT_MAX_BYTES = 64 << 20, /* of all entries together, on disk and waiting in memory; Secrets may exceed it */
    /* in memory, of all entries together; a content with a turn may exceed it (source/turns.h) */
    HF_CONTENT_MAX_INCOMING_BYTES = 8 << 20,
    HF_CONTENT_MAX_UNREADABLE = 5, /* tolerated failures to read, in a row; doubled by each of the first new copies */
};

/* ---- the tables -------------------------------------------------------------------------------------------------- */

enum hf_content_intake {
    HF_CONTENT_STOPPED,
    HF_CONTENT_FOLLOWING,
    HF_CONTENT_REFUSING, /* a hold, but the source still runs: until the loop's next turn, or for a Secret */
    HF_CONTENT_HELD,     /* a hold, and no source */
    HF_CONTENT_INTAKE_COUNT,
};

enum hf_content_slot {
    HF_CONTENT_EMPTY,
    HF_CONTENT_INCOMING, /* a content waits in memory */
    HF_CONTENT_STORING,
    HF_CONTENT_NEWER, /* a job writes a content, and a newer one waits */
    HF_CONTENT_SLOT_COUNT,
};

enum hf_content_event {
    HF_CONTENT_EV_STARTED,
    HF_CONTENT_EV_STOPPED,
    HF_CONTENT_EV_HELD,
    HF_CONTENT_EV_LIFTED,
    HF_CONTENT_EV_DELIVERED, /* a content was accepted, and replaces a waiting one */
    HF_CONTENT_EV_DROPPED,
    HF_CONTENT_EV_TAKEN, /* the waiting content was on disk already, or went to memory.c's store */
    HF_CONTENT_EV_BEGAN, /* a job writes the waiting content to disk */
    HF_CONTENT_EV_ENDED,
    HF_CONTENT_EV_COUNT,
};

/* An event that the table lacks changes nothing, and sets *ret_known to false. */
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
    enum hf_manifest_reason reason;
    uint64_t until_ns; /* 0: until the disk or the write budget allows contents */
    uint64_t bytes;
    unsigned times; /* how often SourceTooLarge was the reason; an acceptance resets it */
};

struct hf_content_room {
    uint64_t now_ns;
    uint64_t interval_ns;
    uint64_t in_memory;  /* bytes of other entries' contents */
    uint64_t everywhere; /* in_memory, and the bytes of these contents on disk */
    bool no_space;
    bool writes_used_up;
};

struct hf_content_offer {
    uint64_t bytes;
    bool secret;
    bool has_turn; /* it may be in memory whatever its size (source/turns.h) */
    bool downloads;
    bool comes_again; /* the content was accepted before, but not written: it needs no second token */
};

/* Whether a content must be turned away; `text` and *hold then say why. Takes no token. */
bool hf_content_machine_turns_away(const struct hf_content_offer *offer, const struct hf_content_room *room,
                                   struct hf_content_pace *pace, struct hf_content_hold *hold, char *text, size_t size);
bool hf_content_machine_holds(const struct hf_content_hold *hold, const struct hf_content_room *room);

enum hf_content_step { HF_CONTENT_STAY, HF_CONTENT_START, HF_CONTENT_STOP, HF_CONTENT_LIFT };

/* What to do in a turn of the loop, and at a start. `holds`: hf_content_machine_holds(). `asked`: the entry has asked
 * for a Secret's content. */
enum hf_content_step hf_content_machine_turn(enum hf_content_intake state, bool holds, bool asked);
enum hf_content_step hf_content_machine_follow(enum hf_content_intake state, bool holds, bool asked);

/* ---- contents that the disk does not read ------------------------------------------------------------------------ */

struct hf_content_reads {
    unsigned failed;
    unsigned copies; /* how often the content was fetched again since a good read */
};

/* Counts a read. Returns true if the content counts as lost and must be fetched again. */
bool hf_content_machine_count_read(struct hf_content_reads *reads, bool failed);
