/* SPDX-License-Identifier: Apache-2.0 */
/* Every case of the decision: printed for review, and held against what must always be so. */
#include "base/buf.h"
#include "base/macros.h"
#include "supervisor/decision.h"
#include "support/check_main.h"
#include "support/golden.h"

/* A: healthy last; B: on trial; P: healthy before A; C: swapped in meanwhile. */
static const char *const currents[] = {"", "A", "B", "C", "P"}, *const goods[] = {"", "A"},
                         *const previouses[] = {"", "A", "P"}, *const verdicts[] = {"", "A", "B", "C", "P"},
                         *const rans[] = {"A", "B", "P"};

static bool is(const char *a, const char *b)
{
    return a != NULL && strcmp(a, b) == 0;
}

static void holds(const struct hf_supervisor_facts *f, const struct hf_supervisor_decision *d)
{
    bool any = f->current[0] != '\0' || f->good[0] != '\0' || f->previous[0] != '\0' || f->ran[0] != '\0';

    ck_assert(!any || d->start != NULL);
    ck_assert(d->start == NULL || d->start[0] != '\0');
    ck_assert(d->wait_s <= HF_HOST_WAIT_MAX_S);
    if (d->give_up != NULL) { /* only with somewhere to go, and by itself */
        ck_assert(!is(d->start, f->ran));
        ck_assert(is(f->current, f->ran) || f->current[0] == '\0');
        ck_assert(is(d->start, f->good) || is(d->start, f->previous));
        ck_assert(d->wait_s == 0);
    }
    /* What is not the program's fault changes nothing. */
    if ((f->event == HF_SUPERVISOR_LOCKED || f->event == HF_SUPERVISOR_NOT_STARTED ||
         f->event == HF_SUPERVISOR_RESTART) &&
        (is(f->current, f->ran) || f->current[0] == '\0'))
        ck_assert(is(d->start, f->ran) && d->wait_s >= 1 && !d->forget);
    /* The same program at once again would turn without end. */
    if (f->event != HF_SUPERVISOR_BEGIN && is(d->start, f->ran))
        ck_assert(d->wait_s >= 1);
}

/* "B+4": start B after 4 s; "A!Crashed": give up what ran, start A; "C?": forget the verdict on C. */
static void print(struct hf_buf *out, const struct hf_supervisor_decision *d)
{
    char cell[64], wait[16] = "";

    if (d->wait_s > 0)
        (void)snprintf(wait, sizeof(wait), "+%u", d->wait_s);
    (void)snprintf(cell, sizeof(cell), "%s%s%s%s%s", d->start != NULL ? d->start : "none", wait,
                   d->give_up != NULL ? "!" : "", d->give_up != NULL ? d->give_up : "", d->forget ? "?" : "");
    ck_assert(hf_buf_addf(out, " %-15s", cell) == 0);
}

static const struct {
    enum hf_supervisor_event event;
    unsigned ends;
} columns[] = {
    {HF_SUPERVISOR_NOT_EXECUTABLE, 1}, {HF_SUPERVISOR_ENDED, 1},   {HF_SUPERVISOR_ENDED, 2},
    {HF_SUPERVISOR_ENDED, 3},          {HF_SUPERVISOR_ENDED, 5},   {HF_SUPERVISOR_ENDED, 99},
    {HF_SUPERVISOR_HUNG, 1},           {HF_SUPERVISOR_HUNG, 5},    {HF_SUPERVISOR_LATE, 1},
    {HF_SUPERVISOR_LOCKED, 0},         {HF_SUPERVISOR_RESTART, 2}, {HF_SUPERVISOR_NOT_STARTED, 1},
};

static void end_line(struct hf_buf *line, struct hf_buf *out)
{
    while (line->n > 0 && line->p[line->n - 1] == ' ')
        line->n--;
    ck_assert(hf_buf_addf(out, "%.*s\n", (int)line->n, line->p) == 0);
}

static const char *const events[HF_SUPERVISOR_EVENTS] = {"Begin",  "NotExecutable", "NotStarted", "Ended",
                                                         "Locked", "Hung",          "Late",       "Restart"};

static void head(struct hf_buf *out)
{
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(4096);

    ck_assert(hf_buf_add_str(&line, "ran current good previous verdict |") == 0);
    for (size_t i = 0; i < HF_LEN(columns); i++) {
        char cell[32];
        (void)snprintf(cell, sizeof(cell), "%s %u", events[columns[i].event], columns[i].ends);
        ck_assert(hf_buf_addf(&line, " %-15s", cell) == 0);
    }
    end_line(&line, out);
}

static const char *shown(const char *slot)
{
    return slot[0] != '\0' ? slot : "-";
}

static void row(struct hf_buf *out, struct hf_supervisor_facts f)
{
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(4096);

    ck_assert(hf_buf_addf(&line, "%-3s %-7s %-4s %-8s %-7s |", shown(f.ran), shown(f.current), shown(f.good),
                          shown(f.previous), shown(f.given_up)) == 0);
    for (size_t i = 0; i < (f.ran[0] != '\0' ? HF_LEN(columns) : 1); i++) {
        f.event = f.ran[0] != '\0' ? columns[i].event : HF_SUPERVISOR_BEGIN;
        f.ends = columns[i].ends;
        struct hf_supervisor_decision d = hf_supervisor_decide(&f);
        holds(&f, &d);
        print(&line, &d);
    }
    /* What can come about in one step from a node in order; the others are only held against the rules. */
    bool usual = f.good[0] != '\0' && !is(f.previous, "A") && f.current[0] != '\0' && !is(f.current, "P");
    bool fallen_back = is(f.good, "A") && is(f.previous, "P") && is(f.current, "P");
    bool first_one = is(f.good, "") && is(f.previous, "") && is(f.given_up, "") && is(f.current, "B");
    if (usual || fallen_back || first_one)
        end_line(&line, out);
}

static void each_ran(struct hf_buf *out, struct hf_supervisor_facts f)
{
    f.ran = "";
    row(out, f);
    for (size_t r = 0; r < HF_LEN(rans); r++) {
        f.ran = rans[r];
        if (is(f.current, f.ran) || f.current[0] == '\0' || is(f.current, "C"))
            row(out, f);
    }
}

START_TEST(table)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);

    head(&text);
    for (size_t c = 0; c < HF_LEN(currents); c++)
        for (size_t g = 0; g < HF_LEN(goods); g++)
            for (size_t p = 0; p < HF_LEN(previouses); p++)
                for (size_t v = 0; v < HF_LEN(verdicts); v++)
                    each_ran(&text, (struct hf_supervisor_facts){.current = currents[c],
                                                                 .good = goods[g],
                                                                 .previous = previouses[p],
                                                                 .given_up = verdicts[v]});
    ck_assert(hf_golden("supervisor.txt", hf_buf_view(&text)));
}
END_TEST

/* All builds crash for ever: at most each link's build is tried, then the one that was healthy last stays. */
START_TEST(two_bad_ones)
{
    struct hf_supervisor_facts f = {.current = "B", .good = "A", .previous = "P", .given_up = "", .ran = "B"};
    unsigned given_up = 0;

    f.event = HF_SUPERVISOR_ENDED;
    for (int i = 0; i < 100; i++) {
        f.ends++;
        struct hf_supervisor_decision d = hf_supervisor_decide(&f);
        if (d.give_up != NULL) {
            f.given_up = f.ran;
            given_up++;
            f.ends = 0;
        }
        f.current = f.ran = d.start;
    }
    ck_assert_str_eq(f.ran, "A");
    ck_assert_uint_eq(given_up, 3); /* B, A once, P */
    ck_assert_uint_eq(hf_supervisor_decide(&f).wait_s, HF_HOST_WAIT_MAX_S);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, table);
    tcase_add_test(tc, two_bad_ones);
}
HF_TEST_MAIN("supervisor/decision", cases)
