/* SPDX-License-Identifier: Apache-2.0 */
/* The pure machines: their tables as text, every cell walked, and what they promise beside their tables. */
#include <errno.h>
#include <stdlib.h>

#include "kube/rules/prober.h"
#include "kube/rules/pulse.h"
#include "kube/rules/reflector.h"
#include "support/check_main.h"
#include "support/golden.h"

static uint64_t middle(void *ctx)
{
    (void)ctx;
    return UINT64_MAX / 2;
}

static const struct hf_rand_ops rng = {.u64 = middle};

static const struct hf_rf_limits limits = {.retry_cap_ns = 30 * HF_NS_PER_S, .spread_ns = 10 * HF_NS_PER_S};

START_TEST(tables_are_as_reviewed)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(65536);

    ck_assert_int_eq(hf_reflector_print(&text), 0);
    ck_assert(hf_golden("kube_reflector.txt", hf_buf_view(&text)));
    hf_buf_clear(&text);
    ck_assert_int_eq(hf_prober_print(&text), 0);
    ck_assert(hf_golden("kube_prober.txt", hf_buf_view(&text)));
}
END_TEST

/* What must hold after any event in any state. */
START_TEST(every_cell)
{
    for (int state = 0; state < HF_RF_STATES; state++)
        for (int event = 0; event < HF_RF_EVENTS; event++)
            for (int meta = 0; meta < 2; meta++) {
                struct hf_rf_limits l = limits;
                struct hf_reflector rf = {.state = (enum hf_rf_state)state, .resting = HF_REST_LINK};
                l.only_watch = meta == 1;
                struct hf_rf_step step =
                    hf_reflector_step(&rf, (enum hf_rf_event)event, &l, 1000 * HF_NS_PER_S, 0, &rng);
                const char *where = hf_reflector_state_name((enum hf_rf_state)state),
                           *what = hf_reflector_event_name((enum hf_rf_event)event);
                if (!step.taken) {
                    ck_assert_msg(rf.state == (enum hf_rf_state)state && step.effects == 0, "%s %s", where, what);
                    continue;
                }
                bool resting = rf.state == HF_RF_RESTING_LIST || rf.state == HF_RF_RESTING_WATCH;
                unsigned calls = step.effects & (HF_RF_LIST | HF_RF_NEXT_PAGE | HF_RF_ASK | HF_RF_WATCH);
                ck_assert_msg(resting == (rf.resting != HF_REST_NONE), "%s %s: rests for a reason", where, what);
                ck_assert_msg(!resting || (step.effects & HF_RF_SET_TIMER) != 0, "%s %s: rests for ever", where, what);
                ck_assert_msg(!resting || calls == 0, "%s %s: rests and calls", where, what);
                ck_assert_msg(!resting || step.delay_ns <= HF_RF_SPREAD_MAX_NS, "%s %s: rests too long", where, what);
                ck_assert_msg((calls & (calls - 1)) == 0, "%s %s: two calls", where, what);
                ck_assert_msg(meta == 0 || (calls & (HF_RF_LIST | HF_RF_ASK)) == 0 || state == HF_RF_ASKING ||
                                  state == HF_RF_FILLING || state == HF_RF_LISTING,
                              "%s %s: lists behind a MetaServer", where, what);
                ck_assert_msg((step.effects & HF_RF_END_ROUND) == 0 || event == HF_RF_FILLED || event == HF_RF_LISTED,
                              "%s %s: ends a round", where, what);
            }
}
END_TEST

static struct hf_rf_step give(struct hf_reflector *rf, enum hf_rf_event event, uint64_t retry_after_s)
{
    return hf_reflector_step(rf, event, &limits, 1000 * HF_NS_PER_S, retry_after_s * HF_NS_PER_S, &rng);
}

START_TEST(rests)
{
    struct hf_reflector rf = {.state = HF_RF_WATCHING};

    /* The server asks for more than the cap: it is obeyed. */
    struct hf_rf_step step = give(&rf, HF_RF_BUSY, 120);
    ck_assert(rf.state == HF_RF_RESTING_WATCH && step.delay_ns >= 120 * HF_NS_PER_S);
    /* But a server that asks for a day silences the node for minutes only. */
    struct hf_reflector other = {.state = HF_RF_WATCHING};
    ck_assert_uint_le(give(&other, HF_RF_BUSY, 86400).delay_ns,
                      HF_RF_RETRY_AFTER_MAX_NS + HF_RF_RETRY_AFTER_MAX_NS / 5);
    /* And a nudge does not shorten what the server asked for. */
    ck_assert(!give(&rf, HF_RF_NUDGE, 0).taken);
    ck_assert(give(&rf, HF_RF_TIMER, 0).taken && rf.state == HF_RF_OPENING);
    /* In a large fleet a busy server gets time for all of it; in a small one nobody waits for others. */
    struct hf_rf_limits large = limits;
    large.spread_ns = 130 * HF_NS_PER_S;
    for (int i = 0; i < 2; i++) {
        struct hf_reflector busy = {.state = HF_RF_WATCHING};
        step = hf_reflector_step(&busy, HF_RF_BUSY, i == 0 ? &limits : &large, 1000 * HF_NS_PER_S, 0, &rng);
        ck_assert_uint_ge(step.delay_ns, i == 0 ? 0 : 15 * HF_NS_PER_S); /* the middle of 30 s */
        ck_assert_uint_le(step.delay_ns, i == 0 ? HF_NS_PER_S : 16 * HF_NS_PER_S);
    }
    /* Our own link: the first try is quick, later ones are not, none above the cap. */
    step = give(&rf, HF_RF_LINK_AWAY, 0);
    for (int i = 0; i < 40; i++) {
        (void)give(&rf, HF_RF_TIMER, 0);
        step = give(&rf, HF_RF_LINK_AWAY, 0);
    }
    ck_assert(step.delay_ns > 10 * HF_NS_PER_S && step.delay_ns <= limits.retry_cap_ns);
    ck_assert(give(&rf, HF_RF_NUDGE, 0).taken && rf.state == HF_RF_OPENING);
    /* Success forgets. */
    (void)give(&rf, HF_RF_ACCEPTED, 0);
    (void)give(&rf, HF_RF_TIMER, 0);
    step = give(&rf, HF_RF_LINK_AWAY, 0);
    ck_assert(step.delay_ns <= HF_NS_PER_S);
    /* Denied: once at once, then slowly. */
    rf = (struct hf_reflector){.state = HF_RF_OPENING};
    step = give(&rf, HF_RF_DENIED, 0);
    ck_assert(rf.state == HF_RF_OPENING &&
              (step.effects & (HF_RF_REAUTH | HF_RF_WATCH)) == (HF_RF_REAUTH | HF_RF_WATCH));
    for (int i = 0; i < 40; i++) {
        step = give(&rf, HF_RF_DENIED, 0);
        ck_assert_int_eq(rf.state, HF_RF_RESTING_WATCH);
        (void)give(&rf, HF_RF_TIMER, 0);
    }
    ck_assert(step.delay_ns > limits.retry_cap_ns && step.delay_ns <= HF_RF_DENIED_CAP_NS);
}
END_TEST

START_TEST(a_refused_watchlist_is_remembered)
{
    struct hf_reflector rf = {.state = HF_RF_IDLE};

    ck_assert((give(&rf, HF_RF_START, 0).effects & HF_RF_ASK) != 0);
    struct hf_rf_step step = give(&rf, HF_RF_REFUSED, 0);
    ck_assert(rf.state == HF_RF_LISTING && rf.no_watchlist && (step.effects & HF_RF_LIST) != 0);
    (void)give(&rf, HF_RF_LISTED, 0);
    (void)give(&rf, HF_RF_EXPIRED, 0);
    ck_assert((give(&rf, HF_RF_TIMER, 0).effects & HF_RF_LIST) != 0);
    /* One that never ends is given up in the same way. */
    rf = (struct hf_reflector){.state = HF_RF_FILLING};
    step = give(&rf, HF_RF_TIMER, 0);
    ck_assert(rf.state == HF_RF_LISTING && rf.no_watchlist);
    ck_assert_uint_eq(step.effects & (HF_RF_DROP_ROUND | HF_RF_BEGIN_ROUND), HF_RF_DROP_ROUND | HF_RF_BEGIN_ROUND);
    /* And one that is accepted and then broken off with an error, as over a store without progress notifications: not the first time,
     * which may be a server that comes up. */
    rf = (struct hf_reflector){.state = HF_RF_IDLE};
    (void)give(&rf, HF_RF_START, 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(rf.state, HF_RF_ASKING);
        (void)give(&rf, HF_RF_ACCEPTED, 0);
        (void)give(&rf, HF_RF_BUSY, 0);
        step = give(&rf, HF_RF_TIMER, 0);
    }
    ck_assert(rf.state == HF_RF_LISTING && (step.effects & HF_RF_LIST) != 0);
}
END_TEST

/* What a real kube-apiserver says while it comes up: nothing, 403 (its RBAC is not loaded), 429 (its storage is not),
 * 410 (its watch cache is younger than our mark). The long outage before must not make these rests long. */
START_TEST(a_server_that_comes_up)
{
    struct hf_reflector rf = {.state = HF_RF_WATCHING};
    uint64_t total = 0;

    for (int i = 0; i < 200; i++) {
        ck_assert_uint_le(give(&rf, i % 2 == 0 ? HF_RF_SERVER_AWAY : HF_RF_LINK_AWAY, 0).delay_ns, limits.retry_cap_ns);
        (void)give(&rf, HF_RF_TIMER, 0);
    }
    static const enum hf_rf_event says[] = {HF_RF_FORBIDDEN, HF_RF_BUSY, HF_RF_EXPIRED};
    for (size_t i = 0; i < HF_LEN(says); i++) {
        total += give(&rf, says[i], 0).delay_ns;
        (void)give(&rf, HF_RF_TIMER, 0);
    }
    ck_assert_msg(total < 5 * HF_NS_PER_S, "%ju ms", (uintmax_t)(total / HF_NS_PER_MS));
}
END_TEST

/* Accepted and taken back again, however: it rests, longer each time. */
START_TEST(taken_back)
{
    static const enum hf_rf_event ends[] = {HF_RF_DENIED, HF_RF_EXPIRED, HF_RF_BUSY, HF_RF_ENDED};

    for (size_t i = 0; i < HF_LEN(ends); i++) {
        struct hf_reflector rf = {.state = HF_RF_OPENING, .no_watchlist = true};
        uint64_t total = 0;
        for (int turn = 0; turn < 20; turn++) {
            (void)give(&rf, HF_RF_ACCEPTED, 0);
            struct hf_rf_step step = give(&rf, ends[i], 0);
            total += rf.resting != HF_REST_NONE ? step.delay_ns : 0;
            (void)give(&rf, HF_RF_TIMER, 0);
            if (rf.state == HF_RF_LISTING)
                (void)give(&rf, HF_RF_LISTED, 0);
        }
        ck_assert_msg(total > 100 * HF_NS_PER_S, "%s: %ju s", hf_reflector_event_name(ends[i]),
                      (uintmax_t)(total / HF_NS_PER_S));
    }
}
END_TEST

static const struct {
    int status;
    enum hf_rf_event want;
} statuses[] = {
    {400, HF_RF_REFUSED}, {401, HF_RF_DENIED},  {403, HF_RF_FORBIDDEN}, {404, HF_RF_MISSING},
    {410, HF_RF_EXPIRED}, {422, HF_RF_REFUSED}, {429, HF_RF_BUSY},      {500, HF_RF_BUSY},
    {503, HF_RF_BUSY},    {302, HF_RF_GARBAGE}, {204, HF_RF_GARBAGE},   {418, HF_RF_GARBAGE},
};

START_TEST(meanings)
{
    for (size_t i = 0; i < HF_LEN(statuses); i++)
        ck_assert_msg(hf_reflector_event_of_status(statuses[i].status) == statuses[i].want, "%d", statuses[i].status);
    ck_assert_int_eq(hf_reflector_event_of_error(-EHOSTUNREACH), HF_RF_LINK_AWAY);
    ck_assert_int_eq(hf_reflector_event_of_error(-ETIMEDOUT), HF_RF_LINK_AWAY);
    ck_assert_int_eq(hf_reflector_event_of_error(-ECONNREFUSED), HF_RF_SERVER_AWAY);
    ck_assert_int_eq(hf_reflector_event_of_error(-EPIPE), HF_RF_SERVER_AWAY);
    ck_assert_int_eq(hf_reflector_event_of_error(-EKEYREJECTED), HF_RF_DISTRUST);
    ck_assert_int_eq(hf_reflector_event_of_error(-E2BIG), HF_RF_GARBAGE);
}
END_TEST

static struct hf_prober_step probe(struct hf_prober *prober, enum hf_prober_event event, bool more, bool others)
{
    return hf_prober_step(prober, event, more, others, 30 * HF_NS_PER_S, &rng);
}

START_TEST(prober)
{
    struct hf_prober p = {.state = HF_PROBER_QUIET};

    ck_assert((probe(&p, HF_PROBER_WANT, true, true).effects & HF_PROBER_ASK) != 0);
    ck_assert_uint_eq(probe(&p, HF_PROBER_WANT, true, true).effects, 0); /* one at a time */
    struct hf_prober_step step = probe(&p, HF_PROBER_DOUBTFUL, true, true);
    ck_assert(p.state == HF_PROBER_RESTING && (step.effects & HF_PROBER_REPORT_LOST) != 0 && step.delay_ns > 0);
    ck_assert_uint_eq(probe(&p, HF_PROBER_WANT, true, true).effects, 0); /* its time comes */
    ck_assert((probe(&p, HF_PROBER_SIGN, true, true).effects & HF_PROBER_ASK) != 0);
    /* A sign while asking: if that answer is doubtful, the next is asked for soon. */
    (void)probe(&p, HF_PROBER_SIGN, true, true);
    ck_assert_uint_eq(probe(&p, HF_PROBER_DOUBTFUL, true, true).delay_ns, HF_NS_PER_S / 2);
    (void)probe(&p, HF_PROBER_TIMER, true, true);
    /* Proven after being away: everybody gets theirs. */
    step = probe(&p, HF_PROBER_PROVEN, false, true);
    ck_assert_uint_eq(step.effects & (HF_PROBER_WANT_OTHERS | HF_PROBER_ASK | HF_PROBER_REPORT_PROVEN),
                      HF_PROBER_WANT_OTHERS | HF_PROBER_ASK | HF_PROBER_REPORT_PROVEN);
    step = probe(&p, HF_PROBER_PROVEN, false, true);
    ck_assert(p.state == HF_PROBER_QUIET && (step.effects & HF_PROBER_ASK) == 0);
    ck_assert_uint_eq(probe(&p, HF_PROBER_SIGN, false, true).effects, 0); /* in contact already */
    for (int i = 0; i < 40; i++) {
        (void)probe(&p, HF_PROBER_WANT, true, true);
        (void)probe(&p, HF_PROBER_TIMER, true, true);
        step = probe(&p, HF_PROBER_DOUBTFUL, true, true);
        ck_assert_uint_le(step.delay_ns, 30 * HF_NS_PER_S);
    }
}
END_TEST

START_TEST(prober_barred)
{
    struct hf_prober p = {.state = HF_PROBER_QUIET};

    (void)probe(&p, HF_PROBER_WANT, true, true);
    /* The cloud answered, if only to refuse: it is there, and the others get their turn. */
    struct hf_prober_step step = probe(&p, HF_PROBER_BARRED, false, true);
    ck_assert_uint_eq(step.effects, HF_PROBER_REPORT_BARRED | HF_PROBER_WANT_OTHERS | HF_PROBER_ASK);
    ck_assert(p.state == HF_PROBER_ASKING && p.proven);
    /* The last of them served: no quiet while one is barred. */
    step = probe(&p, HF_PROBER_PROVEN, false, true);
    ck_assert_uint_eq(step.effects, HF_PROBER_REPORT_PROVEN | HF_PROBER_SET_TIMER);
    ck_assert(p.state == HF_PROBER_RESTING && step.delay_ns > 0);
    /* Another's want is heard at once: the cloud is there. */
    ck_assert_uint_eq(probe(&p, HF_PROBER_WANT, true, true).effects, HF_PROBER_ASK);
    step = probe(&p, HF_PROBER_PROVEN, false, true);
    ck_assert_uint_eq(step.effects, HF_PROBER_REPORT_PROVEN | HF_PROBER_SET_TIMER);
    /* The barred one is asked for again, about once a minute. */
    for (int i = 0; i < 20; i++) {
        ck_assert_uint_eq(probe(&p, HF_PROBER_TIMER, true, true).effects, HF_PROBER_WANT_BARRED | HF_PROBER_ASK);
        step = probe(&p, HF_PROBER_BARRED, false, true);
        ck_assert_uint_eq(step.effects, HF_PROBER_REPORT_BARRED | HF_PROBER_SET_TIMER);
        ck_assert(step.delay_ns >= 30 * HF_NS_PER_S && step.delay_ns <= 90 * HF_NS_PER_S);
    }
    (void)probe(&p, HF_PROBER_TIMER, true, true);
    step = probe(&p, HF_PROBER_PROVEN, false, true); /* the right was given */
    ck_assert(p.state == HF_PROBER_QUIET && step.effects == HF_PROBER_REPORT_PROVEN);
}
END_TEST

static uint64_t second(uint64_t s)
{
    return s * HF_NS_PER_S;
}

START_TEST(pulse)
{
    struct hf_pulse p = {.heard_ns = 0};

    ck_assert_uint_eq(hf_pulse_overdue_ns(&p), HF_NEVER);
    hf_pulse_heard(&p, second(1000));
    ck_assert_uint_eq(hf_pulse_overdue_ns(&p), second(1015)); /* learning */
    for (uint64_t t = 1000; t <= 1200; t += 25)
        hf_pulse_heard(&p, second(t));
    ck_assert_uint_eq(hf_pulse_overdue_ns(&p), second(1230)); /* the usual 25, and a margin */
    /* A pause that turned out harmless is usual from then on, for a while. */
    hf_pulse_answered(&p, second(1231));
    ck_assert_uint_eq(hf_pulse_overdue_ns(&p), second(1261));
    hf_pulse_heard(&p, second(1240));
    ck_assert_uint_eq(hf_pulse_overdue_ns(&p), second(1240 + 30));
    hf_pulse_heard(&p, second(1300));
    ck_assert_uint_eq(hf_pulse_overdue_ns(&p), second(1300 + 30)); /* never later than the cap */
    for (uint64_t t = 1305; t <= 4000; t += 10)
        hf_pulse_heard(&p, second(t));
    ck_assert_uint_eq(hf_pulse_overdue_ns(&p), second(4000 - 5 + 20)); /* not below the least */
    /* Without a rhythm five questions, then none. */
    hf_pulse_reset(&p);
    hf_pulse_heard(&p, second(10));
    uint64_t at = 0;
    for (int i = 0; i < HF_PULSE_QUESTIONS; i++) {
        ck_assert_uint_ne(hf_pulse_overdue_ns(&p), HF_NEVER);
        at = hf_pulse_overdue_ns(&p);
        hf_pulse_answered(&p, at);
    }
    ck_assert_uint_eq(hf_pulse_overdue_ns(&p), HF_NEVER);
    hf_pulse_heard(&p, at + second(3600));
    ck_assert_uint_eq(hf_pulse_overdue_ns(&p), HF_NEVER); /* an event an hour is no rhythm */
}
END_TEST

static void hear_for_minutes(struct hf_pulse *p, uint64_t from_s)
{
    for (uint64_t t = from_s; t <= from_s + 300; t += 60)
        hf_pulse_heard(p, second(t));
}

/* Cut at 20 s of silence: the second time in a row shows it, and it is not forgotten for a day. The answer to a
 * keep-alive probe (26 s) shows nothing. */
START_TEST(a_pulse_that_is_cut)
{
    struct hf_pulse p = {.heard_ns = 0};
    static const uint64_t silences[] = {20, 26, 26, 20, 8, 20, 33, 20, 21};

    for (size_t i = 0; i < HF_LEN(silences); i++) {
        hear_for_minutes(&p, 1000 * i + 1);
        ck_assert_uint_eq(hf_pulse_overdue_ns(&p), second(1000 * i + 301 + 30));
        hf_pulse_cut(&p, second(silences[i]));
        hf_pulse_reset(&p);
        hf_pulse_cut(&p, second(silences[i])); /* another watch */
    }
    hear_for_minutes(&p, 10000);
    ck_assert_uint_eq(hf_pulse_overdue_ns(&p), second(10300 + 16));
    hear_for_minutes(&p, 10000 + 86400);
    ck_assert_uint_eq(hf_pulse_overdue_ns(&p), HF_NEVER); /* after a pause of a day */
    hf_pulse_reset(&p);
    hear_for_minutes(&p, 11000 + 86400);
    ck_assert_uint_eq(hf_pulse_overdue_ns(&p), second(11300 + 86400 + 30));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, tables_are_as_reviewed);
    tcase_add_test(tc, every_cell);
    tcase_add_test(tc, rests);
    tcase_add_test(tc, a_refused_watchlist_is_remembered);
    tcase_add_test(tc, a_server_that_comes_up);
    tcase_add_test(tc, taken_back);
    tcase_add_test(tc, meanings);
    tcase_add_test(tc, prober);
    tcase_add_test(tc, prober_barred);
    tcase_add_test(tc, pulse);
    tcase_add_test(tc, a_pulse_that_is_cut);
}
HF_TEST_MAIN("kube/machines", cases)
