/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (Castagnoli; RFC 3720 B.4). Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* `crc`: result for all earlier bytes, or 0. */
uint32_t hf_crc32c(uint32_t crc, const void *bytes, size_t n);

uint32_t hf_crc32c_table(uint32_t crc, const void *bytes, size_t n);
