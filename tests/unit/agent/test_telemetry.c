/* SPDX-License-Identifier: Apache-2.0 */
/* The sink that the environment asks for: each value that a flag allows makes one. */
#include "agent/process/telemetry.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "os/clock_posix.h"
#include "support/check_main.h"

static const struct {
    const char *endpoint;
    uint64_t max_retries, retry_base_ms;
    const char *error; /* NULL: fine */
} rows[] = {
    {"https://cloud.example", 3, 1000, NULL},
    {"https://cloud.example", 1, 1, NULL},
    {"https://cloud.example", 100, 10, NULL},
    {"https://cloud.example", 500, 1000, NULL},
    {"https://cloud.example", 1000, 5, NULL},
    {"https://cloud.example", 3, 600001, NULL},
    {"http://127.0.0.1:9/", 1000, 3600000, NULL},
    {"ftp://cloud.example", 3, 1000, "CLOUD_ENDPOINT 'ftp://cloud.example' is not a valid sink URL"},
};

START_TEST(endpoint)
{
    const struct hf_agent_options options = {.cloud_endpoint = rows[_i].endpoint,
                                             .max_retries = rows[_i].max_retries,
                                             .retry_base_ns = rows[_i].retry_base_ms * HF_NS_PER_MS,
                                             .state_dir = "/nowhere",
                                             .storage_dir = "/nowhere"};
    struct hf_loop *loop = hf_loop_new(NULL);
    const struct hf_agent_telemetry_params params = {.options = &options, .loop = loop, .world = hf_loop_world(loop)};
    struct hf_agent_telemetry *telemetry = NULL;
    struct hf_err err = HF_ERR_INIT;
    char text[600];
    int r = hf_agent_telemetry_new(&params, &telemetry, &err);

    (void)hf_err_text(&err, text, sizeof(text));
    if (rows[_i].error == NULL)
        ck_assert_msg(r == 0, "%d %s", r, text);
    else
        ck_assert_msg(r < 0 && strstr(text, rows[_i].error) != NULL, "%d %s", r, text);
    hf_agent_telemetry_free(telemetry);
    hf_loop_free(loop);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, endpoint, 0, HF_LEN(rows));
}

HF_TEST_MAIN("agent/telemetry", cases)
