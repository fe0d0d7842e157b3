/* SPDX-License-Identifier: Apache-2.0 */
/* Code the predictors, the pairs of images and the match map (FORMAT.md, "Shared context"). */
#include "delta/shared_context.h"

#include <errno.h>
#include <string.h>

#include "delta/match/map_build.h"
#include "delta/select_predictors.h"

struct numbers {
    struct delta_number plain, segment, gap, length, jump, jump_after_gap;
};

static int code_pair(struct delta_cm *cm, struct numbers *n, const struct delta_shared_context *s, uint64_t *old_end,
                     uint64_t *new_end, struct delta_pair *pair)
{
    uint64_t new_offset = *new_end + delta_number_code(cm, &n->gap, pair->new_offset - *new_end);
    uint64_t new_size = delta_number_code(cm, &n->length, pair->new_size);
    uint64_t jump = delta_number_code(cm, &n->jump, delta_zigzag((int64_t)(pair->old_offset - *old_end)));
    uint64_t grown = delta_number_code(cm, &n->segment, delta_zigzag((int64_t)pair->old_size - pair->new_size));
    uint64_t old_offset = *old_end + (uint64_t)delta_unzigzag(jump);
    uint64_t old_size = new_size + (uint64_t)delta_unzigzag(grown);

    if (cm->failed != 0)
        return cm->failed;
    if (new_offset > s->new_size || new_size > s->new_size - new_offset || new_size == 0 || old_offset > s->old_size ||
        old_size > s->old_size - old_offset)
        return cm->failed = hf_err_set(cm->err, EBADMSG, "delta is damaged: an image exceeds its file");
    *pair = (struct delta_pair){(uint32_t)old_offset, (uint32_t)old_size, (uint32_t)new_offset, (uint32_t)new_size};
    *old_end = old_offset + old_size;
    *new_end = new_offset + new_size;
    return 0;
}

static int code_pairs(struct delta_cm *cm, struct numbers *n, struct delta_shared_context *s)
{
    uint64_t count = delta_number_code(cm, &n->plain, s->pairs_n), old_end = 0, new_end = 0;

    if (cm->failed != 0)
        return cm->failed;
    if (count > DELTA_PAIRS_MAX || (count > 0 && (s->new_size | s->old_size) > UINT32_MAX))
        return cm->failed = hf_err_set(cm->err, EBADMSG, "delta is damaged: too many images");
    if (!cm->encoding) {
        s->pairs = calloc(count > 0 ? (size_t)count : 1, sizeof(*s->pairs));
        if (s->pairs == NULL)
            return cm->failed = hf_err_set(cm->err, ENOMEM, "out of memory");
        s->pairs_n = (uint32_t)count;
    }
    for (uint64_t i = 0; i < count && cm->failed == 0; i++)
        (void)code_pair(cm, n, s, &old_end, &new_end, &s->pairs[i]);
    return cm->failed;
}

void delta_shared_context_done(struct delta_shared_context *shared)
{
    delta_map_done(&shared->map);
    free(shared->pairs);
    shared->pairs = NULL;
}

static int code_entry(struct delta_cm *cm, struct numbers *n, const struct delta_shared_context *s, uint64_t *new_end,
                      int64_t *shift, struct delta_map_entry *e)
{
    uint64_t gap = delta_number_code(cm, &n->gap, e->new_pos - *new_end);
    uint64_t length = delta_number_code(cm, &n->length, e->len);
    struct delta_number *jump_model = gap == 0 ? &n->jump : &n->jump_after_gap;
    int64_t turn = (int64_t)e->old_pos - (int64_t)e->new_pos - *shift;
    turn = delta_unzigzag(delta_number_code(cm, jump_model, delta_zigzag(turn)));
    uint64_t new_pos = *new_end + gap, old_pos = new_pos + (uint64_t)(*shift + turn);

    if (cm->failed != 0)
        return cm->failed;
    if (length == 0 || new_pos > s->new_size || length > s->new_size - new_pos || old_pos > s->old_size ||
        length > s->old_size - old_pos)
        return cm->failed = hf_err_set(cm->err, EBADMSG, "delta is damaged: a copy exceeds its file");
    *e = (struct delta_map_entry){(uint32_t)new_pos, (uint32_t)old_pos, (uint32_t)length};
    *new_end = new_pos + length;
    *shift += turn;
    return 0;
}

int delta_shared_context_code(struct delta_cm *cm, struct delta_shared_context *s, struct hf_err *err)
{
    struct numbers *n = malloc(sizeof(*n));
    uint64_t new_end = 0;
    int64_t shift = 0;
    int r = 0;

    if (n == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (size_t i = 0; i < sizeof(*n) / sizeof(struct delta_number); i++)
        delta_number_init(&n->plain + i);
    uint64_t predictors = delta_number_code(cm, &n->plain, s->predictors | s->lean << DELTA_PREDICT_BITS);
    uint64_t count = delta_number_code(cm, &n->plain, s->map.n);
    if (cm->failed == 0 && predictors >> DELTA_PREDICT_BITS > DELTA_LEAN_MAX)
        r = hf_err_set(err, EOPNOTSUPP, "unknown delta predictors %llu", (unsigned long long)predictors);
    else if (cm->failed == 0 && (count > DELTA_MAP_MAX || (count > 0 && (s->new_size | s->old_size) > UINT32_MAX)))
        r = hf_err_set(err, EBADMSG, "delta is damaged: the match map is too large");
    s->predictors = (unsigned)predictors & DELTA_PREDICT_ALL;
    s->lean = (unsigned)predictors >> DELTA_PREDICT_BITS;
    if (r == 0 && cm->failed == 0 && !cm->encoding)
        r = delta_map_alloc(&s->map, (uint32_t)count, err);
    if (r == 0 && cm->failed == 0)
        r = code_pairs(cm, n, s);
    for (uint64_t i = 0; r == 0 && cm->failed == 0 && i < count; i++)
        r = code_entry(cm, n, s, &new_end, &shift, &s->map.p[i]);
    free(n);
    if (r == 0)
        r = cm->failed;
    if (r == 0)
        delta_map_sort(&s->map);
    return r;
}

/* ---- as a part of the body ------------------------------------------------------------------------------------- */

int delta_part_open(struct delta_apply_state *apply, struct delta_cm *cm, struct hf_err *err)
{
    uint64_t n;
    int r = delta_input_varint(apply->input, apply->input->left, &n, err);

    if (r == 0)
        delta_cm_start_decoding(cm, apply->input, n, err);
    return r < 0 ? r : cm->failed;
}

int delta_part_add(struct hf_buf *body, const struct hf_buf *part)
{
    unsigned char bytes[10];
    int r = hf_buf_add(body, bytes, delta_put_varint(bytes, part->n));

    return r < 0 ? r : hf_buf_add(body, part->p, part->n);
}

int delta_shared_context_read(struct delta_apply_state *apply, struct delta_shared_context *shared, struct hf_err *err)
{
    struct delta_cm *cm = malloc(sizeof(*cm));
    int r = cm != NULL ? delta_part_open(apply, cm, err) : delta_no_memory(err);

    if (r == 0)
        r = delta_shared_context_code(cm, shared, err);
    if (r == 0)
        r = delta_cm_finish(cm);
    free(cm);
    return r;
}

static int copy_pairs(const struct delta_make *make, struct delta_shared_context *shared, struct hf_err *err)
{
    shared->pairs = calloc(make->pairs_n > 0 ? make->pairs_n : 1, sizeof(*shared->pairs));
    if (shared->pairs == NULL)
        return delta_no_memory(err);
    for (uint32_t i = 0; i < make->pairs_n; i++)
        shared->pairs[i] = make->pairs[i];
    shared->pairs_n = make->pairs_n;
    shared->new_images = make->new_images;
    return 0;
}

int delta_shared_context_make(const struct delta_make *make, struct delta_memory *memory,
                              struct delta_shared_context *shared, struct hf_buf *body, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf part = HF_BUF_INIT(SIZE_MAX / 2);
    struct delta_cm *cm = malloc(sizeof(*cm));
    int r = cm != NULL ? 0 : delta_no_memory(err);

    delta_memory_open(memory, make->old, make->old_n);
    *shared = (struct delta_shared_context){.old = &memory->reader, .old_size = make->old_n, .new_size = make->new_n};
    bool fast = make->params != NULL && make->params->profile == HF_DELTA_FAST;
    if (make->params != NULL && !fast)
        shared->lean = HF_MIN(make->params->lean, (unsigned)DELTA_LEAN_MAX);
    shared->predictors = DELTA_PREDICT_REFERENCES;
    for (uint32_t i = 0; i < make->pairs_n; i++)
        shared->predictors |= delta_predictor_of(make->old_images[i].machine);
    if (r == 0)
        r = delta_map_build(&make->copies, fast ? DELTA_MAP_MAX : DELTA_MAP_MADE, &shared->map, err);
    if (r == 0)
        r = copy_pairs(make, shared, err);
    if (r == 0) {
        delta_map_sort(&shared->map);
        r = delta_select_predictors(make, shared, &shared->predictors, err);
    }
    if (r == 0) {
        delta_cm_start_encoding(cm, &part);
        r = delta_shared_context_code(cm, shared, err);
    }
    if (r == 0 && (r = delta_cm_finish(cm)) == 0)
        r = delta_part_add(body, &part);
    free(cm);
    return r == -ENOMEM ? delta_no_memory(err) : r;
}
