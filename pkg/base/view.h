/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed text without a terminator; valid as long as its memory. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

struct hf_view {
    const char *p;
    size_t n;
};

#define HF_VIEW(literal) ((struct hf_view){(literal), sizeof(literal) - 1})

struct hf_view hf_view_of(const char *text);
bool hf_view_eq(struct hf_view a, const char *text);
bool hf_view_starts(struct hf_view a, const char *prefix);
struct hf_view hf_view_trim(struct hf_view a);

/* Cuts *ret_head off *rest at the first `separator`. Without one, *ret_head is all, and rest->p becomes NULL. Returns
 * false if rest->p was NULL. */
bool hf_view_split(struct hf_view *rest, char separator, struct hf_view *ret_head);

char *hf_view_dup(struct hf_view view);
