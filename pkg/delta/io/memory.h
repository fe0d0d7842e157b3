/* delta/io/memory.h - an old file in memory, behind the reader that applying uses. Creating only. */
#pragma once

#include "delta/io/wire.h"

struct delta_memory {
    struct hf_delta_memory bytes;
    struct hf_delta_old file;
    struct delta_old reader;
};

/* Borrows bytes[n]. `memory` must not move while its reader is in use. */
void delta_memory_open(struct delta_memory *memory, const unsigned char *bytes, size_t n);
