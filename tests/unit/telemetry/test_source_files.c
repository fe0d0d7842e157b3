/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/telemetry/source_fixture.h"

#include "telemetry/source/source_common.h"
#include "telemetry/source/tail.h"

static struct hf_source *source;
static struct hf_telemetry_file specs[2];
static char glob[2][128];

static void start(void)
{
    struct hf_telemetry_sources sources = {.files = specs, .n_files = specs[1].path != NULL ? 2 : 1};
    struct hf_err err = HF_ERR_INIT;
    int r = hf_source_files_new(&sources, &world, &intake, &source, &err);

    ck_assert_msg(r == 0, "%s", err.cause);
}

static void set_up(void)
{
    fix_set_up();
    (void)snprintf(glob[0], sizeof(glob[0]), "%s/*.log", dir);
    (void)snprintf(glob[1], sizeof(glob[1]), "%s/other/*", dir);
    memset(specs, 0, sizeof(specs));
    specs[0].path = glob[0];
}

static void tear_down(void)
{
    if (source != NULL)
        source->free(source);
    source = NULL;
    fix_tear_down();
}

/* The process is killed: what it would have written at its end is not written. */
static void kill_and_restart(void)
{
    _cleanup_(hf_buf_done) struct hf_buf kept = HF_BUF_INIT(1 << 20);
    const char *path = below("sources/files");
    int r = hf_file_read(hf_fs_posix(), path, &kept, NULL);

    hf_simproc_kill(proc);
    source->free(source);
    let_go(0);
    hf_simproc_free(proc);
    if (r == 0)
        ck_assert_int_eq(hf_file_replace(hf_fs_posix(), path, kept.p, kept.n, 0600, NULL), 0);
    else
        (void)unlink(path);
    fix_boot();
    start();
}

START_TEST(follows)
{
    (void)put("a.log", "one\ntwo\r\n\nthree ERROR\nnot yet");
    (void)put("a.txt", "not asked for\n");
    start();
    run_s(1.5);
    ck_bodies("one", "two", "three ERROR");
    (void)put("a.log", " whole\nfive\n");
    (void)put("b.log", "new file\n");
    run_s(7);
    ck_bodies("one", "two", "three ERROR", "not yet whole", "five", "new file");
    ck_assert_ptr_nonnull(strstr(fix.lines[2], "\"severity\":\"error\""));
    ck_assert_ptr_nonnull(strstr(fix.lines[0], "\"severity\":\"info\""));
    char want[160];
    (void)snprintf(want, sizeof(want), "\"source\":\"file:%s/a.log\"", dir);
    ck_assert_msg(strstr(fix.lines[0], want) != NULL, "%s", fix.lines[0]);
    ck_assert_uint_eq(fix.duplicates, 0);
}
END_TEST

START_TEST(not_there_yet)
{
    specs[0].path = below("later/x.log");
    start();
    run_s(2);
    ck_assert_int_eq(mkdir(below("later"), 0700), 0);
    (void)put("later/x.log", "here\n");
    run_s(7);
    ck_bodies("here");
}
END_TEST

START_TEST(rotated)
{
    (void)put("a.log", "1\n2\n");
    start();
    run_s(1.5);
    (void)put("a.log", "3\n");
    ck_assert_int_eq(rename(below("a.log"), below("a.log.1")), 0);
    (void)put("a.log", "4\n");
    (void)put("a.log.1", "late\n"); /* the writer had it open */
    run_s(3);
    ck_bodies("1", "2", "3", "late", "4");
    ck_assert_int_eq(unlink(below("a.log.1")), 0);
    run_s(60);
    (void)put("a.log", "5\n");
    run_s(2);
    ck_bodies("1", "2", "3", "late", "4", "5");
}
END_TEST

/* Both names are asked for: a rename is no new file. */
START_TEST(rotated_within_the_glob)
{
    (void)snprintf(glob[0], sizeof(glob[0]), "%s/*.log*", dir);
    (void)put("a.log", "1\n2\n");
    start();
    run_s(1.5);
    ck_assert_int_eq(rename(below("a.log"), below("a.log.1")), 0);
    (void)put("a.log", "3\n");
    run_s(20);
    ck_bodies("1", "2", "3");
    ck_assert_uint_eq(fix.offers, 3);
}
END_TEST

START_TEST(cut)
{
    (void)put("a.log", "first of many\nsecond\n");
    start();
    run_s(1.5);
    ck_assert_int_eq(truncate(below("a.log"), 0), 0);
    run_s(1);
    (void)put("a.log", "first of many\nsecond\nthird\n"); /* the same lines again are other lines */
    run_s(2);
    ck_bodies("first of many", "second", "first of many", "second", "third");
    /* cut and grown beyond where it was, within one look: told by how it begins */
    ck_assert_int_eq(truncate(below("a.log"), 0), 0);
    (void)put("a.log", "something else entirely\nand much longer than it was before the cut\n");
    run_s(2);
    ck_assert_uint_eq(fix.n, 7);
    ck_assert_str_eq(fix.bodies[5], "something else entirely");
}
END_TEST

/* What copytruncate costs, as tail.h says: the lines of the last second, and the copy's lines a second time. */
START_TEST(copied_and_cut)
{
    (void)put("a.log", "first\nsecond\n");
    start();
    run_s(1.5);
    (void)put("a.log", "lost\n"); /* only the copy has it */
    ck_assert_int_eq(truncate(below("a.log"), 0), 0);
    (void)put("b.log", "first\nsecond\nlost\n");
    run_s(7);
    (void)put("a.log", "third\n");
    run_s(2);
    ck_bodies("first", "second", "first", "second", "lost", "third");
}
END_TEST

START_TEST(goes_on_after_restart)
{
    (void)put("a.log", "1\n2\n");
    start();
    run_s(10);
    (void)put("a.log", "3\n");
    run_s(1.5);
    kill_and_restart(); /* 3 was read, but that is not on disk */
    (void)put("a.log", "4\n");
    run_s(2);
    ck_bodies("1", "2", "3", "4");
    ck_assert_uint_eq(fix.duplicates, 1);
    source->free(source); /* an orderly end: nothing is read again */
    start();
    run_s(5);
    ck_assert_uint_eq(fix.duplicates, 1);
}
END_TEST

/* a.log was followed to its end, and no process is there any more. */
static void follow_and_die(void)
{
    (void)put("a.log", "1\n2\n");
    start();
    run_s(10);
    kill_and_restart();
    source->free(source);
}

START_TEST(rotated_while_away)
{
    follow_and_die();
    (void)put("a.log", "3\n");
    ck_assert_int_eq(rename(below("a.log"), below("a.log.1")), 0);
    (void)put("a.log", "4\n");
    start();
    run_s(3);
    ck_bodies("1", "2", "3", "4");
    ck_assert_uint_eq(fix.duplicates, 0);
    run_s(60);
    ck_bodies("1", "2", "3", "4");
}
END_TEST

/* The program ended, too: no other file comes to where it was. */
START_TEST(rotated_while_away_for_good)
{
    follow_and_die();
    (void)put("a.log", "3\n");
    ck_assert_int_eq(rename(below("a.log"), below("a.log.1")), 0);
    start();
    run_s(30);
    ck_bodies("1", "2", "3");
    ck_assert_uint_eq(fix.duplicates, 0);
    (void)put("a.log", "4\n");
    run_s(7);
    ck_bodies("1", "2", "3", "4");
}
END_TEST

/* What has its number and begins otherwise is none of ours. */
START_TEST(number_taken_by_another)
{
    follow_and_die();
    ck_assert_int_eq(rename(below("a.log"), below("a.db")), 0);
    ck_assert_int_eq(truncate(below("a.db"), 0), 0);
    (void)put("a.db", "no lines of a log\nbut more than it had\n");
    start();
    run_s(30);
    ck_bodies("1", "2");
}
END_TEST

/* While nothing is taken new files are noticed all the same, so that a rename does not lose them. */
START_TEST(rotated_without_room)
{
    (void)put("a.log", "1\n");
    fix.room = 0;
    start();
    run_s(2);
    (void)put("b.log", "2\n");
    run_s(7);
    ck_assert_int_eq(rename(below("b.log"), below("b.log.1")), 0);
    (void)put("b.log", "3\n");
    run_s(7);
    kill_and_restart();
    run_s(2);
    ck_assert_int_eq(rename(below("b.log"), below("b.log.2")), 0);
    (void)put("b.log", "4\n");
    run_s(7);
    ck_assert_uint_eq(fix.n, 0);
    fix.room = SIZE_MAX;
    source->resume(source);
    run_s(30);
    ck_assert_uint_eq(fix.n, 4);
    unsigned seen = 0;
    for (size_t i = 0; i < fix.n; i++)
        seen |= 1u << (fix.bodies[i][0] - '1');
    ck_assert_uint_eq(seen, 15);
}
END_TEST

/* Positions go to disk only when what was read is safe. */
START_TEST(position_waits_for_receipts)
{
    (void)put("a.log", "1\n2\n");
    fix.hold = true;
    start();
    run_s(20);
    ck_assert_uint_eq(fix.n, 2);
    kill_and_restart();
    run_s(5);
    ck_assert_uint_eq(fix.duplicates, 2); /* read again */
    let_go(0);
    run_s(10);
    kill_and_restart();
    run_s(5);
    ck_assert_uint_eq(fix.duplicates, 2);
}
END_TEST

/* What could not be stored is read again. */
START_TEST(store_fails)
{
    (void)put("a.log", "1\n2\n3\n");
    fix.hold = true;
    start();
    run_s(1.5);
    ck_assert_uint_eq(fix.n, 3);
    for (size_t i = 0; i < fix.n; i++)
        fix.ids[i][0] = '\0'; /* they are not known any more */
    fix.hold = false;
    let_go(-EIO);
    run_s(3);
    ck_assert_uint_eq(fix.n, 3); /* not at once */
    run_s(5);
    ck_assert_uint_eq(fix.n, 6);
    ck_assert_str_eq(fix.bodies[3], "1");
}
END_TEST

START_TEST(no_room)
{
    char text[16];

    for (int i = 0; i < 100; i++) {
        (void)snprintf(text, sizeof(text), "%d\n", i);
        (void)put("a.log", text);
    }
    fix.room = 30;
    start();
    run_s(1.5);
    ck_assert_uint_eq(fix.n, 30);
    fix.room = 40;
    source->resume(source);
    run_s(0.1);
    ck_assert_uint_eq(fix.n, 70);
    fix.room = 100;
    source->resume(source);
    run_s(0.1);
    ck_assert_uint_eq(fix.n, 100);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq((int)strtol(fix.bodies[i], NULL, 10), i);
    ck_assert_uint_eq(fix.duplicates, 0);
    fix.room = SIZE_MAX;
    fix.fail = -EIO; /* and so with a store that fails at once */
    (void)put("a.log", "100\n");
    run_s(3);
    ck_assert_uint_eq(fix.n, 100);
    fix.fail = 0;
    run_s(3);
    ck_assert_uint_eq(fix.n, 101);
    fix.fail = -E2BIG; /* what can never be stored is passed over */
    (void)put("a.log", "101\n");
    run_s(3);
    fix.fail = 0;
    (void)put("a.log", "102\n");
    run_s(3);
    ck_assert_uint_eq(fix.n, 102);
    ck_assert_str_eq(fix.bodies[101], "102");
}
END_TEST

START_TEST(long_line)
{
    char *line = malloc(200001);

    memset(line, 'x', 200000);
    line[200000] = '\0';
    (void)put("a.log", "before\n");
    (void)put("a.log", line);
    start();
    run_s(3);
    (void)put("a.log", "tail of it\nafter\n");
    run_s(3);
    ck_assert_uint_eq(fix.n, 3);
    ck_assert_uint_eq(strlen(fix.bodies[1]), HF_TAIL_MAX_LINE);
    ck_assert_ptr_nonnull(strstr(fix.lines[1], "\"truncated\":true"));
    ck_assert_str_eq(fix.bodies[2], "after");
    free(line);
}
END_TEST

/* Files that another user may have put there are left out, the others followed. */
START_TEST(links)
{
    (void)put("plain.log", "plain\n");
    (void)put("secret", "secret\n");
    ck_assert_int_eq(mkdir(below("other"), 0777), 0);
    ck_assert_int_eq(chmod(below("other"), 01777), 0);
    ck_assert_int_eq(chmod(below("secret"), 0600), 0);
    ck_assert_int_eq(symlink("../secret", below("other/soft")), 0);
    ck_assert_int_eq(link(below("secret"), below("other/hard")), 0);
    ck_assert_int_eq(symlink("/proc/self/environ", below("out.log")),
                     0); /* root's own link, to a place out of bounds */
    ck_assert_int_eq(symlink("plain.log", below("again.log")), 0);
    specs[1].path = glob[1];
    start();
    run_s(12);
    ck_bodies("plain");
}
END_TEST

START_TEST(multiline)
{
    specs[0].multiline_start = "[0-9][0-9][0-9][0-9]-*";
    (void)put("a.log", "2026-11-20 ERROR boom\n  at a\n  at b\n2026-11-20 fine\n2026-11-20 last\n  more\n");
    start();
    run_s(0.5);
    ck_bodies("2026-11-20 ERROR boom\n  at a\n  at b", "2026-11-20 fine");
    (void)put("a.log", "  and more\n");
    run_s(0.4);
    run_s(5);
    ck_bodies("2026-11-20 ERROR boom\n  at a\n  at b", "2026-11-20 fine", "2026-11-20 last\n  more\n  and more");
}
END_TEST

START_TEST(json_lines)
{
    specs[0].json = true;
    specs[0].severity = HF_SEVERITY_NOTICE;
    (void)put("a.log", "{\"time\":\"2026-11-20T07:00:00.5Z\",\"level\":\"warn\",\"msg\":\"it \\\"is\\\" "
                       "hot\",\"unit\":\"a\\u00e4\",\"n\":3,"
                       "\"deep\":{\"x\":[1]},\"nothing\":null}\n"
                       "{\"no\":\"message\"}\n"
                       "no JSON at all\n"
                       "{\"level\":\"error\"\n");
    start();
    run_s(1.5);
    ck_assert_uint_eq(fix.n, 4);
    ck_assert_str_eq(fix.bodies[0], "it \"is\" hot");
    ck_assert_ptr_nonnull(strstr(fix.lines[0], "\"time\":\"2026-11-20T07:00:00.5"));
    ck_assert_ptr_nonnull(strstr(fix.lines[0], "\"severity\":\"warning\""));
    ck_assert_msg(
        strstr(
            fix.lines[0],
            "\"attributes\":{\"unit\":\"a\xc3\xa4\",\"n\":\"3\",\"deep\":\"{\\\"x\\\":[1]}\",\"nothing\":\"null\"}") !=
            NULL,
        "%s", fix.lines[0]);
    ck_assert_str_eq(fix.bodies[1], "{\"no\":\"message\"}");
    ck_assert_ptr_nonnull(strstr(fix.lines[1], "\"severity\":\"notice\""));
    ck_assert_str_eq(fix.bodies[2], "no JSON at all");
}
END_TEST

/* What several libraries write. The time is that of the line, or 0: none that is certain. Each member is the time, the
 * severity, the body or an attribute, or the body is the whole line. */
static const struct {
    const char *line;
    uint64_t unix_ns;
    const char *body; /* NULL: the whole line */
    const char *attributes[6][2];
} json_members[] = {
    {"{\"level\":\"info\",\"ts\":1795161600.5,\"msg\":\"zap\"}", 1795161600500000000u, "zap", {{NULL}}},
    {"{\"level\":30,\"time\":1795161600123,\"pid\":7,\"msg\":\"pino\"}",
     1795161600123000000u,
     "pino",
     {{"level", "30"}, {"pid", "7"}}},
    {"{\"asctime\":\"2026-11-20 08:00:00,123\",\"message\":\"python\"}",
     0,
     "python",
     {{"asctime", "2026-11-20 08:00:00,123"}}},
    {"{\"time\":\"2026-11-20 08:00:00,123\",\"levelname\":\"INFO\",\"message\":\"python\"}",
     0,
     "python",
     {{"time", "2026-11-20 08:00:00,123"}}},
    {"{\"time\":\"2026-11-20T08:00:00\",\"msg\":\"no zone\"}", 0, "no zone", {{"time", "2026-11-20T08:00:00"}}},
    {"{\"time\":\"1601-01-01T00:00:00Z\",\"msg\":\"m\"}", 0, "m", {{"time", "1601-01-01T00:00:00Z"}}},
    {"{\"time\":\"9999-12-31T23:59:59Z\",\"msg\":\"m\"}", 0, "m", {{"time", "9999-12-31T23:59:59Z"}}},
    {"{\"time\":-5,\"msg\":\"m\"}", 0, "m", {{"time", "-5"}}},
    {"{\"time\":null,\"ts\":1795161600,\"msg\":\"m\"}", 1795161600000000000u, "m", {{"time", "null"}}},
    {"{\"ts\":1795161600000000,\"timestamp\":\"2020-01-01T00:00:00Z\",\"msg\":\"two times\"}",
     1795161600000000000u,
     "two times",
     {{"timestamp", "2020-01-01T00:00:00Z"}}},
    {"{\"@timestamp\":\"soon\",\"time\":\"2026-11-20T08:00:00Z\",\"msg\":\"m\"}",
     1795161600000000000u,
     "m",
     {{"@timestamp", "soon"}}},
    {"{\"time\":{\"s\":1},\"msg\":\"m\"}", 0, "m", {{"time", "{\"s\":1}"}}},
    {"{\"time\":true,\"msg\":\"m\"}", 0, "m", {{"time", "true"}}},
    {"{\"msg\":\"one\",\"message\":\"two\",\"log\":3}", 0, "one", {{"message", "two"}, {"log", "3"}}},
    {"{\"level\":\"warn\",\"severity\":\"error\",\"msg\":\"m\"}", 0, "m", {{"severity", "error"}}},
    {"{\"level\":\"loud\",\"msg\":\"m\"}", 0, "m", {{"level", "loud"}}},
    {"{\"msg\":null,\"user\":null}", 0, NULL, {{"msg", "null"}, {"user", "null"}}},
    {"{\"msg\":\"\",\"user\":\"\"}", 0, "", {{"user", ""}}},
    {"{\"\":\"no name\",\"msg\":\"m\"}", 0, NULL, {{NULL}}},
    {"{\"msg\":\"zero\",\"a\":\"x\\u0000y\"}", 0, NULL, {{NULL}}},
    {"{\"ts\":1e999,\"msg\":\"not JSON here\"}", UINT64_MAX, NULL, {{NULL}}},
    {"{\"level\":\"warn\",\"time\":1795161600,\"message\":\"zerolog\"}", 1795161600000000000u, "zerolog", {{NULL}}},
    {"{\"name\":\"a\",\"level\":40,\"time\":\"2026-11-20T08:00:00.000Z\",\"msg\":\"bunyan\",\"v\":0}",
     1795161600000000000u,
     "bunyan",
     {{"name", "a"}, {"level", "40"}, {"v", "0"}}},
    {"{\"time\":\"2026-11-20T09:00:00.5+01:00\",\"level\":\"INFO\",\"msg\":\"slog\"}",
     1795161600500000000u,
     "slog",
     {{NULL}}},
    {"{\"time\":\"2026-02-30T08:00:00Z\",\"msg\":\"m\"}", 0, "m", {{"time", "2026-02-30T08:00:00Z"}}},
    {"{\"time\":\"2026-11-20T25:00:00Z\",\"msg\":\"m\"}", 0, "m", {{"time", "2026-11-20T25:00:00Z"}}},
    {"{\"time\":\"\",\"msg\":\"m\"}", 0, "m", {{"time", ""}}},
    {"{\"msg\":\"m\",\"on\":false,\"f\":-1.5e-3,\"list\":[]}",
     0,
     "m",
     {{"on", "false"}, {"f", "-1.5e-3"}, {"list", "[]"}}},
    {"[{\"msg\":\"m\"}]", UINT64_MAX, NULL, {{NULL}}},
    {"{\"msg\":\"m\"} trailing", UINT64_MAX, NULL, {{NULL}}},
};

START_TEST(nothing_of_a_json_line_is_lost)
{
    struct hf_buf scratch_here = HF_BUF_INIT(1 << 20);
    const char *line = json_members[_i].line;
    struct hf_event event = {.unix_ns = 0, .body = hf_view_of(line)};

    bool parsed = hf_source_parse_json_line(hf_view_of(line), &event, &scratch_here);
    ck_assert_msg(parsed == (json_members[_i].unix_ns != UINT64_MAX), "%s", line);
    if (parsed) {
        ck_assert_msg(event.unix_ns == json_members[_i].unix_ns, "%s: %ju", line, (uintmax_t)event.unix_ns);
        ck_assert_msg(hf_view_eq(event.body, json_members[_i].body != NULL ? json_members[_i].body : line), "%s: %.*s",
                      line, (int)event.body.n, event.body.p);
        size_t n = 0;
        for (; json_members[_i].attributes[n][0] != NULL; n++)
            ck_assert_msg(n < event.n_attributes &&
                              hf_view_eq(event.attributes[n].name, json_members[_i].attributes[n][0]) &&
                              hf_view_eq(event.attributes[n].value, json_members[_i].attributes[n][1]),
                          "%s: attribute %zu", line, n);
        ck_assert_msg(event.n_attributes == n, "%s: %zu attributes", line, event.n_attributes);
    }
    hf_buf_done(&scratch_here);
}
END_TEST

/* A stack trace is an attribute; what is too long, or one too many, leaves the line whole. */
START_TEST(long_json_lines)
{
    static const struct {
        size_t value, members;
        bool whole;
    } rows[] = {{1025, 1, false},
                {HF_SOURCE_MAX_VALUE, 1, false},
                {HF_SOURCE_MAX_VALUE + 1, 1, true},
                {1, 24, false},
                {1, 25, true}};
    struct hf_buf scratch_here = HF_BUF_INIT(1 << 20), line = HF_BUF_INIT(1 << 20);
    struct hf_event event = {.unix_ns = 0};
    char *value = malloc(rows[_i].value + 1);

    memset(value, 'v', rows[_i].value);
    value[rows[_i].value] = '\0';
    ck_assert_int_eq(hf_buf_add_str(&line, "{\"msg\":\"m\""), 0);
    for (size_t i = 0; i < rows[_i].members; i++)
        ck_assert_int_eq(hf_buf_addf(&line, ",\"a%zu\":\"%s\"", i, value), 0);
    ck_assert_int_eq(hf_buf_add_str(&line, "}"), 0);
    ck_assert(hf_source_parse_json_line(hf_buf_view(&line), &event, &scratch_here));
    ck_assert(hf_view_eq(event.body, rows[_i].whole ? hf_buf_str(&line) : "m"));
    if (!rows[_i].whole)
        ck_assert(event.n_attributes == rows[_i].members && event.attributes[0].value.n == rows[_i].value);
    free(value);
    hf_buf_done(&line);
    hf_buf_done(&scratch_here);
}
END_TEST

static const struct {
    const char *line;
    enum hf_severity want;
} severities[] = {
    {"2026-11-20 08:00:00 ERROR it broke", HF_SEVERITY_ERROR},
    {"[WARN] hot", HF_SEVERITY_WARNING},
    {"WARNING", HF_SEVERITY_WARNING},
    {"time=2026 level=error msg=x", HF_SEVERITY_ERROR},
    {"{\"level\":\"debug\",\"msg\":\"x\"}", HF_SEVERITY_DEBUG},
    {"E1120 08:00:00.000000 1 x.go:1] no", HF_SEVERITY_ERROR},
    {"I1120 08:00:00.000000 1 x.go:1] yes", HF_SEVERITY_INFO},
    {"an error in lower case says nothing", 0},
    {"ERRORS are no word of ours", 0},
    {"", 0},
    {"E1120", 0},
};

START_TEST(severity)
{
    /* On the heap, without a byte behind it. */
    size_t n = strlen(severities[_i].line);
    char *copy = malloc(n > 0 ? n : 1);

    memcpy(copy, severities[_i].line, n);
    enum hf_severity got = hf_source_line_severity((struct hf_view){copy, n});
    ck_assert_msg(got == severities[_i].want, "%s: %d", severities[_i].line, got);
    free(copy);
}
END_TEST

/* Lines written, files rotated, the process killed and the disk slow, in every order: each line once. */
START_TEST(everything_at_once)
{
    unsigned written = 0, rotations = 0;
    uint64_t x = (uint64_t)_i * 2654435761u + 1;
    char text[64];

    start();
    for (int step = 0; step < 300; step++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        unsigned dice = (unsigned)(x >> 33) % 100;
        for (unsigned k = 0; k < dice % 7; k++) {
            (void)snprintf(text, sizeof(text), "line %u\n", written++);
            (void)put("a.log", text);
        }
        if (dice < 6) {
            run_s(6); /* rotated before it is noticed, it would be lost to everybody */
            (void)snprintf(text, sizeof(text), "a.log.%u", ++rotations);
            ck_assert(rename(below("a.log"), below(text)) == 0 || errno == ENOENT);
        } else if (dice < 10) {
            kill_and_restart();
        } else if (dice < 20) {
            fix.hold = !fix.hold;
            let_go(0);
        } else if (dice < 25) {
            fix.room = dice % 4;
        } else if (dice < 50) {
            fix.room = SIZE_MAX;
            source->resume(source);
        }
        run_s((double)(dice % 13) / 4);
    }
    fix.room = SIZE_MAX;
    fix.hold = false;
    let_go(0);
    run_s(30);
    char *seen = calloc(written + 1, 1);
    for (size_t i = 0; i < fix.n; i++) {
        unsigned long n = strtoul(fix.bodies[i] + 5, NULL, 10);
        ck_assert_msg(n < written && !seen[n], "line %lu twice", n);
        seen[n] = 1;
    }
    for (unsigned i = 0; i < written; i++)
        ck_assert_msg(seen[i] != 0, "seed %d: line %u of %u is missing", _i, i, written);
    free(seen);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, follows);
    tcase_add_test(tc, not_there_yet);
    tcase_add_test(tc, rotated);
    tcase_add_test(tc, rotated_within_the_glob);
    tcase_add_test(tc, cut);
    tcase_add_test(tc, copied_and_cut);
    tcase_add_test(tc, goes_on_after_restart);
    tcase_add_test(tc, rotated_while_away);
    tcase_add_test(tc, rotated_while_away_for_good);
    tcase_add_test(tc, number_taken_by_another);
    tcase_add_test(tc, rotated_without_room);
    tcase_add_test(tc, position_waits_for_receipts);
    tcase_add_test(tc, store_fails);
    tcase_add_test(tc, no_room);
    tcase_add_test(tc, long_line);
    tcase_add_test(tc, links);
    tcase_add_test(tc, multiline);
    tcase_add_test(tc, json_lines);
    tcase_add_loop_test(tc, nothing_of_a_json_line_is_lost, 0, (int)HF_LEN(json_members));
    tcase_add_loop_test(tc, long_json_lines, 0, 5);
    tcase_add_loop_test(tc, severity, 0, (int)HF_LEN(severities));
    tcase_add_loop_test(tc, everything_at_once, 0, 12);
}

HF_TEST_MAIN("telemetry/source_files", cases)
