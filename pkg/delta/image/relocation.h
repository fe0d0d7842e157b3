/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "delta/image/image.h"

/* Returns a hash of type and symbol name of the relocation `p` in `region`; 0: no readable symbol. bytes[0..n): the
 * image's file. Pure. */
uint64_t delta_relocation_key(const struct delta_image *image, const struct delta_region *region,
                              const unsigned char *bytes, size_t n, const unsigned char *p);
