/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdlib.h>

#include "base/macros.h"

char *hf_asprintf(const char *format, ...) HF_PRINTF(1, 2);

/* With _cleanup_(hf_freep): frees a pointer of any type, and sets it to NULL. */
static inline void hf_freep(void *pointer_to_pointer)
{
    void **pointer = pointer_to_pointer;

    free(*pointer);
    *pointer = NULL;
}
