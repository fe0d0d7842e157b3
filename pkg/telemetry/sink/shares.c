/* SPDX-License-Identifier: Apache-2.0 */
/* All posts together, and each other source that users of the node can feed, may hold seven times the bytes that are
 * free; one sender of posts may hold three times the bytes that posts may still take. So some space is always free
 * for the next one. A lane that drops its oldest records makes room by itself: there an owner may also hold its
 * equal part of the lane, and all of it if no other owner has records there.
 *
 * Bytes are counted by parts of the lane, in order of sequence. A part ends when all of it has left the lane, so up
 * to two parts of an owner stay in the count a little longer than they wait. */
#include "telemetry/sink/shares.h"

#include <string.h>

#include "base/endian.h"
#include "spool/crc32c.h"

enum { OF_FREE_SOURCE = 7, OF_FREE_SENDER = 3, NOBODY = HF_SOURCE_NONE, OTHERS = HF_SHARES_SLOTS - 1 };
enum { AT_PARTS = 4, AT_STREAM = 8, AT_SENDERS = AT_STREAM + HF_SHARES_STREAM };

#define SOURCE_OWNER ((uint64_t)1 << 40) /* plus the class; above the owner of every sender */

static const unsigned char magic[4] = {'H', 'F', 'W', '1'};

_Static_assert((int)HF_SOURCE_CLASSES <= (int)HF_SHARES_SOURCES, "each class of sources has a slot");

void hf_shares_init(struct hf_shares *shares, uint64_t capacity, bool drop_oldest)
{
    *shares = (struct hf_shares){.capacity = capacity, .drop_oldest = drop_oldest};
}

/* ---- owners ------------------------------------------------------------------------------------------------------ */

uint64_t hf_shares_owner(const struct hf_event *event)
{
    uint64_t owner = event->derived ? event->owner : hf_event_owner(event);

    return owner != HF_OWNER_AGENT ? owner : SOURCE_OWNER + event->source_class;
}

uint64_t hf_shares_agent(void)
{
    return SOURCE_OWNER + HF_SOURCE_AGENT;
}

unsigned hf_shares_slot(struct hf_shares *shares, uint64_t owner)
{
    unsigned unused = OTHERS;

    if (owner >= SOURCE_OWNER)
        return (unsigned)(owner - SOURCE_OWNER);
    for (unsigned slot = HF_SHARES_SOURCES; slot < OTHERS; slot++) {
        if (shares->senders[slot - HF_SHARES_SOURCES] == owner)
            return slot;
        if (unused == OTHERS && shares->held[slot] == 0)
            unused = slot;
    }
    if (unused < OTHERS)
        shares->senders[unused - HF_SHARES_SOURCES] = owner;
    return unused;
}

static bool is_sender(unsigned slot)
{
    return slot >= HF_SHARES_SOURCES;
}

static bool is_agents(unsigned slot)
{
    return slot == NOBODY || slot == HF_SOURCE_NODE || slot == HF_SOURCE_AUDIT || slot == HF_SOURCE_AGENT;
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

/* The amount by which `held` may grow out of `space` bytes, so that it then is at most `times` the rest. */
static uint64_t may_grow(uint64_t held, uint64_t space, uint64_t times)
{
    return times * space > held ? (times * space - held) / (times + 1) : 0;
}

/* The amount that an owner of a lane that drops its oldest events may still take of its equal part. */
static uint64_t left_of_part(const struct hf_shares *shares, unsigned slot)
{
    uint64_t own = shares->held[slot], owners = own == 0, limit;

    if (shares->total == own)
        return UINT64_MAX;
    for (unsigned i = 0; i < HF_SHARES_SLOTS; i++)
        owners += shares->held[i] > 0;
    limit = shares->capacity / HF_MAX(owners, (uint64_t)2);
    return limit > own ? limit - own : 0;
}

uint64_t hf_shares_left(const struct hf_shares *shares, unsigned slot)
{
    uint64_t space = shares->capacity > shares->total ? shares->capacity - shares->total : 0;

    if (is_agents(slot))
        return UINT64_MAX;
    uint64_t left = may_grow(is_sender(slot) ? shares->posts : shares->held[slot], space, OF_FREE_SOURCE);
    if (is_sender(slot))
        left = may_grow(shares->held[slot], left, OF_FREE_SENDER);
    return shares->drop_oldest ? HF_MAX(left, left_of_part(shares, slot)) : left;
}

/* ---- counting ---------------------------------------------------------------------------------------------------- */

void hf_shares_begin(struct hf_shares *shares, unsigned slot, uint64_t bytes)
{
    shares->held[slot] += bytes;
    shares->total += bytes;
    shares->posts += is_sender(slot) ? bytes : 0;
}

void hf_shares_end(struct hf_shares *shares, unsigned slot, uint64_t bytes)
{
    shares->held[slot] -= bytes;
    shares->total -= bytes;
    shares->posts -= is_sender(slot) ? bytes : 0;
}

/* Joins the two oldest parts: they go together. */
static void join_oldest(struct hf_shares *shares)
{
    struct hf_shares_part *parts = shares->parts;

    for (size_t i = 0; i < HF_SHARES_SLOTS; i++)
        parts[1].bytes[i] += parts[0].bytes[i];
    parts[1].total += parts[0].total;
    shares->n_parts--;
    memmove(parts, parts + 1, shares->n_parts * sizeof(*parts));
}

static bool add(struct hf_shares *shares, unsigned slot, uint64_t bytes, uint64_t sequence)
{
    struct hf_shares_part *part = shares->parts + shares->n_parts - 1;
    bool begins = shares->n_parts == 0 || part->total >= shares->capacity / HF_SHARES_PARTS;

    if (begins) {
        if (shares->n_parts == HF_SHARES_PARTS)
            join_oldest(shares);
        part = &shares->parts[shares->n_parts++];
        *part = (struct hf_shares_part){0};
    }
    part->last = sequence;
    part->bytes[slot] += bytes;
    part->total += bytes;
    return begins;
}

bool hf_shares_stored(struct hf_shares *shares, unsigned slot, uint64_t bytes, uint64_t sequence)
{
    hf_shares_begin(shares, slot, bytes);
    return add(shares, slot, bytes, sequence);
}

void hf_shares_gone(struct hf_shares *shares, uint64_t sequence)
{
    while (shares->n_parts > 0 && shares->parts[0].last <= sequence) {
        for (unsigned slot = 0; slot < HF_SHARES_SLOTS; slot++)
            hf_shares_end(shares, slot, shares->parts[0].bytes[slot]);
        shares->changes++;
        shares->n_parts--;
        memmove(shares->parts, shares->parts + 1, shares->n_parts * sizeof(*shares->parts));
    }
}

/* ---- on disk ----------------------------------------------------------------------------------------------------- */

void hf_shares_format(const struct hf_shares *shares, const unsigned char stream[static HF_SHARES_STREAM],
                      unsigned char text[static HF_SHARES_TEXT])
{
    unsigned char *at = text + AT_SENDERS;

    memset(text, 0, HF_SHARES_TEXT);
    memcpy(text, magic, sizeof(magic));
    hf_put_le(text + AT_PARTS, 4, shares->n_parts);
    memcpy(text + AT_STREAM, stream, HF_SHARES_STREAM);
    for (size_t i = 0; i < HF_SHARES_SENDERS; i++, at += 8)
        hf_put_le(at, 8, shares->senders[i]);
    for (size_t i = 0; i < shares->n_parts; i++) {
        hf_put_le(at, 8, shares->parts[i].last);
        at += 8;
        for (size_t slot = 0; slot < HF_SHARES_SLOTS; slot++, at += 8)
            hf_put_le(at, 8, shares->parts[i].bytes[slot]);
    }
    hf_put_le(text + HF_SHARES_TEXT - 4, 4, hf_crc32c(0, text, HF_SHARES_TEXT - 4));
}

static bool is_intact(struct hf_view text, const unsigned char stream[static HF_SHARES_STREAM])
{
    const unsigned char *bytes = (const unsigned char *)text.p;

    return text.n == HF_SHARES_TEXT && memcmp(bytes, magic, sizeof(magic)) == 0 &&
           memcmp(bytes + AT_STREAM, stream, HF_SHARES_STREAM) == 0 && hf_le(bytes + AT_PARTS, 4) <= HF_SHARES_PARTS &&
           hf_le(bytes + HF_SHARES_TEXT - 4, 4) == hf_crc32c(0, bytes, HF_SHARES_TEXT - 4);
}

static void parse(struct hf_shares *shares, const unsigned char *bytes, uint64_t gone, uint64_t last)
{
    const unsigned char *at = bytes + AT_SENDERS;

    for (size_t i = 0; i < HF_SHARES_SENDERS; i++, at += 8)
        shares->senders[i] = hf_le(at, 8);
    for (uint64_t n = hf_le(bytes + AT_PARTS, 4); n > 0; n--) {
        struct hf_shares_part part = {.last = hf_le(at, 8)};
        at += 8;
        for (size_t slot = 0; slot < HF_SHARES_SLOTS; slot++, at += 8)
            part.total += part.bytes[slot] = hf_le(at, 8);
        if (part.last <= gone || part.last > last)
            continue;
        for (unsigned slot = 0; slot < HF_SHARES_SLOTS; slot++)
            hf_shares_begin(shares, slot, part.bytes[slot]);
        shares->parts[shares->n_parts++] = part;
    }
}

void hf_shares_restore(struct hf_shares *shares, const unsigned char stream[static HF_SHARES_STREAM],
                       struct hf_view text, uint64_t gone, uint64_t last, uint64_t waiting)
{
    if (is_intact(text, stream))
        parse(shares, (const unsigned char *)text.p, gone, last);
    uint64_t from = shares->n_parts > 0 ? shares->parts[shares->n_parts - 1].last : gone;
    uint64_t unknown = waiting > shares->total ? waiting - shares->total : 0, each = unknown / HF_SHARES_PARTS + 1;
    for (uint64_t i = 1; from < last && i <= HF_SHARES_PARTS && unknown > 0; i++) { /* the queue goes step by step */
        uint64_t bytes = HF_MIN(unknown, each);
        (void)hf_shares_stored(shares, NOBODY, bytes, from + (last - from) * i / HF_SHARES_PARTS);
        unknown -= bytes;
    }
}
