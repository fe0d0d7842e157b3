/* SPDX-License-Identifier: Apache-2.0 */
/* The table of a client certificate's renewal, and its date. */
#include "sync/renewal.h"

#include <string.h>

#include "base/clock.h"
#include "support/check_main.h"
#include "support/golden.h"

static const char *const state_names[HF_RENEWAL_STATES] = {
    [HF_RENEWAL_CURRENT] = "Current", [HF_RENEWAL_KEY] = "Key",     [HF_RENEWAL_REQUEST] = "Request",
    [HF_RENEWAL_ISSUE] = "Issue",     [HF_RENEWAL_STORE] = "Store", [HF_RENEWAL_PAUSE] = "Pause",
};

static const char *const event_names[HF_RENEWAL_EVENTS] = {
    [HF_RENEWAL_DUE] = "Due",         [HF_RENEWAL_LOST] = "Lost",       [HF_RENEWAL_DONE] = "Done",
    [HF_RENEWAL_PENDING] = "Pending", [HF_RENEWAL_ABSENT] = "Absent",   [HF_RENEWAL_DENIED] = "Denied",
    [HF_RENEWAL_REFUSED] = "Refused", [HF_RENEWAL_ANOTHER] = "Another", [HF_RENEWAL_BAD] = "Bad",
    [HF_RENEWAL_FAILED] = "Failed",
};

static const char *const action_names[HF_RENEWAL_ACTIONS] = {
    [HF_RENEWAL_DO_NOTHING] = "-", [HF_RENEWAL_MAKE_KEY] = "make key", [HF_RENEWAL_CREATE] = "create",
    [HF_RENEWAL_READ] = "read",    [HF_RENEWAL_SAVE] = "save",         [HF_RENEWAL_DROP_KEY] = "drop key",
    [HF_RENEWAL_USE] = "use",
};

static const char *const delay_names[] = {
    [HF_RENEWAL_NEVER] = "never", [HF_RENEWAL_POLL] = "poll",       [HF_RENEWAL_SHORT] = "short",
    [HF_RENEWAL_LONG] = "long",   [HF_RENEWAL_AT_DATE] = "at date",
};

static int print(struct hf_buf *out)
{
    for (unsigned state = 0; state < HF_RENEWAL_STATES; state++) {
        int r = hf_buf_addf(out, "%s\n", state_names[state]);
        for (unsigned event = 0; r == 0 && event < HF_RENEWAL_EVENTS; event++) {
            struct hf_renewal_move move = hf_renewal_move((enum hf_renewal_state)state, (enum hf_renewal_event)event);
            if (move.known)
                r = hf_buf_addf(out, "  %-8s %-8s %-9s %s\n", event_names[event], state_names[move.next],
                                action_names[move.action], delay_names[move.delay]);
            else
                r = hf_buf_addf(out, "  %-8s .\n", event_names[event]);
        }
        if (r < 0)
            return r;
    }
    return 0;
}

#define DAY (24 * 3600 * HF_NS_PER_S)

START_TEST(table)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 16);

    ck_assert_int_eq(print(&text), 0);
    ck_assert(hf_golden("renewal.txt", hf_buf_view(&text)));
}
END_TEST

/* Every state that starts no action and waits for no answer has a delay: nothing hangs. Numbers beyond the enums: no
 * read past the table. */
START_TEST(cells)
{
    for (unsigned state = 0; state <= HF_RENEWAL_STATES; state++) {
        for (unsigned event = 0; event <= HF_RENEWAL_EVENTS; event++) {
            struct hf_renewal_move move = hf_renewal_move((enum hf_renewal_state)state, (enum hf_renewal_event)event);
            ck_assert(!move.known || (state < HF_RENEWAL_STATES && event < HF_RENEWAL_EVENTS));
            bool answers = move.action == HF_RENEWAL_MAKE_KEY || move.action == HF_RENEWAL_CREATE ||
                           move.action == HF_RENEWAL_READ || move.action == HF_RENEWAL_SAVE;
            ck_assert_msg(!move.known || answers == (move.delay == HF_RENEWAL_NEVER), "state %u, event %u", state,
                          event);
            /* After a denial the key is never used again: its request stays denied. */
            ck_assert(!move.known || event != HF_RENEWAL_DENIED || move.action == HF_RENEWAL_DROP_KEY);
        }
    }
    for (unsigned state = 0; state < HF_RENEWAL_STATES; state++) /* a delay ends in a move */
        ck_assert(hf_renewal_move((enum hf_renewal_state)state, HF_RENEWAL_DUE).known || state == HF_RENEWAL_STORE);
}
END_TEST

static const struct {
    uint64_t before, after, received;
    uint32_t jitter;
    uint64_t low, high;
} dates[] = {
    {100 * DAY, 130 * DAY, 100 * DAY, 0, 117 * DAY - 1000, 117 * DAY},
    {100 * DAY, 130 * DAY, 100 * DAY, UINT32_MAX, 123 * DAY - 1000, 123 * DAY},
    {100 * DAY, 130 * DAY, 100 * DAY, UINT32_MAX / 2, 120 * DAY - DAY / 1000, 120 * DAY + DAY / 1000},
    {100 * DAY, 130 * DAY, 120 * DAY, UINT32_MAX / 2, 126 * DAY, 127 * DAY}, /* the signer dated it back */
    {100 * DAY, 130 * DAY, 5 * DAY, 0, 117 * DAY - 1000, 117 * DAY},         /* a clock in the past */
    {100 * DAY, 130 * DAY, 200 * DAY, 0, 117 * DAY - 1000, 117 * DAY},       /* a clock in the future */
    {100 * DAY, 3750 * DAY, 100 * DAY, 0, 117 * DAY - 1000, 117 * DAY},      /* a generous signer */
    {100 * DAY, UINT64_MAX, 100 * DAY, UINT32_MAX, 123 * DAY - 1000, 123 * DAY},
    {100 * DAY, 100 * DAY, 100 * DAY, UINT32_MAX, 100 * DAY, 100 * DAY},
    {100 * DAY, 50 * DAY, 60 * DAY, UINT32_MAX, 50 * DAY, 50 * DAY}, /* dates that make no sense */
};

START_TEST(date)
{
    uint64_t got = hf_renewal_date(dates[_i].before, dates[_i].after, dates[_i].received, dates[_i].jitter);

    ck_assert_msg(got >= dates[_i].low && got <= dates[_i].high, "row %d: day %.3f", _i, (double)got / (double)DAY);
}
END_TEST

START_TEST(troubles)
{
    ck_assert_str_eq(hf_renewal_trouble_reason(HF_RENEWAL_NO_TROUBLE), "");
    ck_assert_str_eq(hf_renewal_trouble_reason(HF_RENEWAL_TROUBLES), "");
    ck_assert_str_eq(hf_renewal_trouble_advice(HF_RENEWAL_TROUBLES), "");
    for (unsigned trouble = 1; trouble < HF_RENEWAL_TROUBLES; trouble++) {
        ck_assert_uint_gt(strlen(hf_renewal_trouble_reason((enum hf_renewal_trouble)trouble)), 3);
        ck_assert_uint_gt(strlen(hf_renewal_trouble_advice((enum hf_renewal_trouble)trouble)), 30);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, table);
    tcase_add_test(tc, cells);
    tcase_add_test(tc, troubles);
    tcase_add_loop_test(tc, date, 0, (int)HF_LEN(dates));
}

HF_TEST_MAIN("sync/renewal", cases)
