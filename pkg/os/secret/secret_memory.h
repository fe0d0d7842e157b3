/* SPDX-License-Identifier: Apache-2.0 */
/* For a Secret: no core dumps; no swap within the limit of locked memory. */
#pragma once

#include <stddef.h>

/* Zeros; n > 0. */
void *hf_secret_memory_new(size_t n);
void hf_secret_memory_free(void *bytes, size_t n);

/* From now on no core dumps, and no reading by other unprivileged processes. Children do not inherit it. */
void hf_secret_memory_guard(void);
