/* SPDX-License-Identifier: Apache-2.0 */
/* base/view.h - borrowed text: a pointer and a length, without a terminating zero.
 *
 * A view is valid as long as the memory to which it points is valid. Threads: any. Pure, except hf_view_dup(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

struct hf_view {
    const char *p;
    size_t n;
};

#define HF_VIEW(literal) ((struct hf_view){(literal), sizeof(literal) - 1})

struct hf_view hf_view_of(const char *text); /* returns a view of a C string, or the empty view if `text` is NULL */
bool hf_view_eq(struct hf_view a, const char *text);
bool hf_view_starts(struct hf_view a, const char *prefix);
struct hf_view hf_view_trim(struct hf_view a); /* returns the view without space, tab, CR and LF at both ends */

/* Cuts *rest at the first `separator`: *ret_head gets the text before the separator, and *rest keeps the text after it.
 * If *rest has no separator, *ret_head gets the whole *rest, and rest->p becomes NULL. Returns false, and sets nothing,
 * if rest->p is already NULL; otherwise returns true. */
bool hf_view_split(struct hf_view *rest, char separator, struct hf_view *ret_head);

/* Copies the text to the heap and adds a terminating zero. The caller frees the copy with free(). Returns NULL if
 * memory runs out. */
char *hf_view_dup(struct hf_view view);
