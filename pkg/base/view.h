/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed text: pointer and length, without a terminator. Valid as long as that memory. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

struct hf_view {
    const char *p;
    size_t n;
};

#define HF_VIEW(literal) ((struct hf_view){(literal), sizeof(literal) - 1})

struct hf_view hf_view_of(const char *text); /* NULL: empty */
bool hf_view_eq(struct hf_view a, const char *text);
bool hf_view_starts(struct hf_view a, const char *prefix);
struct hf_view hf_view_trim(struct hf_view a); /* space, tab, CR, LF */

/* Cuts at the first `separator`; without one, *ret_head is all, and rest->p becomes NULL. False: it was NULL. */
bool hf_view_split(struct hf_view *rest, char separator, struct hf_view *ret_head);

/* A C string that the caller frees. */
char *hf_view_dup(struct hf_view view);
