/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/cm/cm.h"

#include <errno.h>
#include <string.h>

#include "base/endian.h"

enum { DELTA_BIT_LIMIT = 250 };

void delta_cm_start_encoding(struct delta_cm *cm, struct hf_buf *out)
{
    memset(cm, 0, offsetof(struct delta_cm, buffer));
    cm->encoding = true;
    cm->high = UINT32_MAX;
    cm->out = out;
}

static unsigned next_byte(struct delta_cm *cm)
{
    if (cm->pos < cm->n)
        return cm->bytes[cm->pos++];
    if (cm->left == 0) {
        if (++cm->beyond > 4 && cm->failed == 0)
            cm->failed = hf_err_set(cm->err, EBADMSG, "delta is damaged: a coded part ends too early");
        return 0;
    }
    unsigned part = (unsigned)HF_MIN(cm->left, (uint64_t)sizeof(cm->buffer));
    int r = cm->failed != 0 ? cm->failed : delta_input_read(cm->in, cm->buffer, part, cm->err);
    if (r < 0) {
        cm->failed = r;
        cm->left = 0;
        return 0;
    }
    cm->left -= part;
    cm->n = part;
    cm->pos = 1;
    return cm->buffer[0];
}

static void start_decoding(struct delta_cm *cm, struct hf_err *err)
{
    memset(cm, 0, offsetof(struct delta_cm, buffer));
    cm->high = UINT32_MAX;
    cm->err = err;
    cm->bytes = cm->buffer;
}

static void take_code(struct delta_cm *cm)
{
    for (int i = 0; i < 4; i++)
        cm->code = cm->code << 8 | next_byte(cm);
}

void delta_cm_start_decoding(struct delta_cm *cm, struct delta_input *in, uint64_t n, struct hf_err *err)
{
    start_decoding(cm, err);
    cm->in = in;
    cm->left = n;
    take_code(cm);
}

void delta_cm_start_decoding_bytes(struct delta_cm *cm, const unsigned char *bytes, size_t n, struct hf_err *err)
{
    start_decoding(cm, err);
    cm->bytes = bytes;
    cm->n = n;
    take_code(cm);
}

void delta_cm_shift(struct delta_cm *cm)
{
    if (cm->encoding) {
        unsigned char byte = (unsigned char)(cm->high >> 24);
        int r = hf_buf_add(cm->out, &byte, 1);
        if (r < 0)
            cm->failed = r;
    } else {
        cm->code = cm->code << 8 | next_byte(cm);
    }
    cm->low <<= 8;
    cm->high = cm->high << 8 | 255;
}

/* Writes as few bytes as identify the final interval; the decoder reads zero bytes behind them. */
int delta_cm_finish(struct delta_cm *cm)
{
    unsigned char bytes[4];
    uint32_t value = cm->high;
    size_t n = 4;

    if (!cm->encoding) {
        if (cm->failed == 0 && (cm->left > 0 || cm->pos < cm->n))
            cm->failed = hf_err_set(cm->err, EBADMSG, "delta is damaged: a coded part is too long");
        return cm->failed;
    }
    for (unsigned drop = 24; drop > 0; drop -= 8) {
        uint32_t short_value = cm->high & (UINT32_MAX << drop);
        if (short_value >= cm->low) {
            value = short_value;
            n = 4 - drop / 8;
            break;
        }
    }
    hf_put_be32(bytes, value);
    int r = hf_buf_add(cm->out, bytes, n);
    return cm->failed != 0 ? cm->failed : r;
}

/* ---- adaptive bits --------------------------------------------------------------------------------------------- */

#define R1(n) (uint16_t)(65536 / ((n) + 2))
#define R4(n) R1(n), R1((n) + 1), R1((n) + 2), R1((n) + 3)
#define R16(n) R4(n), R4((n) + 4), R4((n) + 8), R4((n) + 12)
#define R64(n) R16(n), R16((n) + 16), R16((n) + 32), R16((n) + 48)

const uint16_t delta_reciprocal[256] = {R64(0), R64(64), R64(128), R64(192)};

/* `least`: lower bound of both probabilities, in 1/65536. */
static HF_ALWAYS_INLINE unsigned code_bit(struct delta_cm *cm, uint32_t *state, unsigned bit, uint32_t least,
                                          unsigned limit)
{
    uint32_t p = delta_bit_p16(*state), most = 65536 - least;

    bit = delta_cm_code(cm, bit, p < least ? least : p > most ? most : p);
    delta_bit_update(state, bit, limit);
    return bit;
}

unsigned delta_bit_code(struct delta_cm *cm, uint32_t *state, unsigned bit)
{
    return code_bit(cm, state, bit, 4, DELTA_BIT_LIMIT);
}

/* ---- mixing ---------------------------------------------------------------------------------------------------- */

/* 12 bits */
static uint32_t squashed(int32_t x)
{
    static const int16_t curve[33] = {1,    2,    3,    6,    10,   16,   27,   45,   73,   120,  194,
                                      310,  488,  747,  1101, 1546, 2047, 2549, 2994, 3348, 3607, 3785,
                                      3901, 3975, 4022, 4050, 4068, 4079, 4085, 4089, 4092, 4093, 4094};

    if (x > 2047)
        return 4095;
    if (x < -2047)
        return 0;
    uint32_t at = (uint32_t)(x + 2048);
    int32_t part = (int32_t)(at & 127), a = curve[at >> 7], b = curve[(at >> 7) + 1];
    return (uint32_t)((a * (128 - part) + b * part + 64) >> 7);
}

void delta_squash_init(uint16_t squash[4096])
{
    for (int32_t i = 0; i < 4096; i++)
        squash[i] = (uint16_t)(squashed(i - 2048) * 16 + 8);
}

int32_t delta_stretch(uint32_t p)
{
    int32_t low = -DELTA_STRETCH_MAX, high = DELTA_STRETCH_MAX;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (squashed(middle) < p)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- numbers --------------------------------------------------------------------------------------------------- */

void delta_number_init(struct delta_number *model)
{
    for (unsigned i = 0; i < 64; i++)
        model->length[i] = DELTA_BIT_INIT;
    for (unsigned i = 0; i < 43; i++)
        for (unsigned j = 0; j < 8; j++)
            model->bits[i][j] = DELTA_BIT_INIT;
}

static unsigned number_bit(struct delta_cm *cm, uint32_t *state, unsigned bit)
{
    return code_bit(cm, state, bit, 32, 60);
}

uint64_t delta_number_code(struct delta_cm *cm, struct delta_number *model, uint64_t value)
{
    unsigned length = 0, node = 1;

    for (uint64_t rest = value; rest > 0; rest >>= 1)
        length++;
    for (unsigned i = 6; i-- > 0;)
        node = node << 1 | number_bit(cm, &model->length[node], length >> i & 1);
    length = node & 63;
    if (length > 42) {
        if (cm->failed == 0)
            cm->failed = hf_err_set(cm->err, EBADMSG, "delta is damaged: a number is too large");
        return 0;
    }
    if (length < 2)
        return length;
    uint64_t made = 1;
    node = 1;
    for (unsigned i = length - 1; i-- > 0;) {
        unsigned bit = value >> i & 1;
        if (node < 8) {
            bit = number_bit(cm, &model->bits[length][node], bit);
            node = node << 1 | bit;
        } else {
            bit = delta_cm_code(cm, bit, 32768);
        }
        made = made << 1 | bit;
    }
    return made;
}
