/* SPDX-License-Identifier: Apache-2.0 */
/* Scanners for code of x86-64 and AArch64, for tables, and for tar headers, and the values of their references.
 * Other processors have files of their own (refs_scan.h), and so have Go's tables and jump tables.
 *
 * A scanner decides from the old bytes near the site alone, so that encoder and decoder find the same sites. For
 * x86-64 it does not decode instructions one after the other: any byte that looks like an opcode with an operand
 * that leads into the image is a site. A false site costs a few bits; a missed one costs the bytes of its change.
 * For AArch64, an addition, load or store is a reference if an adrp at most LOOK_AROUND instructions before it has
 * set the register. */
#include "delta/image/refs_scan.h"

#include <elf.h>
#include <string.h>

static uint64_t sign(uint32_t value, unsigned bits)
{
    return delta_sign(value, bits);
}

static bool add(struct delta_scan *s, size_t at, unsigned n, enum delta_ref_kind kind, uint64_t address, uint64_t word)
{
    return delta_scan_add(s, at, n, kind, address, word) != NULL;
}

/* ---- x86-64 ---------------------------------------------------------------------------------------------------- */

/* One-byte opcodes with a ModRM operand that compilers use with rip; value - 1 is the size of their immediate. */
static const unsigned char modrm_opcode[256] = {
    [0x01] = 1, [0x03] = 1, [0x09] = 1, [0x0b] = 1, [0x21] = 1, [0x23] = 1, [0x29] = 1, [0x2b] = 1, [0x31] = 1,
    [0x33] = 1, [0x38] = 1, [0x39] = 1, [0x3a] = 1, [0x3b] = 1, [0x63] = 1, [0x69] = 5, [0x6b] = 2, [0x80] = 2,
    [0x81] = 5, [0x83] = 2, [0x84] = 1, [0x85] = 1, [0x86] = 1, [0x87] = 1, [0x88] = 1, [0x89] = 1, [0x8a] = 1,
    [0x8b] = 1, [0x8d] = 1, [0xc0] = 2, [0xc1] = 2, [0xc6] = 2, [0xc7] = 5, [0xd1] = 1, [0xd3] = 1, [0xf6] = 1,
    [0xf7] = 1, [0xfe] = 1, [0xff] = 1, [0xd9] = 1, [0xdb] = 1, [0xdd] = 1,
};

/* Returns the size of the immediate + 1 if bytes[at] is a ModRM byte for [rip + disp32], else 0. */
static unsigned rip_operand(const unsigned char *b)
{
    if ((b[0] & 0xc7) != 0x05)
        return 0;
    if (b[-2] == 0x0f && (b[-1] < 0x80 || b[-1] > 0x8f))
        return b[-1] == 0x70 || b[-1] == 0xba || b[-1] == 0xc2 || b[-1] == 0xc6 ? 2 : 1;
    if (b[-3] == 0x0f && (b[-2] == 0x38 || b[-2] == 0x3a))
        return b[-2] == 0x3a ? 2 : 1;
    if (b[-3] == 0xc5 || b[-4] == 0xc4 || b[-6] == 0x62)
        return 1;
    if (modrm_opcode[b[-1]] == 0)
        return 0;
    if (b[-1] == 0xf6 || b[-1] == 0xf7)
        return (b[0] & 0x38) == 0 ? (b[-1] == 0xf6 ? 2 : 5) : 1;
    return b[-1] == 0xc7 && b[-2] == 0x66 ? 3 : modrm_opcode[b[-1]];
}

/* True if a site may follow this byte, or follow it after 0x0f. */
enum { LEADS = 1, LEADS_BEHIND_0F = 2 };

static const uint8_t leads[256] = {
    [0xe8] = LEADS, [0xe9] = LEADS, [0x80 ... 0x8f] = LEADS_BEHIND_0F,
    [0x05] = LEADS, [0x0d] = LEADS, [0x15] = LEADS,
    [0x1d] = LEADS, [0x25] = LEADS, [0x2d] = LEADS,
    [0x35] = LEADS, [0x3d] = LEADS,
};

/* One test in place of several unpredictable ones: the answer is mostly no. */
static bool may_lead(unsigned before, unsigned byte)
{
    return (leads[byte] & (LEADS | (before == 0x0f ? LEADS_BEHIND_0F : 0))) != 0;
}

static void scan_x86(struct delta_scan *s)
{
    uint64_t address = delta_address_of(&s->image->segments, s->offset);

    for (size_t i = 0; i < s->n; i++) {
        const unsigned char *b = s->bytes + i;
        enum delta_ref_kind kind;
        unsigned extra = 0;
        if (!may_lead(b[-2], b[-1]))
            continue;
        if (b[-1] == 0xe8) {
            kind = DELTA_REF_CALL;
        } else if (b[-1] == 0xe9) {
            kind = DELTA_REF_JMP;
        } else if ((b[-1] & 0xf0) == 0x80 && b[-2] == 0x0f) {
            kind = DELTA_REF_JCC;
        } else if ((b[-1] & 0xc7) == 0x05 && (extra = rip_operand(b - 1)) > 0) {
            kind = DELTA_REF_RIP;
            extra--;
        } else {
            continue;
        }
        uint32_t word = hf_le32(b);
        if (word + 0x8000000u < 0x10000000u && add(s, i, 4, kind, address + i + 4 + extra + sign(word, 32), word)) {
            s->refs[s->found - 1].extra = (uint8_t)extra;
            i += 3;
        }
    }
}

/* ---- AArch64 --------------------------------------------------------------------------------------------------- */

/* Kind of reference of an instruction by its highest byte: a branch by 26 bits, a page, a target by 21, 19 or 14
 * bits, or the addition, load or store that goes with a page. */
enum word_form { NONE, TO_26, TO_PAGE, TO_21, TO_19, TO_14, OF_PAGE };

static const uint8_t form_of[256] = {
    [0x14 ... 0x17] = TO_26, [0x94 ... 0x97] = TO_26, [0x90] = TO_PAGE, [0xb0] = TO_PAGE, [0xd0] = TO_PAGE,
    [0xf0] = TO_PAGE,        [0x10] = TO_21,          [0x30] = TO_21,   [0x50] = TO_21,   [0x70] = TO_21,
    [0x34] = TO_19,          [0x35] = TO_19,          [0xb4] = TO_19,   [0xb5] = TO_19,   [0x18] = TO_19,
    [0x1c] = TO_19,          [0x58] = TO_19,          [0x5c] = TO_19,   [0x98] = TO_19,   [0x9c] = TO_19,
    [0xd8] = TO_19,          [0xdc] = TO_19,          [0x54] = TO_19,   [0x36] = TO_14,   [0x37] = TO_14,
    [0xb6] = TO_14,          [0xb7] = TO_14,          [0x91] = OF_PAGE, [0x39] = OF_PAGE, [0x3d] = OF_PAGE,
    [0x79] = OF_PAGE,        [0x7d] = OF_PAGE,        [0xb9] = OF_PAGE, [0xbd] = OF_PAGE, [0xf9] = OF_PAGE,
    [0xfd] = OF_PAGE,
};

static uint64_t adr_immediate(uint32_t w)
{
    return sign((w >> 5 & 0x7ffff) << 2 | (w >> 29 & 3), 21);
}

static bool is_add(uint32_t w)
{
    return (w & 0xffc00000) == 0x91000000; /* 64 bit, unshifted */
}

static unsigned low12_scale(uint32_t w)
{
    if (is_add(w))
        return 0;
    return (w & 0x04800000) == 0x04800000 ? 4 : w >> 30;
}

/* Decodes the scaled unsigned 12-bit offset of an addition, load or store; false if the instruction is none of them. */
static bool low12(uint32_t w, uint64_t *ret_offset)
{
    if (!is_add(w) && (w & 0x3b000000) != 0x39000000)
        return false;
    *ret_offset = (uint64_t)(w >> 10 & 0xfff) << low12_scale(w);
    return true;
}

enum { LOOK_AROUND = 16 /* instructions */ };

/* Positions of the last instruction before this one, by the register number in its lowest bits. */
struct last_set {
    int64_t at[32];
};

static void start_last_set(struct last_set *last, const unsigned char *bytes, int64_t first)
{
    for (unsigned r = 0; r < 32; r++)
        last->at[r] = first - 4 * (LOOK_AROUND + 1);
    for (int64_t i = first - 4 * LOOK_AROUND; i < first; i += 4)
        last->at[hf_le32(bytes + i) & 31] = i;
}

/* Returns the page that an adrp before the instruction at i put into register r. Looks back at most LOOK_AROUND
 * instructions. */
static bool page_before(const struct delta_scan *s, const struct last_set *last, size_t i, unsigned r, uint64_t start,
                        uint64_t *ret_page)
{
    int64_t at = last->at[r];
    uint32_t w = hf_le32(s->bytes + at);

    if ((int64_t)i - at > 4 * LOOK_AROUND || (w & 0x9f000000) != 0x90000000)
        return false;
    *ret_page = ((start + (uint64_t)at) & ~UINT64_C(0xfff)) + (adr_immediate(w) << 12);
    return true;
}

static void scan_adrp(struct delta_scan *s, size_t i, uint64_t address, uint32_t w)
{
    uint64_t page = (address & ~UINT64_C(0xfff)) + (adr_immediate(w) << 12), low = 0;

    for (unsigned k = 1; k <= LOOK_AROUND; k++) {
        uint32_t next = hf_le32(s->bytes + i + 4 * k);
        if ((next >> 5 & 31) == (w & 31) && low12(next, &low))
            break;
        if ((next & 31) == (w & 31))
            break;
    }
    (void)add(s, i, 4, DELTA_REF_ADRP, page + low, w);
}

static void scan_aarch64(struct delta_scan *s)
{
    uint64_t start = delta_address_of(&s->image->segments, s->offset), page, low;
    size_t first = (0 - s->offset) & 3;
    struct last_set last;

    start_last_set(&last, s->bytes, (int64_t)first);
    for (size_t i = first; i < s->n; i += 4) {
        uint32_t w = hf_le32(s->bytes + i);
        uint64_t address = start + i;
        switch (form_of[w >> 24]) {
        case TO_26:
            (void)add(s, i, 4, DELTA_REF_BL, address + sign((w & 0x3ffffff) << 2, 28), w);
            break;
        case TO_PAGE:
            scan_adrp(s, i, address, w);
            break;
        case TO_21:
            (void)add(s, i, 4, DELTA_REF_ADR, address + adr_immediate(w), w);
            break;
        case TO_19:
            if ((w & 0xff000010) != 0x54000010) /* with bit 4 set it is not b.cond */
                (void)add(s, i, 4, DELTA_REF_B19, address + sign((w >> 5 & 0x7ffff) << 2, 21), w);
            break;
        case TO_14:
            (void)add(s, i, 4, DELTA_REF_B14, address + sign((w >> 5 & 0x3fff) << 2, 16), w);
            break;
        case OF_PAGE:
            if (low12(w, &low) && page_before(s, &last, i, w >> 5 & 31, start, &page))
                (void)add(s, i, 4, DELTA_REF_LO12, page + low, w);
            break;
        default:
            break;
        }
        last.at[w & 31] = (int64_t)i;
    }
}

/* ---- tables ---------------------------------------------------------------------------------------------------- */

/* Scans addresses. Among relocations, odd words are bitmaps. */
static void scan_words(struct delta_scan *s, bool even)
{
    uint64_t in_region = s->offset - s->region->offset;
    unsigned size = s->image->narrow ? 4 : 8;

    for (size_t i = (size_t)((size - in_region % size) % size); i < s->n; i += size) {
        uint64_t word = hf_le(s->bytes + i, size);
        if (word != 0 && (!even || (word & 1) == 0))
            (void)add(s, i, size, size == 4 ? DELTA_REF_ABS32 : DELTA_REF_ABS64, word, word);
    }
}

/* Scans ARM's unwind table: {function, 1, or unwind code if bit 31 is set, or its position}. */
static void scan_exidx(struct delta_scan *s)
{
    uint64_t in_region = s->offset - s->region->offset;

    for (size_t i = (size_t)((4 - in_region % 4) % 4); i < s->n; i += 4) {
        uint32_t word = hf_le32(s->bytes + i);
        if (word > 1 && (word >> 31) == 0)
            (void)add(s, i, 4, DELTA_REF_SELF31, s->region->address + in_region + i + sign(word, 31), word);
    }
}

/* Adds the symbol of a relocation. `word` holds its number; the symbol table's entries have `entry` bytes. */
static void add_symbol(struct delta_scan *s, size_t i, uint32_t word, uint64_t number, unsigned entry)
{
    if (number == 0 || i + 4 > s->limit)
        return;
    s->refs[s->found++] = (struct delta_ref){.target = s->region->link + number * entry,
                                             .base = s->region->link,
                                             .word = word,
                                             .at = (uint32_t)i,
                                             .kind = DELTA_REF_SYMBOL,
                                             .n = 4,
                                             .extra = (uint8_t)entry};
}

/* {address, type, symbol, addend}. */
static void scan_rela(struct delta_scan *s)
{
    uint64_t in_region = s->offset - s->region->offset;

    for (size_t i = (size_t)((4 - in_region % 4) % 4); i < s->n; i += 4) {
        unsigned field = (unsigned)((in_region + i) % 24);
        if (field == 12)
            add_symbol(s, i, hf_le32(s->bytes + i), hf_le32(s->bytes + i), sizeof(Elf64_Sym));
        else if ((field == 0 || field == 16) && hf_le64(s->bytes + i) != 0)
            (void)add(s, i, 8, field == 0 ? DELTA_REF_ABS64 : DELTA_REF_ADDEND, hf_le64(s->bytes + i),
                      hf_le64(s->bytes + i));
    }
}

/* {address, type and symbol}, 32 bit. */
static void scan_rel(struct delta_scan *s)
{
    uint64_t in_region = s->offset - s->region->offset;

    for (size_t i = (size_t)((4 - in_region % 4) % 4); i < s->n; i += 4) {
        uint32_t word = hf_le32(s->bytes + i);
        if ((in_region + i) % 8 == 4)
            add_symbol(s, i, word, word >> 8, sizeof(Elf32_Sym));
        else if (word != 0)
            (void)add(s, i, 4, DELTA_REF_ABS32, word, word);
    }
}

static void scan_symbols(struct delta_scan *s)
{
    uint64_t in_region = s->offset - s->region->offset;

    for (size_t i = (size_t)((4 - in_region % 4) % 4); i < s->n; i += 4) {
        unsigned field = (unsigned)((in_region + i) % (s->image->narrow ? 16 : 24));
        uint32_t name = hf_le32(s->bytes + i);
        if (field == 0 && name != 0 && i + 4 <= s->limit)
            s->refs[s->found++] = (struct delta_ref){.target = s->region->link + name,
                                                     .base = s->region->link,
                                                     .word = name,
                                                     .at = (uint32_t)i,
                                                     .kind = DELTA_REF_NAME,
                                                     .n = 4};
        else if (s->image->narrow && field == 4 && name != 0)
            (void)add(s, i, 4, DELTA_REF_ABS32, name, name);
        else if (!s->image->narrow && field == 8 && hf_le64(s->bytes + i) != 0)
            (void)add(s, i, 8, DELTA_REF_ABS64, hf_le64(s->bytes + i), hf_le64(s->bytes + i));
    }
}

/* Scans .eh_frame_hdr: version and encodings, pointer to .eh_frame, count; then {function, its entry}, relative to
 * the section. */
static void scan_eh_hdr(struct delta_scan *s)
{
    uint64_t in_region = s->offset - s->region->offset;

    for (size_t i = (size_t)((4 - in_region % 4) % 4); i < s->n; i += 4) {
        uint32_t word = hf_le32(s->bytes + i);
        if (in_region + i == 4)
            (void)add(s, i, 4, DELTA_REF_SELF32, s->region->address + 4 + sign(word, 32), word);
        else if (in_region + i >= 12 && add(s, i, 4, DELTA_REF_BASE32, s->region->address + sign(word, 32), word))
            s->refs[s->found - 1].base = s->region->offset;
    }
}

/* Scans .eh_frame. An entry starts with {length, distance back to its common entry, function relative to this field,
 * size of the function}. Accepts one if the distance leads into the section, the length is small and the function
 * lies in the image. `at` is the position of the distance. */
static bool is_frame(const struct delta_scan *s, int64_t at, uint64_t *ret_function)
{
    const unsigned char *b = s->bytes + at;
    uint64_t in_region = s->offset - s->region->offset + (uint64_t)at;
    uint32_t length = hf_le32(b - 4), back = hf_le32(b), function = hf_le32(b + 4);

    if (length < 12 || length > 4096 || length % 4 != 0 || back % 4 != 0 || back < 16 || in_region < 4 ||
        in_region >= s->region->size || back > in_region || (function >> 31) == 0)
        return false;
    *ret_function = s->region->address + in_region + 4 + sign(function, 32);
    return true;
}

/* The size leads to the function's last byte, since the byte after it may have moved elsewhere. */
static void add_size(struct delta_scan *s, size_t at, uint64_t function)
{
    uint64_t base = delta_position_of(&s->image->segments, function);
    uint32_t size = hf_le32(s->bytes + at);

    if (base < DELTA_MEMORY && size > 0 && size <= INT32_MAX && at + 4 <= s->limit)
        s->refs[s->found++] = (struct delta_ref){
            .target = base + size - 1, .base = base, .word = size, .at = (uint32_t)at, .kind = DELTA_REF_SIZE, .n = 4};
}

static void scan_eh_frame(struct delta_scan *s)
{
    uint64_t in_region = s->offset - s->region->offset, function;

    for (int64_t i = (int64_t)((4 - in_region % 4) % 4); i < (int64_t)s->n; i += 4) {
        uint32_t word = hf_le32(s->bytes + i);
        if (is_frame(s, i, &function))
            (void)add(s, (size_t)i, 4, DELTA_REF_BACK32, s->region->address + in_region + (uint64_t)i - word, word);
        else if (is_frame(s, i - 4, &function))
            (void)add(s, (size_t)i, 4, DELTA_REF_SELF32, function, word);
        else if (is_frame(s, i - 8, &function))
            add_size(s, (size_t)i, function);
    }
}

/* ---- tar ------------------------------------------------------------------------------------------------------- */

static bool octal(const unsigned char *p, unsigned n, uint64_t *ret_value)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '7')
            return false;
        v = v << 3 | (p[i] - '0');
    }
    *ret_value = v;
    return true;
}

static uint64_t to_octal(uint64_t value, unsigned n)
{
    uint64_t text = 0;

    for (unsigned i = 0; i < n; i++, value >>= 3)
        text = text << 8 | ('0' + (value & 7));
    return text;
}

enum { TAR_BORDER = 512, TAR_TIME_AT = 136, TAR_SUM_AT = 148, TAR_MAGIC_AT = 257 };

/* Adds a number of n digits at `at` of the header at bytes[header]; `value` is its key for lookups. */
static void add_octal(struct delta_scan *s, int64_t header, unsigned at, unsigned n, enum delta_ref_kind kind,
                      uint64_t value)
{
    int64_t i = header + at;

    if (i >= 0 && (size_t)i < s->n && (size_t)i + n <= s->limit)
        s->refs[s->found++] = (struct delta_ref){.target = DELTA_MEMORY + value,
                                                 .word = hf_le64(s->bytes + i) & (UINT64_MAX >> (64 - 8 * n)),
                                                 .at = (uint32_t)i,
                                                 .kind = (uint8_t)kind,
                                                 .n = (uint8_t)n};
}

/* Scans tar headers, which begin at 512-byte borders and hold "ustar" at 257. */
static void scan_tar(struct delta_scan *s)
{
    int64_t first = -(int64_t)(s->offset % TAR_BORDER);

    for (int64_t header = first; header + TAR_TIME_AT < (int64_t)s->n; header += TAR_BORDER) {
        const unsigned char *b = s->bytes + header;
        uint64_t time, sum;
        if (header + TAR_SUM_AT + 6 <= 0 || memcmp(b + TAR_MAGIC_AT, "ustar", 5) != 0 ||
            !octal(b + TAR_TIME_AT, 11, &time) || !octal(b + TAR_SUM_AT, 6, &sum))
            continue;
        add_octal(s, header, TAR_TIME_AT + 2, 8, DELTA_REF_TAR_TIME, time >> 3 & 0xffffff);
        add_octal(s, header, TAR_TIME_AT + 10, 1, DELTA_REF_TAR_LAST, (UINT64_C(1) << 36) + time);
        add_octal(s, header, TAR_SUM_AT, 6, DELTA_REF_TAR_SUM, sum);
    }
}

static void scan_code(struct delta_scan *s)
{
    static void (*const scan[])(struct delta_scan * s) = {
        [DELTA_MACHINE_X86_64] = scan_x86,        [DELTA_MACHINE_AARCH64] = scan_aarch64,
        [DELTA_MACHINE_ARM] = delta_scan_arm,     [DELTA_MACHINE_I386] = delta_scan_386,
        [DELTA_MACHINE_RISCV] = delta_scan_riscv,
    };

    if (scan[s->image->machine] != NULL)
        scan[s->image->machine](s);
}

size_t delta_refs_scan(const struct delta_image *image, const struct delta_region *region, const unsigned char *bytes,
                       size_t n, size_t limit, uint64_t offset, struct delta_announced *announced,
                       struct delta_ref *refs)
{
    struct delta_scan s = {image, region, bytes, n, limit, offset, refs, 0, announced};

    switch (region->kind) {
    case DELTA_REGION_CODE:
        scan_code(&s);
        break;
    case DELTA_REGION_RELA:
        scan_rela(&s);
        break;
    case DELTA_REGION_SYMBOLS:
        scan_symbols(&s);
        break;
    case DELTA_REGION_EH_HDR:
        scan_eh_hdr(&s);
        break;
    case DELTA_REGION_EH_FRAME:
        scan_eh_frame(&s);
        break;
    case DELTA_REGION_DYNAMIC:
    case DELTA_REGION_POINTERS:
        scan_words(&s, false);
        break;
    case DELTA_REGION_REL:
        scan_rel(&s);
        break;
    case DELTA_REGION_RELR:
        scan_words(&s, true);
        break;
    case DELTA_REGION_EXIDX:
        scan_exidx(&s);
        break;
    case DELTA_REGION_RODATA:
    case DELTA_REGION_GO_PCLN:
        if (image->fixed)
            scan_words(&s, false);
        break;
    case DELTA_REGION_PLAIN:
        scan_tar(&s);
        break;
    default: /* Go's kinds have their own */
        break;
    }
    return s.found;
}

/* ---- values ---------------------------------------------------------------------------------------------------- */

static uint32_t adr_encode(uint32_t w, uint64_t immediate)
{
    return (w & 0x9f00001f) | (uint32_t)(immediate & 3) << 29 | (uint32_t)(immediate >> 2 & 0x7ffff) << 5;
}

bool delta_ref_is_partial(unsigned kind)
{
    return kind == DELTA_REF_ADRP || kind == DELTA_REF_TAR_SUM || kind == DELTA_REF_AUIPC || kind == DELTA_REF_MOVT ||
           kind == DELTA_REF_THUMB_MOVT || kind == DELTA_REF_PLT_HIGH || kind == DELTA_REF_PLT_MIDDLE ||
           kind == DELTA_REF_GO_BUCKET || kind == DELTA_REF_GO_PARTS;
}

/* 32 bits, relative to the base. */
static bool is_from_base(unsigned kind)
{
    switch (kind) {
    case DELTA_REF_BASE32:
    case DELTA_REF_NAME:
    case DELTA_REF_GO_TEXT:
    case DELTA_REF_GO_FUNCTION:
    case DELTA_REF_GO_NAME:
    case DELTA_REF_GO_PC:
    case DELTA_REF_GO_DATA:
    case DELTA_REF_GO_TYPE:
    case DELTA_REF_JUMP:
        return true;
    default:
        return false;
    }
}

uint64_t delta_ref_encode(const struct delta_ref *ref, uint64_t site, uint64_t target, uint64_t base)
{
    uint32_t w = (uint32_t)ref->word;
    uint64_t distance = target - site;

    if (is_from_base(ref->kind))
        return (uint32_t)(target - base);
    switch (ref->kind) {
    case DELTA_REF_CALL:
    case DELTA_REF_JMP:
    case DELTA_REF_JCC:
    case DELTA_REF_RIP:
        return (uint32_t)(distance - 4 - ref->extra);
    case DELTA_REF_BL:
        return (w & 0xfc000000) | (uint32_t)(distance >> 2 & 0x3ffffff);
    case DELTA_REF_B19:
        return (w & 0xff00001f) | (uint32_t)(distance >> 2 & 0x7ffff) << 5;
    case DELTA_REF_B14:
        return (w & 0xfff8001f) | (uint32_t)(distance >> 2 & 0x3fff) << 5;
    case DELTA_REF_ADRP:
        return adr_encode(w, (target >> 12) - (site >> 12));
    case DELTA_REF_ADR:
        return adr_encode(w, distance);
    case DELTA_REF_LO12:
        return (w & 0xffc003ff) | (uint32_t)((target & 0xfff) >> low12_scale(w)) << 10;
    case DELTA_REF_SELF32:
        return (uint32_t)distance;
    case DELTA_REF_SELF31:
        return (uint32_t)distance & 0x7fffffff;
    case DELTA_REF_ABS32:
        return (uint32_t)target;
    case DELTA_REF_SYMBOL:
        return ref->extra == sizeof(Elf64_Sym) ? (uint32_t)((target - base) / sizeof(Elf64_Sym))
                                               : (w & 255) | (uint32_t)((target - base) / sizeof(Elf32_Sym)) << 8;
    case DELTA_REF_GOT_OFFSET:
        return (uint32_t)(target - base);
    case DELTA_REF_GOT_PC:
        return (uint32_t)(distance + ref->extra);
    case DELTA_REF_BACK32:
        return (uint32_t)(0 - distance);
    case DELTA_REF_GO_UNIT:
        return (uint32_t)((target - base) >> 2);
    case DELTA_REF_SIZE:
        return (uint32_t)(target - base + 1);
    case DELTA_REF_TAR_TIME:
    case DELTA_REF_TAR_LAST:
    case DELTA_REF_TAR_SUM:
        return to_octal(target, ref->n);
    default:
        if (ref->kind >= DELTA_REF_AUIPC && ref->kind <= DELTA_REF_SHORT_BRANCH)
            return delta_riscv_encode(ref, site, target, base);
        if (ref->kind > DELTA_REF_SLOTS)
            return delta_arm_encode(ref, site, target, base);
        return target;
    }
}

uint64_t delta_ref_decode(const struct delta_ref *ref, uint64_t word, uint64_t site, uint64_t base, uint64_t hint)
{
    uint32_t w = (uint32_t)word;

    if (is_from_base(ref->kind))
        return base + sign(w, 32);
    switch (ref->kind) {
    case DELTA_REF_CALL:
    case DELTA_REF_JMP:
    case DELTA_REF_JCC:
    case DELTA_REF_RIP:
        return site + 4 + ref->extra + sign(w, 32);
    case DELTA_REF_BL:
        return site + sign((w & 0x3ffffff) << 2, 28);
    case DELTA_REF_B19:
        return site + sign((w >> 5 & 0x7ffff) << 2, 21);
    case DELTA_REF_B14:
        return site + sign((w >> 5 & 0x3fff) << 2, 16);
    case DELTA_REF_ADRP:
        return ((((site >> 12) + adr_immediate(w)) << 12) & ~UINT64_C(0xfff)) | (hint & 0xfff);
    case DELTA_REF_ADR:
        return site + adr_immediate(w);
    case DELTA_REF_LO12:
        return (hint & ~UINT64_C(0xfff)) | ((uint64_t)(w >> 10 & 0xfff) << low12_scale(w) & 0xfff);
    case DELTA_REF_SELF32:
        return site + sign(w, 32);
    case DELTA_REF_SELF31:
        return site + sign(w, 31);
    case DELTA_REF_ABS32:
        return w;
    case DELTA_REF_SYMBOL:
        return base + (ref->extra == sizeof(Elf64_Sym) ? (uint64_t)w : w >> 8) * ref->extra;
    case DELTA_REF_GOT_OFFSET:
        return (base + w) & UINT32_MAX;
    case DELTA_REF_GOT_PC:
        return (site + w - ref->extra) & UINT32_MAX;
    case DELTA_REF_BACK32:
        return site - w;
    case DELTA_REF_GO_UNIT:
        return base + (sign(w, 32) << 2);
    case DELTA_REF_SIZE:
        return base + w - 1;
    case DELTA_REF_TAR_LAST:
        return (hint & ~UINT64_C(7)) | (word & 7);
    case DELTA_REF_TAR_TIME:
    case DELTA_REF_TAR_SUM: {
        uint64_t value = 0;
        for (unsigned i = 0; i < ref->n; i++, word >>= 8)
            value = value << 3 | (word & 7);
        return value;
    }
    default:
        if (ref->kind >= DELTA_REF_AUIPC && ref->kind <= DELTA_REF_SHORT_BRANCH)
            return delta_riscv_decode(ref, word, site, base, hint);
        if (ref->kind > DELTA_REF_SLOTS)
            return delta_arm_decode(ref, word, site, base, hint);
        return word;
    }
}
