/* SPDX-License-Identifier: Apache-2.0 */
/* os/memory.h - limits the memory of a process that waits most of the time. These functions affect the whole process.
 * pkg/loop calls them, so main() does not have to. Threads: loop thread only.
 *
 * Measurements on a node (glibc, dynamic libcurl with its thirty libraries) show that three things cost memory: one
 * malloc arena for each thread, free memory that malloc keeps after a peak of usage, and mapped pages of code that ran
 * only at start. */
#pragma once

#include <stddef.h>

/* Limits malloc to one arena and small reserves. Makes malloc use mmap for buffers of 64 KiB or more, so that free()
 * returns such buffers to the system. Call before the first thread starts. */
void hf_memory_frugal(void);

/* Returns free memory to the system, and releases the pages of those read-only file mappings to which the process has
 * not written. When code on such a page runs again, the kernel maps the page from the page cache. Takes about a
 * millisecond, so call it when the process is idle. */
void hf_memory_trim(void);

/* Returns the number of free bytes that malloc keeps instead of returning them to the system. */
size_t hf_memory_spare(void);
