/* SPDX-License-Identifier: Apache-2.0 */
/* Matches tables (relocations, symbols, unwind tables, Go's) entry by entry, by symbol or address, since their bytes
 * are too alike. */
#pragma once

#include "delta/create.h"

HF_MUST_USE int delta_tables_match(struct delta_make *make, struct hf_err *err);
