/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that openssl made, from the corpus of the fuzz target. */
#include <errno.h>

#include "os/file.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "trust/csr_parse.h"

static const struct {
    const char *file;
    const char *error; /* part of it; NULL: fine */
    enum hf_csr_key key;
} files[] = {
    {"p256.pem", NULL, HF_CSR_KEY_P256},
    {"ed.pem", NULL, HF_CSR_KEY_ED25519},
    {"p384.pem", NULL, HF_CSR_KEY_OTHER},
    {"rsa.pem", NULL, HF_CSR_KEY_OTHER},
    {"p256x.pem", NULL, HF_CSR_KEY_OTHER}, /* the curve's numbers in place of its name */
    {"multi-rdn.pem", NULL, HF_CSR_KEY_P256},
    {"name-only.pem", NULL, HF_CSR_KEY_P256},
    {"masters.pem", NULL, HF_CSR_KEY_P256}, /* for the caller to refuse */
    {"three-o.pem", "more than one CN and two O", HF_CSR_KEY_OTHER},
    {"two-cn.pem", "more than one CN and two O", HF_CSR_KEY_OTHER},
    {"country.pem", "more than one CN and two O", HF_CSR_KEY_OTHER},
    {"user-uid.pem", "more than one CN and two O", HF_CSR_KEY_OTHER}, /* the user's uid of newer API servers */
    {"san.pem", "asks for none", HF_CSR_KEY_OTHER},
    {"p256.der", "is not PEM", HF_CSR_KEY_OTHER},
};

static void load(const char *name, struct hf_buf *text)
{
    char path[200];

    (void)snprintf(path, sizeof(path), "tests/fuzz/corpus/fuzz_csr/%s", name);
    ck_assert_int_eq(hf_file_read(hf_fs_posix(), path, text, NULL), 0);
}

START_TEST(file)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CSR_MAX_BYTES);
    struct hf_csr csr = {.common_name = "untouched"};
    struct hf_err err = HF_ERR_INIT;

    load(files[_i].file, &text);
    int r = hf_csr_parse(hf_buf_view(&text), &csr, &err);
    if (files[_i].error != NULL) {
        ck_assert_msg(r == -EBADMSG && strstr(err.cause, files[_i].error) != NULL, "%s: %d '%s'", files[_i].file, r,
                      err.cause);
        ck_assert_str_eq(csr.common_name, "untouched");
        return;
    }
    ck_assert_msg(r == 0, "%s: %s", files[_i].file, err.cause);
    ck_assert_str_eq(csr.common_name, "holdfast:agent:n1");
    ck_assert_str_eq(csr.organizations[0], "holdfast:agents");
    ck_assert_int_eq(csr.key, files[_i].key);
}
END_TEST

START_TEST(both_organizations)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CSR_MAX_BYTES), one = HF_BUF_INIT(HF_CSR_MAX_BYTES);
    struct hf_csr csr;

    load("p256.pem", &text);
    ck_assert_int_eq(hf_csr_parse(hf_buf_view(&text), &csr, NULL), 0);
    ck_assert_str_eq(csr.organizations[1], "holdfast:node-uid:7d1f4c1e-2a58-4b6e-9f0a-0c5d3c1b9a11");
    load("name-only.pem", &one);
    ck_assert_int_eq(hf_csr_parse(hf_buf_view(&one), &csr, NULL), 0);
    ck_assert_str_eq(csr.organizations[1], "");
}
END_TEST

/* No changed byte of the content passes, because the signature covers it; only line breaks are not covered. */
START_TEST(changed_bytes)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CSR_MAX_BYTES);
    struct hf_csr csr;

    load("p256.pem", &text);
    for (size_t i = 0; i < text.n - 1; i++) {
        char before = text.p[i];
        if (before == '=')
            continue;
        text.p[i] = before == 'A' ? 'B' : 'A';
        ck_assert_msg(hf_csr_parse(hf_buf_view(&text), &csr, NULL) == -EBADMSG, "byte %zu", i);
        text.p[i] = before;
    }
    ck_assert_int_eq(hf_csr_parse(hf_buf_view(&text), &csr, NULL), 0);
}
END_TEST

static const struct {
    const char *before, *after, *error;
} frames[] = {
    {"x", "", "is not PEM"},
    {"\n", "", "is not PEM"},
    {"", "x", "does not end"},
    {"", "\n", "does not end"},
    {"-----BEGIN CERTIFICATE REQUEST-----\n", "", "not base64"},
};

START_TEST(one_block_and_nothing_else)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CSR_MAX_BYTES),
                                         framed = HF_BUF_INIT(2 * HF_CSR_MAX_BYTES);
    struct hf_csr csr;
    struct hf_err err = HF_ERR_INIT;

    load("p256.pem", &text);
    ck_assert_int_eq(hf_buf_addf(&framed, "%s%s%s", frames[_i].before, hf_buf_str(&text), frames[_i].after), 0);
    ck_assert_int_eq(hf_csr_parse(hf_buf_view(&framed), &csr, &err), -EBADMSG);
    ck_assert_msg(strstr(err.cause, frames[_i].error) != NULL, "'%s'", err.cause);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, file, 0, HF_LEN(files));
    tcase_add_test(tc, both_organizations);
    tcase_add_test(tc, changed_bytes);
    tcase_add_loop_test(tc, one_block_and_nothing_else, 0, HF_LEN(frames));
}

HF_TEST_MAIN("trust/csr_parse", cases)
