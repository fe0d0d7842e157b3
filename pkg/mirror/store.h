/* SPDX-License-Identifier: Apache-2.0 */
/* The node's blobs, in folders with blobs/sha256/: read only. Blocks briefly. Threads: any. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { HF_MIRROR_STORES = 8 };

/* Opens a regular file; -1: none. */
int hf_mirror_store_open(char *const *stores, const char *sha256, uint64_t *ret_size);
/* `size` UINT64_MAX: any. */
bool hf_mirror_store_has(char *const *stores, const char *sha256, uint64_t size);
/* Appends a blob of right digest that fits text->max; false: none. */
bool hf_mirror_store_read(char *const *stores, const char *sha256, struct hf_buf *text);
