/* spool/crc32c.h - CRC-32C (Castagnoli; RFC 3720 B.4, RFC 4960 appendix B). Pure, any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Returns the CRC of n more bytes, continued from `crc` (0 to start). Values are final (inverted), so calls can be
 * chained. */
uint32_t hf_crc32c(uint32_t crc, const void *bytes, size_t n);

/* Computes the same with tables only: the reference for tests, and for processors without the instruction. */
uint32_t hf_crc32c_table(uint32_t crc, const void *bytes, size_t n);
