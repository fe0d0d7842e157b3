/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs that the node has, in folders with blobs/sha256/: read, never written. Blocks briefly. Threads: any. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { HF_MIRROR_STORES = 8 };

/* A regular file of that name, or -1. */
int hf_mirror_store_open(char *const *stores, const char *sha256, uint64_t *ret_size);
/* `size` UINT64_MAX: any. */
bool hf_mirror_store_has(char *const *stores, const char *sha256, uint64_t size);
/* Appends a blob of at most text->max bytes whose digest is right; false: there is none. */
bool hf_mirror_store_read(char *const *stores, const char *sha256, struct hf_buf *text);
