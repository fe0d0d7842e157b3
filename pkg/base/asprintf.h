/* base/asprintf.h - text on the heap, freed at the end of its scope. Threads: any. */
#pragma once

#include <stdlib.h>

#include "base/macros.h"

/* Formats into a new allocation; NULL: out of memory. Free with free(). */
char *hf_asprintf(const char *format, ...) HF_PRINTF(1, 2);

/* free() for _cleanup_(hf_freep) on any pointer. */
static inline void hf_freep(void *pointer_to_pointer)
{
    void **pointer = pointer_to_pointer;

    free(*pointer);
    *pointer = NULL;
}
