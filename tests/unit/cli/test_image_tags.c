/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/image/tags.h"

#include <errno.h>

#include "support/check_main.h"

static const struct {
    const char *tag;
    size_t most;
    const char *want; /* NULL: -EINVAL */
} rows[] = {
    {"1.4.2", 3, "1.4.1 1.4.0 1.3.12 "},
    {"1.4.2", 2, "1.4.1 1.4.0 "},
    {"1.4.2", 16, "1.4.1 1.4.0 1.3.12 1.3.9 0.9.9 "},
    {"1.10.0", 1, "1.4.2 "},
    {"v2.1", 3, "v2.0 v1.9 "},
    {"1.4.1-alpine", 3, "1.4.0-alpine "},
    {"1.4", 3, ""},
    {"0.9.9", 3, ""},
    {"20260301", 3, "20260201 20251231 "},
    {"latest", 3, NULL},
    {"v", 3, NULL},
    {"", 3, NULL},
};

START_TEST(tags_before)
{
    _cleanup_(hf_json_freep) json_t *tags = json_pack(
        "[s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,i]", "latest", "1.3.9", "1.4.1", "1.3.12", "1.4.0", "1.4.1", "1.4", "1.4.2",
        "0.9.9", "1.4.0-alpine", "v1.9", "v2.0", "v2.1", "20251231", "20260201", "1.4.99999999999999999999", "", 7);
    const char *got[HF_CLI_TAGS_MAX];
    char text[200] = "";

    int n = hf_cli_tags_before(tags, rows[_i].tag, rows[_i].most, got);
    ck_assert_msg((n < 0) == (rows[_i].want == NULL) && n >= -EINVAL, "%s: %d", rows[_i].tag, n);
    for (int i = 0; i < n; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ", got[i]);
    ck_assert_str_eq(text, n < 0 ? "" : rows[_i].want);
}
END_TEST

/* More than there is room for, in the worst order. */
START_TEST(many)
{
    _cleanup_(hf_json_freep) json_t *tags = json_array();
    const char *got[HF_CLI_TAGS_MAX];
    char tag[20];

    for (int i = 0; i < 200; i++) {
        (void)snprintf(tag, sizeof(tag), "1.%d", i);
        ck_assert_int_eq(json_array_append_new(tags, json_string(tag)), 0);
    }
    ck_assert_int_eq(hf_cli_tags_before(tags, "1.200", HF_CLI_TAGS_MAX, got), HF_CLI_TAGS_MAX);
    ck_assert_str_eq(got[0], "1.199");
    ck_assert_str_eq(got[HF_CLI_TAGS_MAX - 1], "1.184");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, tags_before, 0, (int)HF_LEN(rows));
    tcase_add_test(tc, many);
}

HF_TEST_MAIN("cli/image_tags", cases)
