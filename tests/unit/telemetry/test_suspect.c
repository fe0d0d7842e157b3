/* SPDX-License-Identifier: Apache-2.0 */
/* Decides about broken connections: each row is a history of steps, with the step after which the batch is at fault. */
#include "telemetry/delivery/suspect.h"

#include <string.h>

#include "base/macros.h"
#include "support/check_main.h"

/* f: the batch fails for a round; n: it fails for a reason of the network; o: another batch fails; d: another one is
 * delivered; s: another suspect fails */
static const struct {
    const char *name, *steps;
    bool sure, single;
    int blamed; /* step, from 0; -1: never */
} histories[] = {
    {"alone, others pass", "dfdfdfdfdfdfdfdfdfdfdf", false, false, 17},
    {"the first look begins with its first failure", "fdfdfdfdfdfdfdfdf", false, false, 16},
    {"nothing else is sent", "ffffffffffffffffffffffff", false, false, -1},
    {"a pause without traffic says nothing", "fdfdfffffdfdfdfdfdfdf", false, false, 20},
    {"another fails now and then", "fdfdfdfdofdfdfdfdofdfdfdfd", false, false, -1},
    {"others fail and pass", "fodfodfodfodfodfodfodfodfodf", false, false, -1},
    {"the network fails", "fdfdfdfdndfdfdfdfdndfdfdf", false, false, -1},
    {"then it does not any more", "fdfdfdfdndfdfdfdfdfdfdfdf", false, false, 24},
    {"another suspect fails too", "fsdfsdfsdfsdfsdfsdfsdfsdf", false, false, 24},
    {"a part needs one", "fdf", true, false, 2},
    {"a part while the sink is away", "ofofof", true, false, -1},
    {"a single record needs two", "fdfdf", true, true, 4},
    {"a single record of nobody's", "fdfdfdfdfdfdfdfdf", false, true, 16},
};

static bool step(char what, struct hf_suspect *suspect, struct hf_suspects *sink, uint64_t *delivered_ns,
                 uint64_t now_ns, bool single)
{
    struct hf_suspect other = {.sure = what == 's'};

    if (what == 'd')
        *delivered_ns = now_ns;
    if (what == 'o' || what == 's')
        hf_suspect_failed(&other, sink, now_ns + 1000, true, now_ns);
    if (what != 'f' && what != 'n')
        return false;
    hf_suspect_failed(suspect, sink, 7, what == 'f', now_ns);
    return hf_suspect_round_ended(suspect, sink, 7, single, *delivered_ns, now_ns);
}

START_TEST(who_is_blamed)
{
    struct hf_suspect suspect = {.sure = histories[_i].sure};
    struct hf_suspects sink = {.who = 0};
    uint64_t delivered_ns = 0;
    int blamed = -1;

    for (int i = 0; blamed < 0 && histories[_i].steps[i] != '\0'; i++)
        if (step(histories[_i].steps[i], &suspect, &sink, &delivered_ns, 1 + (uint64_t)i, histories[_i].single))
            blamed = i;
    ck_assert_msg(blamed == histories[_i].blamed, "%s: blamed at %d", histories[_i].name, blamed);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, who_is_blamed, 0, (int)HF_LEN(histories));
}

HF_TEST_MAIN("telemetry/suspect", cases)
