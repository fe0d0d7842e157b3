/* SPDX-License-Identifier: Apache-2.0 */
#include "base/view.h"

#include <stdlib.h>
#include <string.h>

struct hf_view hf_view_of(const char *text)
{
    return (struct hf_view){text, text != NULL ? strlen(text) : 0};
}

bool hf_view_eq(struct hf_view a, const char *text)
{
    size_t n = strlen(text);

    return a.n == n && (n == 0 || memcmp(a.p, text, n) == 0);
}

bool hf_view_starts(struct hf_view a, const char *prefix)
{
    size_t n = strlen(prefix);

    return a.n >= n && (n == 0 || memcmp(a.p, prefix, n) == 0);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct hf_view hf_view_trim(struct hf_view a)
{
    while (a.n > 0 && is_space(a.p[0])) {
        a.p++;
        a.n--;
    }
    while (a.n > 0 && is_space(a.p[a.n - 1]))
        a.n--;
    return a;
}

bool hf_view_split(struct hf_view *rest, char separator, struct hf_view *ret_head)
{
    if (rest->p == NULL)
        return false;
    const char *cut = rest->n > 0 ? memchr(rest->p, separator, rest->n) : NULL;
    if (cut == NULL) {
        *ret_head = *rest;
        *rest = (struct hf_view){NULL, 0};
        return true;
    }
    size_t head = (size_t)(cut - rest->p);
    *ret_head = (struct hf_view){rest->p, head};
    *rest = (struct hf_view){cut + 1, rest->n - head - 1};
    return true;
}

char *hf_view_dup(struct hf_view view)
{
    char *copy = malloc(view.n + 1);

    if (copy == NULL)
        return NULL;
    if (view.n > 0)
        memcpy(copy, view.p, view.n);
    copy[view.n] = '\0';
    return copy;
}
