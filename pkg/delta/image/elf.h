/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "delta/image/image.h"

/* Reads the headers and Go's tables of the ELF image at `offset`. Positions are in `file`. Sets no segments if there is
 * no little-endian ELF, or if `file` exceeds UINT32_MAX bytes. Fails only if reading fails. */
HF_MUST_USE int delta_image_read(struct delta_old *file, uint64_t offset, uint64_t size, struct delta_image *ret_image,
                                 struct hf_err *err);
