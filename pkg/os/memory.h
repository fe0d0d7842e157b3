/* SPDX-License-Identifier: Apache-2.0 */
/* Less memory for a process that mostly waits. Loop thread only, except as said.
 *
 * By measurement: one malloc arena per thread, free memory kept after peaks, code mapped for the start. */
#pragma once

#include <stddef.h>

/* One arena, small reserves, mmap from 16 KiB. Before the first thread. */
void hf_memory_frugal(void);

/* Returns free memory. Tens of microseconds. */
void hf_memory_trim_heap(void);

/* Free memory, unwritten file mappings, the stack's unused end. A millisecond: when idle. */
void hf_memory_trim(void);

/* The calling thread's stack, likewise. Microseconds: after a job. */
void hf_memory_trim_thread(void);

/* Bytes that malloc keeps free. */
size_t hf_memory_spare(void);
