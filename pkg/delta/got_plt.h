/* delta/got_plt.h - match the global offset table (.got) and the procedure linkage table (.plt) entry by entry.
 * Their entries look alike, but relocations name the symbol of each. Code everywhere refers to these entries, so a
 * wrong match is expensive. Creating only. */
#pragma once

#include "delta/create.h"

/* Replaces the copies inside these tables of the new file. -ENOMEM. */
HF_MUST_USE int delta_got_plt_match(struct delta_make *make, struct hf_err *err);
