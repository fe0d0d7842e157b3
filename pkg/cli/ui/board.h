/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the fleet's page, in the order of their changes. Viewers ask for what changed after their version: a slow
 * viewer misses older changes of a row. Pure. */
#pragma once

#include "base/buf.h"
#include "codec/json.h"

enum { HF_UI_MAX_ROWS = 300000, HF_UI_MAX_ROW_BYTES = 256 << 10, HF_UI_MAX_ANSWER_BYTES = 1 << 20 };

struct hf_ui_board;

struct hf_ui_board *hf_ui_board_new(void);
void hf_ui_board_free(struct hf_ui_board *board);

/* Takes `row`, an object, and adds "k" and "n" to it. An equal row changes nothing. The old row stays on -E2BIG (too
 * many rows, or too large) and on -ENOMEM (also if `row` is NULL). */
HF_MUST_USE int hf_ui_board_put(struct hf_ui_board *board, const char *kind, const char *name, json_t *row);
/* Replaces the row, if any, by {"k", "n", "gone": true}. */
HF_MUST_USE int hf_ui_board_remove(struct hf_ui_board *board, const char *kind, const char *name);

/* Returns a number that grows with each change; 0: empty. */
uint64_t hf_ui_board_version(const struct hf_ui_board *board);

/* Appends {"version": N, "more": BOOL, "rows": [...]}: rows changed after `since` up to N, oldest first. -E2BIG: above
 * out->max. */
HF_MUST_USE int hf_ui_board_changes(const struct hf_ui_board *board, uint64_t since, struct hf_buf *out);
