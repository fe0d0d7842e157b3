/* SPDX-License-Identifier: Apache-2.0 */
/* Offers an old file in memory to readers of old files. */
#pragma once

#include "delta/io/wire.h"

struct delta_memory {
    struct hf_delta_memory bytes;
    struct hf_delta_old file;
    struct delta_old reader;
};

/* Borrows the bytes. Do not move *memory. */
void delta_memory_open(struct delta_memory *memory, const unsigned char *bytes, size_t n);
