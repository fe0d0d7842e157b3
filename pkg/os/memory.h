/* SPDX-License-Identifier: Apache-2.0 */
/* Limits the memory of a process that mostly waits. Loop thread only, except as said.
 *
 * Measured on a node: one malloc arena per thread, free memory kept after a peak, and mapped code that ran only at
 * start. */
#pragma once

#include <stddef.h>

/* One arena, small reserves, mmap from 64 KiB on. Before the first thread. */
void hf_memory_frugal(void);

/* Returns free memory, unwritten file mappings and the unused end of the stack to the system. About a millisecond: when
 * idle. */
void hf_memory_trim(void);

/* In a thread other than the first: returns the unused end of its stack to the system. Microseconds: after a job. */
void hf_memory_trim_thread(void);

/* Free bytes that malloc keeps. */
size_t hf_memory_spare(void);
