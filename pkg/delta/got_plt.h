/* delta/got_plt.h - match the offset table and the linkage table: their words and entries are all alike, but relocations tell which
 * symbol each is for. Where a slot went is what all code that uses it refers to. */
#pragma once

#include "delta/create.h"

/* Replace the copies inside such tables of new. -ENOMEM. */
HF_MUST_USE int delta_got_plt_match(struct delta_make *make, struct hf_err *err);

/* What the relocation at p, in that region of the image in bytes[n], is about: its type and the name of its symbol; 0: it has no
 * symbol. */
uint64_t delta_relocation_key(const struct delta_image *image, const struct delta_region *region,
                              const unsigned char *bytes, size_t n, const unsigned char *p);
