/* SPDX-License-Identifier: Apache-2.0 */
/* For 32-bit ARM, 32-bit x86 and RISC-V, two kinds of references in code are counted: those that the predictor
 * predicts wrongly, and those that differ between the old and the new file. If the first count is larger, copying
 * the old bytes without a change is better, and the predictor is dropped. The predictor for the other machines
 * always stays. */
#include "delta/select_predictors.h"

#include <stdlib.h>

#include "base/endian.h"

enum {
    OPTIONAL = DELTA_PREDICT_ALL & ~DELTA_PREDICT_REFERENCES,
    MACHINES = DELTA_MACHINE_RISCV + 1,
    SAMPLE = 1 << 13, /* bytes of the new file in a row */
    SAMPLES = 4,      /* the fast profile looks at one in so many samples */
};

/* References in each machine's code that differ from the prediction, and from the old bytes. */
struct misses {
    uint64_t predicted[MACHINES], unchanged[MACHINES];
};

static int take_segments(HF_UNUSED void *ctx, struct delta_predictor *p, const struct delta_segments *truth)
{
    p->segments = *truth;
    return 0;
}

static void count_span(struct delta_predictor *p, const struct delta_span *s, const unsigned char *truth,
                       struct misses *misses)
{
    for (size_t i = 0; i < s->refs; i++) {
        const struct delta_ref *ref = &p->refs[i];
        uint64_t word = hf_le(truth + ref->at, ref->n);
        bool wrong = word != p->guesses[i].word[0];
        if (s->region == DELTA_REGION_CODE) {
            misses->predicted[p->image.machine] += wrong;
            misses->unchanged[p->image.machine] += word != ref->word;
        }
        if (wrong)
            delta_predictor_learn(p, ref, &p->guesses[i], word);
    }
}

/* Returns the next position to look at, new_pos or later. */
static uint64_t next_sample(const struct delta_make *make, uint64_t new_pos)
{
    bool fast = make->params != NULL && make->params->profile == HF_DELTA_FAST;

    return !fast || new_pos / SAMPLE % SAMPLES == 0 ? new_pos
                                                    : (new_pos / SAMPLE / SAMPLES + 1) * ((uint64_t)SAMPLE * SAMPLES);
}

static int count_misses(struct delta_predictor *p, const struct delta_make *make, struct misses *misses,
                        struct hf_err *err)
{
    const struct delta_map *map = &p->shared->map;
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < map->n; i++) {
        struct delta_span s = {.n = 0};
        for (uint64_t into = next_sample(make, map->p[i].new_pos) - map->p[i].new_pos; r == 0 && into < map->p[i].len;
             into = next_sample(make, s.new_pos + s.n) - map->p[i].new_pos) {
            s = (struct delta_span){.new_pos = map->p[i].new_pos + into, .old_pos = map->p[i].old_pos + into};
            if ((r = delta_predictor_enter(p, s.new_pos, take_segments, NULL, err)) < 0 ||
                (r = delta_predictor_window(p, &s, DELTA_WINDOW_MAX, map->p[i].len - into, err)) < 0)
                return r;
            count_span(p, &s, make->new_bytes + s.new_pos, misses);
            delta_predictor_made(p, &s, make->new_bytes + s.new_pos);
        }
    }
    return r;
}

int delta_select_predictors(const struct delta_make *make, struct delta_shared_context *shared,
                            unsigned *ret_predictors, struct hf_err *err)
{
    unsigned left = shared->predictors;
    struct misses misses = {0};

    if ((left & OPTIONAL) == 0) {
        *ret_predictors = left;
        return 0;
    }
    struct delta_predictor *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return delta_no_memory(err);
    p->shared = shared;
    delta_predictor_reset(p);
    int r = count_misses(p, make, &misses, err);
    for (unsigned i = 0; i < MACHINES; i++)
        if (misses.predicted[i] > misses.unchanged[i])
            left &= ~(delta_predictor_of((enum delta_machine)i) & (unsigned)OPTIONAL);
    free(p);
    if (r == 0)
        *ret_predictors = left;
    return r;
}
