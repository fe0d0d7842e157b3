#include "sync/hold.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

#define NOW (1795161600ull * HF_NS_PER_S) /* 2026-11-20T08:00:00Z */
#define HOUR (3600 * HF_NS_PER_S)

static const struct {
    const char *text;
    int want_r;
    bool want_active; /* at NOW */
    uint64_t want_end;
    const char *want_reason;
} holds[] = {
    {"{\"reason\":\"line 3\",\"since\":\"2026-11-20T07:00:00Z\",\"until\":\"2026-11-20T09:00:00Z\"}", 0, true,
     NOW + HOUR, "line 3"},
    {"{\"reason\":\"line 3\",\"since\":\"2026-11-20T07:00:00Z\"}", 0, true, NOW - HOUR + HF_HOLD_MAX_NS, "line 3"},
    {"{\"since\":\"2026-11-20T07:00:00Z\",\"until\":\"2030-01-01T00:00:00Z\"}", 0, true, NOW - HOUR + HF_HOLD_MAX_NS,
     ""},
    {"{\"reason\":\"over\",\"since\":\"2026-11-20T06:00:00Z\",\"until\":\"2026-11-20T08:00:00Z\"}", 0, false, NOW,
     "over"},
    {"{\"reason\":\"forgotten\",\"since\":\"2026-11-01T00:00:00Z\"}", 0, false,
     1793491200ull * HF_NS_PER_S + HF_HOLD_MAX_NS, "forgotten"},
    {"{}", 0, true, HF_NEVER, ""},
    {"{\"reason\":\"two\\nlines\",\"until\":\"\"}", 0, true, HF_NEVER, "two lines"},
    {"", -EBADMSG, true, HF_NEVER, "the hold file cannot be read"},
    {"stop", -EBADMSG, true, HF_NEVER, "the hold file cannot be read"},
    {"[1]", -EBADMSG, true, HF_NEVER, "the hold file cannot be read"},
    {"{\"until\":\"tomorrow\"}", -EBADMSG, true, HF_NEVER, "the hold file cannot be read"},
    {"{\"since\":\"1.1.2026\"}", -EBADMSG, true, HF_NEVER, "the hold file cannot be read"},
};

START_TEST(parse)
{
    struct hf_hold hold = {0};
    uint64_t end = 0;
    int r = hf_hold_parse(hf_view_of(holds[_i].text), &hold, NULL);
    bool active = hf_hold_active(&hold, NOW, &end);

    ck_assert_msg(r == holds[_i].want_r && active == holds[_i].want_active, "%s: r=%d active=%d", holds[_i].text, r,
                  active);
    ck_assert_msg(end == holds[_i].want_end, "%s: end %llu", holds[_i].text, (unsigned long long)end);
    ck_assert_str_eq(hold.reason, holds[_i].want_reason);
}
END_TEST

/* Only a file that does not exist is no hold. */
static const struct {
    int r;
    bool want_present;
    int want_r;
} reads[] = {{-ENOENT, false, 0},      {-EIO, true, -EIO},       {-EMFILE, true, -EMFILE},
             {-ENOMEM, true, -ENOMEM}, {-ELOOP, true, -ELOOP},   {-EINVAL, true, -EINVAL},
             {-E2BIG, true, -E2BIG},   {-EACCES, true, -EACCES}, {0, true, 0}};

START_TEST(unreadable)
{
    struct hf_hold hold = {0};
    uint64_t end = 0;
    int r = hf_hold_take(reads[_i].r, reads[_i].r == 0 ? HF_VIEW("{}") : HF_VIEW(""), &hold, NULL);

    ck_assert_msg(r == reads[_i].want_r && hold.present == reads[_i].want_present, "%d: %d %d", reads[_i].r, r,
                  hold.present);
    ck_assert(hf_hold_active(&hold, NOW, &end) == reads[_i].want_present);
    ck_assert_str_eq(hold.reason, reads[_i].r == 0 || !hold.present ? "" : "the hold file cannot be read");
}
END_TEST

START_TEST(no_hold)
{
    struct hf_hold hold = {0};
    uint64_t end = 0;

    ck_assert(!hf_hold_active(&hold, NOW, &end));
    ck_assert_uint_eq(end, HF_NEVER);
}
END_TEST

/* Cut in the middle of a character: the whole character goes. */
START_TEST(long_reason)
{
    char text[512] = "{\"reason\":\"";
    struct hf_hold hold;

    for (int i = 0; i < 100; i++)
        (void)strncat(text, "\xc3\xa4", 3);
    (void)strncat(text, "\"}", 3);
    ck_assert_int_eq(hf_hold_parse(hf_view_of(text), &hold, NULL), 0);
    ck_assert_uint_eq(strlen(hold.reason), 126);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, parse, 0, HF_LEN(holds));
    tcase_add_loop_test(tc, unreadable, 0, HF_LEN(reads));
    tcase_add_test(tc, no_hold);
    tcase_add_test(tc, long_reason);
}

HF_TEST_MAIN("sync/hold", cases)
