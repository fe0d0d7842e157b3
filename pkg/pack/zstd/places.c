/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/zstd/places.h"

#include <stdlib.h>

#include "base/endian.h"
#include "base/macros.h"

/* ---- bytes and distances ----------------------------------------------------------------------------------------- */

uint32_t pack_zplaces_equal(const struct pack_zcontent *content, uint32_t at, uint32_t distance, uint32_t n)
{
    const unsigned char *p = content->p + at;
    uint32_t i = 0;

    if (distance == 0 || distance > at + (uint64_t)content->before)
        return 0;
    const unsigned char *q = p - distance;
    for (; i + 8 <= n; i += 8) {
        uint64_t d = hf_le64(p + i) ^ hf_le64(q + i);
        if (d != 0)
            return i + (unsigned)__builtin_ctzll(d) / 8;
    }
    while (i < n && p[i] == q[i])
        i++;
    return i;
}

uint32_t pack_zplaces_distance(const uint32_t last[3], uint32_t offset, bool no_literals)
{
    unsigned which = offset - 1 + (no_literals ? 1 : 0);

    if (offset > 3)
        return offset - 3;
    return which < 3 ? last[which] : last[0] - 1;
}

uint32_t pack_zplaces_offset(const uint32_t last[3], uint32_t distance, bool no_literals)
{
    for (uint32_t offset = 1; offset <= 3; offset++)
        if (pack_zplaces_distance(last, offset, no_literals) == distance)
            return offset;
    return distance + 3;
}

void pack_zplaces_use(uint32_t last[3], uint32_t offset, bool no_literals)
{
    uint32_t distance = pack_zplaces_distance(last, offset, no_literals);
    unsigned which = offset > 3 ? 3 : offset - 1 + (no_literals ? 1 : 0);

    if (which == 0)
        return;
    if (which > 1)
        last[2] = last[1];
    last[1] = last[0];
    last[0] = distance;
}

/* ---- slots ------------------------------------------------------------------------------------------------------- */

enum { SLOTS_LOG = 19, SLOTS = ZPLACES_KINDS - ZPLACES_SLOT, SLOT_BYTES_MAX = ZCONTENT_AHEAD };

/* Bytes that select a slot. */
static const uint8_t slot_bytes[SLOTS] = {SLOT_BYTES_MAX, 8, 6, 4};

struct pack_zslots {
    uint32_t slot[SLOTS][1 << SLOTS_LOG]; /* latest position + 1, modulo 2^32 */
};

struct pack_zslots *pack_zplaces_slots_new(void)
{
    return calloc(1, sizeof(struct pack_zslots));
}

void pack_zplaces_slots_free(struct pack_zslots *slots)
{
    free(slots);
}

static uint32_t slot_index(const unsigned char *p, unsigned which)
{
    unsigned n = slot_bytes[which];
    uint64_t v = hf_le64(p);

    if (n > 8)
        v = v * UINT64_C(0xff51afd7ed558ccd) ^ hf_le64(p + n - 8);
    else
        v <<= 64 - 8 * n;
    return (uint32_t)(v * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SLOTS_LOG));
}

/* The slots are far apart in memory: prefetched some positions ahead. */
void pack_zplaces_enter(struct pack_zslots *slots, const struct pack_zcontent *content, uint32_t from, uint32_t to)
{
    enum { AHEAD = 8 };
    uint32_t index[AHEAD][SLOTS], end = to;

    if (content->rest < to + (uint64_t)SLOT_BYTES_MAX)
        end = content->rest > SLOT_BYTES_MAX ? (uint32_t)HF_MIN((uint64_t)to, content->rest - SLOT_BYTES_MAX) : 0;
    for (uint32_t i = from; i < end; i += AHEAD) {
        uint32_t n = HF_MIN((uint32_t)AHEAD, end - i);
        for (uint32_t k = 0; k < n; k++)
            for (unsigned which = 0; which < SLOTS; which++) {
                index[k][which] = slot_index(content->p + i + k, which);
                __builtin_prefetch(&slots->slot[which][index[k][which]], 1);
            }
        for (uint32_t k = 0; k < n; k++)
            for (unsigned which = 0; which < SLOTS; which++)
                slots->slot[which][index[k][which]] = (uint32_t)(content->at + i + k + 1);
    }
}

/* ---- candidates -------------------------------------------------------------------------------------------------- */

void pack_zplaces_add(struct pack_zplaces *places, const struct pack_zcontent *content, uint32_t at, uint32_t left,
                      unsigned kind, uint32_t distance)
{
    uint32_t most = HF_MIN(left, (uint32_t)ZPLACES_COMPARED), n;

    for (unsigned i = 0; i < places->n; i++)
        if (places->p[i].distance == distance) {
            places->p[i].kind = HF_MIN(places->p[i].kind, kind);
            return;
        }
    if ((n = pack_zplaces_equal(content, at, distance, most)) < 3)
        return;
    if (places->n == 0 || n > places->p[places->best].equal)
        places->best = places->n;
    places->p[places->n].kind = kind;
    places->p[places->n].distance = distance;
    places->p[places->n++].equal = n;
}

void pack_zplaces_find(struct pack_zplaces *places, const struct pack_zslots *slots, const uint32_t last[3],
                       const struct pack_zcontent *content, uint32_t at, uint32_t left, bool no_literals)
{
    uint32_t slot[SLOTS] = {0}, here = (uint32_t)(content->at + at + 1);

    /* What slots lead to is far apart in memory, too: prefetched before the candidates are compared. */
    if (slots != NULL && content->rest >= at + (uint64_t)SLOT_BYTES_MAX)
        for (unsigned i = 0; i < SLOTS; i++)
            slot[i] = slots->slot[i][slot_index(content->p + at, i)];
    for (unsigned i = 0; i < SLOTS; i++)
        if (here - slot[i] <= at + (uint64_t)content->before)
            __builtin_prefetch(content->p + at - (here - slot[i]));
    for (unsigned i = 0; i < 3; i++)
        pack_zplaces_add(places, content, at, left, ZPLACES_REPEAT + i,
                         pack_zplaces_distance(last, i + 1, no_literals));
    for (unsigned i = 0; i < SLOTS; i++) /* maybe of another frame: it is compared */
        if (slot[i] > 0)
            pack_zplaces_add(places, content, at, left, ZPLACES_SLOT + i, here - slot[i]);
}
