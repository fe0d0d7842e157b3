/* telemetry/event/siphash.h - SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): 64 bits of some bytes under a
 * key. Who does not know the key cannot choose bytes whose hash is another's. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t hf_siphash(const uint64_t key[static 2], const void *bytes, size_t n);
