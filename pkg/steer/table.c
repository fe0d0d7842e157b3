/* SPDX-License-Identifier: Apache-2.0 */
#include "steer/table.h"

#include <assert.h>
#include <stddef.h>

struct hf_steer_move hf_steer_table_move(const struct hf_steer_table *table, unsigned state, unsigned event)
{
    if (state >= table->n_states || event >= table->n_events)
        return (struct hf_steer_move){.known = false};
    struct hf_steer_move move = table->moves[(size_t)state * table->n_events + event];
    assert(move.next < table->n_states && move.action < table->n_actions);
    return move;
}

const char *hf_steer_table_event_name(const struct hf_steer_table *table, unsigned event)
{
    return event < table->n_events ? table->event_names[event] : "";
}
