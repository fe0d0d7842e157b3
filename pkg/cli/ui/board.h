/* SPDX-License-Identifier: Apache-2.0 */
/* The rows that the page of the fleet shows, in the order in which they changed. A viewer asks for what changed after
 * the version that it has: so the board knows no viewers, and a slow one gets each row once. Pure. */
#pragma once

#include "base/buf.h"
#include "codec/json.h"

/* Rows, with those of objects that are gone; bytes of one; bytes of rows in one answer. */
enum { HF_UI_MAX_ROWS = 300000, HF_UI_MAX_ROW_BYTES = 256 << 10, HF_UI_MAX_ANSWER_BYTES = 1 << 20 };

struct hf_ui_board;

struct hf_ui_board *hf_ui_board_new(void);
void hf_ui_board_free(struct hf_ui_board *board);

/* The row of the object `name` of `kind`; takes `row`, an object without "k" and "n", which are added. An equal row
 * changes nothing. -E2BIG: too many rows, or too large; -ENOMEM, also if `row` is NULL: the row before stays. */
HF_MUST_USE int hf_ui_board_put(struct hf_ui_board *board, const char *kind, const char *name, json_t *row);
/* The object is gone: {"k", "n", "gone": true}. Nothing changes if it has no row. */
HF_MUST_USE int hf_ui_board_remove(struct hf_ui_board *board, const char *kind, const char *name);

/* 0: empty. Grows with each change. */
uint64_t hf_ui_board_version(const struct hf_ui_board *board);

/* Appends {"version": N, "more": BOOL, "rows": [...]}: rows changed after `since`, oldest first; N is that of the last
 * one. -E2BIG: out->max. */
HF_MUST_USE int hf_ui_board_changes(const struct hf_ui_board *board, uint64_t since, struct hf_buf *out);
