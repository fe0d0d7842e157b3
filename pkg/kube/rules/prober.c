/* SPDX-License-Identifier: Apache-2.0 */
/*     quiet --want--> asking --proven--> asking the next, or quiet
 *                       |  ^
 *                doubtful  timer, sign
 *                       v  |
 *                     resting
 *
 * "Proven": the spelling of the list kind shows that the cloud answered (resource.h). "Doubtful": a failure or any
 * other answer; a LIST then lasts 10 s, so there is one at a time. Once the cloud is back, every subscription needs a
 * LIST, because only that shows deletions. Signs: a live event of a watch, a successful write, a network link that came
 * up. "Barred": CloudCore may not list the kind (review.h); such LISTs come again after about HF_PROBER_BARRED_NS. */
#include "kube/rules/prober.h"

#include <assert.h>

#include "base/backoff.h"
#include "base/clock.h"

/* Mean time between LISTs of barred kinds; random, 0.5 to 1.5 times: CloudCore serves all nodes one by one. */
#define HF_PROBER_BARRED_NS (60 * HF_NS_PER_S)

struct prober_cell {
    bool expected;
    enum hf_prober_state next;
    unsigned effects;
};

static const struct prober_cell table[HF_PROBER_STATES][HF_PROBER_EVENTS] = {
    [HF_PROBER_QUIET] =
        {
            [HF_PROBER_WANT] = {true, HF_PROBER_ASKING, HF_PROBER_ASK},
        },
    [HF_PROBER_ASKING] =
        {
            [HF_PROBER_WANT] = {true, HF_PROBER_ASKING, 0},
            [HF_PROBER_PROVEN] = {true, HF_PROBER_QUIET, HF_PROBER_REPORT_PROVEN},
            [HF_PROBER_DOUBTFUL] = {true, HF_PROBER_RESTING, HF_PROBER_REPORT_LOST | HF_PROBER_SET_TIMER},
            [HF_PROBER_BARRED] = {true, HF_PROBER_RESTING, HF_PROBER_REPORT_BARRED},
            [HF_PROBER_SIGN] = {true, HF_PROBER_ASKING, 0},
        },
    [HF_PROBER_RESTING] =
        {
            [HF_PROBER_WANT] = {true, HF_PROBER_RESTING, 0}, /* asks at once while the cloud is proven */
            [HF_PROBER_TIMER] = {true, HF_PROBER_ASKING, HF_PROBER_WANT_BARRED | HF_PROBER_ASK},
            [HF_PROBER_SIGN] = {true, HF_PROBER_ASKING, HF_PROBER_ASK},
        },
};

static uint64_t rest_ns(struct hf_prober *prober, uint64_t cap_ns, const struct hf_rand_ops *rng)
{
    struct hf_backoff backoff = {.base_ns = HF_NS_PER_S,
                                 .cap_ns = HF_MAX(cap_ns, HF_NS_PER_S),
                                 .floor_ns = HF_NS_PER_S / 2,
                                 .attempt = prober->failures};
    uint64_t delay = hf_backoff_next_ns(&backoff, rng, 0);

    prober->failures = backoff.attempt;
    return delay;
}

/* The cloud answered, with a list or with a refusal: choose the next state. */
static void cloud_answered(struct hf_prober *prober, struct hf_prober_step *step, bool more, bool others,
                           const struct hf_rand_ops *rng)
{
    if (!prober->proven) { /* a reconnect: every subscription may have missed deletions */
        step->effects |= HF_PROBER_WANT_OTHERS;
        more |= others;
    }
    prober->proven = true;
    prober->signalled = false;
    if (more) {
        prober->state = HF_PROBER_ASKING;
        step->effects |= HF_PROBER_ASK;
    } else if (prober->barred) { /* an administrator may grant the right at any time, without notice to us */
        prober->state = HF_PROBER_RESTING;
        step->effects |= HF_PROBER_SET_TIMER;
        step->delay_ns = HF_PROBER_BARRED_NS / 2 + hf_rand_below(rng, HF_PROBER_BARRED_NS);
    }
}

struct hf_prober_step hf_prober_step(struct hf_prober *prober, enum hf_prober_event event, bool more, bool others,
                                     uint64_t cap_ns, const struct hf_rand_ops *rng)
{
    const struct prober_cell *cell = &table[prober->state][event];
    struct hf_prober_step step = {.effects = 0};

    if (!cell->expected)
        return step;
    step.effects = cell->effects;
    bool was_asking = prober->state == HF_PROBER_ASKING;
    prober->state = cell->next;
    if (event == HF_PROBER_PROVEN) {
        prober->failures = 0;
        cloud_answered(prober, &step, more, others, rng);
    } else if (event == HF_PROBER_BARRED) {
        prober->barred = true;
        cloud_answered(prober, &step, more, others, rng);
    } else if (event == HF_PROBER_DOUBTFUL) {
        prober->proven = false;
        step.delay_ns = prober->signalled ? HF_NS_PER_S / 2 : rest_ns(prober, cap_ns, rng);
        prober->signalled = false;
    } else if (event == HF_PROBER_SIGN) {
        prober->signalled = was_asking;
    } else if (event == HF_PROBER_TIMER) {
        prober->barred = false;
    } else if (!was_asking && prober->state == HF_PROBER_RESTING && prober->proven) { /* a want while one is barred */
        prober->state = HF_PROBER_ASKING;
        step.effects |= HF_PROBER_ASK;
    }
    assert((step.effects & HF_PROBER_ASK) == 0 || prober->state == HF_PROBER_ASKING);
    assert((step.effects & HF_PROBER_SET_TIMER) == 0 || prober->state == HF_PROBER_RESTING);
    return step;
}

int hf_prober_print(struct hf_buf *out)
{
    static const char *const states[] = {"quiet", "asking", "resting"};
    static const char *const events[] = {"want", "proven", "doubtful", "barred", "timer", "sign"};
    static const char *const effects[] = {"lost", "proven", "want-others", "ask", "timer", "barred", "want-barred"};
    int r = 0;

    for (size_t s = 0; r == 0 && s < HF_PROBER_STATES; s++)
        for (size_t e = 0; r == 0 && e < HF_PROBER_EVENTS; e++) {
            const struct prober_cell *cell = &table[s][e];
            if (!cell->expected)
                continue;
            r = hf_buf_addf(out, "%-8s %-9s -> %-8s;", states[s], events[e], states[cell->next]);
            for (unsigned i = 0; r == 0 && i < HF_LEN(effects); i++)
                if ((cell->effects & 1u << i) != 0)
                    r = hf_buf_addf(out, " %s", effects[i]);
            if (r == 0)
                r = hf_buf_add_str(out, "\n");
        }
    return r;
}
