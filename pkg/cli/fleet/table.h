/* SPDX-License-Identifier: Apache-2.0 */
/* A table of aligned text. Copies cells, which must be plain (codec/plain.h). */
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
    char **rows;
    size_t n, cap;
};

HF_MUST_USE int hf_table_begin(struct hf_table *table, const char *const *titles, size_t columns, struct hf_err *err);
void hf_table_done(struct hf_table *table);

/* Empty cells become "-". `tints` may be NULL. */
HF_MUST_USE int hf_table_add(struct hf_table *table, const char *const *cells, const enum hf_tint *tints,
                             struct hf_err *err);

void hf_table_sort(struct hf_table *table);
void hf_table_print(const struct hf_table *table, FILE *to, bool colour);

const char *hf_table_tint(enum hf_tint tint, bool colour);
const char *hf_table_untint(enum hf_tint tint, bool colour);
