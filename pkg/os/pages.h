/* os/pages.h - return memory that a program no longer needs.
 *
 * Threads: any, but no other thread may patch code meanwhile (a debugger loses its breakpoints). */
#pragma once

/* Unmaps all pages of the running program's code and constants. They come back from the page cache on the next
 * access, 64 KiB around each, so code that only the start needed no longer counts as this process's memory. Loses
 * nothing, because these pages are never written; does nothing if they are (text relocations), or if the system
 * refuses. */
void hf_pages_forget_code(void);

/* From now on malloc returns a block of 128 KiB or more to the system when it is freed, and grows it without
 * copying. By default glibc keeps blocks as large as the largest one freed so far, and the gaps between them. Call
 * once, at the start. Has no effect with another malloc(). */
void hf_pages_return_blocks(void);
