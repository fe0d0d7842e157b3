/* SPDX-License-Identifier: Apache-2.0 */
/* support/mark.h - a test's own process: what its end tells, and what it does not search.
 *
 * The place of the last check that passed is kept without a message for each.
 *
 * Check writes a message to a file for each ck_assert() that passes, and reads them all back when the test has ended,
 * only to say of a test that died where it was last. A table of 30,000 rows spends nine tenths of its time there. The
 * link puts mark.c in the place of that (hack/make/flavour.mk): the place stays in memory, and one message tells it if
 * the test dies of a signal, of its limit of processor time, or of what a sanitizer found. */
#pragma once

#include <stdbool.h>

/* To be called in the test's process, before the test. A death in one that other tests share, which takes Check with
 * it, prints the place. */
void hf_mark_at_death(bool has_own_process);

/* To be called there too: the process ends without the sanitizer's search for leaks, 6 ms, if the heap then has as many
 * bytes as at this call. What else it has to do at its end (atexit(3), open streams) is done. */
void hf_no_search_without_leaks(void);
