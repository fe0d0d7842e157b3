/* SPDX-License-Identifier: Apache-2.0 */
/* Chains of deltas: the one with the fewest bytes that fits the node. */
#include "base/macros.h"
#include "support/check_main.h"
#include "update/rules/delta_chain.h"

#define MIB (1ull << 20)

static struct hf_delta_ref deltas[] = {
    {.from = "a", .size = 9000, .sha256 = "a-n"},
    {.from = "b", .size = 2000, .sha256 = "b-n"},
    {.from = "b", .size = 300, .sha256 = "b-n-deep", .needs = {.memory_bytes = 100 * MIB, .disk_bytes = 50 * MIB}},
    {.from = "d", .size = 70000, .sha256 = "d-n"},
    {.from = "f", .size = 2 * MIB, .sha256 = "f-n"},
};
static struct hf_delta_ref steps[] = {
    {.from = "a", .to = "b", .to_size = 4 * MIB, .size = 1000, .sha256 = "a-b"},
    {.from = "c", .to = "a", .to_size = 4 * MIB, .size = 500, .sha256 = "c-a"},
    {.from = "d", .to = "c", .to_size = 4 * MIB, .size = 600, .sha256 = "d-c"},
    {.from = "e", .to = "d", .to_size = 4 * MIB, .size = 700, .sha256 = "e-d"},
    {.from = "b", .to = "a", .to_size = 4 * MIB, .size = 1, .sha256 = "b-a"}, /* in a circle */
    {.from = "g", .to = "z", .to_size = 4 * MIB, .size = 1, .sha256 = "g-z"}, /* to nowhere */
};
static const struct hf_artifact artifact = {
    .size = MIB, .deltas = deltas, .n_deltas = HF_LEN(deltas), .steps = steps, .n_steps = HF_LEN(steps)};

START_TEST(ways)
{
    static const struct {
        const char *from;
        struct hf_delta_room room;
        uint64_t began_bytes;
        const char *want; /* "" none */
    } cases[] = {
        {"a", {UINT64_MAX, UINT64_MAX}, 0, "a-b b-n-deep"},
        {"a", {99 * MIB, UINT64_MAX}, 0, "a-b b-n"}, /* too little memory for the delta that unpacks the content */
        {"a", {UINT64_MAX, 50 * MIB}, 0, "a-b b-n"}, /* too little disk for it */
        {"a", {0, 4 * MIB}, 0, "a-n"},               /* too little disk for the intermediate file */
        {"a", {0, 8999}, 0, ""},                     /* and for the delta */
        {"b", {UINT64_MAX, UINT64_MAX}, 0, "b-n-deep"},
        {"b", {0, UINT64_MAX}, 0, "b-n"},
        {"b", {UINT64_MAX, 50 * MIB + 300}, 0, "b-n-deep"},
        {"b", {UINT64_MAX, 50 * MIB + 300}, 4 * MIB, "b-n"}, /* b is an intermediate file and takes disk too */
        {"c", {0, UINT64_MAX}, 0, "c-a a-b b-n"},
        {"d", {0, UINT64_MAX}, 0, "d-c c-a a-b b-n"},
        {"e", {0, UINT64_MAX}, 0, "e-d d-c c-a a-n"}, /* five deltas would be fewer bytes */
        {"f", {UINT64_MAX, UINT64_MAX}, 0, ""},       /* larger than the new file */
        {"g", {UINT64_MAX, UINT64_MAX}, 0, ""},
        {"", {UINT64_MAX, UINT64_MAX}, 0, ""},
    };
    struct hf_delta_chain way = {.n = 0};
    char got[100] = "";
    uint64_t bytes = 0;

    bool found = hf_delta_chain_find(&artifact, cases[_i].from, cases[_i].began_bytes, &cases[_i].room, "", &way);
    for (size_t i = 0; found && i < way.n; i++) {
        (void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i > 0 ? " " : "", way.deltas[i]->sha256);
        bytes += way.deltas[i]->size;
    }
    ck_assert_msg(strcmp(got, cases[_i].want) == 0 && found == (got[0] != '\0'), "%d: '%s', want '%s'", _i, got,
                  cases[_i].want);
    ck_assert_uint_eq(way.bytes, bytes);
}
END_TEST

/* From any file of a chain, the chain is the remainder of the whole one. */
START_TEST(goes_on)
{
    static const char *const from[] = {"a", "b", "c", "d", "e"};
    const struct hf_delta_room room = {_i % 2 == 0 ? UINT64_MAX : 0, UINT64_MAX};
    struct hf_delta_chain way, rest;

    ck_assert(hf_delta_chain_find(&artifact, from[_i / 2], 0, &room, "", &way));
    for (size_t i = 1; i < way.n; i++) {
        ck_assert(hf_delta_chain_find(&artifact, way.deltas[i]->from, 4 * MIB, &room, "", &rest));
        ck_assert_uint_le(rest.bytes, way.bytes);
        if (rest.n == way.n - i)
            ck_assert_ptr_eq(rest.deltas[0], way.deltas[i]);
    }
}
END_TEST

/* The maximum number of deltas and steps, all of one file: fast, and within the arrays. */
START_TEST(full_lists)
{
    static struct hf_delta_ref many[HF_MAX_DELTAS], more[HF_MAX_DELTAS];
    const struct hf_delta_room room = {0, UINT64_MAX};
    struct hf_artifact full = {
        .size = MIB, .deltas = many, .n_deltas = HF_MAX_DELTAS, .steps = more, .n_steps = HF_MAX_DELTAS};
    struct hf_delta_chain way;

    for (size_t i = 0; i < HF_MAX_DELTAS; i++) {
        many[i] = (struct hf_delta_ref){.from = "x", .size = 1000 - i};
        more[i] = (struct hf_delta_ref){.from = "x", .to = "x", .to_size = 1, .size = 1};
    }
    ck_assert(hf_delta_chain_find(&full, "x", 0, &room, "", &way));
    ck_assert_uint_eq(way.n, 1);
    ck_assert_uint_eq(way.bytes, 1000 - HF_MAX_DELTAS + 1);
    ck_assert_ptr_eq(way.deltas[0], &many[HF_MAX_DELTAS - 1]);
}
END_TEST

START_TEST(avoided)
{
    static const struct {
        const char *from, *avoid, *want;
    } cases[] = {
        {"a", "b-n-deep", "a-b b-n"}, {"a", "b-n b-n-dee", "a-b b-n-deep"}, /* only whole names match */
        {"a", "d-n a-b", "a-n"},      {"b", "b-n b-n-deep", "b-a a-n"},     {"b", "b-n b-n-deep b-a", ""},
    };
    const struct hf_delta_room room = {UINT64_MAX, UINT64_MAX};
    struct hf_delta_chain way;

    for (size_t k = 0; k < HF_LEN(cases); k++) {
        char got[100] = "";
        bool found = hf_delta_chain_find(&artifact, cases[k].from, 0, &room, cases[k].avoid, &way);
        for (size_t i = 0; found && i < way.n; i++)
            (void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i > 0 ? " " : "",
                           way.deltas[i]->sha256);
        ck_assert_str_eq(got, cases[k].want);
    }
}
END_TEST

START_TEST(list_of_avoided)
{
    char avoid[HF_DELTA_CHAIN_MAX_AVOID] = "", sha256[HF_SHA256_HEX];

    for (unsigned i = 0; i <= HF_DELTA_CHAIN_MAX_AVOIDED; i++) {
        (void)snprintf(sha256, sizeof(sha256), "%064u", i);
        ck_assert(!hf_delta_chain_avoids(avoid, sha256));
        ck_assert(hf_delta_chain_avoid(avoid, sha256) == (i < HF_DELTA_CHAIN_MAX_AVOIDED));
    }
    (void)snprintf(sha256, sizeof(sha256), "%064u", 2u);
    ck_assert(hf_delta_chain_avoids(avoid, sha256));
    ck_assert(hf_delta_chain_avoid(avoid, sha256)); /* listed already */
    ck_assert_uint_lt(strlen(avoid), sizeof(avoid));
}
END_TEST

static void all(TCase *tc)
{
    tcase_add_loop_test(tc, ways, 0, 15);
    tcase_add_loop_test(tc, goes_on, 0, 10);
    tcase_add_test(tc, full_lists);
    tcase_add_test(tc, avoided);
    tcase_add_test(tc, list_of_avoided);
}

HF_TEST_MAIN("update/way", all)
