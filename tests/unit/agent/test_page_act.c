/* SPDX-License-Identifier: Apache-2.0 */
/* What the body of an act makes of itself, and who guesses tokens. */
#include "agent/page/act.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "support/check_main.h"

static const struct {
    const char *body;
    const char *command; /* NULL: refused */
} bodies[] = {
    {"{\"act\":\"Hold\",\"reason\":\"x\"}", "sudo holdfast hold --reason=x --state-dir=/s"},
    {"{\"act\":\"Hold\",\"reason\":\"line 3's\",\"for\":\"8h\"}",
     "sudo holdfast hold '--reason=line 3'\\''s' --for=8h --state-dir=/s"},
    {"{\"act\":\"Hold\",\"reason\":\"--release\"}", "sudo holdfast hold --reason=--release --state-dir=/s"},
    {"{\"act\":\"Release\",\"confirmed\":false}", "sudo holdfast hold --release --state-dir=/s"},
    {"{\"act\":\"Retry\"}", "sudo systemctl kill --signal=HUP holdfast-agent"},
    {"{\"act\":\"RollBack\",\"release\":\"app\",\"reason\":\"x\"}",
     "sudo holdfast rollback --local --reason=x --state-dir=/s -- app"},
    {"{\"act\":\"Undo\",\"release\":\"app-1.2\"}", "sudo holdfast rollback --local --undo --state-dir=/s -- app-1.2"},
    {"{\"act\":\"Verify\"}", "sudo holdfast node journal --verify --state-dir=/s"},
    {"{\"act\":\"Support\"}", "sudo holdfast support --out=- --state-dir=/s --run-dir=/r"},
    {"{}", NULL},
    {"[]", NULL},
    {"", NULL},
    {"{\"act\":\"hold\",\"reason\":\"x\"}", NULL},
    {"{\"act\":\"Hold\"}", NULL},
    {"{\"act\":\"Hold\",\"reason\":\"\"}", NULL},
    {"{\"act\":\"Hold\",\"reason\":\"a\\nb\"}", NULL},
    {"{\"act\":\"Hold\",\"reason\":\"\\u0000\"}", NULL},
    {"{\"act\":\"Hold\",\"reason\":\"\\u007f\"}", NULL},
    {"{\"act\":\"Hold\",\"reason\":\"x\",\"for\":\"0s\"}", NULL},
    {"{\"act\":\"Hold\",\"reason\":\"x\",\"for\":\"soon\"}", NULL},
    {"{\"act\":\"Hold\",\"reason\":\"x\",\"release\":\"app\"}", NULL},
    {"{\"act\":\"Hold\",\"reason\":\"x\",\"confirmed\":1}", NULL},
    {"{\"act\":\"Release\",\"reason\":\"x\"}", NULL},
    {"{\"act\":\"Undo\"}", NULL},
    {"{\"act\":\"Undo\",\"release\":\"-x\"}", NULL},
    {"{\"act\":\"Undo\",\"release\":\"a/b\"}", NULL},
    {"{\"act\":\"Undo\",\"release\":\"A\"}", NULL},
    {"{\"act\":\"RollBack\",\"release\":\"app\"}", NULL},
    {"{\"act\":\"Shell\"}", NULL},
    {"{\"act\":\"Verify\",\"argv\":[\"/bin/sh\"]}", NULL},
};

START_TEST(each_body)
{
    char text[HF_PAGE_ACT_COMMAND];
    struct hf_err err = HF_ERR_INIT;
    struct hf_page_act act;
    int r = hf_page_act_parse(hf_view_of(bodies[_i].body), "/s", "/r", &act, &err);

    if (bodies[_i].command == NULL) {
        ck_assert_msg(r == -EBADMSG && err.cause[0] != '\0', "%s: %d", bodies[_i].body, r);
        return;
    }
    ck_assert_msg(r == 0 && !act.confirmed, "%s: %s", bodies[_i].body, err.cause);
    ck_assert_str_eq(hf_page_act_command(&act, text, sizeof(text)), bodies[_i].command);
    ck_assert_uint_eq(strlen(hf_page_act_command(&act, text, 8)), 7);
}
END_TEST

START_TEST(bounds)
{
    char body[2000], reason[300];
    struct hf_page_act act;

    for (size_t n = 126; n <= 129; n++) {
        memset(reason, 'x', n);
        reason[n] = '\0';
        (void)snprintf(body, sizeof(body), "{\"act\":\"Hold\",\"confirmed\":true,\"reason\":\"%s\"}", reason);
        ck_assert_int_eq(hf_page_act_parse(hf_view_of(body), "/s", "/r", &act, NULL), n <= 127 ? 0 : -EBADMSG);
        ck_assert(n > 127 || act.confirmed);
    }
    memset(body, ' ', sizeof(body));
    memcpy(body, "{\"act\":\"Verify\"}", 16);
    ck_assert_int_eq(hf_page_act_parse((struct hf_view){body, HF_PAGE_ACT_MAX_BYTES}, "/s", "/r", &act, NULL), 0);
    ck_assert_int_eq(hf_page_act_parse((struct hf_view){body, HF_PAGE_ACT_MAX_BYTES + 1}, "/s", "/r", &act, NULL),
                     -EBADMSG);
    memset(body, 'd', 600); /* a folder that does not fit is no shorter folder */
    body[600] = '\0';
    ck_assert_int_eq(hf_page_act_parse(HF_VIEW("{\"act\":\"Verify\"}"), body, "/r", &act, NULL), -EBADMSG);
}
END_TEST

START_TEST(who_guesses)
{
    struct hf_page_guesses guesses = {.of = {{.peer = 0}}};
    uint64_t now = 5;

    for (unsigned i = 0; i < HF_PAGE_GUESSES; i++, now += HF_NS_PER_S) {
        ck_assert(hf_page_guesses_may(&guesses, 7, now));
        hf_page_guesses_wrong(&guesses, 7, now);
    }
    ck_assert(!hf_page_guesses_may(&guesses, 7, now));
    ck_assert(hf_page_guesses_may(&guesses, 8, now)); /* one peer does not lock out another */
    ck_assert(hf_page_guesses_may(&guesses, 7, 60 * HF_NS_PER_S + 5));
    for (uint64_t peer = 100; peer < 200; peer++) /* more peers than places: the earliest ends first */
        hf_page_guesses_wrong(&guesses, peer, now);
    ck_assert(hf_page_guesses_may(&guesses, 8, now));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, each_body, 0, HF_LEN(bodies));
    tcase_add_test(tc, bounds);
    tcase_add_test(tc, who_guesses);
}
HF_TEST_MAIN("agent/page_act", cases)
