/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/server/seats.h"

#include <string.h>

#include "base/macros.h"
#include "support/check_main.h"

/* Seats as letters, the oldest first: a letter is a peer, a capital one is being answered. */
static const struct {
    const char *name, *seats;
    char newcomer;
    bool replace;
    int want;
} rows[] = {
    {"nobody is there", "", 'a', true, -1},
    {"another user takes a place of who has all", "aaaa", 'b', false, 0},
    {"of the one with the most", "baacaaac", 'b', false, 1},
    {"who has all gets no more", "aaaa", 'a', false, -1},
    {"who has all replaces its own", "aaaa", 'a', true, 0},
    {"shares are equal", "aabb", 'a', false, -1},
    {"one more is no unfair share", "aaabb", 'b', false, -1},
    {"two more is one", "aaabc", 'b', false, 0},
    {"a replacing server takes the newcomer's own oldest", "abab", 'b', true, 1},
    {"everybody has one: the oldest goes", "abcd", 'e', true, 0},
    {"and nobody without replacing", "abcd", 'e', false, -1},
    {"who is being answered goes last", "AAaA", 'b', false, 2},
    {"all are being answered", "AAAA", 'b', false, 0},
    {"own idle before own answering", "bAaA", 'a', true, 2},
};

START_TEST(chooses)
{
    struct hf_server_seat seats[16];
    size_t n = strlen(rows[_i].seats);

    for (size_t i = 0; i < n; i++)
        seats[i] = (struct hf_server_seat){.peer = (uint64_t)(rows[_i].seats[i] | 0x20),
                                           .answering = (rows[_i].seats[i] & 0x20) == 0};
    int got = hf_server_seats_choose(seats, n, (uint64_t)rows[_i].newcomer, rows[_i].replace);
    ck_assert_msg(got == rows[_i].want, "%s: %d", rows[_i].name, got);
}
END_TEST

/* Many peers with keys that only differ above 32 bits, and the largest number of seats. */
START_TEST(many)
{
    static struct hf_server_seat seats[HF_SERVER_SEATS_MAX];

    for (size_t i = 0; i < HF_LEN(seats); i++)
        seats[i].peer = (uint64_t)(i / 2) << 40;
    ck_assert_int_eq(hf_server_seats_choose(seats, HF_LEN(seats), 7, false), 0);
    seats[600].peer = seats[601].peer = seats[602].peer;
    ck_assert_int_eq(hf_server_seats_choose(seats, HF_LEN(seats), 7, false), 600);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, chooses, 0, (int)HF_LEN(rows));
    tcase_add_test(tc, many);
}

HF_TEST_MAIN("loop/seats", cases)
