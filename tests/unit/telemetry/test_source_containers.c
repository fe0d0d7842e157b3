/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/telemetry/source_fixture.h"

#include "os/dir.h"
#include "telemetry/source/tail.h"

#define POD "pods/default_web-1_0a1b-2c3d"
#define LOG POD "/app/0.log"
#define AT "2026-11-20T08:00:00.000000001Z "

static struct hf_source *source;
static struct hf_telemetry_sources sources;

static void start(void)
{
    struct hf_err err = HF_ERR_INIT;

    world.pods = below("pods");
    int r = hf_source_containers_new(&sources, &world, &intake, &source, &err);
    ck_assert_msg(r == 0, "%s", err.cause);
}

static void make_pod(const char *pod, const char *container)
{
    char name[256];

    (void)mkdir(below("pods"), 0700);
    (void)mkdir(below(pod), 0700);
    (void)snprintf(name, sizeof(name), "%s/%s", pod, container);
    ck_assert_int_eq(mkdir(below(name), 0700), 0);
}

static void set_up(void)
{
    fix_set_up();
    memset(&sources, 0, sizeof(sources));
    make_pod(POD, "app");
}

static void tear_down(void)
{
    source->free(source);
    fix_tear_down();
}

START_TEST(follows)
{
    (void)put(LOG, AT "stdout F one\n" AT "stderr F ERROR two\nnot CRI\n");
    (void)put(POD "/app/0.log.20261120-080000", AT "stdout F old\n");
    (void)put(POD "/app/notes.txt", AT "stdout F no log\n");
    start();
    run_s(1.5);
    ck_bodies("one", "ERROR two", "not CRI");
    ck_assert_msg(strstr(fix.lines[0], "\"time\":\"2026-11-20T08:00:00.000000001Z\"") != NULL, "%s", fix.lines[0]);
    ck_assert_ptr_nonnull(strstr(fix.lines[0], "\"source\":\"container:default/web-1/app\""));
    ck_assert_ptr_nonnull(strstr(fix.lines[1],
                                 "\"attributes\":{\"k8s.namespace.name\":\"default\",\"k8s.pod.name\":\"web-1\","
                                 "\"k8s.pod.uid\":\"0a1b-2c3d\",\"k8s.container.name\":\"app\","
                                 "\"k8s.container.restart_count\":\"0\",\"log.iostream\":\"stderr\"}"));
    ck_assert_ptr_nonnull(strstr(fix.lines[1], "\"severity\":\"error\""));
    /* another pod, and the container starts again */
    make_pod("pods/kube-system_dns_9", "dns");
    (void)put("pods/kube-system_dns_9/dns/3.log", AT "stdout F new pod\n");
    (void)put(POD "/app/1.log", AT "stdout F again\n");
    run_s(7);
    ck_assert_uint_eq(fix.n, 5);
}
END_TEST

/* Docker's json-file, with a line in two parts and between them one that nobody knows: nothing is invented for it. */
START_TEST(docker)
{
    (void)put(LOG, "{\"log\":\"one\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-20T08:00:00.5Z\"}\n"
                   "{\"log\":\"tw\",\"stream\":\"stdout\",\"time\":\"2026-11-20T08:00:01Z\"}\n"
                   "who wrote this?\n"
                   "{\"log\":\"o\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T08:00:02Z\"}\n");
    start();
    run_s(1.5);
    ck_bodies("one", "who wrote this?", "two");
    ck_assert_ptr_nonnull(strstr(fix.lines[0], "\"time\":\"2026-11-20T08:00:00.5"));
    ck_assert_ptr_nonnull(strstr(fix.lines[0], "\"log.iostream\":\"stderr\""));
    ck_assert_ptr_null(strstr(fix.lines[1], "log.iostream"));
    ck_assert_ptr_nonnull(strstr(fix.lines[2], "\"time\":\"2026-11-20T08:00:01.0"));
    ck_assert_ptr_nonnull(strstr(fix.lines[2], "\"log.iostream\":\"stdout\""));
}
END_TEST

START_TEST(namespaces)
{
    sources.namespaces[0] = "def*";
    sources.namespaces[1] = "kube-*";
    sources.no_namespaces[0] = "kube-system";
    make_pod("pods/kube-system_dns_9", "dns");
    make_pod("pods/kube-public_x_9", "x");
    make_pod("pods/other_x_9", "x");
    make_pod("pods/nonsense", "x");
    (void)put(LOG, AT "stdout F 1\n");
    (void)put("pods/kube-system_dns_9/dns/0.log", AT "stdout F 2\n");
    (void)put("pods/kube-public_x_9/x/0.log", AT "stdout F 3\n");
    (void)put("pods/other_x_9/x/0.log", AT "stdout F 4\n");
    (void)put("pods/nonsense/x/0.log", AT "stdout F 5\n");
    start();
    run_s(2);
    ck_assert_uint_eq(fix.n, 2);
}
END_TEST

/* Parts of two streams between each other; each line whole, with the time of its first part. */
START_TEST(parts)
{
    (void)put(LOG, AT "stdout P he\n"
                      "2026-11-20T08:00:01Z stderr P wo\n"
                      "2026-11-20T08:00:02Z stdout P ll\n"
                      "2026-11-20T08:00:03Z stdout F o\n");
    start();
    run_s(1.5);
    ck_bodies("hello");
    ck_assert_ptr_nonnull(strstr(fix.lines[0], "08:00:00.000000001Z"));
    (void)put(LOG, "2026-11-20T08:00:04Z stdout F next\n2026-11-20T08:00:05Z stderr F rld\n");
    run_s(1.5);
    ck_bodies("hello", "next", "world");
    ck_assert_ptr_nonnull(strstr(fix.lines[2], "2026-11-20T08:00:01"));
    ck_assert_uint_eq(fix.duplicates, 0);
}
END_TEST

/* The position waits for the part: after kill -9 the line is whole all the same, and what was read beyond it is
 * known. */
START_TEST(parts_and_kill)
{
    (void)put(LOG, AT "stdout F before\n" AT "stdout P he\n" AT "stderr F between\n");
    start();
    run_s(20); /* positions are on disk */
    ck_bodies("before", "between");
    source->free(source);
    (void)put(LOG, AT "stdout F llo\n");
    start();
    run_s(2);
    ck_bodies("before", "between", "hello");
    ck_assert_uint_eq(fix.duplicates, 1);
}
END_TEST

/* A container ends without a line break: the runtime writes a part of a line, and never its end. */
#define LAST_WORDS AT "stdout F starting\n" AT "stderr P fatal: out of memory\n"

START_TEST(last_words_without_a_line_break)
{
    (void)put(LOG, LAST_WORDS);
    start();
    run_s(50);
    ck_bodies("starting"); /* the rest may come */
    run_s(15);
    ck_bodies("starting", "fatal: out of memory");
    ck_assert_ptr_nonnull(strstr(fix.lines[1], "\"log.iostream\":\"stderr\""));
    run_s(20); /* the position is on disk */
    source->free(source);
    start();
    run_s(70);
    ck_assert_uint_eq(fix.n, 2);
    ck_assert_uint_eq(fix.duplicates, 0);
}
END_TEST

/* The pod is deleted, and its files with it. */
START_TEST(last_words_of_a_file_that_is_removed)
{
    (void)put(LOG, LAST_WORDS);
    start();
    run_s(3);
    ck_assert_int_eq(unlink(below(LOG)), 0);
    run_s(20);
    ck_bodies("starting", "fatal: out of memory");
}
END_TEST

/* Without room the file stays open; a failed store gives the words again. */
START_TEST(last_words_are_stored)
{
    (void)put(LOG, LAST_WORDS);
    fix.room = 1;
    start();
    run_s(3);
    ck_assert_int_eq(unlink(below(LOG)), 0);
    run_s(100);
    ck_bodies("starting");
    fix.room = SIZE_MAX;
    fix.hold = true;
    source->resume(source);
    run_s(2);
    ck_bodies("starting", "fatal: out of memory");
    fix.ids[1][0] = '\0'; /* it is not known any more */
    let_go(-EIO);
    fix.hold = false;
    run_s(30);
    ck_bodies("starting", "fatal: out of memory", "fatal: out of memory");
}
END_TEST

/* The rest was only late. */
START_TEST(a_late_rest_is_a_line_of_its_own)
{
    (void)put(LOG, AT "stdout P he\n" AT "stderr P wo\n");
    start();
    run_s(70);
    (void)put(LOG, AT "stdout F llo\n" AT "stderr F rld\n" AT "stdout F next\n");
    run_s(3);
    ck_bodies("he", "wo", "llo", "rld", "next");
    ck_assert_uint_eq(fix.duplicates, 0);
}
END_TEST

START_TEST(parts_without_room)
{
    (void)put(LOG, AT "stdout P he\n" AT "stdout F llo\n" AT "stdout F next\n");
    fix.room = 0;
    start();
    run_s(3);
    ck_assert_uint_eq(fix.n, 0);
    fix.room = 10;
    source->resume(source);
    run_s(1);
    ck_bodies("hello", "next");
}
END_TEST

START_TEST(long_parts)
{
    char *line = malloc(20100);

    memset(line, 'x', 20000);
    line[20000] = '\n';
    line[20001] = '\0';
    for (int i = 0; i < 8; i++) {
        (void)put(LOG, AT "stdout P ");
        (void)put(LOG, line);
    }
    (void)put(LOG, AT "stdout F end\n" AT "stdout F after\n");
    start();
    run_s(3);
    ck_assert_uint_eq(fix.n, 2);
    ck_assert_uint_eq(strlen(fix.bodies[0]), HF_TAIL_MAX_LINE);
    ck_assert_ptr_nonnull(strstr(fix.lines[0], "\"truncated\":true"));
    ck_assert_str_eq(fix.bodies[1], "after");
    free(line);
}
END_TEST

START_TEST(rotated)
{
    (void)put(LOG, AT "stdout F 1\n");
    start();
    run_s(1.5);
    (void)put(LOG, AT "stdout F 2\n");
    ck_assert_int_eq(rename(below(LOG), below(LOG ".20261120-080000")), 0);
    (void)put(LOG, AT "stdout F 3\n");
    run_s(3);
    ck_bodies("1", "2", "3");
}
END_TEST

/* While the agent is away, and the container does not come back. */
START_TEST(rotated_while_away_for_good)
{
    sources.no_namespaces[0] = "kube-*";
    (void)put(LOG, AT "stdout F 1\n");
    start();
    run_s(10);
    source->free(source);
    (void)put(LOG, AT "stdout F 2\n");
    ck_assert_int_eq(rename(below(LOG), below(LOG ".20261120-080000")), 0);
    start();
    run_s(3);
    ck_bodies("1", "2");
    ck_assert_ptr_nonnull(strstr(fix.lines[1], "\"k8s.container.restart_count\":\"0\""));
    source->free(source);
    (void)put(LOG ".20261120-080000", AT "stdout F 3\n");
    sources.no_namespaces[1] = "default"; /* not asked for any more */
    start();
    run_s(3);
    ck_assert_uint_eq(fix.n, 2);
}
END_TEST

START_TEST(nothing_there)
{
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), below("pods"), NULL), 0);
    start();
    run_s(20);
    make_pod(POD, "app");
    (void)put(LOG, AT "stdout F late\n");
    run_s(7);
    ck_bodies("late");
}
END_TEST

/* Links of the runtime stay within the folder of pods; nothing leads out of it. */
START_TEST(links)
{
    (void)put("secret", AT "stdout F secret\n");
    (void)put("pods/real.log", AT "stdout F within\n");
    ck_assert_int_eq(symlink("../../../secret", below(POD "/app/1.log")), 0);
    ck_assert_int_eq(symlink("../../real.log", below(POD "/app/2.log")), 0);
    (void)put(POD "/app/3.log", AT "stdout F plain\n");
    hf_config_free(bounds); /* which allows all of the test's folder */
    bounds = NULL;
    world.config = NULL;
    start();
    run_s(1.5);
    ck_assert_uint_eq(fix.n, 2);
    for (size_t i = 0; i < fix.n; i++)
        ck_assert_str_ne(fix.bodies[i], "secret");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, follows);
    tcase_add_test(tc, docker);
    tcase_add_test(tc, namespaces);
    tcase_add_test(tc, parts);
    tcase_add_test(tc, parts_and_kill);
    tcase_add_test(tc, last_words_without_a_line_break);
    tcase_add_test(tc, last_words_of_a_file_that_is_removed);
    tcase_add_test(tc, last_words_are_stored);
    tcase_add_test(tc, a_late_rest_is_a_line_of_its_own);
    tcase_add_test(tc, parts_without_room);
    tcase_add_test(tc, long_parts);
    tcase_add_test(tc, rotated);
    tcase_add_test(tc, rotated_while_away_for_good);
    tcase_add_test(tc, nothing_there);
    tcase_add_test(tc, links);
}

HF_TEST_MAIN("telemetry/source_containers", cases)
