/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "delta/image/image.h"

/* Reads an ELF's headers. Offsets are positions in `file`. No segments: no little-endian ELF at `offset`, or `file`
 * exceeds UINT32_MAX bytes. Fails on read errors only. */
HF_MUST_USE int delta_image_read(struct delta_old *file, uint64_t offset, uint64_t size, struct delta_image *ret_image,
                                 struct hf_err *err);
