/* SPDX-License-Identifier: Apache-2.0 */
/* Identify relocations by type and symbol. Pure. */
#pragma once

#include "delta/image/image.h"

/* A hash of type and symbol's name at `p` in `region`; 0: no readable symbol. bytes[0..n) is the file of the image. */
uint64_t delta_relocation_key(const struct delta_image *image, const struct delta_region *region,
                              const unsigned char *bytes, size_t n, const unsigned char *p);
