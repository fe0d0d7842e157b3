/* SPDX-License-Identifier: Apache-2.0 */
/* delta/images.h - find executable images in a file or an archive, pair old images with new ones, and blank the
 * references in their code. Whenever any part of an image grows, code moves and references change. Matching therefore
 * finds longer and better copies if the references are blank. Used only to create deltas. */
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

/* Finds the ELF images in bytes[0..n), at most DELTA_PAIRS_MAX of them. Finds none if n exceeds UINT32_MAX. Looks only
 * at multiples of 4 bytes, because archives start files only there (tar at multiples of 512, cpio at multiples of 4).
 * Zero *ret_found before the call. Free it with delta_found_done(), also after an error. */
HF_MUST_USE int delta_images_find(const unsigned char *bytes, size_t n, struct delta_found *ret_found,
                                  struct hf_err *err);
void delta_found_done(struct delta_found *found);

/* Sets *ret_blanked to a copy of bytes[0..n) in which the references in the images' code are blank. If a reference
 * leads to a read-only constant, a hash of the constant replaces the reference. Zeros replace all other references. The
 * caller frees the copy. */
HF_MUST_USE int delta_images_blank(const struct delta_found *found, const unsigned char *bytes, size_t n,
                                   unsigned char **ret_blanked, struct hf_err *err);

/* Finds the pairs of images from make->copies, which must be complete. Fills make->pairs, make->old_images and
 * make->new_images. */
HF_MUST_USE int delta_images_pair(struct delta_make *make, const struct delta_found *old,
                                  const struct delta_found *new_found, struct hf_err *err);

/* Makes a sorted map from make->copies, then calls `match` with this map for each pair of images. `match` may change
 * make->copies; the map stays the same. `match` returns 0 or -ENOMEM. */
HF_MUST_USE int delta_images_match_each(struct delta_make *make,
                                        int (*match)(struct delta_make *make, uint32_t pair,
                                                     const struct delta_map *map),
                                        struct hf_err *err);
