/* SPDX-License-Identifier: Apache-2.0 */
/* delta/tables.h - match tables entry by entry: relocations, symbols, unwind tables, Go's tables. The entries of a
 * table are so alike that matching by bytes would pair arbitrary entries. So the functions pair entries by the symbol
 * or the address in them. Used only to create deltas. */
#pragma once

#include "delta/create.h"

/* In make->copies, replaces the copies that lie inside tables of the new file by copies from matching entries. Errors:
 * -ENOMEM. */
HF_MUST_USE int delta_tables_match(struct delta_make *make, struct hf_err *err);
