/* delta/tables.h - match tables entry by entry: relocations, symbols, unwind tables, Go's tables. The entries are so
 * alike that a match by bytes pairs arbitrary entries. The symbol or address in an entry identifies that entry. Used
 * only to create deltas. */
#pragma once

#include "delta/create.h"

/* In make->copies, replaces the copies that lie inside tables of the new file by copies from matching entries. Errors:
 * -ENOMEM. */
HF_MUST_USE int delta_tables_match(struct delta_make *make, struct hf_err *err);
