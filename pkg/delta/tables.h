/* SPDX-License-Identifier: Apache-2.0 */
/* Match tables (relocations, symbols, unwind tables, Go's) by the symbol or address in an entry: their bytes are too
 * alike. Creating only. */
#pragma once

#include "delta/create.h"

HF_MUST_USE int delta_tables_match(struct delta_make *make, struct hf_err *err);
