/* SPDX-License-Identifier: Apache-2.0 */
/* Text on the heap, and pointers freed at the end of their scope. Pure. */
#pragma once

#include <stdlib.h>

#include "base/macros.h"

/* The caller frees it. */
char *hf_asprintf(const char *format, ...) HF_PRINTF(1, 2);

/* For _cleanup_(hf_freep) on a pointer variable of any type: frees it and sets it to NULL. */
static inline void hf_freep(void *pointer_to_pointer)
{
    void **pointer = pointer_to_pointer;

    free(*pointer);
    *pointer = NULL;
}
