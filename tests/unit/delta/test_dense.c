/* SPDX-License-Identifier: Apache-2.0 */
/* Files that do not compress at all, or almost to nothing: upper bounds of the delta's size, also with less memory. */
#include <stdlib.h>
#include <string.h>

#include "rounds.h"

/* Incompressible bytes with pieces of the old file: the delta holds only the bytes between the pieces. */
START_TEST(packed_already)
{
    struct hf_buf old = BUF, near = BUF;

    for (unsigned i = 0; i < 50000; i++) {
        uint32_t word = draw() << 8 ^ draw();
        add(&old, &word, sizeof(word));
    }
    for (unsigned i = 0; i < 50000; i++) {
        uint32_t word = draw() << 8 ^ draw();
        add(&near, &word, sizeof(word));
        if (i % 100 == 0)
            add(&near, old.p + draw() % (old.n - 50), 50);
    }
    struct hf_buf patch = make(&old, &near, _i);
    ck_assert_msg(patch.n < near.n - 500 * 40, "%zu bytes of %zu", patch.n, near.n);
    comes_back(&old, &near, _i, "packed");
    hf_buf_done(&patch);
    hf_buf_done(&old);
    hf_buf_done(&near);
}
END_TEST

/* With less memory: another delta, the same file. */
START_TEST(lean)
{
    const struct hf_delta_create_params params = {.lean = (unsigned)_i};
    struct hf_buf old = text(20000), near = text(150000), usual = make(&old, &near, HF_DELTA_SMALL), patch = BUF,
                  made = BUF;
    const struct hf_delta_out out = delta_io_out(&patch);
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_delta_create(old.p, old.n, near.p, near.n, &params, &out, &err), 0);
    ck_assert_int_eq(apply(&old, &patch, &made, &err), 0);
    ck_assert(made.n == near.n && memcmp(made.p, near.p, near.n) == 0);
    ck_assert(patch.n != usual.n || memcmp(patch.p, usual.p, usual.n) != 0);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&usual);
    hf_buf_done(&patch);
    hf_buf_done(&made);
}
END_TEST

/* Incompressible bytes between copies take no more than their number, in quick blocks too. */
START_TEST(as_they_are)
{
    enum { PIECES = 5, PIECE = 8000 };
    struct hf_buf old = BUF, near = BUF;

    for (unsigned i = 0; i < 300000; i++) {
        uint32_t word = draw() << 8 ^ draw();
        add(&old, &word, sizeof(word));
    }
    add(&near, old.p, 100);
    for (unsigned i = 0; i < PIECES; i++) {
        for (unsigned k = 0; k < PIECE / 2; k++) {
            uint16_t word = (uint16_t)(draw() >> 3);
            add(&near, &word, sizeof(word));
        }
        add(&near, old.p + i * (_i != 0 ? 100000 : 1000), _i != 0 ? 100000 : 1000);
    }
    struct hf_buf patch = make(&old, &near, HF_DELTA_SMALL);
    ck_assert_msg(patch.n < PIECES * (PIECE + 16) + 80, "%zu bytes", patch.n);
    comes_back(&old, &near, HF_DELTA_SMALL, "as they are");
    hf_buf_done(&patch);
    hf_buf_done(&old);
    hf_buf_done(&near);
}
END_TEST

/* A file that compresses almost to nothing, though the old one has pieces of it everywhere. */
START_TEST(zero_bytes)
{
    struct hf_buf old = BUF, zeros = BUF;

    for (unsigned i = 0; i < 25000; i++) {
        uint64_t word = (i * 2654435761u >> 8) % 5 < 2 ? draw() * (UINT64_C(1) << 31) + draw() : 0;
        add(&old, &word, sizeof(word));
    }
    ck_assert_int_eq(hf_buf_reserve(&zeros, 1000000), 0);
    memset(zeros.p, 0, zeros.n = 1000000);
    struct hf_buf patch = make(&old, &zeros, _i);
    ck_assert_msg(patch.n < 1000, "%zu bytes", patch.n);
    comes_back(&old, &zeros, _i, "zeros");
    hf_buf_done(&patch);
    hf_buf_done(&old);
    hf_buf_done(&zeros);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, zero_bytes, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_loop_test(tc, lean, 1, 3);
    tcase_add_loop_test(tc, as_they_are, 0, 2);
    tcase_add_loop_test(tc, packed_already, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
}

HF_TEST_MAIN_CPU("delta/dense", cases, 300)
