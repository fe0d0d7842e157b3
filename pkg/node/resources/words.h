/* SPDX-License-Identifier: Apache-2.0 */
/* Joins formatted texts in a buffer of fixed size. Pure. */
#pragma once

#include <stddef.h>

#include "base/macros.h"

/* Writes from `at` on, cut to fit; returns the new length. */
size_t hf_words_add(char *text, size_t n, size_t at, const char *format, ...) HF_PRINTF(4, 5);
