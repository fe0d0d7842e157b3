/* SPDX-License-Identifier: Apache-2.0 */
/* Finds executable images in a file or archive, pairs old with new ones, and blanks references in their code, so that
 * copies get longer. */
#pragma once

#include "delta/cm/model.h"
#include "delta/create.h"

struct delta_found_image {
    uint32_t offset, size;
    struct delta_image image;
};

struct delta_found {
    struct delta_found_image *p;
    uint32_t n, cap;
};

/* Finds most ELF images at multiples of 4 bytes, as in tar and cpio: DELTA_PAIRS_MAX at most, none if n > UINT32_MAX.
 * *ret_found begins with zeros; free it also after an error. */
HF_MUST_USE int delta_images_find(const unsigned char *bytes, size_t n, struct delta_found *ret_found,
                                  struct hf_err *err);
void delta_found_done(struct delta_found *found);

/* Makes a copy, to be freed. Most references in its code become zeros or, for some to read-only data, a hash of the
 * constant there. */
HF_MUST_USE int delta_images_blank(const struct delta_found *found, const unsigned char *bytes, size_t n,
                                   unsigned char **ret_blanked, struct hf_err *err);

/* Sets make->pairs and both images from make->copies, which must be complete. */
HF_MUST_USE int delta_images_pair(struct delta_make *make, const struct delta_found *old,
                                  const struct delta_found *new_found, struct hf_err *err);

/* Calls `match` (returns 0 or -ENOMEM) for each pair, with a sorted map of make->copies, which stays as it was while
 * `match` changes the copies. */
HF_MUST_USE int delta_images_match_each(struct delta_make *make,
                                        int (*match)(struct delta_make *make, uint32_t pair,
                                                     const struct delta_map *map),
                                        struct hf_err *err);
