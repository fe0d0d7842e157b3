/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "delta/create.h"

/* Replaces copies in .got and .plt of the new file by copies of single entries, paired mostly by their relocations'
 * symbols, since entries look alike. Leaves a table without pairs alone. */
HF_MUST_USE int delta_got_plt_match(struct delta_make *make, struct hf_err *err);
