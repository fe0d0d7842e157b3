/* SPDX-License-Identifier: Apache-2.0 */
/* os/pages.h - gives unused memory of this process back to the system.
 *
 * Threads: any, but no other thread may change code during hf_pages_forget_code(). A debugger loses its breakpoints. */
#pragma once

/* Releases all pages of the running program's code and constants, so that code that ran only at start no longer counts
 * as this process's memory. When the program needs a page again, the kernel maps 64 KiB around the address from the
 * page cache. No data is lost, because the program does not write to these pages. Does nothing if the program wrote to
 * such pages (text relocations), or if the system refuses. */
void hf_pages_forget_code(void);

/* Makes malloc return each block of 128 KiB or more to the system as soon as the program frees the block, and lets
 * realloc() grow such blocks without copying. By default, glibc keeps free blocks up to the size of the largest block
 * that was freed so far, and keeps the gaps between blocks. Call once, at the start of the program. Has no effect with
 * another malloc(). */
void hf_pages_return_blocks(void);
