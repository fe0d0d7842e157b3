/* SPDX-License-Identifier: Apache-2.0 */
#include "support/print_machine.h"

#include <check.h>

static int print_state(const struct hf_steer_table *table, unsigned state, struct hf_buf *out)
{
    int r = hf_buf_addf(out, "%s\n", table->state_name(state));

    for (unsigned event = 0; r == 0 && event < table->n_events; event++) {
        struct hf_steer_move move = hf_steer_table_move(table, state, event);
        if (move.known)
            r = hf_buf_addf(out, "  %-10s %-13s %s\n", table->event_names[event], table->state_name(move.next),
                            table->action_names[move.action]);
        else
            r = hf_buf_addf(out, "  %-10s .\n", table->event_names[event]);
    }
    return r;
}

int hf_print_table(const struct hf_steer_table *table, struct hf_buf *out)
{
    int r = 0;

    for (unsigned state = 0; r == 0 && state < table->n_states; state++)
        r = print_state(table, state, out);
    return r;
}

void hf_print_moves(const struct hf_print_moves *moves, struct hf_buf *out)
{
    for (unsigned state = 0; state < moves->n_states; state++) {
        ck_assert_int_eq(hf_buf_addf(out, "%s\n", moves->states[state]), 0);
        for (unsigned event = moves->first; event < moves->end; event++) {
            int next = moves->move(state, event);
            ck_assert_int_eq(hf_buf_addf(out, "  %-*s %s\n", (int)moves->width, moves->events[event],
                                         next >= 0 ? moves->states[next] : "."),
                             0);
        }
    }
}
