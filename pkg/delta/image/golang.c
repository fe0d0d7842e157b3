/* SPDX-License-Identifier: Apache-2.0 */
/* A magic number identifies the header of pclntab. The first word of the runtime's module data, the header's
 * address, identifies that. */
#include "delta/image/golang.h"
#include "delta/image/find_go.h"

#include <string.h>

#include "base/endian.h"

enum { HEADER_BYTES = 72, MODULE_WORDS = 56, PIECE = 4096, STEP = 16 };

/* ---- descriptions of functions --------------------------------------------------------------------------------- */

static const struct delta_go_function_layout layouts[] = {
    [DELTA_GO_116] = {8, 20, 32, 36, 43, 44},
    [DELTA_GO_118] = {4, 16, 28, 32, 39, 40},
    [DELTA_GO_120] = {4, 16, 28, 32, 43, 44},
};

uint64_t delta_go_function_size(const struct delta_go *go, const unsigned char *head)
{
    const struct delta_go_function_layout *l = &layouts[go->layout];
    uint64_t size = l->pcdata + 4 * (uint64_t)HF_MIN(hf_le32(head + l->pcdata_n), (uint32_t)DELTA_GO_PCDATA_MAX);

    if (go->layout == DELTA_GO_116)
        return ((size + 7) & ~UINT64_C(7)) + 8 * (uint64_t)head[l->funcdata_n];
    return size + 4 * (uint64_t)head[l->funcdata_n];
}

const struct delta_go_function_layout *delta_go_function_layout(const struct delta_go *go)
{
    return &layouts[go->layout];
}

/* ---- regions --------------------------------------------------------------------------------------------------- */

/* Makes [offset, offset + size) a region of its own, in whole words, and splits the region around it if there is
 * one. */
static void carve(struct delta_image *image, uint64_t offset, uint64_t size, enum delta_region_kind kind, uint64_t link)
{
    uint64_t end;
    const struct delta_region *in = delta_image_region(image, offset, &end);
    struct delta_region whole = *in,
                        part = {offset, size, delta_address_of(&image->segments, offset), link, kind, false};
    unsigned at = 0, pieces = 0;
    struct delta_region piece[3];

    if (offset == 0 || size == 0 || end - offset < size || image->regions_n + 2 > DELTA_REGIONS)
        return;
    while (at < image->regions_n && image->regions[at].offset + image->regions[at].size <= offset)
        at++;
    if (whole.kind != DELTA_REGION_PLAIN) {
        part.size = HF_MIN((size + 7) & ~UINT64_C(7), end - offset);
        if (offset > whole.offset) {
            piece[pieces] = whole;
            piece[pieces++].size = offset - whole.offset;
        }
    }
    piece[pieces++] = part;
    if (whole.kind != DELTA_REGION_PLAIN && end > offset + part.size) {
        uint64_t by = offset + part.size - whole.offset;
        piece[pieces++] = (struct delta_region){whole.offset + by, whole.size - by, whole.address + by,
                                                whole.link,        whole.kind,      whole.linkage};
    }
    unsigned gone = whole.kind != DELTA_REGION_PLAIN ? 1 : 0;
    memmove(&image->regions[at + pieces], &image->regions[at + gone],
            (image->regions_n - at - gone) * sizeof(struct delta_region));
    memcpy(&image->regions[at], piece, pieces * sizeof(struct delta_region));
    image->regions_n += pieces - gone;
}

/* ---- the table of functions ------------------------------------------------------------------------------------ */

static unsigned row_size(const struct delta_go *go)
{
    return go->layout == DELTA_GO_116 ? 16 : 8;
}

int delta_go_row(struct delta_old *file, const struct delta_go *go, uint64_t index, uint64_t *ret_entry,
                 uint64_t *ret_function, struct hf_err *err)
{
    unsigned char row[16];
    unsigned size = row_size(go);
    int r = delta_old_read(file, go->rows + index * size, row, size, err);

    if (r < 0)
        return r;
    *ret_entry = hf_le(row, size / 2);
    if (go->layout != DELTA_GO_116)
        *ret_entry += go->text;
    *ret_function = index < go->functions ? go->rows + hf_le(row + size / 2, size / 2) : DELTA_NOWHERE;
    return 0;
}

/* Returns the layout of the header at p; DELTA_GO_NONE if it is not one. */
static enum delta_go_layout layout_of(const unsigned char *p)
{
    if (p[4] != 0 || p[5] != 0 || (p[6] != 1 && p[6] != 4) || p[7] != 8)
        return DELTA_GO_NONE;
    switch (hf_le(p, 4)) {
    case 0xfffffffa:
        return DELTA_GO_116;
    case 0xfffffff0:
        return DELTA_GO_118;
    case 0xfffffff1:
        return DELTA_GO_120;
    default:
        return DELTA_GO_NONE;
    }
}

/* Reads the header at `at` of the region if it is valid. */
static void take_header(const struct delta_image *image, const struct delta_region *region, uint64_t at,
                        const unsigned char *p, struct delta_go *ret_go)
{
    struct delta_go go = {.layout = layout_of(p)};
    uint64_t room = region->offset + region->size - at, offset[5];
    const unsigned char *w = p + 24;

    if (go.layout == DELTA_GO_NONE || hf_le(p + 8, 8) == 0 || hf_le(p + 8, 8) > DELTA_GO_FUNCTIONS_MAX)
        return;
    go.functions = hf_le(p + 8, 8);
    if (go.layout != DELTA_GO_116) {
        uint64_t text = delta_position_of(&image->segments, hf_le(w, 8));
        go.text = text < DELTA_MEMORY ? text : 0;
        w += 8;
    }
    for (unsigned i = 0; i < 5; i++) {
        offset[i] = hf_le(w + 8 * i, 8);
        if (offset[i] > room || (i > 0 && offset[i] < offset[i - 1]))
            return;
    }
    if (room - offset[4] < (go.functions + 1) * row_size(&go))
        return;
    go.names = at + offset[0];
    go.units = at + offset[1];
    go.pctab = at + offset[3];
    go.rows = at + offset[4];
    go.files = at + offset[2];
    go.header = at;
    *ret_go = go;
}

/* A search through regions at every `step` bytes, for at most `left` bytes. */
struct go_search {
    struct delta_old *file;
    struct delta_image *image;
    struct delta_go go;
    const struct delta_region *region;
    uint64_t word; /* 8 bytes to search for; 0: a header */
    uint64_t left;
    uint64_t at; /* position found; 0: none */
};

static bool is_it(struct go_search *s, uint64_t at, const unsigned char *p)
{
    if (s->word != 0) {
        if (hf_le(p, 8) != s->word)
            return false;
        s->at = at;
        return true;
    }
    if (p[3] != 0xff || layout_of(p) == DELTA_GO_NONE)
        return false;
    take_header(s->image, s->region, at, p, &s->go);
    return s->go.layout != DELTA_GO_NONE;
}

static int look_through(struct go_search *s, const struct delta_region *region, unsigned step, struct hf_err *err)
{
    unsigned char bytes[PIECE + HEADER_BYTES];
    uint64_t first = (step - region->address % step) % step;

    s->region = region;
    for (uint64_t at = first; at + HEADER_BYTES <= region->size && s->left > 0; at += PIECE) {
        uint64_t n = HF_MIN((uint64_t)PIECE, region->size - at);
        int r = delta_old_read(s->file, region->offset + at, bytes, PIECE + HEADER_BYTES, err);
        if (r < 0)
            return r;
        for (uint64_t i = 0; i < n && at + i + HEADER_BYTES <= region->size; i += step)
            if (is_it(s, region->offset + at + i, bytes + i))
                return 1;
        s->left -= HF_MIN(s->left, (uint64_t)PIECE);
    }
    return 0;
}

static int look_in(struct go_search *s, enum delta_region_kind kind, unsigned step, struct hf_err *err)
{
    int r = 0;

    for (unsigned i = 0; r == 0 && i < s->image->regions_n; i++)
        if (s->image->regions[i].kind == kind)
            r = look_through(s, &s->image->regions[i], step, err);
    return r;
}

/* ---- module data ----------------------------------------------------------------------------------------------- */

static uint64_t place_of(const struct delta_image *image, uint64_t address)
{
    uint64_t position = delta_position_of(&image->segments, address);

    return position < DELTA_MEMORY ? position : 0;
}

struct go_module {
    uint64_t text, types, types_end, funcdata, links, links_n, find, buckets, rodata;
};

/* Reads the module data by layout. The list of types' offsets is at one of two places. */
static void take_module(const struct delta_image *image, const struct delta_go *go, const unsigned char *p,
                        struct go_module *m)
{
    unsigned types = go->layout == DELTA_GO_120 ? 37 : 35, links = types + (go->layout == DELTA_GO_116 ? 5 : 7);
    uint64_t end = hf_le(p + 8 * (types + 1), 8), code = hf_le(p + 8 * 21, 8) - hf_le(p + 8 * 20, 8);

    if (hf_le(p + 8 * 20, 8) == hf_le(p + 8 * 22, 8) && code <= UINT32_MAX) {
        m->find = place_of(image, hf_le(p + 8 * 19, 8));
        m->buckets = (code + 4095) / 4096;
    }
    m->text = place_of(image, hf_le(p + 8 * 22, 8));
    m->types = place_of(image, hf_le(p + 8 * types, 8));
    m->types_end = end > 0 ? place_of(image, end - 1) + 1 : 0;
    m->rodata = go->layout == DELTA_GO_116 ? 0 : place_of(image, hf_le(p + 8 * (types + 2), 8));
    m->funcdata = go->layout == DELTA_GO_116 ? 0 : place_of(image, hf_le(p + 8 * (types + 3), 8));
    for (unsigned i = 0; i < 2 && m->links == 0; i++) {
        const unsigned char *w = p + 8 * (links + i);
        if (hf_le(w + 8, 8) == hf_le(w + 16, 8) && hf_le(w + 8, 8) > 1 && hf_le(w + 8, 8) <= DELTA_GO_FUNCTIONS_MAX) {
            m->links = place_of(image, hf_le(w, 8));
            m->links_n = hf_le(w + 8, 8);
        }
    }
}

static int find_module(struct go_search *s, struct go_module *module, struct hf_err *err)
{
    unsigned char words[8 * MODULE_WORDS];
    int r;

    s->word = delta_address_of(&s->image->segments, s->go.header);
    s->left = DELTA_GO_SEARCH_MAX;
    r = look_in(s, DELTA_REGION_POINTERS, 8, err);
    if (r <= 0)
        return r;
    r = delta_old_read(s->file, s->at, words, sizeof(words), err);
    if (r < 0)
        return r;
    if (hf_le(words + 8, 8) == delta_address_of(&s->image->segments, s->go.names))
        take_module(s->image, &s->go, words, module);
    return 0;
}

/* ---- all of it ------------------------------------------------------------------------------------------------- */

/* Computes the end of the last function's description. */
static int functions_end(struct go_search *s, uint64_t *ret_end, struct hf_err *err)
{
    unsigned char head[DELTA_GO_HEAD_BYTES];
    uint64_t entry, last;
    int r = delta_go_row(s->file, &s->go, s->go.functions - 1, &entry, &last, err);

    if (r == 0)
        r = delta_old_read(s->file, last, head, sizeof(head), err);
    *ret_end = last + delta_go_function_size(&s->go, head);
    return r;
}

static void divide(struct go_search *s, const struct go_module *m, uint64_t end)
{
    struct delta_image *image = s->image;
    const struct delta_go *go = &image->go;
    uint64_t functions = go->rows + (go->functions + 1) * row_size(go);

    carve(image, go->units, (go->files - go->units) & ~UINT64_C(3), DELTA_REGION_GO_OFFSETS, go->files);
    carve(image, go->rows, (go->functions + 1) * row_size(go), DELTA_REGION_GO_ROWS, 0);
    if (end > functions)
        carve(image, functions, end - functions, DELTA_REGION_GO_FUNCTIONS, 0);
    if (m->types > 0 && m->types_end > m->types)
        carve(image, m->types, m->types_end - m->types, DELTA_REGION_GO_TYPES, 0);
    if (m->types > 0 && m->links > 0)
        carve(image, m->links, 4 * m->links_n, DELTA_REGION_GO_OFFSETS, m->types);
    if (m->find > 0 && go->text > 0)
        carve(image, m->find, DELTA_GO_BUCKET_BYTES * m->buckets, DELTA_REGION_GO_FIND, 0);
    if (delta_image_region(image, go->funcdata, &end)->kind != DELTA_REGION_PLAIN && go->funcdata > 0)
        carve(image, go->funcdata, end - go->funcdata, DELTA_REGION_GO_DATA, 0);
}

int delta_go_find(struct delta_old *file, struct delta_image *image, struct hf_err *err)
{
    struct go_search s = {.file = file, .image = image, .left = DELTA_GO_SEARCH_MAX};
    struct go_module module = {0};
    uint64_t end = 0;
    int r;

    if (!image->go_expected)
        return 0;
    r = look_in(&s, DELTA_REGION_GO_PCLN, STEP, err);
    if (r == 0)
        r = look_in(&s, DELTA_REGION_POINTERS, STEP, err);
    if (r <= 0)
        return r;
    if ((r = find_module(&s, &module, err)) < 0 || (r = functions_end(&s, &end, err)) < 0)
        return r;
    if (module.text > 0)
        s.go.text = module.text;
    s.go.types = module.types;
    s.go.find = module.find;
    s.go.rodata = module.rodata;
    s.go.funcdata = module.funcdata;
    image->go = s.go;
    if (module.types_end > module.funcdata && module.funcdata > module.types)
        module.types_end = module.funcdata;
    divide(&s, &module, end);
    return 0;
}
