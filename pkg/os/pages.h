/* os/pages.h - memory that a program no longer needs.
 *
 * Threads: any, but none may run that patches code (a debugger's breakpoints are lost). */
#pragma once

/* Unmap the pages of the running program's code and constants that were touched so far. They come back from the page cache as they are
 * touched again, 64 KiB around each: what only starting needed no longer counts as this process's memory. Nothing is lost, as such
 * pages are never written; where that is not so, or the system refuses, nothing happens. */
void hf_pages_forget_code(void);

/* From now on a block of 128 KiB and more is the system's again once it is freed, and grows without being copied. glibc would keep
 * blocks as large as the largest one freed so far, and what is left between them. Nothing happens where malloc() is another one. Once, at
 * a program's start. */
void hf_pages_return_blocks(void);
