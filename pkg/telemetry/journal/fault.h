/* SPDX-License-Identifier: Apache-2.0 */
/* An unreadable page of the journal, which libsystemd maps, is a SIGBUS. Between begin and end it becomes zeros until
 * unmapped, as in journalctl. Any other SIGBUS keeps its effect; the handler stays. Threads: begin and end in each; the
 * process's first begin returns before another thread's. */
#pragma once

#include <stdbool.h>

/* Nests. */
void hf_journal_fault_begin(void);

/* A page became zeros since this thread's outermost begin. */
bool hf_journal_fault_end(void);
