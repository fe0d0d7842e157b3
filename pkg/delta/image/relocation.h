/* delta/image/relocation.h - identify relocations by type and symbol. Pure; any thread. */
#pragma once

#include "delta/image/image.h"

/* Returns a hash of the type and the symbol's name of the relocation at p, which lies in `region` of the image in
 * bytes[n]; 0 if it has no symbol. */
uint64_t delta_relocation_key(const struct delta_image *image, const struct delta_region *region,
                              const unsigned char *bytes, size_t n, const unsigned char *p);
