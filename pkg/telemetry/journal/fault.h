/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/journal/fault.h - keeps an unreadable page of the journal from killing the process.
 *
 * libsystemd maps the journal, so such a page is a SIGBUS. Between begin and end it becomes zeros until it is unmapped,
 * as in journalctl: the file is then damaged and the others continue. Every other SIGBUS keeps its effect. The handler
 * stays. Threads: a begin and end for each; the process's first begin must return before another thread begins. */
#pragma once

#include <stdbool.h>

/* May nest. */
void hf_journal_fault_begin(void);

/* True if a page of this thread became zeros since the outermost begin. */
bool hf_journal_fault_end(void);
