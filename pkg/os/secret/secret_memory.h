/* SPDX-License-Identifier: Apache-2.0 */
/* os/secret/secret_memory.h - memory for the content of a Secret, on pages of its own. Core dumps leave these pages
 * out. The kernel does not write them to swap, unless the process has reached its limit of locked memory.
 * hf_secret_memory_free() overwrites them. Threads: any. */
#pragma once

#include <stddef.h>

/* Returns n bytes of zeros (n > 0), or NULL if memory runs out. Free them with hf_secret_memory_free(). */
void *hf_secret_memory_new(size_t n);
/* Overwrites the bytes, and gives them back to the system. Accepts NULL. */
void hf_secret_memory_free(void *bytes, size_t n);

/* From now on, the kernel writes no core dump of this process, and other processes without special rights cannot read
 * the memory of this process. Has no effect on programs that this process starts. May be called several times. */
void hf_secret_memory_guard(void);
