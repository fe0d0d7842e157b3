/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fleet/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* Counts characters, not bytes: a continuation byte of UTF-8 takes no column. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

const char *hf_table_tint(enum hf_tint tint, bool colour)
{
    static const char *const codes[] = {[HF_TINT_NONE] = "",
                                        [HF_TINT_GOOD] = "\033[32m",
                                        [HF_TINT_BUSY] = "\033[33m",
                                        [HF_TINT_BAD] = "\033[31m",
                                        [HF_TINT_FAINT] = "\033[2m"};

    return colour ? codes[tint] : "";
}

const char *hf_table_untint(enum hf_tint tint, bool colour)
{
    return colour && tint != HF_TINT_NONE ? "\033[0m" : "";
}

int hf_table_begin(struct hf_table *table, const char *const *titles, size_t columns, struct hf_err *err)
{
    *table = (struct hf_table){.columns = columns};
    return hf_table_add(table, titles, NULL, err);
}

void hf_table_done(struct hf_table *table)
{
    for (size_t i = 0; i < table->n; i++)
        free(table->rows[i]);
    free(table->rows);
    *table = (struct hf_table){.columns = table->columns};
}

static const char *shown(const char *cell)
{
    return cell != NULL && cell[0] != '\0' ? cell : "-";
}

int hf_table_add(struct hf_table *table, const char *const *cells, const enum hf_tint *tints, struct hf_err *err)
{
    size_t size = 1;

    if (hf_array_grow(table->rows, table->n, table->cap, HF_ARRAY_ANY) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (size_t c = 0; c < table->columns; c++)
        size += 2 + strlen(shown(cells[c]));
    char *row = malloc(size), *at = row;
    if (row == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (size_t c = 0; c < table->columns; c++) {
        size_t n = strlen(shown(cells[c])) + 1;
        *at++ = (char)(tints != NULL ? tints[c] : HF_TINT_NONE);
        memcpy(at, shown(cells[c]), n);
        at += n;
    }
    table->rows[table->n++] = row;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return strcmp(*x + 1, *y + 1);
}

void hf_table_sort(struct hf_table *table)
{
    if (table->n > 2)
        qsort(table->rows + 1, table->n - 1, sizeof(*table->rows), compare);
}

static void print_row(const char *row, const size_t *widths, size_t columns, FILE *to, bool colour)
{
    for (size_t c = 0; c < columns; c++) {
        enum hf_tint tint = (enum hf_tint)row[0];
        size_t width = width_of(row + 1);
        (void)fprintf(to, "%s%s%s", hf_table_tint(tint, colour), row + 1, hf_table_untint(tint, colour));
        (void)fprintf(to, "%*s", c + 1 < columns ? (int)(widths[c] - width + 2) : 0, "");
        row += 2 + strlen(row + 1);
    }
    (void)fputc('\n', to);
}

void hf_table_print(const struct hf_table *table, FILE *to, bool colour)
{
    size_t widths[HF_TABLE_MAX_COLUMNS] = {0};

    for (size_t i = 0; i < table->n; i++) {
        const char *row = table->rows[i];
        for (size_t c = 0; c < table->columns; c++) {
            widths[c] = HF_MAX(widths[c], width_of(row + 1));
            row += 2 + strlen(row + 1);
        }
    }
    for (size_t i = 0; i < table->n; i++)
        print_row(table->rows[i], widths, table->columns, to, colour);
}
