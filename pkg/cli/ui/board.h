/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the fleet's page, in the order of their changes. Viewers ask for what changed after their version: a slow
 * viewer gets each row once. Pure. */
#pragma once

#include "base/buf.h"
#include "codec/json.h"

/* Rows, also of gone objects; a row's bytes; an answer's bytes of rows. */
enum { HF_UI_MAX_ROWS = 300000, HF_UI_MAX_ROW_BYTES = 256 << 10, HF_UI_MAX_ANSWER_BYTES = 1 << 20 };

struct hf_ui_board;

struct hf_ui_board *hf_ui_board_new(void);
void hf_ui_board_free(struct hf_ui_board *board);

/* Takes `row`, an object without "k" and "n", which are added. An equal row changes nothing. -E2BIG: too many, or too
 * large; -ENOMEM, also if `row` is NULL: the row before stays. */
HF_MUST_USE int hf_ui_board_put(struct hf_ui_board *board, const char *kind, const char *name, json_t *row);
/* Puts {"k", "n", "gone": true}; does nothing without a row. */
HF_MUST_USE int hf_ui_board_remove(struct hf_ui_board *board, const char *kind, const char *name);

/* 0: empty. Grows. */
uint64_t hf_ui_board_version(const struct hf_ui_board *board);

/* Appends {"version": N, "more": BOOL, "rows": [...]}: changed after `since`, oldest first; N: the last one's. -E2BIG:
 * out->max. */
HF_MUST_USE int hf_ui_board_changes(const struct hf_ui_board *board, uint64_t since, struct hf_buf *out);
