/* SPDX-License-Identifier: Apache-2.0 */
/* Own code instead of OpenSSL's: resuming a hash of hundreds of megabytes after a power cut needs the midstate, which
 * EVP does not export, and libcrypto alone takes more memory than the limit for applying a delta. Uses the SHA
 * instructions of processors that have them. */
#include "codec/sha256.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/encoding/hex.h"
#include "base/endian.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#include <sys/auxv.h>
#endif

struct sha256_state {
    uint32_t h[8];
    uint64_t n; /* bytes so far; n % 64 of them are pending */
    unsigned char pending[64];
};

_Static_assert(sizeof(struct sha256_state) <= sizeof(struct hf_sha256), "room for the state");

static struct sha256_state *state_of(struct hf_sha256 *hash)
{
    return (struct sha256_state *)(void *)hash->opaque;
}

static const uint32_t round_constant[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

/* One round of FIPS 180-4, 6.2.2. The eight working variables stay in place: the standard's a is v[-t & 7] in round t,
 * b is the next, and so on. Where the compiler knows t they are registers. */
static HF_ALWAYS_INLINE void round_plain(uint32_t v[8], unsigned t, uint32_t w_and_constant)
{
    uint32_t a = v[-t & 7], b = v[(1 - t) & 7], c = v[(2 - t) & 7];
    uint32_t e = v[(4 - t) & 7], f = v[(5 - t) & 7], g = v[(6 - t) & 7];
    uint32_t t1 =
        v[(7 - t) & 7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + w_and_constant;
    uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));

    v[(3 - t) & 7] += t1;
    v[(7 - t) & 7] = t1 + t2;
}

/* FIPS 180-4, 6.2.2, block after block. */
static void blocks_plain(uint32_t *h, const unsigned char *p, size_t blocks)
{
    uint32_t w[64];

    for (; blocks > 0; blocks--, p += 64) {
        uint32_t v[8];
        for (unsigned t = 0; t < 16; t++)
            w[t] = hf_be32(p + (size_t)t * 4);
        for (unsigned t = 16; t < 64; t++)
            w[t] = (rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10) + w[t - 7] +
                   (rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3) + w[t - 16];
        memcpy(v, h, sizeof(v));
        for (unsigned t = 0; t < 64; t += 8) {
#pragma GCC unroll 8
            for (unsigned i = 0; i < 8; i++)
                round_plain(v, i, w[t + i] + round_constant[t + i]);
        }
        for (unsigned i = 0; i < 8; i++)
            h[i] += v[i];
    }
}

#if defined(__x86_64__)

/* The SHA extensions keep the state as two registers {a b e f} and {c d g h}, and do two rounds at a time. */
__attribute__((target("sha,sse4.1"))) static void blocks_fast(uint32_t *h, const unsigned char *p, size_t blocks)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)h);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(const void *)(h + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);

    for (; blocks > 0; blocks--, p += 64) {
        __m128i abef_before = abef, cdgh_before = cdgh, w[4];
#pragma GCC unroll 4
        for (unsigned i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + (size_t)16 * i)), swap);
#pragma GCC unroll 16
        for (unsigned i = 0; i < 16; i++) {
            __m128i now = w[i & 3];
            if (i >= 4) {
                now = _mm_sha256msg1_epu32(now, w[(i + 1) & 3]);
                now = _mm_add_epi32(now, _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4));
                now = w[i & 3] = _mm_sha256msg2_epu32(now, w[(i + 3) & 3]);
            }
            now = _mm_add_epi32(now, _mm_loadu_si128((const __m128i *)(const void *)(round_constant + (size_t)4 * i)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, now);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(now, 0x0e));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)h, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(h + 4), _mm_alignr_epi8(dchg, feba, 8));
}

static bool have_fast(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;

    if (!__builtin_cpu_supports("sse4.1") || !__builtin_cpu_supports("ssse3"))
        return false;
    __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(0));
    return (b >> 29 & 1) != 0;
}

#elif defined(__aarch64__)

__attribute__((target("+crypto"))) static void blocks_fast(uint32_t *h, const unsigned char *p, size_t blocks)
{
    uint32x4_t abcd = vld1q_u32(h), efgh = vld1q_u32(h + 4);

    for (; blocks > 0; blocks--, p += 64) {
        uint32x4_t abcd_before = abcd, efgh_before = efgh, w[4];
#pragma GCC unroll 4
        for (unsigned i = 0; i < 4; i++)
            w[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(p + (size_t)16 * i)));
#pragma GCC unroll 16
        for (unsigned i = 0; i < 16; i++) {
            if (i >= 4)
                w[i & 3] = vsha256su1q_u32(vsha256su0q_u32(w[i & 3], w[(i + 1) & 3]), w[(i + 2) & 3], w[(i + 3) & 3]);
            uint32x4_t now = vaddq_u32(w[i & 3], vld1q_u32(round_constant + (size_t)4 * i)), abcd_now = abcd;
            abcd = vsha256hq_u32(abcd, efgh, now);
            efgh = vsha256h2q_u32(efgh, abcd_now, now);
        }
        abcd = vaddq_u32(abcd, abcd_before);
        efgh = vaddq_u32(efgh, efgh_before);
    }
    vst1q_u32(h, abcd);
    vst1q_u32(h + 4, efgh);
}

static bool have_fast(void)
{
    return (getauxval(AT_HWCAP) & HWCAP_SHA2) != 0;
}

#else

static void blocks_fast(uint32_t *h, const unsigned char *p, size_t blocks)
{
    blocks_plain(h, p, blocks);
}

static bool have_fast(void)
{
    return false;
}

#endif

static void hash_blocks(uint32_t *h, const unsigned char *p, size_t blocks)
{
    static _Atomic int fast = -1;

    if (fast < 0)
        fast = have_fast();
    if (fast > 0)
        blocks_fast(h, p, blocks);
    else
        blocks_plain(h, p, blocks);
}

void hf_sha256_init(struct hf_sha256 *hash)
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

    memset(hash, 0, sizeof(*hash));
    memcpy(state_of(hash)->h, start, sizeof(start));
}

void hf_sha256_update(struct hf_sha256 *hash, const void *bytes, size_t n)
{
    struct sha256_state *s = state_of(hash);
    const unsigned char *p = bytes;
    size_t pending = s->n % 64;

    if (n == 0) /* `bytes` may be NULL */
        return;
    s->n += n;
    if (pending > 0) {
        size_t part = HF_MIN(n, 64 - pending);
        memcpy(s->pending + pending, p, part);
        if (pending + part < 64)
            return;
        hash_blocks(s->h, s->pending, 1);
        p += part;
        n -= part;
    }
    if (n >= 64)
        hash_blocks(s->h, p, n / 64);
    if (n % 64 > 0)
        memcpy(s->pending, p + n / 64 * 64, n % 64);
}

void hf_sha256_final(struct hf_sha256 *hash, unsigned char digest[static HF_SHA256_BYTES])
{
    struct sha256_state *s = state_of(hash);
    unsigned char tail[128] = {0};
    size_t pending = s->n % 64, n = pending < 56 ? 64 : 128;

    memcpy(tail, s->pending, pending);
    tail[pending] = 0x80;
    hf_put_be32(tail + n - 8, (uint32_t)(s->n >> 29));
    hf_put_be32(tail + n - 4, (uint32_t)(s->n << 3));
    hash_blocks(s->h, tail, n / 64);
    for (unsigned i = 0; i < 8; i++)
        hf_put_be32(digest + (size_t)i * 4, s->h[i]);
}

uint64_t hf_sha256_final64(struct hf_sha256 *hash)
{
    unsigned char digest[HF_SHA256_BYTES];
    uint64_t value;

    hf_sha256_final(hash, digest);
    memcpy(&value, digest, sizeof(value));
    return value;
}

#ifdef HF_TEST
/* The portable code, also on processors with SHA instructions. */
void hf_sha256_plain_for_test(const unsigned char *blocks, size_t n, uint32_t h[static 8])
{
    blocks_plain(h, blocks, n);
}

void hf_sha256_fast_for_test(const unsigned char *blocks, size_t n, uint32_t h[static 8])
{
    hash_blocks(h, blocks, n);
}
#endif

/* Layout: 8 chaining words, bit count high and low, bytes pending (all be32), 4 bytes zero, 64 bytes of the open
 * block. */
void hf_sha256_save(const struct hf_sha256 *hash, unsigned char state[static HF_SHA256_STATE])
{
    struct sha256_state s;

    memcpy(&s, hash->opaque, sizeof(s));
    memset(state, 0, HF_SHA256_STATE);
    for (int i = 0; i < 8; i++)
        hf_put_be32(state + 4 * i, s.h[i]);
    hf_put_be32(state + 32, (uint32_t)(s.n >> 29));
    hf_put_be32(state + 36, (uint32_t)(s.n << 3));
    hf_put_be32(state + 40, (uint32_t)(s.n % 64));
    memcpy(state + 48, s.pending, s.n % 64);
}

int hf_sha256_load(struct hf_sha256 *hash, const unsigned char state[static HF_SHA256_STATE])
{
    uint32_t pending = hf_be32(state + 40), low_bits = hf_be32(state + 36);
    struct sha256_state *s = state_of(hash);

    if (pending >= 64 || (low_bits >> 3 & 63) != pending || (low_bits & 7) != 0)
        return -EBADMSG;
    hf_sha256_init(hash);
    for (int i = 0; i < 8; i++)
        s->h[i] = hf_be32(state + 4 * i);
    s->n = (uint64_t)hf_be32(state + 32) << 29 | low_bits >> 3;
    memcpy(s->pending, state + 48, pending);
    return 0;
}

const char *hf_sha256_final_hex(struct hf_sha256 *hash, char hex[static HF_SHA256_HEX])
{
    unsigned char digest[HF_SHA256_BYTES];

    hf_sha256_final(hash, digest);
    return hf_hex_encode(digest, sizeof(digest), hex);
}

void hf_sha256_of(const void *bytes, size_t n, unsigned char *ret_digest, size_t kept)
{
    unsigned char digest[HF_SHA256_BYTES];
    struct hf_sha256 hash;

    hf_sha256_init(&hash);
    hf_sha256_update(&hash, bytes, n);
    hf_sha256_final(&hash, digest);
    memcpy(ret_digest, digest, kept);
}

const char *hf_sha256_hex(const void *bytes, size_t n, char hex[static HF_SHA256_HEX])
{
    unsigned char digest[HF_SHA256_BYTES];

    hf_sha256_of(bytes, n, digest, sizeof(digest));
    return hf_hex_encode(digest, sizeof(digest), hex);
}
