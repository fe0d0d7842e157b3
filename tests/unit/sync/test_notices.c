/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of notices and its pace; which ends of releases are news. */
#include "sync/notices.h"

#include <stdio.h>
#include <string.h>

#include "support/check_main.h"
#include "sync/outcomes.h"

#define S HF_NS_PER_S

static struct hf_notices q;

static void add(const char *text)
{
    hf_notices_add(&q, HF_NOTICE_COMMITTED, 1, text);
}

static void begin(void)
{
    hf_notices_done(&q);
}

START_TEST(in_order)
{
    begin();
    ck_assert_uint_eq(hf_notices_due_ns(&q), HF_NEVER);
    add("a");
    add("b");
    ck_assert_uint_le(hf_notices_due_ns(&q), 100 * S);
    ck_assert_str_eq(hf_notices_begin(&q, 100 * S)->text, "a");
    ck_assert_uint_eq(hf_notices_due_ns(&q), HF_NEVER); /* one at a time */
    hf_notices_end(&q, HF_NOTICES_LATER, 5 * S, 100 * S);
    ck_assert_uint_eq(hf_notices_due_ns(&q), 105 * S);
    ck_assert_str_eq(hf_notices_begin(&q, 105 * S)->text, "a"); /* the same one again */
    hf_notices_end(&q, HF_NOTICES_SENT, 0, 105 * S);
    const struct hf_notice *second = hf_notices_begin(&q, 105 * S);
    ck_assert_str_eq(second->text, "b");
    ck_assert_uint_eq(second->number, 2);
    hf_notices_end(&q, HF_NOTICES_REFUSED, 600 * S, 105 * S);
    ck_assert_uint_eq(q.n, 0);
    ck_assert_uint_eq(q.dropped, 1);
    add("c");
    ck_assert_uint_eq(hf_notices_due_ns(&q), 705 * S);
}
END_TEST

/* The oldest one goes, but not the one that is being sent. */
START_TEST(bounded)
{
    char text[16];
    bool sending = _i == 1;

    begin();
    for (int i = 0; i < HF_NOTICES_MAX; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        add(text);
    }
    const struct hf_notice *notice = sending ? hf_notices_begin(&q, 0) : NULL;
    for (int i = 0; i < 3; i++)
        add("more");
    ck_assert_uint_eq(q.n, HF_NOTICES_MAX);
    ck_assert_uint_eq(q.dropped, 3);
    ck_assert_uint_eq(q.added, HF_NOTICES_MAX + 3);
    if (notice != NULL) {
        ck_assert_str_eq(notice->text, "0");
        hf_notices_end(&q, HF_NOTICES_SENT, 0, 0);
        ck_assert_str_eq(hf_notices_begin(&q, 0)->text, "4");
    } else {
        ck_assert_str_eq(hf_notices_begin(&q, 0)->text, "3");
    }
}
END_TEST

/* A burst, then one a minute; a quiet hour fills the bucket and no more. */
START_TEST(pace)
{
    uint64_t now = 1000 * S;
    unsigned sent = 0;

    begin();
    for (uint64_t end = now + 3600 * S; now < end; now += S) {
        while (q.n < 2)
            add("x");
        while (hf_notices_due_ns(&q) <= now) {
            (void)hf_notices_begin(&q, now);
            hf_notices_end(&q, HF_NOTICES_SENT, 0, now);
            sent++;
            while (q.n < 2)
                add("x");
        }
        ck_assert_uint_le(sent, HF_NOTICES_BURST + (now - 1000 * S) / HF_NOTICES_TOKEN_NS);
    }
    ck_assert_uint_eq(sent, HF_NOTICES_BURST + 59);
    now += 24 * 3600 * S;
    for (sent = 0; hf_notices_due_ns(&q) <= now; sent++) {
        (void)hf_notices_begin(&q, now);
        hf_notices_end(&q, HF_NOTICES_SENT, 0, now);
        add("x");
    }
    ck_assert_uint_eq(sent, HF_NOTICES_BURST);
}
END_TEST

/* A long text is cut between two characters. */
START_TEST(long_text)
{
    char text[2000];
    size_t n = 0;

    begin();
    while (n + 3 < sizeof(text)) {
        memcpy(text + n, "\xe2\x82\xac", 3);
        n += 3;
    }
    text[n] = '\0';
    add(text);
    const struct hf_notice *notice = hf_notices_begin(&q, 0);
    ck_assert_uint_eq(strlen(notice->text), (HF_NOTICES_TEXT - 1) / 3 * 3);
}
END_TEST

START_TEST(reasons)
{
    for (enum hf_notice_reason i = HF_NOTICE_COMMITTED; i < HF_NOTICE_REASONS; i++) {
        ck_assert_str_ne(hf_notice_reason_name(i), "");
        ck_assert_str_ne(hf_notice_action(i), "");
    }
    ck_assert(hf_notice_is_warning(HF_NOTICE_ROLLED_BACK) && !hf_notice_is_warning(HF_NOTICE_COMMITTED));
}
END_TEST

/* ---- outcomes ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *digest;
    enum hf_phase phase;
    enum hf_notice_reason want;
} looks[] = {
    /* on the disk from an earlier process */
    {"old", "1111111111111111", HF_PHASE_COMMITTED, HF_NOTICE_NONE},
    {"bad", "2222222222222222", HF_PHASE_REJECTED, HF_NOTICE_NONE},
    {"busy", "3333333333333333", HF_PHASE_PROBATION, HF_NOTICE_NONE},
    {NULL, NULL, 0, 0},
    {"busy", "3333333333333333", HF_PHASE_COMMITTED, HF_NOTICE_COMMITTED}, /* begun by the process before */
    {"old", "1111111111111111", HF_PHASE_COMMITTED, HF_NOTICE_NONE},
    {"bad", "2222222222222222", HF_PHASE_REJECTED, HF_NOTICE_NONE},
    {NULL, NULL, 0, 0},
    {"old", "1111111111111111", HF_PHASE_WAITING, HF_NOTICE_NONE}, /* a repair */
    {"bad", "2222222222222222", HF_PHASE_WAITING, HF_NOTICE_NONE},
    {"new", "4444444444444444", HF_PHASE_REJECTED, HF_NOTICE_REJECTED}, /* seen for the first time at its end */
    {NULL, NULL, 0, 0},
    {"old", "1111111111111111", HF_PHASE_COMMITTED, HF_NOTICE_NONE},
    {"bad", "2222222222222222", HF_PHASE_COMMITTED, HF_NOTICE_COMMITTED}, /* somebody added the key */
    {"new", "5555555555555555", HF_PHASE_ROLLED_BACK, HF_NOTICE_ROLLED_BACK},
    {NULL, NULL, 0, 0},
    {"old", "6666666666666666", HF_PHASE_REJECTED, HF_NOTICE_REJECTED},
    {"bad", "2222222222222222", HF_PHASE_COMMITTED, HF_NOTICE_NONE},
    {"new", "", HF_PHASE_COMMITTED, HF_NOTICE_NONE},
    {NULL, NULL, 0, 0},
    {"old", "1111111111111111", HF_PHASE_COMMITTED, HF_NOTICE_NONE}, /* a repair behind the rejected one */
    {NULL, NULL, 0, 0},
};

START_TEST(outcomes)
{
    struct hf_outcomes seen;
    uint64_t now = 100 * S;

    hf_outcomes_init(&seen);
    hf_outcomes_begin(&seen);
    for (size_t i = 0; i < HF_LEN(looks); i++) {
        if (looks[i].name == NULL) {
            hf_outcomes_end(&seen);
            hf_outcomes_begin(&seen);
            continue;
        }
        struct hf_update_status status = {.name = looks[i].name, .digest = looks[i].digest, .phase = looks[i].phase};
        now += HF_OUTCOMES_STEADY_NS;
        enum hf_notice_reason reason = hf_outcomes_see(&seen, &status, now);
        if (looks[i].want == HF_NOTICE_REJECTED) { /* young at first */
            ck_assert_int_eq(reason, HF_NOTICE_NONE);
            ck_assert_uint_eq(seen.look_again_ns, now + HF_OUTCOMES_STEADY_NS);
            now += HF_OUTCOMES_STEADY_NS;
            reason = hf_outcomes_see(&seen, &status, now);
        }
        ck_assert_msg(reason == looks[i].want, "row %zu: %s", i, looks[i].name);
    }
    hf_outcomes_end(&seen);
    ck_assert_uint_eq(seen.releases.n, 0); /* the last look saw none */
    hf_outcomes_done(&seen);
}
END_TEST

/* A replay of old versions: the last one is what was rejected before. */
START_TEST(a_replay_is_no_news)
{
    static const char *const digests[] = {"4444444444444444", "3333333333333333", "4444444444444444"};
    struct hf_outcomes seen;

    hf_outcomes_init(&seen);
    for (size_t i = 0; i < 5; i++) {
        struct hf_update_status status = {
            .name = "r", .digest = digests[HF_MIN(i, HF_LEN(digests) - 1)], .phase = HF_PHASE_REJECTED};
        hf_outcomes_begin(&seen);
        ck_assert_int_eq(hf_outcomes_see(&seen, &status, 100 * S + i * 2 * S), HF_NOTICE_NONE);
        hf_outcomes_end(&seen);
    }
    ck_assert_uint_eq(seen.look_again_ns, HF_NEVER);
    hf_outcomes_done(&seen);
}
END_TEST

static void teardown(void)
{
    hf_notices_done(&q);
}

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, NULL, teardown);
    tcase_add_test(tc, in_order);
    tcase_add_loop_test(tc, bounded, 0, 2);
    tcase_add_test(tc, pace);
    tcase_add_test(tc, long_text);
    tcase_add_test(tc, reasons);
    tcase_add_test(tc, outcomes);
    tcase_add_test(tc, a_replay_is_no_news);
}

HF_TEST_MAIN("sync/notices", cases)
