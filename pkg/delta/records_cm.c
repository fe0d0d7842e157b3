/* Method 2: records behind the context mixing coder. The body: a coded part with the setting (map, segments), then one coded
 * part per block of 4 MiB of output, each with its length in front. */
#include <errno.h>
#include <string.h>

#include "delta/create.h"
#include "delta/model.h"

static int open_part(struct delta_run *run, struct delta_cm *cm, struct hf_err *err)
{
    uint64_t n;
    int r = delta_input_varint(run->input, run->input->left, &n, err);

    if (r == 0)
        delta_cm_start_decoding(cm, run->input, n, err);
    return r < 0 ? r : cm->failed;
}

static int apply_block(struct delta_run *run, struct delta_model *model, struct delta_cm *cm, uint64_t start,
                       uint64_t end, struct hf_err *err)
{
    int r = open_part(run, cm, err);

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
    int r = cm != NULL ? delta_image_read(run->old, &setting.image, err) : delta_no_memory(err);

    if (r == 0)
        r = open_part(run, cm, err);
    if (r == 0)
        r = delta_setting_code(cm, &setting, err);
    if (r == 0)
        r = delta_cm_finish(cm);
    if (r == 0)
        r = apply_blocks(run, &setting, cm, err);
    delta_map_done(&setting.map);
    free(cm);
    return r;
}

/* ---- create ---------------------------------------------------------------------------------------------------- */

struct memory {
    const unsigned char *p;
    size_t n;
};

static ssize_t memory_pread(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    const struct memory *memory = ctx;

    if (offset >= memory->n)
        return 0;
    n = HF_MIN(n, memory->n - (size_t)offset);
    memcpy(bytes, memory->p + offset, n);
    return (ssize_t)n;
}

static int longer_first(const void *a, const void *b)
{
    const struct delta_copy *x = *(const struct delta_copy *const *)a, *y = *(const struct delta_copy *const *)b;

    if (x->len != y->len)
        return x->len > y->len ? -1 : 1;
    return x->new_pos < y->new_pos ? -1 : 1;
}

static int by_place(const void *a, const void *b)
{
    const struct delta_copy *x = *(const struct delta_copy *const *)a, *y = *(const struct delta_copy *const *)b;

    return x->new_pos < y->new_pos ? -1 : 1;
}

/* The longest copies are the map, the rest is coded inline. */
static int make_map(const struct delta_copies *copies, struct delta_map *map, struct hf_err *err)
{
    const struct delta_copy **order = calloc(copies->n > 0 ? copies->n : 1, sizeof(*order));
    size_t n = HF_MIN(copies->n, (size_t)DELTA_MAP_MAX);
    int r = order != NULL ? delta_map_alloc(map, (uint32_t)n, err) : delta_no_memory(err);

    if (r == 0) {
        for (size_t i = 0; i < copies->n; i++)
            order[i] = &copies->p[i];
        qsort(order, copies->n, sizeof(*order), longer_first);
        qsort(order, n, sizeof(*order), by_place);
        for (size_t i = 0; i < n; i++)
            map->p[i] = (struct delta_map_entry){(uint32_t)order[i]->new_pos, (uint32_t)order[i]->old_pos,
                                                 (uint32_t)order[i]->len};
    }
    free(order);
    return r;
}

static int add_part(struct hf_buf *body, const struct hf_buf *part)
{
    unsigned char bytes[10];
    int r = hf_buf_add(body, bytes, delta_put_varint(bytes, part->n));

    return r < 0 ? r : hf_buf_add(body, part->p, part->n);
}

static int make_parts(const struct delta_make *make, struct delta_setting *setting, struct hf_buf *body,
                      struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf part = HF_BUF_INIT(SIZE_MAX / 2);
    struct delta_cm *cm = malloc(sizeof(*cm));
    struct delta_model *model = delta_model_new(setting);
    int r = cm != NULL && model != NULL ? 0 : delta_no_memory(err);

    if (r == 0) {
        delta_cm_start_encoding(cm, &part);
        r = delta_setting_code(cm, setting, err);
    }
    if (r == 0 && (r = delta_cm_finish(cm)) == 0)
        r = add_part(body, &part);
    for (uint64_t start = 0; r == 0 && start < make->new_n; start += DELTA_BLOCK) {
        uint64_t end = HF_MIN(start + DELTA_BLOCK, (uint64_t)make->new_n);
        hf_buf_clear(&part);
        delta_cm_start_encoding(cm, &part);
        delta_model_reset(model);
        r = delta_model_code(model, cm, start, end, make->new_bytes + start, &make->copies, NULL, err);
        if (r == 0 && (r = delta_cm_finish(cm)) == 0)
            r = add_part(body, &part);
    }
    delta_model_free(model);
    free(cm);
    return r;
}

static int image_of(const unsigned char *bytes, size_t n, struct delta_old *reader, struct delta_image *ret_image,
                    struct hf_err *err)
{
    struct memory memory = {bytes, n};
    struct hf_delta_old file = {&memory, memory_pread, n};

    delta_old_init(reader, &file);
    return delta_image_read(reader, ret_image, err);
}

int delta_make_cm(const struct delta_make *make, struct hf_buf *body, struct hf_err *err)
{
    struct memory memory = {make->old, make->old_n};
    struct hf_delta_old file = {&memory, memory_pread, make->old_n};
    struct delta_old *reader = malloc(sizeof(*reader));
    struct delta_image *image = malloc(sizeof(*image));
    struct delta_setting setting = {.old = reader, .old_size = make->old_n, .new_size = make->new_n, .predictors = 1};
    int r = reader != NULL && image != NULL ? image_of(make->new_bytes, make->new_n, reader, image, err)
                                            : delta_no_memory(err);

    if (r == 0) {
        setting.segments = image->segments;
        delta_old_init(reader, &file);
        r = delta_image_read(reader, &setting.image, err);
    }
    if (r == 0)
        r = make_map(&make->copies, &setting.map, err);
    if (r == 0)
        r = make_parts(make, &setting, body, err);
    delta_map_done(&setting.map);
    free(reader);
    free(image);
    return r;
}
