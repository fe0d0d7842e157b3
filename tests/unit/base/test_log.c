/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/check_main.h"

static uint64_t mono_ns, unix_ns = 1795161600 * HF_NS_PER_S; /* 2026-11-20T08:00:00Z */

static uint64_t read_clock(void *ctx)
{
    return *(uint64_t *)ctx;
}

static uint64_t mono(void *ctx)
{
    (void)ctx;
    return read_clock(&mono_ns);
}

static uint64_t wall(void *ctx)
{
    (void)ctx;
    return read_clock(&unix_ns);
}

static const struct hf_clock_ops test_clock = {.mono_ns = mono, .unix_ns = wall};

/* A log that writes into memory, and what it wrote. */
static int fd = -1;
static struct hf_log *logger;
static char written[1 << 17];

static void setup(void)
{
    mono_ns = 0;
    fd = memfd_create("log", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    logger = hf_log_new(fd, HF_LOG_INFO, &test_clock);
    ck_assert_ptr_nonnull(logger);
}

static void teardown(void)
{
    hf_log_free(logger);
    (void)close(fd);
}

static const char *all(void)
{
    ssize_t n = pread(fd, written, sizeof(written) - 1, 0);

    ck_assert_int_ge(n, 0);
    written[n] = '\0';
    return written;
}

START_TEST(one_line_per_event)
{
    hf_log(logger, HF_LOG_INFO, "update.committed", HF_S("release", "edge"), HF_D("sequence", -42));
    hf_log(logger, HF_LOG_WARNING, "bare");
    ck_assert_str_eq(all(), "{\"time\":\"2026-11-20T08:00:00Z\",\"level\":\"info\",\"event\":\"update.committed\","
                            "\"release\":\"edge\",\"sequence\":-42}\n"
                            "{\"time\":\"2026-11-20T08:00:00Z\",\"level\":\"warning\",\"event\":\"bare\"}\n");
}
END_TEST

START_TEST(levels)
{
    enum hf_log_level level = HF_LOG_DEBUG;

    hf_log(logger, HF_LOG_DEBUG, "quiet");
    ck_assert_str_eq(all(), "");
    hf_log(NULL, HF_LOG_ERROR, "nobody listens");
    ck_assert_int_eq(hf_log_level_parse("warn", &level), 0);
    ck_assert_int_eq(level, HF_LOG_WARNING);
    ck_assert_int_eq(hf_log_level_parse("error", &level), 0);
    ck_assert_int_eq(level, HF_LOG_ERROR);
    ck_assert_int_eq(hf_log_level_parse("loud", &level), -EINVAL);
    ck_assert_int_eq(level, HF_LOG_ERROR);
}
END_TEST

START_TEST(values_are_escaped)
{
    hf_log(logger, HF_LOG_INFO, "e", HF_S("v", "a\"b\\c\n\x7f\xe2\x82\xac"), HF_S("bad", "x\xffy"), HF_S("none", NULL));
    ck_assert_ptr_nonnull(strstr(all(), "\"v\":\"a\\\"b\\\\c\\u000a\\u007f\xe2\x82\xac\""));
    ck_assert_ptr_nonnull(strstr(all(), "\"bad\":\"x\xef\xbf\xbdy\""));
    ck_assert_ptr_nonnull(strstr(all(), "\"none\":\"\""));
}
END_TEST

/* The log repeats what objects, servers and programs say, and people read it on terminals. */
START_TEST(no_terminal_acts_on_a_value)
{
    hf_log(logger, HF_LOG_INFO, "e", HF_S("v", "\x1b[2J\xc2\x9b[31m\xe2\x80\xae\xd8\x9c\xe2\x81\xa6 caf\xc3\xa9"),
           HF_S("raw", "\x9b[31m"));
    ck_assert_ptr_nonnull(strstr(all(), "\"v\":\"\\u001b[2J\\u009b[31m\\u202e\\u061c\\u2066 caf\xc3\xa9\""));
    ck_assert_ptr_nonnull(strstr(all(), "\"raw\":\"\xef\xbf\xbd[31m\""));
}
END_TEST

START_TEST(long_values_are_cut)
{
    char text[3000];

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    hf_log(logger, HF_LOG_INFO, "e", HF_S("v", text));
    ck_assert_uint_lt(strlen(all()), HF_LOG_MAX_VALUE + 100);
    ck_assert_uint_gt(strlen(all()), HF_LOG_MAX_VALUE);
}
END_TEST

START_TEST(a_line_that_does_not_fit_keeps_its_event)
{
    char text[HF_LOG_MAX_VALUE + 1];

    memset(text, 1, sizeof(text) - 1); /* six bytes each once escaped */
    text[sizeof(text) - 1] = '\0';
    hf_log(logger, HF_LOG_INFO, "e", HF_S("a", text), HF_S("b", text), HF_S("c", text));
    ck_assert_msg(strstr(all(), "\"event\":\"e\",\"leftOut\":") != NULL && strlen(all()) < 200, "%s", all());
}
END_TEST

static unsigned lines(const char *text)
{
    unsigned n = 0;

    for (; (text = strchr(text, '\n')) != NULL; text++)
        n++;
    return n;
}

START_TEST(bursts_are_limited_per_event)
{
    for (int i = 0; i < HF_LOG_BURST + 30; i++)
        hf_log(logger, HF_LOG_INFO, "noisy");
    ck_assert_uint_eq(lines(all()), HF_LOG_BURST);
    hf_log(logger, HF_LOG_INFO, "other");
    ck_assert_uint_eq(lines(all()), HF_LOG_BURST + 1);
    mono_ns += HF_NS_PER_S;
    hf_log(logger, HF_LOG_INFO, "noisy");
    ck_assert_uint_eq(lines(all()), HF_LOG_BURST + 2);
    ck_assert_ptr_nonnull(strstr(all(), "\"event\":\"noisy\",\"suppressed\":30}"));
    hf_log(logger, HF_LOG_INFO, "noisy");
    ck_assert_ptr_null(strstr(strstr(all(), "suppressed") + 1, "suppressed"));
}
END_TEST

/* Sum of the numbers that the lines report as suppressed. */
static unsigned suppressed(const char *text)
{
    unsigned sum = 0;

    while ((text = strstr(text, "\"suppressed\":")) != NULL) {
        text += strlen("\"suppressed\":");
        sum += (unsigned)strtoul(text, NULL, 10);
    }
    return sum;
}

/* Two events that never end, a line per second each: both get their reserve, then a line per minute; and after a quiet
 * time the reserve is there again. */
START_TEST(what_never_ends_gets_a_line_per_minute)
{
    enum { SECONDS = 3600, HOUR_LINES = HF_LOG_RESERVE + 60 };
    unsigned asked = 0;

    for (int i = 0; i < SECONDS; i++, mono_ns += HF_NS_PER_S) {
        hf_log(logger, HF_LOG_WARNING, "endless.one");
        hf_log(logger, HF_LOG_WARNING, "endless.two");
        asked += 2;
    }
    unsigned n = lines(all());
    ck_assert_msg(n >= 2 * (HOUR_LINES - 2) && n <= 2 * (HOUR_LINES + 1), "%u lines", n);
    for (int i = 0; i < 2; i++, mono_ns += 60 * HF_NS_PER_S) {
        hf_log(logger, HF_LOG_WARNING, "endless.one");
        hf_log(logger, HF_LOG_WARNING, "endless.two");
        asked += 2;
    }
    ck_assert_uint_eq(lines(all()) + suppressed(all()), asked);
    n = lines(all());
    mono_ns += HF_LOG_RESERVE * 60 * HF_NS_PER_S;
    for (int i = 0; i < HF_LOG_RESERVE + 50; i++, mono_ns += HF_NS_PER_S / 10)
        hf_log(logger, HF_LOG_WARNING, "endless.one");
    ck_assert_uint_eq(lines(all()), n + HF_LOG_RESERVE);
}
END_TEST

/* More names than the log has places for are limited, too. */
START_TEST(many_names)
{
    char name[24];

    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "event.%d", i % 500);
        hf_log(logger, HF_LOG_INFO, name);
    }
    ck_assert_uint_le(lines(all()), 256 * HF_LOG_BURST);
    hf_log(logger, HF_LOG_INFO, "event.0");
    ck_assert_uint_ge(lines(all()), 256);
}
END_TEST

START_TEST(debug_lines_have_no_reserve)
{
    struct hf_log *debug = hf_log_new(fd, HF_LOG_DEBUG, &test_clock);

    for (int i = 0; i < 2 * HF_LOG_RESERVE; i++, mono_ns += HF_NS_PER_S / 10)
        hf_log(debug, HF_LOG_DEBUG, "seen");
    ck_assert_uint_eq(lines(all()), 2 * HF_LOG_RESERVE);
    hf_log_free(debug);
}
END_TEST

START_TEST(errors_with_their_subject)
{
    struct hf_err err = HF_ERR_INIT;

    (void)hf_err_set(&err, EIO, "cause");
    (void)hf_err_wrap(&err, -EIO, "context");
    hf_log_err(logger, HF_LOG_ERROR, "sync.failed", "object", "edge", &err);
    ck_assert_ptr_nonnull(strstr(all(), "\"object\":\"edge\",\"error\":\"context: cause\"}"));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, one_line_per_event);
    tcase_add_test(tc, levels);
    tcase_add_test(tc, values_are_escaped);
    tcase_add_test(tc, no_terminal_acts_on_a_value);
    tcase_add_test(tc, long_values_are_cut);
    tcase_add_test(tc, a_line_that_does_not_fit_keeps_its_event);
    tcase_add_test(tc, bursts_are_limited_per_event);
    tcase_add_test(tc, what_never_ends_gets_a_line_per_minute);
    tcase_add_test(tc, many_names);
    tcase_add_test(tc, debug_lines_have_no_reserve);
    tcase_add_test(tc, errors_with_their_subject);
}
HF_TEST_MAIN("base/log", cases)
