/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/rules/content_machine.h - what an entry does with the contents of its source, as two tables and a few
 * decisions. Pure.
 *
 * The intake is about the source:            The slot is about what it delivered:
 *
 *             Started                                  Delivered            Began
 *   Stopped ----------> Following            Empty -------------> Incoming ------> Storing --.
 *      ^ |                 | ^                 ^ ^      Taken        |               | ^     | Delivered
 * Lifted | Held       Held | | Lifted          | '-------------------'         Ended | |     v
 *      | v    Stopped      v |                 |                                     | | Dropped
 *     Held <----------- Refusing               '-------------------------------------' '-- Newer
 *          ----------->
 *             Started
 *
 * A hold begins when the entry turns a content away, or cannot write one to disk, so that the source does not download
 * what the entry does not take. When it ends, the source starts again, and delivers its newest content. While a hold
 * is in force, only the content of a Secret that the entry has asked for lets the source run. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/manifest_reason.h"
#include "base/buf.h"
#include "base/macros.h"
#include "manifests/rules/content_pace.h"

/* The first two: of all entries of the policy together. */
enum {
    HF_CONTENT_MAX_BYTES = 64 << 20,         /* bytes of the contents on disk */
    HF_CONTENT_MAX_INCOMING_BYTES = 8 << 20, /* bytes of the contents in memory, without those read in turn */
    HF_CONTENT_MAX_UNREADABLE = 5,           /* failed reads in a row before a content is lost; doubles per copy */
};

/* ---- the tables -------------------------------------------------------------------------------------------------- */

enum hf_content_intake {
    HF_CONTENT_STOPPED,   /* no source runs, and nothing holds it */
    HF_CONTENT_FOLLOWING, /* the source runs */
    HF_CONTENT_REFUSING, /* the source runs in spite of a hold: until the next turn, or because a Secret is asked for */
    HF_CONTENT_HELD,     /* no source runs because of a hold */
    HF_CONTENT_INTAKE_COUNT,
};

enum hf_content_slot {
    HF_CONTENT_EMPTY,    /* the source has delivered nothing that is not on disk */
    HF_CONTENT_INCOMING, /* a delivered content waits in memory */
    HF_CONTENT_STORING,  /* a job writes the content to disk */
    HF_CONTENT_NEWER,    /* a job writes a content, and a newer one waits in memory */
    HF_CONTENT_SLOT_COUNT,
};

enum hf_content_event {
    /* of the intake */
    HF_CONTENT_EV_STARTED, /* a source was made */
    HF_CONTENT_EV_STOPPED, /* the source was freed */
    HF_CONTENT_EV_HELD,    /* a hold begins, or another one takes its place */
    HF_CONTENT_EV_LIFTED,  /* no hold is in force any more */
    /* of the slot */
    HF_CONTENT_EV_DELIVERED, /* a content was accepted; it takes the place of one that waits */
    HF_CONTENT_EV_DROPPED,   /* the content that waits is freed */
    HF_CONTENT_EV_TAKEN,     /* the content that waits is known already, or moves to the store of Secrets */
    HF_CONTENT_EV_BEGAN,     /* a job begins to write the content that waits */
    HF_CONTENT_EV_ENDED,     /* the job has ended, in either way */
    HF_CONTENT_EV_COUNT,
};

/* The next state. An event that the table does not have in this state changes nothing; *ret_known is then false. */
enum hf_content_intake hf_content_machine_intake(enum hf_content_intake state, enum hf_content_event event,
                                                 bool *ret_known);
enum hf_content_slot hf_content_machine_slot(enum hf_content_slot state, enum hf_content_event event, bool *ret_known);
/* Appends both tables as text, for tests/golden/manifest_content.txt. */
HF_MUST_USE int hf_content_machine_print(struct hf_buf *out);

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
    enum hf_manifest_reason reason; /* ContentPaced, NoSpace or SourceTooLarge, or why the content was not written */
    uint64_t until_ns;              /* monotonic time of its end; 0: when the disk or the write budget has room again */
    uint64_t bytes;                 /* for SourceTooLarge: size of the content */
    unsigned times;                 /* for SourceTooLarge: how often in a row it was turned away */
};

/* What the node has now. */
struct hf_content_room {
    uint64_t now_ns;      /* monotonic */
    uint64_t interval_ns; /* of the policy */
    uint64_t in_memory;   /* bytes of the contents of all other entries of the policy that are in memory */
    uint64_t everywhere;  /* the same, with those on disk */
    bool no_space;        /* the disk of the state folder is critically full */
    bool writes_used_up;  /* the write budget of the policy is used up */
};

struct hf_content_offer {
    uint64_t bytes;
    bool secret;      /* goes to no disk */
    bool has_turn;    /* has the right to be in memory (source/turns.h) */
    bool downloads;   /* its source would have to download it again */
    bool comes_again; /* came before, and could not be written to disk: it has taken its token then */
};

/* Returns true if a new content may not be taken up now, fills *hold, and writes why into `text`. Otherwise ends the
 * count of `times`. Takes no token. */
bool hf_content_machine_turns_away(const struct hf_content_offer *offer, const struct hf_content_room *room,
                                   struct hf_content_pace *pace, struct hf_content_hold *hold, char *text, size_t size);
/* Returns true while a hold goes on. */
bool hf_content_machine_holds(const struct hf_content_hold *hold, const struct hf_content_room *room);

enum hf_content_step { HF_CONTENT_STAY, HF_CONTENT_START, HF_CONTENT_STOP, HF_CONTENT_LIFT };

/* What to do with the source in each turn of the loop because of a hold. `asked`: the entry has asked for the content
 * of a Secret. */
enum hf_content_step hf_content_machine_turn(enum hf_content_intake state, bool holds, bool asked);
/* Whether a source that may run is to be started. */
enum hf_content_step hf_content_machine_follow(enum hf_content_intake state, bool holds, bool asked);

/* ---- contents that the disk does not read ------------------------------------------------------------------------ */

struct hf_content_reads {
    unsigned failed; /* attempts in a row that could not read the content */
    unsigned copies; /* times in a row that the content was fetched again */
};

/* Counts one attempt. Returns true if the content now counts as lost, so that it has to be fetched again: each time
 * after twice as many failures, because a disk that reads no copy must not cost a download every few minutes. */
bool hf_content_machine_count_read(struct hf_content_reads *reads, bool failed);
