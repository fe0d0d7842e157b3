/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/image/relocation.h"

#include <elf.h>

#include "base/endian.h"

uint64_t delta_relocation_key(const struct delta_image *image, const struct delta_region *region,
                              const unsigned char *bytes, size_t n, const unsigned char *p)
{
    bool wide = region->kind == DELTA_REGION_RELA;
    uint64_t number = wide ? hf_le(p + 12, 4) : hf_le(p + 5, 3), type = wide ? hf_le(p + 8, 4) : p[4];
    uint64_t entry = wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym), hash = 14695981039346656037u, strings = 0;

    for (unsigned i = 0; i < image->regions_n; i++)
        if (image->regions[i].kind == DELTA_REGION_SYMBOLS && image->regions[i].offset == region->link)
            strings = image->regions[i].link;
    uint64_t symbol = region->link + number * entry;
    if (number == 0 || strings == 0 || symbol > n || n - symbol < entry)
        return 0;
    for (uint64_t at = strings + hf_le(bytes + symbol, 4); at < n && bytes[at] != 0; at++)
        hash = (hash ^ bytes[at]) * 1099511628211u;
    hash = (hash ^ type) * 1099511628211u;
    return hash != 0 ? hash : 1;
}
