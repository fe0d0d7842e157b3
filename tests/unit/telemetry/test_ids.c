/* SPDX-License-Identifier: Apache-2.0 */
/* The window of names against a plain list, its limits, keys of batches, newest-wins in any order. */
#include "telemetry/event/ids.h"
#include "telemetry/event/newest.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/fs_posix.h"
#include "os/rand_posix.h"
#include "support/check_main.h"
#include "telemetry/event/own_ids.h"
#include "telemetry/event/siphash.h"

static struct hf_event event_of(struct hf_view id, enum hf_source_class from, const char *uid)
{
    return (struct hf_event){.source_class = from, .peer_uid = hf_view_of(uid), .id = id};
}

static uint64_t print_of(const struct hf_ids *ids, unsigned i)
{
    char text[32];
    const struct hf_view id = {text, (size_t)snprintf(text, sizeof(text), "id-%u", i)};
    const struct hf_event event = event_of(id, HF_SOURCE_HTTP, "1000");

    return hf_ids_of_event(ids, &event);
}

START_TEST(hash_is_siphash_2_4)
{
    /* the first vectors of the paper's appendix: key 00..0f, message 00, 01, .. */
    static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    static const uint64_t want[] = {0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a};
    unsigned char bytes[16];

    for (unsigned i = 0; i < 16; i++)
        bytes[i] = (unsigned char)i;
    for (size_t n = 0; n < HF_LEN(want); n++)
        ck_assert_uint_eq(hf_siphash(key, bytes, n), want[n]);
    ck_assert_uint_eq(hf_siphash(key, bytes, 15), 0xa129ca6149be45e5);
}
END_TEST

START_TEST(window_forgets_the_oldest)
{
    _cleanup_(hf_ids_freep) struct hf_ids *ids = hf_ids_new(1000, hf_rand_posix());

    for (unsigned i = 0; i < 5000; i++) {
        ck_assert_int_eq(hf_ids_add(ids, print_of(ids, i)), 1);
        ck_assert_int_eq(hf_ids_add(ids, print_of(ids, i)), 0);
        ck_assert_uint_le(hf_ids_count(ids), 1000);
    }
    for (unsigned i = 0; i < 5000; i++)
        ck_assert_msg(hf_ids_contains(ids, print_of(ids, i)) == (i >= 4000), "%u", i);
}
END_TEST

/* A seeded run of adds and forgets beside a model; no name may be known that the model does not know, and the other way round. */
START_TEST(adding_and_forgetting_as_a_model_does)
{
    _cleanup_(hf_ids_freep) struct hf_ids *ids = hf_ids_new(0, hf_rand_posix());
    static bool known[3000];
    uint64_t random = (uint64_t)_i * 7919 + 1;
    size_t n = 0;

    memset(known, 0, sizeof(known));
    for (unsigned step = 0; step < 20000; step++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        unsigned i = (unsigned)(random >> 33) % 3000;
        if (random >> 62 == 0) {
            hf_ids_forget(ids, print_of(ids, i));
            n -= known[i];
            known[i] = false;
        } else {
            ck_assert_int_eq(hf_ids_add(ids, print_of(ids, i)), known[i] ? 0 : 1);
            n += !known[i];
            known[i] = true;
        }
        ck_assert_uint_eq(hf_ids_count(ids), n);
    }
    for (unsigned i = 0; i < 3000; i++)
        ck_assert(hf_ids_contains(ids, print_of(ids, i)) == known[i]);
}
END_TEST

START_TEST(forgetting_in_a_full_small_window)
{
    _cleanup_(hf_ids_freep) struct hf_ids *ids = hf_ids_new(3, hf_rand_posix());

    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 0; i < 5; i++)
            ck_assert_int_ge(hf_ids_add(ids, print_of(ids, round * 5 + i)), 0);
        hf_ids_forget(ids, print_of(ids, round * 5 + 3));
        hf_ids_forget(ids, print_of(ids, round * 5 + 3));
        ck_assert(!hf_ids_contains(ids, print_of(ids, round * 5 + 3)));
        ck_assert(hf_ids_contains(ids, print_of(ids, round * 5 + 4)));
        ck_assert_int_eq(hf_ids_add(ids, print_of(ids, round * 5 + 3)), 1);
        ck_assert_int_eq(hf_ids_add(ids, print_of(ids, round * 5 + 3)), 0);
    }
}
END_TEST

/* The same id of these is a different name: nobody makes another one's event a duplicate. */
START_TEST(a_name_belongs_to_its_owner)
{
    _cleanup_(hf_ids_freep) struct hf_ids *ids = hf_ids_new(100, hf_rand_posix());
    const struct hf_view id = HF_VIEW("f1-2-3");
    struct hf_event events[] = {event_of(id, HF_SOURCE_FILE, ""),     event_of(id, HF_SOURCE_JOURNALD, ""),
                                event_of(id, HF_SOURCE_HTTP, ""),     event_of(id, HF_SOURCE_HTTP, "0"),
                                event_of(id, HF_SOURCE_HTTP, "1000"), event_of(id, HF_SOURCE_HTTP, "1001"),
                                event_of(id, HF_SOURCE_HTTP, "1000")};

    events[6].origin = HF_VIEW("other-node");
    for (size_t i = 0; i < HF_LEN(events); i++)
        ck_assert_msg(hf_ids_add(ids, hf_ids_of_event(ids, &events[i])) == (i != 1), "%zu", i);
    for (uint64_t owner = 0; owner < 4; owner++)
        ck_assert_int_eq(hf_ids_add(ids, hf_ids_of_request(ids, owner, id)), 1);
}
END_TEST

START_TEST(posts_push_out_no_name_of_the_agent)
{
    _cleanup_(hf_ids_freep) struct hf_ids *ids = hf_ids_new(100, hf_rand_posix());
    const struct hf_event own = event_of(HF_VIEW("own"), HF_SOURCE_JOURNALD, "");

    ck_assert_int_eq(hf_ids_add(ids, hf_ids_of_event(ids, &own)), 1);
    for (unsigned i = 0; i < 1000; i++)
        ck_assert_int_eq(hf_ids_add(ids, print_of(ids, i)), 1);
    ck_assert_int_eq(hf_ids_add(ids, hf_ids_of_event(ids, &own)), 0);
}
END_TEST

/* The node's secret makes the same ids after a restart, and other ids on another node or after damage. */
START_TEST(own_ids_are_keyed_by_a_secret_in_a_file)
{
    char dir[] = "/tmp/hf-ids-XXXXXX";
    const struct hf_fs_ops *fs = hf_fs_posix();
    struct hf_own_ids ids[4] = {{.kept = false}};
    char path[PATH_MAX], texts[4][HF_OWN_ID_TEXT];
    struct stat st;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/ids.key", dir);
    for (size_t i = 0; i < 4; i++) {
        if (i == 2)
            ck_assert_int_eq(hf_file_replace(fs, path, "short", 5, 0600, NULL), 0);
        if (i == 3)
            ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(hf_own_ids_load(fs, hf_rand_posix(), dir, &ids[i], NULL), 0);
        ck_assert_uint_eq(hf_own_ids_make(&ids[i], HF_VIEW("f1-2-3"), texts[i]).n, 33);
    }
    ck_assert_str_eq(texts[0], texts[1]);
    ck_assert_str_ne(texts[1], texts[2]);
    ck_assert_str_ne(texts[2], texts[3]);
    ck_assert(texts[0][0] == 'f' && strstr(texts[0], "1-2-3") == NULL);
    ck_assert(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    ck_assert_int_lt(hf_own_ids_load(fs, hf_rand_posix(), "/nonexistent", &ids[0], NULL), 0);
    ck_assert(!ids[0].kept);
    ck_assert(unlink(path) == 0 && rmdir(dir) == 0);
}
END_TEST

START_TEST(keys_of_batches)
{
    char text[HF_BATCH_KEY_TEXT];

    ck_assert_str_eq(hf_ids_batch_key_format("node-1", "00ff", 17, 4711, "logs", text), "node-1/00ff/17-4711/logs");
    ck_assert_str_eq(hf_ids_batch_key_format("n", "s", 1, 1, NULL, text), "n/s/1-1");
}
END_TEST

START_TEST(one_winner_whoever_asks)
{
    struct hf_newest_version marks[] = {
        {10, HF_VIEW("a"), 1}, {5, HF_VIEW("a"), 2},  {7, HF_VIEW("b"), 1},   {10, HF_VIEW("b"), 9},
        {10, HF_VIEW("c"), 0}, {11, HF_VIEW("c"), 0}, {10, HF_VIEW("ab"), 1},
    };

    for (size_t i = 0; i < HF_LEN(marks); i++) {
        ck_assert(!hf_newest_wins(&marks[i], &marks[i]));
        for (size_t k = 0; k < HF_LEN(marks); k++)
            ck_assert_msg(i == k || hf_newest_wins(&marks[i], &marks[k]) != hf_newest_wins(&marks[k], &marks[i]),
                          "%zu %zu", i, k);
    }
    ck_assert(hf_newest_wins(&marks[1], &marks[0])); /* its own sequence, though the clock went back */
    ck_assert(hf_newest_wins(&marks[3], &marks[2]));
    ck_assert(hf_newest_wins(&marks[5], &marks[4]));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, hash_is_siphash_2_4);
    tcase_add_test(tc, window_forgets_the_oldest);
    tcase_add_loop_test(tc, adding_and_forgetting_as_a_model_does, 0, 5);
    tcase_add_test(tc, forgetting_in_a_full_small_window);
    tcase_add_test(tc, a_name_belongs_to_its_owner);
    tcase_add_test(tc, posts_push_out_no_name_of_the_agent);
    tcase_add_test(tc, own_ids_are_keyed_by_a_secret_in_a_file);
    tcase_add_test(tc, keys_of_batches);
    tcase_add_test(tc, one_winner_whoever_asks);
}

HF_TEST_MAIN("telemetry/ids", cases)
