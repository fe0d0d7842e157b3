/* spool/crc32c.h - CRC-32C (Castagnoli; RFC 3720 B.4, RFC 4960 appendix B). Pure, any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Returns the CRC of all bytes so far and n more bytes. `crc` is the CRC of the bytes so far (0 means none). The result
 * is final (already inverted), and also the `crc` to pass to the next call. */
uint32_t hf_crc32c(uint32_t crc, const void *bytes, size_t n);

/* Returns the same value as hf_crc32c(), but computes with tables only. Processors without a CRC instruction need this
 * function; tests compare hf_crc32c() with it. */
uint32_t hf_crc32c_table(uint32_t crc, const void *bytes, size_t n);
