/* Method 2: records behind the context mixing coder. The body: a coded part with the setting (map, segments), then one coded
 * part per block of 4 MiB of output, each with its length in front. */
#include <errno.h>
#include <string.h>

#include "delta/blocks.h"
#include "delta/model.h"
#include "delta/tables.h"

enum { QUICK_MIN = 1 << 18 };

static int apply_block(struct delta_run *run, struct delta_model *model, struct delta_cm *cm, uint64_t start,
                       uint64_t end, struct hf_err *err)
{
    int r = delta_part_open(run, cm, err);

    if (r < 0)
        return r;
    delta_model_reset(model, NULL);
    r = delta_model_code(model, cm, start, end, NULL, NULL, &run->output, err);
    return r < 0 ? r : delta_cm_finish(cm);
}

static int apply_blocks(struct delta_run *run, struct delta_setting *setting, struct delta_cm *cm, struct hf_err *err)
{
    struct delta_model *model = delta_model_new(setting);
    uint64_t start = 0, end, n;
    int r = model != NULL ? 0 : delta_no_memory(err);

    for (; r == 0 && start < run->header.new_size; start = end) {
        end = HF_MIN(start + DELTA_BLOCK, run->header.new_size);
        if (delta_run_skips(run, start)) {
            r = delta_input_varint(run->input, run->input->left, &n, err);
            if (r == 0)
                r = delta_input_skip(run->input, n, err);
        } else if ((r = apply_block(run, model, cm, start, end, err)) == 0) {
            r = delta_run_checkpoint(run, err);
        }
    }
    delta_model_free(model);
    return r;
}

int delta_apply_cm(struct delta_run *run, struct hf_err *err)
{
    struct delta_setting setting = {
        .old = run->old, .old_size = run->header.old_size, .new_size = run->header.new_size};
    struct delta_cm *cm = malloc(sizeof(*cm));
    int r = cm != NULL ? delta_setting_read(run, &setting, err) : delta_no_memory(err);

    if (r == 0)
        r = apply_blocks(run, &setting, cm, err);
    delta_setting_done(&setting);
    free(cm);
    return r;
}

/* ---- create ---------------------------------------------------------------------------------------------------- */

struct packing {
    const struct delta_make *make;
    struct delta_memory memory;
    struct delta_setting setting;
    struct delta_cm cm;
    struct delta_model *model;
    struct delta_manner manner;
    struct hf_buf part;
};

static void pack_close(void *state)
{
    struct packing *k = state;

    delta_model_free(k->model);
    delta_setting_done(&k->setting);
    hf_buf_done(&k->part);
    free(k);
}

static int pack_open(const struct delta_make *make, struct hf_buf *setting, void **ret_state, struct hf_err *err)
{
    struct packing *k = calloc(1, sizeof(*k));
    int r;

    if (k == NULL)
        return delta_no_memory(err);
    k->make = make;
    k->part.max = SIZE_MAX / 2;
    r = delta_setting_make(make, &k->memory, &k->setting, setting, err);
    if (r == 0 && (k->model = delta_model_new(&k->setting)) == NULL)
        r = delta_no_memory(err);
    if (r < 0) {
        pack_close(k);
        return r;
    }
    *ret_state = k;
    return 0;
}

static int code_part(struct packing *k, uint64_t start, uint64_t end, struct hf_err *err)
{
    hf_buf_clear(&k->part);
    delta_cm_start_encoding(&k->cm, &k->part);
    delta_model_reset(k->model, &k->manner);
    int r = delta_model_code(k->model, &k->cm, start, end, k->make->new_bytes + start, &k->make->copies, NULL, err);
    return r < 0 ? r : delta_cm_finish(&k->cm);
}

/* An update of a file that is not small, with so much to code that applying it would take more than a second per 20 MB: a few per cent
 * more bytes are the lesser evil. Where still more changed it is bytes that count. */
static bool shall_be_quick(uint64_t made, uint64_t coded)
{
    return made >= QUICK_MIN && coded > made / 44 && coded < made / 8;
}

static int pack_block(void *state, uint64_t start, uint64_t end, struct hf_buf *body, struct hf_err *err)
{
    struct packing *k = state;

    memset(&k->manner, 0, sizeof(k->manner));
    int r = code_part(k, start, end, err);
    k->manner.quick = shall_be_quick(end - start, k->part.n);
    if (r == 0 && (k->manner.quick || k->manner.plain_n > 0))
        r = code_part(k, start, end, err);
    if (r == 0 && delta_part_add(body, &k->part) < 0)
        r = -ENOMEM;
    return r == -ENOMEM ? delta_no_memory(err) : r;
}

const struct delta_blocks_ops delta_blocks_cm = {pack_open, pack_block, pack_close};
