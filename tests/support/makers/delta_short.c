/* SPDX-License-Identifier: Apache-2.0 */
#include "support/makers/delta_short.h"

#include <elf.h>
#include <string.h>

#include "delta/cm/model.h"
#include "delta/coder.h"
#include "delta/shared_context.h"
#include "support/delta_io.h"
#include "support/makers/go_make.h"

/* ---- old files ------------------------------------------------------------------------------------------------- */

enum { DRAWN = 0x2000, FUNCTIONS = 12, GO_FUNCTIONS = 16, TEXT = 3000, TAR_BLOCK = 512, ABOVE = 5 };

static struct elf_made text(void)
{
    struct elf_made made = {malloc(TEXT), TEXT};

    for (size_t i = 0; i < TEXT; i++)
        made.p[i] = i % 31 == 30 ? '\n' : (unsigned char)("etaoin shrdlu"[(i * i / 7 + i / 31) % 13]);
    return made;
}

/* A member of an archive, with the parts of its header that readers look at. */
static size_t add_member(unsigned char *to, const char *name, const struct elf_made *file)
{
    size_t blocks = (file->n + TAR_BLOCK - 1) / TAR_BLOCK;

    memset(to, 0, TAR_BLOCK * (blocks + 1));
    (void)snprintf((char *)to, 100, "%s", name);
    (void)snprintf((char *)to + 124, 24, "%011zo %011o", file->n, 014000000000U);
    (void)snprintf((char *)to + 148, 8, "%06o", 012345U);
    memcpy(to + 257, "ustar", 5);
    memcpy(to + TAR_BLOCK, file->p, file->n);
    return TAR_BLOCK * (blocks + 1);
}

static struct elf_made archive(void)
{
    struct elf_made one = text(), two = elf_make(ELF_MAKE_X86_64, FUNCTIONS, 0),
                    three = elf_make(ELF_MAKE_ARM, FUNCTIONS, 0);
    struct elf_made made = {malloc(one.n + two.n + three.n + 8UL * TAR_BLOCK), 0};

    made.n += add_member(made.p + made.n, "text", &one);
    made.n += add_member(made.p + made.n, "lib/two.so", &two);
    made.n += add_member(made.p + made.n, "lib/three.so", &three);
    free(one.p);
    free(two.p);
    free(three.p);
    return made;
}

static struct elf_made make_old(unsigned which)
{
    static const enum elf_make_machine machines[] = {ELF_MAKE_X86_64, ELF_MAKE_AARCH64, ELF_MAKE_ARM, ELF_MAKE_RISCV,
                                                     ELF_MAKE_I386};

    if (which < HF_LEN(machines)) /* no two of one size */
        return elf_make(machines[which], FUNCTIONS + which, 0);
    which -= (unsigned)HF_LEN(machines);
    if (which < 3)
        return go_make((enum delta_go_layout)(DELTA_GO_116 + which), GO_FUNCTIONS, 0);
    if (which == DELTA_SHORT_DRAWN - HF_LEN(machines))
        return (struct elf_made){calloc(1, DRAWN), DRAWN};
    return which == 3 ? archive() : which == 4 ? text() : elf_make(ELF_MAKE_AARCH64, FUNCTIONS, 0);
}

struct delta_short_old *delta_short_old(unsigned which)
{
    static struct delta_short_old olds[DELTA_SHORT_OLDS];
    struct delta_short_old *old = &olds[which % DELTA_SHORT_OLDS];

    if (old->p == NULL) {
        struct elf_made made = make_old(which % DELTA_SHORT_OLDS);
        old->p = made.p;
        old->n = made.n;
        old->size = which % DELTA_SHORT_OLDS == DELTA_SHORT_DRAWN - 1 ? (uint64_t)ABOVE << 30 : made.n;
    }
    return old;
}

ssize_t delta_short_pread(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    const struct delta_short_old *old = ctx;

    if (offset >= old->size)
        return 0;
    n = (size_t)HF_MIN((uint64_t)n, old->size - offset);
    size_t there = offset < old->n ? HF_MIN(n, old->n - (size_t)offset) : 0;
    if (there > 0)
        memcpy(bytes, old->p + offset, there);
    memset((unsigned char *)bytes + there, 0, n - there);
    return (ssize_t)n;
}

/* ---- the image that is drawn ----------------------------------------------------------------------------------- */

static void put(unsigned char *p, unsigned n, uint64_t v)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = (unsigned char)(v >> (8 * i));
}

enum { NAME = 16, SEGMENT_AT = 0x80, NAMES_AT = 0x100, SECTIONS_AT = 0x200, CONTENT_AT = 0x800, CONTENT = 0x200 };

static void draw_headers(unsigned char *file, unsigned machine, bool fixed)
{
    static const uint16_t numbers[] = {EM_X86_64, EM_AARCH64, EM_RISCV, EM_ARM, EM_386};
    static const struct {
        const char *name;
        uint32_t type, flags;
    } sections[] = {{".text", SHT_PROGBITS, SHF_EXECINSTR},
                    {".rodata", SHT_PROGBITS, 0},
                    {".plt", SHT_PROGBITS, SHF_EXECINSTR},
                    {".got", SHT_PROGBITS, 0},
                    {".eh_frame", SHT_PROGBITS, 0},
                    {".eh_frame_hdr", SHT_PROGBITS, 0},
                    {".exidx", 0x70000001, 0},
                    {".relr", 19, 0}};
    bool narrow = machine >= 3;
    unsigned word = narrow ? 4 : 8, size = narrow ? sizeof(Elf32_Shdr) : sizeof(Elf64_Shdr);
    unsigned char *segment = file + SEGMENT_AT, *sizes = file + (narrow ? 42 : 54);

    memcpy(file, ELFMAG, SELFMAG);
    file[EI_CLASS] = narrow ? ELFCLASS32 : ELFCLASS64;
    file[EI_DATA] = ELFDATA2LSB;
    put(file + 16, 2, fixed ? ET_EXEC : ET_DYN);
    put(file + 18, 2, numbers[machine]);
    put(file + (narrow ? 28 : 32), word, SEGMENT_AT);
    put(file + (narrow ? 32 : 40), word, SECTIONS_AT);
    put(sizes, 2, narrow ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr));
    put(sizes + 2, 2, 1);
    put(sizes + 4, 2, size);
    put(sizes + 6, 2, HF_LEN(sections) + 1);
    put(sizes + 8, 2, HF_LEN(sections));
    put(segment, 4, PT_LOAD);
    put(segment + (narrow ? 16 : 32), word, DRAWN);
    put(segment + (narrow ? 20 : 40), word, DRAWN);
    for (unsigned i = 0; i <= HF_LEN(sections); i++) {
        unsigned char *s = file + SECTIONS_AT + (size_t)i * size;
        uint64_t at = i < HF_LEN(sections) ? CONTENT_AT + (uint64_t)i * CONTENT : NAMES_AT;
        put(s, 4, (uint64_t)i * NAME);
        put(s + 4, 4, i < HF_LEN(sections) ? sections[i].type : SHT_STRTAB);
        put(s + 8, word, i < HF_LEN(sections) ? sections[i].flags : 0);
        put(s + 8 + word, word, at);
        put(s + 8 + 2 * word, word, at);
        put(s + 8 + 3 * word, word, CONTENT);
        if (i < HF_LEN(sections))
            (void)snprintf((char *)file + NAMES_AT + (size_t)i * NAME, NAME, "%s", sections[i].name);
    }
}

size_t delta_short_draw(const unsigned char *bytes, size_t n)
{
    struct delta_short_old *old = delta_short_old(DELTA_SHORT_DRAWN);

    if (n < 4)
        return 0;
    unsigned machine = bytes[n - 1];
    size_t content = HF_MIN(1 + (size_t)bytes[n - 2], n / 2 - 1);
    const unsigned char *from = bytes + (n - 2 - content);
    memset(old->p, 0, DRAWN);
    draw_headers(old->p, (machine & 127) % 5, machine >= 128);
    for (size_t i = CONTENT_AT; i < DRAWN; i++)
        old->p[i] = from[(i - CONTENT_AT) % content];
    return content + 2;
}

void delta_short_add_drawn(struct hf_buf *to, unsigned machine, const void *content, size_t n)
{
    const unsigned char last[2] = {(unsigned char)(n - 1), (unsigned char)machine};

    if (hf_buf_add(to, content, n) < 0 || hf_buf_add(to, last, sizeof(last)) < 0)
        abort();
}

/* ---- head ------------------------------------------------------------------------------------------------------ */

void delta_short_format(const struct delta_short *s, unsigned char head[static DELTA_SHORT_HEAD])
{
    head[0] = (unsigned char)((s->method - 1) | s->which << 2 | (s->bare ? 64U : 0));
    head[1] = (unsigned char)((unsigned)s->kind | s->more_out << 3);
    head[2] = (unsigned char)s->size;
    head[3] = (unsigned char)(s->size >> 8);
    head[4] = (unsigned char)s->shared_n;
    head[5] = (unsigned char)(s->shared_n >> 8);
}

bool delta_short_parse(const unsigned char *bytes, size_t n, struct delta_short *ret)
{
    if (n < DELTA_SHORT_HEAD)
        return false;
    *ret = (struct delta_short){.method = (bytes[0] & 3U) + 1,
                                .which = bytes[0] >> 2 & 15,
                                .bare = (bytes[0] & 64) != 0,
                                .kind = (enum delta_short_size)(bytes[1] & 7),
                                .more_out = bytes[1] >> 3 & 3,
                                .size = bytes[2] | (unsigned)bytes[3] << 8,
                                .shared_n = bytes[4] | (unsigned)bytes[5] << 8};
    return true;
}

uint64_t delta_short_new_size(const struct delta_short *s)
{
    switch (s->kind) {
    case DELTA_SHORT_256:
        return 1 + s->size % 256;
    case DELTA_SHORT_512:
        return 1 + s->size % 512;
    case DELTA_SHORT_1K:
        return 1 + s->size % 1024;
    case DELTA_SHORT_4K:
        return 1 + s->size % 4096;
    case DELTA_SHORT_RESUMED:
        return (uint64_t)DELTA_BLOCK + 1 + s->size;
    case DELTA_SHORT_LARGE:
        return (uint64_t)s->size << 16;
    case DELTA_SHORT_HUGE:
        return (UINT64_C(4) << 30) + s->size;
    case DELTA_SHORT_64K:
    default:
        return s->size;
    }
}

/* ---- the whole delta ------------------------------------------------------------------------------------------- */

/* Reads a shared context of n bytes. -EBADMSG also if its length differs; *ret_used is the number of bytes that it
 * used. */
static int read_shared(const unsigned char *p, size_t n, uint64_t old_size, uint64_t new_size, size_t *ret_used)
{
    static struct delta_input input;
    static struct delta_cm cm;
    struct delta_shared_context shared = {.old_size = old_size, .new_size = new_size};
    struct delta_io bytes = {.p = p, .n = n};
    const struct hf_delta_in in = delta_io_in(&bytes);
    struct hf_err err = HF_ERR_INIT;

    delta_input_init(&input, &in);
    input.left = n;
    delta_cm_start_decoding(&cm, &input, n, &err);
    int r = delta_shared_context_code(&cm, &shared, &err);
    *ret_used = r == 0 ? n - (size_t)cm.left - (cm.n - cm.pos) : n;
    delta_shared_context_done(&shared);
    return r < 0 ? r : delta_cm_finish(&cm);
}

/* Returns the number of bytes that the numbers take, which may extend into the following bytes; the given size if
 * they do not end. */
static size_t shared_length(const unsigned char *p, size_t said, size_t n, uint64_t old_size, uint64_t new_size)
{
    size_t used;

    if (read_shared(p, said, old_size, new_size, &used) == 0)
        return said;
    (void)read_shared(p, n, old_size, new_size, &used);
    return used < n ? used : said;
}

struct out {
    unsigned char *p;
    size_t n, room;
};

static void add(struct out *out, const void *bytes, size_t n)
{
    if (n > 0 && n <= out->room - HF_MIN(out->room, out->n))
        memcpy(out->p + out->n, bytes, n);
    out->n += n;
}

/* `coder`: stored with the length; may be NULL. */
static void add_part(struct out *out, const enum delta_coder *coder, const void *before, size_t before_n,
                     const void *bytes, size_t n, size_t zeros)
{
    static const unsigned char none[BUFSIZ];
    unsigned char length[10];

    add(out, length,
        delta_put_varint(length, coder != NULL ? (before_n + n + zeros) << 1 | *coder : before_n + n + zeros));
    add(out, before, before_n);
    add(out, bytes, n);
    add(out, none, zeros);
}

/* Uncompressed chunks: a frame of one raw block, padded by the most bytes that the first chunk may ask for. */
static void add_bare(struct out *out, const unsigned char *p, size_t n)
{
    static const enum delta_coder coder = DELTA_CODER_ZSTD;
    enum { ZEROS = 512, WINDOW_256K = 8 << 3, LAST = 1, FRAME_HEAD = 6, BLOCK_HEAD = 3 };
    size_t block = (n + ZEROS) << 3 | LAST;
    const unsigned char head[FRAME_HEAD + BLOCK_HEAD] = {0x28,
                                                         0xb5,
                                                         0x2f,
                                                         0xfd,
                                                         0,
                                                         WINDOW_256K,
                                                         (unsigned char)block,
                                                         (unsigned char)(block >> 8),
                                                         (unsigned char)(block >> 16)};

    add_part(out, &coder, head, sizeof(head), p, n, ZEROS);
}

enum { STRIPE_LITERALS = (1 << 14) - 1, STRIPE_QUICK = 1 << 14, STRIPE_MORE = 1 << 15 };

static size_t take16(const unsigned char **p, size_t *n)
{
    size_t value = 0;

    if (*n >= 2) {
        value = (*p)[0] | (size_t)(*p)[1] << 8;
        *p += 2;
        *n -= 2;
    }
    return value;
}

static void add_stripes(struct out *out, const unsigned char *p, size_t n)
{
    unsigned char number[10];
    size_t head;

    do {
        head = take16(&p, &n);
        bool more = (head & STRIPE_MORE) != 0 && n > 4;
        size_t size = more ? take16(&p, &n) : 0, copies = more ? take16(&p, &n) : n;
        size_t literals = HF_MIN(head & STRIPE_LITERALS, n);
        copies = HF_MIN(copies, n - literals);
        add(out, number,
            delta_put_varint(number, literals << 2 | ((head & STRIPE_QUICK) != 0 ? 2U : 0U) | (more ? 1U : 0U)));
        if (more)
            add(out, number, delta_put_varint(number, size));
        add(out, p, literals);
        add_part(out, NULL, NULL, 0, p + literals, copies, 0);
        p += literals + copies;
        n -= literals + copies;
        head = more ? head : 0;
    } while ((head & STRIPE_MORE) != 0);
}

static bool add16(struct hf_buf *to, uint64_t value)
{
    const unsigned char bytes[2] = {(unsigned char)value, (unsigned char)(value >> 8)};

    return value <= UINT16_MAX && hf_buf_add(to, bytes, sizeof(bytes)) == 0;
}

bool delta_short_add_block(struct hf_buf *to, const unsigned char *block, size_t n)
{
    const unsigned char *p = block, *end = block + n;
    uint64_t head, size, copies;

    do {
        if (!delta_get_varint(&p, end, &head) || (head & 1 ? !delta_get_varint(&p, end, &size) : false))
            return false;
        const unsigned char *literals = p;
        if (head >> 2 > STRIPE_LITERALS || head >> 2 > (uint64_t)(end - p))
            return false;
        p += head >> 2;
        if (!delta_get_varint(&p, end, &copies) || copies > (uint64_t)(end - p))
            return false;
        if (!add16(to, head >> 2 | (head & 2 ? STRIPE_QUICK : 0u) | (head & 1 ? STRIPE_MORE : 0u)) ||
            ((head & 1) != 0 && (!add16(to, size) || !add16(to, copies))))
            return false;
        if (hf_buf_add(to, literals, (size_t)(head >> 2)) < 0 || hf_buf_add(to, p, (size_t)copies) < 0)
            abort();
        p += copies;
    } while ((head & 1) != 0);
    return p == end;
}

bool delta_short_expand(const unsigned char *bytes, size_t n, unsigned char *ret_patch, size_t room, size_t *ret_n)
{
    static const enum delta_coder lzma = DELTA_CODER_LZMA;
    struct out out = {ret_patch, DELTA_HEADER_MAX, room};
    struct delta_header header = {.version = DELTA_VERSION};
    unsigned char head[DELTA_HEADER_MAX];
    struct delta_short s;

    if (room < DELTA_HEADER_MAX || !delta_short_parse(bytes, n, &s))
        return false;
    header.method = s.method;
    header.old_size = delta_short_old(s.which)->size;
    header.new_size = delta_short_new_size(&s);
    bytes += DELTA_SHORT_HEAD;
    n -= DELTA_SHORT_HEAD;
    if (s.which % DELTA_SHORT_OLDS == DELTA_SHORT_DRAWN)
        n -= delta_short_draw(bytes, n);
    if (s.method == DELTA_METHOD_RECORDS_ZSTD || s.method == DELTA_METHOD_RECORDS_CM) {
        size_t said = HF_MIN((size_t)s.shared_n, n),
               used = shared_length(bytes, said, n, header.old_size, header.new_size);
        add_part(&out, NULL, NULL, 0, bytes, used, 0);
        bytes += HF_MAX(said, used);
        n -= HF_MAX(said, used);
    }
    if (s.kind == DELTA_SHORT_RESUMED && s.method == DELTA_METHOD_RECORDS_CM)
        add_stripes(&out, NULL, 0);
    else if (s.kind == DELTA_SHORT_RESUMED && s.method != DELTA_METHOD_RUNS)
        add_part(&out, NULL, NULL, 0, NULL, 0, 0);
    if (s.method == DELTA_METHOD_RUNS)
        add(&out, bytes, n);
    else if (s.method == DELTA_METHOD_RECORDS_CM)
        add_stripes(&out, bytes, n);
    else if (s.method == DELTA_METHOD_RECORDS_ZSTD && s.bare)
        add_bare(&out, bytes, n);
    else
        add_part(&out, s.method == DELTA_METHOD_RECORDS_ZSTD ? &lzma : NULL, NULL, 0, bytes, n, 0);
    if (out.n > room)
        return false;
    header.body_size = out.n - DELTA_HEADER_MAX;
    size_t head_n = delta_header_format(&header, head);
    memmove(ret_patch + head_n, ret_patch + DELTA_HEADER_MAX, (size_t)header.body_size);
    memcpy(ret_patch, head, head_n);
    *ret_n = head_n + (size_t)header.body_size;
    return true;
}
