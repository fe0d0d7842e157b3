/* SPDX-License-Identifier: Apache-2.0 */
/* delta/io/memory.h - let struct delta_old, the reader that applying uses, read an old file that is in memory. Used
 * only to create deltas. */
#pragma once

#include "delta/io/wire.h"

struct delta_memory {
    struct hf_delta_memory bytes;
    struct hf_delta_old file;
    struct delta_old reader;
};

/* Opens a reader of bytes[0..n), and borrows these bytes. Do not move *memory while memory->reader is in use. */
void delta_memory_open(struct delta_memory *memory, const unsigned char *bytes, size_t n);
