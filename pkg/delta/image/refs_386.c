/* SPDX-License-Identifier: Apache-2.0 */
/* References in 32-bit x86 code. Calls and jumps are the same as in x86-64. Position-independent code addresses data
 * relative to the global offset table, whose address a function computes by adding a constant to its own. */
#include "delta/image/refs_scan.h"

enum { PC_BACK = 24 }; /* the constant counts from the return address of a call at most this far before */

/* Opcodes with a ModRM operand that compilers use with a displacement. */
static bool has_operand(const unsigned char *b)
{
    static const unsigned char opcodes[32] = {
        [0x00] = 0x0f, [0x01] = 0x0f, [0x04] = 0x0f, [0x05] = 0x0f, [0x06] = 0x0f, [0x07] = 0x0f,
    };

    if (b[-2] == 0x0f)
        return true;
    if (b[-1] < 0x40)
        return (opcodes[b[-1] >> 3] >> (b[-1] & 7) & 1) != 0;
    return (b[-1] >= 0x80 && b[-1] <= 0x8d && b[-1] != 0x82) || b[-1] == 0x63 || b[-1] == 0x69 || b[-1] == 0x6b ||
           b[-1] == 0xc0 || b[-1] == 0xc1 || b[-1] == 0xc6 || b[-1] == 0xc7 || (b[-1] >= 0xd0 && b[-1] <= 0xdf) ||
           b[-1] == 0xf6 || b[-1] == 0xf7 || b[-1] == 0xfe || b[-1] == 0xff;
}

/* True if b[0..4) is the displacement of an operand [register + disp32], with or without an index. */
static bool displaced(const unsigned char *b)
{
    if ((b[-1] & 0xc0) == 0x80 && (b[-1] & 7) != 4 && has_operand(b - 1))
        return true;
    return (b[-2] & 0xc7) == 0x84 && has_operand(b - 2);
}

/* Returns the distance from b[0..4), the constant of an "add register, constant", back to the return address of the
 * call that with the constant gives the global offset table; 0 if it is not such a constant. */
static unsigned table_minus_pc(const unsigned char *b, uint64_t address, uint64_t got)
{
    bool adds = b[-1] == 0x05 || (b[-2] == 0x81 && (b[-1] & 0xf8) == 0xc0);
    uint32_t back = (uint32_t)(address + hf_le32(b) - got);

    return adds && back > 0 && back <= PC_BACK ? back : 0;
}

void delta_scan_386(struct delta_scan *s)
{
    uint64_t address = delta_address_of(&s->image->segments, s->offset);
    uint64_t got = delta_address_of(&s->image->segments, s->image->got);
    size_t opcodes_from = 0; /* opcode and ModRM byte of an operand do not belong to the site before */

    for (size_t i = 0; i < s->n; i++) {
        const unsigned char *b = s->bytes + i;
        uint32_t word = hf_le32(b);
        struct delta_ref *ref = NULL;
        unsigned back;
        if (b[-1] == 0xe8 || b[-1] == 0xe9 || ((b[-1] & 0xf0) == 0x80 && b[-2] == 0x0f)) {
            enum delta_ref_kind kind = b[-1] == 0xe8 ? DELTA_REF_CALL : b[-1] == 0xe9 ? DELTA_REF_JMP : DELTA_REF_JCC;
            if (word + 0x8000000u < 0x10000000u)
                ref = delta_scan_add(s, i, 4, kind, address + i + 4 + delta_sign(word, 32), word);
        } else if (s->image->got != 0 && (back = table_minus_pc(b, address + i, got)) > 0) {
            if ((ref = delta_scan_add(s, i, 4, DELTA_REF_GOT_PC, got, word)) != NULL)
                ref->extra = (uint8_t)back;
        } else if (s->image->got != 0 && word + 0x8000000u < 0x10000000u && (word & 0xfffff000) != 0 &&
                   i >= opcodes_from && displaced(b)) {
            if ((ref = delta_scan_add(s, i, 4, DELTA_REF_GOT_OFFSET, got + word, word)) != NULL)
                ref->base = s->image->got;
        }
        if (ref != NULL) {
            i += 3;
            opcodes_from = i + 3;
        }
    }
}
