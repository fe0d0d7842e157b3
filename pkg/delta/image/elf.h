/* SPDX-License-Identifier: Apache-2.0 */
/* delta/image/elf.h - read the headers of an ELF file into a struct delta_image. */
#pragma once

#include "delta/image/image.h"

/* Reads the image at [offset, offset + size) of `file`; all offsets in *ret_image are positions in the whole file. The
 * result is an image without segments if these bytes are not a little-endian ELF file, or if `file` is larger than
 * UINT32_MAX bytes. Returns an error only if reading the file fails. */
HF_MUST_USE int delta_image_read(struct delta_old *file, uint64_t offset, uint64_t size, struct delta_image *ret_image,
                                 struct hf_err *err);
