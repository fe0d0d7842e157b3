/* SPDX-License-Identifier: Apache-2.0 */
/* support/makers/tarball.h - tar archives byte by byte, good ones and such as no program makes, and their gzip form. */
#pragma once

#include <stdint.h>

#include "base/buf.h"

/* Appends a header block: `type` as in the tar format ('0' file, '5' folder, '2' symbolic link, 'x', 'g', ...). `size` may be
 * a lie. */
void hf_tarball_head(struct hf_buf *tar, const char *name, char type, uint64_t size, const char *target);
/* Appends a header and a content, filled up to whole blocks. */
void hf_tarball_add(struct hf_buf *tar, const char *name, char type, const void *content, size_t n);
void hf_tarball_file(struct hf_buf *tar, const char *name, const char *content);
/* Appends a pax header of `type` ('x' or 'g') with one record. */
void hf_tarball_pax(struct hf_buf *tar, char type, const char *key, const char *value);
void hf_tarball_zeros(struct hf_buf *tar, size_t n);
void hf_tarball_end(struct hf_buf *tar); /* two blocks of zeros */
void hf_tarball_gzip(const struct hf_buf *tar, struct hf_buf *ret_gz);
