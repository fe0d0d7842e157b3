/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for a Secret: not in core dumps, nor in swap within the limit of locked memory. */
#pragma once

#include <stddef.h>

/* Zeros (n > 0). */
void *hf_secret_memory_new(size_t n);
/* Overwrites first. */
void hf_secret_memory_free(void *bytes, size_t n);

/* No core dumps, and no reading by other unprivileged processes, from now on; not for programs that it starts. */
void hf_secret_memory_guard(void);
