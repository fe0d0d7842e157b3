/* SPDX-License-Identifier: Apache-2.0 */
/* support/print_machine.h - the tables of machines as text, for tests/golden. */
#pragma once

#include "base/buf.h"
#include "steer/table.h"

/* Every cell of a table. -E2BIG. */
HF_MUST_USE int hf_print_table(const struct hf_steer_table *table, struct hf_buf *out);

/* A machine without actions. `move` returns the next state, or -1 for an event that it does not expect; events from
 * `first` up to `end`. Aborts when `out` is full. */
struct hf_print_moves {
    int (*move)(unsigned state, unsigned event);
    const char *const *states, *const *events;
    unsigned n_states, first, end, width; /* of an event's name */
};
void hf_print_moves(const struct hf_print_moves *moves, struct hf_buf *out);
