/* SPDX-License-Identifier: Apache-2.0 */
/* Predicts codes and kinds of blocks for two families of encoders. Pure. */
#pragma once

#include "pack/deflate/deflate.h"

void deflate_gzip_predict(const uint32_t literal[DEFLATE_LITERALS], const uint32_t distance[DEFLATE_DISTANCES],
                          struct deflate_prediction *ret_prediction);
enum deflate_kind deflate_gzip_kind(const struct deflate_prediction *prediction, uint64_t content_n, bool has_content);

void deflate_go_predict(const uint32_t literal[DEFLATE_LITERALS], const uint32_t distance[DEFLATE_DISTANCES], bool all,
                        struct deflate_prediction *ret_prediction);
enum deflate_kind deflate_go_kind(const struct deflate_prediction *prediction, uint64_t content_n, bool has_content);
