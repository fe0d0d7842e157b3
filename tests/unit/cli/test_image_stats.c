/* SPDX-License-Identifier: Apache-2.0 */
/* image stats, before a server that has an agent's metrics, other ones, or none. */
#include <string.h>

#include "cli/cli.h"
#include "codec/json.h"
#include "support/check_main.h"
#include "support/cli_run.h"
#include "support/fakes/http_server.h"

static struct cli_run run;
static struct hf_test_server server;
static char url[64];

static void setup(void)
{
    cli_begin(&run);
    hf_test_server_start(&server, (const char *const[]){"--root", run.folder, NULL});
    (void)snprintf(url, sizeof(url), "--url=http://127.0.0.1:%u/file/metrics", server.port);
}

static void teardown(void)
{
    hf_test_server_stop(&server);
    cli_end(&run);
}

#define ASKED "holdfast_image_asked_bytes_total"
#define FETCHED "holdfast_image_fetched_bytes_total"

START_TEST(each_image_and_all)
{
    _cleanup_(hf_json_freep) json_t *told = NULL;

    cli_write_text(&run, "metrics",
                   "# TYPE " ASKED " counter\n" ASKED "{image=\"b.example/team/app\"} 8000000\n" ASKED
                   "{image=\"a\\\"\x1b[31m\"} 0\n# TYPE " FETCHED " counter\n" FETCHED
                   "{image=\"b.example/team/app\"} 4683\n" FETCHED "{image=\"a\\\"\x1b[31m\"} 1000\n" FETCHED
                   "{image=\"c\"} -1\n" FETCHED "{image=\"c\"} 1e300\n" FETCHED "{image=\"c\"} NaN\n" FETCHED
                   " 7\nholdfast_other_total{image=\"d\"} 1\n");
    ck_assert_msg(cli(&run, "image", "stats", url, NULL) == 0, "%s", run.err);
    ck_assert_str_eq(run.out, "IMAGE               ASKED   FETCHED  SHARE\n"
                              "a\"?[31m             0 B     1.0 kB   -\n"
                              "b.example/team/app  8.0 MB  4.7 kB   0.1 %\n"
                              "total               8.0 MB  5.7 kB   0.1 %\n");
    ck_assert_int_eq(cli(&run, "image", "stats", "-o", "json", url, NULL), 0);
    cli_page_knows_json(&run, "image stats");
    ck_assert_int_eq(hf_json_parse(hf_view_of(run.out), NULL, &told, NULL), 0);
    ck_assert_uint_eq(json_array_size(told), 2);
    ck_assert_str_eq(hf_json_str_or(json_array_get(told, 0), "image", ""), "b.example/team/app");
    ck_assert_int_eq(hf_json_int_or(json_array_get(told, 0), "askedBytes", 0), 8000000);
    ck_assert_int_eq(hf_json_int_or(json_array_get(told, 0), "fetchedBytes", 0), 4683);
}
END_TEST

START_TEST(nothing_yet)
{
    cli_write_text(&run, "metrics", "holdfast_info 1\n");
    ck_assert_int_eq(cli(&run, "image", "stats", url, NULL), 0);
    ck_assert_str_eq(run.out, "");
    ck_assert_ptr_nonnull(strstr(run.err, "no image"));
    ck_assert_int_eq(cli(&run, "image", "stats", "--json", url, NULL), 0);
    ck_assert_str_eq(run.out, "[]\n");
}
END_TEST

START_TEST(no_agent)
{
    char many[300 * 64];
    size_t n = 0;

    cli_write_text(&run, "metrics", "<html>\n</html>\n");
    ck_assert_int_eq(cli(&run, "image", "stats", url, NULL), HF_EXIT_REFUSED);
    for (unsigned i = 0; i < 300; i++)
        n += (size_t)snprintf(many + n, sizeof(many) - n, ASKED "{image=\"%u\"} 1\n", i);
    cli_write(&run, "metrics", many, n);
    ck_assert_int_eq(cli(&run, "image", "stats", url, NULL), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.err, "256"));
    ck_assert_int_eq(cli(&run, "image", "stats", "--url", "file:///etc/passwd", NULL), HF_EXIT_USAGE);
    (void)snprintf(url, sizeof(url), "--url=http://127.0.0.1:%u/status/503", server.port);
    ck_assert_int_eq(cli(&run, "image", "stats", url, NULL), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(run.err, "503"));
    ck_assert_int_eq(cli(&run, "image", "stats", "--url=http://127.0.0.1:1/metrics", NULL), HF_EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(run.err, "--metrics-port"));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, each_image_and_all);
    tcase_add_test(tc, nothing_yet);
    tcase_add_test(tc, no_agent);
}

HF_TEST_MAIN("cli/image_stats", cases)
