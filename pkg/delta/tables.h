/* delta/tables.h - match tables entry by entry: relocations, symbols, unwind tables, Go's tables. Their bytes are so
 * alike that a string matcher matches them anywhere; the symbol or address of an entry identifies it. Creating only. */
#pragma once

#include "delta/create.h"

/* Replaces the copies inside the tables of the new file. -ENOMEM. */
HF_MUST_USE int delta_tables_match(struct delta_make *make, struct hf_err *err);
