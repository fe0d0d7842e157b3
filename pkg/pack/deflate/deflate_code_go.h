/* pack/deflate/deflate_code_go.h - codes as the encoders written in Go make them: what differs from the gzip family. Pure. */
#pragma once

#include "pack/deflate/deflate.h"

/* The shortest code of at most max_bits for these frequencies; 0 for those that do not occur. */
void deflate_go_lengths(const uint32_t *freq, unsigned n, unsigned max_bits, uint8_t *lengths);

/* As deflate_plan(). `all`: every length is described, used or not. */
void deflate_go_plan(const uint32_t literal[DEFLATE_LITERALS], const uint32_t distance[DEFLATE_DISTANCES], bool all,
                     struct deflate_plan *ret_plan);
enum deflate_kind deflate_go_plan_kind(const struct deflate_plan *plan, uint64_t content_n, bool has_content);
