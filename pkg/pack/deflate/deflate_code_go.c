/* Huffman codes as Go's compress/flate builds them, and their description in a block's head: the shortest codes of at most 15 bits
 * (package-merge; Larmore and Hirschberg 1990), run lengths over both tables in one. */
#include <string.h>

#include "base/macros.h"
#include "pack/deflate/deflate_code_go.h"

enum { MAX_BITS = 15, ITEMS = 2 * DEFLATE_LITERALS };

struct leaf {
    uint32_t freq;
    uint16_t symbol;
};

/* By frequency, then by symbol; few and nearly sorted often enough. */
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

struct row {
    uint64_t freq[ITEMS];
    unsigned n;
};

/* Leaves and pairs of the row below, in one order; a pair goes before a leaf that is as frequent. */
static void merge(const struct leaf *leaves, unsigned count, const struct row *below, struct row *row, bool *is_leaf)
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

void deflate_go_lengths(const uint32_t *freq, unsigned n, unsigned max_bits, uint8_t *lengths)
{
    struct leaf leaves[DEFLATE_LITERALS];
    struct row rows[2]; /* the one below and the one above, in turn */
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
    /* The most frequent ones have the shortest codes. */
    for (unsigned bits = 1, end = count; bits <= max_bits; bits++) {
        unsigned with = within[max_bits - bits + 1] - within[max_bits - bits];
        for (; with > 0 && end > 0; with--)
            lengths[leaves[--end].symbol] = (uint8_t)bits;
    }
}

/* ---- the description ------------------------------------------------------------------------------------------------ */

struct runs {
    uint8_t symbol[DEFLATE_LITERALS + DEFLATE_DISTANCES], extra[DEFLATE_LITERALS + DEFLATE_DISTANCES];
    unsigned n;
};

static void add_run(struct runs *runs, unsigned symbol, unsigned extra)
{
    runs->symbol[runs->n] = (uint8_t)symbol;
    runs->extra[runs->n++] = (uint8_t)extra;
}

static void end_run(struct runs *runs, unsigned length, unsigned count)
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

static void put(struct deflate_head *head, unsigned value, unsigned n)
{
    for (unsigned i = 0; i < n; i++, head->bits++)
        head->bytes[head->bits / 8] |= (unsigned char)((value >> i & 1u) << head->bits % 8);
}

static void describe(const struct deflate_codes *codes, unsigned literals, unsigned distances,
                     struct deflate_head *head)
{
    static const uint8_t extra_bits[DEFLATE_LENGTH_CODES] = {[16] = 2, [17] = 3, [18] = 7};
    uint8_t lengths[DEFLATE_LITERALS + DEFLATE_DISTANCES], code_lengths[DEFLATE_LENGTH_CODES];
    uint32_t freq[DEFLATE_LENGTH_CODES] = {0};
    uint16_t values[DEFLATE_LENGTH_CODES];
    struct runs runs = {.n = 0};
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
    deflate_go_lengths(freq, DEFLATE_LENGTH_CODES, 7, code_lengths);
    deflate_codes_of(code_lengths, DEFLATE_LENGTH_CODES, values);
    while (used > 4 && freq[deflate_length_order[used - 1]] == 0)
        used--;
    memset(head, 0, sizeof(*head));
    put(head, literals - 257, 5);
    put(head, distances - 1, 5);
    put(head, used - 4, 4);
    for (unsigned i = 0; i < used; i++)
        put(head, code_lengths[deflate_length_order[i]], 3);
    for (unsigned i = 0; i < runs.n; i++) {
        put(head, values[runs.symbol[i]], code_lengths[runs.symbol[i]]);
        put(head, runs.extra[i], extra_bits[runs.symbol[i]]);
    }
}

/* ---- the plan ------------------------------------------------------------------------------------------------------- */

void deflate_go_plan(const uint32_t literal[DEFLATE_LITERALS], const uint32_t distance[DEFLATE_DISTANCES], bool all,
                     struct deflate_plan *ret_plan)
{
    uint32_t far[DEFLATE_DISTANCES];
    struct deflate_codes fixed;
    unsigned literals = DEFLATE_LITERALS, distances = DEFLATE_DISTANCES;

    memset(ret_plan, 0, sizeof(*ret_plan));
    deflate_fixed_codes(&fixed);
    memcpy(far, distance, sizeof(far));
    while (!all && literals > 257 && literal[literals - 1] == 0)
        literals--;
    while (!all && distances > 0 && far[distances - 1] == 0)
        distances--;
    if (distances == 0) { /* a code that nobody uses, so that there is one */
        far[0] = 1;
        distances = 1;
    }
    deflate_go_lengths(literal, DEFLATE_LITERALS, MAX_BITS, ret_plan->codes.literal);
    deflate_go_lengths(far, DEFLATE_DISTANCES, MAX_BITS, ret_plan->codes.distance);
    for (unsigned i = 0; i < literals; i++) {
        unsigned extra = i > 256 ? deflate_length_bits[i - 257] : 0;
        ret_plan->dynamic_bits += (uint64_t)literal[i] * (ret_plan->codes.literal[i] + extra);
        ret_plan->fixed_bits += (uint64_t)literal[i] * (fixed.literal[i] + extra);
    }
    for (unsigned i = 0; i < distances; i++) {
        ret_plan->dynamic_bits += (uint64_t)far[i] * (ret_plan->codes.distance[i] + (unsigned)deflate_distance_bits[i]);
        ret_plan->fixed_bits += (uint64_t)far[i] * (5u + deflate_distance_bits[i]);
    }
    describe(&ret_plan->codes, literals, distances, &ret_plan->head);
    ret_plan->dynamic_bits += ret_plan->head.bits;
}

enum deflate_kind deflate_go_plan_kind(const struct deflate_plan *plan, uint64_t content_n, bool has_content)
{
    uint64_t least = HF_MIN(plan->dynamic_bits, plan->fixed_bits) + 3;

    if (has_content && (content_n + 5) * 8 < least)
        return DEFLATE_STORED;
    return plan->dynamic_bits < plan->fixed_bits ? DEFLATE_DYNAMIC : DEFLATE_FIXED;
}
