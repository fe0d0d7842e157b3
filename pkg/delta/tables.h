/* delta/tables.h - match tables entry by entry: relocations, symbols, unwind tables. Their bytes are so alike that a matcher of
 * strings points anywhere in them; what an entry is about tells where it belongs. */
#pragma once

#include "delta/create.h"

/* Replace the copies inside such tables of new. -ENOMEM. */
HF_MUST_USE int delta_tables_match(struct delta_make *make, struct hf_err *err);
