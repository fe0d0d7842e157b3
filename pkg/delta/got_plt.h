/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "delta/create.h"

/* Replaces copies in .got and .plt of the new file by matches of single entries, by their relocations' symbols, since
 * entries look alike. Leaves a table without matches alone. Creating only. */
HF_MUST_USE int delta_got_plt_match(struct delta_make *make, struct hf_err *err);
