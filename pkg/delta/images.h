/* delta/images.h - find executable images in a file or an archive, pair old and new ones, and blank the references
 * in their code. Code moves whenever anything grows, so matching finds longer and better copies without references.
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

/* Finds images at every 4th byte, where archives place files (tar: every 512th, cpio: every 4th). */
HF_MUST_USE int delta_images_find(const unsigned char *bytes, size_t n, struct delta_found *ret_found,
                                  struct hf_err *err);
void delta_found_done(struct delta_found *found);

/* Returns a copy of bytes[n] with zeros for the references in the images' code. The caller frees it. */
HF_MUST_USE int delta_images_blank(const struct delta_found *found, const unsigned char *bytes, size_t n,
                                   unsigned char **ret_blanked, struct hf_err *err);

/* Fills make->pairs, make->old_images and make->new_images; make->copies must be complete. */
HF_MUST_USE int delta_images_pair(struct delta_make *make, const struct delta_found *old,
                                  const struct delta_found *new_found, struct hf_err *err);

/* Calls `match` for each pair of images with one sorted map, made of the copies as they are before the first call.
 * `match` returns 0 or -ENOMEM. */
HF_MUST_USE int delta_images_match_each(struct delta_make *make,
                                        int (*match)(struct delta_make *make, uint32_t pair,
                                                     const struct delta_map *map),
                                        struct hf_err *err);
