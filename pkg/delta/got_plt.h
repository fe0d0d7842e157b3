/* SPDX-License-Identifier: Apache-2.0 */
/* delta/got_plt.h - match the global offset table (.got) and the procedure linkage table (.plt) entry by entry. The
 * entries of these tables look alike, but relocations name the symbol of each entry. References to the entries occur
 * all over the code, so a wrong match is expensive. Used only to create deltas. */
#pragma once

#include "delta/create.h"

/* In make->copies, replaces the copies that lie inside .got or .plt of the new file by copies from matching entries. If
 * no entry of a table matches, keeps the copies in that table. Errors: -ENOMEM. */
HF_MUST_USE int delta_got_plt_match(struct delta_make *make, struct hf_err *err);
