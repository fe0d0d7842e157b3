/* spool/crc32c.h - CRC-32C (Castagnoli; RFC 3720 B.4, RFC 4960 appendix B). Pure, any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Returns the CRC of n more bytes, continued from `crc` (0 to start). The result is final (already
 * inverted); pass it as `crc` of the next call to continue. */
uint32_t hf_crc32c(uint32_t crc, const void *bytes, size_t n);

/* Returns the value of hf_crc32c(), computed with tables only. Processors without a CRC instruction need this function;
 * tests compare hf_crc32c() with it. */
uint32_t hf_crc32c_table(uint32_t crc, const void *bytes, size_t n);
