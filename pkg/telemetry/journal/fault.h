/* SPDX-License-Identifier: Apache-2.0 */
/* An unreadable page of the journal, which libsystemd maps, is a SIGBUS: between begin and end it becomes zeros until
 * unmapped, as in journalctl: the file is damaged, others go on. Any other SIGBUS keeps its effect; the handler stays.
 * Threads: begin and end in each; the process's first begin returns before another thread's. */
#pragma once

#include <stdbool.h>

/* Nests. */
void hf_journal_fault_begin(void);

/* A page of this thread became zeros since the outermost begin. */
bool hf_journal_fault_end(void);
