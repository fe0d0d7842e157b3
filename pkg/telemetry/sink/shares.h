/* SPDX-License-Identifier: Apache-2.0 */
/* Counts how much of a lane each sender and source uses, and limits it (rules: shares.c). Pure. */
#pragma once

#include "telemetry/event/event.h"

enum {
    HF_SHARES_PARTS = 16,
    HF_SHARES_SOURCES = 16, /* slots 0 to 15: classes of sources */
    HF_SHARES_SENDERS = 24, /* slots behind: senders; the last: all other senders */
    HF_SHARES_SLOTS = HF_SHARES_SOURCES + HF_SHARES_SENDERS,
    HF_SHARES_STREAM = 16,
    HF_SHARES_TEXT = 4 + 4 + HF_SHARES_STREAM + 8 * HF_SHARES_SENDERS + HF_SHARES_PARTS * 8 * (1 + HF_SHARES_SLOTS) + 4,
};

struct hf_shares_part {
    uint64_t last;
    uint64_t total;
    uint64_t bytes[HF_SHARES_SLOTS];
};

struct hf_shares {
    uint64_t capacity;
    bool drop_oldest;
    uint64_t senders[HF_SHARES_SENDERS];
    uint64_t held[HF_SHARES_SLOTS]; /* about the bytes that wait or are on their way to disk */
    uint64_t total, posts;          /* sums of `held`: of all slots, and of senders only */
    struct hf_shares_part parts[HF_SHARES_PARTS];
    size_t n_parts;
    uint64_t changes;
};

void hf_shares_init(struct hf_shares *shares, uint64_t capacity, bool drop_oldest);

/* Returns a post's sender, also for what the pipeline makes of posts; otherwise the source's class. */
uint64_t hf_shares_owner(const struct hf_event *event);
uint64_t hf_shares_agent(void);

/* A sender keeps its slot while it holds bytes. */
unsigned hf_shares_slot(struct hf_shares *shares, uint64_t owner);

/* Returns the bytes that the slot may still use; UINT64_MAX: no limit. */
uint64_t hf_shares_left(const struct hf_shares *shares, unsigned slot);

void hf_shares_begin(struct hf_shares *shares, unsigned slot, uint64_t bytes);
void hf_shares_end(struct hf_shares *shares, unsigned slot, uint64_t bytes);

/* Counts durable bytes. True: a new part begins, so save the shares. */
bool hf_shares_stored(struct hf_shares *shares, unsigned slot, uint64_t bytes, uint64_t sequence);
/* Removes the parts whose last record is `sequence` or an earlier one. */
void hf_shares_gone(struct hf_shares *shares, uint64_t sequence);

/* Save and restore the counts. Restoring gives slot 0 the bytes stored after the save; if `text` is damaged, all
 * `waiting` bytes above `gone` up to `last`. */
void hf_shares_format(const struct hf_shares *shares, const unsigned char stream[static HF_SHARES_STREAM],
                      unsigned char text[static HF_SHARES_TEXT]);
void hf_shares_restore(struct hf_shares *shares, const unsigned char stream[static HF_SHARES_STREAM],
                       struct hf_view text, uint64_t gone, uint64_t last, uint64_t waiting);
