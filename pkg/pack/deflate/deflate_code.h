/* SPDX-License-Identifier: Apache-2.0 */
/* pack/deflate/deflate_code.h - how each family of encoders chooses codes and block kinds, for the dispatch in
 * deflate_code.c. Pure. */
#pragma once

#include "pack/deflate/deflate.h"

/* Implement deflate_predict() and deflate_predict_kind() for the encoders of gzip and zlib (deflate_code_gzip.c). */
void deflate_gzip_predict(const uint32_t literal[DEFLATE_LITERALS], const uint32_t distance[DEFLATE_DISTANCES],
                          struct deflate_prediction *ret_prediction);
enum deflate_kind deflate_gzip_kind(const struct deflate_prediction *prediction, uint64_t content_n, bool has_content);

/* Implement deflate_predict() and deflate_predict_kind() for the encoders written in Go (deflate_code_go.c). If `all`
 * is true, the block's header describes every code length, used or not. */
void deflate_go_predict(const uint32_t literal[DEFLATE_LITERALS], const uint32_t distance[DEFLATE_DISTANCES], bool all,
                        struct deflate_prediction *ret_prediction);
enum deflate_kind deflate_go_kind(const struct deflate_prediction *prediction, uint64_t content_n, bool has_content);
