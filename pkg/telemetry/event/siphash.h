/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/event/siphash.h - SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): a 64-bit
 * hash with a secret key. Without the key nobody can choose different bytes with equal hashes. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t hf_siphash(const uint64_t key[static 2], const void *bytes, size_t n);
