/* os/memory.h - settings that keep a process small if it mostly waits. They apply to the whole process; the loop
 * calls them, so that no main() can forget to. Threads: the loop's.
 *
 * Measured on a node (glibc, dynamic libcurl with its thirty libraries), three things cost memory: one malloc arena
 * for each thread, free memory kept for bursts that do not come again, and code that ran once at start and stays
 * mapped as ours. */
#pragma once

#include <stddef.h>

/* Sets one arena, small reserves, and mmap for big buffers, so that freeing them returns them. Call before the first
 * thread starts. */
void hf_memory_frugal(void);

/* Returns free memory to the system, and unmaps file pages that were never written; code in use comes back from the
 * page cache by itself. Takes about a millisecond: call when the process is idle. */
void hf_memory_trim(void);

/* Returns the number of bytes that malloc keeps for later. */
size_t hf_memory_spare(void);
