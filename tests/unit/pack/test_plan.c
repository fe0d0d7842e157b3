/* Which way is taken, and which ways are worth listing. */
#include "base/macros.h"
#include "pack/plan.h"
#include "support/check_main.h"

static const struct hf_plan_way ways[] = {
    {.fetch_bytes = 50000000, .steps = 1},                                                 /* 0: whole */
    {.fetch_bytes = 90000, .memory_bytes = 120 << 20, .disk_bytes = 80 << 20, .steps = 1}, /* 1: looks inside */
    {.fetch_bytes = 14000000, .steps = 1},                                                 /* 2: plain delta */
    {.fetch_bytes = 90000, .memory_bytes = 120 << 20, .disk_bytes = 90 << 20, .steps = 2}, /* 3: no better than 1 */
    {.fetch_bytes = 14000000, .steps = 1},                                                 /* 4: the same as 2 */
};

START_TEST(chooses)
{
    static const struct {
        const char *name;
        struct hf_plan_room room;
        size_t n, want;
    } cases[] = {
        {"all the room there is", {UINT64_MAX, UINT64_MAX}, 5, 1},
        {"little memory", {64 << 20, UINT64_MAX}, 5, 2},
        {"little disk", {UINT64_MAX, 70 << 20}, 5, 2},
        {"just enough", {120 << 20, 80 << 20}, 5, 1},
        {"one byte less", {(120 << 20) - 1, 80 << 20}, 5, 2},
        {"nothing but the whole", {0, 0}, 1, 0},
        {"no way", {0, 0}, 0, 0},
    };

    ck_assert_msg(hf_plan_choose(ways, cases[_i].n, &cases[_i].room) == cases[_i].want, "%s", cases[_i].name);
}
END_TEST

START_TEST(lists_what_is_of_use)
{
    static const bool want[] = {false, true, true, false, false};

    /* The whole file is worse than a plain delta of the same needs; it is listed for other reasons. */
    for (size_t i = 0; i < HF_LEN(ways); i++)
        ck_assert_msg(hf_plan_is_of_use(ways, HF_LEN(ways), i) == want[i], "way %zu", i);
}
END_TEST

START_TEST(chains)
{
    struct hf_plan_way way = hf_plan_chain(&ways[1], &ways[2], 1000);

    ck_assert_uint_eq(way.fetch_bytes, 14090000);
    ck_assert_uint_eq(way.memory_bytes, 120 << 20);
    ck_assert_uint_eq(way.disk_bytes, (80 << 20) + 1000);
    ck_assert_uint_eq(way.steps, 2);
}
END_TEST

static void all(TCase *tc)
{
    tcase_add_loop_test(tc, chooses, 0, 7);
    tcase_add_test(tc, lists_what_is_of_use);
    tcase_add_test(tc, chains);
}

HF_TEST_MAIN("pack/plan", all)
