/* SPDX-License-Identifier: Apache-2.0 */
/* A machine's table: next state and action for each state and event. Pure. */
#pragma once

#include <stdbool.h>

struct hf_steer_move {
    bool known; /* false: nothing changes */
    unsigned char next, action;
};

struct hf_steer_table {
    const struct hf_steer_move *moves; /* [n_states][n_events] */
    unsigned n_states, n_events, n_actions;
    const char *(*state_name)(unsigned state);
    const char *const *event_names, *const *action_names;
};

struct hf_steer_move hf_steer_table_move(const struct hf_steer_table *table, unsigned state, unsigned event);
const char *hf_steer_table_event_name(const struct hf_steer_table *table, unsigned event);
