/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for a secret: in no core dump and, within the limit of locked memory, not swapped. */
#pragma once

#include <stddef.h>

/* Returns n zero bytes, or NULL; n > 0. */
void *hf_secret_memory_new(size_t n);
void hf_secret_memory_free(void *bytes, size_t n);

/* From now on this process leaves no core dumps, and other unprivileged processes cannot read it. Programs that it
 * executes do not inherit that. */
void hf_secret_memory_guard(void);
