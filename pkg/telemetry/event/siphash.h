/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-2-4 (Aumasson and Bernstein, 2012). */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t hf_siphash(const uint64_t key[static 2], const void *bytes, size_t n);
