/* SPDX-License-Identifier: Apache-2.0 */
#include "steer/table.h"

#include <assert.h>

static const struct hf_steer_move *cell(const struct hf_steer_table *table, unsigned state, unsigned event)
{
    return &table->moves[(size_t)state * table->n_events + event];
}

struct hf_steer_move hf_steer_table_move(const struct hf_steer_table *table, unsigned state, unsigned event)
{
    if (state >= table->n_states || event >= table->n_events)
        return (struct hf_steer_move){.known = false};
    struct hf_steer_move move = *cell(table, state, event);
    assert(move.next < table->n_states && move.action < table->n_actions);
    return move;
}

const char *hf_steer_table_event_name(const struct hf_steer_table *table, unsigned event)
{
    return event < table->n_events ? table->event_names[event] : "";
}

static int print_state(const struct hf_steer_table *table, unsigned state, struct hf_buf *out)
{
    int r = hf_buf_addf(out, "%s\n", table->state_name(state));

    for (unsigned event = 0; r == 0 && event < table->n_events; event++) {
        const struct hf_steer_move *move = cell(table, state, event);
        if (move->known)
            r = hf_buf_addf(out, "  %-10s %-13s %s\n", table->event_names[event], table->state_name(move->next),
                            table->action_names[move->action]);
        else
            r = hf_buf_addf(out, "  %-10s .\n", table->event_names[event]);
    }
    return r;
}

int hf_steer_table_print(const struct hf_steer_table *table, struct hf_buf *out)
{
    int r = 0;

    for (unsigned state = 0; r == 0 && state < table->n_states; state++)
        r = print_state(table, state, out);
    return r;
}
