/* Method 2: records behind the context mixing coder. The body: a coded part with the setting (map, segments), then one coded
 * part per block of 4 MiB of output, each with its length in front. */
#include <errno.h>
#include <string.h>

#include "delta/create.h"
#include "delta/model.h"
#include "delta/tables.h"

static int apply_block(struct delta_run *run, struct delta_model *model, struct delta_cm *cm, uint64_t start,
                       uint64_t end, struct hf_err *err)
{
    int r = delta_part_open(run, cm, err);

    if (r < 0)
        return r;
    delta_model_reset(model);
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

static int make_blocks(const struct delta_make *make, struct delta_setting *setting, struct hf_buf *body,
                       struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf part = HF_BUF_INIT(SIZE_MAX / 2);
    struct delta_cm *cm = malloc(sizeof(*cm));
    struct delta_model *model = delta_model_new(setting);
    int r = cm != NULL && model != NULL ? 0 : delta_no_memory(err);

    for (uint64_t start = 0; r == 0 && start < make->new_n; start += DELTA_BLOCK) {
        uint64_t end = HF_MIN(start + DELTA_BLOCK, (uint64_t)make->new_n);
        hf_buf_clear(&part);
        delta_cm_start_encoding(cm, &part);
        delta_model_reset(model);
        r = delta_model_code(model, cm, start, end, make->new_bytes + start, &make->copies, NULL, err);
        if (r == 0 && (r = delta_cm_finish(cm)) == 0)
            r = delta_part_add(body, &part);
    }
    delta_model_free(model);
    free(cm);
    return r;
}

int delta_make_cm(const struct delta_make *make, struct hf_buf *body, struct hf_err *err)
{
    struct delta_memory *memory = malloc(sizeof(*memory));
    struct delta_setting setting = {0};
    int r = memory != NULL ? delta_setting_make(make, memory, &setting, body, err) : delta_no_memory(err);

    if (r == 0)
        r = make_blocks(make, &setting, body, err);
    delta_setting_done(&setting);
    free(memory);
    return r;
}
