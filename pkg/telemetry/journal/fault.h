/* SPDX-License-Identifier: Apache-2.0 */
/* Survives the SIGBUS of an unreadable page of the journal, which libsystemd maps: between begin and end the page
 * becomes zeros. Each thread calls begin and end; the first begin of the process must return before another thread
 * calls begin. */
#pragma once

#include <stdbool.h>

/* Calls nest. */
void hf_journal_fault_begin(void);

/* Whether a page became zeros since this thread's outermost begin. */
bool hf_journal_fault_end(void);
