/* SPDX-License-Identifier: Apache-2.0 */
/* Uses the processor's CRC instruction if it has one, else eight tables ("slicing by 8", Kounavis and Berry 2005). */
#include "spool/crc32c.h"

#include <stdbool.h>
#include <string.h>

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#define POLYNOMIAL_REVERSED 0x82f63b78u

static uint32_t tables[8][256];

/* Runs before main, so that threads find the tables ready. */
__attribute__((constructor)) static void make_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++)
            c = (c & 1) != 0 ? (c >> 1) ^ POLYNOMIAL_REVERSED : c >> 1;
        tables[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int t = 1; t < 8; t++)
            tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 255];
}

uint32_t hf_crc32c_table(uint32_t crc, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint32_t c = ~crc;

    for (; n >= 8; n -= 8, p += 8) {
        uint32_t low, high;
        memcpy(&low, p, 4);
        memcpy(&high, p + 4, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        low = __builtin_bswap32(low);
        high = __builtin_bswap32(high);
#endif
        low ^= c;
        c = tables[7][low & 255] ^ tables[6][low >> 8 & 255] ^ tables[5][low >> 16 & 255] ^ tables[4][low >> 24] ^
            tables[3][high & 255] ^ tables[2][high >> 8 & 255] ^ tables[1][high >> 16 & 255] ^ tables[0][high >> 24];
    }
    for (; n > 0; n--, p++)
        c = (c >> 8) ^ tables[0][(c ^ *p) & 255];
    return ~c;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_instruction(uint32_t crc, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t c = (uint32_t)~crc;

    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        c = __builtin_ia32_crc32di(c, word);
    }
    uint32_t tail = (uint32_t)c;
    if (n >= 4) {
        uint32_t word;
        memcpy(&word, p, 4);
        tail = __builtin_ia32_crc32si(tail, word);
        n -= 4;
        p += 4;
    }
    for (; n > 0; n--, p++)
        tail = __builtin_ia32_crc32qi(tail, *p);
    return ~tail;
}

static bool have_instruction(void)
{
    return __builtin_cpu_supports("sse4.2") != 0;
}
#elif defined(__aarch64__)
__attribute__((target("+crc"))) static uint32_t crc32c_instruction(uint32_t crc, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint32_t c = ~crc;

    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        c = __builtin_aarch64_crc32cx(c, word);
    }
    if (n >= 4) {
        uint32_t word;
        memcpy(&word, p, 4);
        c = __builtin_aarch64_crc32cw(c, word);
        n -= 4;
        p += 4;
    }
    for (; n > 0; n--, p++)
        c = __builtin_aarch64_crc32cb(c, *p);
    return ~c;
}

static bool have_instruction(void)
{
    return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
}
#else
#define crc32c_instruction hf_crc32c_table
static bool have_instruction(void)
{
    return false;
}
#endif

uint32_t hf_crc32c(uint32_t crc, const void *bytes, size_t n)
{
    return have_instruction() ? crc32c_instruction(crc, bytes, n) : hf_crc32c_table(crc, bytes, n);
}
