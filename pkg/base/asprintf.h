/* SPDX-License-Identifier: Apache-2.0 */
/* base/asprintf.h - formats text on the heap, and frees pointers at the end of their scope. Threads: any. */
#pragma once

#include <stdlib.h>

#include "base/macros.h"

/* Formats text into new memory. Returns NULL if memory runs out. The caller frees the text with free(). */
char *hf_asprintf(const char *format, ...) HF_PRINTF(1, 2);

/* Frees the memory to which a pointer variable points, and sets the variable to NULL. The variable may be a pointer of
 * any type. If it is declared with _cleanup_(hf_freep), the compiler passes its address to this function at the end of
 * its scope. */
static inline void hf_freep(void *pointer_to_pointer)
{
    void **pointer = pointer_to_pointer;

    free(*pointer);
    *pointer = NULL;
}
