/* SPDX-License-Identifier: Apache-2.0 */
/* Why contact is lost: one word for each code. */
#include "sync/contact_reason.h"

#include <errno.h>
#include <string.h>

#include "kube/rules/reflector.h"
#include "support/check_main.h"

static const struct {
    int code;
    const char *name;
} rows[] = {
    {EDESTADDRREQ, "DnsFailed"},    {ECONNREFUSED, "ConnectionRefused"},
    {EHOSTUNREACH, "NoRoute"},      {ENETUNREACH, "NoRoute"},
    {ENETDOWN, "NoRoute"},          {ETIMEDOUT, "Timeout"},
    {EPIPE, "ConnectionBroken"},    {ECONNRESET, "ConnectionBroken"},
    {EPROTO, "ConnectionBroken"},   {EKEYREJECTED, "CertificateRejected"},
    {ENOLINK, "AnsweredFromCache"}, {EREMCHG, "CaptivePortal"},
    {ECONNABORTED, "ProxyRefused"}, {EPERM, "Unauthorized"},
    {EACCES, "Forbidden"},          {EBUSY, "ServerError"},
    {ENOENT, "ServerError"},        {EBADMSG, "ServerError"},
};

START_TEST(code)
{
    const struct hf_err err = {.code = rows[_i].code};

    ck_assert_str_eq(hf_contact_reason_name(hf_contact_reason_of(&err)), rows[_i].name);
}
END_TEST

static const struct {
    int status;
    const char *name;
} statuses[] = {
    {301, "CaptivePortal"}, {302, "CaptivePortal"}, {307, "CaptivePortal"}, {511, "CaptivePortal"},
    {401, "Unauthorized"},  {403, "Forbidden"},     {407, "ProxyRefused"},  {404, "ServerError"},
    {410, "ServerError"},   {429, "ServerError"},   {500, "ServerError"},   {503, "ServerError"},
};

START_TEST(status)
{
    const struct hf_err err = {.code = hf_kube_status_errno(statuses[_i].status)};

    ck_assert_msg(strcmp(hf_contact_reason_name(hf_contact_reason_of(&err)), statuses[_i].name) == 0, "%d",
                  statuses[_i].status);
}
END_TEST

START_TEST(texts)
{
    ck_assert_ptr_null(hf_contact_reason_name(HF_CONTACT_REASON_NONE));
    ck_assert_str_eq(hf_contact_reason_remedy(HF_CONTACT_REASON_NONE), "");
    for (enum hf_contact_reason r = HF_CONTACT_REASON_NONE + 1; r < HF_CONTACT_REASON_COUNT; r++) {
        ck_assert_uint_gt(strlen(hf_contact_reason_name(r)), 0);
        ck_assert_uint_lt(strlen(hf_contact_reason_name(r)), 64); /* maxLength in the CRD */
        ck_assert_uint_gt(strlen(hf_contact_reason_remedy(r)), 20);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, code, 0, HF_LEN(rows));
    tcase_add_loop_test(tc, status, 0, HF_LEN(statuses));
    tcase_add_test(tc, texts);
}
HF_TEST_MAIN("sync/contact_reason", cases)
