/* SPDX-License-Identifier: Apache-2.0 */
/* codec/regex.h - matches the regular expressions of policies (POSIX extended syntax) with bounded memory and time.
 *
 * The C library's matcher builds its automaton while it matches, and a short expression can make it take all memory.
 * This matcher compiles an expression to a small program and follows all possible states of the program at once. So
 * matching allocates no memory, and its time is proportional to the length of the text times the size of the program.
 * For a count such as {5} the program holds five copies of the counted expression, so large or nested counts make large
 * programs; HF_REGEX_MAX_STEPS limits the size of a program.
 *
 * Unlike POSIX, this syntax has no back references, no collating elements ([.x.]) and no equivalence classes ([=x=]).
 * As in the C library, \w \W \s \S \b \B \< \> \` \' work, and a dot does not match the byte 0. The matcher works on
 * bytes. Pure. Threads: any, but only one at a time for one object. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/macros.h"
#include "base/view.h"

enum { HF_REGEX_MAX_STEPS = 512 };

struct hf_regex;

/* Compiles an expression. -EINVAL: the expression is not valid, or uses a feature that is not supported. -E2BIG: the
 * program would be too large. -ENOMEM: out of memory. *err gives the reason as a phrase; the caller can put the name of
 * a field before this phrase. */
HF_MUST_USE int hf_regex_new(const char *text, struct hf_regex **ret_regex, struct hf_err *err);
/* Frees an expression; NULL is allowed. */
void hf_regex_free(struct hf_regex *regex);
HF_DEFINE_CLEANUP(struct hf_regex, hf_regex_free)

/* Returns true if the expression matches the text or a part of it. */
bool hf_regex_matches(struct hf_regex *regex, struct hf_view text);
