/* os/memory.h - how a process that mostly waits stays small. Process-wide; called by the loop, so that no main() can forget.
 *
 * What was found to cost on a node (glibc, dynamic libcurl with its thirty libraries): one malloc arena for each thread, free
 * memory kept for bursts that do not come again, and the code that ran once at start and stays mapped as ours. */
#pragma once

#include <stddef.h>

/* Before threads are made: one arena, small reserves, big buffers by mmap so that freeing them gives them back. */
void hf_memory_frugal(void);

/* Give back what is free, and unmap file pages that were not written to; code that is used comes back from the page cache by
 * itself. For quiet moments: takes about a millisecond. */
void hf_memory_trim(void);

/* Bytes that malloc keeps for later. */
size_t hf_memory_spare(void);
