/* SPDX-License-Identifier: Apache-2.0 */
/* Finds executable images in a file or archive, pairs old with new, and blanks code's references, for longer copies.
 * Creating only. */
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

/* At most DELTA_PAIRS_MAX ELF images, none if n > UINT32_MAX; at multiples of 4 bytes, as in tar and cpio. *ret_found:
 * zeros at first; free it also after an error. */
HF_MUST_USE int delta_images_find(const unsigned char *bytes, size_t n, struct delta_found *ret_found,
                                  struct hf_err *err);
void delta_found_done(struct delta_found *found);

/* A copy, to be freed. References become zeros, those to read-only data the constant's hash. */
HF_MUST_USE int delta_images_blank(const struct delta_found *found, const unsigned char *bytes, size_t n,
                                   unsigned char **ret_blanked, struct hf_err *err);

/* Sets *make's pairs and images by complete make->copies. */
HF_MUST_USE int delta_images_pair(struct delta_make *make, const struct delta_found *old,
                                  const struct delta_found *new_found, struct hf_err *err);

/* Calls `match` (0 or -ENOMEM) for each pair with a sorted map of make->copies, unchanged while `match` changes
 * them. */
HF_MUST_USE int delta_images_match_each(struct delta_make *make,
                                        int (*match)(struct delta_make *make, uint32_t pair,
                                                     const struct delta_map *map),
                                        struct hf_err *err);
