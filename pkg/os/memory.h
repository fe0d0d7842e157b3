/* SPDX-License-Identifier: Apache-2.0 */
/* Saves memory in a process that mostly waits; does nothing with musl. Loop thread only, except as said. */
#pragma once

#include <stddef.h>

/* Gives malloc one arena, small reserves, and mmap from 4 pages (at most 64 KiB). Call it before the first thread
 * starts. */
void hf_memory_frugal(void);

/* Gives free memory back to the kernel. */
void hf_memory_trim_heap(void);

/* Gives back free memory, unwritten file mappings, and the stack's unused end. Takes a millisecond: call it when
 * idle. */
void hf_memory_trim(void);

/* Gives back the unused end of the calling thread's stack. Call it after a job. */
void hf_memory_trim_thread(void);

size_t hf_memory_spare(void);
