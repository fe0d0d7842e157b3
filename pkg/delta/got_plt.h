/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "delta/create.h"

/* Replaces copies inside the new file's .got or .plt by matches of entries; keeps a table without any. Entries look
 * alike; relocations name their symbols. Creating only. */
HF_MUST_USE int delta_got_plt_match(struct delta_make *make, struct hf_err *err);
