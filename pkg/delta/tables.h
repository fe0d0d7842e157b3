/* SPDX-License-Identifier: Apache-2.0 */
/* Matches tables (relocations, symbols, unwind tables, Go's) by entries' symbols or addresses: their bytes are too
 * alike. Creating only. */
#pragma once

#include "delta/create.h"

HF_MUST_USE int delta_tables_match(struct delta_make *make, struct hf_err *err);
