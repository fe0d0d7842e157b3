/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/cm/states.h"

#include <stdbool.h>
#include <string.h>

#include "base/macros.h"

enum { LEVELS = 6 };

/* Largest value of the larger count, by the smaller one. */
static const uint8_t level_limit[LEVELS] = {30, 20, 12, 8, 6, 5};

struct bit_history {
    uint8_t seen[2], last;
};

static bool allowed(unsigned a, unsigned b)
{
    return HF_MIN(a, b) < LEVELS && HF_MAX(a, b) <= level_limit[HF_MIN(a, b)];
}

/* Lists all states, fewest bits first: number of zeros and ones, and the last bit if it can be either. */
static unsigned list_states(struct bit_history *states)
{
    unsigned n = 0;

    states[n++] = (struct bit_history){{0, 0}, 0};
    for (unsigned sum = 1; sum <= 32; sum++)
        for (unsigned zeros = 0; zeros <= sum; zeros++)
            for (unsigned last = 0; last < 2 && allowed(zeros, sum - zeros); last++)
                if ((last == 0 ? zeros : sum - zeros) > 0)
                    states[n++] = (struct bit_history){{(uint8_t)zeros, (uint8_t)(sum - zeros)}, (uint8_t)last};
    return n;
}

/* Adds a bit: its count grows, the other one forgets much, and the larger one shrinks to its limit. */
static struct bit_history after(struct bit_history s, unsigned bit)
{
    unsigned own = s.seen[bit] + 1u, other = s.seen[1 - bit];

    if (own > 1 && other > 3)
        other = other < 5 ? 3 : other < 8 ? 4 : other < 13 ? 5 : other < 21 ? 6 : 7;
    while (!allowed(own, other)) {
        if (own >= other)
            own--;
        else
            other--;
    }
    s.seen[bit] = (uint8_t)own;
    s.seen[1 - bit] = (uint8_t)other;
    s.last = (uint8_t)bit;
    return s;
}

/* Returns the probability of a 1 in a state: histories without exception count for more, and so does the last bit. */
static uint32_t chance_of(const struct bit_history *s)
{
    unsigned zeros = s->seen[0], ones = s->seen[1];

    if (zeros == 0 || ones == 0) {
        zeros = 5 * zeros + 1;
        ones = 5 * ones + 1;
    } else {
        zeros = (2 * zeros + 1) * (s->last == 0 ? 9 : 7);
        ones = (2 * ones + 1) * (s->last == 0 ? 7 : 9);
    }
    return ones * 4194303u / (zeros + ones) << 10;
}

void delta_states_init(uint8_t next[DELTA_STATES][2], uint32_t chance[DELTA_STATES])
{
    uint8_t index[32][32][2];
    struct bit_history states[DELTA_STATES];
    unsigned n = list_states(states);

    memset(next, 0, DELTA_STATES * sizeof(next[0]));
    memset(chance, 0, DELTA_STATES * sizeof(chance[0]));
    for (unsigned i = 0; i < n; i++)
        index[states[i].seen[0]][states[i].seen[1]][states[i].last] = (uint8_t)i;
    for (unsigned i = 0; i < n; i++) {
        chance[i] = chance_of(&states[i]);
        for (unsigned bit = 0; bit < 2; bit++) {
            struct bit_history s = after(states[i], bit);
            next[i][bit] = index[s.seen[0]][s.seen[1]][s.last];
        }
    }
}
