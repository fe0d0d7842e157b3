/* delta/images.h - the creator's side of images: find them in a file or an archive, say which belong together, and blank the
 * references in their code: matching on that finds longer and truer matches, since what an instruction refers to moves
 * whenever anything grows. */
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

/* At every 4th byte, where archives put files (tar: every 512th, cpio: every 4th). */
HF_MUST_USE int delta_images_find(const unsigned char *bytes, size_t n, struct delta_found *ret_found,
                                  struct hf_err *err);
void delta_found_done(struct delta_found *found);

/* A copy (free it) with the references in the images' code zeroed. */
HF_MUST_USE int delta_images_blank(const struct delta_found *found, const unsigned char *bytes, size_t n,
                                   unsigned char **ret_blanked, struct hf_err *err);

/* Fill make->pairs and the images by pair, after its copies are found. */
HF_MUST_USE int delta_images_pair(struct delta_make *make, const struct delta_found *old,
                                  const struct delta_found *new_found, struct hf_err *err);

/* Calls `match` for each pair of images, with a sorted map of the copies as they are before the first call.
 * `match` returns 0 or -ENOMEM. */
HF_MUST_USE int delta_images_match_each(struct delta_make *make,
                                        int (*match)(struct delta_make *make, uint32_t pair,
                                                     const struct delta_map *map),
                                        struct hf_err *err);
