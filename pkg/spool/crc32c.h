/* SPDX-License-Identifier: Apache-2.0 */
/* spool/crc32c.h - CRC-32C (Castagnoli; RFC 3720 B.4, RFC 4960 appendix B). Pure, any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Extends a CRC by bytes[0..n). `crc` is the CRC of all earlier bytes (0 if there are none). The result is a finished
 * CRC (already inverted), which the caller can also pass as `crc` to the next call. */
uint32_t hf_crc32c(uint32_t crc, const void *bytes, size_t n);

/* Returns the same value as hf_crc32c(), but computes with tables only. hf_crc32c() calls this function on processors
 * without a CRC instruction; tests compare the results of both functions. */
uint32_t hf_crc32c_table(uint32_t crc, const void *bytes, size_t n);
