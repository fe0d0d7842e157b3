/* Huffman codes as gzip's deflate builds them, and their description in a block's head. */
#include <string.h>

#include "base/macros.h"
#include "pack/deflate/deflate.h"
#include "pack/deflate/deflate_code_go.h"

const uint16_t deflate_length_base[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                          31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
const uint8_t deflate_length_bits[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                         2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
const uint16_t deflate_distance_base[30] = {1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                            33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                            1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
const uint8_t deflate_distance_bits[30] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                           6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};
const uint8_t deflate_length_order[DEFLATE_LENGTH_CODES] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                            11, 4,  12, 3, 13, 2, 14, 1, 15};

struct deflate_symbol deflate_length_symbol(unsigned length)
{
    unsigned i = 28;

    while (deflate_length_base[i] > length)
        i--;
    return (struct deflate_symbol){257 + i, deflate_length_bits[i], length - deflate_length_base[i]};
}

struct deflate_symbol deflate_distance_symbol(unsigned distance)
{
    unsigned i = distance - 1, bits = 0;

    if (i >= 4) {
        bits = 30 - (unsigned)__builtin_clz(i);
        i = 2 * bits + (i >> bits);
    }
    return (struct deflate_symbol){i, deflate_distance_bits[i], distance - deflate_distance_base[i]};
}

/* ---- one tree ------------------------------------------------------------------------------------------------------ */

enum { NODES = 2 * DEFLATE_LITERALS + 1 };

struct tree {
    uint32_t freq[NODES];
    uint16_t dad[NODES], heap[NODES + 1];
    uint8_t depth[NODES], length[NODES];
    int heap_n, sorted; /* heap[sorted..NODES) are the nodes by falling frequency */
    int max_symbol;
};

static bool before(const struct tree *tree, unsigned a, unsigned b)
{
    return tree->freq[a] < tree->freq[b] || (tree->freq[a] == tree->freq[b] && tree->depth[a] <= tree->depth[b]);
}

static void sink_down(struct tree *tree, int at)
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

static void fill_heap(struct tree *tree, const uint32_t *freq, int n)
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
        tree->freq[node] = 1; /* a code that nobody uses, so that there are two */
    }
    for (int i = tree->heap_n / 2; i >= 1; i--)
        sink_down(tree, i);
}

static void join(struct tree *tree, int n)
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

static void set_lengths(struct tree *tree, int n, unsigned max_length)
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

static void build(struct tree *tree, const uint32_t *freq, int n, unsigned max_length)
{
    fill_heap(tree, freq, n);
    join(tree, n);
    set_lengths(tree, n, max_length);
}

/* ---- the description of two trees --------------------------------------------------------------------------------- */

static void put(struct deflate_head *head, unsigned value, unsigned n)
{
    for (unsigned i = 0; i < n; i++, head->bits++)
        head->bytes[head->bits / 8] |= (unsigned char)((value >> i & 1u) << head->bits % 8);
}

void deflate_codes_of(const uint8_t *lengths, unsigned n, uint16_t *codes)
{
    unsigned count[16] = {0}, next[16] = {0}, code = 0;

    for (unsigned i = 0; i < n; i++)
        count[lengths[i]]++;
    count[0] = 0;
    for (unsigned bits = 1; bits < 16; bits++)
        next[bits] = code = (code + count[bits - 1]) << 1;
    for (unsigned i = 0; i < n; i++) {
        unsigned value = lengths[i] != 0 ? next[lengths[i]]++ : 0, reversed = 0;
        for (unsigned b = 0; b < lengths[i]; b++)
            reversed |= (value >> b & 1u) << (lengths[i] - 1u - b);
        codes[i] = (uint16_t)reversed;
    }
}

struct runs {
    uint8_t symbol[640], extra[640];
    unsigned n;
};

static void add_run(struct runs *runs, unsigned symbol, unsigned extra)
{
    runs->symbol[runs->n] = (uint8_t)symbol;
    runs->extra[runs->n++] = (uint8_t)extra;
}

static void end_run(struct runs *runs, int length, int before_it, unsigned count, unsigned min)
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

static void find_runs(struct runs *runs, const uint8_t *lengths, int max_symbol)
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

static void describe(const struct runs *runs, int max_literal, int max_distance, struct deflate_head *head)
{
    static const uint8_t extra_bits[DEFLATE_LENGTH_CODES] = {[16] = 2, [17] = 3, [18] = 7};
    uint32_t freq[DEFLATE_LENGTH_CODES] = {0};
    uint16_t codes[DEFLATE_LENGTH_CODES];
    struct tree tree;
    unsigned last = DEFLATE_LENGTH_CODES - 1;

    for (unsigned i = 0; i < runs->n; i++)
        freq[runs->symbol[i]]++;
    build(&tree, freq, DEFLATE_LENGTH_CODES, 7);
    deflate_codes_of(tree.length, DEFLATE_LENGTH_CODES, codes);
    while (last > 3 && tree.length[deflate_length_order[last]] == 0)
        last--;
    memset(head, 0, sizeof(*head));
    put(head, (unsigned)max_literal - 256, 5);
    put(head, (unsigned)max_distance, 5);
    put(head, last - 3, 4);
    for (unsigned i = 0; i <= last; i++)
        put(head, tree.length[deflate_length_order[i]], 3);
    for (unsigned i = 0; i < runs->n; i++) {
        put(head, codes[runs->symbol[i]], tree.length[runs->symbol[i]]);
        put(head, runs->extra[i], extra_bits[runs->symbol[i]]);
    }
}

/* ---- the plan ------------------------------------------------------------------------------------------------------- */

void deflate_fixed_codes(struct deflate_codes *ret_codes)
{
    for (unsigned i = 0; i < 288; i++)
        ret_codes->literal[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    memset(ret_codes->distance, 5, sizeof(ret_codes->distance));
}

void deflate_plan(enum deflate_coding coding, const uint32_t literal[DEFLATE_LITERALS],
                  const uint32_t distance[DEFLATE_DISTANCES], struct deflate_plan *ret_plan)
{
    struct deflate_codes fixed;
    struct tree literals, distances;
    struct runs runs = {.n = 0};

    if (coding != DEFLATE_CODING_GZIP) {
        deflate_go_plan(literal, distance, coding == DEFLATE_CODING_ALL, ret_plan);
        return;
    }
    memset(ret_plan, 0, sizeof(*ret_plan));
    deflate_fixed_codes(&fixed);
    build(&literals, literal, DEFLATE_LITERALS, 15);
    build(&distances, distance, DEFLATE_DISTANCES, 15);
    for (int i = 0; i <= literals.max_symbol; i++) {
        unsigned extra = i > 256 ? deflate_length_bits[i - 257] : 0;
        ret_plan->codes.literal[i] = literals.length[i];
        ret_plan->dynamic_bits += (uint64_t)literal[i] * (literals.length[i] + extra);
        ret_plan->fixed_bits += (uint64_t)literal[i] * (fixed.literal[i] + extra);
    }
    for (int i = 0; i <= distances.max_symbol; i++) {
        ret_plan->codes.distance[i] = distances.length[i];
        ret_plan->dynamic_bits += (uint64_t)distance[i] * (distances.length[i] + (unsigned)deflate_distance_bits[i]);
        ret_plan->fixed_bits += (uint64_t)distance[i] * (5u + deflate_distance_bits[i]);
    }
    find_runs(&runs, literals.length, literals.max_symbol);
    find_runs(&runs, distances.length, distances.max_symbol);
    describe(&runs, literals.max_symbol, distances.max_symbol, &ret_plan->head);
    ret_plan->dynamic_bits += ret_plan->head.bits;
}

enum deflate_kind deflate_plan_kind(enum deflate_coding coding, const struct deflate_plan *plan, uint64_t content_n,
                                    bool has_content)
{
    if (coding != DEFLATE_CODING_GZIP)
        return deflate_go_plan_kind(plan, content_n, has_content);
    uint64_t dynamic = (plan->dynamic_bits + 3 + 7) / 8, fixed = (plan->fixed_bits + 3 + 7) / 8;
    uint64_t least = HF_MIN(dynamic, fixed);

    if (content_n + 4 <= least && has_content)
        return DEFLATE_STORED;
    return fixed == least ? DEFLATE_FIXED : DEFLATE_DYNAMIC;
}

enum deflate_kind deflate_block_kind(enum deflate_coding coding, const struct deflate_block *block,
                                     uint32_t literal[DEFLATE_LITERALS], const uint32_t distance[DEFLATE_DISTANCES],
                                     uint64_t content_n)
{
    enum deflate_kind kind = block->kind;
    struct deflate_plan plan;

    literal[256]++;
    deflate_plan(coding, literal, distance, &plan);
    literal[256]--;
    if (kind == DEFLATE_GIVEN && plan.head.bits == block->head.bits &&
        memcmp(plan.head.bytes, block->head.bytes, (block->head.bits + 7) / 8) == 0)
        kind = DEFLATE_DYNAMIC;
    if (kind != DEFLATE_GIVEN && deflate_plan_kind(coding, &plan, content_n, content_n <= DEFLATE_STORED_MAX) == kind)
        kind = DEFLATE_AUTO;
    return kind;
}
