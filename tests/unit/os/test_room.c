/* SPDX-License-Identifier: Apache-2.0 */
/* How much memory may still be taken, on recorded trees of cgroups. */
#include "os/room.h"

#include "base/macros.h"
#include "os/fs_posix.h"
#include "support/board.h"
#include "support/check_main.h"

#define MIB (UINT64_C(1) << 20)

static const struct {
    const char *board;
    uint64_t bytes;
    const char *bound;
    uint64_t own_kills, kills_above;
} boards[] = {
    /* 96 MiB, less 20 in use of which 8 can be dropped, less 24 that stay free */
    {"service-v2", 60 * MIB, "memory.max of cgroup /system.slice/holdfast-agent.service", 2, 3},
    {"pod-v2", 62 * MIB, "memory.max of cgroup /", 1, 0},
    {"pod-v1", 62 * MIB, "memory.limit_in_bytes of cgroup /", 5, 0},
    {"parent-v1", 40 * MIB, "memory.limit_in_bytes of cgroup /edge.slice", 0, 0},
    {"high-v2", 30 * MIB, "memory.high of cgroup /site.slice/agent", 0, 0},
    {"elsewhere-v2", 94 * MIB, "memory.max of cgroup /b", 0, 0},
    {"foreign-v2", 94 * MIB, "memory.max of cgroup /", 0, 0},
    {"unseen", 36 * MIB, "memory.limit_in_bytes of cgroup /x", 0, 0},
    {"full-v2", 0, "memory.max of cgroup /", 0, 0},
    {"machine", 204800000, "half of MemAvailable", 0, 0},
    {"nothing", UINT64_MAX, "", 0, 0},
};

START_TEST(on_each_board)
{
    char tree[128], root[128];
    struct hf_room room;
    struct hf_room_kills kills;

    (void)snprintf(tree, sizeof(tree), "tests/unit/os/cgroups/%s.tree", boards[_i].board);
    board_unpack(tree, root);
    hf_room_memory(hf_fs_posix(), root, &room);
    hf_room_kills(hf_fs_posix(), root, &kills);
    board_clean(root);
    ck_assert_msg(room.bytes == boards[_i].bytes, "%s: %llu bytes by %s, wanted are %llu", boards[_i].board,
                  (unsigned long long)room.bytes, room.bound, (unsigned long long)boards[_i].bytes);
    ck_assert_str_eq(room.bound, boards[_i].bound);
    ck_assert_uint_eq(kills.own, boards[_i].own_kills);
    ck_assert_uint_eq(kills.above, boards[_i].kills_above);
}
END_TEST

/* Whatever the machine is that this runs on. */
START_TEST(here)
{
    struct hf_room room;

    hf_room_memory(hf_fs_posix(), "", &room);
    ck_assert_uint_gt(room.bytes, MIB);
    ck_assert_uint_lt(room.bytes, UINT64_MAX);
    ck_assert_str_ne(room.bound, "");
}
END_TEST

static void all(TCase *tc)
{
    tcase_add_loop_test(tc, on_each_board, 0, (int)HF_LEN(boards));
    tcase_add_test(tc, here);
}

HF_TEST_MAIN("os/room", all)
