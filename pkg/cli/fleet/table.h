/* SPDX-License-Identifier: Apache-2.0 */
/* cli/fleet/table.h - tables of text with aligned columns, and with colors on a terminal.
 *
 * Memory: the table copies every cell. The cells must be plain text (codec/plain.h). Main thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/macros.h"

enum { HF_TABLE_MAX_COLUMNS = 20 };

enum hf_tint { HF_TINT_NONE, HF_TINT_GOOD, HF_TINT_BUSY, HF_TINT_BAD, HF_TINT_FAINT };

struct hf_table {
    size_t columns;
    char **rows; /* each row is one allocation: a tint and a terminated text for each cell */
    size_t n, cap;
};

/* Makes an empty table with these titles. `columns` is at most HF_TABLE_MAX_COLUMNS. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_table_begin(struct hf_table *table, const char *const *titles, size_t columns, struct hf_err *err);
void hf_table_done(struct hf_table *table);

/* Adds a row. An empty or missing (NULL) cell becomes "-", so that scripts can split lines at blanks. `tints` has one
 * value for each column; NULL means no colors. */
HF_MUST_USE int hf_table_add(struct hf_table *table, const char *const *cells, const enum hf_tint *tints,
                             struct hf_err *err);

/* Sorts the rows after the titles by their first cell. */
void hf_table_sort(struct hf_table *table);
void hf_table_print(const struct hf_table *table, FILE *to, bool colour);

/* hf_table_tint() returns the escape sequence before a colored text; hf_table_untint() returns the escape sequence
 * after it. Both return "" if `colour` is false or `tint` is HF_TINT_NONE. */
const char *hf_table_tint(enum hf_tint tint, bool colour);
const char *hf_table_untint(enum hf_tint tint, bool colour);
