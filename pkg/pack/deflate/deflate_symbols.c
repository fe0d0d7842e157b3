/* SPDX-License-Identifier: Apache-2.0 */
/* The constants of RFC 1951, and what reading and writing share. */
#include <errno.h>
#include <string.h>

#include "pack/deflate/deflate.h"

const uint16_t deflate_length_base[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                          31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
const uint8_t deflate_length_bits[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                         2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
const uint16_t deflate_distance_base[30] = {1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                            33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                            1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
const uint8_t deflate_distance_bits[30] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                           6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};
const uint8_t deflate_length_order[DEFLATE_LENGTH_CODES] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                            11, 4,  12, 3, 13, 2, 14, 1, 15};

struct deflate_symbol deflate_length_symbol(unsigned length)
{
    unsigned i = 28;

    while (deflate_length_base[i] > length)
        i--;
    return (struct deflate_symbol){257 + i, deflate_length_bits[i], length - deflate_length_base[i]};
}

struct deflate_symbol deflate_distance_symbol(unsigned distance)
{
    unsigned i = distance - 1, bits = 0;

    if (i >= 4) {
        bits = 30 - (unsigned)__builtin_clz(i);
        i = 2 * bits + (i >> bits);
    }
    return (struct deflate_symbol){i, deflate_distance_bits[i], distance - deflate_distance_base[i]};
}

void deflate_fixed_codes(struct deflate_codes *ret_codes)
{
    for (unsigned i = 0; i < 288; i++)
        ret_codes->literal[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    memset(ret_codes->distance, 5, sizeof(ret_codes->distance));
}

void deflate_codes_of(const uint8_t *lengths, unsigned n, uint16_t *codes)
{
    unsigned count[16] = {0}, next[16] = {0}, code = 0;

    for (unsigned i = 0; i < n; i++)
        count[lengths[i]]++;
    count[0] = 0;
    for (unsigned bits = 1; bits < 16; bits++)
        next[bits] = code = (code + count[bits - 1]) << 1;
    for (unsigned i = 0; i < n; i++) {
        unsigned value = lengths[i] != 0 ? next[lengths[i]]++ : 0, reversed = 0;
        for (unsigned b = 0; b < lengths[i]; b++)
            reversed |= (value >> b & 1u) << (lengths[i] - 1u - b);
        codes[i] = (uint16_t)reversed;
    }
}

void deflate_head_put(struct deflate_head *head, unsigned value, unsigned n)
{
    for (unsigned i = 0; i < n; i++, head->bits++)
        head->bytes[head->bits / 8] |= (unsigned char)((value >> i & 1u) << head->bits % 8);
}

int deflate_grow(void **numbers, size_t each, uint32_t *cap, uint32_t max, struct hf_err *err)
{
    uint32_t more = *cap > 0 ? 2 * *cap : 65536;

    if (more > max)
        return hf_err_set(err, E2BIG, "a deflate block has more than %u symbols", (unsigned)max);
    void *grown = realloc(*numbers, more * each);
    if (grown == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    *numbers = grown;
    *cap = more;
    return 0;
}
