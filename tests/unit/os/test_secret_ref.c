/* SPDX-License-Identifier: Apache-2.0 */
#include "os/secret_ref.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/check_main.h"
#include "support/fakes/simfs.h"

static struct hf_simfs *sim;

static void set_up(void)
{
    sim = hf_simfs_new();
    hf_simfs_mkdir(sim, "/d", 0755);
    unsetenv("TEST_SECRET");
}

static void tear_down(void)
{
    hf_simfs_free(sim);
}

static const struct {
    const char *text;
    int want_r;
    enum hf_secret_kind kind;
    const char *name;
} references[] = {{"file:/d/key", 0, HF_SECRET_FILE, "/d/key"},
                  {"env:TEST_SECRET", 0, HF_SECRET_ENV, "TEST_SECRET"},
                  {"file:", 0, HF_SECRET_FILE, ""},
                  {"/d/key", -EINVAL, 0, NULL},
                  {"File:/d/key", -EINVAL, 0, NULL},
                  {"env", -EINVAL, 0, NULL},
                  {"", -EINVAL, 0, NULL}};

START_TEST(parse)
{
    struct hf_secret_ref ref = {.kind = 0};
    int r = hf_secret_ref_parse(references[_i].text, &ref);

    ck_assert_msg(r == references[_i].want_r, "'%s': %d", references[_i].text, r);
    ck_assert_int_eq(ref.kind, references[_i].kind);
    if (r == 0)
        ck_assert_str_eq(ref.name, references[_i].name);
}
END_TEST

/* `content` is what the file holds or the variable's value; NULL: there is none. The buffer has room for 8 bytes. */
static const struct {
    const char *text, *content;
    int want_r;
    const char *want;
} secrets[] = {{"file:/d/key", "s3cret", 0, "s3cret"},
               {"file:/d/key", " s3cret\n", 0, "s3cret"},
               {"file:/d/key", "a b\r\n", 0, "a b"},
               {"file:/d/key", "\n", 0, ""},
               {"file:/d/key", "", 0, ""},
               {"file:/d/key", "123456789", -E2BIG, ""},
               {"file:/d/key", NULL, -ENOENT, ""},
               {"env:TEST_SECRET", "s3cret", 0, "s3cret"},
               {"env:TEST_SECRET", " s3 ", 0, " s3 "},
               {"env:TEST_SECRET", "", 0, ""},
               {"env:TEST_SECRET", "123456789", -E2BIG, ""},
               {"env:TEST_SECRET", NULL, -ENOENT, ""}};

START_TEST(read_secret)
{
    _cleanup_(hf_buf_wipe) struct hf_buf out = HF_BUF_INIT(8);
    struct hf_secret_ref ref;

    ck_assert_int_eq(hf_secret_ref_parse(secrets[_i].text, &ref), 0);
    if (secrets[_i].content != NULL && ref.kind == HF_SECRET_FILE)
        hf_simfs_put(sim, "/d/key", secrets[_i].content, strlen(secrets[_i].content), 0600);
    else if (secrets[_i].content != NULL)
        ck_assert_int_eq(setenv("TEST_SECRET", secrets[_i].content, 1), 0);
    ck_assert_int_eq(hf_buf_add_str(&out, "before"), 0);
    struct hf_err err = HF_ERR_INIT;
    int r = hf_secret_ref_read(&ref, hf_simfs_ops(sim), &out, &err);
    ck_assert_msg(r == secrets[_i].want_r, "%s of '%s': %d", secrets[_i].text, secrets[_i].content, r);
    ck_assert_str_eq(hf_buf_str(&out), secrets[_i].want);
    ck_assert(r == 0 || strstr(err.cause, ref.name) != NULL);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, parse, 0, HF_LEN(references));
    tcase_add_loop_test(tc, read_secret, 0, HF_LEN(secrets));
}

HF_TEST_MAIN("os/secret_ref", cases)
