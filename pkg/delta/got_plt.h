/* SPDX-License-Identifier: Apache-2.0 */
/* Match .got and .plt entry by entry: entries look alike, relocations name their symbols, and code refers to them
 * everywhere. Creating only. */
#pragma once

#include "delta/create.h"

/* Replaces the copies inside .got or .plt of the new file; keeps those of a table without any match. */
HF_MUST_USE int delta_got_plt_match(struct delta_make *make, struct hf_err *err);
