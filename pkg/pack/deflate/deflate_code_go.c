/* SPDX-License-Identifier: Apache-2.0 */
/* Huffman codes and block headers as Go's compress/flate makes them: optimal codes of at most 15 bits (package-merge;
 * Larmore and Hirschberg 1990), and one list of run lengths for both tables. */
#include <string.h>

#include "base/macros.h"
#include "pack/deflate/deflate_code.h"

enum { MAX_BITS = 15, ITEMS = 2 * DEFLATE_LITERALS };

struct leaf {
    uint32_t freq;
    uint16_t symbol;
};

/* Insertion sort by frequency, then by symbol: the leaves are few and often nearly sorted. */
static unsigned sort_leaves(const uint32_t *freq, unsigned n, struct leaf *leaves)
{
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++) {
        unsigned at = count;
        if (freq[i] == 0)
            continue;
        for (; at > 0 && leaves[at - 1].freq > freq[i]; at--)
            leaves[at] = leaves[at - 1];
        leaves[at] = (struct leaf){freq[i], (uint16_t)i};
        count++;
    }
    return count;
}

struct merge_row {
    uint64_t freq[ITEMS];
    unsigned n;
};

/* Merges the leaves with the pairs of the row below by frequency; on a tie the pair goes first. */
static void merge(const struct leaf *leaves, unsigned count, const struct merge_row *below, struct merge_row *row,
                  bool *is_leaf)
{
    unsigned leaf = 0, pair = 0;

    row->n = 0;
    while (row->n < 2 * count - 2 && (leaf < count || pair < below->n / 2)) {
        uint64_t of_leaf = leaf < count ? leaves[leaf].freq : UINT64_MAX;
        uint64_t of_pair =
            pair < below->n / 2 ? below->freq[2 * (size_t)pair] + below->freq[2 * (size_t)pair + 1] : UINT64_MAX;
        is_leaf[row->n] = of_leaf < of_pair;
        row->freq[row->n++] = HF_MIN(of_leaf, of_pair);
        if (of_leaf < of_pair)
            leaf++;
        else
            pair++;
    }
}

static void find_lengths(const uint32_t *freq, unsigned n, unsigned max_bits, uint8_t *lengths)
{
    struct leaf leaves[DEFLATE_LITERALS];
    struct merge_row rows[2]; /* alternately the row below and the current row */
    bool is_leaf[MAX_BITS + 1][ITEMS];
    unsigned count = sort_leaves(freq, n, leaves), items[MAX_BITS + 1], within[MAX_BITS + 1] = {0};

    memset(lengths, 0, n);
    if (count <= 2) {
        for (unsigned i = 0; i < count; i++)
            lengths[leaves[i].symbol] = 1;
        return;
    }
    max_bits = HF_MIN(max_bits, count - 1);
    rows[0].n = 0;
    for (unsigned level = 1; level <= max_bits; level++) {
        merge(leaves, count, &rows[(level - 1) % 2], &rows[level % 2], is_leaf[level]);
        items[level] = rows[level % 2].n;
    }
    for (unsigned level = max_bits, need = 2 * count - 2; level > 0; level--) {
        for (unsigned i = 0; i < need && i < items[level]; i++)
            within[level] += is_leaf[level][i];
        need = 2 * (need - within[level]);
    }
    /* The most frequent symbols get the shortest codes. */
    for (unsigned bits = 1, end = count; bits <= max_bits; bits++) {
        unsigned with = within[max_bits - bits + 1] - within[max_bits - bits];
        for (; with > 0 && end > 0; with--)
            lengths[leaves[--end].symbol] = (uint8_t)bits;
    }
}

/* ---- the description --------------------------------------------------------------------------------------------- */

struct go_runs {
    uint8_t symbol[DEFLATE_LITERALS + DEFLATE_DISTANCES], extra[DEFLATE_LITERALS + DEFLATE_DISTANCES];
    unsigned n;
};

static void add_run(struct go_runs *runs, unsigned symbol, unsigned extra)
{
    runs->symbol[runs->n] = (uint8_t)symbol;
    runs->extra[runs->n++] = (uint8_t)extra;
}

static void end_run(struct go_runs *runs, unsigned length, unsigned count)
{
    if (length != 0) {
        add_run(runs, length, 0);
        for (count--; count >= 3; count -= HF_MIN(count, 6u))
            add_run(runs, 16, HF_MIN(count, 6u) - 3);
    } else {
        for (; count >= 11; count -= HF_MIN(count, 138u))
            add_run(runs, 18, HF_MIN(count, 138u) - 11);
        if (count >= 3) {
            add_run(runs, 17, count - 3);
            count = 0;
        }
    }
    for (; count > 0; count--)
        add_run(runs, length, 0);
}

static void describe(const struct deflate_codes *codes, unsigned literals, unsigned distances,
                     struct deflate_head *head)
{
    static const uint8_t extra_bits[DEFLATE_LENGTH_CODES] = {[16] = 2, [17] = 3, [18] = 7};
    uint8_t lengths[DEFLATE_LITERALS + DEFLATE_DISTANCES], code_lengths[DEFLATE_LENGTH_CODES];
    uint32_t freq[DEFLATE_LENGTH_CODES] = {0};
    uint16_t values[DEFLATE_LENGTH_CODES];
    struct go_runs runs = {.n = 0};
    unsigned all = literals + distances, used = DEFLATE_LENGTH_CODES;

    memcpy(lengths, codes->literal, literals);
    memcpy(lengths + literals, codes->distance, distances);
    for (unsigned i = 0, start = 0; i < all; i++) {
        if (i + 1 < all && lengths[i + 1] == lengths[i])
            continue;
        end_run(&runs, lengths[i], i + 1 - start);
        start = i + 1;
    }
    for (unsigned i = 0; i < runs.n; i++)
        freq[runs.symbol[i]]++;
    find_lengths(freq, DEFLATE_LENGTH_CODES, 7, code_lengths);
    deflate_codes_of(code_lengths, DEFLATE_LENGTH_CODES, values);
    while (used > 4 && freq[deflate_length_order[used - 1]] == 0)
        used--;
    memset(head, 0, sizeof(*head));
    deflate_head_put(head, literals - 257, 5);
    deflate_head_put(head, distances - 1, 5);
    deflate_head_put(head, used - 4, 4);
    for (unsigned i = 0; i < used; i++)
        deflate_head_put(head, code_lengths[deflate_length_order[i]], 3);
    for (unsigned i = 0; i < runs.n; i++) {
        deflate_head_put(head, values[runs.symbol[i]], code_lengths[runs.symbol[i]]);
        deflate_head_put(head, runs.extra[i], extra_bits[runs.symbol[i]]);
    }
}

/* ---- the prediction ---------------------------------------------------------------------------------------------- */

void deflate_go_predict(const uint32_t literal[DEFLATE_LITERALS], const uint32_t distance[DEFLATE_DISTANCES], bool all,
                        struct deflate_prediction *ret_prediction)
{
    uint32_t far[DEFLATE_DISTANCES];
    struct deflate_codes fixed;
    unsigned literals = DEFLATE_LITERALS, distances = DEFLATE_DISTANCES;

    memset(ret_prediction, 0, sizeof(*ret_prediction));
    deflate_fixed_codes(&fixed);
    memcpy(far, distance, sizeof(far));
    while (!all && literals > 257 && literal[literals - 1] == 0)
        literals--;
    while (!all && distances > 0 && far[distances - 1] == 0)
        distances--;
    if (distances == 0) { /* an unused code, because the table needs one */
        far[0] = 1;
        distances = 1;
    }
    find_lengths(literal, DEFLATE_LITERALS, MAX_BITS, ret_prediction->codes.literal);
    find_lengths(far, DEFLATE_DISTANCES, MAX_BITS, ret_prediction->codes.distance);
    for (unsigned i = 0; i < literals; i++) {
        unsigned extra = i > 256 ? deflate_length_bits[i - 257] : 0;
        ret_prediction->dynamic_bits += (uint64_t)literal[i] * (ret_prediction->codes.literal[i] + extra);
        ret_prediction->fixed_bits += (uint64_t)literal[i] * (fixed.literal[i] + extra);
    }
    for (unsigned i = 0; i < distances; i++) {
        ret_prediction->dynamic_bits +=
            (uint64_t)far[i] * (ret_prediction->codes.distance[i] + (unsigned)deflate_distance_bits[i]);
        ret_prediction->fixed_bits += (uint64_t)far[i] * (5u + deflate_distance_bits[i]);
    }
    describe(&ret_prediction->codes, literals, distances, &ret_prediction->head);
    ret_prediction->dynamic_bits += ret_prediction->head.bits;
}

enum deflate_kind deflate_go_kind(const struct deflate_prediction *prediction, uint64_t content_n, bool has_content)
{
    uint64_t least = HF_MIN(prediction->dynamic_bits, prediction->fixed_bits) + 3;

    if (has_content && (content_n + 5) * 8 < least)
        return DEFLATE_STORED;
    return prediction->dynamic_bits < prediction->fixed_bits ? DEFLATE_DYNAMIC : DEFLATE_FIXED;
}
