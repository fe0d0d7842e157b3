/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/journal/fault.h - keeps a page of the journal that the disk does not give back from killing the
 * process.
 *
 * libsystemd maps the files of the journal, so such a page is a SIGBUS and not a failed call. Between begin and end
 * such a page of a journal file becomes one of zeros, as journald and journalctl have it: libsystemd then finds the
 * file damaged and goes on with the others. The page goes away with libsystemd's mapping. Every other SIGBUS takes
 * effect as without this module: at another mapping, in another thread, outside of begin and end, or sent by a process.
 *
 * The first begin installs a handler of SIGBUS, which stays. Threads: each thread has a begin and end of its own; the
 * first begin of the process must return before another thread begins. */
#pragma once

#include <stdbool.h>

/* May nest. */
void hf_journal_fault_begin(void);

/* Returns true if a page of this thread has become one of zeros since the outermost begin. */
bool hf_journal_fault_end(void);
