/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/image/find_go.h"

#include "delta/image/golang.h"
#include "delta/image/predict.h"

enum { STEPS_MAX = 64 };

/* Sets the address in the new file of the function in a row. */
static int entry_of(struct delta_predictor *p, uint64_t row, uint64_t *ret_entry, struct hf_err *err)
{
    const struct delta_go *go = &p->image.go;
    uint64_t entry, function;
    int64_t shift = 0;
    int r = delta_go_row(p->shared->old, go, row, &entry, &function, err);

    if (r < 0)
        return r;
    if (go->layout == DELTA_GO_116)
        entry = delta_position_of(&p->image.segments, entry);
    if (entry < DELTA_MEMORY)
        (void)delta_map_shift(&p->shared->map, entry, &shift);
    *ret_entry = delta_address_of(&p->segments, entry + (uint64_t)shift);
    return 0;
}

/* Finds the last row whose function begins at `address` or before. Rows should ascend. */
static int search(struct delta_predictor *p, uint64_t address, uint64_t *ret_row, struct hf_err *err)
{
    uint64_t low = 0, high = p->image.go.functions, entry;

    while (low + 1 < high) {
        uint64_t middle = (low + high) / 2;
        int r = entry_of(p, middle, &entry, err);
        if (r < 0)
            return r;
        if (entry <= address)
            low = middle;
        else
            high = middle;
    }
    *ret_row = low;
    return 0;
}

static int row_at(struct delta_predictor *p, uint64_t part, uint64_t address, uint32_t *ret_row, struct hf_err *err)
{
    struct delta_go_found *f = &p->go.found;
    unsigned steps = 0;
    int r = 0;

    if (part == 0 || part != f->part) {
        if ((r = search(p, address, &f->row, err)) < 0 || (r = entry_of(p, f->row + 1, &f->entry, err)) < 0)
            return r;
    }
    while (f->entry <= address && f->row + 1 < p->image.go.functions && steps++ < STEPS_MAX) {
        f->row++;
        if ((r = entry_of(p, f->row + 1, &f->entry, err)) < 0)
            return r;
    }
    f->part = part + 1;
    *ret_row = (uint32_t)f->row;
    return 0;
}

int delta_go_bucket(struct delta_predictor *p, uint64_t bucket, const uint32_t **ret_rows, struct hf_err *err)
{
    struct delta_go_found *f = &p->go.found;
    uint64_t text = p->image.go.text;
    int64_t shift = 0;
    int r = 0;

    if (f->bucket != bucket + 1) {
        (void)delta_map_shift(&p->shared->map, text, &shift);
        uint64_t part = bucket * DELTA_GO_BUCKET_PARTS,
                 address = delta_address_of(&p->segments, text + (uint64_t)shift) + part * DELTA_GO_PART_CODE;
        for (unsigned i = 0; r == 0 && i < DELTA_GO_BUCKET_PARTS; i++)
            r = row_at(p, part + i, address + (uint64_t)i * DELTA_GO_PART_CODE, &f->rows[i], err);
        f->bucket = r == 0 ? bucket + 1 : 0;
    }
    *ret_rows = f->rows;
    return r;
}
