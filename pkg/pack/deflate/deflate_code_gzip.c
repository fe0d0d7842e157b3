/* SPDX-License-Identifier: Apache-2.0 */
/* The coding of Jean-loup Gailly's deflate (gzip, zlib, and programs that use zlib). It uses Huffman's algorithm and
 * breaks ties by depth. To limit code lengths to 15 bits, it moves leaves down. It encodes run lengths greedily. It
 * takes the shortest of the three kinds of block (stored, fixed and dynamic). */
#include <string.h>

#include "base/macros.h"
#include "pack/deflate/deflate_code.h"

/* ---- one tree ---------------------------------------------------------------------------------------------------- */

enum { NODES = 2 * DEFLATE_LITERALS + 1 };

struct huffman_tree {
    uint32_t freq[NODES];
    uint16_t dad[NODES], heap[NODES + 1];
    uint8_t depth[NODES], length[NODES];
    int heap_n, sorted; /* heap[sorted..NODES): nodes by falling frequency */
    int max_symbol;
};

static bool before(const struct huffman_tree *tree, unsigned a, unsigned b)
{
    return tree->freq[a] < tree->freq[b] || (tree->freq[a] == tree->freq[b] && tree->depth[a] <= tree->depth[b]);
}

static void sink_down(struct huffman_tree *tree, int at)
{
    unsigned node = tree->heap[at];

    for (int child = 2 * at; child <= tree->heap_n; child *= 2) {
        if (child < tree->heap_n && before(tree, tree->heap[child + 1], tree->heap[child]))
            child++;
        if (before(tree, node, tree->heap[child]))
            break;
        tree->heap[at] = tree->heap[child];
        at = child;
    }
    tree->heap[at] = (uint16_t)node;
}

static void fill_heap(struct huffman_tree *tree, const uint32_t *freq, int n)
{
    memset(tree, 0, sizeof(*tree));
    tree->sorted = NODES;
    tree->max_symbol = -1;
    for (int i = 0; i < n; i++) {
        tree->freq[i] = freq[i];
        if (freq[i] != 0) {
            tree->heap[++tree->heap_n] = (uint16_t)i;
            tree->max_symbol = i;
        }
    }
    while (tree->heap_n < 2) {
        int node = tree->max_symbol < 2 ? ++tree->max_symbol : 0;
        tree->heap[++tree->heap_n] = (uint16_t)node;
        tree->freq[node] = 1; /* an unused code, because a tree needs two */
    }
    for (int i = tree->heap_n / 2; i >= 1; i--)
        sink_down(tree, i);
}

static void join(struct huffman_tree *tree, int n)
{
    int node = n;

    do {
        unsigned a = tree->heap[1];
        tree->heap[1] = tree->heap[tree->heap_n--];
        sink_down(tree, 1);
        unsigned b = tree->heap[1];
        tree->heap[--tree->sorted] = (uint16_t)a;
        tree->heap[--tree->sorted] = (uint16_t)b;
        tree->freq[node] = tree->freq[a] + tree->freq[b];
        tree->depth[node] = (uint8_t)(HF_MAX(tree->depth[a], tree->depth[b]) + 1);
        tree->dad[a] = tree->dad[b] = (uint16_t)node;
        tree->heap[1] = (uint16_t)node++;
        sink_down(tree, 1);
    } while (tree->heap_n >= 2);
    tree->heap[--tree->sorted] = tree->heap[1];
}

static void set_lengths(struct huffman_tree *tree, int n, unsigned max_length)
{
    unsigned count[16] = {0};
    int overflow = 0, h;

    tree->length[tree->heap[tree->sorted]] = 0;
    for (h = tree->sorted + 1; h < NODES; h++) {
        unsigned node = tree->heap[h], bits = tree->length[tree->dad[node]] + 1u;
        if (bits > max_length) {
            bits = max_length;
            overflow++;
        }
        tree->length[node] = (uint8_t)bits;
        if ((int)node < n)
            count[bits]++;
    }
    if (overflow == 0)
        return;
    for (; overflow > 0; overflow -= 2) {
        unsigned bits = max_length - 1;
        while (count[bits] == 0)
            bits--;
        count[bits]--;
        count[bits + 1] += 2;
        count[max_length]--;
    }
    for (unsigned bits = max_length; bits != 0; bits--) {
        for (unsigned left = count[bits]; left != 0;) {
            int node = tree->heap[--h];
            if (node >= n)
                continue;
            tree->length[node] = (uint8_t)bits;
            left--;
        }
    }
}

static void build(struct huffman_tree *tree, const uint32_t *freq, int n, unsigned max_length)
{
    fill_heap(tree, freq, n);
    join(tree, n);
    set_lengths(tree, n, max_length);
}

/* ---- the description of two trees -------------------------------------------------------------------------------- */

struct gzip_runs {
    uint8_t symbol[640], extra[640];
    unsigned n;
};

static void add_run(struct gzip_runs *runs, unsigned symbol, unsigned extra)
{
    runs->symbol[runs->n] = (uint8_t)symbol;
    runs->extra[runs->n++] = (uint8_t)extra;
}

static void end_run(struct gzip_runs *runs, int length, int before_it, unsigned count, unsigned min)
{
    if (count < min) {
        while (count-- > 0)
            add_run(runs, (unsigned)length, 0);
    } else if (length != 0) {
        if (length != before_it) {
            add_run(runs, (unsigned)length, 0);
            count--;
        }
        add_run(runs, 16, count - 3);
    } else if (count <= 10) {
        add_run(runs, 17, count - 3);
    } else {
        add_run(runs, 18, count - 11);
    }
}

static void find_runs(struct gzip_runs *runs, const uint8_t *lengths, int max_symbol)
{
    int before_it = -1, next = lengths[0];
    unsigned count = 0, max = next == 0 ? 138 : 7, min = next == 0 ? 3 : 4;

    for (int i = 0; i <= max_symbol; i++) {
        int length = next;
        next = i < max_symbol ? lengths[i + 1] : 0xff;
        if (++count < max && length == next)
            continue;
        end_run(runs, length, before_it, count, min);
        count = 0;
        before_it = length;
        max = next == 0 ? 138 : length == next ? 6 : 7;
        min = next == 0 || length == next ? 3 : 4;
    }
}

static void describe(const struct gzip_runs *runs, int max_literal, int max_distance, struct deflate_head *head)
{
    static const uint8_t extra_bits[DEFLATE_LENGTH_CODES] = {[16] = 2, [17] = 3, [18] = 7};
    uint32_t freq[DEFLATE_LENGTH_CODES] = {0};
    uint16_t codes[DEFLATE_LENGTH_CODES];
    struct huffman_tree tree;
    unsigned last = DEFLATE_LENGTH_CODES - 1;

    for (unsigned i = 0; i < runs->n; i++)
        freq[runs->symbol[i]]++;
    build(&tree, freq, DEFLATE_LENGTH_CODES, 7);
    deflate_codes_of(tree.length, DEFLATE_LENGTH_CODES, codes);
    while (last > 3 && tree.length[deflate_length_order[last]] == 0)
        last--;
    memset(head, 0, sizeof(*head));
    deflate_head_put(head, (unsigned)max_literal - 256, 5);
    deflate_head_put(head, (unsigned)max_distance, 5);
    deflate_head_put(head, last - 3, 4);
    for (unsigned i = 0; i <= last; i++)
        deflate_head_put(head, tree.length[deflate_length_order[i]], 3);
    for (unsigned i = 0; i < runs->n; i++) {
        deflate_head_put(head, codes[runs->symbol[i]], tree.length[runs->symbol[i]]);
        deflate_head_put(head, runs->extra[i], extra_bits[runs->symbol[i]]);
    }
}

/* ---- the prediction ---------------------------------------------------------------------------------------------- */

void deflate_gzip_predict(const uint32_t literal[DEFLATE_LITERALS], const uint32_t distance[DEFLATE_DISTANCES],
                          struct deflate_prediction *ret_prediction)
{
    struct deflate_codes fixed;
    struct huffman_tree literals, distances;
    struct gzip_runs runs = {.n = 0};

    memset(ret_prediction, 0, sizeof(*ret_prediction));
    deflate_fixed_codes(&fixed);
    build(&literals, literal, DEFLATE_LITERALS, 15);
    build(&distances, distance, DEFLATE_DISTANCES, 15);
    for (int i = 0; i <= literals.max_symbol; i++) {
        unsigned extra = i > 256 ? deflate_length_bits[i - 257] : 0;
        ret_prediction->codes.literal[i] = literals.length[i];
        ret_prediction->dynamic_bits += (uint64_t)literal[i] * (literals.length[i] + extra);
        ret_prediction->fixed_bits += (uint64_t)literal[i] * (fixed.literal[i] + extra);
    }
    for (int i = 0; i <= distances.max_symbol; i++) {
        ret_prediction->codes.distance[i] = distances.length[i];
        ret_prediction->dynamic_bits +=
            (uint64_t)distance[i] * (distances.length[i] + (unsigned)deflate_distance_bits[i]);
        ret_prediction->fixed_bits += (uint64_t)distance[i] * (5u + deflate_distance_bits[i]);
    }
    find_runs(&runs, literals.length, literals.max_symbol);
    find_runs(&runs, distances.length, distances.max_symbol);
    describe(&runs, literals.max_symbol, distances.max_symbol, &ret_prediction->head);
    ret_prediction->dynamic_bits += ret_prediction->head.bits;
}

enum deflate_kind deflate_gzip_kind(const struct deflate_prediction *prediction, uint64_t content_n, bool has_content)
{
    uint64_t dynamic = (prediction->dynamic_bits + 3 + 7) / 8, fixed = (prediction->fixed_bits + 3 + 7) / 8;
    uint64_t least = HF_MIN(dynamic, fixed);

    if (content_n + 4 <= least && has_content)
        return DEFLATE_STORED;
    return fixed == least ? DEFLATE_FIXED : DEFLATE_DYNAMIC;
}
