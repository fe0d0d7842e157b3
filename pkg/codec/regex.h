/* codec/regex.h - regular expressions of policies: POSIX extended, matched with bounded memory and time.
 *
 * The C library's matcher builds its automaton while it matches, and a short expression can make it take all memory.
 * This one follows all possible states of a small program at once: matching takes no memory, and time in proportion to
 * the length of the text times the size of the program. A count writes its operand several times, so large or nested
 * counts make large programs; HF_REGEX_MAX_STEPS bounds them.
 *
 * Differs from POSIX: no back references, collating elements ([.x.]) and equivalence classes ([=x=]). As in the C
 * library, \w \W \s \S \b \B \< \> \` \' work and a dot does not match the byte 0. Works on bytes. Pure. Threads: one
 * at a time for each object. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/macros.h"
#include "base/view.h"

enum { HF_REGEX_MAX_STEPS = 512 };

struct hf_regex;

/* Compiles an expression. -EINVAL: it is not valid, or uses what is not supported. -E2BIG: its program is too large.
 * -ENOMEM. *err says why in words that fit behind the name of a field. */
HF_MUST_USE int hf_regex_new(const char *text, struct hf_regex **ret_regex, struct hf_err *err);
/* Frees it; NULL is allowed. */
void hf_regex_free(struct hf_regex *regex);
HF_DEFINE_CLEANUP(struct hf_regex, hf_regex_free)

/* Returns true if the expression matches the text or a part of it. */
bool hf_regex_matches(struct hf_regex *regex, struct hf_view text);
