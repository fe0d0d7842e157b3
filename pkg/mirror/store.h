/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the node's blobs, in folders with blobs/sha256/. Blocks briefly. Threads: any. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { HF_MIRROR_STORES = 8 };

/* Opens a blob that is a regular file. Returns -1 if there is none. */
int hf_mirror_store_open(char *const *stores, const char *sha256, uint64_t *ret_size);
/* `size` UINT64_MAX matches any size. */
bool hf_mirror_store_has(char *const *stores, const char *sha256, uint64_t size);
/* Appends a non-empty blob. Returns false if there is none with a right digest that fits text->max. */
bool hf_mirror_store_read(char *const *stores, const char *sha256, struct hf_buf *text);
