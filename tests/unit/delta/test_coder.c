/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed blocks: both coders round-trip from one block to the next, small blocks use LZMA, and a block that is
 * cut short, too long or damaged gives an error or other bytes, never more bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delta/coder.h"
#include "support/check_main.h"
#include "support/delta_io.h"

enum { MOST = 600000, TOO_LONG = 40 };

static const struct {
    size_t n;
    uint64_t made;
    enum delta_coder coder; /* the coder it should choose */
} blocks[] = {
    {18, 1000, DELTA_CODER_LZMA},
    {0, 1, DELTA_CODER_LZMA},
    {4096, 20000, DELTA_CODER_LZMA},
    {4097, 8000, DELTA_CODER_ZSTD},
    {100000, DELTA_BLOCK, DELTA_CODER_LZMA},
    {600000, 1000000, DELTA_CODER_ZSTD},
    {3, DELTA_BLOCK, DELTA_CODER_LZMA},
    {600000, DELTA_BLOCK, DELTA_CODER_LZMA}, /* the smaller of both */
};

static unsigned char byte_of(size_t i)
{
    uint32_t x = (uint32_t)i * 2654435761u;

    return (unsigned char)(i % 3 == 0 ? i % 7 : i % 1000 < 500 ? x >> 30 : x >> 25);
}

static void pack(struct delta_packer *packer, unsigned block, struct hf_buf *body)
{
    struct hf_buf bytes = HF_BUF_INIT(SIZE_MAX / 2);

    ck_assert_int_eq(hf_buf_reserve(&bytes, blocks[block].n), 0);
    for (; bytes.n < blocks[block].n; bytes.n++)
        bytes.p[bytes.n] = (char)byte_of(bytes.n);
    ck_assert_int_eq(delta_packer_pack(packer, &bytes, blocks[block].made, body), 0);
    hf_buf_done(&bytes);
}

/* Reads the block with the number `packed` in front, in two parts; neither coder has an end marker there. */
static int unpack(struct delta_unpacker *u, unsigned block, uint64_t packed, bool *same, struct hf_err *err)
{
    static unsigned char bytes[MOST];
    size_t n = blocks[block].n, first = n / 3;
    int r = delta_unpacker_start(u, packed & 1, packed >> 1, err);

    *same = true;
    if (r == 0)
        r = delta_unpacker_read(u, bytes, first, err);
    if (r == 0)
        r = delta_unpacker_read(u, bytes + first, n - first, err);
    for (size_t i = 0; r == 0 && i < n; i++)
        *same = *same && bytes[i] == byte_of(i);
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

/* `_i`: split large blocks into two frames. */
START_TEST(blocks_come_back)
{
    struct hf_buf body = HF_BUF_INIT(SIZE_MAX / 2);
    struct delta_packer *packer = delta_packer_new(false, _i == 1, NULL);
    struct hf_err err;

    for (unsigned i = 0; i < HF_LEN(blocks); i++)
        pack(packer, i, &body);
    struct delta_io file = delta_io_of(&body);
    struct hf_delta_in in = delta_io_in(&file);
    struct delta_input *input = input_of(&in, body.n);
    struct delta_unpacker *u = delta_unpacker_new(input);
    for (unsigned i = 0; i < HF_LEN(blocks); i++) {
        uint64_t packed;
        bool same;
        ck_assert_int_eq(delta_input_varint(input, UINT64_MAX >> 1, &packed, &err), 0);
        ck_assert_msg((packed & 1) == blocks[i].coder, "block %u", i);
        ck_assert_msg(unpack(u, i, packed, &same, &err) == 0, "block %u: %s", i, err.cause);
        ck_assert_msg(same, "block %u", i);
    }
    ck_assert_uint_eq(input->left, 0);
    delta_unpacker_free(u);
    delta_packer_free(packer);
    hf_buf_done(&body);
    free(input);
}
END_TEST

START_TEST(threads_change_nothing)
{
    enum { LARGE = 5 };
    struct hf_buf body[4];

    for (unsigned i = 0; i < HF_LEN(body); i++) {
        const struct hf_delta_create_params params = {.threads = i};
        struct delta_packer *packer = delta_packer_new(false, i > 0, &params);
        body[i] = (struct hf_buf)HF_BUF_INIT(SIZE_MAX / 2);
        pack(packer, LARGE, &body[i]);
        delta_packer_free(packer);
    }
    ck_assert_uint_lt(body[0].n, body[1].n); /* one frame */
    for (unsigned i = 2; i < HF_LEN(body); i++)
        ck_assert(body[i].n == body[1].n && memcmp(body[i].p, body[1].p, body[1].n) == 0);
    for (unsigned i = 0; i < HF_LEN(body); i++)
        hf_buf_done(&body[i]);
}
END_TEST

/* Decompresses the bytes at `from` as the block; sets *same if the result is the original. */
static int unpack_at(unsigned block, const char *from, size_t n, bool *same)
{
    struct delta_io file = {.p = from, .n = n};
    struct hf_delta_in in = delta_io_in(&file);
    struct delta_input *input = input_of(&in, n);
    struct delta_unpacker *u = delta_unpacker_new(input);
    struct hf_err err;
    int r = unpack(u, block, (uint64_t)n << 1 | blocks[block].coder, same, &err);

    delta_unpacker_free(u);
    free(input);
    return r;
}

/* `_i`: number of the block. */
START_TEST(damage_is_found_or_harmless)
{
    struct hf_buf body = HF_BUF_INIT(SIZE_MAX / 2);
    struct delta_packer *packer = delta_packer_new(false, true, NULL);
    uint64_t packed;
    bool same;

    pack(packer, (unsigned)_i, &body);
    const unsigned char *from = (const unsigned char *)body.p;
    ck_assert(delta_get_varint(&from, from + body.n, &packed));
    size_t head = (size_t)(from - (const unsigned char *)body.p), n = (size_t)(packed >> 1);
    ck_assert_int_eq(hf_buf_reserve(&body, TOO_LONG), 0);
    memset(body.p + body.n, 0, TOO_LONG);
    for (size_t length = 0; length < n; length += length + 20 < n ? 1 + n / 50 : 1) {
        int r = unpack_at((unsigned)_i, body.p + head, length, &same);
        ck_assert_msg(r == -EBADMSG || (r == 0 && same), "%zu of %zu bytes: %d", length, n, r);
    }
    ck_assert_int_eq(unpack_at((unsigned)_i, body.p + head, n, &same), 0);
    ck_assert(same);
    ck_assert_int_eq(unpack_at((unsigned)_i, body.p + head, n + TOO_LONG, &same), -EBADMSG);
    for (size_t at = 0; at < n; at += 1 + n / 50) {
        body.p[head + at] ^= 0x55;
        int r = unpack_at((unsigned)_i, body.p + head, n, &same);
        body.p[head + at] ^= 0x55;
        ck_assert_msg(r == 0 || r == -EBADMSG, "byte %zu of %zu: %d", at, n, r);
    }
    delta_packer_free(packer);
    hf_buf_done(&body);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, blocks_come_back, 0, 2);
    tcase_add_test(tc, threads_change_nothing);
    tcase_add_loop_test(tc, damage_is_found_or_harmless, 0, (int)HF_LEN(blocks));
}

HF_TEST_MAIN("delta/coder", cases)
