#include "update/state/floor.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/parse.h"
#include "update/state/sealed_file.h"

enum { COPIES = 2, MAX_TEXT = 256, FORMAT = 1 };

static const char *const names[COPIES] = {"floor.0", "floor.1"};

/* 0, -ENOENT, -EBADMSG (set aside), or the error of the read. */
static int load_copy(const struct hf_fs_ops *fs, const char *folder, int copy, uint64_t *ret_sequence,
                     struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TEXT);
    struct hf_view body;
    char number[24];
    int r = hf_sealed_file_load(fs, folder, names[copy], "floor", FORMAT, &text, &body, err);

    if (r < 0)
        return r;
    (void)snprintf(number, sizeof(number), "%.*s", (int)HF_MIN(body.n, sizeof(number)), body.p);
    if (body.n >= sizeof(number) || hf_parse_u64(number, 0, UINT64_MAX, ret_sequence) < 0)
        return hf_sealed_file_set_aside(fs, folder, names[copy], err);
    return 0;
}

int hf_floor_load(const struct hf_fs_ops *fs, const char *folder, uint64_t *ret_sequence, unsigned *ret_damaged,
                  struct hf_err *err)
{
    uint64_t highest = 0;
    unsigned damaged = 0;

    for (int copy = 0; copy < COPIES; copy++) {
        uint64_t sequence = 0;
        int r = load_copy(fs, folder, copy, &sequence, err);
        if (r == 0)
            highest = HF_MAX(highest, sequence);
        else if (r == -EBADMSG)
            damaged++;
        else if (r != -ENOENT)
            return r;
    }
    *ret_sequence = highest;
    *ret_damaged = damaged;
    return 0;
}

int hf_floor_raise(const struct hf_fs_ops *fs, const char *folder, uint64_t sequence, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TEXT);
    char number[24];
    uint64_t highest = 0;
    unsigned damaged = 0;
    int r = hf_floor_load(fs, folder, &highest, &damaged, err);

    if (r < 0)
        return r;
    highest = HF_MAX(highest, sequence);
    (void)snprintf(number, sizeof(number), "%" PRIu64, highest);
    r = hf_seal_format("floor", FORMAT, hf_view_of(number), &text);
    for (int copy = 0; r == 0 && copy < COPIES; copy++) {
        uint64_t have = 0;
        if (load_copy(fs, folder, copy, &have, NULL) < 0 || have != highest)
            r = hf_sealed_file_save(fs, folder, names[copy], hf_buf_view(&text), err);
    }
    return r < 0 ? hf_err_wrap(err, r, "raise the floor") : 0;
}
