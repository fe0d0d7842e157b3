/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/shares.h - how much of a lane's disk space each sender and each source has taken, and how much more it
 * may take, so that no user of the node takes the space of the others.
 *
 * All that is posted together, and each other source that users of the node can feed, may hold seven times the bytes
 * that are free; one sender of posts may hold three times the bytes that the posts may still take. So some space is
 * always free for the next one. A lane that drops its oldest events makes room by itself: there an owner may also hold
 * its equal part of the lane, and all of it if nobody else has events there. The agent's own events have no limit.
 *
 * The bytes are counted in parts of the lane, in order of sequence; a part goes when all of it is delivered or dropped.
 * So up to two parts of an owner count a little longer than they wait. Senders beyond the first 23 count together.
 *
 * Pure. Threads: any, one at a time for one struct. Memory: a plain value. */
#pragma once

#include "telemetry/event/event.h"

enum {
    HF_SHARES_PARTS = 16,   /* parts of a lane */
    HF_SHARES_SOURCES = 16, /* slots 0 to 15: the classes of sources; slot 0: nobody knows whose it is */
    HF_SHARES_SENDERS = 24, /* further slots: senders; the last one counts all that have no slot of their own */
    HF_SHARES_SLOTS = HF_SHARES_SOURCES + HF_SHARES_SENDERS,
    HF_SHARES_STREAM = 16, /* bytes of a stream's id */
    HF_SHARES_TEXT = 4 + 4 + HF_SHARES_STREAM + 8 * HF_SHARES_SENDERS + HF_SHARES_PARTS * 8 * (1 + HF_SHARES_SLOTS) + 4,
};

struct hf_shares_part {
    uint64_t last; /* highest sequence in the part */
    uint64_t total;
    uint64_t bytes[HF_SHARES_SLOTS];
};

struct hf_shares {
    uint64_t capacity; /* bytes that the lane has for records; may change at any time */
    bool drop_oldest;
    uint64_t senders[HF_SHARES_SENDERS]; /* owner of each slot from HF_SHARES_SOURCES on; 0: the slot is free */
    uint64_t held[HF_SHARES_SLOTS];      /* bytes of the records that wait, and of those on their way to disk */
    uint64_t total, posts;               /* sums over `held`: all slots, and the senders' */
    struct hf_shares_part parts[HF_SHARES_PARTS];
    size_t n_parts;
    uint64_t changes; /* parts that have gone since hf_shares_init(), which gave owners room */
};

void hf_shares_init(struct hf_shares *shares, uint64_t capacity, bool drop_oldest);

/* Returns the owner of an event: the sender of what is posted and of what the pipeline makes of that; else the class of
 * its source. */
uint64_t hf_shares_owner(const struct hf_event *event);
/* Returns the owner of the agent's own events. */
uint64_t hf_shares_agent(void);

/* Returns the slot of an owner, which stays the owner's own while it holds bytes. */
unsigned hf_shares_slot(struct hf_shares *shares, uint64_t owner);

/* Returns how many more bytes the owner of the slot may append now; UINT64_MAX if it has no limit. */
uint64_t hf_shares_left(const struct hf_shares *shares, unsigned slot);

/* Counts `bytes` that are on their way to the disk, and ends that count. */
void hf_shares_begin(struct hf_shares *shares, unsigned slot, uint64_t bytes);
void hf_shares_end(struct hf_shares *shares, unsigned slot, uint64_t bytes);

/* Counts a record that is durable. Returns true if it begins a part, so that the caller saves the counts. */
bool hf_shares_stored(struct hf_shares *shares, unsigned slot, uint64_t bytes, uint64_t sequence);
/* All records up to the sequence are delivered or dropped. */
void hf_shares_gone(struct hf_shares *shares, uint64_t sequence);

/* Writes the counts of the durable records of a stream as bytes, and reads them back. A record that was stored after
 * the bytes were written, and any record if they are damaged or of another stream, counts in slot 0: `waiting` is the
 * number of bytes that wait in the sequences above `gone` up to `last`. */
void hf_shares_format(const struct hf_shares *shares, const unsigned char stream[static HF_SHARES_STREAM],
                      unsigned char text[static HF_SHARES_TEXT]);
void hf_shares_restore(struct hf_shares *shares, const unsigned char stream[static HF_SHARES_STREAM],
                       struct hf_view text, uint64_t gone, uint64_t last, uint64_t waiting);
