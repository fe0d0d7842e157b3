/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/image/tags.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { MAX_NUMBERS = 4, MAX_DIGITS = 14 };

struct form {
    bool v;
    size_t n;
    uint64_t numbers[MAX_NUMBERS];
    const char *rest;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool read_form(const char *tag, struct form *form)
{
    *form = (struct form){.v = tag[0] == 'v'};
    const char *p = tag + form->v;
    while (form->n < MAX_NUMBERS && is_digit(*p)) {
        size_t digits = 0;
        for (; is_digit(*p) && digits < MAX_DIGITS; digits++)
            form->numbers[form->n] = form->numbers[form->n] * 10 + (uint64_t)(*p++ - '0');
        form->n++;
        if (*p == '.' && is_digit(p[1]) && form->n < MAX_NUMBERS)
            p++;
    }
    form->rest = p;
    return form->n > 0;
}

static bool is_alike(const struct form *a, const struct form *b)
{
    return a->v == b->v && a->n == b->n && strcmp(a->rest, b->rest) == 0;
}

static int compare(const struct form *a, const struct form *b)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->numbers[i] != b->numbers[i])
            return a->numbers[i] < b->numbers[i] ? -1 : 1;
    return 0;
}

int hf_cli_tags_before(const json_t *tags, const char *tag, size_t most, const char *ret[static HF_CLI_TAGS_MAX])
{
    struct form own, one, forms[HF_CLI_TAGS_MAX];
    size_t n = 0;

    if (!read_form(tag, &own))
        return -EINVAL;
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const char *text = json_string_value(json_array_get(tags, i));
        size_t at = 0;
        if (text == NULL || !read_form(text, &one) || !is_alike(&one, &own) || compare(&one, &own) >= 0)
            continue;
        while (at < n && compare(&forms[at], &one) > 0)
            at++;
        if (at >= most || (at < n && compare(&forms[at], &one) == 0)) /* too low, or listed twice */
            continue;
        n = n < most ? n + 1 : n;
        memmove(&forms[at + 1], &forms[at], (n - 1 - at) * sizeof(forms[0]));
        memmove(&ret[at + 1], &ret[at], (n - 1 - at) * sizeof(ret[0]));
        forms[at] = one;
        ret[at] = text;
    }
    return (int)n;
}
