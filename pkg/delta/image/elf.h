/* SPDX-License-Identifier: Apache-2.0 */
/* Read the headers of an ELF file into a struct delta_image. */
#pragma once

#include "delta/image/image.h"

/* Offsets in *ret_image are positions in `file`. No segments without a little-endian ELF at `offset`,
 * or if `file` exceeds UINT32_MAX bytes. Only read errors. */
HF_MUST_USE int delta_image_read(struct delta_old *file, uint64_t offset, uint64_t size, struct delta_image *ret_image,
                                 struct hf_err *err);
