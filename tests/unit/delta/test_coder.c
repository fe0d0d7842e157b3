/* The lists of a block: what is packed comes back, by either coder and from one block to the next, little of them by mixing; a block that is
 * cut short, too long or damaged is an error or other bytes, never more. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delta/coder.h"
#include "support/check_main.h"
#include "support/delta_io.h"

enum { LIST_MAX = 30000 };

struct block {
    size_t control, diff, literal;
    uint64_t made;
    enum delta_coder coder; /* that it comes to */
};

static const struct block blocks[] = {
    {10, 5, 3, 1000, DELTA_CODER_MIXING},
    {0, 0, 0, 1, DELTA_CODER_MIXING},
    {2000, 1000, 1096, 70000, DELTA_CODER_MIXING},
    {2000, 1000, 1097, 70000, DELTA_CODER_ZSTD},
    {30000, 20000, 30000, DELTA_BLOCK, DELTA_CODER_MIXING},
    {30000, 20000, 30000, 4096, DELTA_CODER_ZSTD},
    {1, 1, 1, DELTA_BLOCK, DELTA_CODER_MIXING},
};

static unsigned char byte_of(enum delta_list list, size_t i)
{
    uint32_t x = (uint32_t)i * 2654435761u;

    return (unsigned char)(list == DELTA_LIST_CONTROL ? i % 7 : list == DELTA_LIST_DIFF ? x >> 30 : x >> 25);
}

static void add(struct delta_lists *lists, enum delta_list list, size_t n)
{
    static unsigned char bytes[LIST_MAX];

    for (size_t i = 0; i < n; i++)
        bytes[i] = byte_of(list, i);
    ck_assert_int_eq(delta_lists_add(lists, list, bytes, n), 0);
}

static void pack(struct delta_packer *packer, const struct block *b, struct hf_buf *body)
{
    struct delta_lists lists = {HF_BUF_INIT(SIZE_MAX / 2), HF_BUF_INIT(SIZE_MAX / 2)};

    add(&lists, DELTA_LIST_CONTROL, b->control);
    add(&lists, DELTA_LIST_DIFF, b->diff);
    add(&lists, DELTA_LIST_LITERAL, b->literal);
    ck_assert_int_eq(delta_packer_pack(packer, &lists, b->made, body), 0);
    delta_lists_done(&lists);
}

static int check_list(struct delta_unpacker *u, enum delta_list list, size_t n, bool *same, struct hf_err *err)
{
    static unsigned char bytes[LIST_MAX];
    int r = delta_unpacker_read(u, list, bytes, n, err);

    for (size_t i = 0; r == 0 && i < n; i++)
        *same = *same && bytes[i] == byte_of(list, i);
    return r;
}

/* The block whose number was `packed`. */
static int unpack(struct delta_unpacker *u, const struct block *b, uint64_t packed, bool *same, struct hf_err *err)
{
    int r = delta_unpacker_start(u, packed & 1, packed >> 1, b->made, err);

    *same = true;
    if (r == 0)
        r = check_list(u, DELTA_LIST_CONTROL, b->control, same, err);
    if (r == 0)
        r = check_list(u, DELTA_LIST_DIFF, b->diff, same, err);
    if (r == 0)
        r = check_list(u, DELTA_LIST_LITERAL, b->literal, same, err);
    return r < 0 ? r : delta_unpacker_finish(u, err);
}

static struct delta_input *input_of(const struct hf_delta_in *in, size_t n)
{
    struct delta_input *input = malloc(sizeof(*input));

    ck_assert_ptr_nonnull(input);
    delta_input_init(input, in);
    input->left = n;
    return input;
}

START_TEST(blocks_come_back)
{
    struct hf_buf body = HF_BUF_INIT(SIZE_MAX / 2);
    struct delta_packer *packer = delta_packer_new(false);
    struct hf_err err;

    for (unsigned i = 0; i < HF_LEN(blocks); i++)
        pack(packer, &blocks[i], &body);
    struct delta_io file = delta_io_of(&body);
    struct hf_delta_in in = delta_io_in(&file);
    struct delta_input *input = input_of(&in, body.n);
    struct delta_unpacker *u = delta_unpacker_new(input);
    for (unsigned i = 0; i < HF_LEN(blocks); i++) {
        uint64_t packed;
        bool same;
        ck_assert_int_eq(delta_input_varint(input, UINT64_MAX >> 1, &packed, &err), 0);
        ck_assert_msg((packed & 1) == blocks[i].coder, "block %u", i);
        ck_assert_msg(unpack(u, &blocks[i], packed, &same, &err) == 0, "block %u: %s", i, err.cause);
        ck_assert_msg(same, "block %u", i);
    }
    ck_assert_uint_eq(input->left, 0);
    delta_unpacker_free(u);
    delta_packer_free(packer);
    hf_buf_done(&body);
    free(input);
}
END_TEST

/* `_i`: the block's number. */
START_TEST(damage_is_found_or_harmless)
{
    const struct block *b = &blocks[_i];
    struct hf_buf body = HF_BUF_INIT(SIZE_MAX / 2);
    struct delta_packer *packer = delta_packer_new(false);
    struct hf_err err;
    uint64_t packed;
    bool same;

    pack(packer, b, &body);
    const unsigned char *from = (const unsigned char *)body.p;
    ck_assert(delta_get_varint(&from, from + body.n, &packed));
    size_t head = (size_t)(from - (const unsigned char *)body.p), n = (size_t)(packed >> 1);
    ck_assert_int_eq(hf_buf_add(&body, "\1\2\3\4\5\6\7\10", 8), 0);
    for (size_t length = 0; length <= n + 8; length += length + 20 < n ? 1 + n / 20 : 1) {
        struct delta_io file = {.p = body.p + head, .n = length};
        struct hf_delta_in in = delta_io_in(&file);
        struct delta_input *input = input_of(&in, length);
        struct delta_unpacker *u = delta_unpacker_new(input);
        int r = unpack(u, b, (uint64_t)length << 1 | b->coder, &same, &err);
        ck_assert_msg(r == -EBADMSG || (r == 0 && (same || length < n)), "%zu of %zu bytes: %d", length, n, r);
        ck_assert_msg(length < n + 5 || r == -EBADMSG || b->coder == DELTA_CODER_ZSTD, "%zu of %zu bytes", length, n);
        delta_unpacker_free(u);
        free(input);
    }
    for (size_t at = 0; at < n; at += 1 + n / 20) {
        struct delta_io file = {.p = body.p + head, .n = n};
        struct hf_delta_in in = delta_io_in(&file);
        struct delta_input *input = input_of(&in, n);
        struct delta_unpacker *u = delta_unpacker_new(input);
        body.p[head + at] ^= 0x55;
        int r = unpack(u, b, packed, &same, &err);
        body.p[head + at] ^= 0x55;
        ck_assert_msg(r == 0 || r == -EBADMSG, "byte %zu of %zu: %d", at, n, r);
        delta_unpacker_free(u);
        free(input);
    }
    delta_packer_free(packer);
    hf_buf_done(&body);
}
END_TEST

START_TEST(few_bytes_are_fewer_mixed)
{
    const struct block b = {3000, 500, 500, 100000, DELTA_CODER_MIXING};
    struct hf_buf mixed = HF_BUF_INIT(SIZE_MAX / 2), quick = HF_BUF_INIT(SIZE_MAX / 2);
    struct delta_packer *well = delta_packer_new(false), *fast = delta_packer_new(true);

    pack(well, &b, &mixed);
    pack(fast, &b, &quick);
    ck_assert_uint_eq(quick.p[0] & 1, DELTA_CODER_ZSTD);
    ck_assert_uint_eq(mixed.p[0] & 1, DELTA_CODER_MIXING);
    ck_assert_uint_lt(mixed.n, quick.n);
    delta_packer_free(well);
    delta_packer_free(fast);
    hf_buf_done(&mixed);
    hf_buf_done(&quick);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, blocks_come_back);
    tcase_add_loop_test(tc, damage_is_found_or_harmless, 0, (int)HF_LEN(blocks));
    tcase_add_test(tc, few_bytes_are_fewer_mixed);
}

HF_TEST_MAIN("delta/coder", cases)
