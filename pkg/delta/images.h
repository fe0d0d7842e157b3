/* SPDX-License-Identifier: Apache-2.0 */
/* Find executable images in a file or an archive, pair old with new ones, and blank the references in their code:
 * matching then finds longer copies. Creating only. */
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

/* At most DELTA_PAIRS_MAX ELF images, none beyond UINT32_MAX bytes; only at multiples of 4 bytes, as in tar and cpio.
 * Zero *ret_found; free it also after an error. */
HF_MUST_USE int delta_images_find(const unsigned char *bytes, size_t n, struct delta_found *ret_found,
                                  struct hf_err *err);
void delta_found_done(struct delta_found *found);

/* A copy that the caller frees. A hash of the constant replaces a reference to read-only data, zeros replace others. */
HF_MUST_USE int delta_images_blank(const struct delta_found *found, const unsigned char *bytes, size_t n,
                                   unsigned char **ret_blanked, struct hf_err *err);

/* Fills make->pairs, old_images and new_images from the complete make->copies. */
HF_MUST_USE int delta_images_pair(struct delta_make *make, const struct delta_found *old,
                                  const struct delta_found *new_found, struct hf_err *err);

/* Calls `match` (0 or -ENOMEM) for each pair with a sorted map of make->copies, which stays the same while `match`
 * changes them. */
HF_MUST_USE int delta_images_match_each(struct delta_make *make,
                                        int (*match)(struct delta_make *make, uint32_t pair,
                                                     const struct delta_map *map),
                                        struct hf_err *err);
