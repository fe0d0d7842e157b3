/* base/asprintf.h - formats text on the heap, and frees pointers at the end of their scope. Threads: any. */
#pragma once

#include <stdlib.h>

#include "base/macros.h"

/* Formats text into new memory. Returns NULL on OOM. The caller frees the text with free(). */
char *hf_asprintf(const char *format, ...) HF_PRINTF(1, 2);

/* Frees the pointer in a variable, and sets the variable to NULL. A pointer of any type that is declared with
 * _cleanup_(hf_freep) is freed at the end of its scope. */
static inline void hf_freep(void *pointer_to_pointer)
{
    void **pointer = pointer_to_pointer;

    free(*pointer);
    *pointer = NULL;
}
