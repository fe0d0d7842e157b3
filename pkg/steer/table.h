/* SPDX-License-Identifier: Apache-2.0 */
/* The table of a machine: for each state and event, the next state and an action. Pure. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

struct hf_steer_move {
    bool known; /* false: not expected; changes nothing */
    unsigned char next, action;
};

/* Static data of the owner. Action 0: none. */
struct hf_steer_table {
    const struct hf_steer_move *moves; /* [n_states][n_events] */
    unsigned n_states, n_events, n_actions;
    const char *(*state_name)(unsigned state);
    const char *const *event_names, *const *action_names;
};

/* An unknown cell if the state or event is not in the table. */
struct hf_steer_move hf_steer_table_move(const struct hf_steer_table *table, unsigned state, unsigned event);
const char *hf_steer_table_event_name(const struct hf_steer_table *table, unsigned event); /* "" for none */

/* Every cell, for tests/golden. -ENOMEM or -E2BIG. */
HF_MUST_USE int hf_steer_table_print(const struct hf_steer_table *table, struct hf_buf *out);
