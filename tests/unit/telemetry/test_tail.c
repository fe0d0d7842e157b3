/* SPDX-License-Identifier: Apache-2.0 */
/* What a file is: each way in which a log file can become another one, while the agent runs and while it is away. Each
 * new line comes once, and what nobody can read any more is told. */
#include "telemetry/source/tail.h"

#include "unit/telemetry/source_fixture.h"

enum { BIG = 70000 };

static struct hf_source *source;
static struct hf_telemetry_file spec;
static char glob[128];
static struct hf_log *log_of_source;
static int log_fd = -1;

static void start(void)
{
    struct hf_telemetry_sources sources = {.files = &spec, .n_files = 1};
    struct hf_err err = HF_ERR_INIT;

    hf_log_free(log_of_source);
    log_of_source = hf_log_new(log_fd, HF_LOG_INFO, world.clock);
    world.log = log_of_source;
    ck_assert_msg(hf_source_files_new(&sources, &world, &intake, &source, &err) == 0, "%s", err.cause);
}

static void stop(void)
{
    source->free(source);
    source = NULL;
    hf_simproc_free(proc);
    fix_boot();
}

static void set_up(void)
{
    fix_set_up();
    (void)snprintf(glob, sizeof(glob), "%s/*.log", dir);
    spec = (struct hf_telemetry_file){.path = glob};
    log_fd = open(below("agent.txt"), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ck_assert_int_ge(log_fd, 0);
}

static void tear_down(void)
{
    if (source != NULL)
        source->free(source);
    source = NULL;
    hf_log_free(log_of_source);
    log_of_source = NULL;
    (void)close(log_fd);
    fix_tear_down();
}

/* What the agent logged. Until the next call. */
static const char *logged(void)
{
    static char text[65536];
    ssize_t n = pread(log_fd, text, sizeof(text) - 1, 0);

    text[HF_MAX(n, 0)] = '\0';
    return text;
}

static bool told(const char *path, unsigned long long read_bytes)
{
    char want[300];

    (void)snprintf(want, sizeof(want), "\"path\":\"%s\",\"read_bytes\":%llu,", below(path), read_bytes);
    return strstr(logged(), "telemetry.position_gone") != NULL && strstr(logged(), want) != NULL;
}

static bool told_nothing(void)
{
    return strstr(logged(), "telemetry.position_gone") == NULL;
}

/* The kernel keeps times of files by ticks. */
static void tick(void)
{
    (void)usleep(20000);
}

/* Writes into the file at `offset`, as a program does that does not append. */
static void write_at(const char *name, off_t offset, const char *text)
{
    int fd = open(below(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    ck_assert_int_eq(pwrite(fd, text, strlen(text), offset), (ssize_t)strlen(text));
    (void)close(fd);
}

/* The same file (inode) with another content. */
static void rewrite(const char *name, const char *text)
{
    tick();
    ck_assert_int_eq(truncate(below(name), 0), 0);
    (void)put(name, text);
}

static const char *lines(const char *first, const char *word, int n)
{
    static char texts[2][BIG];
    static int next;
    char *text = texts[next++ % 2];
    size_t at = (size_t)snprintf(text, BIG, "%s", first);

    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, BIG - at, "%s %d\n", word, i);
    return text;
}

/* `text` was read while `running`, or before the agent went away; then the file became `then`. */
static const struct {
    const char *what;
    const char *first;
    int before, after; /* lines behind the first one */
    const char *word_before, *word_after;
} rewrites[] = {
    {"a constant first line, longer than before", "# log\n", 50, 150, "a", "b"},
    {"a constant first line, as long as before", "# log\n", 100, 100, "a", "b"},
    {"a constant first line, one line longer", "# log\n", 100, 101, "a", "b"},
    {"a constant first line, shorter", "# log\n", 100, 10, "a", "b"},
    {"no header, the same length", "", 100, 100, "a", "b"},
    {"one line, the same length", "", 1, 1, "a", "b"},
    {"a header beyond what the hash of the start covers",
     "#################################################################################################################"
     "#################################################################################################################"
     "####################################################\n",
     50, 60, "a", "b"},
};

static void check_rewritten(size_t i, bool away)
{
    const char *word = rewrites[i].word_after;
    char want[32];

    (void)put("a.log", lines(rewrites[i].first, rewrites[i].word_before, rewrites[i].before));
    start();
    run_s(10);
    size_t before = fix.n, headers = rewrites[i].first[0] != '\0';
    ck_assert_uint_eq(before, (size_t)rewrites[i].before + headers);
    if (away)
        stop();
    rewrite("a.log", lines(rewrites[i].first, word, rewrites[i].after));
    if (away)
        start();
    run_s(10);
    ck_assert_msg(fix.n == before + headers + (size_t)rewrites[i].after, "%s: %zu new", rewrites[i].what,
                  fix.n - before);
    for (int j = 0; j < rewrites[i].after; j++) {
        (void)snprintf(want, sizeof(want), "%s %d", word, j);
        ck_assert_str_eq(fix.bodies[before + headers + (size_t)j], want);
    }
    ck_assert_uint_eq(fix.duplicates, 0);
    ck_assert_msg(told_nothing() == !away, "%s: %s", rewrites[i].what, logged());
}

START_TEST(rewritten)
{
    check_rewritten((size_t)_i / 2, _i % 2 == 1);
}
END_TEST

/* Whoever only touches a file, or appends to it, has not rewritten it. */
START_TEST(touched)
{
    (void)put("a.log", lines("", "a", 100));
    start();
    run_s(3);
    tick();
    ck_assert_int_eq(chmod(below("a.log"), 0640), 0);
    run_s(3);
    tick();
    ck_assert_int_eq(utimensat(AT_FDCWD, below("a.log"), NULL, 0), 0);
    run_s(3);
    (void)put("a.log", "more\n");
    run_s(3);
    stop();
    start();
    run_s(3);
    ck_assert_uint_eq(fix.n, 101);
    ck_assert_uint_eq(fix.offers, 101);
    ck_assert(told_nothing());
}
END_TEST

/* Another file with the inode number of the one that was read, with the same first line. */
START_TEST(inode_used_again)
{
    (void)put("a.log", lines("# log\n", "a", 50));
    start();
    run_s(10);
    stop();
    for (int i = 0; i < 20; i++) { /* ext4 and XFS give the number again at once */
        ck_assert_int_eq(unlink(below("a.log")), 0);
        (void)put("a.log", lines("# log\n", _i == 0 ? "b" : "a", 150));
    }
    start();
    run_s(30);
    ck_assert_uint_eq(fix.n, 51 + 151);
    ck_assert(told("a.log", 6 + 10 * 4 + 40 * 5));
}
END_TEST

/* copytruncate, and a program that does not append: its next line is behind a hole. */
static const struct {
    int hole; /* bytes */
    bool away;
} holes[] = {{1, false},       {10, false},    {255, false},   {256, false},   {257, false},
             {4096, false},    {65535, false}, {65536, false}, {65537, false}, {200000, false},
             {1000000, false}, {10, true},     {256, true},    {65536, true},  {200000, true}};

START_TEST(holes_are_no_lines)
{
    int hole = holes[_i].hole;
    char *text = malloc((size_t)hole + 1);

    memset(text, 'x', (size_t)hole);
    for (int i = 99; i < hole; i += 100)
        text[i] = '\n';
    text[hole - 1] = '\n';
    text[hole] = '\0';
    (void)put("a.log", text);
    free(text);
    start();
    run_s(30);
    size_t before = fix.n;
    if (holes[_i].away)
        stop();
    tick();
    ck_assert_int_eq(truncate(below("a.log"), 0), 0);
    write_at("a.log", hole, "after\n");
    if (holes[_i].away)
        start();
    run_s(5);
    write_at("a.log", hole + 6, "later\n");
    run_s(5);
    ck_assert_uint_eq(fix.n, before + 2);
    ck_assert_str_eq(fix.bodies[before], "after");
    ck_assert_str_eq(fix.bodies[before + 1], "later");
    ck_assert_ptr_null(strstr(fix.lines[before], "truncated"));
    stop();
    start();
    run_s(10);
    ck_assert_uint_eq(fix.n, before + 2);
}
END_TEST

/* Zeros elsewhere: what a power cut leaves behind the last line, what a program allocates ahead, and one within a
 * line. */
START_TEST(zeros_elsewhere)
{
    (void)put("a.log", "one\n");
    ck_assert_int_eq(truncate(below("a.log"), 1000), 0);
    start();
    run_s(3);
    ck_bodies("one");
    write_at("a.log", 4, "two\n"); /* into what was allocated ahead */
    run_s(3);
    write_at("a.log", 1000, "three\n"); /* behind it */
    run_s(3);
    int fd = open(below("a.log"), O_WRONLY | O_APPEND | O_CLOEXEC);
    ck_assert_int_eq(write(fd, "a\0b\n\0\n", 6), 6);
    (void)close(fd);
    run_s(3);
    ck_assert_uint_eq(fix.n, 4);
    ck_assert_str_eq(fix.bodies[1], "two");
    ck_assert_str_eq(fix.bodies[2], "three");
    ck_assert_ptr_nonnull(strstr(fix.lines[3], "\"body\":\"a\\u0000b\""));
}
END_TEST

START_TEST(a_hole_between_records)
{
    spec.multiline_start = "[0-9]*";
    (void)put("a.log", "1 one\n more\n");
    ck_assert_int_eq(truncate(below("a.log"), 5000), 0);
    (void)put("a.log", "2 two\n more\n3 three\n");
    start();
    run_s(10);
    ck_bodies("1 one\n more", "2 two\n more", "3 three");
}
END_TEST

/* While the agent is away, logrotate compresses the file, or moves it elsewhere. */
START_TEST(given_up)
{
    (void)put("a.log", "one\ntwo\n");
    start();
    run_s(10);
    stop();
    (void)put("a.log", "never read\n");
    ck_assert_int_eq(mkdir(below("olddir"), 0700), 0);
    if (_i == 0)
        ck_assert_int_eq(rename(below("a.log"), below("olddir/a.log")), 0);
    else
        ck_assert_int_eq(unlink(below("a.log")), 0);
    if (_i == 1)
        (void)put("a.log.1.gz", "not a log");
    (void)put("b.log", "three\n");
    start();
    run_s(30);
    ck_bodies("one", "two", "three");
    ck_assert_msg(told("a.log", 8), "%s", logged());
    stop();
    start();
    run_s(30);
    ck_assert_ptr_null(strstr(strstr(logged(), "position_gone") + 1, "position_gone")); /* once */
}
END_TEST

/* Truncated before its last lines were read: as many bytes as the last look saw. */
START_TEST(truncated_before_it_was_read)
{
    (void)put("a.log", "one\n");
    fix.room = 1;
    start();
    run_s(3);
    (void)put("a.log", "two\nthree\n");
    run_s(3);
    rewrite("a.log", "4\n");
    fix.room = SIZE_MAX;
    run_s(3);
    ck_bodies("one", "4");
    ck_assert(told("a.log", 4));
    ck_assert_ptr_nonnull(strstr(logged(), "\"unread_bytes\":10}"));
}
END_TEST

/* Positions that an earlier version saved have neither mark nor birth. */
START_TEST(positions_of_an_earlier_version)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16);
    unsigned long long ino, hash, safe, mark, birth;
    char line[600], dev[32];

    (void)put("a.log", "one\ntwo\n");
    start();
    run_s(10);
    stop();
    ck_assert_int_eq(hf_file_read(hf_fs_posix(), below("sources/files"), &text, NULL), 0);
    ck_assert_int_eq(
        sscanf(hf_buf_str(&text), "%31s %llu %llx 0 %llu %llx %llu /", dev, &ino, &hash, &safe, &mark, &birth), 6);
    ck_assert_uint_eq(safe, 8);
    (void)snprintf(line, sizeof(line), "%s %llu %016llx 0 %llu %s/a.log\n", dev, ino, hash, safe, dir);
    ck_assert_int_eq(hf_file_replace(hf_fs_posix(), below("sources/files"), line, strlen(line), 0600, NULL), 0);
    (void)put("a.log", "three\n");
    start();
    run_s(10);
    ck_bodies("one", "two", "three");
    ck_assert_uint_eq(fix.duplicates, 0);
    ck_assert(told_nothing());
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, rewritten, 0, 2 * (int)HF_LEN(rewrites));
    tcase_add_test(tc, touched);
    tcase_add_loop_test(tc, inode_used_again, 0, 2);
    tcase_add_loop_test(tc, holes_are_no_lines, 0, (int)HF_LEN(holes));
    tcase_add_test(tc, zeros_elsewhere);
    tcase_add_test(tc, a_hole_between_records);
    tcase_add_loop_test(tc, given_up, 0, 3);
    tcase_add_test(tc, truncated_before_it_was_read);
    tcase_add_test(tc, positions_of_an_earlier_version);
}

HF_TEST_MAIN("telemetry/tail", cases)
