/* SPDX-License-Identifier: Apache-2.0 */
#include "web/metrics.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check_main.h"

static char *text_of(struct hf_metrics *metrics)
{
    struct hf_buf out = HF_BUF_INIT(HF_METRICS_MAX_TEXT);

    ck_assert_int_eq(hf_metrics_format(metrics, &out), 0);
    return hf_buf_take(&out);
}

static void check_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no '%s' in:\n%s", part, text);
}

static void check_lacks(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) == NULL, "'%s' in:\n%s", part, text);
}

static void collect_now(void *arg)
{
    hf_metric_set(arg, 42);
}

/* Everything the registry can print at once. */
static struct hf_metrics *full(void)
{
    static const double bounds[] = {0.1, 0.5, 2.5};
    struct hf_metrics *m = hf_metrics_new();

    hf_metric_add(hf_metric_counter(m, "holdfast_starts_total", "Things."), 3);
    struct hf_metric *spent = hf_metric_counter(m, "holdfast_spent_seconds_total", "Counted elsewhere.");
    hf_metric_total(spent, 1.5);
    hf_metric_total(spent, 1.25);
    hf_metric_set(hf_metric_gauge(m, "holdfast_full_ratio", "A line\nwith a break and a \\."), 0.1);
    struct hf_metric *h = hf_metric_histogram(m, "holdfast_wait_seconds", "Durations.", bounds, 3);
    hf_metric_observe(h, 0.1);
    hf_metric_observe(h, 0.3);
    hf_metric_observe(h, 9);
    struct hf_metric_family *f =
        hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_ends_total", "By two labels.", HF_LABELS("release", "result"));
    hf_metric_add(hf_metric_with(f, HF_LABELS("edge", "ok")), 1);
    hf_metric_add(hf_metric_with(f, HF_LABELS("quote\" back\\ line\n", "\xc3\xa9")), 2);
    struct hf_metric_family *hf =
        hf_metric_histogram_family(m, "holdfast_fetched_bytes", "Sizes.", HF_LABELS("kind"), bounds, 3);
    hf_metric_observe(hf_metric_with(hf, HF_LABELS("delta")), 1);
    struct hf_metric *now = hf_metric_gauge(m, "holdfast_now_bytes", "Collected.");
    ck_assert_int_eq(hf_metrics_on_collect(m, collect_now, now), 0);
    return m;
}

START_TEST(formats)
{
    _cleanup_(hf_metrics_freep) struct hf_metrics *m = full();
    _cleanup_(hf_freep) char *text = text_of(m);

    check_has(text,
              "# HELP holdfast_starts_total Things.\n# TYPE holdfast_starts_total counter\nholdfast_starts_total 3\n");
    check_has(text, "# TYPE holdfast_spent_seconds_total counter\nholdfast_spent_seconds_total 1.5\n");
    check_has(text, "# HELP holdfast_full_ratio A line\\nwith a break and a \\\\.\n# TYPE holdfast_full_ratio gauge\n"
                    "holdfast_full_ratio 0.1\n");
    check_has(text, "# TYPE holdfast_wait_seconds histogram\n"
                    "holdfast_wait_seconds_bucket{le=\"0.1\"} 1\n"
                    "holdfast_wait_seconds_bucket{le=\"0.5\"} 2\n"
                    "holdfast_wait_seconds_bucket{le=\"2.5\"} 2\n"
                    "holdfast_wait_seconds_bucket{le=\"+Inf\"} 3\n"
                    "holdfast_wait_seconds_sum 9.4\n"
                    "holdfast_wait_seconds_count 3\n");
    check_has(text, "holdfast_ends_total{release=\"edge\",result=\"ok\"} 1\n");
    check_has(text, "holdfast_ends_total{release=\"quote\\\" back\\\\ line\\n\",result=\"\xc3\xa9\"} 2\n");
    check_has(text, "holdfast_fetched_bytes_bucket{kind=\"delta\",le=\"2.5\"} 1\n");
    check_has(text, "holdfast_fetched_bytes_count{kind=\"delta\"} 1\n");
    check_has(text, "holdfast_now_bytes 42\n");
}
END_TEST

static const struct {
    double value;
    const char *want;
} numbers[] = {
    {0, "holdfast_x 0\n"},
    {-1.5, "holdfast_x -1.5\n"},
    {1e21, "holdfast_x 1e+21\n"},
    {0.1 + 0.2, "holdfast_x 0.30000000000000004\n"},
    {(double)INFINITY, "holdfast_x +Inf\n"},
    {-(double)INFINITY, "holdfast_x -Inf\n"},
    {(double)NAN, "holdfast_x NaN\n"},
    {1732089600, "holdfast_x 1732089600\n"},
};

START_TEST(number)
{
    _cleanup_(hf_metrics_freep) struct hf_metrics *m = hf_metrics_new();

    hf_metric_set(hf_metric_gauge(m, "holdfast_x", "X."), numbers[_i].value);
    _cleanup_(hf_freep) char *text = text_of(m);
    check_has(text, numbers[_i].want);
}
END_TEST

START_TEST(null_is_silent)
{
    struct hf_buf out = HF_BUF_INIT(10);

    ck_assert_ptr_null(hf_metric_counter(NULL, "holdfast_starts_total", "A."));
    ck_assert_ptr_null(hf_metric_with(hf_metric_family(NULL, HF_METRIC_GAUGE, "a", "A.", NULL), NULL));
    hf_metric_add(NULL, 1);
    hf_metric_set(NULL, 1);
    hf_metric_observe(NULL, 1);
    hf_metric_forget(NULL, NULL);
    hf_metric_forget_all(NULL);
    hf_metrics_free(NULL);
    ck_assert_int_eq(hf_metrics_on_collect(NULL, collect_now, NULL), 0);
    ck_assert_int_eq(hf_metrics_format(NULL, &out), 0);
    ck_assert(hf_metric_value(NULL) <= 0);
}
END_TEST

START_TEST(refuses)
{
    static const double falling[] = {2, 1};
    _cleanup_(hf_metrics_freep) struct hf_metrics *m = hf_metrics_new();

    ck_assert_ptr_null(hf_metric_counter(m, "", "Empty."));
    ck_assert_ptr_null(hf_metric_counter(m, "9a", "Digit first."));
    ck_assert_ptr_null(hf_metric_counter(m, "a b", "Blank."));
    ck_assert_ptr_null(hf_metric_counter(m, "a{b=\"c\"}", "Labels inside."));
    ck_assert_ptr_null(hf_metric_family(m, HF_METRIC_COUNTER, "ok", "Label.", HF_LABELS("a:b")));
    ck_assert_ptr_null(hf_metric_family(m, HF_METRIC_COUNTER, "ok", "Label.", HF_LABELS("__name__")));
    ck_assert_ptr_null(hf_metric_family(m, HF_METRIC_COUNTER, "ok", "Five.", HF_LABELS("a", "b", "c", "d", "e")));
    ck_assert_ptr_null(hf_metric_family(m, HF_METRIC_HISTOGRAM, "ok", "No bounds.", NULL));
    ck_assert_ptr_null(hf_metric_histogram(m, "ok", "Falling.", falling, 2));
    ck_assert_ptr_null(hf_metric_histogram_family(m, "ok", "le is taken.", HF_LABELS("le"), falling, 1));

    struct hf_metric *c = hf_metric_counter(m, "holdfast_starts_total", "A.");
    ck_assert_ptr_eq(hf_metric_counter(m, "holdfast_starts_total", "A."), c);
    ck_assert_ptr_null(hf_metric_gauge(m, "holdfast_starts_total", "Other type."));
    ck_assert_ptr_null(hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_starts_total", "A.", HF_LABELS("x")));
    struct hf_metric_family *f = hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_b_total", "B.", HF_LABELS("x"));
    ck_assert_ptr_null(hf_metric_with(f, NULL));
    ck_assert_ptr_null(hf_metric_with(f, HF_LABELS("1", "2")));
}
END_TEST

START_TEST(bounded_families)
{
    _cleanup_(hf_metrics_freep) struct hf_metrics *m = hf_metrics_new();
    int made = 0;

    for (int i = 0; i < HF_METRICS_MAX_FAMILIES + 10; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "holdfast_f%d", i);
        made += hf_metric_gauge(m, name, "F.") != NULL;
    }
    ck_assert_int_eq(made, HF_METRICS_MAX_FAMILIES - 1); /* one is the registry's own */
}
END_TEST

/* The set of series stays at limit + "other", the rest is counted; nobody's own "other" is printed twice. */
START_TEST(bounded_series)
{
    _cleanup_(hf_metrics_freep) struct hf_metrics *m = hf_metrics_new();
    struct hf_metric_family *f = hf_metric_family(m, HF_METRIC_COUNTER, "holdfast_b_total", "B.", HF_LABELS("x"));

    for (int i = 0; i < HF_METRIC_MAX_SERIES + 10; i++) {
        char value[32];
        (void)snprintf(value, sizeof(value), "v%d", i);
        hf_metric_add(hf_metric_with(f, HF_LABELS(value)), 1);
    }
    hf_metric_add(hf_metric_with(f, HF_LABELS("other")), 1);
    hf_metric_add(hf_metric_with(f, HF_LABELS("v0")), 5);
    _cleanup_(hf_freep) char *text = text_of(m);
    check_has(text, "holdfast_b_total{x=\"v0\"} 6\n");
    check_has(text, "holdfast_b_total{x=\"other\"} 11\n");
    check_lacks(text, "v64");
    check_has(text, "holdfast_metrics_overflow_total{family=\"holdfast_b_total\"} 10\n");
    int lines = 0;
    for (const char *at = text; (at = strstr(at, "\nholdfast_b_total{")) != NULL; at++)
        lines++;
    ck_assert_int_eq(lines, HF_METRIC_MAX_SERIES + 1);
}
END_TEST

START_TEST(cuts_values)
{
    _cleanup_(hf_metrics_freep) struct hf_metrics *m = hf_metrics_new();
    struct hf_metric_family *f = hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_v", "V.", HF_LABELS("x"));
    char longest[HF_METRIC_LABEL_VALUE + 8] = "";

    memset(longest, 'a', HF_METRIC_LABEL_VALUE - 1);
    (void)snprintf(longest + HF_METRIC_LABEL_VALUE - 1, 9, "\xe2\x82\xac\xe2\x82\xac"); /* would be cut inside */
    ck_assert_ptr_nonnull(hf_metric_with(f, HF_LABELS(longest)));
    ck_assert_ptr_nonnull(hf_metric_with(f, HF_LABELS("bad \xff byte")));
    _cleanup_(hf_freep) char *text = text_of(m);
    check_has(text, "aaa\"} 0\n");
    check_lacks(text, "\xe2");
    check_has(text, "{x=\"not UTF-8\"} 0\n");
}
END_TEST

START_TEST(forgets)
{
    _cleanup_(hf_metrics_freep) struct hf_metrics *m = hf_metrics_new();
    struct hf_metric_family *f = hf_metric_family(m, HF_METRIC_GAUGE, "holdfast_v", "V.", HF_LABELS("x"));

    hf_metric_set(hf_metric_with(f, HF_LABELS("a")), 1);
    hf_metric_set(hf_metric_with(f, HF_LABELS("b")), 2);
    hf_metric_forget(f, HF_LABELS("a"));
    hf_metric_forget(f, HF_LABELS("absent"));
    _cleanup_(hf_freep) char *one = text_of(m);
    check_lacks(one, "x=\"a\"");
    check_has(one, "x=\"b\"} 2\n");
    hf_metric_forget_all(f);
    _cleanup_(hf_freep) char *none = text_of(m);
    check_lacks(none, "x=");
    ck_assert_ptr_nonnull(hf_metric_with(f, HF_LABELS("c")));
}
END_TEST

START_TEST(histogram_edges)
{
    static const double bounds[] = {1};
    _cleanup_(hf_metrics_freep) struct hf_metrics *m = hf_metrics_new();
    struct hf_metric *h = hf_metric_histogram(m, "holdfast_h", "H.", bounds, 1);

    hf_metric_observe(h, (double)NAN);
    ck_assert(hf_metric_value(h) <= 0);
    hf_metric_observe(h, (double)INFINITY);
    hf_metric_observe(h, -5);
    hf_metric_add(h, 7); /* not a histogram's verb */
    hf_metric_set(h, 7);
    _cleanup_(hf_freep) char *text = text_of(m);
    check_has(
        text,
        "holdfast_h_bucket{le=\"1\"} 1\nholdfast_h_bucket{le=\"+Inf\"} 2\nholdfast_h_sum +Inf\nholdfast_h_count 2\n");
}
END_TEST

START_TEST(too_long_is_refused)
{
    _cleanup_(hf_metrics_freep) struct hf_metrics *m = full();
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(100);

    ck_assert_int_eq(hf_metrics_format(m, &out), -E2BIG);
}
END_TEST

/* Prometheus' own judge reads what we print. */
START_TEST(promtool_accepts)
{
    if (access("/usr/bin/promtool", X_OK) < 0) {
        printf("SKIP: promtool is not installed\n");
        return;
    }
    _cleanup_(hf_metrics_freep) struct hf_metrics *m = full();
    _cleanup_(hf_freep) char *text = text_of(m);
    int fd = memfd_create("metrics", MFD_CLOEXEC);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(fd, STDIN_FILENO);
        (void)execl("/usr/bin/promtool", "promtool", "check", "metrics", NULL);
        _exit(127);
    }
    (void)close(fd);
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "promtool: %d for\n%s", status, text);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, formats);
    tcase_add_loop_test(tc, number, 0, (int)HF_LEN(numbers));
    tcase_add_test(tc, null_is_silent);
    tcase_add_test(tc, refuses);
    tcase_add_test(tc, bounded_families);
    tcase_add_test(tc, bounded_series);
    tcase_add_test(tc, cuts_values);
    tcase_add_test(tc, forgets);
    tcase_add_test(tc, histogram_edges);
    tcase_add_test(tc, too_long_is_refused);
    tcase_add_test(tc, promtool_accepts);
}

HF_TEST_MAIN("web/metrics", cases)
