/* SPDX-License-Identifier: Apache-2.0 */
/* delta/image/relocation.h - identify relocations by type and symbol. Pure; any thread. */
#pragma once

#include "delta/image/image.h"

/* Identifies the relocation at p by its type and the name of its symbol. bytes[0..n) is the file that holds the image;
 * `region` is the table that contains p. Returns a hash of type and name, or 0 if the relocation has no readable
 * symbol. */
uint64_t delta_relocation_key(const struct delta_image *image, const struct delta_region *region,
                              const unsigned char *bytes, size_t n, const unsigned char *p);
